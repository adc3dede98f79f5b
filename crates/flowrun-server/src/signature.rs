//! The proof of a webhook (N6, R20): HMAC-SHA256 over `time.body`, the bytes as they came, or a bearer's secret.
//!
//! A signature holds for five minutes before and after its time. The same headers go out with what channels are sent.

use flowrun::step::RunId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::hex;

/// When it was signed, in seconds since 1970.
pub const TIMESTAMP: HeaderName = HeaderName::from_static("x-flowrun-timestamp");
/// The signature: `v1=` and 64 hexadecimal digits.
pub const SIGNATURE: HeaderName = HeaderName::from_static("x-flowrun-signature");
/// The id of the delivery: the same however often it is made.
pub const DELIVERY: HeaderName = HeaderName::from_static("idempotency-key");

/// How far the sender's clock may be from ours.
const APART: SignedDuration = SignedDuration::from_mins(5);
/// The longest id of a delivery.
const LONGEST: usize = 255;

/// Why a delivery is not believed. The caller is told none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// No proof is there, or it is not written as one.
    #[error("there is no signature, or none that can be read")]
    Missing,
    /// It was signed too long ago, or in the future.
    #[error("it was signed at another time")]
    Time,
    /// It was signed with another secret, or something else was signed.
    #[error("the signature does not hold")]
    Signature,
}

/// The signature of a body that is sent at this time, as its header holds it.
#[must_use]
pub fn sign(secret: &SecretString, at: Timestamp, body: &[u8]) -> String {
    let made = mac(secret, &at.as_second().to_string(), body);
    format!("v1={}", made.map(|mac| hex::of(&mac.finalize().into_bytes())).unwrap_or_default())
}

/// Checks that the holder of the secret signed this body, lately.
///
/// # Errors
/// When the signature is missing, old or wrong.
pub fn verify(
    secret: &SecretString,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Unproven> {
    let time = one(headers, &TIMESTAMP).ok_or(Unproven::Missing)?;
    let signature = one(headers, &SIGNATURE).and_then(|text| hex::bytes(text.strip_prefix("v1=")?));
    let signature = signature.ok_or(Unproven::Missing)?;
    let signed: Timestamp =
        time.parse().ok().and_then(|second| Timestamp::from_second(second).ok()).ok_or(Unproven::Missing)?;
    let mac = mac(secret, time, body).ok_or(Unproven::Signature)?;
    mac.verify_slice(&signature).map_err(|_| Unproven::Signature)?;
    if now.duration_since(signed).abs() > APART { Err(Unproven::Time) } else { Ok(()) }
}

/// Checks that the caller shows the secret itself.
///
/// # Errors
/// When it shows none, or another.
pub fn bearer(secret: &SecretString, headers: &HeaderMap) -> Result<(), Unproven> {
    let shown = one(headers, &AUTHORIZATION).and_then(bearer_of).ok_or(Unproven::Missing)?;
    // Digests have one length, so that not even the secret's length is told.
    let (shown, secret) = (Sha256::digest(shown), Sha256::digest(secret.expose_secret()));
    if bool::from(shown.as_slice().ct_eq(secret.as_slice())) { Ok(()) } else { Err(Unproven::Signature) }
}

/// The secret of an `Authorization` header, if it is a bearer's.
pub(crate) fn bearer_of(header: &str) -> Option<&str> {
    let (scheme, secret) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// What tells this delivery from others: the sender's own id, else what was signed; none where nothing does.
#[must_use]
pub fn delivery(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if let Some(id) = one(headers, &DELIVERY).filter(|id| !id.is_empty() && id.len() <= LONGEST) {
        return Some(id.to_owned());
    }
    let time = one(headers, &TIMESTAMP)?;
    Some(hex::of(&Sha256::new().chain_update(time).chain_update(".").chain_update(body).finalize()))
}

/// The id of the run that a delivery starts: the same delivery at the same door is the same run (T20).
pub(crate) fn run(door: &str, delivery: &str) -> Option<RunId> {
    let digest = Sha256::new().chain_update(door).chain_update([0]).chain_update(delivery).finalize();
    RunId::new(&format!("hook-{}", hex::of(&digest[..16]))).ok()
}

/// A header that is there once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(first)
}

fn mac(secret: &SecretString, time: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"paid":7}"#;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn signed(secret: &str, second: i64, body: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(TIMESTAMP, second.to_string().parse().unwrap());
        headers.insert(SIGNATURE, sign(&secret.into(), at(second), body).parse().unwrap());
        headers
    }

    fn check(headers: &HeaderMap, body: &[u8], second: i64, expected: Result<(), Unproven>) {
        assert_eq!(verify(&"key".into(), headers, body, at(second)), expected, "{headers:?}");
    }

    /// The value is what `printf '1000.{"paid":7}' | openssl dgst -sha256 -hmac key` prints.
    #[test]
    fn a_signature_is_what_anybody_can_compute() {
        let made = sign(&"key".into(), at(1000), BODY);
        assert_eq!(made, "v1=12fdef4259a72c2eae9bc6ab6aefabce2945c292249183d67f1feb400c301177");
    }

    #[test]
    fn a_bad_signature_an_old_time_and_another_body_are_refused_t20() {
        check(&signed("key", 1000, BODY), BODY, 1299, Ok(()));
        check(&signed("key", 1000, BODY), BODY, 1301, Err(Unproven::Time));
        check(&signed("key", 1000, BODY), BODY, 699, Err(Unproven::Time));
        check(&signed("other", 1000, BODY), BODY, 1000, Err(Unproven::Signature));
        check(&signed("key", 1000, BODY), b"{}", 1000, Err(Unproven::Signature));
        check(&HeaderMap::new(), BODY, 1000, Err(Unproven::Missing));
        let mut later = signed("key", 1000, BODY);
        later.insert(TIMESTAMP, "1600".parse().unwrap());
        check(&later, BODY, 1600, Err(Unproven::Signature));
        for unreadable in ["", "v1=", "v1=abc", "v1=zz", "v0=00"] {
            let mut headers = signed("key", 1000, BODY);
            headers.insert(SIGNATURE, unreadable.parse().unwrap());
            assert!(verify(&"key".into(), &headers, BODY, at(1000)).is_err(), "{unreadable}");
        }
        let mut twice = signed("key", 1000, BODY);
        twice.append(TIMESTAMP, "1001".parse().unwrap());
        check(&twice, BODY, 1000, Err(Unproven::Missing));
    }

    #[test]
    fn a_bearer_shows_the_secret() {
        for (header, expected) in [
            ("Bearer key", Ok(())),
            ("bearer key", Ok(())),
            ("Bearer keys", Err(Unproven::Signature)),
            ("Basic key", Err(Unproven::Missing)),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, header.parse().unwrap())]);
            assert_eq!(bearer(&"key".into(), &headers), expected, "{header}");
        }
    }

    #[test]
    fn a_replay_is_the_same_run_and_another_delivery_is_not_t20() {
        let run =
            |headers: &HeaderMap, body: &[u8]| super::run("pay", &delivery(headers, body).unwrap()).unwrap();
        let first = run(&signed("key", 1000, BODY), BODY);
        assert_eq!(run(&signed("key", 1000, BODY), BODY), first);
        assert_ne!(run(&signed("key", 1001, BODY), BODY), first);
        let named = |second| {
            let mut headers = signed("key", second, BODY);
            headers.insert(DELIVERY, "evt_1".parse().unwrap());
            headers
        };
        assert_eq!(run(&named(1000), BODY), run(&named(1200), BODY));
        assert_ne!(run(&named(1000), BODY), first);
    }
}
