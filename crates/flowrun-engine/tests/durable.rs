//! A run whose process dies before or after any commit, and is taken up again: the same end, or a doubt (runs.md 7, 8, 13).
//!
//! The process dies where its journal says so: what it had not been told is on disk may be there or not, what it asked for after
//! that never happened. Everything outside, the calls that were made, stays as it is.

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "durable/disk.rs"]
mod disk;
#[path = "durable/edges.rs"]
mod edges;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use disk::{Death, Disk};
use edges::{Closed, Ticking, paused};
use flowrun_engine::journal::{Journal, RunKey, Standing};
use flowrun_engine::{Engine, Outcome, Start};
use flowrun_lang::{Catalog, Flow, SourceText, check};
use flowrun_machine::InDoubt;
use flowrun_step::{Draft, Effect, RunId, Step, StepContext, StepError, StepInfo, StepKind, StepSet, Tenant};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// A step that does something at a service; its kind says what doing it twice would mean.
struct Act(&'static str, Effect, Disk);

#[derive(Deserialize, JsonSchema)]
struct Settings {
    #[schemars(extend("x-flowrun" = "header"))]
    say: String,
}

impl Step for Act {
    type Settings = Settings;
    type Output = String;

    fn info(&self) -> StepInfo {
        StepInfo::new(StepKind::new(self.0).expect("a kind"), 1)
    }

    fn effect(&self, _: &Draft<'_>) -> Effect {
        self.1
    }

    async fn call(&self, cx: StepContext, settings: Settings) -> Result<String, StepError> {
        let made = (settings.say.clone(), cx.key.clone());
        self.2.outside.calls.lock().expect("unpoisoned").push(made);
        tokio::time::sleep(Duration::from_millis(10)).await;
        match settings.say.strip_prefix("fail") {
            Some(_) if cx.attempt == 1 => {
                Err(StepError::Connect { host: "api.test".to_owned(), source: "refused".into() })
            }
            _ => Ok(format!("did {}", settings.say)),
        }
    }
}

fn acts(disk: &Disk) -> StepSet {
    let act = |kind, effect| Act(kind, effect, disk.clone());
    let set = StepSet::new().with(act("test.look", Effect::Safe)).expect("one kind");
    let set = set.with(act("test.put", Effect::Keyed)).expect("one kind");
    set.with(act("test.pay", Effect::Unsafe)).expect("one kind")
}

fn key() -> RunKey {
    RunKey::new(Tenant::default(), RunId::new("run-1").expect("an id"))
}

/// The calls that were made at the services: their words and their keys.
fn calls(disk: &Disk) -> Vec<(String, String)> {
    disk.outside.calls.lock().expect("unpoisoned").clone()
}

/// One process: it begins the run if the disk has none, else takes it up; how it ended.
fn process(flow: &Flow, disk: &Disk, resolve: Option<InDoubt>) -> Outcome {
    paused().block_on(async {
        let clock = Arc::new(Ticking(tokio::time::Instant::now()));
        let engine =
            Engine::builder(clock, Arc::new(Closed)).steps(&acts(disk)).journal(Arc::new(disk.clone()));
        let engine = engine.build().expect("a house");
        let cancel = CancellationToken::new();
        match disk.load(&key()).await.expect("it can be read") {
            None => engine.run(flow, Start::new(key().id, Vec::new()), cancel).await,
            Some(kept) => {
                let texts = disk.texts(&kept.hash).await.expect("it can be read").expect("they are kept");
                let flow = engine.flow_of(&texts).expect("the same flow");
                engine.resume(&flow, (key(), kept), (None, resolve), cancel).await
            }
        }
    })
}

/// What a run has come to at the end: its end and, in any order, the calls that were made.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    end: String,
    calls: BTreeMap<String, usize>,
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { outputs } => format!("done {}", json!(outputs)),
        Outcome::Failed { failure, .. } => format!("failed {}", failure.message),
        Outcome::InDoubt { steps } => format!("in doubt {steps:?}"),
        Outcome::Existing { standing: Standing::Done { outputs }, .. } => format!("done {}", json!(outputs)),
        Outcome::Existing { standing: Standing::Failed { error }, .. } => {
            format!("failed {}", error["message"].as_str().unwrap_or_default())
        }
        other => format!("{other:?}"),
    }
}

