//! What a flow waits for from outside, and what it tells those who wait for it.

use std::fmt;
use std::sync::Arc;

use flowrun_template::{Logic, Slot, Tree};
use serde_json::Value;

use crate::plan::{Pc, Placed};

/// Something a step waits for; [`Op::Await`](crate::Op::Await) names it by index.
#[derive(Debug, Clone)]
pub enum AwaitPlan {
    /// An answer of the conversation.
    Answer(AskPlan),
    /// An event (`wait: { event, key, where }`).
    Event {
        /// Its name.
        name: String,
        /// What it must be about; without it, an event about nothing in particular.
        key: Option<Placed<Tree>>,
        /// What must hold of its data, which the expression calls `item`.
        filter: Option<Placed<Logic>>,
        /// The name `item`, where the filter reads it.
        item: Option<Slot>,
    },
    /// A call of the step's own URL (`wait: { webhook: … }`).
    Callback {
        /// The step's id: `{{callbacks.<id>}}` is the URL.
        id: String,
        /// The method of the call, in capitals.
        method: String,
    },
}

/// What a question takes for an answer.
#[derive(Debug, Clone)]
pub struct AskPlan {
    /// What an answer must be.
    pub answers: Arc<dyn Answers>,
    /// How many answers may be tried.
    pub attempts: u32,
    /// Whether a message from before the question counts (`accept: any`).
    pub takes_earlier: bool,
    /// The input it answers; a step's answer is its output instead.
    pub input: Option<Slot>,
    /// Where the run goes on when an answer does not fit.
    pub otherwise: Pc,
    /// Where it goes on when one does.
    pub then: Pc,
}

/// What an answer must be. The machine asks; whoever compiled the question knows.
pub trait Answers: fmt::Debug + Send + Sync {
    /// The value of a message `{text, choice, attachments}`.
    ///
    /// # Errors
    /// When it does not fit; in words, without a value that must not be shown.
    fn take(&self, message: &Value) -> Result<Value, String>;
}

/// What a caller is answered (`respond`).
#[derive(Debug, Clone)]
pub struct RespondPlan {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, Placed<Tree>)>,
    /// The body: as JSON, as text, or none.
    pub body: Option<(Placed<Tree>, BodyKind)>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// As JSON.
    Json,
    /// As it is.
    Text,
}

/// An event a flow tells of (`emit`).
#[derive(Debug, Clone)]
pub struct EmitPlan {
    /// Its name.
    pub event: String,
    /// What it is about.
    pub key: Option<Placed<Tree>>,
    /// What there is to know.
    pub data: Option<Placed<Tree>>,
}
