//! Errors, and why strands leave, in a checkpoint.

use std::ops::Range;
use std::time::Duration;

use flowrun_template::{CallEffect, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Unrestorable;
use super::names::Names;
use crate::command::End;
use crate::failure::Failure;
use crate::plan::Plan;
use crate::strand::Reason;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailureRecord {
    kind: ErrorKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<Duration>,
    effect: CallEffect,
    retryable: bool,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<Range<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    not_undone: Vec<FailureRecord>,
}

impl FailureRecord {
    pub(super) fn of(root: &Plan, failure: &Failure) -> Self {
        let Failure { kind, status, flow, attempts, retry_after, effect, retryable, .. } = *failure;
        let names = Names(root.flow(flow.unwrap_or_default()));
        Self {
            kind,
            name: failure.name.clone(),
            message: failure.message.clone(),
            status,
            flow,
            step: failure.step.map(|step| names.step(step)),
            attempts,
            retry_after,
            effect,
            retryable,
            place: failure.place.clone(),
            span: failure.span.clone(),
            help: failure.help.clone(),
            not_undone: failure.not_undone.iter().map(|failure| Self::of(root, failure)).collect(),
        }
    }

    pub(super) fn read(self, root: &Plan) -> Result<Failure, Unrestorable> {
        let names = Names(root.flow(self.flow.unwrap_or_default()));
        Ok(Failure {
            kind: self.kind,
            name: self.name,
            message: self.message,
            status: self.status,
            flow: self.flow,
            step: self.step.map(|path| names.step_index(&path)).transpose()?,
            attempts: self.attempts,
            retry_after: self.retry_after,
            effect: self.effect,
            retryable: self.retryable,
            place: self.place,
            span: self.span,
            help: self.help,
            not_undone: self
                .not_undone
                .into_iter()
                .map(|failure| failure.read(root))
                .collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ReasonRecord {
    Error(FailureRecord),
    Limit(FailureRecord),
    Timeout(usize),
    Cancel(String),
    End(Map<String, Value>),
    Sibling,
}

impl ReasonRecord {
    pub(super) fn of(root: &Plan, reason: &Reason) -> Self {
        match reason {
            Reason::Error(failure) => Self::Error(FailureRecord::of(root, failure)),
            Reason::Limit(failure) => Self::Limit(FailureRecord::of(root, failure)),
            Reason::Timeout(depth) => Self::Timeout(*depth),
            Reason::Cancel(why) => Self::Cancel(why.clone()),
            Reason::End(outputs) => Self::End(outputs.clone()),
            Reason::Sibling => Self::Sibling,
        }
    }

    pub(super) fn read(self, root: &Plan) -> Result<Reason, Unrestorable> {
        Ok(match self {
            Self::Error(failure) => Reason::Error(Box::new(failure.read(root)?)),
            Self::Limit(failure) => Reason::Limit(Box::new(failure.read(root)?)),
            Self::Timeout(depth) => Reason::Timeout(depth),
            Self::Cancel(why) => Reason::Cancel(why),
            Self::End(outputs) => Reason::End(outputs),
            Self::Sibling => Reason::Sibling,
        })
    }
}

/// How a run will have ended once all is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum EndRecord {
    Done(Map<String, Value>),
    Failed(FailureRecord),
    Cancelled(String),
    TimedOut(FailureRecord),
}

impl EndRecord {
    pub(super) fn of(root: &Plan, end: &End) -> Self {
        match end {
            End::Done { outputs } => Self::Done(outputs.clone()),
            End::Failed(failure) => Self::Failed(FailureRecord::of(root, failure)),
            End::Cancelled { reason } => Self::Cancelled(reason.clone()),
            End::TimedOut(failure) => Self::TimedOut(FailureRecord::of(root, failure)),
        }
    }

    pub(super) fn read(self, root: &Plan) -> Result<End, Unrestorable> {
        Ok(match self {
            Self::Done(outputs) => End::Done { outputs },
            Self::Failed(failure) => End::Failed(failure.read(root)?),
            Self::Cancelled(reason) => End::Cancelled { reason },
            Self::TimedOut(failure) => End::TimedOut(failure.read(root)?),
        })
    }
}
