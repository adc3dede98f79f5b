//! Why a token endpoint granted nothing, sorted by what the caller may do next (OA-44).

use std::time::Duration;

use crate::exchange::ExchangeError;

/// Why a token endpoint granted nothing.
///
/// Neither `Display` nor `Debug` can show a token, a code or a secret: the reply itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token endpoint at {host} {}", self.class.words())]
pub struct TokenError {
    /// What the caller may do next.
    pub class: Class,
    /// The token endpoint's host.
    pub host: String,
    /// The HTTP status, if there was a reply.
    pub status: Option<u16>,
    /// The provider's error code, capped and stripped of control characters.
    pub provider_code: Option<String>,
    /// The provider's own words, capped and stripped of control characters (OA-35).
    pub provider_words: Option<String>,
    /// What the way out saw, if there was no reply.
    pub source: Option<ExchangeError>,
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
    /// The request was sent and no reply read: a rotating provider may have replaced the refresh token (OA-45).
    Ambiguous,
    /// A reply came that cannot be understood or used; nothing is known of the grant.
    Malformed,
    /// Policy kept the request from leaving (N7).
    Forbidden,
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
        }
    }
}

impl TokenError {
    /// What to do next, in a sentence for the operator.
    #[must_use]
    pub fn help(&self) -> &'static str {
        todo!()
    }
}
