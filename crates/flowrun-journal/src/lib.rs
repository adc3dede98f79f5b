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
//! use flowrun_engine::journal::Journal;
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! assert!(runtime.block_on(journal.unfinished())?.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backup;
mod begin;
mod committer;
mod erase;
mod find;
mod lease;
mod list;
mod mail;
mod pack;
mod runs;
mod schema;
mod sealed;
mod standing;
mod tenants;
mod writes;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flowrun_engine::host::{Filter, View};
use flowrun_engine::journal::{
    Address, Appended, Begun, Change, Delivered, HandedOver, History, Journal, JournalError, Kept,
    KeptCheckpoint, KeptRun, Letter, NewRun, Rest, RunKey, Standing, Summary, Texts, Whose,
};
use flowrun_engine::{Conversation, Incoming, Message, Told};
use flowrun_step::{Clock, Entropy, RunId, Tenant};
use jiff::Timestamp;
use tokio::sync::OnceCell;

pub use backup::{Backup, BackupError, Parts, back_up};
use committer::Committer;
use find::Spread;
use lease::Process;
use sealed::Sealer;
use tenants::Tenancy;

/// A journal in a folder.
pub struct SqliteJournal {
    folder: PathBuf,
    committer: Committer,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    history: History,
    /// This process, once it drives a run.
    process: OnceCell<Process>,
    /// The runs of this process.
    held: Mutex<HashMap<RunKey, Driven>>,
    tenants: Mutex<HashMap<Tenant, Tenancy>>,
    /// Where the log was when this process began.
    spread: Mutex<Spread>,
}

/// What is known of a run while this process drives it.
struct Driven {
    /// Its row.
    n: i64,
    /// The number of its last entry.
    number: i64,
    /// The bytes of its entries.
    bytes: usize,
    standing: Standing,
    /// Where its entries are in the log.
    log: Vec<i64>,
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
    /// A version of flowrun made it that is too old: the one between brings it up.
    #[error(
        "the journal has format {0}, which this version no longer reads; a version of flowrun between brings it up"
    )]
    Older(i64),
    /// A journal of an older format cannot be kept beside, and so it is not brought up.
    #[error("the journal is of an older format, and no copy of it can be kept before it is brought up")]
    Copy(#[source] Box<BackupError>),
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
        let path = folder.join("runs.sqlite");
        backup::keep_older(&path).map_err(|error| OpenError::Copy(Box::new(error)))?;
        let (connection, installation) = schema::open(&path, &*entropy)?;
        let sealer = Sealer::new(key, installation, entropy);
        schema::check_key(&connection, &sealer)?;
        erase::finish(&connection)?;
        let committer = Committer::start(connection).map_err(failed)?;
        let (held, tenants, spread) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (folder, history, process) = (folder.to_owned(), History::default(), OnceCell::new());
        Ok(Self { folder, committer, sealer, clock, history, process, held, tenants, spread })
    }

    /// Says what stays of runs that are over, until they are pruned; a [`History::Summary`] unless it is said (R13).
    #[must_use]
    pub fn history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// The time, for lists; what a run goes by is in its entries.
    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<RunKey, Driven>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locks(&self) -> PathBuf {
        self.folder.join("locks")
    }

    /// The number of this process among those that drive runs.
    async fn process(&self) -> Result<i64, JournalError> {
        let enter = async {
            let (name, locks) = (self.sealer.name(), self.locks());
            let entered = self.committer.commit(move |connection| {
                lease::tidy(connection, &locks)?;
                Process::enter(connection, &locks, &name)
            });
            entered.await
        };
        Ok(self.process.get_or_try_init(|| enter).await?.n())
    }

    /// What is known of a run of this process.
    fn driven<T>(&self, run: &RunKey, look: impl FnOnce(&mut Driven) -> T) -> Result<T, JournalError> {
        let mut held = self.held();
        let driven = held.get_mut(run);
        driven
            .map(look)
            .ok_or_else(|| JournalError::Unavailable(format!("this process does not drive the run `{run}`")))
    }

    /// Remembers what is known of a run, unless it is over.
    fn drives(&self, run: &RunKey, driven: Driven) {
        if !driven.standing.is_over() {
            self.held().insert(run.clone(), driven);
        }
    }

    /// Knows a run no more.
    fn release(&self, run: &RunKey) {
        self.held().remove(run);
    }

    /// Remembers how a run went on; one that is over is let go.
    fn drove<T>(&self, run: &RunKey, standing: Standing, change: impl FnOnce(&mut Driven) -> T) -> Option<T> {
        if standing.is_over() {
            self.release(run);
            return None;
        }
        self.driven(run, |driven| {
            driven.standing = standing;
            change(driven)
        })
        .ok()
    }
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteJournal").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Journal for SqliteJournal {
    fn begin(&self, run: NewRun) -> Kept<'_, Begun> {
        Box::pin(async move {
            let key = run.run.clone();
            let (begun, driven) = self.begin_held(run).await?;
            if let Some(driven) = driven {
                self.drives(&key, driven);
            }
            Ok(begun)
        })
    }

    fn append<'a>(&'a self, run: &'a RunKey, change: Change) -> Kept<'a, Appended> {
        Box::pin(self.append_held(run, change))
    }

    fn shorten<'a>(&'a self, run: &'a RunKey, checkpoint: KeptCheckpoint) -> Kept<'a, usize> {
        Box::pin(self.shorten_held(run, checkpoint))
    }

    fn rest<'a>(&'a self, run: &'a RunKey, rest: Rest) -> Kept<'a, bool> {
        Box::pin(async move {
            let is_at_rest = self.rest_held(run, rest).await?;
            if is_at_rest {
                self.release(run);
            }
            Ok(is_at_rest)
        })
    }

    fn stand<'a>(&'a self, run: &'a RunKey, standing: Standing) -> Kept<'a, ()> {
        Box::pin(async move {
            self.stand_held(run, &standing).await?;
            self.release(run);
            Ok(())
        })
    }

    fn load<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<KeptRun>> {
        Box::pin(async move {
            let Some((kept, driven)) = self.take_up(run).await? else { return Ok(None) };
            self.drives(run, driven);
            Ok(Some(kept))
        })
    }

    fn texts<'a>(&'a self, hash: &'a str) -> Kept<'a, Option<Texts>> {
        Box::pin(self.texts_of(hash))
    }

    fn mail<'a>(&'a self, run: &'a RunKey, heard: u64) -> Kept<'a, Vec<Letter>> {
        Box::pin(self.mail_of(run, heard))
    }

    fn receive(&self, message: Message, at: Timestamp, interrupts: bool) -> Kept<'_, Delivered> {
        Box::pin(self.receive_message(message, at, interrupts))
    }

    fn deliver<'a>(&'a self, run: &'a RunKey, incoming: Incoming, at: Timestamp) -> Kept<'a, Delivered> {
        Box::pin(self.deliver_to(run, incoming, at))
    }

    fn tell<'a>(&'a self, tenant: &'a Tenant, told: Told, at: Timestamp) -> Kept<'a, Option<Vec<Address>>> {
        Box::pin(self.tell_all(tenant, told, at))
    }

    fn remember(&self, message: Message, at: Timestamp) -> Kept<'_, ()> {
        Box::pin(self.remember_message(message, at))
    }

    fn stray(&self) -> Kept<'_, Vec<(u64, Message)>> {
        Box::pin(self.strays())
    }

    fn discard(&self, number: u64) -> Kept<'_, ()> {
        Box::pin(self.committer.commit(move |connection| {
            connection.execute("DELETE FROM inbox WHERE number = ?1", [number]).map(drop)
        }))
    }

    fn hand_over<'a>(&'a self, tenant: &'a Tenant, conversation: &'a Conversation) -> Kept<'a, HandedOver> {
        Box::pin(self.give(tenant, conversation))
    }

    fn hand_back<'a>(&'a self, tenant: &'a Tenant, conversation: &'a Conversation) -> Kept<'a, ()> {
        Box::pin(self.give_back(tenant, conversation))
    }

    fn due(&self, now: Timestamp, most: usize) -> Kept<'_, (Vec<RunKey>, Option<Timestamp>)> {
        Box::pin(self.due_runs(now, most))
    }

    fn mark<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        at: Option<Timestamp>,
    ) -> Kept<'a, Option<Timestamp>> {
        Box::pin(self.mark_of(tenant, name, at))
    }

    fn release_held<'a>(&'a self, tenant: &'a Tenant, run: Option<&'a RunId>) -> Kept<'a, usize> {
        Box::pin(self.let_go_on(tenant, run))
    }

    fn unfinished(&self) -> Kept<'_, Vec<RunKey>> {
        Box::pin(self.awake())
    }

    fn list<'a>(&'a self, tenant: &'a Tenant, filter: Filter) -> Kept<'a, Vec<Summary>> {
        Box::pin(self.list_of(tenant, filter))
    }

    fn view<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<View>> {
        Box::pin(self.view_of(run))
    }

    fn look<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<KeptRun>> {
        Box::pin(self.look_at(run))
    }

    fn erase<'a>(&'a self, tenant: &'a Tenant, whose: Whose<'a>) -> Kept<'a, Vec<RunKey>> {
        Box::pin(async move {
            match whose {
                Whose::Person(peer) => self.erase_person(tenant, peer).await,
                Whose::Everybody => self.erase_tenant(tenant).await,
            }
        })
    }
}
