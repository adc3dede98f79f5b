//! The net at the sinks of this process: secrets that were read here are cut out of traces and of panics (N2, T4).
//!
//! It is a net, not the wall. It learns a secret when one is read, whether from the environment, a file or a person;
//! what an integration holds never leaves the registry and is not known here.

use std::io::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};

use flowrun::template::{Redactor, redact_named};
use secrecy::{ExposeSecret, SecretString};

use crate::escape::escape;

/// A shorter secret could not be cut out of other text without tearing words (N2).
pub(crate) const FEWEST_BYTES: usize = 8;

/// What is known so far; every clone knows the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Net(Arc<RwLock<Redactor>>);

impl Net {
    /// Learns a secret, unless it is too short to be told from a word.
    pub(crate) fn learn(&self, secret: &SecretString) {
        if secret.expose_secret().len() >= FEWEST_BYTES {
            self.0.write().unwrap_or_else(PoisonError::into_inner).add(secret);
        }
    }

    /// What is left of a text.
    pub(crate) fn clean(&self, text: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        redact_named(&known.redact(text)).into_owned()
    }

    /// Writes to stderr what is left of a text, harmless to a terminal.
    pub(crate) fn say(&self, text: &str) {
        // There is nobody left to tell when the stream for telling is gone.
        drop(io::stderr().write_all(escape(&self.clean(text)).as_bytes()));
    }
}
