//! What `integrations check` finds: the ten legs an integration stands on, which of them fails, what to do.
//!
//! It looks, and asks no provider: whether the provider agrees shows when a token is exchanged, refreshed or used,
//! and what it said then is on record. Where the registry itself cannot be opened, the legs of the registry say why,
//! and the others cannot be looked at. What only a caller can look at, such as a port, it adds with
//! [`Examined::add`].

mod legs;
mod registry;

use std::fmt;

use flowrun_step::{IntegrationName, IntegrationState};
use serde::{Deserialize, Serialize};

use crate::command::command;
use crate::custody::Book;
use crate::id::Id;
use crate::inner::Inner;
use crate::record::{Record, Stage};
use crate::view::redirect_uri;
use crate::{CustodyError, UnknownIntegration};

/// What a [`Finding`] is about, in the order in which a token comes to be and is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Leg {
    /// Whether somebody has authorised it, and nothing has undone that.
    Authorize,
    /// Where the browser comes back.
    Callback,
    /// Whether the provider granted something for the code, or for the client's credentials.
    Exchange,
    /// Whether its token can be renewed.
    Refresh,
    /// Whether every scope that was asked for was granted.
    Scope,
    /// Which hosts its token may be sent to.
    Host,
    /// Whether the clock fits the times on record, and the provider's.
    Clock,
    /// The key file, and whether it opens what was sealed.
    Key,
    /// Whether others could read or replace what is kept.
    Permissions,
    /// Who holds the registry or the integration, and whether locks can be relied on.
    Lock,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub leg: Leg,
    /// Whether it holds.
    pub ok: bool,
    /// What was seen.
    pub said: String,
    /// What to do, if something is to be done.
    pub help: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checkup {
    /// Whether the registry could be opened at all.
    pub is_open: bool,
    /// Key, permissions and lock: what every integration stands on.
    pub registry: Vec<Finding>,
    /// Each integration that was looked at, by name; none where the registry cannot be opened.
    pub integrations: Vec<Examined>,
}

/// What was found of one integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Examined {
    /// Its name.
    pub name: IntegrationName,
    /// Its state, unless its record cannot be read.
    pub state: Option<IntegrationState>,
    /// Where the browser comes back, if one is sent.
    pub callback_url: Option<String>,
    /// Its legs, in their order.
    pub findings: Vec<Finding>,
}

impl Finding {
    /// Something that holds.
    #[must_use]
    pub fn good(leg: Leg, said: impl Into<String>) -> Self {
        Self { leg, ok: true, said: said.into(), help: None }
    }

    /// Something that does not hold, and what to do.
    #[must_use]
    pub fn bad(leg: Leg, said: impl Into<String>, help: impl Into<String>) -> Self {
        Self { leg, ok: false, said: said.into(), help: Some(help.into()) }
    }
}

impl Checkup {
    /// Everything that does not hold, the registry's legs first.
    pub fn wrong(&self) -> impl Iterator<Item = &Finding> {
        let integrations = self.integrations.iter().flat_map(|examined| &examined.findings);
        self.registry.iter().chain(integrations).filter(|finding| !finding.ok)
    }

    /// Whether every integration that was looked at can be used.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let is_authorized = |it: &Examined| it.state == Some(IntegrationState::Authorized);
        self.is_open && self.integrations.iter().all(is_authorized)
    }
}

impl Examined {
    /// Adds what the caller looked at itself; it takes the place of a good finding about the same leg.
    pub fn add(&mut self, finding: Finding) {
        match self.findings.iter_mut().find(|known| known.leg == finding.leg && known.ok) {
            Some(known) => *known = finding,
            None => self.findings.push(finding),
        }
    }
}

impl Inner {
    /// One integration's legs and the registry's.
    pub(crate) async fn check(&self, name: IntegrationName) -> Result<Checkup, UnknownIntegration> {
        let read = move |book: &Book<'_>| {
            let Some(id) = book.id_of(&name) else { return Ok(Err(crate::lookup::unknown(book, &name))) };
            let name = book.name_of(&id).unwrap_or(name);
            let record = book.record(&id);
            Ok(Ok(vec![(id, name, record)]))
        };
        match self.custody.read(read).await {
            Ok((records, _)) => Ok(self.checkup(Ok(records?))),
            Err(error) => Ok(self.checkup(Err(error))),
        }
    }

    /// Every integration's legs and the registry's.
    pub(crate) async fn check_all(&self) -> Checkup {
        let read = |book: &Book<'_>| {
            let names = book.names().into_iter();
            let all = names.map(|(id, name)| {
                let record = book.record(&id);
                (id, name, record)
            });
            Ok(all.collect())
        };
        self.checkup(self.custody.read(read).await.map(|(records, _)| records))
    }

    fn checkup(&self, records: Result<Vec<Found>, CustodyError>) -> Checkup {
        let registry = registry::findings(&self.custody, records.as_ref().err());
        let (is_open, records) = (records.is_ok(), records.unwrap_or_default().into_iter());
        Checkup { is_open, registry, integrations: records.map(|found| self.examined(found)).collect() }
    }

    fn examined(&self, (id, name, record): Found) -> Examined {
        let record = match record {
            Ok(Some(record)) => record,
            Ok(None) => return unreadable(name.clone(), &CustodyError::Damaged(name)),
            Err(error) => return unreadable(name, &error),
        };
        let mut findings = legs::findings(&id, &name, &record, self.world.clock.now());
        findings.push(registry::integration_lock(self.custody.holder(&id), &name));
        let has_callback = !record.uses_client_credentials();
        let callback_url = has_callback.then(|| redirect_uri(&record, &id));
        Examined { name, state: Some(record.state()), callback_url, findings }
    }
}

/// An integration, and what became of reading it.
type Found = (Id, IntegrationName, Result<Option<Record>, CustodyError>);

fn unreadable(name: IntegrationName, error: &CustodyError) -> Examined {
    let finding = Finding::bad(Leg::Key, error.to_string(), error.help());
    Examined { name, state: None, callback_url: None, findings: vec![finding] }
}

/// `flowrun integrations edit NAME` with what asks for the secret again.
fn new_client(name: &IntegrationName) -> String {
    format!("{} --client-id … --client-secret-prompt", command("edit", name))
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorize => "authorize",
            Self::Callback => "callback",
            Self::Exchange => "exchange",
            Self::Refresh => "refresh",
            Self::Scope => "scope",
            Self::Host => "host",
            Self::Clock => "clock",
            Self::Key => "key",
            Self::Permissions => "permissions",
            Self::Lock => "lock",
        })
    }
}

impl From<Stage> for Leg {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Authorize | Stage::Revoke => Self::Authorize,
            Stage::Callback => Self::Callback,
            Stage::Exchange | Stage::ExchangeClient => Self::Exchange,
            Stage::Refresh => Self::Refresh,
        }
    }
}
