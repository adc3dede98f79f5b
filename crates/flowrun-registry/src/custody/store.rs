//! Bytes under keys: what the sealed records need of a database, so that the sandbox needs none (N10).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Stamp;
use crate::CustodyError;

/// One change of a batch.
pub(super) enum Change {
    Put(String, Vec<u8>),
    Remove(String),
}

/// A database that is open.
pub(super) trait Store {
    /// What stands under a key.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CustodyError>;

    /// Whether there is nothing at all.
    fn is_empty(&self) -> bool;

    /// Makes every change of the batch or none, and returns when they are durable.
    fn apply(&self, batch: Vec<Change>) -> Result<(), CustodyError>;
}

/// A database that ends with the process.
#[derive(Default)]
pub(super) struct MemoryStore {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    writes: AtomicU64,
}

impl MemoryStore {
    /// Changes with every write.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp::counted(self.writes.load(Ordering::Acquire))
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CustodyError> {
        Ok(self.entries().get(key).cloned())
    }

    fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    fn apply(&self, batch: Vec<Change>) -> Result<(), CustodyError> {
        let mut entries = self.entries();
        for change in batch {
            match change {
                Change::Put(key, value) => drop(entries.insert(key, value)),
                Change::Remove(key) => drop(entries.remove(&key)),
            }
        }
        self.writes.fetch_add(1, Ordering::Release);
        Ok(())
    }
}
