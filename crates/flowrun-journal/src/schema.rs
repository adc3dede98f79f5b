//! The database: its tables, its settings, its format.

use std::path::Path;
use std::time::Duration;

use flowrun_step::Entropy;
use rusqlite::{Connection, OptionalExtension};

use crate::OpenError;
use crate::sealed::{Place, Sealer};

/// The format this version writes; it brings older ones up to it.
const FORMAT: i64 = 3;
/// How long another process may write.
const BUSY: Duration = Duration::from_secs(10);
/// What is sealed to know a key by.
const PROOF: &[u8] = b"flowrun journal";

const META: &str = "
    CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), installation BLOB NOT NULL, proof BLOB);
    CREATE TABLE texts (hash TEXT PRIMARY KEY, texts BLOB NOT NULL) WITHOUT ROWID;
";

/// Times are milliseconds of the Unix epoch, but for those that lists show. `rest`: nobody drives the run; `due`: until then.
/// `talk`, `conversation`, `subject` and `key` are fingerprints.
const TABLES: &str = "
    CREATE TABLE run (
        n INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, id TEXT NOT NULL, flow TEXT NOT NULL,
        texts TEXT NOT NULL REFERENCES texts (hash), status TEXT NOT NULL, began TEXT NOT NULL, changed TEXT NOT NULL,
        standing BLOB NOT NULL, start BLOB, checkpoint BLOB, answer BLOB, talk BLOB, who BLOB,
        over INTEGER NOT NULL, rest INTEGER NOT NULL DEFAULT 0, due INTEGER,
        UNIQUE (tenant, id)
    );
    CREATE INDEX run_due ON run (due) WHERE due IS NOT NULL;
    CREATE INDEX run_awake ON run (n) WHERE rest = 0 AND over = 0;
    CREATE INDEX run_blocked ON run (n) WHERE status = 'blocked';
    CREATE INDEX run_changed ON run (tenant, changed);
    CREATE TABLE log (seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, number INTEGER NOT NULL, entry BLOB NOT NULL);
    CREATE INDEX log_of_run ON log (run);
    CREATE TABLE conversation (
        key BLOB PRIMARY KEY, run INTEGER, busy TEXT NOT NULL, asks INTEGER NOT NULL DEFAULT 0,
        handed INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE inbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER, conversation BLOB, next INTEGER NOT NULL DEFAULT 0,
        at INTEGER NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX inbox_of_run ON inbox (run) WHERE run IS NOT NULL;
    CREATE INDEX inbox_of_conversation ON inbox (conversation) WHERE conversation IS NOT NULL;
    CREATE TABLE waiter (subject BLOB NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (subject, run)) WITHOUT ROWID;
    CREATE INDEX waiter_of_run ON waiter (run);
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, subject BLOB NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL
    );
    CREATE TABLE mark (key BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE seen (key BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
";

/// What formats 1 and 2 had, as one tenant's; the envelopes stay as they are.
const BRING_UP: &str = "
    INSERT INTO run (tenant, id, flow, texts, status, began, changed, standing, start, checkpoint, over)
        SELECT 'default', id, flow, texts, status, began, changed, standing, start, checkpoint,
            status IN ('done', 'failed', 'timed_out', 'cancelled') FROM old_run;
    INSERT INTO log (seq, run, number, entry)
        SELECT seq, run.n, number, entry FROM old_log JOIN run ON run.id = old_log.run;
    DROP TABLE old_log;
    DROP TABLE old_run;
";

/// Opens the database, and says which installation it is.
pub(crate) fn open(path: &Path, entropy: &dyn Entropy) -> Result<(Connection, Vec<u8>), OpenError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit that was told of survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let format = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if format > FORMAT {
        connection.execute_batch("ROLLBACK")?;
        return Err(OpenError::Newer(format));
    }
    make(&connection, format, entropy)?;
    connection.execute_batch("COMMIT")?;
    let installation = connection.query_row("SELECT installation FROM meta", [], |row| row.get(0))?;
    Ok((connection, installation))
}

fn make(connection: &Connection, format: i64, entropy: &dyn Entropy) -> rusqlite::Result<()> {
    if format == FORMAT {
        return Ok(());
    }
    if format == 0 {
        connection.execute_batch(META)?;
        let mut installation = [0; 16];
        entropy.fill(&mut installation);
        connection.execute("INSERT INTO meta (id, installation) VALUES (1, ?1)", [&installation[..]])?;
        connection.execute_batch(TABLES)?;
    } else {
        if format == 1 {
            connection.execute_batch("ALTER TABLE run ADD COLUMN start BLOB")?;
        }
        connection.execute_batch("DROP INDEX log_of_run")?;
        connection.execute_batch("ALTER TABLE run RENAME TO old_run; ALTER TABLE log RENAME TO old_log;")?;
        connection.execute_batch(TABLES)?;
        connection.execute_batch(BRING_UP)?;
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
