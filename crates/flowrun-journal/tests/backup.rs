//! A backup is the journal of one moment, made without its key; what was not over in it is held once it is put back (R19).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../../../tests/bench/edges.rs"]
mod edges;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edges::{Closed, Dice, Mute, Real};
use flowrun_engine::host::{Filter, Host as _, Request};
use flowrun_engine::journal::{History, Journal, JournalError, RunKey};
use flowrun_engine::{Engine, Told};
use flowrun_journal::{Backup, BackupError, Parts, SqliteJournal, back_up};
use flowrun_step::{RunId, Tenant};
use serde_json::json;

const KEY: [u8; 32] = [7; 32];
const MADE: &str = "2026-01-01T00:00:00Z";
const PAY: &str = "name: pay\nsteps:\n  - set: { who: canary-of-a-variable }\n  - id: ok\n    wait: { event: paid }\noutputs: { n: \
                   \"{{steps.ok.output.n}}\" }\n";

async fn open(folder: &Path) -> (Arc<SqliteJournal>, Engine) {
    let edges = (Arc::new(Real) as _, Arc::new(Dice::default()) as _);
    let journal = Arc::new(SqliteJournal::open(folder, &KEY, edges).unwrap().history(History::Full));
    let builder = Engine::builder(Arc::new(Real), Arc::new(Closed)).channel(Mute);
    let engine = builder.journal(Arc::clone(&journal) as Arc<dyn Journal>).build().unwrap();
    let files = [("pay.flow.yaml".to_owned(), PAY.as_bytes().to_vec())].into();
    engine.publish(&Tenant::default(), files).await.unwrap();
    engine.recover().await.unwrap();
    (journal, engine)
}

async fn start(engine: &Engine, run: &str) {
    engine.start(Request::new(Tenant::default(), "pay", id(run))).await.unwrap();
}

fn id(run: &str) -> RunId {
    RunId::new(run).unwrap()
}

async fn held(engine: &Engine) -> Vec<RunId> {
    let filter = Filter { status: Some("held".to_owned()), most: 1_000, ..Filter::default() };
    let held = engine.list(&Tenant::default(), filter).await.unwrap();
    held.iter().map(|run| id(&run.id)).collect()
}

async fn tell(engine: &Engine, event: &str) -> usize {
    let told = Told { event: "paid".to_owned(), key: None, data: json!({ "n": 7 }), id: event.to_owned() };
    engine.tell(&Tenant::default(), told).await.unwrap()
}

/// How a run stands, once it has come to an end or is held.
async fn settled(engine: &Engine, run: &RunId) -> serde_json::Value {
    let view = engine.settled(&Tenant::default(), run, Duration::from_secs(20)).await.unwrap().unwrap();
    serde_json::to_value(view.standing).unwrap()
}

