//! A run: everything that changes while a plan is walked.

use std::collections::HashMap;
use std::sync::Arc;

use flowrun_template::{Rendered, Slot};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::plan::{Pc, Plan};
use crate::roots::Roots;
use crate::variables::Variables;

/// One run of a plan.
#[derive(Debug)]
pub struct Run {
    pub(crate) id: String,
    /// The time of the event under way; it never goes back.
    pub(crate) now: Timestamp,
    pub(crate) pc: Pc,
    pub(crate) variables: Variables,
    pub(crate) roots: Roots,
    /// The scopes that are open, the flow's first.
    pub(crate) frames: Vec<Frame>,
    pub(crate) steps_used: u64,
    pub(crate) pending: Option<Pending>,
    pub(crate) timers: HashMap<u64, Timer>,
    /// What happened in a shielded `finally` and must wait for its end.
    pub(crate) deferred: Option<Reason>,
    pub(crate) is_over: bool,
    next_op: u64,
}

/// One open scope.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Index into the plan's scopes.
    pub(crate) scope: usize,
    /// The step it is, none for the flow.
    pub(crate) step: Option<usize>,
    pub(crate) phase: Phase,
    /// The call its body makes, as an index into the plan's calls.
    pub(crate) call: Option<usize>,
    /// The call within it whose error reached it.
    pub(crate) failed_call: Option<usize>,
    pub(crate) attempts: u32,
    pub(crate) deadline: Option<Timestamp>,
    /// The timer that is running for it.
    pub(crate) timer: Option<u64>,
    /// The error it had, handled or not.
    pub(crate) failure: Option<Failure>,
    /// What goes on after its `finally`; nothing if the scope ended well.
    pub(crate) after: Option<Reason>,
    /// What the name `error` stood for outside its handler or `finally`.
    pub(crate) outer_error: Option<Option<Arc<Value>>>,
}

/// Which part of a scope is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Body,
    Handler,
    Finally,
}

/// Why a run leaves its scopes from inside.
#[derive(Debug, Clone)]
pub(crate) enum Reason {
    /// An error that a handler may take.
    Error(Box<Failure>),
    /// A limit of the run: `finally` sees it, no handler does.
    Limit(Box<Failure>),
    /// The time of the frame at this depth is up.
    Timeout(usize),
    Cancel(String),
    End(Map<String, Value>),
}

/// A call that is not over.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) op: u64,
    pub(crate) call: usize,
    pub(crate) step: usize,
    pub(crate) attempt: u32,
    pub(crate) settings: Rendered,
    pub(crate) state: CallState,
}

/// What a pending call waits for.
#[derive(Debug)]
pub(crate) enum CallState {
    InFlight,
    /// The timer of the next attempt.
    Backoff(u64),
    /// It was told to stop; then the run leaves its scopes for this reason.
    Aborting {
        timer: u64,
        reason: Reason,
    },
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The time of the frame at this depth.
    Scope(usize),
    /// The limit of the `finally` of the frame at this depth.
    Finally(usize),
    Backoff,
    Abort,
}

impl Run {
    /// A run that has not begun. The id is the caller's; keys and waits of the run derive from it.
    #[must_use]
    pub fn new(id: &str, plan: &Plan) -> Self {
        Self {
            id: id.to_owned(),
            now: Timestamp::MIN,
            pc: 0,
            variables: Variables::new(plan.slots.len()),
            roots: Roots::of(plan),
            frames: Vec::new(),
            steps_used: 0,
            pending: None,
            timers: HashMap::new(),
            deferred: None,
            is_over: false,
            next_op: 1,
        }
    }

    /// The value of a variable at this moment.
    #[must_use]
    pub fn value(&self, slot: Slot) -> Option<&Value> {
        flowrun_template::Scope::value(&self.variables, slot)
    }

    /// A number for a command; never used twice.
    pub(crate) fn number(&mut self) -> u64 {
        self.next_op += 1;
        self.next_op - 1
    }

    /// The nearest moment at which an open scope is out of time.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let shielded = self.frames.iter().rposition(|frame| frame.phase == Phase::Finally).unwrap_or(0);
        self.frames[shielded..].iter().filter_map(|frame| frame.deadline).min()
    }

    /// Whether a `finally` of the frame at this depth, or of one within it, is under way.
    pub(crate) fn is_shielded(&self, depth: usize) -> bool {
        self.frames.iter().skip(depth).any(|frame| frame.phase == Phase::Finally)
    }
}
