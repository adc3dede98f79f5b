//! The token endpoint: codes, refresh tokens and client credentials go in, grants come out.
//!
//! Each call makes one exchange and never a second: whether to ask again is the caller's decision, and an error's
//! [`Class`] says what it may be.

mod complaint;
mod device;
mod error;
mod grant;
mod introspection;
mod reply;
mod revocation;
mod wire;

use std::fmt;

use oauth2::{AuthorizationCode, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, TokenResponse};
use secrecy::{ExposeSecret, SecretString};

pub use device::{Device, DeviceGrant, Poll};
pub use error::{Class, Endpoint, TokenError};
pub use grant::{Grant, Kept, Lifetime};
pub use introspection::Introspection;
pub use revocation::{Revocation, TokenKind};

use crate::{callback::Callback, exchange::Exchange, pending::Pending, provider::Provider};
use wire::{Asking, Wire};

/// The client as the provider knows it.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client id.
    pub id: String,
    /// The client secret, unless the client is public.
    pub secret: Option<SecretString>,
}

/// A provider's token endpoint, as one client sees it through one way out.
#[derive(Clone, Copy)]
pub struct TokenEndpoint<'a> {
    /// The way out.
    pub exchange: &'a dyn Exchange,
    /// The provider.
    pub provider: &'a Provider,
    /// The client.
    pub client: &'a Client,
}

impl TokenEndpoint<'_> {
    /// Redeems an authorization code (RFC 6749 4.1.3).
    ///
    /// # Errors
    /// A [`TokenError`]; whatever its class, this code must not be sent again (OA-36). Of class [`Class::Forged`], with
    /// nothing sent, if the callback's proof was not made with the client secret.
    pub async fn redeem(&self, pending: &Pending, callback: &Callback) -> Result<Grant, TokenError> {
        let code = callback.code.expose_secret();
        let verifier = pending.verifier.as_ref().map(ExposeSecret::expose_secret);
        let url = self.provider.at_kept_origin(self.provider.token_url(), &callback.kept);
        if callback.proof.as_ref().is_some_and(|proof| !proof.holds(self.client.secret.as_ref())) {
            return Err(TokenError::new(Class::Forged, &url));
        }
        let wire =
            Wire::new(*self, url, Asking::Code, [Some(code), verifier].into_iter().flatten().collect());
        // Letter by letter as it was sent before (OA-11).
        let redirect =
            RedirectUrl::new(pending.redirect_uri.clone()).map_err(|_| wire.error(Class::Client))?;
        let client = wire.client().set_redirect_uri(redirect);
        let mut request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        if let Some(verifier) = verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        }
        for (name, value) in self.provider.settings().token_extras() {
            request = request.add_extra_param(name, value);
        }
        let reply = request.request_async(&wire).await.map_err(|error| wire.failed(error))?;
        Ok(Grant::read(&reply, self.provider, &callback.kept, reply.refresh_token().is_some()))
    }

    /// Refreshes a token (RFC 6749 6). `kept` is what the grant has kept so far.
    ///
    /// # Errors
    /// A [`TokenError`] whose class says what became of the grant (OA-44, OA-45).
    pub async fn refresh(&self, refresh_token: &SecretString, kept: &Kept) -> Result<Grant, TokenError> {
        let url = self.provider.at_kept_origin(self.provider.refresh_url(), kept);
        let wire = Wire::new(*self, url, Asking::Refresh, vec![refresh_token.expose_secret()]);
        let client = wire.client();
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let mut request = client.exchange_refresh_token(&token);
        for (name, value) in self.provider.settings().refresh_extras() {
            request = request.add_extra_param(name, value);
        }
        let reply = request.request_async(&wire).await.map_err(|error| wire.failed(error))?;
        // The refresh token just used stays good if no other came (OA-43), so there is one either way.
        Ok(Grant::read(&reply, self.provider, kept, true))
    }

    /// Obtains a token with the client's own credentials (RFC 6749 4.4).
    ///
    /// # Errors
    /// A [`TokenError`]; of class [`Class::Client`], with nothing sent, if the scopes cannot be asked for.
    pub async fn client_credentials(&self, scopes: &[String]) -> Result<Grant, TokenError> {
        let url = self.provider.token_url().clone();
        let wire = Wire::new(*self, url, Asking::ClientCredentials, Vec::new());
        let client = wire.client();
        let mut request = client.exchange_client_credentials();
        let joined = self.provider.settings().scope_separator.join(scopes);
        if let Some(joined) = joined.map_err(|_| wire.error(Class::Client))? {
            request = request.add_scope(Scope::new(joined));
        }
        for (name, value) in self.provider.settings().token_extras() {
            request = request.add_extra_param(name, value);
        }
        let reply = request.request_async(&wire).await.map_err(|error| wire.failed(error))?;
        Ok(Grant::read(&reply, self.provider, &Kept::new(), reply.refresh_token().is_some()))
    }
}

impl fmt::Debug for TokenEndpoint<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.provider.token_url().host_str().unwrap_or_default();
        out.debug_struct("TokenEndpoint").field("host", &endpoint).finish_non_exhaustive()
    }
}
