//! Asking the provider whether it still takes a token (RFC 7662, OA-66).
//!
//! A token that it does not take counts as expired from then on, so that its next use renews it. An answer about a
//! token that has been replaced meanwhile changes nothing.

use std::sync::Arc;

use flowrun_oauth::{TokenEndpoint, TokenError, TokenKind};
use flowrun_step::IntegrationName;

use crate::command::command;
use crate::custody::Book;
use crate::error::token_help;
use crate::exchange::TokenExchange;
use crate::id::Id;
use crate::inner::Inner;
use crate::lookup::find;
use crate::record::Record;
use crate::{CustodyError, LookupError};

/// What the provider says of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It takes it.
    Active,
    /// It does not, so the token counts as expired: a refresh is due.
    RefreshDue,
    /// It does not, and there is nothing to refresh it with: a person must authorise again.
    Lost,
}

/// Why nothing is known of a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectError {
    /// There is no token to ask about.
    #[error("`{0}` has no token to ask the provider about")]
    NoToken(IntegrationName),
    /// The provider has no such endpoint, as far as its settings say.
    #[error("no introspection endpoint is known for `{0}`")]
    NoEndpoint(IntegrationName),
    /// The draft is not finished.
    #[error("integration `{name}` has no {missing} yet")]
    Unfinished {
        /// Which one.
        name: IntegrationName,
        /// What is missing: `client id` or `client secret`.
        missing: &'static str,
    },
    /// The provider did not say.
    #[error("the provider does not say whether it takes the token of `{name}`")]
    Token {
        /// Which one.
        name: IntegrationName,
        /// What the endpoint said.
        source: Box<TokenError>,
    },
    /// It does not exist, or the registry could not be used.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl IntrospectError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NoToken(name) => command("authorize", name),
            Self::NoEndpoint(name) => {
                format!("if the provider has one: {} --introspect-url URL", command("edit", name))
            }
            Self::Unfinished { name, .. } => command("edit", name),
            Self::Token { name, source } => token_help(name, source),
            Self::Lookup(error) => error.help(),
        }
    }
}

impl From<CustodyError> for IntrospectError {
    fn from(error: CustodyError) -> Self {
        Self::Lookup(LookupError::Custody(error))
    }
}

impl Inner {
    pub(crate) async fn introspect(&self, name: IntegrationName) -> Result<Standing, IntrospectError> {
        let read = move |book: &Book<'_>| Ok(find(book, &name));
        let (id, name, record) = self.custody.read(read).await?.0?;
        match self.ask_about(&name, &record).await? {
            true => Ok(Standing::Active),
            false => {
                self.expire(id, record.generation).await?;
                Ok(if record.is_refreshable() { Standing::RefreshDue } else { Standing::Lost })
            }
        }
    }

    async fn ask_about(&self, name: &IntegrationName, record: &Record) -> Result<bool, IntrospectError> {
        let tokens = record.tokens.as_ref().ok_or_else(|| IntrospectError::NoToken(name.clone()))?;
        let client =
            record.client().map_err(|missing| IntrospectError::Unfinished { name: name.clone(), missing })?;
        let exchange = TokenExchange(Arc::clone(&self.world.client));
        let endpoint = TokenEndpoint { exchange: &exchange, provider: &record.provider, client: &client };
        let introspection =
            endpoint.introspection(&record.kept).ok_or_else(|| IntrospectError::NoEndpoint(name.clone()))?;
        let asked = introspection.is_active(&tokens.access, TokenKind::Access).await;
        asked.map_err(|source| IntrospectError::Token { name: name.clone(), source: Box::new(source) })
    }

    /// Takes the token for expired, if it is still the one that was asked about.
    async fn expire(&self, id: Id, generation: u64) -> Result<(), CustodyError> {
        let now = self.world.clock.now();
        let write = move |book: &mut Book<'_>| {
            let Some((name, mut record)) = book.name_of(&id).zip(book.record(&id)?) else { return Ok(()) };
            if let Some(tokens) = record.tokens.as_mut().filter(|_| record.generation == generation) {
                tokens.expire(now);
                book.put(&id, name, record);
            }
            Ok(())
        };
        self.custody.write(write).await.map(|((), _)| ())
    }
}
