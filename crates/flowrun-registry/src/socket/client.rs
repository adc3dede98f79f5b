//! The client's end: the owner's registry, used as if it were this process's own.
//!
//! Each operation asks the owner anew, so that one that ends, or one that begins, is noticed with the next request.
//! A client that was given a registry with [`Client::or`] uses it whenever no owner answers.

mod asking;
mod tokens;

use std::fmt;
use std::sync::{Arc, Mutex};

use flowrun_step::{IntegrationName, Outbound};

use super::wire::{Answer, Question};
use super::{AskError, Place};
use crate::{CustodyError, Integration, LookupError, RefreshError, Registry};
use asking::{Asked, Used, refusal};

/// The registry of another process, by its socket.
#[derive(Clone)]
pub struct Client {
    place: Place,
    plain: Arc<dyn Outbound>,
    own: Option<Registry>,
    used: Arc<Mutex<Used>>,
}

impl Client {
    /// A client of the owner at this place, which sends requests by this plain way out. Nothing is opened yet.
    #[must_use]
    pub fn new(place: Place, plain: Arc<dyn Outbound>) -> Self {
        Self { place, plain, own: None, used: Arc::default() }
    }

    /// The same, which uses this registry, under its locks, while no owner answers.
    #[must_use]
    pub fn or(self, registry: Registry) -> Self {
        Self { own: Some(registry), ..self }
    }

    /// Every integration, by name.
    ///
    /// # Errors
    /// When nobody answers, or the registry cannot be read.
    pub async fn list(&self) -> Result<Vec<Integration>, CustodyError> {
        let (mut all, mut after) = (Vec::<Integration>::new(), None);
        loop {
            let (page, is_last) = match self.ask(Question::List { after }).await? {
                Asked::Own(registry) => return registry.list().await,
                Asked::Owner(Answer::Integrations { page, is_last }) => (page, is_last),
                Asked::Owner(other) => return Err(refusal(other).custody()),
            };
            after = page.last().map(|view| view.name.clone());
            let is_last = is_last || after.is_none();
            all.extend(page.into_iter().map(Into::into));
            if is_last {
                return Ok(all);
            }
        }
    }

    /// One integration.
    ///
    /// # Errors
    /// When there is none of this name, nobody answers, or the registry cannot be read.
    pub async fn show(&self, name: &IntegrationName) -> Result<Integration, LookupError> {
        match self.ask(Question::Show { name: name.clone() }).await? {
            Asked::Own(registry) => registry.show(name).await,
            Asked::Owner(Answer::Integration(view)) => Ok((*view).into()),
            Asked::Owner(other) => Err(refusal(other).lookup()),
        }
    }

    /// Makes sure there is a token that will do for now; refreshes it if it is due.
    ///
    /// # Errors
    /// When there is no usable token and none can be had, or nobody answers.
    pub async fn refresh(&self, name: &IntegrationName) -> Result<Integration, RefreshError> {
        match self.ask(Question::Refresh { name: name.clone(), force: false }).await? {
            Asked::Own(registry) => registry.refresh(name).await,
            other => refreshed(other),
        }
    }

    /// Refreshes the token now, due or not, without regard to a cooldown.
    ///
    /// # Errors
    /// When it cannot be refreshed, or nobody answers.
    pub async fn force_refresh(&self, name: &IntegrationName) -> Result<Integration, RefreshError> {
        match self.ask(Question::Refresh { name: name.clone(), force: true }).await? {
            Asked::Own(registry) => registry.force_refresh(name).await,
            other => refreshed(other),
        }
    }
}

fn refreshed(asked: Asked<'_>) -> Result<Integration, RefreshError> {
    match asked {
        Asked::Owner(Answer::Integration(view)) => Ok((*view).into()),
        Asked::Owner(other) => Err(refusal(other).refresh()),
        Asked::Own(_) => Err(CustodyError::from(AskError::NotUnderstood).into()),
    }
}

impl fmt::Debug for Client {
    /// Shows where it asks; the rest is made of the caller's own parts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("place", &self.place).finish_non_exhaustive()
    }
}
