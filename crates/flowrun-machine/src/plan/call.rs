//! Calls as they are planned: what they are given, how often they are tried, what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use flowrun_template::{Effect, Picks, Slot, Tree};

use crate::plan::{PagingPlan, Placed};

/// A call, as far as it is known before a run.
#[derive(Debug, Clone)]
pub struct CallPlan {
    /// The step kind, or `send`.
    pub kind: String,
    /// The settings' template.
    pub settings: Arc<Placed<Tree>>,
    /// What repeating it would mean.
    pub effect: Effect,
    /// Which parts of the reply become variables.
    pub picks: Option<Arc<Placed<Picks>>>,
    /// The variables `picks` writes, in its order.
    pub writes: Vec<Slot>,
    /// How often and when to try again.
    pub retry: Option<Retry>,
    /// What to do if nobody can say whether it was made.
    pub in_doubt: InDoubt,
    /// Who reads the step's output.
    pub output: OutputUse,
    /// How it goes through pages, if its answer comes in pages.
    pub paging: Option<PagingPlan>,
}

impl CallPlan {
    /// A call whose answer nobody reads and that is made once.
    #[must_use]
    pub fn new(kind: &str, settings: Placed<Tree>, effect: Effect) -> Self {
        Self {
            kind: kind.to_owned(),
            settings: Arc::new(settings),
            effect,
            picks: None,
            writes: Vec::new(),
            retry: None,
            in_doubt: InDoubt::Stop,
            output: OutputUse::Nobody,
            paging: None,
        }
    }
}

/// What to do about a call of which nobody can say whether it was made: its driver died before it heard (L-9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InDoubt {
    /// Wait until somebody says.
    #[default]
    Stop,
    /// Make it again.
    Retry,
    /// Go on after the step, as one that was skipped.
    Skip,
    /// Fail the step.
    Fail,
}

/// Who reads a call's output, and so how much of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputUse {
    /// Nobody: it is dropped.
    #[default]
    Nobody,
    /// A mention of `steps.<id>.output`: what the kind keeps.
    Mentions,
    /// `into`: the whole of it.
    Into,
}

/// `retry` (L-10): up to `times` further attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Further attempts, 0 to 10.
    pub times: u32,
    /// The wait before the first further attempt; it doubles each time.
    pub wait: Duration,
    /// The longest wait; equal to `wait` it makes the wait constant.
    pub max_wait: Duration,
    /// Which errors are tried again; empty: whatever the call says is retryable.
    pub errors: Vec<RetryOn>,
}

/// An error worth another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryOn {
    /// No connection.
    Connect,
    /// No answer in time.
    Timeout,
    /// A status code.
    Status(u16),
    /// Any status from 500 to 599.
    ServerError,
}
