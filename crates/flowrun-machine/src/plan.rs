//! What a flow becomes once it is checked: flat operations over compiled texts, and nothing else.
//!
//! `flowrun-lang` lays a plan out, [`advance`](crate::advance) walks it. A plan holds no position in
//! a file; its places are paths such as `steps[0].set.total`, which the author's file maps to lines.

mod bundle;
mod call;
mod outside;
mod paging;

use std::sync::Arc;
use std::time::Duration;

use flowrun_template::{Logic, Slot, Slots, Tree};

pub use bundle::{CalleePlan, Fits, GivenInput};
pub use call::{CallPlan, InDoubt, OutputUse, Retry, RetryOn};
pub use outside::{Answers, AskPlan, AwaitPlan, BodyKind, EmitPlan, RespondPlan};
pub use paging::{PagingPlan, StreamPlan};

/// An index into [`Plan::ops`].
pub type Pc = usize;

/// A compiled part and where in the flow it was written, such as `steps[0].set.total`.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// The path in the flow.
    pub path: String,
    /// The part.
    pub part: T,
}

/// A flow, ready to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The flow's name.
    pub name: String,
    /// SHA-256 of the flow's source, and of every flow it calls, in hex: which texts this plan was made from.
    pub hash: String,
    /// Every variable name of the flow, interned.
    pub slots: Slots,
    /// The steps, in document order; ops name them by index.
    pub steps: Vec<StepPlan>,
    /// The operations; a run starts at 0 and ends at [`Op::Finish`].
    pub ops: Vec<Op>,
    /// For each op, the step it belongs to; the flow itself where there is none.
    pub owners: Vec<Option<usize>>,
    /// What scopes do when they are left; [`Op::Enter`] names them by index. Scope 0 is the flow.
    pub scopes: Vec<Scope>,
    /// What calls are made of; [`Op::Call`] names them by index.
    pub calls: Vec<CallPlan>,
    /// Loops over lists; [`Op::Each`] names them by index.
    pub eaches: Vec<EachPlan>,
    /// Branches side by side; [`Op::Fork`] names them by index.
    pub forks: Vec<ForkPlan>,
    /// Flows that are called; [`Op::CallFlow`] names them by index.
    pub callees: Vec<CalleePlan>,
    /// What is waited for from outside; [`Op::Await`] names it by index.
    pub awaits: Vec<AwaitPlan>,
    /// What callers are answered; [`Op::Respond`] names it by index.
    pub responds: Vec<RespondPlan>,
    /// Events that are told; [`Op::Emit`] names them by index.
    pub emits: Vec<EmitPlan>,
    /// Every flow of the bundle that is called from this one or beneath; of the flow that is started only.
    pub flows: Vec<Arc<Plan>>,
    /// What the flow gives when it ends well, unless [`Op::End`] says otherwise (L-14).
    pub outputs: Vec<(String, Placed<Tree>)>,
    /// Names set from outside before the first op: the inputs.
    pub inputs: Vec<Slot>,
    /// The longest a run may take, waits and all (L-3).
    pub max_age: Duration,
    /// The most operations' steps a run may take (L-3).
    pub max_steps: u64,
    /// The most bytes all variables together may take, as JSON (L-3).
    pub max_state: usize,
    /// The most bytes one variable may take, as JSON (L-3).
    pub max_variable: usize,
}

/// One step of the flow, as reports and `steps.<id>` know it.
#[derive(Debug, Clone)]
pub struct StepPlan {
    /// Where it stands: `steps[0]`, `steps[1].then[0]`.
    pub path: String,
    /// Its id, if the author gave one.
    pub id: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Whether any text or expression of the flow mentions `steps.<id>`: if not, its output is dropped.
    pub is_mentioned: bool,
}

