//! How a run ended, in a form a caller can act on.

use flowrun_lang::{Diagnostic, Flow};
use flowrun_machine::{End, Failure};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::explain::explain;
use crate::journal::{Answer, Standing};

/// How a run ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// Well, with the flow's outputs.
    Done {
        /// The outputs; one whose variable was never set is absent (L-14).
        outputs: Map<String, Value>,
    },
    /// A step failed and nothing handled it.
    Failed {
        /// What failed, as the machine knows it.
        failure: Box<Failure>,
        /// The same in words, with its place in the flow.
        diagnostic: Box<Diagnostic>,
    },
    /// The run's own time was up.
    TimedOut {
        /// What happened, in words, with its place in the flow.
        diagnostic: Box<Diagnostic>,
    },
    /// The run waits until somebody says what becomes of calls of which nobody knows whether they were made; it is kept.
    InDoubt {
        /// The steps that made them.
        steps: Vec<String>,
    },
    /// The run cannot go on now: its journal fails, or this build does not lead where it stood. It is kept as it is.
    Blocked {
        /// Why, in words.
        why: String,
    },
    /// A run of this id began before, in the same flow with the same inputs (R10): this one did nothing.
    Existing {
        /// How that run stands; once it is over, with its outputs or its error.
        standing: Standing,
        /// What its caller was answered, if a step did.
        answer: Option<Answer>,
    },
    /// The run waits for something from outside, or for a moment, and nobody drives it until then; it is kept.
    Waiting {
        /// The moment.
        until: Option<Timestamp>,
    },
    /// The house closes: the run is kept, for the next process to go on with.
    Left,
    /// Somebody cancelled it.
    Cancelled {
        /// Why.
        reason: String,
    },
}

impl Standing {
    /// How a run stands that ended.
    pub(crate) fn of(flow: &Flow, end: &End) -> Self {
        let said = |failure: &Failure| json!(explain(flow, failure));
        match end {
            End::Done { outputs } => Self::Done { outputs: outputs.clone() },
            End::Cancelled { reason } => Self::Cancelled { reason: reason.clone() },
            End::TimedOut(failure) => Self::TimedOut { error: said(failure) },
            End::Failed(failure) => Self::Failed { error: said(failure) },
        }
    }
}

impl Outcome {
    /// The word for it, as [`Standing::status`] says it.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::TimedOut { .. } => "timed_out",
            Self::InDoubt { .. } => "in_doubt",
            Self::Blocked { .. } => "blocked",
            Self::Existing { standing, .. } => standing.status(),
            Self::Waiting { .. } => "waiting",
            Self::Left => "running",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// The machine's end, in words.
    pub(crate) fn new(flow: &Flow, end: End) -> Self {
        match end {
            End::Done { outputs } => Self::Done { outputs },
            End::Cancelled { reason } => Self::Cancelled { reason },
            End::TimedOut(failure) => Self::TimedOut { diagnostic: Box::new(explain(flow, &failure)) },
            End::Failed(failure) => {
                let diagnostic = Box::new(explain(flow, &failure));
                Self::Failed { failure: Box::new(failure), diagnostic }
            }
        }
    }
}
