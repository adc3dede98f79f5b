//! A strand: one line of ops being walked, with its scopes and its variables. A fork makes more of them.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use flowrun_template::Rendered;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::command::Source;
use crate::failure::Failure;
use crate::paging::{Stream, Turning};
use crate::plan::Pc;
use crate::variables::Variables;

/// Strands are numbered as they begin; they are walked in this order.
pub(crate) type StrandId = u64;

/// One line of ops being walked.
#[derive(Debug)]
pub(crate) struct Strand {
    /// Which flow of the bundle it walks.
    pub(crate) flow: usize,
    pub(crate) pc: Pc,
    /// The scopes that are open; in the flow's own strand the flow's first.
    pub(crate) frames: Vec<Frame>,
    pub(crate) variables: Variables,
    /// What it waits for.
    pub(crate) blocked: Option<Blocked>,
    /// What happened in a shielded `finally` and must wait for its end.
    pub(crate) deferred: Option<Reason>,
    /// Who waits for it; nobody for the flow's own.
    pub(crate) parent: Option<Parent>,
    /// Steps whose entry in `steps` it has changed.
    pub(crate) changed_steps: Vec<usize>,
    /// Pages that wait for the loop that reads them, by call.
    pub(crate) streams: HashMap<usize, Stream>,
    /// The page it fetches for a loop, with the call's settings.
    pub(crate) fetches: Option<Box<(Rendered, Turning)>>,
    /// How it ended.
    pub(crate) end: Option<StrandEnd>,
}

/// What a strand has of the one that forked it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parent {
    pub(crate) strand: StrandId,
    pub(crate) group: u64,
    /// Which child of the group it is.
    pub(crate) index: usize,
    /// The nearest time limit around the fork.
    pub(crate) deadline: Option<Timestamp>,
    /// Whether the fork stands in a `finally`.
    pub(crate) is_shielded: bool,
    /// The turns and items around it, which tell its calls from those of its siblings.
    pub(crate) trail: String,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) enum StrandEnd {
    /// Well: what it wrote, what is collected of it, and the steps it changed.
    Done {
        variables: Variables,
        collected: Option<Value>,
        changed_steps: Vec<usize>,
    },
    Left(Reason),
    /// With a page for the loop that asked for it.
    Page(Box<Stream>),
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
    /// Whether its call was in doubt and somebody said to go on without it.
    pub(crate) is_skipped: bool,
    /// Which turn of a `repeat` this is, counting from 0.
    pub(crate) turn: Option<u64>,
    /// The question it asks.
    pub(crate) asking: Option<Asking>,
    /// What the name `index` stood for outside the loop.
    pub(crate) outer_index: Option<Option<Arc<Value>>>,
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

/// A question that has been asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asking {
    /// When.
    pub(crate) since: Timestamp,
    /// How long an answer may take.
    pub(crate) until: Timestamp,
    /// How many answers did not fit.
    pub(crate) misfits: u32,
}

/// Which part of a scope is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Body,
    Handler,
    Finally,
}

/// Why a strand leaves its scopes from inside.
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
    /// What its siblings came to ends it too.
    Sibling,
}

impl Reason {
    /// Whether this takes the place of a reason for which the strand is leaving already: what reaches further does, and
    /// of two that reach as far the first stays.
    pub(crate) fn outranks(&self, earlier: &Self) -> bool {
        self.reach() > earlier.reach()
    }

    /// The one of two that reaches further.
    pub(crate) fn or_further(self, later: Option<Self>) -> Self {
        later.filter(|later| later.outranks(&self)).unwrap_or(self)
    }

    fn reach(&self) -> (u8, Reverse<usize>) {
        match self {
            Self::Error(_) => (0, Reverse(0)),
            // The time of an outer scope ends the inner ones with it.
            Self::Timeout(depth) => (1, Reverse(*depth)),
            Self::End(_) => (2, Reverse(0)),
            Self::Sibling => (3, Reverse(0)),
            Self::Limit(_) => (4, Reverse(0)),
            Self::Cancel(_) => (5, Reverse(0)),
        }
    }
}

/// What a strand waits for.
#[derive(Debug)]
pub(crate) enum Blocked {
    Call(Pending),
    /// A pause; the strand goes on at `then`.
    Pause {
        timer: u64,
        then: Pc,
    },
    /// Something from outside.
    Await {
        op: u64,
        /// Index into the plan's awaits.
        at: usize,
        source: Source,
        /// An answer from before this moment is none.
        since: Timestamp,
        timer: Option<u64>,
    },
    /// The end of all strands of a group.
    Join(u64),
}

/// A call that is not over.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) op: u64,
    pub(crate) call: usize,
    pub(crate) step: usize,
    pub(crate) attempt: u32,
    pub(crate) settings: Rendered,
    /// The page it fetches, of a call that is answered in pages.
    pub(crate) turning: Option<Box<Turning>>,
    pub(crate) state: CallState,
}

/// What a pending call waits for.
#[derive(Debug)]
pub(crate) enum CallState {
    InFlight,
    /// The timer of the next attempt.
    Backoff(u64),
    /// It was told to stop; then the strand leaves its scopes for this reason.
    Aborting {
        timer: u64,
        reason: Reason,
    },
    /// Nobody can say whether it was made. Once somebody does, the strand leaves for the reason, if there is one by then.
    InDoubt {
        reason: Option<Reason>,
    },
}

impl Strand {
    /// The flow's own.
    pub(crate) fn main(slots: usize) -> Self {
        Self::at((0, 0), Variables::new(slots), None)
    }

    /// One that begins at an op of a flow.
    pub(crate) fn at((flow, pc): (usize, Pc), variables: Variables, parent: Option<Parent>) -> Self {
        Self {
            flow,
            pc,
            frames: Vec::new(),
            variables,
            blocked: None,
            deferred: None,
            parent,
            changed_steps: Vec::new(),
            streams: HashMap::new(),
            fetches: None,
            end: None,
        }
    }

    /// Whether its next op can be walked.
    pub(crate) fn is_ready(&self) -> bool {
        self.blocked.is_none() && self.end.is_none()
    }

    pub(crate) fn is_main(&self) -> bool {
        self.parent.is_none()
    }

    /// The nearest moment at which an open scope is out of time.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let shielded = self.frames.iter().rposition(|frame| frame.phase == Phase::Finally);
        let own = self.frames[shielded.unwrap_or(0)..].iter().filter_map(|frame| frame.deadline);
        let outer = self.parent.as_ref().filter(|_| shielded.is_none()).and_then(|parent| parent.deadline);
        own.chain(outer).min()
    }

    /// Whether a `finally` of the frame at this depth, or of one within it, is under way.
    pub(crate) fn is_shielded(&self, depth: usize) -> bool {
        self.frames.iter().skip(depth).any(|frame| frame.phase == Phase::Finally)
    }

    /// Whether any `finally` around it is under way.
    pub(crate) fn is_in_finally(&self) -> bool {
        self.is_shielded(0) || self.parent.as_ref().is_some_and(|parent| parent.is_shielded)
    }

    /// The turns and items around what it does now; empty outside of loops.
    pub(crate) fn trail(&self) -> String {
        let mut trail = self.parent.as_ref().map_or_else(String::new, |parent| parent.trail.clone());
        for turn in self.frames.iter().filter_map(|frame| frame.turn) {
            trail += &format!("#{turn}");
        }
        // What is asked again is another message than what was asked first.
        for asking in self.frames.iter().filter_map(|frame| frame.asking).filter(|asking| asking.misfits > 0)
        {
            trail += &format!("?{}", asking.misfits);
        }
        trail
    }
}