/// One operation.
#[derive(Debug, Clone)]
pub enum Op {
    /// Enters a scope; with a step as owner the step is now running.
    Enter {
        /// Index into [`Plan::scopes`].
        scope: usize,
    },
    /// The innermost scope's body ended well: its `finally` runs, the step is done, the run goes on at the scope's `resume`.
    Leave,
    /// The step's guard was false: the step is skipped, the scope popped without `finally`, the run goes on at `resume`.
    Skip,
    /// The `on_error` handler ended: the error is handled, the step stays failed, `finally` runs, the run goes on at `resume`.
    Handled,
    /// A `finally` block ended: what was under way when it began goes on.
    EndFinally,
    /// Goes on at the next op if true, at `otherwise` if false; anything else is an error.
    Branch {
        /// The condition.
        condition: Placed<Logic>,
        /// Where to go if it is false.
        otherwise: Pc,
    },
    /// Goes on elsewhere.
    Jump {
        /// Where.
        to: Pc,
    },
    /// Renders a value into a variable.
    Set {
        /// The variable.
        slot: Slot,
        /// The value's template.
        value: Placed<Tree>,
    },
    /// Evaluates an expression into a variable.
    Compute {
        /// The variable.
        slot: Slot,
        /// The expression.
        value: Placed<Logic>,
    },
    /// Makes a call and waits for its end; its retries belong to it.
    Call {
        /// Index into [`Plan::calls`].
        call: usize,
    },
    /// Begins a strand in another flow and waits for its end.
    CallFlow {
        /// Index into [`Plan::callees`].
        callee: usize,
    },
    /// Begins a strand for each item of a list and waits for all of them.
    Each {
        /// Index into [`Plan::eaches`].
        each: usize,
    },
    /// Begins a strand for each branch and waits for their join.
    Fork {
        /// Index into [`Plan::forks`].
        fork: usize,
    },
    /// The strand of an item, a branch or an `undo` ended well.
    EndStrand {
        /// What is collected of it, evaluated in its own scope.
        collect: Option<Placed<Logic>>,
    },
    /// Begins the first turn of a `repeat`.
    FirstTurn {
        /// The name that counts turns from 0, where something reads it.
        index: Option<Slot>,
    },
    /// A turn of a `repeat` ended: the run goes on if `until` holds, else takes another turn.
    NextTurn {
        /// The condition, tested after each turn; without one every turn is taken.
        until: Option<Placed<Logic>>,
        /// The most turns; without `until` holding in any of them the step raises `exhausted`.
        max: u64,
        /// The pause between two turns.
        every: Option<Duration>,
        /// The name that counts turns.
        index: Option<Slot>,
        /// Where a turn begins.
        body: Pc,
    },
    /// Waits.
    Pause(Pause),
    /// Goes on elsewhere if a variable has a value.
    IfSet {
        /// The variable.
        slot: Slot,
        /// Where.
        to: Pc,
    },
    /// A question begins; its text is the call that follows.
    Ask {
        /// How long an answer may take.
        timeout: Duration,
    },
    /// Waits for something from outside.
    Await {
        /// Index into [`Plan::awaits`].
        at: usize,
    },
    /// Answers whoever started the run.
    Respond {
        /// Index into [`Plan::responds`].
        at: usize,
    },
    /// Tells of an event.
    Emit {
        /// Index into [`Plan::emits`].
        at: usize,
    },
    /// Reports a line.
    Log {
        /// `debug`, `info`, `warn` or `error`.
        level: LogLevel,
        /// The text.
        text: Placed<Tree>,
        /// Values beside it.
        data: Option<Placed<Tree>>,
    },
    /// Raises an error of kind `failed` (the step `fail`).
    Raise {
        /// The error's name.
        name: String,
        /// Its message; the name where absent.
        message: Option<Placed<Tree>>,
    },
    /// Raises the handled error again (a bare `fail` in a handler).
    RaiseAgain,
    /// Ends the flow well from wherever it is, through every `finally`.
    End {
        /// What replaces the flow's outputs.
        outputs: Option<Vec<(String, Placed<Tree>)>>,
    },
    /// The flow's own end.
    Finish,
}

/// How long a `wait` is.
#[derive(Debug, Clone)]
pub enum Pause {
    /// A duration, perhaps of a template.
    For(Placed<Tree>),
    /// Until a moment, or as long before it; one that has passed is no wait.
    Until {
        /// The moment.
        at: Placed<Logic>,
        /// How long before it.
        before: Duration,
    },
}

/// A loop over a list: each item in a strand of its own (L-13).
#[derive(Debug, Clone)]
pub struct EachPlan {
    /// The list.
    pub items: Placed<Logic>,
    /// The name of an item.
    pub item: Slot,
    /// The name that counts items from 0, where something reads it.
    pub index: Option<Slot>,
    /// Where the items come from, if they are streamed; else `items` says it.
    pub stream: Option<StreamPlan>,
    /// How many items may be under way at once.
    pub concurrency: usize,
    /// The most items.
    pub max_items: usize,
    /// Whether its strands end with something to collect.
    pub collects: bool,
    /// Where an item begins; it ends with [`Op::EndStrand`].
    pub body: Pc,
    /// Where the run goes on.
    pub then: Pc,
}

/// Branches side by side (L-13).
#[derive(Debug, Clone)]
pub struct ForkPlan {
    /// Where each begins; it ends with [`Op::EndStrand`].
    pub branches: Vec<Pc>,
    /// When the run goes on.
    pub join: Join,
    /// Where the run goes on.
    pub then: Pc,
}

/// When a `parallel` is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// When all have ended well; the first to fail ends the others.
    All,
    /// When the first has ended well; the others are ended.
    Any,
}

/// How loud a `log` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For the author while writing.
    Debug,
    /// The default.
    Info,
    /// Something to look at.
    Warn,
    /// Something broke.
    Error,
}

/// What happens when a scope is left. Every step is one scope; the flow is scope 0.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Where the run goes on once the scope is done.
    pub resume: Pc,
    /// What takes an error.
    pub on_error: OnError,
    /// Where `finally` begins; it ends with [`Op::EndFinally`].
    pub finally: Option<Pc>,
    /// The time for everything in the scope: all attempts and waits.
    pub timeout: Option<Duration>,
    /// Where the step's whole output goes besides `steps.<id>.output`.
    pub into: Option<Slot>,
    /// How to take back what the step did, should the run end badly.
    pub undo: Option<UndoPlan>,
}

/// `undo` (L-9): the way back from a step that ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoPlan {
    /// Where it begins; it ends with [`Op::EndStrand`].
    pub pc: Pc,
    /// What it reads: kept from the moment the step ended well, and nothing else is.
    pub reads: Vec<Slot>,
}

/// What takes the error of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// Nothing: it goes on to the scope outside.
    #[default]
    Raise,
    /// `on_error: continue`.
    Continue,
    /// A handler, ending with [`Op::Handled`].
    Handle(Pc),
}
