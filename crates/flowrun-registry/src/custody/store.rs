//! Bytes under keys: what the sealed records need of a database, whoever brings it (OA-58, N10).
//!
//! The registry's own lie on disk. A process that ends with its registry keeps them in memory; a service that has a
//! database of its own, for several machines perhaps, brings a [`Store`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flowrun_step::BoxError;

/// A database that an embedding service brings. It sees keys such as `record/…` and sealed bytes, never a secret.
///
/// Its methods may block: they are called where no run is kept waiting, but for [`Store::writes`].
pub trait Store: Send + Sync {
    /// Begins a session. While it lives there is no other, in any process; it lives for milliseconds.
    ///
    /// # Errors
    /// When the database cannot be used, or another session does not end in time.
    fn session(&self) -> Result<Box<dyn Session + '_>, BoxError>;

    /// Takes a lock of this name that no other process has, or none if one has it. It is held while tokens are
    /// exchanged, up to half a minute, and must be free again when its holder is killed (OA-39).
    ///
    /// # Errors
    /// When the database cannot be used.
    fn try_exclusive(&self, name: &str) -> Result<Option<Box<dyn Send + Sync>>, BoxError>;

    /// A number that grows with every write by anybody. It is asked before each request, so it must be answered from
    /// memory; where it lags, a token that another process replaced is tried once more than needed, and nothing worse.
    fn writes(&self) -> u64;
}

/// A database while nobody else uses it.
pub trait Session {
    /// What stands under a key.
    ///
    /// # Errors
    /// When it cannot be read.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BoxError>;

    /// Whether there is nothing at all.
    ///
    /// # Errors
    /// When it cannot be read.
    fn is_empty(&self) -> Result<bool, BoxError>;

    /// Makes every change or none, and returns when they are durable (OA-57).
    ///
    /// # Errors
    /// When it cannot be written.
    fn apply(&self, changes: Vec<Change>) -> Result<(), BoxError>;
}

/// One change of several that are made together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These bytes stand under this key.
    Put(String, Vec<u8>),
    /// Nothing stands under this key.
    Remove(String),
}

impl<S: Session + ?Sized> Session for Box<S> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BoxError> {
        (**self).get(key)
    }

    fn is_empty(&self) -> Result<bool, BoxError> {
        (**self).is_empty()
    }

    fn apply(&self, changes: Vec<Change>) -> Result<(), BoxError> {
        (**self).apply(changes)
    }
}

/// A database that ends with the process.
#[derive(Default)]
pub(super) struct MemoryStore {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    writes: AtomicU64,
}

/// The one session of a database in memory.
struct MemorySession<'s> {
    entries: Mutex<MutexGuard<'s, BTreeMap<String, Vec<u8>>>>,
    writes: &'s AtomicU64,
}

impl Store for MemoryStore {
    fn session(&self) -> Result<Box<dyn Session + '_>, BoxError> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(MemorySession { entries: Mutex::new(entries), writes: &self.writes }))
    }

    fn try_exclusive(&self, _name: &str) -> Result<Option<Box<dyn Send + Sync>>, BoxError> {
        // No other process can have it, and the tasks of this one take turns before they ask.
        Ok(Some(Box::new(())))
    }

    fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }
}

impl Session for MemorySession<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BoxError> {
        Ok(self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn is_empty(&self) -> Result<bool, BoxError> {
        Ok(self.entries.lock().unwrap_or_else(PoisonError::into_inner).is_empty())
    }

    fn apply(&self, changes: Vec<Change>) -> Result<(), BoxError> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            match change {
                Change::Put(key, value) => drop(entries.insert(key, value)),
                Change::Remove(key) => drop(entries.remove(&key)),
            }
        }
        self.writes.fetch_add(1, Ordering::Release);
        Ok(())
    }
}
