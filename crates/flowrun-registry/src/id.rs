//! The id of an integration: random, the same for life, and part of its callback URL (N5).

use std::fmt;

use flowrun_step::Entropy;
use serde::{Deserialize, Serialize};

/// An integration's id: 26 letters and digits, 130 random bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Id(String);

const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const LENGTH: usize = 26;

impl Id {
    /// A new id.
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; LENGTH];
        entropy.fill(&mut bytes);
        Self(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect())
    }

    /// The id in a callback's address: the last part of its path.
    pub(crate) fn in_address(address: &str) -> Option<Self> {
        let path = address.split(['?', '#']).next()?;
        Self::try_from(path.rsplit('/').next()?.to_owned()).ok()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_legal = text.len() == LENGTH && text.bytes().all(|byte| LETTERS.contains(&byte));
        if is_legal { Ok(Self(text)) } else { Err("not an id of an integration") }
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}
