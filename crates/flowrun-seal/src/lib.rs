//! Seals what is stored: XChaCha20-Poly1305 under a key of this purpose, tied to its place and generation (N9).
//!
//! An envelope is `format (1) | generation (8) | nonce (24) | ciphertext`. Format, installation, the key it is
//! stored under and the generation are associated data: an envelope that is moved, or claims to be newer than it is,
//! does not open (OA-54).
//!
//! # Example
//! ```
//! use flowrun_seal::{Seal, Tie};
//! # struct Dice;
//! # impl flowrun_step::Entropy for Dice { fn fill(&self, bytes: &mut [u8]) { bytes.fill(4) } }
//!
//! let seal = Seal::of_purpose(&[7; 32], b"flowrun example");
//! let tie = Tie { installation: b"here", key: "note/1", generation: 1 };
//! let envelope = seal.close(tie, b"a note", &Dice);
//! assert_eq!(&seal.open(tie, &envelope).expect("it is as it was")[..], b"a note");
//! assert!(seal.open(Tie { key: "note/2", ..tie }, &envelope).is_err());
//! ```

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use flowrun_step::Entropy;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The format this version writes, and the only one it reads (OA-55).
const FORMAT: u8 = 1;
const NONCE: usize = 24;
const HEAD: usize = 1 + 8 + NONCE;

/// What an envelope is tied to.
#[derive(Debug, Clone, Copy)]
pub struct Tie<'a> {
    /// The installation, so that a record of another one does not open.
    pub installation: &'a [u8],
    /// The key it is stored under.
    pub key: &'a str,
    /// Which write of it this is.
    pub generation: u64,
}

/// Seals and unseals.
#[derive(Clone)]
pub struct Seal {
    cipher: XChaCha20Poly1305,
}

impl Seal {
    /// A seal for one purpose, from a key that may serve others (HKDF, RFC 5869).
    #[must_use]
    pub fn of_purpose(key: &[u8; 32], name: &[u8]) -> Self {
        Self { cipher: XChaCha20Poly1305::new((&*key_of(key, name)).into()) }
    }

    /// Seals `clear`.
    #[must_use]
    pub fn close(&self, tie: Tie<'_>, clear: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        let payload = Payload { msg: clear, aad: &tie.associated() };
        #[expect(clippy::expect_used, reason = "the cipher refuses only messages over 256 GiB")]
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).expect("a record is small");
        let mut envelope = Vec::with_capacity(HEAD + sealed.len());
        envelope.push(FORMAT);
        envelope.extend(tie.generation.to_be_bytes());
        envelope.extend(nonce);
        envelope.extend(sealed);
        envelope
    }

    /// Unseals an envelope, if it is what `tie` says.
    ///
    /// # Errors
    /// When it is something else, or a newer version wrote it.
    pub fn open(&self, tie: Tie<'_>, envelope: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        if generation(envelope)? != tie.generation {
            return Err(Unsealable::Changed);
        }
        let nonce: [u8; NONCE] = envelope[9..HEAD].try_into().map_err(|_| Unsealable::Changed)?;
        let payload = Payload { msg: &envelope[HEAD..], aad: &tie.associated() };
        let clear = self.cipher.decrypt(&XNonce::from(nonce), payload);
        clear.map(Zeroizing::new).map_err(|_| Unsealable::Changed)
    }
}

/// The key of one purpose.
fn key_of(key: &[u8; 32], name: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut purpose = Zeroizing::new([0; 32]);
    #[expect(clippy::expect_used, reason = "HKDF-SHA256 expands to 32 bytes always (RFC 5869 2.3)")]
    Hkdf::<Sha256>::new(None, key).expand(name, purpose.as_mut()).expect("32 bytes are within the limit");
    purpose
}

/// Knows a thing again without keeping it: a digest under a key (HMAC-SHA256, RFC 2104), of which 128 bits are enough.
#[derive(Clone)]
pub struct Fingerprint(Hmac<Sha256>);

impl Fingerprint {
    /// Fingerprints for one purpose, from a key that may serve others.
    #[must_use]
    pub fn of_purpose(key: &[u8; 32], name: &[u8]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 2)")]
        Self(Hmac::new_from_slice(key_of(key, name).as_ref()).expect("a key of any length"))
    }

    /// The fingerprint of some parts: others, or the same cut elsewhere, have another.
    #[must_use]
    pub fn of(&self, parts: &[&str]) -> [u8; 16] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&part.len().to_be_bytes());
            mac.update(part.as_bytes());
        }
        let digest = mac.finalize().into_bytes();
        std::array::from_fn(|at| digest[at])
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fingerprint").finish_non_exhaustive()
    }
}

/// The generation an envelope claims; only opening it proves the claim.
///
/// # Errors
/// When it is no envelope, or a newer version wrote it.
pub fn generation(envelope: &[u8]) -> Result<u64, Unsealable> {
    match envelope.first() {
        Some(&FORMAT) if envelope.len() > HEAD => {}
        Some(&found) if found != FORMAT => return Err(Unsealable::UnknownFormat(found)),
        _ => return Err(Unsealable::Changed),
    }
    let bytes: [u8; 8] = envelope[1..9].try_into().map_err(|_| Unsealable::Changed)?;
    Ok(u64::from_be_bytes(bytes))
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

/// Why an envelope does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsealable {
    /// Another key, another place, another generation, or another hand.
    Changed,
    /// A newer version wrote it.
    UnknownFormat(u8),
}

impl Tie<'_> {
    fn associated(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        for part in [self.installation, self.key.as_bytes(), &self.generation.to_be_bytes()] {
            // With its length before each part, no two ties have the same bytes.
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
        bytes
    }
}
