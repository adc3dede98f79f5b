//! What can be seen of a run while it runs.

use std::time::Duration;

use flowrun_machine::{Body, LogLevel, Source, StepStatus};
use serde_json::Value;

use crate::journal::RunKey;
use crate::mail::Told;

/// Something that happened in a run. It never holds a secret, and of a call only its kind and time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RunEvent {
    /// An attempt of a step's call begins.
    CallStarted {
        /// The step: its id, or its path.
        step: String,
        /// The step's kind.
        kind: String,
        /// Which attempt, counting from 1.
        attempt: u32,
    },
    /// The attempt ended.
    CallEnded {
        /// The step: its id, or its path.
        step: String,
        /// The step's kind.
        kind: String,
        /// Which attempt, counting from 1.
        attempt: u32,
        /// The call's key, by which a way out knows its requests (`Asker`).
        key: String,
        /// How long it took.
        took: Duration,
        /// What went wrong, if anything did.
        error: Option<String>,
    },
    /// Nobody can say whether a call was made, and the run waits until somebody does.
    InDoubt {
        /// The step: its id, or its path.
        step: String,
    },
    /// The next attempt waits.
    Retrying {
        /// The step: its id, or its path.
        step: String,
        /// How long until then.
        wait: Duration,
    },
    /// A step ended; one in a loop does so in every turn.
    StepEnded {
        /// The step: its id, or its path.
        step: String,
        /// How.
        status: StepStatus,
        /// How many attempts its call took; 0 for a step that was skipped.
        attempts: u32,
    },
    /// After a bad end, something a step did could not be taken back; the rest is.
    NotUndone {
        /// The step of an `undo` block that failed: its id, or its path.
        step: String,
        /// What went wrong.
        error: String,
    },
    /// A step waits for something from outside.
    Waiting {
        /// The step: its id, or its path.
        step: String,
        /// For what.
        source: Source,
    },
    /// Messages from before a question, which nobody takes any more (R7).
    Ignored {
        /// How many.
        messages: usize,
    },
    /// The run begins.
    Started {
        /// The flow's name.
        flow: String,
    },
    /// The run is over, or nobody drives it for a while.
    Stood {
        /// How it stands, in a word (`Standing::status`).
        status: &'static str,
    },
    /// Whoever started the run is answered.
    Answered {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Body,
    },
    /// The flow told of an event.
    Emitted(Told),
    /// The flow logged a line.
    Logged {
        /// How loud.
        level: LogLevel,
        /// The text.
        text: String,
        /// Values beside it.
        data: Option<Value>,
    },
}

/// Sees what happens in runs; called in order, and should return quickly.
pub trait Observer: Send + Sync {
    /// One thing happened in a run.
    fn on(&self, run: &RunKey, event: &RunEvent);
}

/// Sees nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unobserved;

impl Observer for Unobserved {
    fn on(&self, _run: &RunKey, _event: &RunEvent) {}
}
