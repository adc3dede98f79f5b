//! What a newer flowrun would write: a record with one field more, sealed as the records of this version are.
//!
//! It is written anew here, from the description of the form, so that a change of the form is noticed too.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use serde_json::Value;
use sha2::Sha256;

/// Opens an envelope, adds a field, and seals it again in its place.
pub(crate) fn with_one_more_field(key: &[u8], installation: &[u8], place: &[u8], sealed: &[u8]) -> Vec<u8> {
    let mut purpose = [0; 32];
    Hkdf::<Sha256>::new(None, key).expand(b"flowrun registry", &mut purpose).unwrap();
    let cipher = XChaCha20Poly1305::new((&purpose).into());
    let nonce = XNonce::try_from(&sealed[9..33]).unwrap();
    let aad = associated(installation, place, &sealed[1..9]);
    let opened = cipher.decrypt(&nonce, Payload { msg: &sealed[33..], aad: &aad }).unwrap();
    let mut record: Value = serde_json::from_slice(&opened).unwrap();
    record["of_tomorrow"] = true.into();
    let clear = serde_json::to_vec(&record).unwrap();
    let closed = cipher.encrypt(&nonce, Payload { msg: &clear, aad: &aad }).unwrap();
    [&sealed[..33], &closed].concat()
}

/// Format, then installation, place and generation, each behind its length.
fn associated(installation: &[u8], place: &[u8], generation: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1];
    for part in [installation, place, generation] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    bytes
}
