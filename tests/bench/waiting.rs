//! Waiting benchmark: what so many runs at rest cost on disk and in memory, and how fast they wake (runs.md 14).
//!
//! ```text
//! cargo bench -p flowrun-journal --bench waiting              # a million runs
//! cargo bench -p flowrun-journal --bench waiting -- --runs 100000
//! ```
//! Each run is a conversation that was asked something and waits for a day, begun by a real message through an engine that hosts
//! it. Then another process opens the journal, looks at its clock and its memory, and answers some of them at random.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops when a part is missing"
)]

#[path = "edges.rs"]
mod edges;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use edges::{Closed, Dice, Mute, Real};
use flowrun_engine::journal::Journal;
use flowrun_engine::{Conversation, Engine, Host, Message, Receipt};
use flowrun_journal::SqliteJournal;
use flowrun_step::{Clock, Tenant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Messages under way at once.
const TOGETHER: usize = 256;
/// How many runs are woken.
const WAKES: usize = 20_000;

const FLOW: &str = "name: order\ntrigger: { message: { keywords: [order] } }\nsteps:\n  - id: which\n    ask: Which order do you mean?\n  \
                    - send: \"You said {{steps.which.output}}.\"\n";

fn main() {
    // `cargo test --benches` starts benchmarks too, without this word.
    if !env::args().any(|word| word == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let runs = word_after("--runs").and_then(|runs| runs.parse().ok()).unwrap_or(1_000_000);
    if let Some(folder) = word_after("--reopen") {
        return runtime.block_on(reopen(Path::new(&folder), runs));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    runtime.block_on(fill(folder.path(), runs));
    runtime.shutdown_timeout(Duration::from_secs(5));
    let own = env::current_exe().expect("this program");
    let other = Command::new(own)
        .args(["--bench", "--runs", &runs.to_string(), "--reopen"])
        .arg(folder.path())
        .status();
    assert!(other.expect("it starts").success());
}

fn word_after(name: &str) -> Option<String> {
    env::args().skip_while(|word| word != name).nth(1)
}

async fn house(folder: &Path) -> (Engine, Arc<SqliteJournal>) {
    let seed = Real.now().as_nanosecond() as u64;
    let edges = (Arc::new(Real) as _, Arc::new(Dice(seed.into())) as _);
    let journal = Arc::new(SqliteJournal::open(folder, &[7; 32], edges).expect("a journal"));
    let builder = Engine::builder(Arc::new(Real), Arc::new(Closed)).channel(Mute);
    let engine = builder.journal(Arc::clone(&journal) as Arc<dyn Journal>).build().expect("an engine");
    let files = BTreeMap::from([("order.yaml".to_owned(), FLOW.as_bytes().to_vec())]);
    engine.publish(&Tenant::default(), files).await.expect("a flow");
    (engine, journal)
}

fn message(peer: usize, id: &str, text: &str) -> Message {
    let conversation =
        Conversation { channel: "mute".into(), account: String::new(), peer: format!("+{peer}") };
    Message::new(Tenant::default(), conversation, id).text(text)
}

/// Says something to so many people, so many at once.
async fn say(engine: &Engine, peers: impl Iterator<Item = usize>, together: usize, (id, text): (&str, &str)) {
    let (gate, mut tasks) = (Arc::new(Semaphore::new(together)), JoinSet::new());
    for peer in peers {
        let permit = Arc::clone(&gate).acquire_owned().await.expect("never closed");
        let (engine, message) = (engine.clone(), message(peer, id, text));
        tasks.spawn(async move {
            let receipt = engine.receive(message).await.expect("it is taken");
            assert!(matches!(receipt, Receipt::Started { .. } | Receipt::Resumed { .. }), "{receipt:?}");
            drop(permit);
        });
        while tasks.try_join_next().is_some_and(|said| said.is_ok()) {}
    }
    tasks.join_all().await;
}

async fn fill(folder: &Path, runs: usize) {
    let ((engine, journal), began) = (house(folder).await, Instant::now());
    engine.recover().await.expect("an empty journal");
    say(&engine, 0..runs, TOGETHER, ("1", "order")).await;
    while !journal.unfinished().await.expect("it is read").is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    engine.drain(Duration::from_secs(600)).await;
    let took = began.elapsed();
    println!(
        "{runs} runs begun, asked and left at rest in {took:.1?}: {:.0}/s",
        runs as f64 / took.as_secs_f64()
    );
}

async fn reopen(folder: &Path, runs: usize) {
    let bytes: u64 = fs::read_dir(folder)
        .expect("the folder")
        .flatten()
        .map(|file| file.metadata().map_or(0, |file| file.len()))
        .sum();
    println!("on disk {:.0} MB, {} bytes a run", bytes as f64 / 1e6, bytes / runs as u64);
    let (before, began) = (memory("VmRSS"), Instant::now());
    let (engine, _) = house(folder).await;
    engine.recover().await.expect("it is read");
    println!(
        "opened and taken up in {:.1?}; memory {} MB, before {before} MB",
        began.elapsed(),
        memory("VmRSS")
    );
    for (together, wakes, id) in [(64, WAKES, "2"), (1, WAKES / 10, "3")] {
        // Each is another one: a step that has no divisor in common with their number.
        let step = (runs / 3) | 1;
        let offset = usize::from(together == 1) * runs / 2;
        let peers = (0..wakes).map(|at| (offset + at * step) % runs);
        let began = Instant::now();
        say(&engine, peers, together, (id, "42")).await;
        println!("{together} at once: {:.0} wakes/s", wakes as f64 / began.elapsed().as_secs_f64());
    }
    engine.drain(Duration::from_secs(600)).await;
    println!("memory at most {} MB", memory("VmHWM"));
}

/// A figure of this process, in megabytes.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or_default()
        / 1_024
}
