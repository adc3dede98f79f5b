//! A provider's ways with codes and tokens, and what may come of a token request.

use std::time::Duration;

use crate::mint::Mint;

/// Which of a provider's separate worlds a code or token holds in: Zoho's data centre, Intercom's region.
pub(crate) type Realm = &'static str;

/// A provider's ways with codes and tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) code_lives: Duration,
    /// None: access tokens never expire.
    pub(crate) access_lives: Option<Duration>,
    pub(crate) refresh: RefreshRule,
    /// How its codes, access tokens and refresh tokens look.
    pub(crate) looks: Looks,
    /// Whether the token request must repeat the redirect URI (RFC 6749 section 4.1.3).
    pub(crate) repeats_redirect: bool,
}

/// When a provider gives a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshRule {
    /// Never.
    None,
    /// Always, and each may be used once; using one again ends the grant (RFC 9700 section 4.14.2).
    SingleUse,
    /// For offline access, at the first consent or a forced one; it is used again and again.
    OfflineOnce,
}

/// What a provider's codes and tokens begin with, and how the rest is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    pub(crate) code: &'static str,
    pub(crate) access: &'static str,
    pub(crate) refresh: &'static str,
    pub(crate) write: fn(&mut Mint) -> String,
}

/// Why a token request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Missing(&'static str),
    Client,
    Secret,
    GrantType,
    Code,
    Redirect,
    Verifier,
    RefreshToken,
}

/// What a token request gave.
pub(crate) struct Issued {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    /// In seconds; none if it never expires.
    pub(crate) lifetime: Option<u64>,
    pub(crate) scopes: Vec<String>,
}
