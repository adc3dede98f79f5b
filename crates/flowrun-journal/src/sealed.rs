//! What is sealed, and to which place it is tied: moved elsewhere it does not open.

use std::sync::Arc;

use flowrun_engine::Conversation;
use flowrun_engine::journal::{JournalError, RunKey};
use flowrun_seal::{Fingerprint, Seal, Tie};
use flowrun_step::{Entropy, Tenant};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::pack;

/// Seals the records of one journal.
#[derive(Clone)]
pub(crate) struct Sealer {
    seal: Seal,
    fingerprint: Fingerprint,
    installation: Arc<[u8]>,
    entropy: Arc<dyn Entropy>,
}

/// Where a record stands.
pub(crate) enum Place<'a> {
    Proof,
    /// The key of a tenant.
    Tenant(&'a Tenant),
    Texts(&'a str),
    Standing(&'a RunKey),
    Start(&'a RunKey),
    Checkpoint(&'a RunKey),
    Answer(&'a RunKey),
    /// Whom a run talks with.
    Who(&'a RunKey),
    /// The entry of a run by its number.
    Entry(&'a RunKey, i64),
    /// A letter of a run.
    Letter(&'a RunKey),
    /// A message of a conversation, by the fingerprint of that.
    Message(&'a [u8; 16]),
    /// An event, by the fingerprint of its id.
    Event(&'a [u8; 16]),
}

/// A run in a tie: the one tenant there was before there were several stands in none.
fn run(RunKey { tenant, id }: &RunKey) -> String {
    if *tenant == Tenant::default() { id.to_string() } else { format!("{tenant}/{id}") }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Place<'_> {
    fn tie(&self) -> (String, u64) {
        let place = match self {
            Self::Proof => "proof".to_owned(),
            Self::Tenant(tenant) => format!("tenant/{tenant}"),
            Self::Texts(hash) => format!("texts/{hash}"),
            Self::Standing(key) => format!("standing/{}", run(key)),
            Self::Start(key) => format!("start/{}", run(key)),
            Self::Checkpoint(key) => format!("checkpoint/{}", run(key)),
            Self::Answer(key) => format!("answer/{}", run(key)),
            Self::Who(key) => format!("who/{}", run(key)),
            Self::Entry(key, number) => return (format!("entry/{}", run(key)), number.unsigned_abs()),
            Self::Letter(key) => format!("letter/{}", run(key)),
            Self::Message(conversation) => format!("message/{}", hex(*conversation)),
            Self::Event(id) => format!("event/{}", hex(*id)),
        };
        (place, 0)
    }
}

impl Sealer {
    pub(crate) fn new(key: &[u8; 32], installation: Vec<u8>, entropy: Arc<dyn Entropy>) -> Self {
        let fingerprint = Fingerprint::of_purpose(key, b"flowrun journal fingerprints");
        let installation = installation.into();
        Self { seal: Seal::of_purpose(key, b"flowrun journal"), fingerprint, installation, entropy }
    }

    /// The same under a tenant's own key: what it sealed is gone with that (R13).
    pub(crate) fn of_tenant(&self, key: &[u8; 32]) -> Self {
        Self { seal: Seal::of_purpose(key, b"flowrun journal of a tenant"), ..self.clone() }
    }

    /// A new key.
    pub(crate) fn new_key(&self) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        self.entropy.fill(key.as_mut());
        key
    }

    /// A name that nobody has.
    pub(crate) fn name(&self) -> String {
        let mut name = [0; 16];
        self.entropy.fill(&mut name);
        hex(&name)
    }

    /// What a run was started with, to be known when it is started again.
    pub(crate) fn start(&self, run: &RunKey, digest: &[u8; 32]) -> [u8; 16] {
        self.fingerprint.of(&["start", run.tenant.as_str(), run.id.as_str(), &hex(digest)])
    }

    /// A conversation, to be known again.
    pub(crate) fn conversation(&self, tenant: &Tenant, conversation: &Conversation) -> [u8; 16] {
        let Conversation { channel, account, peer } = conversation;
        self.fingerprint.of(&["conversation", tenant.as_str(), channel, account, peer])
    }

    /// A message, to be known when it comes again.
    pub(crate) fn message(&self, conversation: &[u8; 16], id: &str) -> [u8; 16] {
        self.fingerprint.of(&["message", &hex(conversation), id])
    }

    /// The URL of a step of a run, to be known when it is called again.
    pub(crate) fn callback(&self, run: &RunKey, step: &str) -> [u8; 16] {
        self.fingerprint.of(&["callback", run.tenant.as_str(), run.id.as_str(), step])
    }

    /// What an event is about.
    pub(crate) fn subject(&self, tenant: &Tenant, name: &str, key: Option<&str>) -> [u8; 16] {
        let (has_key, key) = if let Some(key) = key { ("with", key) } else { ("without", "") };
        self.fingerprint.of(&["subject", tenant.as_str(), name, has_key, key])
    }

    /// The name of a moment.
    pub(crate) fn mark(&self, tenant: &Tenant, name: &str) -> [u8; 16] {
        self.fingerprint.of(&["mark", tenant.as_str(), name])
    }

    /// An event, to be known when it is told again.
    pub(crate) fn event(&self, tenant: &Tenant, id: &str) -> [u8; 16] {
        self.fingerprint.of(&["event", tenant.as_str(), id])
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

    /// Seals a value as JSON, packed: a run at rest is small on disk.
    pub(crate) fn pack(&self, place: &Place<'_>, value: &impl Serialize) -> Result<Vec<u8>, JournalError> {
        let unusable = |error: &dyn std::fmt::Display| JournalError::Unavailable(error.to_string());
        let text = serde_json::to_vec(value).map_err(|error| unusable(&error))?;
        let packed = pack::pack(&text).map_err(|error| unusable(&error))?;
        Ok(self.close_bytes(place, &packed))
    }

    /// Opens what was packed at this place, or sealed as it is: JSON of an object begins with a brace, and what is packed never does.
    pub(crate) fn unpack<T: DeserializeOwned>(
        &self,
        place: &Place<'_>,
        envelope: &[u8],
    ) -> Result<T, JournalError> {
        let clear = self.open_bytes(place, envelope).ok_or_else(|| damaged(place, "was changed"))?;
        let other = |_: &dyn std::fmt::Debug| damaged(place, "is of another version");
        match clear.first() {
            Some(b'{') => serde_json::from_slice(&clear).map_err(|error| other(&error)),
            _ => {
                let text = pack::unpack(&clear).map_err(|error| other(&error))?;
                serde_json::from_slice(&text).map_err(|error| other(&error))
            }
        }
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
        let clear = self.open_bytes(place, envelope).ok_or_else(|| damaged(place, "was changed"))?;
        serde_json::from_slice(&clear).map_err(|_| damaged(place, "is of another version"))
    }
}

pub(crate) fn damaged(place: &Place<'_>, what: &str) -> JournalError {
    JournalError::Unavailable(format!("a record of it {what}: {}", place.tie().0))
}
