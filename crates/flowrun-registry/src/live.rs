//! A token in use: what this process needs of an integration to send a request, and nothing more.
//!
//! It is kept between requests, and only as long as nothing has been written to the registry: another process's
//! refresh or removal is seen with the next request (OA-40).

use flowrun_oauth::{Kept, Provider};
use flowrun_step::{IntegrationName, IntegrationState, NeedsAttention};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::budget::spent_until;
use crate::command::command;
use crate::custody::{Book, Stamp};
use crate::hosts::HostRule;
use crate::id::Id;
use crate::lookup::find;
use crate::record::{Freshness, Record, Tokens, is_cooling};
use crate::{LookupError, RefreshError};

/// The usable part of an authorised integration.
pub(crate) struct Live {
    pub(crate) id: Id,
    pub(crate) name: IntegrationName,
    /// Which set of tokens this is.
    pub(crate) generation: u64,
    pub(crate) provider: Provider,
    pub(crate) hosts: Vec<HostRule>,
    pub(crate) access: SecretString,
    pub(crate) kept: Kept,
    pub(crate) is_refreshable: bool,
    cooling_until: Option<Timestamp>,
    asked_at: Vec<Timestamp>,
    tokens: Tokens,
}

/// What is known of a live token, and since when.
pub(crate) struct Cached {
    pub(crate) live: std::sync::Arc<Live>,
    pub(crate) stamp: Stamp,
}

impl Live {
    /// The usable part of a record.
    ///
    /// # Errors
    /// When its state does not allow its use (OA-1).
    pub(crate) fn of(id: &Id, name: IntegrationName, record: Record) -> Result<Self, RefreshError> {
        let said = if record.is_waiting_copy() {
            Some(copied(&name))
        } else {
            record.last_failure.as_ref().map(|failure| failure.said.clone())
        };
        let is_refreshable = record.is_refreshable();
        let state = record.state();
        let Some(mut tokens) = record.tokens else {
            return Err(RefreshError::NotUsable { name, state, said });
        };
        if state != IntegrationState::Authorized {
            return Err(RefreshError::NotUsable { name, state, said });
        }
        // What sends requests has no use for the refresh token.
        tokens.refresh = None;
        Ok(Self {
            id: id.clone(),
            name,
            generation: record.generation,
            provider: record.provider,
            hosts: record.hosts,
            access: tokens.access.clone(),
            kept: record.kept,
            is_refreshable,
            cooling_until: record.cooling_until,
            asked_at: record.asked_at,
            tokens,
        })
    }

    /// The usable part of the integration of this name.
    pub(crate) fn find(book: &Book<'_>, name: &IntegrationName) -> Result<Self, RefreshError> {
        let (id, name, record) = find(book, name).map_err(RefreshError::Lookup)?;
        Self::of(&id, name, record)
    }

    /// Whether a refresh would be refused without asking anybody: so shortly after a failure, or so often.
    pub(crate) fn is_held_back(&self, now: Timestamp) -> bool {
        let budget = self.provider.settings().budget;
        self.cooling_until.is_some_and(|until| is_cooling(until, now))
            || budget.is_some_and(|budget| spent_until(budget, &self.asked_at, now).is_some())
    }

    pub(crate) fn freshness(&self, now: Timestamp) -> Freshness {
        self.tokens.freshness(&self.provider, now)
    }
}

/// What there is to know of an imported copy, and how it becomes the one that goes on.
pub(crate) fn copied(name: &IntegrationName) -> String {
    let refresh = command("refresh", name);
    format!(
        "imported, and its refresh token may be in use where it came from; if it is not: {refresh} --force"
    )
}

/// Why a whole registry is unusable for lack of its key, in the words of a state.
pub(crate) fn state_of(error: &LookupError) -> Option<IntegrationState> {
    match error {
        LookupError::Custody(crate::CustodyError::KeyMissing { .. }) => {
            Some(IntegrationState::NeedsAttention(NeedsAttention::KeyMissing))
        }
        _ => None,
    }
}
