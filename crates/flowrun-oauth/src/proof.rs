//! A callback's proof of where it comes from, for providers that sign what the browser brings (Shopify's `hmac`).
//!
//! The client secret is the key, so the proof is read with the callback and checked before the code is redeemed.

use std::{collections::BTreeMap, fmt};

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use url::form_urlencoded;

/// What a provider signed, and its signature: HMAC-SHA256 over all other parameters, sorted, written as a form.
pub(crate) struct Proof {
    /// It has the code in it.
    signed: SecretString,
    mac: Vec<u8>,
}

impl Proof {
    /// Reads the proof in the parameter of this name; none if it is absent or no hexadecimal text.
    pub(crate) fn read(parameter: &str, params: &BTreeMap<String, String>) -> Option<Self> {
        let mac = bytes_of_hex(params.get(parameter)?)?;
        let others = params.iter().filter(|(name, _)| *name != parameter);
        let signed = form_urlencoded::Serializer::new(String::new()).extend_pairs(others).finish();
        Some(Self { signed: signed.into(), mac })
    }

    /// Whether the holder of this secret made it; how long that takes tells nothing about the signature.
    pub(crate) fn holds(&self, secret: Option<&SecretString>) -> bool {
        let keyed =
            secret.and_then(|secret| Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok());
        keyed.is_some_and(|mut mac| {
            mac.update(self.signed.expose_secret().as_bytes());
            mac.verify_slice(&self.mac).is_ok()
        })
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Proof").finish_non_exhaustive()
    }
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |sign: &u8| char::from(*sign).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty())
}
