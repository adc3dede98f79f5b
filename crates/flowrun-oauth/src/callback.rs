//! Reads what the browser came back with, and trusts none of it until it is tied to a pending authorization.

use jiff::Timestamp;
use secrecy::SecretString;

use crate::{pending::Pending, provider::Provider, token::Kept};

/// A browser that came back.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The whole callback URL, or only its query.
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
    /// Values the preset keeps, each of them checked (OA-21).
    pub kept: Kept,
}

/// Why a callback is not followed by a token request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// What was pasted has no callback in it.
    #[error("this is no callback: it has neither a code nor an error")]
    NotACallback,
    /// A parameter appears twice (RFC 6749 3.1).
    #[error("the callback has `{0}` twice")]
    Repeated(String),
    /// `state` is absent or belongs to another attempt (RFC 6749 10.12).
    #[error("the callback belongs to another authorization")]
    WrongState,
    /// The callback came to another address than the one this attempt waits at (N5).
    #[error("the callback came to an address that this authorization does not wait at")]
    WrongAddress,
    /// Another browser began this authorization (N5).
    #[error("the callback came from another browser than the one that began")]
    WrongBrowser,
    /// The attempt is older than ten minutes.
    #[error("the authorization took too long")]
    Expired,
    /// The callback names another issuer than the provider's, or none where one is promised (RFC 9207 2.4).
    #[error("the callback does not come from the issuer `{0}`")]
    WrongIssuer(String),
    /// A kept value is not one the provider's settings allow (OA-21); its text is not repeated.
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

/// Reads a callback and ties it to its pending authorization.
///
/// # Errors
/// A [`CallbackError`]; no token request may follow it.
pub fn callback(
    _arrival: Arrival<'_>,
    _pending: &Pending,
    _provider: &Provider,
) -> Result<Callback, CallbackError> {
    todo!()
}
