//! What stays on disk of runs that are over, of people and of tenants who are forgotten (R13).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../../../tests/bench/edges.rs"]
mod edges;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edges::{Closed, Dice, Mute, Real};
use flowrun_engine::journal::{History, Journal, RunKey, Standing, Whose};
use flowrun_engine::{Conversation, Engine, Host, Message, Receipt};
use flowrun_journal::SqliteJournal;
use flowrun_step::Tenant;

const ORDER: &str = "name: order\ntrigger: { message: { keywords: [order, fail] } }\nsteps:\n  - if: trigger.text == 'fail'\n    then: [ \
                     { fail: enough } ]\n  - ask: Which one?\n    into: which\n  - send: \"{{which}}\"\noutputs: { which: \"{{which}}\" }\n";

fn open(folder: &Path, history: History) -> Arc<SqliteJournal> {
    let edges = (Arc::new(Real) as _, Arc::new(Dice::default()) as _);
    Arc::new(SqliteJournal::open(folder, &[7; 32], edges).unwrap().history(history))
}

async fn engine(journal: &Arc<SqliteJournal>, tenant: &Tenant) -> Engine {
    let builder = Engine::builder(Arc::new(Real), Arc::new(Closed)).channel(Mute);
    let engine = builder.journal(Arc::clone(journal) as Arc<dyn Journal>).build().unwrap();
    let files = BTreeMap::from([("order.yaml".to_owned(), ORDER.as_bytes().to_vec())]);
    engine.publish(tenant, files).await.unwrap();
    engine
}

/// Somebody says something; the run, once it waits for its answer, or is over.
async fn say(engine: &Engine, tenant: &Tenant, peer: &str, (id, text): (&str, &str)) -> RunKey {
    let conversation = Conversation { channel: "mute".into(), account: String::new(), peer: peer.into() };
    let receipt = engine.receive(Message::new(tenant.clone(), conversation, id).text(text)).await.unwrap();
    let (run, has_answer) = match receipt {
        Receipt::Started { run } => (run, false),
        Receipt::Resumed { run } => (run, true),
        other => panic!("{other:?}"),
    };
    loop {
        let view = engine.show(tenant, &run).await.unwrap().unwrap();
        let is_waiting = matches!(view.standing, Standing::Waiting { .. });
        if view.standing.is_over() || is_waiting && !has_answer {
            return RunKey::new(tenant.clone(), run);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn rows(folder: &Path, table: &str) -> i64 {
    let database = rusqlite::Connection::open(folder.join("runs.sqlite")).unwrap();
    database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// Whether any file of the folder holds this.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|file| file.path().is_file())
        .any(|file| std::fs::read(file.path()).unwrap().windows(bytes.len()).any(|window| window == bytes))
}

#[tokio::test]
async fn of_a_run_that_is_over_stays_what_was_said_to_stay_and_all_of_one_that_failed() {
    for (history, entries, outputs) in
        [(History::None, 0, false), (History::Summary, 0, true), (History::Full, 4, true)]
    {
        let folder = tempfile::tempdir().unwrap();
        let (journal, tenant) = (open(folder.path(), history), Tenant::default());
        let engine = engine(&journal, &tenant).await;
        say(&engine, &tenant, "+1", ("1", "order")).await;
        let done = say(&engine, &tenant, "+1", ("2", "42")).await;
        let kept = journal.look(&done).await.unwrap().unwrap();
        assert_eq!(kept.entries.len(), entries, "{history:?}: {:?}", kept.entries);
        assert!(kept.checkpoint.is_none(), "{history:?}");
        assert_eq!(kept.conversation.is_some(), history != History::None);
        let Standing::Done { outputs: kept } = kept.standing else { panic!("{:?}", kept.standing) };
        assert_eq!(kept.contains_key("which"), outputs, "{history:?}");
        let failed = say(&engine, &tenant, "+1", ("3", "fail")).await;
        let kept = journal.look(&failed).await.unwrap().unwrap();
        assert!(!kept.entries.is_empty() && kept.conversation.is_some(), "{history:?}");
        assert_eq!(rows(folder.path(), "log"), 0, "{history:?}: the log is short");
    }
}

#[tokio::test]
async fn not_even_the_sealed_records_of_a_person_who_is_erased_are_left_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, tenant) = (open(folder.path(), History::Full), Tenant::default());
    let engine = engine(&journal, &tenant).await;
    for (peer, id) in [("+1", "1"), ("+2", "2")] {
        say(&engine, &tenant, peer, (id, "order")).await;
    }
    let one = say(&engine, &tenant, "+1", ("3", "42")).await;
    let database = rusqlite::Connection::open(folder.path().join("runs.sqlite")).unwrap();
    let sealed = "SELECT who FROM run WHERE id = ?1 UNION ALL SELECT entry FROM history JOIN run ON n = run \
                  WHERE id = ?1";
    let sealed: Vec<Vec<u8>> = {
        let mut sealed = database.prepare(sealed).unwrap();
        sealed.query_map([one.id.as_str()], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    drop(database);
    assert!(sealed.len() > 3 && sealed.iter().all(|record| holds(folder.path(), record)));
    assert_eq!(journal.erase(&tenant, Whose::Person("+1")).await.unwrap(), std::slice::from_ref(&one));
    assert!(journal.look(&one).await.unwrap().is_none());
    assert!(sealed.iter().all(|record| !holds(folder.path(), record)), "the files still hold it");
    assert_eq!(rows(folder.path(), "run"), 1, "the other person's is left");
}

/// The key of a tenant goes first: what a crash leaves behind opens no more, and goes when the journal is opened again.
#[tokio::test]
async fn a_tenant_that_was_being_erased_when_the_process_died_is_gone_when_it_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let (erased, stays) = (Tenant::new("erased").unwrap(), Tenant::new("stays").unwrap());
    let ids = {
        let journal = open(folder.path(), History::Full);
        let first = say(&engine(&journal, &erased).await, &erased, "+1", ("1", "order")).await;
        let second = say(&engine(&journal, &stays).await, &stays, "+1", ("1", "order")).await;
        [first, second]
    };
    let database = rusqlite::Connection::open(folder.path().join("runs.sqlite")).unwrap();
    let key = "SELECT key FROM tenant WHERE name = 'erased'";
    let key: Vec<u8> = database.query_row(key, [], |row| row.get(0)).unwrap();
    // As a process leaves it that dies after the first commit.
    database.execute("UPDATE tenant SET key = x'' WHERE name = 'erased'", []).unwrap();
    drop(database);
    let journal = open(folder.path(), History::Full);
    assert!(!holds(folder.path(), &key), "the key is still in the files");
    assert!(journal.look(&ids[0]).await.unwrap().is_none());
    assert!(journal.look(&ids[1]).await.unwrap().is_some());
    assert_eq!((rows(folder.path(), "run"), rows(folder.path(), "tenant")), (1, 1));
    let again = say(&engine(&journal, &erased).await, &erased, "+1", ("2", "order")).await;
    assert_eq!(journal.erase(&erased, Whose::Everybody).await.unwrap(), [again]);
    assert_eq!((rows(folder.path(), "run"), rows(folder.path(), "tenant")), (1, 1));
}
