//! Answers that no well-behaved service gives.

use crate::provider::Answer;

/// A redirect.
pub(crate) fn redirect(status: u16, location: &str) -> Answer {
    Answer::of(status, &[("location", location)], "")
}

/// These bytes and then nothing more, for as long as the client waits.
pub(crate) fn stalling(bytes: &str) -> Answer {
    Answer { bytes: bytes.into(), holds: true }
}

/// These bytes, and the connection ends.
pub(crate) fn raw(bytes: &str) -> Answer {
    Answer { bytes: bytes.into(), holds: false }
}
