//! Events as a log keeps them: steps by path, variables by name, as in a checkpoint.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Unrestorable;
use super::failure::FailureRecord;
use super::names::Names;
use crate::event::{Called, Event, Happening};
use crate::outside::Opening;
use crate::plan::{InDoubt, Plan};
use crate::run::Run;

/// An event of a run, as data that outlives the process and the build (runs.md 6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRecord {
    at: Timestamp,
    what: HappeningRecord,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum HappeningRecord {
    Start { inputs: BTreeMap<String, Value>, opening: Opening },
    Received { op: u64, message: Value },
    Called { op: u64, result: CalledRecord },
    Resolve { op: u64, how: InDoubt },
    Fired { op: u64 },
    Cancel { reason: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum CalledRecord {
    Done {
        output: Value,
        /// In the order they were picked.
        variables: Vec<(String, Value)>,
    },
    Page {
        items: Vec<Value>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<Value>,
        body: Value,
    },
    Failed(Box<FailureRecord>),
    Aborted,
    InDoubt,
}

impl EventRecord {
    /// What a run is started with, by name; nothing of any other event.
    #[must_use]
    pub fn inputs(&self) -> Option<&BTreeMap<String, Value>> {
        match &self.what {
            HappeningRecord::Start { inputs, .. } => Some(inputs),
            _ => None,
        }
    }

    /// The event, if it would change anything in this run at this moment; what comes too late is not worth keeping.
    #[must_use]
    pub fn of(plan: &Plan, run: &Run, event: &Event) -> Option<Self> {
        if !run.concerns(&event.what) {
            return None;
        }
        let what = match &event.what {
            Happening::Start { inputs, opening } => HappeningRecord::Start {
                inputs: inputs
                    .iter()
                    .map(|(slot, value)| (plan.slots.name(*slot).to_owned(), value.clone()))
                    .collect(),
                opening: opening.clone(),
            },
            Happening::Received { op, message } => {
                HappeningRecord::Received { op: *op, message: message.clone() }
            }
            Happening::Called { op, result } => HappeningRecord::Called {
                op: *op,
                result: CalledRecord::of(plan, Names(plan.flow(run.flow_of(*op))), result),
            },
            Happening::Resolve { op, how } => HappeningRecord::Resolve { op: *op, how: *how },
            Happening::Fired { op } => HappeningRecord::Fired { op: *op },
            Happening::Cancel { reason } => HappeningRecord::Cancel { reason: reason.clone() },
            Happening::Resume => return None,
        };
        Some(Self { at: event.at, what })
    }

    /// The event, for a run that stands where it stood.
    ///
    /// # Errors
    /// When it names what the plan has not.
    pub fn read(self, plan: &Plan, run: &Run) -> Result<Event, Unrestorable> {
        let what = match self.what {
            HappeningRecord::Start { inputs, opening } => {
                let input = |(name, value): (String, Value)| Ok((Names(plan).variable(&name)?, value));
                Happening::Start { inputs: inputs.into_iter().map(input).collect::<Result<_, _>>()?, opening }
            }
            HappeningRecord::Received { op, message } => Happening::Received { op, message },
            HappeningRecord::Called { op, result } => {
                let names = Names(plan.flow(run.flow_of(op)));
                Happening::Called { op, result: result.read(plan, names)? }
            }
            HappeningRecord::Resolve { op, how } => Happening::Resolve { op, how },
            HappeningRecord::Fired { op } => Happening::Fired { op },
            HappeningRecord::Cancel { reason } => Happening::Cancel { reason },
        };
        Ok(Event { at: self.at, what })
    }
}

impl CalledRecord {
    fn of(root: &Plan, names: Names<'_>, called: &Called) -> Self {
        match called {
            Called::Done { output, variables } => Self::Done {
                output: output.clone(),
                variables: variables
                    .iter()
                    .map(|(slot, value)| (names.0.slots.name(*slot).to_owned(), value.clone()))
                    .collect(),
            },
            Called::Page { items, next, body } => {
                Self::Page { items: items.clone(), next: next.clone(), body: body.clone() }
            }
            Called::Failed(failure) => Self::Failed(Box::new(FailureRecord::of(root, failure))),
            Called::Aborted => Self::Aborted,
            Called::InDoubt => Self::InDoubt,
        }
    }

    fn read(self, root: &Plan, names: Names<'_>) -> Result<Called, Unrestorable> {
        Ok(match self {
            Self::Done { output, variables } => {
                let variable = |(name, value): (String, Value)| Ok((names.variable(&name)?, value));
                Called::Done {
                    output,
                    variables: variables.into_iter().map(variable).collect::<Result<_, _>>()?,
                }
            }
            Self::Page { items, next, body } => Called::Page { items, next, body },
            Self::Failed(failure) => Called::Failed(failure.read(root)?),
            Self::Aborted => Called::Aborted,
            Self::InDoubt => Called::InDoubt,
        })
    }
}
