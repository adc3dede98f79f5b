//! Ending a grant: its tokens are given back to the provider, and destroyed here whatever the provider answers (OA-65).
//!
//! The provider is asked first, because it is asked with the tokens; a process that is killed in between asks again.
//! Afterwards the integration needs a person, and keeps its client and settings.

use std::sync::Arc;
use std::time::Duration;

use flowrun_oauth::{Class, Kept, Revocation, TokenEndpoint, TokenError, TokenKind};
use flowrun_step::{IntegrationName, NeedsAttention};
use secrecy::SecretString;
use serde::Serialize;

use crate::custody::Book;
use crate::error::followed_by;
use crate::exchange::TokenExchange;
use crate::id::Id;
use crate::inner::Inner;
use crate::lookup::{find, unknown};
use crate::record::{Record, Stage, Tokens};
use crate::refresh::words;
use crate::{CustodyError, Integration, LookupError};

/// The longest wait that a provider may ask for before it is asked once more; others wait for their turn meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// What revoking an integration did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Revoked {
    /// The integration as it is now: without tokens.
    pub integration: Integration,
    /// What became of the grant at the provider.
    pub at_provider: AtProvider,
}

/// What became of a grant at its provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AtProvider {
    /// There was no token to give back.
    NothingToRevoke,
    /// The provider has taken the tokens back, or does not know them.
    Revoked,
    /// No revocation endpoint is known: the grant is still listed at the provider.
    NoEndpoint,
    /// It did not work: the grant must be taken to be still good.
    Failed {
        /// Why, in words; the provider's own are capped and labelled.
        said: String,
        /// How long the provider asks to wait before it is asked again.
        retry_after: Option<Duration>,
    },
}

/// Why nothing was revoked; everything is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// Another process refreshes or authorises this integration and does not finish (45 s).
    #[error("another process is busy with `{0}`")]
    Busy(IntegrationName),
    /// It does not exist, or the registry could not be used.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl RevokeError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Busy(name) => followed_by("try again later", "revoke", name),
            Self::Lookup(error) => error.help(),
        }
    }
}

impl From<CustodyError> for RevokeError {
    fn from(error: CustodyError) -> Self {
        Self::Lookup(LookupError::Custody(error))
    }
}

impl Inner {
    pub(crate) async fn revoke(self: &Arc<Self>, name: IntegrationName) -> Result<Revoked, RevokeError> {
        let inner = Arc::clone(self);
        self.finish(async move { inner.revoke_in_turn(name).await }).await
    }

    async fn revoke_in_turn(&self, name: IntegrationName) -> Result<Revoked, RevokeError> {
        let (id, name, _) = self.look(&name).await?;
        let busy = || RevokeError::Busy(name.clone());
        let _turn = self.turns.take(&self.custody, &id).await.map_err(|no| no.or_busy(busy))?;
        // Only now: whose turn it was may have replaced the tokens.
        let (_, _, record) = self.look(&name).await?;
        let at_provider = self.tell_provider(&record).await;
        let now = self.world.clock.now();
        let write = move |book: &mut Book<'_>| {
            let Some((name, mut record)) = book.name_of(&id).zip(book.record(&id)?) else {
                return Err(RevokeError::Lookup(unknown(book, &name).into()));
            };
            record.revoked();
            if let AtProvider::Failed { said, .. } = &at_provider {
                record.fail(Stage::Revoke, said.clone(), now);
            }
            let integration = Integration::of(&id, name.clone(), &record);
            book.put(&id, name, record);
            Ok(Revoked { integration, at_provider })
        };
        self.custody.write(write).await.map(|(revoked, _)| revoked)
    }

    async fn look(&self, name: &IntegrationName) -> Result<(Id, IntegrationName, Record), RevokeError> {
        let name = name.clone();
        let read = move |book: &Book<'_>| Ok(find(book, &name));
        Ok(self.custody.read(read).await?.0?)
    }

    async fn tell_provider(&self, record: &Record) -> AtProvider {
        let Some(tokens) = &record.tokens else { return AtProvider::NothingToRevoke };
        let client = match record.client() {
            Ok(client) => client,
            Err(missing) => {
                return AtProvider::Failed { said: format!("there is no {missing}"), retry_after: None };
            }
        };
        let exchange = TokenExchange(Arc::clone(&self.world.client));
        let endpoint = TokenEndpoint { exchange: &exchange, provider: &record.provider, client: &client };
        let kept: &Kept = &record.kept;
        let Some(revocation) = endpoint.revocation(kept) else { return AtProvider::NoEndpoint };
        match self.give_back(&revocation, tokens).await {
            Ok(()) => AtProvider::Revoked,
            Err(error) => AtProvider::Failed {
                said: words(&error),
                retry_after: match error.class {
                    Class::Transient { retry_after } => retry_after,
                    _ => None,
                },
            },
        }
    }

    /// The refresh token first: with it most providers end the whole grant.
    async fn give_back(&self, revocation: &Revocation<'_>, tokens: &Tokens) -> Result<(), TokenError> {
        if let Some(refresh) = &tokens.refresh {
            self.patiently(revocation, refresh, TokenKind::Refresh).await?;
        }
        match self.patiently(revocation, &tokens.access, TokenKind::Access).await {
            // RFC 7009 2.2.1: a provider may end access tokens with their refresh token only.
            Err(error) if tokens.refresh.is_some() && is_unsupported(&error) => Ok(()),
            given_back => given_back,
        }
    }

    /// RFC 7009 2.2.1: a provider that is unwell may say when to ask again.
    async fn patiently(
        &self,
        revocation: &Revocation<'_>,
        token: &SecretString,
        kind: TokenKind,
    ) -> Result<(), TokenError> {
        let first = revocation.revoke(token, kind).await;
        let wait = match &first {
            Err(TokenError { class: Class::Transient { retry_after: Some(asked) }, .. }) => *asked,
            _ => return first,
        };
        let Some(then) = self.world.clock.now().checked_add(wait).ok().filter(|_| wait <= PATIENCE) else {
            return first;
        };
        self.world.clock.sleep_until(then).await;
        revocation.revoke(token, kind).await
    }
}

fn is_unsupported(error: &TokenError) -> bool {
    error.provider_code.as_deref() == Some("unsupported_token_type")
}

impl Record {
    /// Without tokens, and in need of a person if one ever authorised it.
    fn revoked(&mut self) {
        self.destroy_tokens();
        self.last_failure = None;
        self.failures = 0;
        self.attention = self.authorized_at.map(|_| NeedsAttention::Revoked);
    }
}
