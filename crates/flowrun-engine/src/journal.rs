//! Where runs are kept, so that they outlive their process (runs.md 6 to 8).
//!
//! The truth about a run is its texts, a checkpoint, and the entries after it. An entry is on disk before anything that
//! follows from it is done, but for calls that may be made twice; so whoever takes the run up again knows all that was
//! done, and of a call that must not be made twice, that it may have been.

use std::collections::BTreeMap;
use std::fmt;

use flowrun_lang::Texts;
use flowrun_machine::{Checkpoint, EventRecord};
use flowrun_step::{BoxFuture, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How often a call is made again after its process died, before it is in doubt: a call may be what kills it.
pub(crate) const LOSSES: u32 = 3;

/// Keeps runs.
pub trait Journal: fmt::Debug + Send + Sync {
    /// Keeps a run that begins, unless one of its id and start did before; durable once it comes back.
    fn begin(&self, run: NewRun) -> BoxFuture<'_, Result<Begun, JournalError>>;

    /// Keeps what happened in a run, and how it stands; durable once it comes back. Gives the bytes that are kept since the
    /// last checkpoint.
    fn append<'a>(
        &'a self,
        run: &'a RunId,
        entry: Entry,
        standing: Standing,
    ) -> BoxFuture<'a, Result<usize, JournalError>>;

    /// Keeps a checkpoint in place of the entries so far; at once, or not at all. Gives its bytes.
    fn shorten<'a>(
        &'a self,
        run: &'a RunId,
        checkpoint: KeptCheckpoint,
    ) -> BoxFuture<'a, Result<usize, JournalError>>;

    /// Says how a run stands that does not go on by itself.
    fn stand<'a>(&'a self, run: &'a RunId, standing: Standing) -> BoxFuture<'a, Result<(), JournalError>>;

    /// A run, to be taken up; none if there is none of this id.
    fn load<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, Result<Option<KeptRun>, JournalError>>;
}

/// Whether a run began.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Begun {
    /// Now.
    Now,
    /// Before, with the same start: how it stands. Nothing was kept.
    Before(Standing),
}

/// A run that begins.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// The flow's name.
    pub flow: String,
    /// Every text of the flow.
    pub texts: Texts,
    /// Which texts these are (`Plan::hash`).
    pub hash: String,
    /// The digest of what it is started with: a second run of this id with another is a conflict (runs.md 11). Whoever keeps
    /// it seals it, so that inputs cannot be guessed from it.
    pub start: [u8; 32],
    /// When it began.
    pub at: Timestamp,
    /// Its first entry.
    pub entry: Entry,
    /// How it stands after that.
    pub standing: Standing,
}

/// One thing that a log keeps of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Entry {
    /// Something happened.
    Happened {
        /// How often the machine had its turn again since the entry before.
        #[serde(default, skip_serializing_if = "is_zero")]
        turns: u32,
        /// What.
        event: Box<EventRecord>,
        /// Where the run stood after it (`Run::positions`): whoever feeds the event again must come to stand there too.
        positions: String,
    },
    /// The machine had its turn again, and something follows from that.
    Turned {
        /// How often since the entry before.
        turns: u32,
        /// Where the run stood after it.
        positions: String,
    },
    /// The process died while these calls were under way, and they are made again.
    Lost {
        /// Their ops.
        ops: Vec<u64>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(turns: &u32) -> bool {
    *turns == 0
}

/// A checkpoint, and what it does not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptCheckpoint {
    /// The run at rest.
    pub checkpoint: Checkpoint,
    /// How often each call that is under way was lost.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub losses: BTreeMap<u64, u32>,
}

/// A run as it is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeptRun {
    /// Every text of the flow.
    pub texts: Texts,
    /// The last checkpoint, if one was made.
    pub checkpoint: Option<KeptCheckpoint>,
    /// What happened after it, in order.
    pub entries: Vec<Entry>,
    /// How it stands.
    pub standing: Standing,
}

impl KeptRun {
    /// A run as it is kept.
    #[must_use]
    pub fn new(
        texts: Texts,
        checkpoint: Option<KeptCheckpoint>,
        entries: Vec<Entry>,
        standing: Standing,
    ) -> Self {
        Self { texts, checkpoint, entries, standing }
    }
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", deny_unknown_fields)]
#[non_exhaustive]
pub enum Standing {
    /// It goes on as long as a process drives it.
    Running,
    /// Nobody can say whether these steps' calls were made.
    InDoubt {
        /// The steps.
        steps: Vec<String>,
    },
    /// It cannot go on in this build.
    Blocked {
        /// Why.
        why: String,
    },
    /// It ended well.
    Done {
        /// Its outputs.
        outputs: Map<String, Value>,
    },
    /// It ended badly.
    Failed {
        /// What was said, with its place.
        error: Value,
    },
    /// Its time was up.
    TimedOut {
        /// What was said, with its place.
        error: Value,
    },
    /// Somebody cancelled it.
    Cancelled {
        /// Why.
        reason: String,
    },
}

impl Standing {
    /// The word for it.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::InDoubt { .. } => "in_doubt",
            Self::Blocked { .. } => "blocked",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::TimedOut { .. } => "timed_out",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether the run is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Running | Self::InDoubt { .. } | Self::Blocked { .. })
    }
}

/// Why a journal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A run of this id began before, with another start.
    #[error("a run `{0}` began before, with another flow or other inputs")]
    Conflict(RunId),
    /// Another process drives the run.
    #[error("another process drives the run `{0}`")]
    Held(RunId),
    /// It cannot be read or written.
    #[error("the journal cannot be used: {0}")]
    Unavailable(String),
}
