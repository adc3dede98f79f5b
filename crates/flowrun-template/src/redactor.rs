//! The net at every sink: known secrets are cut out of whatever is about to be written (N2).

use std::borrow::Cow;

use secrecy::SecretString;
use serde_json::Value;

/// Finds known secrets by value, in every spelling a program might give them.
#[derive(Clone, Default)]
pub struct Redactor {
    spellings: Vec<String>,
}

impl Redactor {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret.
    pub fn add(&mut self, secret: &SecretString) {
        todo!("{secret:?}")
    }

    /// Adds a secret together with the id it is joined to for Basic authentication (RFC 7617).
    pub fn add_pair(&mut self, id: &str, secret: &SecretString) {
        todo!("{id} {secret:?}")
    }

    /// The text without the secrets.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        todo!("{text} {:?}", self.spellings)
    }

    /// Cuts the secrets out of every string and key of `value`.
    pub fn redact_value(&self, value: &mut Value) {
        todo!("{value}")
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("spellings", &self.spellings.len()).finish()
    }
}
