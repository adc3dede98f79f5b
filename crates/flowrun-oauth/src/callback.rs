//! Reads what the browser came back with, and trusts none of it until it is tied to a pending authorization.
//!
//! The order is the point: where it came, from which browser, with which state, in time, from which issuer; only
//! then what it says. Whether the pending authorization is still unused is the store's to know (OA-10).

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

use crate::{
    begin::fingerprint,
    keep::{harmless, is_visible},
    pending::Pending,
    proof::Proof,
    provider::Provider,
    token::Kept,
};

/// A browser that came back.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The whole callback URL, its path and query, or its query alone.
    pub address: &'a str,
    /// The secret this browser shows, if the authorization was bound to one (N5).
    pub session_binding: Option<&'a str>,
    /// When it came.
    pub at: Timestamp,
}

/// A callback that belongs to its pending authorization and brings a code.
#[derive(Debug)]
pub struct Callback {
    /// The authorization code (RFC 6749 4.1.2); it is good for one exchange.
    pub code: SecretString,
    /// Values the provider's settings keep, each of them checked (OA-21).
    pub kept: Kept,
    /// What proves who made the callback, where the provider's settings ask for it; checked when the code is redeemed.
    pub(crate) proof: Option<Proof>,
}

/// Why a callback is not followed by a token request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// What was given has no callback in it.
    #[error("this is no callback: it has neither a code nor an error")]
    NotACallback,
    /// A parameter appears twice (RFC 6749 3.1).
    #[error("the callback has `{0}` twice")]
    Repeated(String),
    /// The callback came to another address than the one this attempt waits at (N5).
    #[error("the callback came to an address that this authorization does not wait at")]
    WrongAddress,
    /// Another browser began this authorization (N5).
    #[error("the callback came from another browser than the one that began")]
    WrongBrowser,
    /// `state` is absent or belongs to another attempt (RFC 6749 10.12).
    #[error("the callback belongs to another authorization")]
    WrongState,
    /// The provider has another token endpoint than when this attempt began, so the code is not meant for it.
    #[error("the provider's settings have changed since this authorization began")]
    OtherProvider,
    /// The attempt is older than ten minutes.
    #[error("the authorization took too long")]
    Expired,
    /// The callback names another issuer than the provider's, or none where one is promised (RFC 9207 2.4).
    #[error("the callback does not come from the issuer `{0}`")]
    WrongIssuer(String),
    /// A value to keep is not one the provider's settings allow (OA-21); its text is not repeated.
    #[error("the callback's `{0}` is not a value this provider may send")]
    UnexpectedValue(String),
    /// The person, or the provider for them, said no.
    #[error("the authorization was denied")]
    Denied {
        /// The provider's words, capped and stripped of control characters.
        provider_words: Option<String>,
    },
    /// The provider answered with another error (RFC 6749 4.1.2.1).
    #[error("the provider answered `{code}`")]
    Provider {
        /// The error code, capped and stripped of control characters.
        code: String,
        /// The provider's words, capped and stripped of control characters.
        provider_words: Option<String>,
    },
}

impl CallbackError {
    /// What to do next, in a sentence for the person who authorises.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotACallback => {
                "copy the whole address on which the browser ended, from `http` to its last letter"
            }
            Self::Repeated(_) | Self::WrongState | Self::WrongAddress => {
                "use the address of the authorization begun last, or begin again"
            }
            Self::WrongBrowser => "finish in the browser in which you began",
            Self::OtherProvider => "begin again with the new settings",
            Self::Expired => "begin again, and finish within ten minutes",
            Self::WrongIssuer(_) | Self::UnexpectedValue(_) => {
                "nothing was sent: check the provider's settings, and that you began at the right provider"
            }
            Self::Denied { .. } => "begin again, and accept; your user may lack the right to do so",
            Self::Provider { .. } => {
                "check client id, scopes and callback URL at the provider, then begin again"
            }
        }
    }
}

/// Reads a callback and ties it to its pending authorization.
///
/// # Errors
/// A [`CallbackError`]; no token request may follow it.
pub fn callback(
    arrival: Arrival<'_>,
    pending: &Pending,
    provider: &Provider,
) -> Result<Callback, CallbackError> {
    let address = Address::read(arrival.address)?;
    address.check_place(&pending.redirect_uri)?;
    check_browser(arrival.session_binding, pending)?;
    address.check_state(pending)?;
    if *provider.token_url() != pending.token_url {
        return Err(CallbackError::OtherProvider);
    }
    if arrival.at >= pending.expires_at {
        return Err(CallbackError::Expired);
    }
    address.check_issuer(provider)?;
    address.check_answer()?;
    let kept = address.kept(provider)?;
    let code = address.get("code").filter(|code| is_visible(code)).ok_or(CallbackError::NotACallback)?;
    let proof = address.proof(provider)?;
    Ok(Callback { code: code.into(), kept, proof })
}

