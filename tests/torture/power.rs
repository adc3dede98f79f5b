//! A power cut at every moment: what was not synced is gone, and the token a provider has replaced is not.
//!
//! A run is recorded system call by system call; for each moment the home folder is laid out as the disk would have it
//! after a power cut (see [`crate::disk`]), and flowrun is asked what it would send. It must never send a refresh token
//! that the provider may have replaced, and once the new access token has been used it must have the new refresh token.
//!
//! Modelled are the system calls' promises, not a device that lies about them, nor bytes that decay.

use std::fmt::Debug;
use std::process::Command;

use crate::chance::Chance;
use crate::disk::{Disk, Left};
use crate::operator::{Authorising, Ended, Operator};
use crate::place::{NAME, Place};
use crate::recording::{Did, read, recorded};
use crate::town::{Next, Town};
use crate::tracer;

/// How many lax disks are tried at each moment.
const LAX: usize = 1;

/// What flowrun does with a home folder that lost power.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// It has this refresh token, and would send it.
    Sends(String),
    /// It says that a reply was lost, and sends nothing.
    Lost,
    /// Anything else; what it said.
    Other(String),
}

/// What has happened by some moment.
#[derive(Debug, Default, Clone, Copy)]
struct Happened {
    /// A refresh was sent.
    asked: bool,
    /// What the provider granted was used, or the person was told.
    relied_on: bool,
}

/// OA-41, OA-57.
#[test]
fn a_rotated_token_survives_a_power_cut_at_any_moment_oa_41() {
    let Some(place) = place() else { return };
    place.town.expire();
    let flow = [&format!("{NAME}.yaml"), "--var", "id=42"];
    let run = |mut flow: Command| Ended::of(flow.spawn().expect("strace starts"));
    let (before, did) = record(&place, &flow, run);
    let happened = |so_far: Happened, said: &str| Happened {
        asked: so_far.asked || said.starts_with("POST /token"),
        relied_on: so_far.relied_on || said.contains("canary-access-2"),
    };
    at_each_moment(
        (before, &did),
        |left| find(&place, left),
        happened,
        |happened, found| match (happened.asked, happened.relied_on) {
            (false, _) => matches!(found, Found::Lost) || *found == sends(1),
            (true, false) => matches!(found, Found::Lost) || *found == sends(2),
            (true, true) => *found == sends(2),
        },
    );
}

/// OA-19, OA-57: and until then the earlier authorisation is there.
#[test]
fn an_authorisation_that_was_announced_survives_a_power_cut_oa_57() {
    let Some(place) = place() else { return };
    let (before, did) = record(&place, &["integrations", "authorize", NAME, "--paste"], |mut authorize| {
        let mut authorize = Authorising::start(&mut authorize);
        authorize.answer(|url| place.town.consent(url));
        authorize.end()
    });
    let happened = |so_far: Happened, said: &str| Happened {
        asked: so_far.asked || said.starts_with("POST /token"),
        relied_on: so_far.relied_on || said.contains("All set!"),
    };
    at_each_moment(
        (before, &did),
        |left| find(&place, left),
        happened,
        |happened, found| *found == sends(2) || !happened.relied_on && *found == sends(1),
    );
}

/// N9: or an older copy of the database would be taken for the newest, and its replaced refresh token sent.
#[test]
fn an_older_database_is_still_found_out_after_a_power_cut_n9() {
    let Some(place) = place() else { return };
    let refresh = ["integrations", "refresh", NAME, "--force"];
    let run = |mut refresh: Command| Ended::of(refresh.spawn().expect("strace starts"));
    let (before, did) = record(&place, &refresh, run);
    let mut disk = before.clone();
    did.iter().for_each(|did| disk.apply(did));
    let older = disk.strict().with(&before.live(), ".local".as_ref());
    let Found::Other(said) = find(&place, &older) else { panic!("it was taken for the newest") };
    assert!(said.contains("needs_attention(restored_from_backup)"), "{said}");
}

