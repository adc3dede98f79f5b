//! The token endpoint: codes, refresh tokens and client credentials go in, grants come out.

mod error;
mod grant;

use secrecy::SecretString;

pub use error::{Class, TokenError};
pub use grant::{Grant, Kept, Lifetime};

use crate::{callback::Callback, exchange::Exchange, pending::Pending, provider::Provider};

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

impl std::fmt::Debug for TokenEndpoint<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TokenEndpoint")
            .field("provider", self.provider)
            .field("client", self.client)
            .finish_non_exhaustive()
    }
}

impl TokenEndpoint<'_> {
    /// Redeems an authorization code (RFC 6749 4.1.3). One exchange, never repeated (OA-36).
    ///
    /// # Errors
    /// A [`TokenError`]; whatever its class, this code must not be sent again.
    pub async fn redeem(&self, _pending: &Pending, _callback: &Callback) -> Result<Grant, TokenError> {
        todo!()
    }

    /// Refreshes a token (RFC 6749 6). One exchange, never repeated. `kept` is what the grant kept so far.
    ///
    /// # Errors
    /// A [`TokenError`] whose class says what became of the grant (OA-44, OA-45).
    pub async fn refresh(&self, _refresh_token: &SecretString, _kept: &Kept) -> Result<Grant, TokenError> {
        todo!()
    }

    /// Obtains a token with the client's own credentials (RFC 6749 4.4). One exchange, never repeated.
    ///
    /// # Errors
    /// A [`TokenError`].
    pub async fn client_credentials(&self, _scopes: &[String]) -> Result<Grant, TokenError> {
        todo!()
    }
}
