//! What a flow listens to and tells: what starts it, the events it waits for, its own URLs, the events it emits.
//!
//! A flow that is called is started by its caller: what its own `trigger` says counts for nothing here. What it waits
//! for and tells is part of the flow that calls it.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowrun_machine::{AwaitPlan, Op, Plan};
use serde::Serialize;

use crate::flow::Flow;
use crate::trigger::{Match, Proof, Trigger};

/// What starts a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TriggerUse {
    /// A message.
    Message {
        /// The channels it comes from; any, where none is named.
        channels: Vec<String>,
        /// The accounts it comes to; any, where none is named.
        accounts: Vec<String>,
        /// What it says; anything, where nothing is named.
        keywords: Vec<String>,
        /// `exact`, `prefix`, `contains` or `regex`: how it says a keyword.
        #[serde(rename = "match")]
        how: &'static str,
        /// Whether it takes what no other flow takes.
        is_default: bool,
        /// Whether it ends the run that the conversation is in.
        interrupts: bool,
    },
    /// A call of a URL of the host.
    Webhook {
        /// The method, in capitals.
        method: String,
        /// The path beneath the host's own.
        path: String,
        /// `hmac` or `bearer`; absent where anyone may call.
        auth: Option<&'static str>,
        /// The name of the secret that proves who calls.
        secret: Option<String>,
    },
    /// Moments of a calendar.
    Schedule {
        /// The moments, as cron writes them.
        cron: String,
        /// The time zone they are meant in.
        zone: String,
    },
    /// An event, told by a flow or by the host.
    Event {
        /// Its name.
        event: String,
    },
}

/// One event, and the steps that wait for it or tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EventUse {
    /// Its name.
    pub event: String,
    /// The steps.
    pub steps: Vec<String>,
}

/// One URL of a flow's own, which others may call once while a run waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallbackUse {
    /// `{{callbacks.<id>}}` is the URL.
    pub id: String,
    /// The method, in capitals.
    pub method: String,
    /// The step that waits for the call.
    pub step: String,
}

/// What a flow, and those it calls, wait for and tell.
#[derive(Debug, Default)]
pub(super) struct Outside {
    pub(super) waits_for: Vec<EventUse>,
    pub(super) callbacks: Vec<CallbackUse>,
    pub(super) emits: Vec<EventUse>,
}

impl TriggerUse {
    pub(super) fn of(trigger: &Trigger) -> Self {
        match trigger {
            Trigger::Message(message) => Self::Message {
                channels: message.channels.clone(),
                accounts: message.accounts.clone(),
                keywords: message.keywords.clone(),
                how: word(message.how),
                is_default: message.is_default,
                interrupts: message.interrupts,
            },
            Trigger::Webhook(webhook) => {
                let (auth, secret) = webhook.auth.as_ref().map(proof).unzip();
                Self::Webhook { method: webhook.method.clone(), path: webhook.path.clone(), auth, secret }
            }
            Trigger::Schedule(schedule) => {
                Self::Schedule { cron: schedule.cron.clone(), zone: schedule.zone.clone() }
            }
            Trigger::Event(event) => Self::Event { event: event.name.clone() },
        }
    }
}

fn word(how: Match) -> &'static str {
    match how {
        Match::Exact => "exact",
        Match::Prefix => "prefix",
        Match::Contains => "contains",
        Match::Regex => "regex",
    }
}

fn proof(proof: &Proof) -> (&'static str, String) {
    match proof {
        Proof::Hmac(secret) => ("hmac", secret.clone()),
        Proof::Bearer(secret) => ("bearer", secret.clone()),
    }
}

impl Outside {
    pub(super) fn of(flow: &Flow) -> Self {
        let plan = flow.plan();
        let (mut waits_for, mut callbacks, mut emits) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        for plan in std::iter::once(plan).chain(&plan.flows).map(Arc::as_ref) {
            for (op, owner) in plan.ops.iter().zip(&plan.owners) {
                let step = || owner.map_or_else(String::new, |owner| plan.steps[owner].path.clone());
                match awaited(plan, op) {
                    Some(AwaitPlan::Event { name, .. }) => put(&mut waits_for, name, step()),
                    Some(AwaitPlan::Callback { id, method }) => {
                        callbacks.push(CallbackUse { id: id.clone(), method: method.clone(), step: step() });
                    }
                    _ => {}
                }
                if let Op::Emit { at } = op {
                    put(&mut emits, &plan.emits[*at].event, step());
                }
            }
        }
        Self { waits_for: listed(waits_for), callbacks, emits: listed(emits) }
    }
}

fn awaited<'p>(plan: &'p Plan, op: &Op) -> Option<&'p AwaitPlan> {
    let Op::Await { at } = op else { return None };
    plan.awaits.get(*at)
}

fn put(events: &mut BTreeMap<String, Vec<String>>, name: &str, step: String) {
    events.entry(name.to_owned()).or_default().push(step);
}

fn listed(events: BTreeMap<String, Vec<String>>) -> Vec<EventUse> {
    events.into_iter().map(|(event, steps)| EventUse { event, steps }).collect()
}
