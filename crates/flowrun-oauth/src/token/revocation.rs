//! Giving a token back (RFC 7009, OA-65).
//!
//! One token, one exchange. A token the provider does not know is as good as revoked. Which tokens there are, and what
//! becomes of them here, is the caller's business.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    TokenEndpoint,
    error::TokenError,
    grant::Kept,
    wire::{Asking, Wire},
};

/// A provider's revocation endpoint, as one client sees it.
#[derive(Debug, Clone)]
pub struct Revocation<'a> {
    endpoint: TokenEndpoint<'a>,
    url: Url,
}

/// What kind of token is meant (RFC 7009 2.1, RFC 7662 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A token that requests carry.
    Access,
    /// A token that brings others; most providers end the whole grant with it.
    Refresh,
}

impl TokenKind {
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Refresh => "refresh_token",
        }
    }
}

impl<'a> TokenEndpoint<'a> {
    /// The revocation endpoint, if the provider has one. `kept` is what the grant has kept so far.
    #[must_use]
    pub fn revocation(&self, kept: &Kept) -> Option<Revocation<'a>> {
        let url = self.provider.at_kept_origin(&self.provider.revoke_url()?, kept);
        Some(Revocation { endpoint: *self, url })
    }
}

fn is_unknown_token(error: &TokenError) -> bool {
    error.status == Some(400) && error.provider_code.as_deref() == Some("invalid_token")
}

impl Revocation<'_> {
    /// Gives one token back.
    ///
    /// # Errors
    /// A [`TokenError`]; the token must be taken to be still good (RFC 7009 2.2.1).
    pub async fn revoke(&self, token: &SecretString, kind: TokenKind) -> Result<(), TokenError> {
        let token = token.expose_secret();
        let wire = Wire::new(self.endpoint, self.url.clone(), Asking::Revocation, vec![token]);
        match wire.post(&[("token", token), ("token_type_hint", kind.hint())]).await {
            Ok(_) => Ok(()),
            // RFC 7009 2.2 wants 200 for a token that is unknown; Google says this.
            Err(error) if is_unknown_token(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
