//! The seals of a registry: one for its records, one for files that leave the installation.

use flowrun_step::Entropy;
use zeroize::Zeroizing;

pub(crate) use flowrun_seal::{Seal, Tie, Unsealable, generation};

use crate::CustodyError;

/// Seals records, with the installation's key.
pub(super) fn of_records(key: &[u8; 32]) -> Seal {
    Seal::of_purpose(key, b"flowrun registry")
}

/// Seals files that leave the installation, with a key that a passphrase makes.
pub(crate) fn of_export(key: &[u8; 32]) -> Seal {
    Seal::of_purpose(key, b"flowrun export")
}

/// A seal whose key nobody else has.
pub(super) fn random(entropy: &dyn Entropy) -> Seal {
    let mut key = Zeroizing::new([0; 32]);
    entropy.fill(key.as_mut());
    of_records(&key)
}

/// The error, where `changed` says what it means if this version knows the format.
pub(super) fn refusal(why: Unsealable, changed: CustodyError) -> CustodyError {
    match why {
        Unsealable::Changed => changed,
        Unsealable::UnknownFormat(found) => CustodyError::UnknownFormat { found },
    }
}
