//! A run whose process dies before or after any commit, and is taken up again: the same end, or a doubt (runs.md 7, 8, 13).
//!
//! The process dies where its journal says so: what it had not been told is on disk may be there or not, what it asked for after
//! that never happened. Everything outside, the calls that were made, stays as it is.

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use flowrun_engine::journal::{
    Begun, Entry, Journal, JournalError, KeptCheckpoint, KeptRun, NewRun, Standing,
};
use flowrun_engine::{Engine, Outcome, Start};
use flowrun_lang::{Catalog, Flow, SourceText, check};
use flowrun_machine::InDoubt;
use flowrun_step::{
    BoxFuture, Clock, Draft, Effect, Outbound, Reply, Request, RunId, Step, StepContext, StepError, StepInfo,
    StepKind, StepSet,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// When the process dies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Death {
    Never,
    /// This commit does not come to be.
    Before(usize),
    /// It does, and nobody is told.
    After(usize),
}

/// Everything that outlives a process: the disk, and what was done at the services.
#[derive(Debug, Default)]
struct Outside {
    kept: Option<KeptRun>,
    /// Every call that was made: its words and its key.
    calls: Vec<(String, String)>,
    /// How many ends of calls are on disk.
    ends: usize,
    commits: usize,
}

#[derive(Debug, Clone)]
struct Disk {
    outside: Arc<Mutex<Outside>>,
    death: Death,
    /// Short logs, so that checkpoints are made.
    shortens: bool,
}

impl Disk {
    fn outside(&self) -> MutexGuard<'_, Outside> {
        self.outside.lock().expect("unpoisoned")
    }

    /// One commit: it is, or is not, and the process lives on or does not. Meanwhile the process does what it has begun.
    async fn commit<T>(&self, change: impl FnOnce(&mut Outside) -> T) -> Result<T, JournalError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut outside = self.outside();
        outside.commits += 1;
        let dead = || JournalError::Unavailable("the process is dead".to_owned());
        match self.death {
            Death::Before(at) if outside.commits >= at => Err(dead()),
            Death::After(at) if outside.commits == at => {
                change(&mut outside);
                Err(dead())
            }
            Death::After(at) if outside.commits > at => Err(dead()),
            _ => Ok(change(&mut outside)),
        }
    }
}

fn is_end(entry: &Entry) -> bool {
    json!(entry).pointer("/happened/event/what/called").is_some()
}

impl Journal for Disk {
    fn begin(&self, run: NewRun) -> BoxFuture<'_, Result<Begun, JournalError>> {
        Box::pin(async move {
            self.commit(|outside| {
                let NewRun { texts, entry, standing, .. } = run;
                outside.kept = Some(KeptRun::new(texts, None, vec![entry], standing));
                Begun::Now
            })
            .await
        })
    }

    fn append<'a>(
        &'a self,
        _: &'a RunId,
        entry: Entry,
        standing: Standing,
    ) -> BoxFuture<'a, Result<usize, JournalError>> {
        let size = if self.shortens { 1_000_000 } else { 0 };
        Box::pin(async move {
            self.commit(|outside| {
                outside.ends += usize::from(is_end(&entry));
                let kept = outside.kept.as_mut().expect("it began");
                kept.entries.push(entry);
                kept.standing = standing;
                size
            })
            .await
        })
    }

    fn shorten<'a>(
        &'a self,
        _: &'a RunId,
        checkpoint: KeptCheckpoint,
    ) -> BoxFuture<'a, Result<usize, JournalError>> {
        Box::pin(async move {
            self.commit(|outside| {
                let kept = outside.kept.as_mut().expect("it began");
                kept.checkpoint = Some(checkpoint);
                kept.entries.clear();
                0
            })
            .await
        })
    }

    fn stand<'a>(&'a self, _: &'a RunId, standing: Standing) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.commit(|outside| outside.kept.as_mut().expect("it began").standing = standing).await
        })
    }

    fn load<'a>(&'a self, _: &'a RunId) -> BoxFuture<'a, Result<Option<KeptRun>, JournalError>> {
        Box::pin(async move { Ok(self.outside().kept.clone()) })
    }
}

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
        self.2.outside().calls.push((settings.say.clone(), cx.key.clone()));
        tokio::time::sleep(Duration::from_millis(10)).await;
        match settings.say.strip_prefix("fail") {
            Some(_) if cx.attempt == 1 => {
                Err(StepError::Connect { host: "api.test".to_owned(), source: "refused".into() })
            }
            _ => Ok(format!("did {}", settings.say)),
        }
    }
}

struct Ticking(tokio::time::Instant);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.0.elapsed()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
        Box::pin(tokio::time::sleep(left))
    }
}

struct Closed;

impl Outbound for Closed {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        unreachable!("no step of this house sends a request")
    }
}

fn acts(disk: &Disk) -> StepSet {
    let act = |kind, effect| Act(kind, effect, disk.clone());
    let set = StepSet::new().with(act("test.look", Effect::Safe)).expect("one kind");
    let set = set.with(act("test.put", Effect::Keyed)).expect("one kind");
    set.with(act("test.pay", Effect::Unsafe)).expect("one kind")
}

