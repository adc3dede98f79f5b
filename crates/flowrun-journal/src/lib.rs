//! Runs on disk: what the engine keeps of them, sealed, in SQLite (runs.md 6 to 8).
//!
//! One thread of each process writes; what waits is committed together, and nothing waits for more. A commit is on disk, fsynced,
//! before anybody is told. Several processes share one folder: a run belongs to whoever holds its lock, which a killed
//! process cannot keep. Ids, names of flows, statuses and times stand in clear; everything else is sealed, tied to its place.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use flowrun_journal::SqliteJournal;
//!
//! # struct Dice;
//! # impl flowrun_step::Entropy for Dice { fn fill(&self, bytes: &mut [u8]) { bytes.fill(4) } }
//! # struct Noon;
//! # impl flowrun_step::Clock for Noon {
//! #     fn now(&self) -> jiff::Timestamp { jiff::Timestamp::UNIX_EPOCH }
//! #     fn sleep_until(&self, _: jiff::Timestamp) -> flowrun_step::BoxFuture<'static, ()> { Box::pin(async {}) }
//! # }
//! # let folder = tempfile::tempdir()?;
//! let journal = SqliteJournal::open(folder.path(), &[7; 32], (Arc::new(Noon), Arc::new(Dice)))?;
//! let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! assert!(runtime.block_on(journal.list())?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod committer;
mod lease;
mod runs;
mod schema;
mod sealed;

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flowrun_engine::journal::{
    Begun, Entry, Journal, JournalError, KeptCheckpoint, KeptRun, NewRun, Standing,
};
use flowrun_step::{BoxFuture, Clock, Entropy, RunId};

use committer::Committer;
pub use runs::Summary;
use sealed::Sealer;

/// A journal in a folder.
pub struct SqliteJournal {
    folder: PathBuf,
    committer: Committer,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    /// The runs of this process.
    held: Mutex<HashMap<RunId, File>>,
}

/// Why a journal was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder cannot be made or entered.
    #[error("cannot use the folder {folder}", folder = folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open the database of runs: {0}")]
    Database(#[from] rusqlite::Error),
    /// A newer version of flowrun made it.
    #[error("the journal has format {0}, which this version does not know")]
    Newer(i64),
    /// Another key sealed it.
    #[error("the journal does not open with this key")]
    Key,
}

impl SqliteJournal {
    /// Opens the journal of a folder, or makes one. The key opens what it sealed and nothing else does.
    ///
    /// # Errors
    /// When the folder or its database cannot be used, when a newer version made it, or when another key did.
    pub fn open(
        folder: &Path,
        key: &[u8; 32],
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
    ) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Folder { folder: folder.to_owned(), source };
        lease::make_folder(&folder.join("locks")).map_err(failed)?;
        let (connection, installation) = schema::open(&folder.join("runs.sqlite"), &*entropy)?;
        let sealer = Sealer::new(key, installation, entropy);
        schema::check_key(&connection, &sealer)?;
        let committer = Committer::start(connection).map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), committer, sealer, clock, held: Mutex::default() })
    }

    /// The time, for lists; what a run goes by is in its entries.
    fn now(&self) -> String {
        self.clock.now().to_string()
    }

    /// Takes a run for this process; says whether it did not have it yet.
    fn hold(&self, run: &RunId) -> Result<bool, JournalError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(run) {
            return Ok(false);
        }
        let lock = lease::try_hold(&self.folder.join("locks"), run);
        match lock.map_err(|error| JournalError::Unavailable(error.to_string()))? {
            Some(lock) => drop(held.insert(run.clone(), lock)),
            None => return Err(JournalError::Held(run.clone())),
        }
        Ok(true)
    }

    /// Lets a run go that others may take up: its lock file stays, as somebody may be about to lock it.
    fn let_go(&self, run: &RunId) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(run);
    }

    /// Lets a run go that is over.
    fn release(&self, run: &RunId) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.remove(run).is_some() {
            lease::forget(&self.folder.join("locks"), run);
        }
    }
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteJournal").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Journal for SqliteJournal {
    fn begin(&self, run: NewRun) -> BoxFuture<'_, Result<Begun, JournalError>> {
        Box::pin(async move {
            let (id, start, is_over) = (run.id.clone(), run.start, run.standing.is_over());
            let is_new = match self.hold(&id) {
                Err(JournalError::Held(_)) => return self.begun_before(id, &start).await,
                taken => taken?,
            };
            let begun = self.begin_held(run).await;
            match begun {
                Ok(true) if is_over => self.release(&id),
                Ok(true) => {}
                Ok(false) | Err(_) if is_new => self.let_go(&id),
                Ok(false) | Err(_) => {}
            }
            if begun? { Ok(Begun::Now) } else { self.begun_before(id, &start).await }
        })
    }

    fn append<'a>(
        &'a self,
        run: &'a RunId,
        entry: Entry,
        standing: Standing,
    ) -> BoxFuture<'a, Result<usize, JournalError>> {
        Box::pin(async move {
            let is_over = standing.is_over();
            let bytes = self.append_held(run, &entry, &standing).await?;
            if is_over {
                self.release(run);
            }
            Ok(bytes)
        })
    }

    fn shorten<'a>(
        &'a self,
        run: &'a RunId,
        checkpoint: KeptCheckpoint,
    ) -> BoxFuture<'a, Result<usize, JournalError>> {
        Box::pin(self.shorten_held(run, checkpoint))
    }

    fn stand<'a>(&'a self, run: &'a RunId, standing: Standing) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.stand_held(run, &standing).await?;
            if standing.is_over() {
                self.release(run);
            }
            Ok(())
        })
    }

    fn load<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Option<KeptRun>, JournalError>> {
        Box::pin(async move {
            self.hold(run)?;
            let kept = self.look(run).await;
            if !matches!(&kept, Ok(Some(kept)) if !kept.standing.is_over()) {
                self.release(run);
            }
            kept
        })
    }
}