/// N9, OA-57: the folders, the key and the database are all new here. Whatever is left of them lets a person go on.
#[test]
fn a_first_integration_survives_a_power_cut_once_it_was_announced_and_never_locks_anybody_out_oa_57() {
    if !tracer::is_there() {
        return;
    }
    let place = Place { operator: Operator::new(), town: Town::start() };
    let add = ["integrations", "add", NAME, "--preset", "teamleader"];
    let run = |mut add: Command| Ended::of(add.spawn().expect("strace starts"));
    let (before, did) = record(&place, &add, run);
    let happened = |so_far: Happened, said: &str| Happened {
        asked: true,
        relied_on: so_far.relied_on || said.contains("Callback URL"),
    };
    let names = |left: &Left| {
        let home = tempfile::tempdir().expect("a temporary folder");
        left.lay_out(home.path());
        let run = |words: &[&str]| {
            let mut command = place.operator.flowrun(words);
            command.current_dir(home.path()).env("HOME", home.path());
            Ended::of(command.spawn().expect("flowrun starts"))
        };
        let listed = run(&["integrations", "list"]);
        let added = run(&["integrations", "add", "another", "--preset", "zoho"]);
        match (listed.status.success(), added.status.success()) {
            (true, true) => Ok(listed.stdout.starts_with(NAME)),
            _ => Err((listed, added)),
        }
    };
    at_each_moment((before, &did), names, happened, |happened, found| match found {
        Ok(is_there) => *is_there || !happened.relied_on,
        Err(_) => false,
    });
}

fn sends(number: u32) -> Found {
    Found::Sends(format!("canary-refresh-{number}"))
}

fn place() -> Option<Place> {
    tracer::is_there().then(Place::authorised)
}

/// Runs what is recorded; gives the disk as it was before, and what was done to it.
fn record(place: &Place, words: &[&str], run: impl FnOnce(Command) -> Ended) -> (Disk, Vec<Did>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("trace");
    let before = Disk::of(place.operator.home());
    let ended = run(recorded(&place.operator, words, &trace));
    assert!(ended.status.success(), "{ended:?}");
    let did = read(place.operator.home(), &trace);
    let mut disk = before.clone();
    did.iter().for_each(|did| disk.apply(did));
    // The model is only worth something if it is the machine's own view of things.
    assert!(disk.live() == Disk::of(place.operator.home()).live(), "the recording misses something");
    (before, did)
}

/// Cuts the power after each thing that was done, and looks at what is left.
fn at_each_moment<Found: Debug>(
    (mut disk, did): (Disk, &[Did]),
    find: impl Fn(&Left) -> Found,
    happen: impl Fn(Happened, &str) -> Happened,
    is_right: impl Fn(Happened, &Found) -> bool,
) {
    let (mut chance, mut happened) = (Chance::of(7), Happened::default());
    let mut known: Vec<(Left, Found)> = Vec::new();
    for (moment, did) in did.iter().enumerate() {
        disk.apply(did);
        if let Did::Said(said) = did {
            happened = happen(happened, said);
        }
        let lax = (0..LAX).map(|_| disk.lax(&mut chance));
        for left in [disk.strict()].into_iter().chain(lax) {
            let index = known.iter().position(|(seen, _)| *seen == left).unwrap_or_else(|| {
                let found = find(&left);
                known.push((left, found));
                known.len() - 1
            });
            let found = &known[index].1;
            assert!(is_right(happened, found), "after {moment}, {happened:?}: {found:?}\n{}", brief(did));
        }
    }
    println!("{} moments, {} different disks", did.len(), known.len());
    assert!(happened.asked && happened.relied_on, "the recording shows what it was made for");
}

fn brief(did: &Did) -> String {
    format!("{did:?}").chars().take(200).collect()
}

/// Lays a disk out and asks flowrun for a refresh, which the provider refuses without acting on it.
fn find(place: &Place, left: &Left) -> Found {
    let home = tempfile::tempdir().expect("a temporary folder");
    left.lay_out(home.path());
    place.town.each_token(|_| Some(Next::Say(503, "", String::new())));
    let before = place.town.refreshes();
    let mut refresh = place.operator.flowrun(&["integrations", "refresh", NAME, "--force"]);
    refresh.current_dir(home.path()).env("HOME", home.path());
    let ended = Ended::of(refresh.spawn().expect("flowrun starts"));
    let sent = place.town.token_requests().into_iter().filter(|seen| seen.form.contains_key("refresh_token"));
    match sent.skip(before).last() {
        Some(seen) => Found::Sends(seen.form["refresh_token"].clone()),
        None if ended.stderr.contains("its reply lost") => Found::Lost,
        None => Found::Other(ended.said()),
    }
}
