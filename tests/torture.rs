//! Custody of a token while processes are killed: nothing is lost but what nobody could keep, and that is said.
//!
//! Eight processes of the real binary use one integration at a provider that rotates refresh tokens and ends a grant
//! whose refresh token comes twice. Each round kills one of them (`kill -9`) at a place that strace or the provider
//! holds open, or three of them at any moment; then everybody else must end well. `cargo torture` makes 200 rounds,
//! and among them one at every write of a refresh; the ordinary suite makes twelve.
//!
//! Runs that are kept (`--durable`) are killed too, at any moment, and taken up again (`torture/runs.rs`).
//!
//! What cannot be kept: from the moment when a refresh may have left until its reply is on disk, a kill costs the
//! grant, because the provider may have replaced the refresh token (OA-45). The registry then says `reply_lost`.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]
#![expect(clippy::print_stdout, reason = "the counts are for whoever asked for them with `--nocapture`")]

#[path = "torture/chance.rs"]
mod chance;
#[path = "torture/disk.rs"]
mod disk;
#[path = "torture/first.rs"]
mod first;
#[path = "torture/kill.rs"]
mod kill;
#[path = "torture/matrix.rs"]
mod matrix;
#[path = "torture/operator.rs"]
mod operator;
#[path = "torture/place.rs"]
mod place;
#[path = "torture/power.rs"]
mod power;
#[path = "torture/recording.rs"]
mod recording;
#[path = "torture/runs.rs"]
mod runs;
#[path = "torture/stepper.rs"]
mod stepper;
#[path = "torture/town.rs"]
mod town;
#[path = "torture/tracer.rs"]
mod tracer;

use std::collections::BTreeMap;
use std::time::Instant;

use chance::Chance;
use kill::{Kill, Outcome, life_of_eight, writes_of_a_refresh, writes_of_an_authorization};
use place::Place;

/// How many rounds; without it, the short form of the suite.
const ROUNDS: &str = "FLOWRUN_TORTURE_ROUNDS";
const SHORT: usize = 12;
/// From so many rounds on, there is one for every write of a refresh.
const COMPLETE: usize = 200;

/// OA-38, OA-39, OA-41, OA-45, OA-57, T25.
#[test]
fn processes_are_killed_at_any_moment_and_at_each_write_and_no_grant_is_lost_that_could_be_kept_oa_41() {
    if !tracer::is_there() {
        return;
    }
    let rounds = rounds();
    let place = Place::authorised();
    let kills = plan(&place, rounds);
    let (mut chance, mut outcomes) = (Chance::of(1), Vec::new());
    let began = Instant::now();
    for kill in kills {
        let outcome = kill.at(&place, &mut chance);
        println!("{:>6.1} s  {kill:?}: {outcome:?}", began.elapsed().as_secs_f64());
        outcomes.push((kill, outcome));
    }
    println!("\n{}", table(&outcomes));
    losses_are_in_one_piece(&outcomes);
}

/// How many rounds somebody asked for, or those of the short form.
fn rounds() -> usize {
    std::env::var_os(ROUNDS).map_or(SHORT, |it| it.to_string_lossy().parse().expect("a number"))
}

/// Which kills, so that every way and, if there are enough rounds, every write of a refresh is among them.
fn plan(place: &Place, rounds: usize) -> Vec<Kill> {
    let (refresh, authorize) = (writes_of_a_refresh(place).len(), writes_of_an_authorization(place).len());
    let life = life_of_eight(place);
    println!(
        "{rounds} rounds; a refresh makes {refresh} writes, an authorisation {authorize}; eight live {life:.1?}"
    );
    // Of twelve: five at a write of a refresh, two at one of an authorisation, two held, three at random.
    let of_twelve = |part: usize| rounds * part / 12;
    let at_refresh = if rounds >= COMPLETE { refresh } else { of_twelve(5) };
    let at_authorize = of_twelve(2);
    let held = [Kill::BeforeTheProviderActs, Kill::AfterTheProviderActed];
    let mut kills: Vec<_> = spread(at_refresh, refresh).map(Kill::RefreshAfterWrite).collect();
    kills.extend(spread(at_authorize, authorize).map(Kill::AuthorizeAfterWrite));
    kills.extend(held.into_iter().cycle().take(of_twelve(2)));
    kills.extend(std::iter::repeat_n(Kill::AtRandom(life), rounds.saturating_sub(kills.len())));
    kills
}

/// So many numbers of 1 to `last`, evenly.
fn spread(count: usize, last: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |index| 1 + index * last / count)
}

/// Kills at the writes of a refresh, in order: first nothing is lost, then everything, then nothing again.
fn losses_are_in_one_piece(outcomes: &[(Kill, Outcome)]) {
    let at_writes = outcomes.iter().filter(|(kill, _)| matches!(kill, Kill::RefreshAfterWrite(_)));
    let stages: Vec<_> = at_writes.map(|(_, outcome)| stage(*outcome)).collect();
    assert!(stages.is_sorted(), "{outcomes:#?}");
}

fn stage(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::KeptUnasked => 0,
        Outcome::LostUnsent => 1,
        Outcome::LostUnacted => 2,
        Outcome::LostActed => 3,
        Outcome::KeptGranted | Outcome::Kept => 4,
    }
}

fn table(outcomes: &[(Kill, Outcome)]) -> String {
    let mut counts: BTreeMap<(String, Outcome), u32> = BTreeMap::new();
    for (kill, outcome) in outcomes {
        let way = format!("{kill:?}").split('(').next().map(String::from).expect("a name");
        *counts.entry((way, *outcome)).or_default() += 1;
    }
    let ways: std::collections::BTreeSet<_> = counts.keys().map(|(way, _)| way.clone()).collect();
    let mut text =
        format!("{:<24}{}\n", "killed", Outcome::ALL.map(|it| format!("{:>13}", format!("{it:?}"))).concat());
    for way in ways {
        let count = |outcome| counts.get(&(way.clone(), outcome)).copied().unwrap_or_default();
        text += &format!("{way:<24}{}\n", Outcome::ALL.map(|it| format!("{:>13}", count(it))).concat());
    }
    text
}
