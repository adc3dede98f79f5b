//! What is sealed, and to which place it is tied: moved elsewhere it does not open.

use std::sync::Arc;

use flowrun_engine::journal::JournalError;
use flowrun_seal::{Seal, Tie};
use flowrun_step::{Entropy, RunId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Seals the records of one journal.
#[derive(Clone)]
pub(crate) struct Sealer {
    seal: Seal,
    installation: Vec<u8>,
    entropy: Arc<dyn Entropy>,
}

/// Where a record stands.
pub(crate) enum Place<'a> {
    Proof,
    Texts(&'a str),
    Standing(&'a RunId),
    Start(&'a RunId),
    Checkpoint(&'a RunId),
    /// The entry of a run by its number.
    Entry(&'a RunId, i64),
}

impl Place<'_> {
    fn tie(&self) -> (String, u64) {
        match self {
            Self::Proof => ("proof".to_owned(), 0),
            Self::Texts(hash) => (format!("texts/{hash}"), 0),
            Self::Standing(run) => (format!("standing/{run}"), 0),
            Self::Start(run) => (format!("start/{run}"), 0),
            Self::Checkpoint(run) => (format!("checkpoint/{run}"), 0),
            Self::Entry(run, number) => (format!("entry/{run}"), number.unsigned_abs()),
        }
    }
}

impl Sealer {
    pub(crate) fn new(key: &[u8; 32], installation: Vec<u8>, entropy: Arc<dyn Entropy>) -> Self {
        Self { seal: Seal::of_purpose(key, b"flowrun journal"), installation, entropy }
    }

    pub(crate) fn close_bytes(&self, place: &Place<'_>, clear: &[u8]) -> Vec<u8> {
        let (key, generation) = place.tie();
        let tie = Tie { installation: &self.installation, key: &key, generation };
        self.seal.close(tie, clear, &*self.entropy)
    }

    pub(crate) fn open_bytes(&self, place: &Place<'_>, envelope: &[u8]) -> Option<Vec<u8>> {
        let (key, generation) = place.tie();
        let tie = Tie { installation: &self.installation, key: &key, generation };
        self.seal.open(tie, envelope).ok().map(|clear| clear.to_vec())
    }

    /// Seals a value as JSON.
    pub(crate) fn close(&self, place: &Place<'_>, value: &impl Serialize) -> Result<Vec<u8>, JournalError> {
        let clear =
            serde_json::to_vec(value).map_err(|error| JournalError::Unavailable(error.to_string()))?;
        Ok(self.close_bytes(place, &clear))
    }

    /// Opens what was sealed at this place.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        place: &Place<'_>,
        envelope: &[u8],
    ) -> Result<T, JournalError> {
        let damaged =
            |what: &str| JournalError::Unavailable(format!("a record of it {what}: {}", place.tie().0));
        let clear = self.open_bytes(place, envelope).ok_or_else(|| damaged("was changed"))?;
        serde_json::from_slice(&clear).map_err(|_| damaged("is of another version"))
    }
}
