//! One session's view of the records: read when asked for, written together at the end.
//!
//! The ledger is the truth about which records exist, what they are called and which write of each is the last.
//! It is sealed too, so a record cannot be removed, put back in an older form or renamed unnoticed (T2).

use std::collections::BTreeMap;

use flowrun_step::{Entropy, IntegrationName, NeedsAttention};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::seal::{Seal, Tie, Unsealable, generation, refusal};
use super::store::{Change, Session};
use crate::CustodyError;
use crate::id::Id;
use crate::record::Record;

const INSTALLATION: &str = "installation";
const LEDGER: &str = "ledger";

/// A store and the seal of what is in it.
pub(super) struct Sealed<S> {
    pub(super) store: S,
    seal: Seal,
}

impl<S: Session> Sealed<S> {
    pub(super) fn new(store: S, seal: Seal) -> Self {
        Self { store, seal }
    }

    /// The same store, to be opened with another key.
    pub(super) fn with(self, seal: Seal) -> Self {
        Self { seal, ..self }
    }

    /// Whether the key opens what is there.
    pub(super) fn opens(&self, entropy: &dyn Entropy) -> Result<bool, CustodyError> {
        match Book::open(self, entropy) {
            Ok(_) => Ok(true),
            Err(CustodyError::KeyWrong) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The records, as one session sees and changes them.
pub(crate) struct Book<'s> {
    /// None where nothing was ever written and this session only reads.
    source: Option<Source<'s>>,
    ledger: Ledger,
    is_changed: bool,
    staged: BTreeMap<Id, Option<Record>>,
    /// What is to be sealed anew, though nothing in it changes.
    resealed: BTreeMap<Id, Zeroizing<Vec<u8>>>,
}

struct Source<'s> {
    store: &'s dyn Session,
    /// Opens what is there.
    seal: &'s Seal,
    /// Closes what is written: the same, unless the key is being rotated.
    closing: &'s Seal,
    entropy: &'s dyn Entropy,
    installation: Vec<u8>,
    is_new: bool,
}

/// Which records there are.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ledger {
    /// Grows with every write.
    generation: u64,
    entries: BTreeMap<Id, Entry>,
    /// Keys of what is sealed elsewhere, by purpose, in hex.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    keys: BTreeMap<String, Zeroizing<String>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: IntegrationName,
    /// The ledger's generation when this record was last written.
    generation: u64,
}

impl<'s> Book<'s> {
    /// The book of a place where nothing was ever written.
    pub(super) fn empty() -> Self {
        Self::of(None, Ledger::default())
    }

    pub(super) fn open<S: Session>(
        sealed: &'s Sealed<S>,
        entropy: &'s dyn Entropy,
    ) -> Result<Self, CustodyError> {
        let (store, seal): (&dyn Session, _) = (&sealed.store, &sealed.seal);
        let is_new = store.is_empty().map_err(CustodyError::Database)?;
        let installation = match store.get(INSTALLATION).map_err(CustodyError::Database)? {
            Some(installation) => installation,
            None if is_new => random_installation(entropy),
            None => return Err(CustodyError::KeyWrong),
        };
        let source = Source { store, seal, closing: seal, entropy, installation, is_new };
        let ledger = if is_new { Ledger::default() } else { source.ledger()? };
        Ok(Self::of(Some(source), ledger))
    }

    fn of(source: Option<Source<'s>>, ledger: Ledger) -> Self {
        let (staged, resealed) = (BTreeMap::new(), BTreeMap::new());
        Self { source, ledger, is_changed: false, staged, resealed }
    }

    /// Every integration, by name.
    pub(crate) fn names(&self) -> Vec<(Id, IntegrationName)> {
        let entries = self.ledger.entries.iter();
        let mut names: Vec<_> = entries.map(|(id, entry)| (id.clone(), entry.name.clone())).collect();
        names.sort_by(|(_, one), (_, other)| one.key().cmp(other.key()));
        names
    }

    pub(crate) fn id_of(&self, name: &IntegrationName) -> Option<Id> {
        let mut entries = self.ledger.entries.iter();
        entries.find(|(_, entry)| entry.name == *name).map(|(id, _)| id.clone())
    }

