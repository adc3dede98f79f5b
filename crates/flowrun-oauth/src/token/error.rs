//! Why a token endpoint granted nothing, sorted by what the caller may do next (OA-44).

use std::{fmt, time::Duration};

use http::{HeaderMap, StatusCode, header};
use jiff::fmt::rfc2822;
use url::Url;

use crate::exchange::ExchangeError;

/// Why a token endpoint granted nothing.
///
/// Neither `Display` nor `Debug` can show a token, a code or a secret: the reply itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {endpoint} at {host} {}", self.class.words())]
#[non_exhaustive]
pub struct TokenError {
    /// What the caller may do next.
    pub class: Class,
    /// Which of the provider's endpoints was asked.
    pub endpoint: Endpoint,
    /// The endpoint's host.
    pub host: String,
    /// The HTTP status, if there was a reply.
    pub status: Option<u16>,
    /// The provider's error code, capped and stripped of control characters.
    pub provider_code: Option<String>,
    /// The provider's own words, capped and stripped of control characters (OA-35).
    pub provider_words: Option<String>,
    /// What the way out saw, if there was no reply.
    pub source: Option<Box<ExchangeError>>,
}

/// The endpoints of a provider that a client asks by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// Where grants are had (RFC 6749 3.2).
    Token,
    /// Where a device asks for its codes (RFC 8628 3.1).
    Device,
    /// Where a token is given back (RFC 7009 2).
    Revocation,
    /// Where the provider says whether a token is still good (RFC 7662 2).
    Introspection,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Token => "token endpoint",
            Self::Device => "device authorization endpoint",
            Self::Revocation => "revocation endpoint",
            Self::Introspection => "introspection endpoint",
        })
    }
}

/// What the caller may do after a token error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The provider or the network is unwell: keep everything, try later.
    Transient {
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// The client or its settings are refused; an operator must change them.
    Client,
    /// The code or refresh token is refused; a person must authorise again.
    Grant,
    /// The request was sent and no reply read: the code is spent, a rotating provider may have replaced the refresh
    /// token (OA-36, OA-45).
    Ambiguous,
    /// A reply came that cannot be understood or used; nothing is known of the grant.
    Malformed,
    /// Policy kept the request from leaving (N7).
    Forbidden,
    /// The callback's proof was not made with the client secret, so no request was made.
    Forged,
}

impl Class {
    fn words(self) -> &'static str {
        match self {
            Self::Transient { .. } => "cannot answer now",
            Self::Client => "refuses the client or its settings",
            Self::Grant => "refuses the grant",
            Self::Ambiguous => "may have acted, but its reply was lost",
            Self::Malformed => "gave a reply that cannot be used",
            Self::Forbidden => "is at an address that is not permitted",
            Self::Forged => "was not asked, because the callback's proof does not fit the client secret",
        }
    }
}

impl TokenError {
    /// An error of `class` at the token endpoint `url`, nothing else being known.
    pub(super) fn new(class: Class, url: &Url) -> Self {
        Self {
            class,
            endpoint: Endpoint::Token,
            host: url.host_str().unwrap_or_default().to_owned(),
            status: None,
            provider_code: None,
            provider_words: None,
            source: None,
        }
    }

    /// What to do next, in a sentence for the operator.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match (self.class, self.provider_code.as_deref()) {
            (Class::Client, Some("redirect_uri_mismatch" | "invalid_redirect_uri" | "bad_redirect_uri")) => {
                "register exactly the callback URL that flowrun shows at the provider"
            }
            (Class::Client, Some("invalid_scope")) => {
                "check the scopes against the provider's documentation and against what the client may ask for"
            }
            (Class::Client, _) => {
                "check the client id, the client secret and the token URL, then authorise again"
            }
            // Zoho says one thing for four causes.
            (Class::Grant, Some("invalid_code")) => {
                "the code or refresh token is wrong, used, expired or revoked, or belongs to another data centre: \
                 authorise again"
            }
            (Class::Grant, _) => "authorise again",
            (Class::Transient { .. }, _) => "try again later",
            (Class::Ambiguous, _) => "if the next use fails, authorise again",
            (Class::Malformed, _) => "check the token URL and the provider's settings",
            (Class::Forged, _) => {
                "check the client secret, then authorise again; if it is right, the callback is not the provider's"
            }
            (Class::Forbidden, _) => {
                "check the token URL; private addresses must be permitted by the operator"
            }
        }
    }
}

/// What a status means whatever the reply says: try later (OA-44).
pub(super) fn class_of_status(status: StatusCode, headers: &HeaderMap) -> Option<Class> {
    let unwell = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
    unwell.then(|| Class::Transient { retry_after: retry_after(headers) })
}

/// What an error means by its code (RFC 6749 5.2, and what providers say instead) or, failing that, by its words.
pub(super) fn class_of_error(code: Option<&str>, words: &str) -> Option<Class> {
    let code = code.map(str::to_ascii_lowercase);
    match code.as_deref() {
        Some(
            "invalid_grant"
            | "invalid_code"
            | "invalid_refresh_token"
            | "bad_refresh_token"
            | "token_revoked"
            | "token_expired"
            | "bad_verification_code",
        ) => Some(Class::Grant),
        // Teamleader has no code in its errors; older PHP authorization servers have this one for everything.
        None | Some("invalid_request") if blames_the_grant(words) => Some(Class::Grant),
        Some(
            "invalid_client"
            | "unauthorized_client"
            | "invalid_client_secret"
            | "bad_client_secret"
            | "incorrect_client_credentials"
            | "invalid_request"
            | "invalid_scope"
            | "invalid_target"
            | "unsupported_grant_type"
            | "redirect_uri_mismatch"
            | "invalid_redirect_uri"
            | "bad_redirect_uri",
        ) => Some(Class::Client),
        // Zoho says "Access Denied", with status 200, to a client that asks too often.
        Some(
            "temporarily_unavailable"
            | "server_error"
            | "slow_down"
            | "rate_limited"
            | "ratelimited"
            | "access_denied"
            | "access denied",
        ) => Some(Class::Transient { retry_after: None }),
        Some(_) => Some(Class::Malformed),
        None => None,
    }
}

/// What a status means when neither it nor the reply says more.
pub(super) fn class_of_bare_status(status: StatusCode) -> Class {
    match status.as_u16() {
        // The client was not let in, or the address is not that of a token endpoint.
        300..=399 | 401 | 404 | 405 | 410 | 415 => Class::Client,
        _ => Class::Malformed,
    }
}

fn blames_the_grant(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let subjects = ["refresh token", "authorization code"];
    let faults = ["invalid", "expired", "revoked", "used"];
    subjects.iter().any(|subject| words.contains(subject)) && faults.iter().any(|fault| words.contains(fault))
}

/// RFC 9110 10.2.3: seconds, or a date, which is read against the reply's own `Date` because we have no clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| rfc2822::parse(text).ok().map(|date| date.timestamp());
    let sent = date(headers.get(header::DATE)?.to_str().ok()?)?;
    let wait = date(text)?.duration_since(sent);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}
