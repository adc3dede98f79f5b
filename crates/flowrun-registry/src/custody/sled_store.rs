//! sled, open for one session (design 4.2).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flowrun_step::BoxError;

use super::durable::Durable;
use super::store::{Change, Session};
use crate::CustodyError;

/// How often, and how long apart, an open is tried again: sled frees its lock a moment after a close (sled#1289).
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// Small: a session reads a few records.
const CACHE: u64 = 1024 * 1024;

pub(super) struct SledStore {
    database: sled::Db,
    durable: Mutex<Durable>,
}

impl SledStore {
    /// Opens the database in `folder`; the caller holds the registry's lock.
    pub(super) fn open(folder: &Path, data_dir: &Path) -> Result<Self, CustodyError> {
        let failed = |source| CustodyError::File { what: "read", path: folder.to_owned(), source };
        remove_unfinished(folder).map_err(failed)?;
        let database = open_in_time(folder)?
            .ok_or_else(|| CustodyError::InUse { data_dir: data_dir.to_owned(), holder: None })?;
        let durable = Durable::hold(folder).map_err(failed)?;
        Ok(Self { database, durable: Mutex::new(durable) })
    }
}

impl SledStore {
    /// Everything there is, by key.
    pub(super) fn all(&self) -> Result<BTreeMap<String, Vec<u8>>, CustodyError> {
        let failed = |error| CustodyError::Database(Box::new(error));
        let entry = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = entry.map_err(failed)?;
            Ok((String::from_utf8_lossy(&key).into_owned(), value.to_vec()))
        };
        self.database.iter().map(entry).collect()
    }
}

/// Removes what a killed process left half-written, and sled would read as if it were whole: with it in the folder the
/// database opens never again.
///
/// A snapshot is written under its name with `.generating` and then renamed, but whatever begins like one is read. The
/// settings in `conf` are written in place before there is a database; while that is empty they stand for nothing.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let is_empty = std::fs::metadata(folder.join("db")).map_or(true, |found| found.len() == 0);
    for entry in entries {
        let path = entry?.path();
        let is_unfinished = path.extension().is_some_and(|extension| extension == "generating");
        if is_unfinished || is_empty && path.file_name().is_some_and(|name| name == "conf") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn open_in_time(folder: &Path) -> Result<Option<sled::Db>, CustodyError> {
    // No flushing in the background: whoever writes here flushes, and whoever reads must not write.
    let config = sled::Config::new().path(folder).cache_capacity(CACHE).flush_every_ms(None);
    for _ in 0..TRIES {
        match config.open() {
            Ok(database) => return Ok(Some(database)),
            Err(error) if is_held(&error) => std::thread::sleep(PAUSE),
            Err(error) => return Err(CustodyError::Database(Box::new(error))),
        }
    }
    Ok(None)
}

/// sled has no type for this error, only these words.
fn is_held(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

impl Session for SledStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BoxError> {
        Ok(self.database.get(key)?.map(|value| value.to_vec()))
    }

    fn is_empty(&self) -> Result<bool, BoxError> {
        Ok(self.database.is_empty())
    }

    fn apply(&self, changes: Vec<Change>) -> Result<(), BoxError> {
        let mut batch = sled::Batch::default();
        for change in changes {
            match change {
                Change::Put(key, value) => batch.insert(key.as_bytes(), value),
                Change::Remove(key) => batch.remove(key.as_bytes()),
            }
        }
        self.database.apply_batch(batch)?;
        self.database.flush()?;
        Ok(self.durable.lock().unwrap_or_else(PoisonError::into_inner).sync()?)
    }
}
