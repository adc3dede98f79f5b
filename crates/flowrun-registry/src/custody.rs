//! Custody of the records: sealed, one reader or writer at a time, on disk before anybody is told (N9).
//!
//! It promises that a session sees what the last one left, that a write is whole or absent, and that what was
//! written survives a power cut. A session is short: the database is opened, used and closed within it, under a
//! lock that a killed process cannot keep. What the records mean is left to the rest of the crate.

mod backup;
mod book;
mod disk;
mod durable;
mod high_water;
mod key_file;
mod lock;
pub(crate) mod seal;
mod sled_store;
mod store;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flowrun_step::Entropy;

pub(crate) use book::Book;
pub(crate) use high_water::Stamp;
pub use store::{Change, Session, Store};

use crate::CustodyError;
use crate::id::Id;
use book::Sealed;
use disk::Disk;
use seal::Seal;
use store::MemoryStore;

/// Where the records are.
pub(crate) struct Custody {
    entropy: Arc<dyn Entropy>,
    place: Place,
    /// Threads of this process take their turns here, and only the first of them asks the other processes.
    turn: Mutex<()>,
}

enum Place {
    Disk(Disk),
    /// In memory, or wherever an embedding service keeps things.
    Given(Arc<dyn Store>, Seal),
}

/// A right to an integration that no other process has; ends when dropped, or with the process.
pub(crate) struct Exclusive(#[expect(dead_code, reason = "held for its lock")] Box<dyn Send + Sync>);

impl Custody {
    pub(crate) fn on_disk(data_dir: PathBuf, key_file: PathBuf, entropy: Arc<dyn Entropy>) -> Self {
        let place = Place::Disk(Disk::new(data_dir, key_file));
        Self { entropy, place, turn: Mutex::new(()) }
    }

    pub(crate) fn in_memory(entropy: Arc<dyn Entropy>) -> Self {
        let seal = seal::random(&*entropy);
        Self::given(Arc::new(MemoryStore::default()), seal, entropy)
    }

    /// The records in somebody else's database; who has the key is theirs to say too.
    pub(crate) fn in_store(store: Arc<dyn Store>, key: &[u8; 32], entropy: Arc<dyn Entropy>) -> Self {
        Self::given(store, seal::of_records(key), entropy)
    }

    fn given(store: Arc<dyn Store>, seal: Seal, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, place: Place::Given(store, seal), turn: Mutex::new(()) }
    }

    /// Reads; the stamp tells later whether anything has been written since.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&Book<'_>) -> Result<T, CustodyError> + Send + 'static,
    ) -> Result<(T, Stamp), CustodyError> {
        self.session(Intent::Read, move |book| look(book)).await
    }

    /// Reads and writes: all of it or, if `change` fails, nothing. It is durable when this returns (OA-57).
    pub(crate) async fn write<T: Send + 'static, E: From<CustodyError> + Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Book<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Stamp), E> {
        self.session(Intent::Write, change).await
    }

    /// Seals everything with a new key; how many records that were, or none where there is no key yet.
    pub(crate) async fn rotate_key(self: &Arc<Self>) -> Result<Option<usize>, CustodyError> {
        self.blocking(|custody| match &custody.place {
            Place::Disk(disk) => disk.rotate_key(&*custody.entropy),
            // There is no key file; in memory the key ends with the process, elsewhere it is the embedder's.
            Place::Given(..) => Ok(None),
        })
        .await
    }

    /// Everything as it lies on disk, sealed; nothing where the records are kept by somebody else.
    pub(crate) async fn sealed(self: &Arc<Self>) -> Result<backup::Sealed, CustodyError> {
        self.blocking(|custody| match &custody.place {
            Place::Disk(disk) => disk.sealed(),
            Place::Given(..) => Ok(backup::Sealed::new()),
        })
        .await
    }

    /// Puts back what was taken out, where there is nothing.
    pub(crate) async fn put_back(self: &Arc<Self>, sealed: backup::Sealed) -> Result<(), CustodyError> {
        self.blocking(|custody| match &custody.place {
            Place::Disk(disk) => disk.put_back(sealed),
            Place::Given(..) => Ok(()),
        })
        .await
    }

    /// Whether anything has been written since the stamp was made; costs one look at a file's times.
    pub(crate) fn is_current(&self, stamp: &Stamp) -> bool {
        match &self.place {
            Place::Disk(disk) => disk.stamp() == *stamp,
            Place::Given(store, _) => Stamp::counted(store.writes()) == *stamp,
        }
    }

    /// Takes the right to an integration across processes, or nothing if another process has it.
    pub(crate) fn try_exclusive(&self, id: &Id) -> Result<Option<Exclusive>, CustodyError> {
        match &self.place {
            Place::Disk(disk) => Ok(disk.try_exclusive(id)?.map(|file| Exclusive(Box::new(file)))),
            Place::Given(store, _) => {
                let taken = store.try_exclusive(id.as_str()).map_err(CustodyError::Database)?;
                Ok(taken.map(Exclusive))
            }
        }
    }

    /// Who has the right to an integration at this moment: nobody, or a process that may be known.
    pub(crate) fn holder(&self, id: &Id) -> Result<Option<Option<u32>>, CustodyError> {
        match &self.place {
            Place::Disk(disk) => disk.holder(id),
            Place::Given(..) => Ok(None),
        }
    }

    /// The data folder and the key file, where there are any.
    pub(crate) fn paths(&self) -> Option<(&Path, &Path)> {
        match &self.place {
            Place::Disk(disk) => Some((disk.data_dir(), disk.key_file())),
            Place::Given(..) => None,
        }
    }

    async fn session<T: Send + 'static, E: From<CustodyError> + Send + 'static>(
        self: &Arc<Self>,
        intent: Intent,
        work: impl FnOnce(&mut Book<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, Stamp), E> {
        self.blocking(move |custody| match &custody.place {
            Place::Disk(disk) => disk.session(intent, &*custody.entropy, work),
            Place::Given(store, seal) => {
                let session = store.session().map_err(CustodyError::Database)?;
                let sealed = Sealed::new(session, seal.clone());
                let mut book = Book::open(&sealed, &*custody.entropy)?;
                let answer = work(&mut book)?;
                book.commit()?;
                Ok((answer, Stamp::counted(store.writes())))
            }
        })
        .await
    }

    /// The one place where the database's blocking calls meet the runtime.
    async fn blocking<T: Send + 'static, E: From<CustodyError> + Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let custody = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _turn = custody.turn.lock().unwrap_or_else(PoisonError::into_inner);
            work(&custody)
        });
        match task.await {
            Ok(answer) => answer,
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            Err(cancelled) => Err(CustodyError::Database(Box::new(cancelled)).into()),
        }
    }
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    /// Nothing is made that is not there.
    Read,
    /// Folder, key and database are made if they are not there.
    Write,
}
