//! Made-up flows whose process dies before and after every commit, with what was not committed lost (runs.md 13).
//!
//! Clock, scheduler, store and flows come from one seed, so a failure is the same failure the next time. Checked of every death: the
//! run comes to the end it would have come to; what is on disk is not done again; a call that is made again has its key; two
//! calls never share one; no wait ends early; every `finally` runs.

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "durable/disk.rs"]
mod disk;
#[path = "durable/edges.rs"]
mod edges;
#[path = "machine/parts.rs"]
#[expect(dead_code, reason = "its wild flows are the machine's")]
mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use disk::{Death, Disk};
use edges::{Closed, Ticking, paused};
use flowrun_engine::journal::{Journal, RunKey, Standing};
use flowrun_engine::{Engine, Outcome, Start};
use flowrun_lang::Flow;
use flowrun_step::{
    BoxFuture, Channel, Draft, Effect, OutgoingMessage, Page, RunId, Step, StepContext, StepError, StepInfo,
    StepKind, Tenant,
};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

/// The people who are written to; each message takes a moment.
struct People(Disk);

impl People {
    async fn note(&self, said: String, key: &str) {
        self.0.outside.calls.lock().expect("unpoisoned").push((said, key.to_owned()));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Channel for People {
    fn name(&self) -> &str {
        "here"
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move {
            self.note(message.text.clone(), &message.key).await;
            Ok(())
        })
    }
}

/// Two pages of two items.
struct Pages;

#[derive(Deserialize, JsonSchema)]
struct Settings {
    #[serde(rename = "url")]
    _url: String,
    #[serde(rename = "pages")]
    _pages: Map<String, Value>,
}

impl Step for Pages {
    type Settings = Settings;
    type Output = String;

    fn info(&self) -> StepInfo {
        StepInfo::new(StepKind::new("test.page").expect("a kind"), 1).pages("pages")
    }

    fn effect(&self, _: &Draft<'_>) -> Effect {
        Effect::Safe
    }

    async fn page(&self, _: StepContext, _: Settings, cursor: Option<Value>) -> Result<Page, StepError> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let (items, next) = match cursor {
            None => (vec![json!(1), json!(2)], Some(json!("second"))),
            Some(_) => (vec![json!(3), json!(4)], None),
        };
        Ok(Page { items, next, body: Value::Null })
    }

    async fn call(&self, _: StepContext, _: Settings) -> Result<String, StepError> {
        unreachable!("it is answered in pages")
    }
}

fn key() -> RunKey {
    RunKey::new(Tenant::default(), RunId::new("run-1").expect("an id"))
}

/// One process after the other over one disk, on one clock, until one sees the run's end; nothing if the first was to die in it.
fn lives(flow: &Flow, disk: &Disk) -> Outcome {
    paused().block_on(async {
        let began = tokio::time::Instant::now();
        let first = process(flow, disk, began).await;
        if disk.death == Death::Never { first } else { process(flow, &disk.again(Death::Never), began).await }
    })
}

async fn process(flow: &Flow, disk: &Disk, began: tokio::time::Instant) -> Outcome {
    let builder = Engine::builder(Arc::new(Ticking(began)), Arc::new(Closed)).step(Pages);
    let builder = builder.channel(People(disk.clone())).journal(Arc::new(disk.clone()));
    let (engine, cancel) = (builder.build().expect("a house"), CancellationToken::new());
    match disk.load(&key()).await.expect("it can be read") {
        None => engine.run(flow, Start::new(key().id, Vec::new()), cancel).await,
        Some(kept) => engine.resume(flow, (key(), kept), (None, None), cancel).await,
    }
}

fn said(disk: &Disk) -> Vec<(String, String)> {
    disk.outside.calls.lock().expect("unpoisoned").clone()
}

fn end(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { outputs } | Outcome::Existing { standing: Standing::Done { outputs }, .. } => {
            json!(outputs).to_string()
        }
        other => format!("{other:?}"),
    }
}

/// One key for each thing that is said, and each said thing by its own key.
fn same_keys(all: &[(String, String)], death: Death) {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for (said, key) in all {
        assert_eq!(*keys.entry(key).or_insert(said), said, "{death:?}: one key for two things");
    }
}

/// Lets the process die at every commit of a flow; gives how often it died.
fn enumerate(flow: &Flow, shortens: bool) -> usize {
    let calm = Disk::new(Death::Never, shortens);
    let expected = end(&lives(flow, &calm));
    let (usual, commits) = (said(&calm), calm.outside.commits.load(Ordering::SeqCst));
    let keys: BTreeSet<_> = usual.iter().collect();
    for at in 1..=commits {
        for death in [Death::Before(at), Death::After(at)] {
            let dying = Disk::new(death, shortens);
            let again = end(&lives(flow, &dying));
            assert_eq!(again, expected, "{death:?}, shortens {shortens}");
            let all = said(&dying);
            same_keys(&all, death);
            assert_eq!(all.iter().collect::<BTreeSet<_>>(), keys, "{death:?}: what was said, by which keys");
        }
    }
    2 * commits
}

/// So many flows of a seed, with long logs and with short ones.
fn simulate(seed: u8, flows: usize) {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut deaths = 0;
    for at in 0..flows {
        let made = parts::calm().new_tree(&mut runner).expect("a flow").current();
        deaths += enumerate(&parts::flow(&made), at % 2 == 1);
    }
    assert!(deaths > 10 * flows, "{deaths} deaths");
}

/// How many flows each seed makes: few in every run of the tests, a thousand in all by
/// `SIMULATED=250 cargo test --release -p flowrun-engine --test simulation`.
fn flows() -> usize {
    option_env!("SIMULATED").and_then(|flows| flows.parse().ok()).unwrap_or(20)
}

#[test]
fn made_up_flows_of_a_first_seed_outlive_every_death_of_their_process() {
    simulate(1, flows());
}

#[test]
fn made_up_flows_of_a_second_seed_outlive_every_death_of_their_process() {
    simulate(2, flows());
}

#[test]
fn made_up_flows_of_a_third_seed_outlive_every_death_of_their_process() {
    simulate(3, flows());
}

#[test]
fn made_up_flows_of_a_fourth_seed_outlive_every_death_of_their_process() {
    simulate(4, flows());
}
