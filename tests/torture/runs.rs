//! Runs that are kept, whose processes are killed at any moment (runs.md 8).
//!
//! The flow calls a service four times: to look, to put with a key, to pay, to look again. A process is killed; others take the
//! run up, and may be killed too, until it has ended. What the service heard is then compared with what may have happened.

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::rounds;
use loopback::{reply, serve};
use person::{Ended, Person, ended};

#[path = "../loopback.rs"]
mod loopback;
#[path = "../person.rs"]
mod person;

/// What the service is asked for.
const PATHS: [(&str, &str); 5] = [
    ("GET /look", "/look"),
    ("POST /put", "/put"),
    ("POST /pay", "/pay"),
    ("GET /last", "/last"),
    ("POST /close", "/close"),
];

/// What the service heard: each request's path, and the key and body it came with.
type Heard = Arc<Mutex<Vec<(String, String)>>>;

const FLOW: &str = "
steps:
  - fetch_variables: { url: SERVICE/look, variables: { name: name } }
  - http_request: { url: SERVICE/put, json: { name: '{{name}}' }, idempotency_key: '{{run.id}}' }
  - id: pay
    http_request: { url: SERVICE/pay, json: { name: '{{name}}' } }
  - fetch_variables: { url: SERVICE/last, variables: { last: name } }
    finally: [ { http_request: { url: SERVICE/close, idempotency_key: close } } ]
outputs: { name: '{{name}}', last: '{{last}}' }
";

fn service() -> (String, Heard) {
    let heard = Heard::default();
    let tell = Arc::clone(&heard);
    let origin = serve(move |request| {
        let Some((_, path)) = PATHS.iter().find(|(asked, _)| request.is(asked)) else {
            // Whoever asks was killed before it had said what.
            assert!(!request.head.contains(" HTTP/"), "the flow has five calls: {}", request.head);
            return reply("400 Bad Request", "", "");
        };
        let key = request.head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("idempotency-key").then(|| value.trim().to_owned())
        });
        let what = format!("{} {}", key.unwrap_or_default(), request.body);
        tell.lock().expect("unpoisoned").push(((*path).to_owned(), what));
        // Long enough that a kill finds calls under way.
        thread::sleep(Duration::from_millis(15));
        reply("200 OK", "", "{\"name\":\"Ann\"}")
    });
    (origin, heard)
}

/// Kills a process after a while; how it ended if it was faster.
fn killed(mut child: Child, after: Duration) -> Option<Ended> {
    let began = Instant::now();
    while began.elapsed() < after {
        if child.try_wait().expect("it can be asked").is_some() {
            return Some(ended(child));
        }
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it can be killed");
    drop(child.wait());
    None
}

/// What came of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// No kill hit it.
    Unhurt,
    /// It ended well without anybody's word.
    Mended,
    /// The payment was in doubt, and somebody said to go on.
    Doubted,
    /// It was killed before it began.
    Unbegun,
}

fn round(person: &Person, heard: &Heard, life: Duration, chance: &mut Chance, at: usize) -> Came {
    heard.lock().expect("unpoisoned").clear();
    let id = format!("run-{at}");
    // The first third of a life is the process starting.
    let within = |chance: &mut Chance| life * u32::try_from(300 + chance.below(800)).expect("small") / 1_000;
    let begin = ["f.flow.yaml", "--durable", "--id", &id, "--quiet"];
    let mut kills = 0;
    let mut came = killed(person.start(&begin), within(chance)).map(|ended| {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        Came::Unhurt
    });
    while came.is_none() {
        kills += 1;
        assert!(kills < 20, "a run that nobody kills any more ends");
        let resumed = person.start(&["runs", "resume", &id, "--quiet"]);
        // The poison guard would end it otherwise: the third loss of one call is a doubt.
        let patience =
            if kills < 2 && chance.below(2) == 0 { within(chance) } else { Duration::from_secs(60) };
        let Some(ended) = killed(resumed, patience) else { continue };
        came = match ended.code {
            Some(0) => Some(Came::Mended),
            Some(6) => Some(doubted(person, heard, &id)),
            _ if ended.stderr.contains("there is no run") => Some(Came::Unbegun),
            _ => panic!("{ended:?}"),
        };
    }
    judge(heard, came.expect("it ended"), kills, &id);
    came.expect("it ended")
}

/// The payment was made at most once; somebody says not to make it again.
fn doubted(person: &Person, heard: &Heard, id: &str) -> Came {
    let shown = person.flowrun(&["runs", "show", id]);
    assert!(shown.stdout.contains("the call of `pay`"), "{shown:?}");
    let paid = heard.lock().expect("unpoisoned").iter().filter(|(path, _)| path == "/pay").count();
    assert!(paid <= 1, "paid {paid} times before anybody said so");
    let skipped = person.flowrun(&["runs", "resume", id, "--skip", "--quiet"]);
    assert_eq!(skipped.code, Some(0), "{skipped:?}");
    Came::Doubted
}

fn judge(heard: &Heard, came: Came, kills: usize, id: &str) {
    let heard = heard.lock().expect("unpoisoned");
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for (path, key) in heard.iter() {
        *times.entry(path).or_default() += 1;
        assert_eq!(*keys.entry(path).or_insert(key), key, "a repeated call has the key and the body it had");
    }
    if came == Came::Unbegun {
        assert_eq!(times.len(), 0, "{id}: nothing is called before it is written down: {times:?}");
        return;
    }
    let paid = times.get("/pay").copied().unwrap_or_default();
    assert!(paid <= 1, "{id}: paid {paid} times");
    assert!(came == Came::Doubted || paid == 1, "{id}: {came:?}, and paid {paid} times");
    for path in ["/look", "/put", "/last", "/close"] {
        let made = times.get(path).copied().unwrap_or_default();
        assert!((1..=1 + kills).contains(&made), "{id}: {path} {made} times after {kills} kills");
    }
    // Each kill finds at most one call under way.
    let again: usize = times.values().map(|made| made - 1).sum();
    assert!(again <= kills, "{id}: {again} calls made again after {kills} kills: {times:?}");
}

/// Fewer rounds find too few calls under way.
const LEAST: usize = 50;

#[test]
fn runs_are_killed_at_any_moment_and_no_finished_step_is_repeated_and_nothing_is_paid_twice() {
    let (origin, heard) = service();
    let person = Person::new(&[]);
    person.write("f.flow.yaml", &FLOW.replace("SERVICE", &origin));
    let began = Instant::now();
    assert_eq!(person.flowrun(&["f.flow.yaml", "--durable", "--quiet"]).code, Some(0));
    let (life, mut chance) = (began.elapsed(), Chance::of(2));
    let mut table: BTreeMap<Came, usize> = BTreeMap::new();
    let rounds = rounds().max(LEAST);
    for at in 0..rounds {
        *table.entry(round(&person, &heard, life, &mut chance, at)).or_default() += 1;
    }
    println!("{rounds} runs that live {life:.1?}: {table:?}");
    let listed = person.flowrun(&["runs", "list", "--json"]);
    let runs: Vec<serde_json::Value> = serde_json::from_str(&listed.stdout).expect("JSON");
    assert!(runs.iter().all(|run| run["status"] == "done"), "{}", listed.stdout);
}
