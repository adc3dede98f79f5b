//! What is on disk after an engine has run: whole, sealed, and one process's at a time.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../../../tests/bench/edges.rs"]
mod edges;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use edges::{Closed, Dice, Mute, Real};
use flowrun_engine::host::Filter;
use flowrun_engine::journal::{History, Journal, JournalError, RunKey, Standing, Summary};
use flowrun_engine::{Engine, Incoming, Outcome, Start};
use flowrun_journal::{OpenError, SqliteJournal};
use flowrun_lang::{Catalog, Flow, SourceText, check};
use flowrun_step::{RunId, StepSet, Tenant};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

const KEY: [u8; 32] = [7; 32];

/// Each process has dice of its own.
static DICE: AtomicU64 = AtomicU64::new(0);

fn open(folder: &Path) -> Arc<SqliteJournal> {
    let dice = Dice(DICE.fetch_add(1 << 32, Ordering::Relaxed).into());
    let edges = (Arc::new(Real) as _, Arc::new(dice) as _);
    Arc::new(SqliteJournal::open(folder, &KEY, edges).unwrap().history(History::Full))
}

fn engine(journal: &Arc<SqliteJournal>) -> Engine {
    let builder = Engine::builder(Arc::new(Real), Arc::new(Closed)).channel(Mute);
    builder.journal(Arc::clone(journal) as Arc<dyn Journal>).build().unwrap()
}

fn flow(text: &str) -> Flow {
    let source = SourceText::new("f.flow.yaml", text.as_bytes().to_vec()).unwrap();
    check(&source, &Catalog::new(StepSet::new())).flow.unwrap()
}

fn id(id: &str) -> RunId {
    RunId::new(id).unwrap()
}

fn key(run: &str) -> RunKey {
    RunKey::new(Tenant::default(), id(run))
}

async fn is_driven(journal: &SqliteJournal, run: &str) -> bool {
    journal.view(&key(run)).await.unwrap().unwrap().summary.is_driven
}

async fn list(journal: &SqliteJournal) -> Vec<Summary> {
    journal.list(&Tenant::default(), Filter::default()).await.unwrap()
}

const SAYS: &str = "steps:\n  - set: { who: canary-of-a-variable }\n  - send: canary-of-a-text to {{who}}\n  - send: again\noutputs: { \
                    who: \"{{who}}\" }\n";
const WAITS: &str = "steps:\n  - set: { who: canary-of-a-variable }\n  - send: canary-of-a-text to {{who}}\n  - wait: 1h\n  - send: late\n";

async fn run(engine: &Engine, flow: &Flow, run: &str) -> Outcome {
    engine.run(flow, Start::new(id(run), Vec::new()), CancellationToken::new()).await
}

/// Begins a run, and lets its process die while it waits.
async fn abandoned(folder: &Path, run_id: &str) {
    let journal = open(folder);
    let (engine, flow) = (engine(&journal), flow(WAITS));
    let waiting = tokio::time::timeout(Duration::from_millis(300), run(&engine, &flow, run_id));
    assert!(waiting.await.is_err(), "it waits for an hour");
}

#[tokio::test]
async fn a_run_is_begun_once_ends_once_and_is_shown_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let engine = engine(&journal);
    assert!(matches!(run(&engine, &flow(SAYS), "one").await, Outcome::Done { .. }));
    let again = run(&engine, &flow(SAYS), "one").await;
    assert!(matches!(again, Outcome::Existing { standing: Standing::Done { .. }, .. }), "{again:?}");
    let listed = list(&journal).await;
    assert_eq!(
        listed.iter().map(|run| (run.id.as_str(), run.status.as_str())).collect::<Vec<_>>(),
        [("one", "done")]
    );
    assert!(!listed[0].is_driven);
    let later = "2999-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(journal.prune(Timestamp::UNIX_EPOCH).await.unwrap(), 0);
    assert_eq!(journal.prune(later).await.unwrap(), 1);
    assert!(journal.look(&key("one")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_run_whose_process_is_gone_is_taken_up_by_another_and_by_one_only() {
    let folder = tempfile::tempdir().unwrap();
    abandoned(folder.path(), "one").await;
    let (journal, other) = (open(folder.path()), open(folder.path()));
    let kept = journal.load(&key("one")).await.unwrap().unwrap();
    assert!(matches!(other.load(&key("one")).await, Err(JournalError::Held(_))));
    assert!(is_driven(&other, "one").await);
    let (engine, cancel) = (engine(&journal), CancellationToken::new());
    let flow = engine.flow_of(&journal.texts(&kept.hash).await.unwrap().unwrap()).unwrap();
    cancel.cancel();
    let outcome = engine.resume(&flow, (key("one"), kept), (None, None), cancel).await;
    assert!(matches!(outcome, Outcome::Cancelled { .. }), "{outcome:?}");
    assert_eq!(list(&other).await[0].status, "cancelled");
    assert!(!is_driven(&other, "one").await);
}

/// R10: a start that is repeated while the run goes on says so and leaves it to whoever drives it, in this process and in another.
#[tokio::test]
async fn a_start_that_is_repeated_while_the_run_waits_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, other) = (open(folder.path()), open(folder.path()));
    let (first, waits) = (engine(&journal), flow(WAITS));
    let _waiting = tokio::spawn({
        let waits = flow(WAITS);
        async move { run(&first, &waits, "one").await }
    });
    while list(&journal).await.is_empty() {
        tokio::task::yield_now().await;
    }
    for journal in [&journal, &other] {
        let again = run(&engine(journal), &waits, "one").await;
        assert!(matches!(again, Outcome::Existing { standing: Standing::Running, .. }), "{again:?}");
        let another = run(&engine(journal), &flow(&format!("name: another\n{WAITS}")), "one").await;
        assert!(matches!(&another, Outcome::Blocked { why } if why.contains("another flow")), "{another:?}");
        assert!(is_driven(&other, "one").await, "who drives it keeps it");
    }
}