fn id() -> RunId {
    RunId::new("run-1").expect("an id")
}

/// One process: it begins the run if the disk has none, else takes it up; how it ended.
fn process(flow: &Flow, disk: &Disk, resolve: Option<InDoubt>) -> Outcome {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let clock = Arc::new(Ticking(tokio::time::Instant::now()));
        let engine =
            Engine::builder(clock, Arc::new(Closed)).steps(&acts(disk)).journal(Arc::new(disk.clone()));
        let engine = engine.build().expect("a house");
        let cancel = CancellationToken::new();
        match disk.load(&id()).await.expect("it can be read") {
            None => engine.run(flow, Start::new(id(), Vec::new()), cancel).await,
            Some(kept) => {
                let flow = engine.flow_of(&kept).expect("the same flow");
                engine.resume(&flow, (id(), kept), (None, resolve), cancel).await
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
        other => format!("{other:?}"),
    }
}

fn seen(outcome: &Outcome, disk: &Disk) -> Seen {
    let mut calls = BTreeMap::new();
    for (say, _) in &disk.outside().calls {
        *calls.entry(say.clone()).or_insert(0) += 1;
    }
    Seen { end: ended(outcome), calls }
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

fn disk(death: Death, shortens: bool) -> Disk {
    Disk { outside: Arc::default(), death, shortens }
}

/// Every place at which a process can die, with short logs and long ones.
fn deaths(text: &str) -> Vec<(bool, Death)> {
    let mut deaths = Vec::new();
    for shortens in [false, true] {
        let whole = disk(Death::Never, shortens);
        process(&flow(text, &whole), &whole, None);
        let commits = whole.outside().commits;
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
        let calm = disk(Death::Never, false);
        let expected = seen(&process(&flow(text, &calm), &calm, None), &calm);
        for (shortens, death) in deaths(text) {
            let mut dying = disk(death, shortens);
            let flow = flow(text, &dying);
            process(&flow, &dying, None);
            let (made, ends) = {
                let mut outside = dying.outside();
                outside.commits = 0;
                (outside.calls.clone(), outside.ends)
            };
            dying.death = Death::Never;
            let mut outcome = process(&flow, &dying, None);
            let paid = dying.outside().calls.iter().filter(|(say, _)| say == "paid").count();
            assert!(paid <= 1, "{death:?}: paid {paid} times, and nobody said so");
            if matches!(outcome, Outcome::InDoubt { .. }) {
                outcome = process(&flow, &dying, Some(InDoubt::Retry));
            }
            let again = seen(&outcome, &dying);
            assert_eq!(again.end, expected.end, "{death:?}, shortens {shortens}\n{text}");
            // What is on disk is not done again; what is not, is done once more.
            let (all, usual) = (dying.outside().calls.len(), expected.calls.values().sum::<usize>());
            assert!(all <= usual + (made.len() - ends), "{death:?}: {all} calls, {usual} expected\n{text}");
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
    for (say, key) in &disk.outside().calls {
        let known = keys.entry(key.clone()).or_insert_with(|| say.clone());
        assert_eq!(known, say, "{death:?}: one key for two calls");
    }
    let sayings: std::collections::BTreeSet<&String> = keys.values().collect();
    assert_eq!(sayings.len(), keys.len(), "{death:?}: two keys for one call");
}

/// runs.md 8: the loss is counted first; the third makes it in doubt, for the call may be what kills the process.
#[test]
fn a_call_that_is_lost_three_times_is_in_doubt_although_it_may_be_made_twice() {
    let mut dying = disk(Death::Before(2), false);
    let flow = flow("steps:\n  - id: deadly\n    test.put: { say: deadly }\n", &dying);
    process(&flow, &dying, None);
    for lost in 1..=2 {
        // The first commit counts the loss, the second would have been the end of the call.
        dying.outside().commits = 0;
        let outcome = process(&flow, &dying, None);
        assert!(matches!(outcome, Outcome::Blocked { .. }), "lost {lost} times: {outcome:?}");
    }
    (dying.death, dying.outside().commits) = (Death::Never, 0);
    assert_eq!(ended(&process(&flow, &dying, None)), "in doubt [\"deadly\"]");
    assert_eq!(dying.outside().calls.len(), 3);
    assert_eq!(ended(&process(&flow, &dying, Some(InDoubt::Skip))), "done {}");
}

#[test]
fn a_run_whose_log_leads_elsewhere_is_blocked_and_stays_as_it_is() {
    let mut dying = disk(Death::After(2), false);
    let flow = flow(FLOWS[0], &dying);
    process(&flow, &dying, None);
    (dying.death, dying.outside().commits) = (Death::Never, 0);
    if let Some(kept) = &mut dying.outside().kept
        && let Some(Entry::Happened { positions, .. }) = kept.entries.last_mut()
    {
        *positions = "elsewhere".to_owned();
    }
    let outcome = process(&flow, &dying, None);
    assert!(matches!(&outcome, Outcome::Blocked { why } if why.contains("leads elsewhere")), "{outcome:?}");
    let outside = dying.outside();
    let kept = outside.kept.as_ref().expect("it is kept");
    assert_eq!((kept.standing.status(), kept.entries.len()), ("blocked", 2));
}
