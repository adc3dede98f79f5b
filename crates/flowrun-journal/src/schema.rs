//! The database: its tables, its settings, its format.

use std::path::Path;
use std::time::Duration;

use flowrun_step::Entropy;
use rusqlite::{Connection, OptionalExtension};

use crate::OpenError;
use crate::sealed::{Place, Sealer};

/// The format this version writes.
pub(crate) const FORMAT: i64 = 4;
/// The format before, which it brings up.
pub(crate) const BEFORE: i64 = 3;
/// How long another process may write.
pub(crate) const BUSY: Duration = Duration::from_secs(10);
/// What is sealed to know a key by.
const PROOF: &[u8] = b"flowrun journal";

const META: &str = "
    CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), installation BLOB NOT NULL, proof BLOB);
";

/// Times are milliseconds of the Unix epoch. `key` of a tenant: under which its records are sealed, itself sealed; none if they
/// are sealed under the journal's, as before format 4; empty once the tenant is erased. No number of a run is given twice. `rest`: nobody drives the run; `due`: until then. `standing` is null
/// where status and `due` say all. `driver` is the process that drives the run, if that lives. `held`: the
/// status that a run had in the backup that it was restored from, until it is released. `start`, `talk`, `conversation`, `subject` and the other keys are fingerprints.
///
/// What a step of a run writes is one row of the log, which is short and has no index: the runs that are under way know where
/// their entries are, and a process that begins looks through it once.
const TABLES: &str = "
    CREATE TABLE tenant (n INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, key BLOB);
    CREATE TABLE texts (n INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, texts BLOB NOT NULL);
    CREATE TABLE run (
        n INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL, id TEXT NOT NULL, flow TEXT NOT NULL,
        texts INTEGER NOT NULL, status TEXT NOT NULL, began INTEGER NOT NULL, changed INTEGER NOT NULL, standing BLOB,
        start BLOB, talk BLOB, who BLOB, over INTEGER NOT NULL, rest INTEGER NOT NULL DEFAULT 0, due INTEGER,
        driver INTEGER, answer BLOB, held TEXT, UNIQUE (tenant, id)
    );
    CREATE TABLE process (n INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
    CREATE INDEX run_due ON run (due) WHERE rest = 1 AND due IS NOT NULL;
    CREATE INDEX run_awake ON run (n) WHERE rest = 0 AND over = 0;
    CREATE INDEX run_blocked ON run (n) WHERE status = 'blocked';
    CREATE INDEX run_changed ON run (tenant, changed);
    CREATE TABLE checkpoint (run INTEGER PRIMARY KEY, number INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE log (seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, number INTEGER NOT NULL, entry BLOB NOT NULL);
    CREATE TABLE history (
        run INTEGER NOT NULL, number INTEGER NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (run, number)
    ) WITHOUT ROWID;
    CREATE TABLE conversation (
        key BLOB PRIMARY KEY, tenant INTEGER NOT NULL, run INTEGER, busy TEXT NOT NULL, asks INTEGER NOT NULL DEFAULT 0,
        handed INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE inbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL, run INTEGER, conversation BLOB,
        next INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX inbox_of_run ON inbox (run) WHERE run IS NOT NULL;
    CREATE INDEX inbox_of_conversation ON inbox (conversation) WHERE conversation IS NOT NULL;
    CREATE TABLE waiter (subject BLOB NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (subject, run)) WITHOUT ROWID;
    CREATE INDEX waiter_of_run ON waiter (run);
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, key BLOB NOT NULL UNIQUE, subject BLOB NOT NULL,
        at INTEGER NOT NULL, body BLOB NOT NULL
    );
    CREATE TABLE mark (key BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE seen (key BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
";

/// The tables of format 3 make room.
const MAKE_ROOM: &str = "
    DROP INDEX run_due; DROP INDEX run_awake; DROP INDEX run_blocked; DROP INDEX run_changed; DROP INDEX log_of_run;
    DROP INDEX inbox_of_run; DROP INDEX inbox_of_conversation; DROP INDEX waiter_of_run;
    ALTER TABLE texts RENAME TO old_texts;
    ALTER TABLE run RENAME TO old_run;
    ALTER TABLE log RENAME TO old_log;
    ALTER TABLE conversation RENAME TO old_conversation;
    ALTER TABLE inbox RENAME TO old_inbox;
    ALTER TABLE event RENAME TO old_event;
    ALTER TABLE waiter RENAME TO old_waiter;
    ALTER TABLE mark RENAME TO old_mark;
    ALTER TABLE seen RENAME TO old_seen;
";

/// What format 3 had; the envelopes stay as they are, sealed under the journal's key.
const BRING_UP: &str = "
    INSERT INTO tenant (n, name) VALUES (1, 'default');
    INSERT OR IGNORE INTO tenant (name) SELECT DISTINCT tenant FROM old_run;
    INSERT INTO texts (hash, texts) SELECT hash, texts FROM old_texts;
    INSERT INTO run (n, tenant, id, flow, texts, status, began, changed, standing, start, talk, who, over, rest, due, answer)
        SELECT old_run.n, tenant.n, id, flow, texts.n, status, CAST(unixepoch(began, 'subsec') * 1000 + 0.5 AS INTEGER),
            CAST(unixepoch(changed, 'subsec') * 1000 + 0.5 AS INTEGER), standing, start, talk, who, over, rest, due, answer
        FROM old_run JOIN tenant ON tenant.name = old_run.tenant JOIN texts ON texts.hash = old_run.texts;
    INSERT INTO checkpoint (run, number, body) SELECT n, 0, checkpoint FROM old_run WHERE checkpoint IS NOT NULL;
    INSERT INTO log (seq, run, number, entry) SELECT seq, run, number, entry FROM old_log;
    INSERT INTO conversation (key, tenant, run, busy, asks, handed)
        SELECT key, coalesce((SELECT tenant FROM run WHERE n = old_conversation.run), 1), run, busy, asks, handed
        FROM old_conversation;
    INSERT INTO inbox (number, tenant, run, conversation, next, at, body)
        SELECT number, coalesce((SELECT tenant FROM run WHERE n = old_inbox.run OR talk = old_inbox.conversation), 1), run,
            conversation, next, at, body FROM old_inbox;
    INSERT INTO event (seq, tenant, key, subject, at, body) SELECT seq, 1, key, subject, at, body FROM old_event;
    INSERT INTO waiter SELECT subject, run FROM old_waiter;
    INSERT INTO mark SELECT key, at FROM old_mark;
    INSERT INTO seen SELECT key, at FROM old_seen;
    DELETE FROM sqlite_sequence WHERE name = 'inbox';
    INSERT INTO sqlite_sequence (name, seq) SELECT 'inbox', seq FROM sqlite_sequence WHERE name = 'old_inbox';
    DELETE FROM sqlite_sequence WHERE name = 'run';
    INSERT INTO sqlite_sequence (name, seq) SELECT 'run', seq FROM sqlite_sequence WHERE name = 'old_run';
    DROP TABLE old_run; DROP TABLE old_texts; DROP TABLE old_log; DROP TABLE old_conversation; DROP TABLE old_inbox;
    DROP TABLE old_event; DROP TABLE old_waiter; DROP TABLE old_mark; DROP TABLE old_seen;
";

/// Opens the database, and says which installation it is.
pub(crate) fn open(path: &Path, entropy: &dyn Entropy) -> Result<(Connection, Vec<u8>), OpenError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit that was told of survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.set_prepared_statement_cache_capacity(128);
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let format = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let refusal = match format {
        0 | BEFORE | FORMAT => None,
        format if format < BEFORE => Some(OpenError::Older(format)),
        format => Some(OpenError::Newer(format)),
    };
    if let Some(refusal) = refusal {
        connection.execute_batch("ROLLBACK")?;
        return Err(refusal);
    }
    make(&connection, format, entropy)?;
    connection.execute_batch("COMMIT")?;
    let installation = connection.query_row("SELECT installation FROM meta", [], |row| row.get(0))?;
    Ok((connection, installation))
}

fn make(connection: &Connection, format: i64, entropy: &dyn Entropy) -> rusqlite::Result<()> {
    match format {
        FORMAT => return Ok(()),
        BEFORE => {
            connection.execute_batch(MAKE_ROOM)?;
            connection.execute_batch(TABLES)?;
            connection.execute_batch(BRING_UP)?;
        }
        _ => {
            connection.execute_batch(META)?;
            let mut installation = [0; 16];
            entropy.fill(&mut installation);
            connection.execute("INSERT INTO meta (id, installation) VALUES (1, ?1)", [&installation[..]])?;
            connection.execute_batch(TABLES)?;
        }
    }
    connection.pragma_update(None, "user_version", FORMAT)
}

/// Refuses another key than that of what is there.
pub(crate) fn check_key(connection: &Connection, sealer: &Sealer) -> Result<(), OpenError> {
    let proof: Option<Vec<u8>> =
        connection.query_row("SELECT proof FROM meta", [], |row| row.get(0)).optional()?.flatten();
    match proof {
        Some(proof) => match sealer.open_bytes(&Place::Proof, &proof) {
            Some(clear) if clear == PROOF => Ok(()),
            _ => Err(OpenError::Key),
        },
        None => {
            let proof = sealer.close_bytes(&Place::Proof, PROOF);
            // Of two processes that make a journal at once, one proof stays.
            connection.execute("UPDATE meta SET proof = ?1 WHERE proof IS NULL", [proof])?;
            Ok(())
        }
    }
}