/// A binary reads its format and the one before (R4b): runs that are over, under way and waiting, and what is on its way to them.
#[tokio::test]
async fn a_journal_of_format_3_is_brought_up_with_all_that_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = rusqlite::Connection::open(folder.path().join("runs.sqlite")).unwrap();
    database.execute_batch(include_str!("format_3.sql")).unwrap();
    drop(database);
    let journal = open(folder.path());
    let over = journal.view(&key("done")).await.unwrap().unwrap();
    assert!(matches!(over.standing, Standing::Done { outputs } if outputs["who"] == "Ada"));
    assert_eq!(over.summary.began, "2026-11-27T16:24:32.928Z");
    let shop = Tenant::new("shop").unwrap();
    let waiting = &journal.list(&shop, Filter::default()).await.unwrap()[0];
    let waiting = RunKey::new(shop.clone(), id(&waiting.id));
    let mut unfinished = journal.unfinished().await.unwrap();
    unfinished.sort();
    assert_eq!(unfinished, [key("driven"), waiting.clone()]);
    let driven = journal.load(&key("driven")).await.unwrap().unwrap();
    assert_eq!(driven.entries.len(), 2, "its log came along");
    let mail = journal.mail(&waiting, 0).await.unwrap();
    assert!(matches!(&mail[0].incoming, Incoming::Message(message) if message["text"] == "42"), "{mail:?}");
    let kept = journal.load(&waiting).await.unwrap().unwrap();
    assert_eq!(kept.conversation.unwrap().peer, "+1");
    assert!(kept.checkpoint.is_some());
    let before = rusqlite::Connection::open(folder.path().join("runs.sqlite.format-3")).unwrap();
    let format: i64 = before.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let runs: i64 = before.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!((format, runs), (3, 3), "what it was is kept beside it (R19)");
}

#[tokio::test]
async fn a_journal_of_a_version_that_is_too_old_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let database = rusqlite::Connection::open(folder.path().join("runs.sqlite")).unwrap();
    database.pragma_update(None, "user_version", 2).unwrap();
    drop(database);
    let edges = (Arc::new(Real) as _, Arc::new(Dice::default()) as _);
    assert!(matches!(SqliteJournal::open(folder.path(), &KEY, edges), Err(OpenError::Older(2))));
}

/// T4: neither what a flow says nor what it holds stands in clear anywhere in the folder.
#[tokio::test]
async fn nothing_of_a_run_but_its_names_and_times_is_in_clear_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    abandoned(folder.path(), "one").await;
    assert!(matches!(run(&engine(&open(folder.path())), &flow(SAYS), "two").await, Outcome::Done { .. }));
    let mut bytes = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(content) = fs::read(&path) else { continue };
        bytes += content.len();
        let found = content.windows(6).any(|window| window == b"canary");
        assert!(!found, "{}", path.display());
    }
    assert!(bytes > 10_000, "{bytes} bytes were looked at");
}

#[tokio::test]
async fn another_key_opens_nothing_and_a_record_that_was_moved_neither() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for run_id in ["one", "two"] {
        run(&engine(&journal), &flow(SAYS), run_id).await;
    }
    drop(journal);
    let edges = (Arc::new(Real) as _, Arc::new(Dice::default()) as _);
    assert!(matches!(SqliteJournal::open(folder.path(), &[8; 32], edges), Err(OpenError::Key)));
    let database = rusqlite::Connection::open(folder.path().join("runs.sqlite")).unwrap();
    let moved = "UPDATE history SET entry = (SELECT entry FROM history WHERE run = 2 AND number = 2) WHERE run = 1 AND number = 2";
    assert_eq!(database.execute(moved, []).unwrap(), 1);
    drop(database);
    let journal = open(folder.path());
    let refused = journal.look(&key("one")).await.unwrap_err().to_string();
    assert!(refused.contains("was changed"), "{refused}");
    assert!(journal.look(&key("two")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_journal_of_a_newer_version_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let database = rusqlite::Connection::open(folder.path().join("runs.sqlite")).unwrap();
    database.pragma_update(None, "user_version", 9).unwrap();
    drop(database);
    let edges = (Arc::new(Real) as _, Arc::new(Dice::default()) as _);
    assert!(matches!(SqliteJournal::open(folder.path(), &KEY, edges), Err(OpenError::Newer(9))));
}

/// What many runs write at once is committed together, and each is told only of its own.
#[tokio::test]
async fn a_hundred_runs_at_once_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut runs = tokio::task::JoinSet::new();
    for at in 0..100 {
        let engine = engine(&journal);
        runs.spawn(async move { run(&engine, &flow(SAYS), &format!("run-{at}")).await });
    }
    let ends = runs.join_all().await;
    assert!(ends.iter().all(|end| matches!(end, Outcome::Done { .. })));
    let listed = list(&journal).await;
    assert_eq!(listed.iter().filter(|run| run.status == "done").count(), 100);
}
