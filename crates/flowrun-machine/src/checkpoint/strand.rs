//! Strands in a checkpoint: where each stands, its open scopes, and what it waits for.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowrun_template::Rendered;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Unrestorable;
use super::failure::{FailureRecord, ReasonRecord};
use super::group::{StreamRecord, TurningRecord};
use super::names::{Names, Place};
use super::variables::VariablesRecord;
use crate::command::Source;
use crate::plan::{Op, Pc, Plan};
use crate::run::Run;
use crate::strand::{Asking, Blocked, CallState, Frame, Parent, Pending, Phase, Strand};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StrandRecord {
    id: u64,
    flow: usize,
    at: Place,
    frames: Vec<FrameRecord>,
    variables: VariablesRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<BlockedRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deferred: Option<ReasonRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Parent>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed_steps: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    streams: Vec<(Place, StreamRecord)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fetches: Option<Box<(Rendered, TurningRecord)>>,
}

impl StrandRecord {
    pub(super) fn of(root: &Plan, run: &Run, (id, strand): (u64, &Strand)) -> Self {
        let names = Names(root.flow(strand.flow));
        let mut streams: Vec<_> = strand.streams.iter().collect();
        streams.sort_by_key(|(call, _)| **call);
        let stream = |(call, stream): (&usize, _)| Some((names.call(*call)?, StreamRecord::of(stream)));
        Self {
            id,
            flow: strand.flow,
            at: names.place(strand.pc),
            frames: strand.frames.iter().map(|frame| FrameRecord::of(root, names, frame)).collect(),
            variables: VariablesRecord::of(names, &strand.variables, base(&run.strands, strand)),
            blocked: strand.blocked.as_ref().map(|blocked| BlockedRecord::of(root, blocked)),
            deferred: strand.deferred.as_ref().map(|reason| ReasonRecord::of(root, reason)),
            parent: strand.parent.clone(),
            changed_steps: strand.changed_steps.iter().map(|step| names.step(*step)).collect(),
            streams: streams.into_iter().filter_map(stream).collect(),
            fetches: strand
                .fetches
                .as_deref()
                .map(|(settings, turning)| Box::new((settings.clone(), TurningRecord::of(turning)))),
        }
    }

    pub(super) fn read(
        self,
        root: &Plan,
        known: &BTreeMap<u64, Strand>,
    ) -> Result<(u64, Strand), Unrestorable> {
        let names = Names(root.flow(self.flow));
        let pc = names.pc(&self.at)?;
        let mut strand = Strand::at((self.flow, pc), crate::variables::Variables::new(0), self.parent);
        strand.variables = self.variables.read(names, base(known, &strand))?;
        strand.frames =
            self.frames.into_iter().map(|frame| frame.read(root, names)).collect::<Result<_, _>>()?;
        strand.blocked = self.blocked.map(|blocked| blocked.read(root, (names, pc))).transpose()?;
        strand.deferred = self.deferred.map(|reason| reason.read(root)).transpose()?;
        strand.changed_steps =
            self.changed_steps.iter().map(|path| names.step_index(path)).collect::<Result<_, _>>()?;
        let stream = |(place, stream): (Place, StreamRecord)| Ok((names.call_index(&place)?, stream.read()));
        strand.streams = self.streams.into_iter().map(stream).collect::<Result<_, _>>()?;
        strand.fetches = self.fetches.map(|fetches| Box::new((fetches.0, fetches.1.read())));
        Ok((self.id, strand))
    }
}

/// The variables that a strand may share: those of the one that forked it, if that walks the same flow.
fn base<'a>(strands: &'a BTreeMap<u64, Strand>, strand: &Strand) -> Option<&'a crate::variables::Variables> {
    let parent = strands.get(&strand.parent.as_ref()?.strand)?;
    (parent.flow == strand.flow).then_some(&parent.variables)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrameRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    phase: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_call: Option<Place>,
    #[serde(default, skip_serializing_if = "is_none_yet")]
    attempts: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_skipped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asking: Option<Asking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outer_index: Option<Outer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timer: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<ReasonRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outer_error: Option<Outer>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_none_yet(attempts: &u32) -> bool {
    *attempts == 0
}

/// What a name stood for outside, which may be nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    value: Option<Arc<Value>>,
}

impl FrameRecord {
    fn of(root: &Plan, names: Names<'_>, frame: &Frame) -> Self {
        let Frame { phase, attempts, is_skipped, turn, asking, deadline, timer, .. } = *frame;
        let outer = |value: &Option<Option<Arc<Value>>>| value.clone().map(|value| Outer { value });
        Self {
            step: frame.step.map(|step| names.step(step)),
            phase,
            call: frame.call.and_then(|call| names.call(call)),
            failed_call: frame.failed_call.and_then(|call| names.call(call)),
            attempts,
            is_skipped,
            turn,
            asking,
            outer_index: outer(&frame.outer_index),
            deadline,
            timer,
            failure: frame.failure.as_ref().map(|failure| FailureRecord::of(root, failure)),
            after: frame.after.as_ref().map(|reason| ReasonRecord::of(root, reason)),
            outer_error: outer(&frame.outer_error),
        }
    }