/// A callback's address, taken apart.
struct Address {
    place: Place,
    params: BTreeMap<String, String>,
}

/// How much of the callback's address is known beside its query.
enum Place {
    Whole(Url),
    Path(String),
    Unknown,
}

impl Address {
    fn read(text: &str) -> Result<Self, CallbackError> {
        let text = text.trim();
        let (place, query) = if text.starts_with('/') {
            let (path, query) = text.split_once('?').ok_or(CallbackError::NotACallback)?;
            (Place::Path(path.to_owned()), query.to_owned())
        } else if let Ok(url) = Url::parse(text) {
            let query = url.query().unwrap_or_default().to_owned();
            (Place::Whole(url), query)
        } else {
            (Place::Unknown, text.trim_start_matches('?').to_owned())
        };
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            // RFC 6749 3.1: parameters must not be included more than once (OA-24).
            if params.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(CallbackError::Repeated(harmless(&name, &[])));
            }
        }
        let is_callback = params.contains_key("code") || params.contains_key("error");
        is_callback.then_some(Self { place, params }).ok_or(CallbackError::NotACallback)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The redirect URI holds a random id of the integration, so the place tells integrations apart (N5).
    fn check_place(&self, redirect_uri: &str) -> Result<(), CallbackError> {
        let expected = Url::parse(redirect_uri).map_err(|_| CallbackError::WrongAddress)?;
        let here = match &self.place {
            Place::Whole(url) => url.origin() == expected.origin() && url.path() == expected.path(),
            Place::Path(path) => path == expected.path(),
            Place::Unknown => true,
        };
        here.then_some(()).ok_or(CallbackError::WrongAddress)
    }

    fn check_state(&self, pending: &Pending) -> Result<(), CallbackError> {
        match self.get("state") {
            Some(state) if is_same(state, pending.state.expose_secret()) => Ok(()),
            // Teamleader answers a denial with `error` and nothing else. It came to this attempt's own address and
            // gives nothing away, so it may end the attempt; anything with a code must show the state.
            None if self.get("code").is_none() && !matches!(self.place, Place::Unknown) => Ok(()),
            _ => Err(CallbackError::WrongState),
        }
    }

    /// RFC 9207 2.4: if the issuer is known, `iss` must be it; if one is promised, it must be there (OA-20).
    fn check_issuer(&self, provider: &Provider) -> Result<(), CallbackError> {
        let Some(expected) = &provider.settings().issuer else { return Ok(()) };
        match self.get("iss") {
            Some(iss) if iss == expected => Ok(()),
            None if !provider.settings().issuer_required => Ok(()),
            _ => Err(CallbackError::WrongIssuer(expected.clone())),
        }
    }

    fn check_answer(&self) -> Result<(), CallbackError> {
        let Some(error) = self.get("error") else { return Ok(()) };
        let provider_words = self.get("error_description").map(|words| harmless(words, &[]));
        Err(match error {
            "access_denied" => CallbackError::Denied { provider_words },
            _ => CallbackError::Provider { code: harmless(error, &[]), provider_words },
        })
    }

    fn proof(&self, provider: &Provider) -> Result<Option<Proof>, CallbackError> {
        let Some(name) = &provider.settings().callback_hmac else { return Ok(None) };
        let proof = Proof::read(name, &self.params);
        proof.map(Some).ok_or_else(|| CallbackError::UnexpectedValue(name.clone()))
    }

    fn kept(&self, provider: &Provider) -> Result<Kept, CallbackError> {
        let mut kept = Kept::new();
        for rule in &provider.settings().keep_from_callback {
            match self.get(&rule.name) {
                Some(value) if rule.allows(value) => drop(kept.insert(rule.name.clone(), value.to_owned())),
                Some(_) => return Err(CallbackError::UnexpectedValue(rule.name.clone())),
                None => {}
            }
        }
        Ok(kept)
    }
}

fn check_browser(shown: Option<&str>, pending: &Pending) -> Result<(), CallbackError> {
    let Some(expected) = &pending.session_binding else { return Ok(()) };
    let same = shown.is_some_and(|shown| is_same(&fingerprint(shown), expected));
    same.then_some(()).ok_or(CallbackError::WrongBrowser)
}

/// Compares digests: how long that takes tells nothing about the values (OA-10).
fn is_same(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}
