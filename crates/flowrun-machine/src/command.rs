//! What a run asks of its driver, and how a run ends.
//!
//! Commands are plain data and hold no secret: what is late in a call's settings is still a reference.

use std::time::Duration;

use flowrun_template::{Effect, Rendered};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::paging::PageAsk;
use crate::plan::LogLevel;

/// Something the driver is to do. Op numbers are never reused within a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make a call; answered by [`Happening::Called`](crate::Happening::Called).
    Call {
        /// The number the answer carries.
        op: u64,
        /// Which flow of the bundle, as [`Plan::flow`](crate::Plan::flow) counts them.
        flow: usize,
        /// Index into [`Plan::steps`](crate::Plan::steps).
        step: usize,
        /// Index into [`Plan::calls`](crate::Plan::calls).
        call: usize,
        /// The settings, complete but for secrets and kept fields.
        settings: Rendered,
        /// The same on every attempt of this step in this run, and on no other call.
        key: String,
        /// What repeating it would mean.
        effect: Effect,
        /// Which attempt, counting from 1.
        attempt: u32,
        /// When the nearest enclosing time limit ends.
        deadline: Option<Timestamp>,
        /// The page that is asked for, of a call that is answered in pages.
        page: Option<PageAsk>,
    },
    /// Stop a call; answered by [`Called::Aborted`](crate::Called::Aborted) or a result that was faster.
    Abort {
        /// The call's op.
        op: u64,
    },
    /// Ask somebody what becomes of a call of which nobody can say whether it was made; answered by
    /// [`Happening::Resolve`](crate::Happening::Resolve), or by the call's result, should it be found.
    InDoubt {
        /// The call's op.
        op: u64,
        /// Which flow of the bundle, as [`Plan::flow`](crate::Plan::flow) counts them.
        flow: usize,
        /// Index into [`Plan::steps`](crate::Plan::steps).
        step: usize,
    },
    /// Wait until a moment; answered by [`Happening::Fired`](crate::Happening::Fired).
    Timer {
        /// The number the answer carries.
        op: u64,
        /// The moment.
        at: Timestamp,
    },
    /// Wait for something from outside; answered by [`Happening::Received`](crate::Happening::Received), as often as
    /// something comes that may be meant, until the op is dropped.
    Await {
        /// The number the answer carries.
        op: u64,
        /// Which flow of the bundle, as [`Plan::flow`](crate::Plan::flow) counts them.
        flow: usize,
        /// Index into [`Plan::steps`](crate::Plan::steps).
        step: usize,
        /// For what.
        source: Source,
        /// An answer from before this moment is none, unless earlier ones are taken.
        since: Timestamp,
    },
    /// Answer whoever started the run and waits for it.
    Answer {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Body,
    },
    /// Tell the host, and whoever waits for it, of an event.
    Emit {
        /// Its name.
        event: String,
        /// What it is about.
        key: Option<String>,
        /// What there is to know.
        data: Value,
        /// The same however often it is told: who has seen it once does not take it again.
        id: String,
    },
    /// Forget a timer, a wait or a doubt.
    Drop {
        /// The op of its command.
        op: u64,
    },
    /// Report a line of the flow.
    Log {
        /// How loud.
        level: LogLevel,
        /// The text.
        text: String,
        /// Values beside it.
        data: Option<Value>,
        /// Which flow of the bundle, as [`Plan::flow`](crate::Plan::flow) counts them.
        flow: usize,
        /// The step that logs, as an index into [`Plan::steps`](crate::Plan::steps).
        step: Option<usize>,
    },
    /// For observers: a step's next attempt waits. The wait itself is a [`Command::Timer`].
    Retrying {
        /// Which flow of the bundle, as [`Plan::flow`](crate::Plan::flow) counts them.
        flow: usize,
        /// Index into [`Plan::steps`](crate::Plan::steps).
        step: usize,
        /// Which attempt comes next, counting from 1.
        attempt: u32,
        /// How long until then.
        wait: Duration,
    },
    /// For observers: a step ended; one in a loop does so in every turn.
    StepEnded {
        /// Which flow of the bundle, as [`Plan::flow`](crate::Plan::flow) counts them.
        flow: usize,
        /// Index into [`Plan::steps`](crate::Plan::steps).
        step: usize,
        /// How.
        status: StepStatus,
        /// How many attempts its call took; 0 for a step that was skipped.
        attempts: u32,
    },
    /// For observers: what a step did could not be taken back; the rest is.
    NotUndone {
        /// Why; its step is that of the `undo` block.
        failure: Failure,
    },
    /// Give others their turn, then send [`Happening::Resume`](crate::Happening::Resume).
    Yield,
    /// The run is over; always the last command of a run.
    Finish(End),
}

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A message of its conversation.
    Answer {
        /// Whether one from before the question counts.
        takes_earlier: bool,
    },
    /// An event of this name, about this.
    Event {
        /// The name.
        name: String,
        /// What it is about.
        key: Option<String>,
    },
    /// A call of the URL of a step.
    Callback {
        /// The step's id.
        id: String,
        /// The method, in capitals.
        method: String,
    },
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// Text as it is.
    Text(String),
}

impl Body {
    /// What it holds, as JSON; null where there is none.
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Self::Empty => Value::Null,
            Self::Json(json) => json.clone(),
            Self::Text(text) => Value::from(text.as_str()),
        }
    }
}

/// How a step ended (L-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// Well.
    Done,
    /// Its guard was false.
    Skipped,
    /// With an error, handled or not, or cut short.
    Failed,
}

impl StepStatus {
    /// The word that `steps.<id>.status` has for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Well.
    Done {
        /// The outputs; one whose variable was never set is absent (L-14).
        outputs: Map<String, Value>,
    },
    /// With an error nothing handled.
    Failed(Failure),
    /// Somebody cancelled it.
    Cancelled {
        /// Why, in words.
        reason: String,
    },
    /// The flow's own time was up.
    TimedOut(Failure),
}
