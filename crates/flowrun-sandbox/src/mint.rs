//! Makes codes, tokens and secrets that are never the same twice.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::Entropy;

/// A source of random words.
///
/// A counter goes into each, so that even a test's constant entropy gives no word twice.
pub(crate) struct Mint {
    entropy: Entropy,
    made: u64,
    purpose: &'static str,
}

impl Mint {
    /// Words for this purpose differ from those for any other.
    pub(crate) fn new(entropy: Entropy, purpose: &'static str) -> Self {
        Self { entropy, made: 0, purpose }
    }

    /// 256 bits as 43 characters that need no escaping.
    pub(crate) fn word(&mut self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes())
    }

    /// 256 bits as two halves in hexadecimal with a dot between: how Zoho's codes and tokens look.
    pub(crate) fn hex_pair(&mut self) -> String {
        let hex: String = self.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}.{}", &hex[..32], &hex[32..])
    }

    fn bytes(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        (self.entropy)(&mut seed);
        self.made += 1;
        let digest = Sha256::new()
            .chain_update(seed)
            .chain_update(self.made.to_be_bytes())
            .chain_update(self.purpose)
            .finalize();
        digest.into()
    }
}
