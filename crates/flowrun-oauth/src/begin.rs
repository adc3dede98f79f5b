//! Begins an authorization: the URL the browser opens, and what to remember until it comes back.

use jiff::Timestamp;
use url::Url;

use crate::{pending::Pending, provider::Provider};

/// What one authorization asks for (RFC 6749 4.1.1).
#[derive(Debug, Clone)]
pub struct AuthorizationRequest<'a> {
    /// The integration that is being authorised; the callback will be tied to it.
    pub integration: &'a str,
    /// The client id.
    pub client_id: &'a str,
    /// Where the provider sends the browser, letter by letter as registered there.
    pub redirect_uri: &'a str,
    /// The scopes; none leaves the parameter out (SEED-5).
    pub scopes: &'a [String],
    /// Asks for consent even if it was given before, for providers that otherwise give no refresh token (OA-15).
    pub force_consent: bool,
    /// A secret that only this browser holds, such as a cookie; the callback must show it again (N5).
    pub session_binding: Option<&'a str>,
}

/// Why an authorization cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BeginError {
    /// The provider's grant needs no browser.
    #[error("this integration uses client credentials, so there is nothing to authorise in a browser")]
    NoBrowserNeeded,
    /// The redirect URI is no absolute URL, or has a fragment (RFC 6749 3.1.2) or user information.
    #[error("the redirect URI `{0}` is not a plain absolute URL")]
    RedirectMalformed(String),
    /// The provider accepts only https redirect URIs.
    #[error("the provider accepts only https redirect URIs, not `{0}`")]
    RedirectNotHttps(String),
    /// A scope has a character that RFC 6749 3.3 forbids, or the provider's separator.
    #[error("`{0}` is not a scope")]
    BadScope(String),
    /// A scope is listed twice.
    #[error("scope `{0}` is listed twice")]
    RepeatedScope(String),
}

/// Begins an authorization: returns the URL for the browser and what to keep until the callback.
///
/// # Errors
/// A [`BeginError`] when the request does not suit the provider; nothing has been used up.
pub fn begin(
    _provider: &Provider,
    _request: &AuthorizationRequest<'_>,
    _entropy: &mut dyn FnMut(&mut [u8]),
    _now: Timestamp,
) -> Result<(Url, Pending), BeginError> {
    todo!()
}
