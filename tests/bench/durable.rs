//! Durable benchmark: what a kept step costs beside a bare commit of the store, and 64 runs beside its batched rate (runs.md 14).
//!
//! ```text
//! cargo bench -p flowrun-journal
//! ```
//! A step is a `send` to a channel that does nothing: its call waits for a commit, and its end is one. Both sides write to the same
//! disk, turn by turn, with the same settings and as many bytes a record; each figure is the middle of all turns.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops when a part is missing"
)]

#[path = "edges.rs"]
mod edges;

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use edges::{Closed, Dice, Mute, Real};
use flowrun_engine::journal::Journal;
use flowrun_engine::{Engine, Outcome, Start};
use flowrun_journal::SqliteJournal;
use flowrun_lang::{Catalog, Flow, SourceText, check};
use flowrun_step::{RunId, StepSet};
use rusqlite::{Connection, params};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const TURNS: usize = 15;
const STEPS: usize = 200;
const TOGETHER: usize = 64;
/// The sealed size of such a step's entry, about.
const RECORD: usize = 300;

fn main() {
    // `cargo test --benches` starts benchmarks too, without this word.
    if !env::args().any(|word| word == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let edges = (Arc::new(Real) as _, Arc::new(Dice::default()) as _);
    let journal = SqliteJournal::open(&folder.path().join("runs"), &[7; 32], edges).expect("a journal");
    let builder = Engine::builder(Arc::new(Real), Arc::new(Closed)).channel(Mute);
    let engine = builder.journal(Arc::new(journal) as Arc<dyn Journal>).build().expect("an engine");
    let (flow, mut bare) = (Arc::new(flow()), bare(&folder.path().join("bare.sqlite")));
    let mut figures = [const { Vec::new() }; 4];
    for turn in 0..TURNS {
        figures[0].push(commits(&mut bare, 1, STEPS));
        figures[1].push(runtime.block_on(runs(&engine, &flow, (turn, 1))));
        figures[2].push(commits(&mut bare, TOGETHER, STEPS));
        figures[3].push(runtime.block_on(runs(&engine, &flow, (turn, TOGETHER))));
    }
    let [commit, step, batch, many] = figures.map(middle);
    println!(
        "a bare commit {commit:.1?}, a durable step {step:.1?}: {:.2} x",
        step.as_secs_f64() / commit.as_secs_f64()
    );
    let rate = |each: Duration| 1.0 / each.as_secs_f64();
    println!(
        "{TOGETHER} records a commit {:.0}/s, {TOGETHER} runs at once {:.0} steps/s: {:.2} of it",
        rate(batch),
        rate(many),
        rate(many) / rate(batch)
    );
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    println!("  {:.1?} … {:.1?} … {:.1?}", times[0], times[times.len() / 2], times[times.len() - 1]);
    times[times.len() / 2]
}

fn flow() -> Flow {
    let text =
        format!("steps:\n{}", "  - send: A line of a usual length, as one tells a customer.\n".repeat(STEPS));
    let source = SourceText::new("f.flow.yaml", text.into_bytes()).expect("UTF-8");
    check(&source, &Catalog::new(StepSet::new())).flow.expect("a flow")
}

/// How long a step takes, where so many runs go at once.
async fn runs(engine: &Engine, flow: &Arc<Flow>, (turn, runs): (usize, usize)) -> Duration {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for at in 0..runs {
        let (engine, flow) = (engine.clone(), Arc::clone(flow));
        let id = RunId::new(&format!("run-{turn}-{runs}-{at}")).expect("an id");
        tasks.spawn(
            async move { engine.run(&flow, Start::new(id, Vec::new()), CancellationToken::new()).await },
        );
    }
    let ends = tasks.join_all().await;
    assert!(ends.iter().all(|end| matches!(end, Outcome::Done { .. })), "{:?}", ends.first());
    began.elapsed() / u32::try_from(runs * STEPS).expect("few")
}

fn bare(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("a database");
    connection.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    connection.pragma_update(None, "synchronous", "FULL").expect("FULL");
    connection
        .execute_batch("CREATE TABLE log (seq INTEGER PRIMARY KEY, entry BLOB NOT NULL)")
        .expect("a table");
    connection
}

/// How long a record takes, where so many are committed at once.
fn commits(connection: &mut Connection, together: usize, commits: usize) -> Duration {
    let record = [7_u8; RECORD];
    let began = Instant::now();
    for _ in 0..commits {
        let transaction = connection.transaction().expect("a transaction");
        {
            let mut insert = transaction.prepare("INSERT INTO log (entry) VALUES (?1)").expect("SQL");
            for _ in 0..together {
                insert.execute(params![&record[..]]).expect("a row");
            }
        }
        transaction.commit().expect("a commit");
    }
    began.elapsed() / u32::try_from(together * commits).expect("few")
}
