//! Asking whether a token is still good (RFC 7662, OA-66).

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{
    TokenEndpoint,
    error::{Class, TokenError},
    grant::Kept,
    revocation::TokenKind,
    wire::{Asking, Wire},
};

/// A provider's introspection endpoint, as one client sees it.
#[derive(Debug, Clone)]
pub struct Introspection<'a> {
    endpoint: TokenEndpoint<'a>,
    url: Url,
}

impl<'a> TokenEndpoint<'a> {
    /// The introspection endpoint, if the provider has one. `kept` is what the grant has kept so far.
    #[must_use]
    pub fn introspection(&self, kept: &Kept) -> Option<Introspection<'a>> {
        let url = self.provider.at_kept_origin(&self.provider.introspect_url()?, kept);
        Some(Introspection { endpoint: *self, url })
    }
}

impl Introspection<'_> {
    /// Whether the provider takes a token for good now. Why it does not is never said (RFC 7662 2.2).
    ///
    /// # Errors
    /// A [`TokenError`]; nothing is known of the token.
    pub async fn is_active(&self, token: &SecretString, kind: TokenKind) -> Result<bool, TokenError> {
        let token = token.expose_secret();
        let wire = Wire::new(self.endpoint, self.url.clone(), Asking::Introspection, vec![token]);
        let fields = wire.post(&[("token", token), ("token_type_hint", kind.hint())]).await?;
        let active = fields.and_then(|fields| fields.get("active").and_then(Value::as_bool));
        active.ok_or_else(|| wire.error(Class::Malformed))
    }
}
