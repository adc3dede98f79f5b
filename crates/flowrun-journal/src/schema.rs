//! The database: its tables, its settings, its format.

use std::path::Path;
use std::time::Duration;

use flowrun_step::Entropy;
use rusqlite::{Connection, OptionalExtension};

use crate::OpenError;
use crate::sealed::{Place, Sealer};

/// The format this version writes; it brings older ones up to it.
const FORMAT: i64 = 2;
/// How long another process may write.
const BUSY: Duration = Duration::from_secs(10);
/// What is sealed to know a key by.
const PROOF: &[u8] = b"flowrun journal";

const TABLES: &str = "
    CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), installation BLOB NOT NULL, proof BLOB);
    CREATE TABLE texts (hash TEXT PRIMARY KEY, texts BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE run (
        id TEXT PRIMARY KEY, flow TEXT NOT NULL, texts TEXT NOT NULL REFERENCES texts (hash),
        status TEXT NOT NULL, began TEXT NOT NULL, changed TEXT NOT NULL,
        standing BLOB NOT NULL, checkpoint BLOB, entries INTEGER NOT NULL, bytes INTEGER NOT NULL,
        start BLOB
    ) WITHOUT ROWID;
    CREATE TABLE log (seq INTEGER PRIMARY KEY, run TEXT NOT NULL, number INTEGER NOT NULL, entry BLOB NOT NULL);
    CREATE INDEX log_of_run ON log (run, number);
";

/// Opens the database, and says which installation it is.
pub(crate) fn open(path: &Path, entropy: &dyn Entropy) -> Result<(Connection, Vec<u8>), OpenError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit that was told of survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    let make = |connection: &Connection| -> rusqlite::Result<i64> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if format == 0 {
            connection.execute_batch(TABLES)?;
            let mut installation = [0; 16];
            entropy.fill(&mut installation);
            connection.execute("INSERT INTO meta (id, installation) VALUES (1, ?1)", [&installation[..]])?;
        }
        if format == 1 {
            connection.execute_batch("ALTER TABLE run ADD COLUMN start BLOB")?;
        }
        if format < FORMAT {
            connection.pragma_update(None, "user_version", FORMAT)?;
        }
        connection.execute_batch("COMMIT")?;
        Ok(format.max(FORMAT))
    };
    match make(&connection)? {
        FORMAT => {}
        other => return Err(OpenError::Newer(other)),
    }
    let installation = connection.query_row("SELECT installation FROM meta", [], |row| row.get(0))?;
    Ok((connection, installation))
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