    fn read(self, root: &Plan, names: Names<'_>) -> Result<Frame, Unrestorable> {
        let step = self.step.map(|path| names.step_index(&path)).transpose()?;
        let call = |place: Option<Place>| place.map(|place| names.call_index(&place)).transpose();
        Ok(Frame {
            scope: names.scope(step)?,
            step,
            phase: self.phase,
            call: call(self.call)?,
            failed_call: call(self.failed_call)?,
            attempts: self.attempts,
            is_skipped: self.is_skipped,
            turn: self.turn,
            asking: self.asking,
            outer_index: self.outer_index.map(|outer| outer.value),
            deadline: self.deadline,
            timer: self.timer,
            failure: self.failure.map(|failure| failure.read(root)).transpose()?,
            after: self.after.map(|reason| reason.read(root)).transpose()?,
            outer_error: self.outer_error.map(|outer| outer.value),
        })
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum BlockedRecord {
    Call(Box<CallRecord>),
    Pause {
        timer: u64,
    },
    Await {
        op: u64,
        source: Source,
        since: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        timer: Option<u64>,
    },
    Join {
        group: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallRecord {
    op: u64,
    attempt: u32,
    settings: Rendered,
    #[serde(skip_serializing_if = "Option::is_none")]
    turning: Option<TurningRecord>,
    state: StateRecord,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StateRecord {
    InFlight,
    Backoff(u64),
    Aborting {
        timer: u64,
        reason: Box<ReasonRecord>,
    },
    InDoubt {
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Box<ReasonRecord>>,
    },
}

impl BlockedRecord {
    fn of(root: &Plan, blocked: &Blocked) -> Self {
        match blocked {
            Blocked::Call(pending) => Self::Call(Box::new(CallRecord::of(root, pending))),
            Blocked::Pause { timer, .. } => Self::Pause { timer: *timer },
            Blocked::Await { op, source, since, timer, .. } => {
                Self::Await { op: *op, source: source.clone(), since: *since, timer: *timer }
            }
            Blocked::Join(group) => Self::Join { group: *group },
        }
    }

    /// The rest is known from the op that the strand stands at.
    fn read(self, root: &Plan, (names, pc): (Names<'_>, Pc)) -> Result<Blocked, Unrestorable> {
        Ok(match (self, &names.0.ops[pc]) {
            (Self::Call(call), _) => Blocked::Call(call.read(root, (names, pc))?),
            (Self::Pause { timer }, Op::Pause(_)) => Blocked::Pause { timer, then: pc + 1 },
            (Self::Pause { timer }, Op::NextTurn { body, .. }) => Blocked::Pause { timer, then: *body },
            (Self::Await { op, source, since, timer }, Op::Await { at }) => {
                Blocked::Await { op, at: *at, source, since, timer }
            }
            (Self::Join { group }, _) => Blocked::Join(group),
            _ => return Err(Unrestorable::Damaged("a strand waits where its step does not".to_owned())),
        })
    }
}

impl CallRecord {
    fn of(root: &Plan, pending: &Pending) -> Self {
        Self {
            op: pending.op,
            attempt: pending.attempt,
            settings: pending.settings.clone(),
            turning: pending.turning.as_deref().map(TurningRecord::of),
            state: match &pending.state {
                CallState::InFlight => StateRecord::InFlight,
                CallState::Backoff(timer) => StateRecord::Backoff(*timer),
                CallState::Aborting { timer, reason } => {
                    StateRecord::Aborting { timer: *timer, reason: Box::new(ReasonRecord::of(root, reason)) }
                }
                CallState::InDoubt { reason } => {
                    let reason = reason.as_ref().map(|reason| Box::new(ReasonRecord::of(root, reason)));
                    StateRecord::InDoubt { reason }
                }
            },
        }
    }

    fn read(self, root: &Plan, (names, pc): (Names<'_>, Pc)) -> Result<Pending, Unrestorable> {
        let Self { op, attempt, settings, turning, state } = self;
        let Op::Call { call } = names.0.ops[pc] else {
            return Err(Unrestorable::Damaged("a strand calls where its step does not".to_owned()));
        };
        let state = match state {
            StateRecord::InFlight => CallState::InFlight,
            StateRecord::Backoff(timer) => CallState::Backoff(timer),
            StateRecord::Aborting { timer, reason } => {
                CallState::Aborting { timer, reason: reason.read(root)? }
            }
            StateRecord::InDoubt { reason } => {
                CallState::InDoubt { reason: reason.map(|reason| reason.read(root)).transpose()? }
            }
        };
        let (step, turning) = (names.0.owners[pc].unwrap_or_default(), turning.map(|it| Box::new(it.read())));
        Ok(Pending { op, call, step, attempt, settings, turning, state })
    }
}
