//! Durations as authors write them (L-7): `500ms 30s 5m 1h30m 2d`.

use std::time::Duration;

use crate::error::SyntaxError;

/// Reads a duration.
///
/// # Errors
/// When the text is no duration; a bare number gets the fix as help.
pub fn parse(text: &str) -> Result<Duration, SyntaxError> {
    todo!("{text}")
}

/// Writes a duration as an author would: `1h30m`.
#[must_use]
pub fn format(duration: Duration) -> String {
    todo!("{duration:?}")
}
