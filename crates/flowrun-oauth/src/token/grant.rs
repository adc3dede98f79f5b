//! What a token endpoint grants.

use std::{collections::BTreeMap, time::Duration};

use secrecy::SecretString;

/// Values kept beside the tokens, such as Zoho's `api_domain`. None of them is a secret.
pub type Kept = BTreeMap<String, String>;

/// What a token endpoint granted.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The access token.
    pub access_token: SecretString,
    /// A new refresh token. None in the reply to a refresh means that the old one stays (OA-43).
    pub refresh_token: Option<SecretString>,
    /// The token type as the provider wrote it; `Bearer` if it wrote none.
    pub token_type: String,
    /// How long the access token lives, counted from the start of the request (OA-47).
    pub lifetime: Lifetime,
    /// How long the refresh token lives, where the provider says.
    pub refresh_lifetime: Option<Duration>,
    /// The granted scopes, where the provider says; none said means "as asked" (RFC 6749 5.1).
    pub scope: Option<Vec<String>>,
    /// Values kept beside the tokens: those of the callback or the refreshed grant, then those of this reply.
    pub kept: Kept,
}

/// How long an access token lives (OA-31).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// This many seconds, said by the reply or, in its silence, by the preset.
    Seconds(u64),
    /// It has no end: the reply states none and there is nothing to refresh with.
    NeverExpires,
    /// Nobody says, though it can be refreshed: the last known lifetime, else an hour.
    Unstated,
}
