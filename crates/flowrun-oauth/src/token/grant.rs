//! What a token endpoint grants.

use std::{collections::BTreeMap, time::Duration};

use oauth2::TokenResponse;
use secrecy::SecretString;

use super::reply::Reply;
use crate::provider::Provider;

/// Values kept beside the tokens, such as Zoho's `api_domain`. None of them is a secret.
pub type Kept = BTreeMap<String, String>;

/// What a token endpoint granted.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The access token.
    pub access_token: SecretString,
    /// A new refresh token. None in the reply to a refresh means that the old one stays (OA-43).
    pub refresh_token: Option<SecretString>,
    /// The token type, in lower case; `bearer` if the provider wrote none.
    pub token_type: String,
    /// How long the access token lives, counted from the start of the request (OA-47).
    pub lifetime: Lifetime,
    /// How long the refresh token lives, where the provider says.
    pub refresh_lifetime: Option<Duration>,
    /// The granted scopes, where the provider says; none said means "as asked" (RFC 6749 5.1).
    pub scope: Option<Vec<String>>,
    /// Values kept beside the tokens: those of the callback or of the grant so far, then those of this reply.
    pub kept: Kept,
    /// Names of values that should have been kept, were it not for what they say (N4); worth a warning.
    pub unexpected: Vec<String>,
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

impl Grant {
    /// Reads a strict reply; `before` is what is kept already, `refreshable` whether there is a refresh token now.
    pub(super) fn read(reply: &Reply, provider: &Provider, before: &Kept, refreshable: bool) -> Self {
        let extras = reply.extra_fields();
        let mut kept = before.clone();
        kept.extend(extras.kept.clone());
        let lifetime = match (reply.expires_in(), refreshable, provider.settings().default_lifetime) {
            (Some(said), _, _) => Lifetime::Seconds(said.as_secs()),
            (None, false, _) => Lifetime::NeverExpires,
            (None, true, Some(usual)) => Lifetime::Seconds(usual),
            (None, true, None) => Lifetime::Unstated,
        };
        Self {
            access_token: reply.access_token().secret().clone().into(),
            refresh_token: reply.refresh_token().map(|token| token.secret().clone().into()),
            token_type: reply.token_type().as_ref().to_owned(),
            lifetime,
            refresh_lifetime: extras.refresh_lifetime.map(Duration::from_secs),
            scope: reply
                .scopes()
                .map(|scopes| scopes.iter().map(|scope| scope.as_str().to_owned()).collect()),
            kept,
            unexpected: extras.unexpected.clone(),
        }
    }
}
