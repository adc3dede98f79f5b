//! What a flow may reach, and what reaches it: hosts, integrations, secrets, triggers, events (N12). Read from the flow
//! alone; nothing is asked or opened.

mod outside;

use std::collections::BTreeMap;

use flowrun_step::IntegrationName;
use serde::Serialize;

use crate::flow::Flow;

use outside::Outside;
pub use outside::{CallbackUse, EventUse, TriggerUse};

/// Where a call goes, as far as it is written out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// An origin, such as `https://api.example.com`.
    Host(String),
    /// An address that an integration keeps.
    Kept { integration: String, field: String },
    /// What a value of the run says, and so any host that the network policy lets through.
    Decided { by: String },
}

/// One call's target.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) target: Target,
    pub(crate) integration: Option<String>,
    pub(crate) may_be_redirected: bool,
    /// The step's path.
    pub(crate) step: String,
}

/// What a flow may reach, and what reaches it.
///
/// # Example
/// ```
/// use flowrun_lang::{check, Catalog, SourceText};
/// use flowrun_step::StepSet;
///
/// let source = SourceText::new("f.yaml", b"secrets: []\nsteps:\n  - send: Hello.\n".to_vec()).expect("UTF-8");
/// let flow = check(&source, &Catalog::new(StepSet::new())).flow.expect("a flow without errors");
/// assert!(flow.permissions().hosts.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Permissions {
    /// The flow's name.
    pub flow: String,
    /// Where its calls go.
    pub hosts: Vec<HostUse>,
    /// The integrations it uses.
    pub integrations: Vec<IntegrationUse>,
    /// The secrets it declares.
    pub secrets: Vec<String>,
    /// What starts it, besides a person.
    pub trigger: Option<TriggerUse>,
    /// The events that it waits for.
    pub waits_for: Vec<EventUse>,
    /// Its own URLs, that it waits for a call of.
    pub callbacks: Vec<CallbackUse>,
    /// The events that it tells of.
    pub emits: Vec<EventUse>,
}

/// One integration, and what a flow says it needs of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IntegrationUse {
    /// Its name, as the flow writes it.
    pub name: IntegrationName,
    /// The scopes that the flow's `integrations` lists; none where it lists none.
    pub scopes: Vec<String>,
}

impl IntegrationUse {
    /// Each integration once, with the scopes of all its uses.
    pub(crate) fn merged(uses: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for used in uses {
            match merged.iter_mut().find(|known| known.name == used.name) {
                Some(known) => {
                    let further = used.scopes.into_iter().filter(|scope| !known.scopes.contains(scope));
                    let further: Vec<String> = further.collect();
                    known.scopes.extend(further);
                }
                None => merged.push(used),
            }
        }
        merged
    }
}

/// One host, or what decides it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HostUse {
    /// `https://api.example.com`; absent where it is known only in a run.
    pub host: Option<String>,
    /// What decides the host where it is not written out: `integrations.zoho.api_domain`, or a variable, which may
    /// name any host.
    pub decided_by: Option<String>,
    /// The integrations whose credential goes along.
    pub integrations: Vec<String>,
    /// Whether a reply may send a call on to another host; with an integration none does.
    pub may_be_redirected: bool,
    /// The steps that call it.
    pub steps: Vec<String>,
}

impl Flow {
    /// What this flow may reach, and what reaches it.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        let mut hosts: BTreeMap<&Target, HostUse> = BTreeMap::new();
        for visit in &self.visits {
            let host = hosts.entry(&visit.target).or_insert_with(|| HostUse::of(&visit.target));
            host.may_be_redirected |= visit.may_be_redirected;
            host.steps.push(visit.step.clone());
            host.integrations.extend(visit.integration.clone());
        }
        let mut hosts: Vec<HostUse> = hosts.into_values().collect();
        for host in &mut hosts {
            host.integrations.sort();
            host.integrations.dedup();
        }
        let Outside { waits_for, callbacks, emits } = Outside::of(self);
        Permissions {
            flow: self.name().to_owned(),
            hosts,
            integrations: self.integrations().to_vec(),
            secrets: self.secrets().to_vec(),
            trigger: self.trigger().map(TriggerUse::of),
            waits_for,
            callbacks,
            emits,
        }
    }
}

impl HostUse {
    fn of(target: &Target) -> Self {
        let (host, decided_by) = match target {
            Target::Host(origin) => (Some(origin.clone()), None),
            Target::Kept { integration, field } => {
                (None, Some(format!("integrations.{integration}.{field}")))
            }
            Target::Decided { by } => (None, Some(by.clone())),
        };
        Self { host, decided_by, integrations: Vec::new(), may_be_redirected: false, steps: Vec::new() }
    }
}