    pub(crate) fn name_of(&self, id: &Id) -> Option<IntegrationName> {
        self.ledger.entries.get(id).map(|entry| entry.name.clone())
    }

    /// A record, as this session has it so far; none if there is none of this id.
    pub(crate) fn record(&self, id: &Id) -> Result<Option<Record>, CustodyError> {
        if let Some(staged) = self.staged.get(id) {
            return Ok(staged.clone());
        }
        match (&self.source, self.ledger.entries.get(id)) {
            (Some(source), Some(entry)) => source.record(id, entry).map(Some),
            _ => Ok(None),
        }
    }

    /// Puts a record under a name, in place of the one it had.
    pub(crate) fn put(&mut self, id: &Id, name: IntegrationName, record: Record) {
        self.ledger.entries.insert(id.clone(), Entry { name, generation: 0 });
        self.staged.insert(id.clone(), Some(record));
        self.is_changed = true;
    }

    pub(crate) fn remove(&mut self, id: &Id) {
        self.ledger.entries.remove(id);
        self.staged.insert(id.clone(), None);
        self.is_changed = true;
    }

    /// The key of what is sealed elsewhere for a purpose, such as a journal; a new one where there is none. It is kept here, so
    /// that another key of the registry changes nothing elsewhere.
    pub(crate) fn data_key(&mut self, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
        let entropy = self.source.as_ref()?.entropy;
        if !self.ledger.keys.contains_key(purpose) {
            let fresh = super::key_file::random(entropy);
            let hex = fresh.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            self.ledger.keys.insert(purpose.to_owned(), Zeroizing::new(hex));
            self.is_changed = true;
        }
        let hex = self.ledger.keys.get(purpose)?;
        let mut key = Zeroizing::new([0; 32]);
        for (byte, at) in key.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()?;
        }
        Some(key)
    }

    /// Which installation this is, in the form of a file name.
    pub(crate) fn installation(&self) -> Option<String> {
        let installation = &self.source.as_ref()?.installation;
        Some(installation.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether nothing was ever written here.
    pub(super) fn is_new(&self) -> bool {
        self.source.as_ref().is_none_or(|source| source.is_new)
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    pub(super) fn generation(&self) -> u64 {
        self.ledger.generation
    }

    /// Takes note that an older state was put back: tokens may have been replaced since, and a replaced refresh
    /// token must not be sent, so every authorization is to be renewed by a person (N9).
    pub(super) fn note_restored(&mut self, high_water: u64) {
        self.ledger.generation = self.ledger.generation.max(high_water);
        self.is_changed = true;
        for (id, name) in self.names() {
            // A record that does not open stays as it is; asking for it gives its own error.
            let Ok(Some(mut record)) = self.record(&id) else { continue };
            if record.authorized_at.is_some() {
                record.attention = Some(NeedsAttention::RestoredFromBackup);
                record.is_copy = false;
                record.refreshing = None;
                record.pending = None;
                self.put(&id, name, record);
            }
        }
    }

    /// Takes note that an operator put a backup back: a refresh token that each refresh replaces may have been replaced since, so
    /// it is sent only when a person says so (R19).
    pub(super) fn note_put_back(&mut self, high_water: u64) {
        self.ledger.generation = self.ledger.generation.max(high_water);
        self.is_changed = true;
        for (id, name) in self.names() {
            // As above: one that does not open says so itself.
            let Ok(Some(mut record)) = self.record(&id) else { continue };
            record.pending = None;
            if record.attention.is_none() && record.is_rotating() {
                record.attention = Some(NeedsAttention::RestoredFromBackup);
                record.is_copy = true;
                record.refreshing = None;
            }
            self.put(&id, name, record);
        }
    }

    /// Seals everything with another key when it is committed; refuses if there is anything that does not open.
    ///
    /// Records are taken as they are, so that those of a newer version come through too.
    pub(super) fn reseal(&mut self, with: &'s Seal) -> Result<usize, CustodyError> {
        let Some(source) = &mut self.source else { return Ok(0) };
        for (id, entry) in self.ledger.entries.iter().filter(|(id, _)| !self.staged.contains_key(id)) {
            self.resealed.insert(id.clone(), source.clear(id, entry)?);
        }
        source.closing = with;
        self.is_changed = true;
        Ok(self.ledger.entries.len())
    }

    /// Writes what was changed, whole.
    pub(super) fn commit(mut self) -> Result<(), CustodyError> {
        let Some(source) = self.source.take().filter(|_| self.is_changed) else { return Ok(()) };
        self.ledger.generation += 1;
        let mut batch = Vec::with_capacity(self.staged.len() + self.resealed.len() + 2);
        for (id, clear) in std::mem::take(&mut self.resealed) {
            if let Some(entry) = self.ledger.entries.get_mut(&id) {
                entry.generation = self.ledger.generation;
                batch.push(source.closed(record_key(&id), entry.generation, &clear));
            }
        }
        for (id, staged) in std::mem::take(&mut self.staged) {
            let Some(record) = staged else {
                batch.push(Change::Remove(record_key(&id)));
                continue;
            };
            if let Some(entry) = self.ledger.entries.get_mut(&id) {
                entry.generation = self.ledger.generation;
            }
            batch.push(source.sealed(record_key(&id), self.ledger.generation, &record)?);
        }
        batch.push(source.sealed(LEDGER.to_owned(), self.ledger.generation, &self.ledger)?);
        if source.is_new {
            batch.push(Change::Put(INSTALLATION.to_owned(), source.installation.clone()));
        }
        source.store.apply(batch).map_err(CustodyError::Database)
    }
}

impl Source<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CustodyError> {
        self.store.get(key).map_err(CustodyError::Database)
    }

    fn ledger(&self) -> Result<Ledger, CustodyError> {
        let envelope = self.get(LEDGER)?.ok_or(CustodyError::KeyWrong)?;
        let refused = |why: Unsealable| refusal(why, CustodyError::KeyWrong);
        let claimed = generation(&envelope).map_err(refused)?;
        let clear = self.seal.open(self.tie(LEDGER, claimed), &envelope).map_err(refused)?;
        let ledger: Ledger = serde_json::from_slice(&clear).map_err(|_| CustodyError::KeyWrong)?;
        Ok(ledger)
    }

    fn clear(&self, id: &Id, entry: &Entry) -> Result<Zeroizing<Vec<u8>>, CustodyError> {
        let damaged = || CustodyError::Damaged(entry.name.clone());
        let key = record_key(id);
        let envelope = self.get(&key)?.ok_or_else(damaged)?;
        let opened = self.seal.open(self.tie(&key, entry.generation), &envelope);
        opened.map_err(|why| refusal(why, damaged()))
    }

    fn record(&self, id: &Id, entry: &Entry) -> Result<Record, CustodyError> {
        let clear = self.clear(id, entry)?;
        // What opens was sealed here; if it cannot be understood, it is newer than this version.
        serde_json::from_slice(&clear).map_err(|_| CustodyError::Newer(entry.name.clone()))
    }

    fn sealed(&self, key: String, generation: u64, what: &impl Serialize) -> Result<Change, CustodyError> {
        let clear = serde_json::to_vec(what).map_err(|error| CustodyError::Database(Box::new(error)))?;
        Ok(self.closed(key, generation, &Zeroizing::new(clear)))
    }

    fn closed(&self, key: String, generation: u64, clear: &[u8]) -> Change {
        let envelope = self.closing.close(self.tie(&key, generation), clear, self.entropy);
        Change::Put(key, envelope)
    }

    fn tie<'k>(&'k self, key: &'k str, generation: u64) -> Tie<'k> {
        Tie { installation: &self.installation, key, generation }
    }
}

fn record_key(id: &Id) -> String {
    format!("record/{id}")
}

fn random_installation(entropy: &dyn Entropy) -> Vec<u8> {
    let mut installation = vec![0; 16];
    entropy.fill(&mut installation);
    installation
}