fn restored(backup: &Path, folder: &Path) -> usize {
    Backup::open(backup).unwrap().put_back(folder, &Dice::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_runs_begin_is_of_one_moment_and_holds_what_was_not_over_r19() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = second.path().join("backup");
    let (_, engine) = open(first.path()).await;
    start(&engine, "over").await;
    while tell(&engine, "before").await == 0 {
        tokio::task::yield_now().await;
    }
    settled(&engine, &id("over")).await;
    for number in 0..20 {
        start(&engine, &format!("early-{number}")).await;
    }
    let going = engine.clone();
    let begins = tokio::spawn(async move {
        for number in 0..400 {
            start(&going, &format!("late-{number}")).await;
        }
    });
    let parts = Parts::from([("tokens".to_owned(), b"beside".to_vec())]);
    let (folder, to, given) = (first.path().to_owned(), file.clone(), parts.clone());
    tokio::task::spawn_blocking(move || back_up(&folder, &to, &given, MADE)).await.unwrap().unwrap();
    begins.await.unwrap();

    let backup = Backup::open(&file).unwrap();
    assert_eq!((backup.parts(), backup.made()), (&parts, MADE));
    let folder = second.path().join("runs");
    let count = restored(&file, &folder);
    assert!((20..=420).contains(&count), "{count}");
    let (journal, engine) = open(&folder).await;
    let held = held(&engine).await;
    assert_eq!(held.len(), count);
    assert_eq!(settled(&engine, &id("over")).await["status"], "done", "what was over is over");
    for run in &held {
        let key = RunKey::new(Tenant::default(), run.clone());
        assert!(matches!(journal.load(&key).await, Err(JournalError::OnHold(_))), "nobody drives it");
    }
    assert_eq!(engine.release(&Tenant::default(), None).await.unwrap(), count);
    tell(&engine, "after").await;
    for run in &held {
        let stands = settled(&engine, run).await;
        assert_eq!((&stands["status"], &stands["outputs"]["n"]), (&json!("done"), &json!(7)), "{run}");
    }
}

#[tokio::test]
async fn what_comes_for_a_held_run_is_kept_until_it_is_released_r19() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = second.path().join("backup");
    let (_, engine) = open(first.path()).await;
    for run in ["one", "other"] {
        start(&engine, run).await;
    }
    while engine
        .list(&Tenant::default(), Filter { status: Some("waiting".to_owned()), ..Filter::default() })
        .await
        .unwrap()
        .len()
        < 2
    {
        tokio::task::yield_now().await;
    }
    back_up(first.path(), &file, &Parts::new(), MADE).unwrap();
    let folder = second.path().join("runs");
    assert_eq!(restored(&file, &folder), 2);
    let (_, engine) = open(&folder).await;
    assert_eq!(tell(&engine, "paid-1").await, 2);
    assert_eq!(settled(&engine, &id("one")).await["status"], "held");
    assert_eq!(engine.release(&Tenant::default(), Some(&id("one"))).await.unwrap(), 1);
    assert_eq!(settled(&engine, &id("one")).await["outputs"]["n"], 7, "it takes what came meanwhile");
    assert_eq!(held(&engine).await, [id("other")]);
    assert_eq!(engine.release(&Tenant::default(), Some(&id("one"))).await.unwrap(), 0, "it is released once");
    drop(engine);
    // A restart changes nothing.
    let (_, engine) = open(&folder).await;
    assert_eq!(held(&engine).await, [id("other")]);
}

#[tokio::test]
async fn what_is_no_backup_of_this_version_is_refused_untouched_r19() {
    let folder = tempfile::tempdir().unwrap();
    let (runs, file) = (folder.path().join("runs"), folder.path().join("backup"));
    let nothing = back_up(&runs, &file, &Parts::new(), MADE);
    assert!(matches!(nothing, Err(BackupError::Nothing(_))), "{nothing:?}");
    let (_, engine) = open(&runs).await;
    start(&engine, "one").await;
    back_up(&runs, &file, &Parts::new(), MADE).unwrap();
    let taken = back_up(&runs, &file, &Parts::new(), MADE);
    assert!(matches!(taken, Err(BackupError::Taken(_))), "{taken:?}");
    let modes = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(modes(&file), 0o600, "it is for its owner alone");
    let bytes = fs::read(&file).unwrap();
    assert!(!bytes.windows(6).any(|part| part == b"canary"), "what is sealed stays sealed");
    let back = Backup::open(&file).unwrap().put_back(&runs, &Dice::default());
    assert!(matches!(back, Err(BackupError::Taken(_))), "a journal is not replaced: {back:?}");

    let changed = |sql: &str| {
        let other = folder.path().join("other");
        fs::copy(&file, &other).unwrap();
        rusqlite::Connection::open(&other).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&other).unwrap();
        let opened = Backup::open(&other);
        assert_eq!(fs::read(&other).unwrap(), before, "it is only read");
        opened.map(drop)
    };
    assert!(matches!(changed("PRAGMA user_version = 99"), Err(BackupError::Newer(99))));
    assert!(matches!(changed("UPDATE backup SET format = 2"), Err(BackupError::Newer(2))));
    assert!(matches!(changed("PRAGMA application_id = 0"), Err(BackupError::Stranger(_))));
    let mut broken = bytes.clone();
    let middle = broken.len() / 2;
    broken[middle..middle + 4_096].fill(0xff);
    fs::write(folder.path().join("broken"), broken).unwrap();
    assert!(Backup::open(&folder.path().join("broken")).is_err());
    fs::write(folder.path().join("text"), "no database").unwrap();
    let stranger = Backup::open(&folder.path().join("text"));
    assert!(matches!(stranger, Err(BackupError::Stranger(_))), "{stranger:?}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("unfinished")), "{left:?}");
}
