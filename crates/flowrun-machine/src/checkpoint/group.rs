//! Groups of strands in a checkpoint: what their children have come to, and what is still to begin.

use std::collections::HashMap;

use flowrun_template::Rendered;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Unrestorable;
use super::failure::{FailureRecord, ReasonRecord};
use super::names::Names;
use super::variables::VariablesRecord;
use crate::group::{Group, GroupKind};
use crate::items::Items;
use crate::paging::{PageAsk, Stream, Turning};
use crate::plan::{Op, Plan};
use crate::run::Run;
use crate::strand::{Blocked, Strand};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupRecord {
    number: u64,
    kind: KindRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaving: Option<ReasonRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum KindRecord {
    Each {
        items: ItemsRecord,
        next: usize,
        results: Vec<Value>,
        size: usize,
    },
    Branches {
        won: Option<usize>,
        done: Vec<Option<(VariablesRecord, Vec<String>)>>,
        failures: Vec<Option<FailureRecord>>,
    },
    Flow {
        outputs: Option<Map<String, Value>>,
    },
    Undo,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ItemsRecord {
    List(Vec<Value>),
    Stream(Box<StreamRecord>),
}

impl GroupRecord {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn of(root: &Plan, run: &Run, (number, group): (u64, &Group)) -> Self {
        let parent = parent(run, number);
        let names = Names(root.flow(parent.map_or(0, |parent| parent.flow)));
        let kind = match &group.kind {
            GroupKind::Each { items, next, results, size, .. } => KindRecord::Each {
                items: match items {
                    Items::List(items) => ItemsRecord::List(items.as_slice().to_vec()),
                    Items::Stream(stream) => ItemsRecord::Stream(Box::new(StreamRecord::of(stream))),
                },
                next: *next,
                results: results.clone(),
                size: *size,
            },
            GroupKind::Branches { won, done, failures, .. } => {
                let base = parent.map(|parent| &parent.variables);
                let done = done.iter().map(|done| {
                    let (variables, steps) = done.as_ref()?;
                    let steps = steps.iter().map(|step| names.step(*step)).collect();
                    Some((VariablesRecord::of(names, variables, base), steps))
                });
                let failure =
                    |failure: &Option<_>| failure.as_ref().map(|failure| FailureRecord::of(root, failure));
                KindRecord::Branches {
                    won: *won,
                    done: done.collect(),
                    failures: failures.iter().map(failure).collect(),
                }
            }
            GroupKind::Flow { outputs } => KindRecord::Flow { outputs: outputs.clone() },
            GroupKind::Undo => KindRecord::Undo,
        };
        Self { number, kind, leaving: group.leaving.as_ref().map(|reason| ReasonRecord::of(root, reason)) }
    }

    /// Where the group's parent goes on, and how it joins, is known from the op that it stands at.
    pub(super) fn read(self, root: &Plan, run: &Run) -> Result<Group, Unrestorable> {
        let parent = parent(run, self.number)
            .ok_or_else(|| Unrestorable::Damaged("nobody waits for a group of strands".to_owned()))?;
        let names = Names(root.flow(parent.flow));
        let (kind, then) = match (self.kind, &names.0.ops[parent.pc]) {
            (KindRecord::Each { items, next, results, size }, Op::Each { each }) => {
                let items = match items {
                    ItemsRecord::List(items) => Items::List(items.into_iter()),
                    ItemsRecord::Stream(stream) => Items::Stream(Box::new(stream.read())),
                };
                (GroupKind::Each { plan: *each, items, next, results, size }, names.0.eaches[*each].then)
            }
            (KindRecord::Branches { won, done, failures }, Op::Fork { fork }) => {
                let done = done.into_iter().map(|done| {
                    let Some((variables, steps)) = done else { return Ok(None) };
                    let steps = steps.iter().map(|path| names.step_index(path)).collect::<Result<_, _>>()?;
                    Ok(Some((variables.read(names, Some(&parent.variables))?, steps)))
                });
                let failure =
                    |failure: Option<FailureRecord>| failure.map(|failure| failure.read(root)).transpose();
                let failures = failures.into_iter().map(failure).collect::<Result<_, _>>()?;
                let plan = &names.0.forks[*fork];
                let kind = GroupKind::Branches {
                    join: plan.join,
                    won,
                    done: done.collect::<Result<_, _>>()?,
                    failures,
                };
                (kind, plan.then)
            }
            (KindRecord::Flow { outputs }, Op::CallFlow { .. }) => {
                (GroupKind::Flow { outputs }, parent.pc + 1)
            }
            (KindRecord::Undo, _) => (GroupKind::Undo, 0),
            _ => {
                return Err(Unrestorable::Damaged(
                    "strands wait for what their step does not begin".to_owned(),
                ));
            }
        };
        let leaving = self.leaving.map(|reason| reason.read(root)).transpose()?;
        Ok(Group { kind, live: live(run, self.number), leaving, then })
    }
}

/// The strand that waits for a group.
fn parent(run: &Run, group: u64) -> Option<&Strand> {
    run.strands
        .values()
        .find(|strand| matches!(strand.blocked, Some(Blocked::Join(waited)) if waited == group))
}

fn live(run: &Run, group: u64) -> HashMap<usize, u64> {
    let child = |(id, strand): (&u64, &Strand)| {
        let parent = strand.parent.as_ref().filter(|parent| parent.group == group)?;
        Some((parent.index, *id))
    };
    run.strands.iter().filter_map(child).collect()
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamRecord {
    settings: Rendered,
    queue: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<TurningRecord>,
    is_fetching: bool,
}

impl StreamRecord {
    pub(super) fn of(stream: &Stream) -> Self {
        Self {
            settings: stream.settings.clone(),
            queue: stream.queue.iter().cloned().collect(),
            next: stream.next.as_ref().map(TurningRecord::of),
            is_fetching: stream.is_fetching,
        }
    }

    pub(super) fn read(self) -> Stream {
        let Self { settings, queue, next, is_fetching } = self;
        Stream { settings, queue: queue.into(), next: next.map(TurningRecord::read), is_fetching }
    }
}

/// A page to be fetched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TurningRecord {
    number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<[u8; 32]>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<Value>,
    size: usize,
}

impl TurningRecord {
    pub(super) fn of(turning: &Turning) -> Self {
        let Turning { ask: PageAsk { number, cursor }, last, items, size } = turning.clone();
        Self { number, cursor, last, items, size }
    }

    pub(super) fn read(self) -> Turning {
        let Self { number, cursor, last, items, size } = self;
        Turning { ask: PageAsk { number, cursor }, last, items, size }
    }
}
