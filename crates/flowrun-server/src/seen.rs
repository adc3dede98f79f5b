//! Signatures that were used lately: the id of a delivery is not signed, so nobody may use a signature with another one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How long a signature is remembered: longer than it holds.
const KEPT: SignedDuration = SignedDuration::from_mins(11);
/// The most that are remembered; only who knows a secret adds to them.
const MOST: usize = 100_000;

/// Which delivery a signature came with first.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<String, (Timestamp, String)>>);

impl Seen {
    /// Whether the signature comes with this delivery, as it did before if it did.
    pub(crate) fn fits(&self, signature: &str, delivery: &str, now: Timestamp) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, first)) = seen.get(signature) {
            return first == delivery;
        }
        if seen.len() >= MOST {
            seen.retain(|_, (at, _)| now.duration_since(*at) < KEPT);
        }
        if seen.len() >= MOST {
            return false;
        }
        seen.insert(signature.to_owned(), (now, delivery.to_owned()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_belongs_to_the_delivery_it_came_with_first() {
        let (seen, now) = (Seen::default(), Timestamp::UNIX_EPOCH);
        assert!(seen.fits("v1=00", "a", now));
        assert!(seen.fits("v1=00", "a", now));
        assert!(!seen.fits("v1=00", "b", now));
        assert!(seen.fits("v1=01", "b", now));
    }
}
