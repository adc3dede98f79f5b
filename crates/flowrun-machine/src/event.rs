//! What reaches a run from outside: each thing that happened, and when.
//!
//! Events are plain data. One whose op is no longer pending changes nothing, so a driver may deliver late.

use flowrun_template::Slot;
use jiff::Timestamp;
use serde_json::Value;

use crate::failure::Failure;
use crate::outside::Opening;
use crate::plan::InDoubt;

/// Something that happened at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When; a moment before the last event's counts as that one's.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The run begins; later ones are ignored.
    Start {
        /// The inputs, checked by whoever took them.
        inputs: Vec<(Slot, Value)>,
        /// What started it, and what it may wait for.
        opening: Opening,
    },
    /// Something came for a wait.
    Received {
        /// The op of its command.
        op: u64,
        /// A message `{text, choice, attachments}`, the data of an event, or a call's `{body, query, headers}`.
        message: Value,
    },
    /// A call ended.
    Called {
        /// The op of its command.
        op: u64,
        /// How.
        result: Called,
    },
    /// Somebody says what becomes of a call in doubt ([`Command::InDoubt`](crate::Command::InDoubt)).
    Resolve {
        /// The op of its command.
        op: u64,
        /// What; [`InDoubt::Stop`] leaves it as it is.
        how: InDoubt,
    },
    /// A timer's moment came.
    Fired {
        /// The op of its command.
        op: u64,
    },
    /// Somebody wants the run to end.
    Cancel {
        /// Why, in words.
        reason: String,
    },
    /// The answer to [`Command::Yield`](crate::Command::Yield).
    Resume,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Called {
    /// Well.
    Done {
        /// As much of the output as [`OutputUse`](crate::OutputUse) asked for, else null.
        output: Value,
        /// The variables that were picked.
        variables: Vec<(Slot, Value)>,
    },
    /// Well, with one page of several.
    Page {
        /// Its items.
        items: Vec<Value>,
        /// What it says of the next; nothing if it is the last.
        next: Option<Value>,
        /// All of it, where [`PagingPlan::until`](crate::PagingPlan::until) reads it, else null.
        body: Value,
    },
    /// With an error.
    Failed(Failure),
    /// It was stopped, as [`Command::Abort`](crate::Command::Abort) asked.
    Aborted,
    /// Nobody can say whether it was made.
    InDoubt,
}