fn seen(outcome: &Outcome, disk: &Disk) -> Seen {
    let mut made = BTreeMap::new();
    for (say, _) in calls(disk) {
        *made.entry(say).or_insert(0) += 1;
    }
    Seen { end: ended(outcome), calls: made }
}

fn flow(text: &str, disk: &Disk) -> Flow {
    let source = SourceText::new("flow.yaml", text.as_bytes().to_vec()).expect("UTF-8");
    let checked = check(&source, &Catalog::new(acts(disk)));
    checked.flow.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

const FLOWS: [&str; 7] = [
    // One after the other, with a retry and a pause.
    "steps:\n  - test.look: { say: first }\n    into: a\n  - test.put: { say: \"fail then {{a}}\" }\n    retry: 1\n    into: b\n  \
     - wait: 5s\n  - test.put: { say: last }\noutputs: { b: \"{{b}}\" }\n",
    // Side by side, in loops and branches.
    "steps:\n  - for_each: { in: range(4)|list, concurrency: 2, collect: did }\n    do:\n      - test.put: { say: \"item {{index}}\" \
     }\n        into: did\n    into: all\n  - parallel:\n      one: [ { test.look: { say: left } } ]\n      other: [ { wait: 1s }, { \
     test.put: { say: right } } ]\noutputs: { all: \"{{all}}\" }\n",
    // What was done is taken back, and each `finally` runs.
    "steps:\n  - test.put: { say: booked }\n    undo: [ { test.put: { say: cancelled } } ]\n  - do: [ { test.put: { say: opened } } ]\n    \
     finally: [ { test.put: { say: closed } } ]\n  - fail: enough\n",
    // Turns, and events of its own.
    "steps:\n  - repeat: { max: 3 }\n    do: [ { test.put: { say: \"turn {{index}}\" } }, { emit: { event: turned } } ]\n  - compute: { \
     n: 1 }\noutputs: { n: \"{{n}}\" }\n",
    // A called flow's like: a block with a time limit that is kept.
    "steps:\n  - do: [ { test.look: { say: slow } }, { test.put: { say: sure } } ]\n    timeout: 1m\n    on_error: [ { test.put: { say: \
     never } } ]\n",
    // What must not be done twice, after so many ops that the machine has yielded since the last event.
    "steps:\n  - repeat: { max: 400 }\n    do: [ { set: { a: 1 } }, { set: { b: \"{{a}}\" } } ]\n  - test.pay: { say: paid }\n    into: \
     paid\n  - emit: { event: settled }\n  - test.put: { say: \"after {{b}}\" }\noutputs: { paid: \"{{paid}}\" }\n",
    // What must not be done twice, between things that may.
    "steps:\n  - test.put: { say: before }\n  - test.pay: { say: paid }\n    into: paid\n  - test.put: { say: after }\noutputs: { paid: \
     \"{{paid}}\" }\n",
];

/// Every place at which a process can die, with short logs and long ones.
fn deaths(text: &str) -> Vec<(bool, Death)> {
    let mut deaths = Vec::new();
    for shortens in [false, true] {
        let whole = Disk::new(Death::Never, shortens);
        process(&flow(text, &whole), &whole, None);
        let commits = whole.outside.commits.load(Ordering::SeqCst);
        assert!(commits > 2, "{commits} commits");
        deaths.extend(
            (1..=commits).flat_map(|at| [(shortens, Death::Before(at)), (shortens, Death::After(at))]),
        );
    }
    deaths
}

#[test]
fn a_process_that_dies_before_or_after_any_commit_leaves_a_run_that_comes_to_the_same_end() {
    let mut tried = 0;
    for text in FLOWS {
        let calm = Disk::new(Death::Never, false);
        let expected = seen(&process(&flow(text, &calm), &calm, None), &calm);
        for (shortens, death) in deaths(text) {
            let dying = Disk::new(death, shortens);
            let flow = flow(text, &dying);
            process(&flow, &dying, None);
            let (made, ends) = (calls(&dying).len(), dying.outside.ends.load(Ordering::SeqCst));
            let dying = dying.again(Death::Never);
            let mut outcome = process(&flow, &dying, None);
            let paid = calls(&dying).iter().filter(|(say, _)| say == "paid").count();
            assert!(paid <= 1, "{death:?}: paid {paid} times, and nobody said so");
            if matches!(outcome, Outcome::InDoubt { .. }) {
                outcome = process(&flow, &dying, Some(InDoubt::Retry));
            }
            let again = seen(&outcome, &dying);
            assert_eq!(again.end, expected.end, "{death:?}, shortens {shortens}\n{text}");
            // What is on disk is not done again; what is not, is done once more.
            let (all, usual) = (calls(&dying).len(), expected.calls.values().sum::<usize>());
            assert!(all <= usual + (made - ends), "{death:?}: {all} calls, {usual} expected\n{text}");
            let said = again.calls.keys().collect::<Vec<_>>();
            assert_eq!(said, expected.calls.keys().collect::<Vec<_>>(), "{death:?}\n{text}");
            same_keys(&dying, &death);
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried} deaths");
}

/// A call that is made again is known as the same; two calls never have one key.
#[track_caller]
fn same_keys(disk: &Disk, death: &Death) {
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    for (say, key) in &calls(disk) {
        let known = keys.entry(key.clone()).or_insert_with(|| say.clone());
        assert_eq!(known, say, "{death:?}: one key for two calls");
    }
    let sayings: std::collections::BTreeSet<&String> = keys.values().collect();
    assert_eq!(sayings.len(), keys.len(), "{death:?}: two keys for one call");
}

/// runs.md 8: the loss is counted first; the third makes it in doubt, for the call may be what kills the process.
#[test]
fn a_call_that_is_lost_three_times_is_in_doubt_although_it_may_be_made_twice() {
    let dying = Disk::new(Death::Before(2), false);
    let flow = flow("steps:\n  - id: deadly\n    test.put: { say: deadly }\n", &dying);
    process(&flow, &dying, None);
    for lost in 1..=2 {
        // The first commit counts the loss, the second would have been the end of the call.
        let outcome = process(&flow, &dying.again(Death::Before(2)), None);
        assert!(matches!(outcome, Outcome::Blocked { .. }), "lost {lost} times: {outcome:?}");
    }
    let dying = dying.again(Death::Never);
    assert_eq!(ended(&process(&flow, &dying, None)), "in doubt [\"deadly\"]");
    assert_eq!(calls(&dying).len(), 3);
    assert_eq!(ended(&process(&flow, &dying, Some(InDoubt::Skip))), "done {}");
}

#[test]
fn a_run_whose_log_leads_elsewhere_is_blocked_and_stays_as_it_is() {
    let dying = Disk::new(Death::After(2), false);
    let flow = flow(FLOWS[0], &dying);
    process(&flow, &dying, None);
    let misleading = Disk { misleads: true, ..dying.again(Death::Never) };
    let outcome = process(&flow, &misleading, None);
    assert!(matches!(&outcome, Outcome::Blocked { why } if why.contains("leads elsewhere")), "{outcome:?}");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let kept = runtime.block_on(dying.load(&key())).expect("it can be read").expect("it is kept");
    assert_eq!((kept.standing.status(), kept.entries.len()), ("blocked", 2));
}
