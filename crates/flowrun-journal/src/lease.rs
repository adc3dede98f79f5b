//! Which process drives a run: the row of the run names it, and it lives as long as it holds a lock, which a killed one cannot keep.
//!
//! A process has one lock file, whose name no other has. So a run costs no file of its own to drive.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use rustix::fs::{FlockOperation, flock};

/// Makes a folder that only its owner can enter.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// This process, among those that share a journal.
pub(crate) struct Process {
    n: i64,
    path: PathBuf,
    /// Others see that it lives as long as it is open.
    _lock: File,
}

impl Process {
    /// Enters a process of a new name, locked before anybody can read of it.
    pub(crate) fn enter(connection: &Connection, locks: &Path, name: &str) -> rusqlite::Result<Self> {
        let path = locks.join(name);
        let lock = lock(&path).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        connection.execute("INSERT INTO process (name) VALUES (?1)", [name])?;
        Ok(Self { n: connection.last_insert_rowid(), path, _lock: lock })
    }

    pub(crate) fn n(&self) -> i64 {
        self.n
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A file that stays is only a file: nobody holds it.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// Whether a process lives.
pub(crate) fn lives(connection: &Connection, locks: &Path, process: i64) -> rusqlite::Result<bool> {
    let mut name = connection.prepare_cached("SELECT name FROM process WHERE n = ?1")?;
    let name: Option<String> = name.query_row([process], |row| row.get(0)).optional()?;
    Ok(name.is_some_and(|name| is_held(&locks.join(name))))
}

/// Whether a process holds this file; that it cannot be told is no reason to take its runs.
fn is_held(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => flock(&file, FlockOperation::NonBlockingLockShared).is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Forgets processes that are gone, and whose runs others have.
pub(crate) fn tidy(connection: &Connection, locks: &Path) -> rusqlite::Result<()> {
    let mut all = connection.prepare(
        "SELECT n, name FROM process WHERE n NOT IN (SELECT driver FROM run INDEXED BY run_awake \
         WHERE rest = 0 AND over = 0 AND driver IS NOT NULL)",
    )?;
    let all = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (n, name) in all.collect::<Result<Vec<(i64, String)>, _>>()? {
        let path = locks.join(name);
        if !is_held(&path) {
            connection.execute("DELETE FROM process WHERE n = ?1", [n])?;
            // One that was killed has left its file.
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(())
}
