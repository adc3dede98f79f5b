//! What a journal keeps, and what it says of it.

use std::collections::{BTreeMap, BTreeSet};

use flowrun_machine::{Body, Checkpoint, EventRecord};
use flowrun_step::RunId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Busy, RunKey, Texts};
use crate::mail::Incoming;
use crate::message::{Conversation, Message};

/// Whether a run began.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Begun {
    /// Now.
    Now,
    /// Before, with the same start: how it stands, and what its caller was answered. Nothing was kept.
    Before(Standing, Option<Answer>),
    /// Not: this run talks with the person.
    Busy(RunId),
    /// Not: the conversation is with a person of the house.
    HandedOver,
    /// Not: the message that starts it came before.
    Duplicate,
}

/// A run that begins.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Which.
    pub run: RunKey,
    /// The flow's name.
    pub flow: String,
    /// Every text of the flow.
    pub texts: Texts,
    /// Which texts these are (`Plan::hash`).
    pub hash: String,
    /// The digest of what it is started with: a second run of this id with another is a conflict (runs.md 11). Whoever keeps
    /// it seals it, so that inputs cannot be guessed from it.
    pub start: [u8; 32],
    /// Whom it talks with.
    pub talk: Option<Talk>,
    /// Its first entry, and what changes with it.
    pub change: Change,
}

impl NewRun {
    /// A run of a flow that talks with nobody, to be begun with all that is given later: [`start`](Self::start) and
    /// [`talk`](Self::talk).
    #[must_use]
    pub fn new(run: RunKey, flow: &str, (texts, hash): (Texts, String), change: Change) -> Self {
        Self { run, flow: flow.to_owned(), texts, hash, start: [0; 32], talk: None, change }
    }
}

/// Whom a run talks with.
#[derive(Debug, Clone, PartialEq)]
pub struct Talk {
    /// The person.
    pub conversation: Conversation,
    /// What becomes of messages while it works.
    pub while_busy: Busy,
    /// The message that starts it, if one does.
    pub opener: Option<Opener>,
}

/// The message that starts a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Opener {
    /// One that comes now, by its provider's id.
    New(String),
    /// One that was kept.
    Kept(u64),
}

/// Everything that one event changes of a run on disk.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What happened, if the run is another after it.
    pub entry: Option<Entry>,
    /// How the run stands after it.
    pub standing: Standing,
    /// The letters that it is done with.
    pub taken: Vec<u64>,
    /// What it waits for from outside, if that is not what it was.
    pub waits: Option<Waits>,
    /// What whoever waited for it was answered.
    pub answer: Option<Answer>,
}

impl Change {
    /// A change of nothing but the log.
    #[must_use]
    pub fn new(at: Timestamp, entry: Option<Entry>, standing: Standing) -> Self {
        Self { at, entry, standing, taken: Vec::new(), waits: None, answer: None }
    }
}

/// What an entry came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// The bytes that are kept since the last checkpoint.
    pub bytes: usize,
    /// Whether events were waiting for what it waits for now.
    pub has_mail: bool,
}

/// What a run waits for from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waits {
    /// A message of its conversation.
    pub answer: bool,
    /// Events, by name and by what they are about.
    pub events: BTreeSet<(String, Option<String>)>,
}

/// A run that nobody drives for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Rest {
    /// The run.
    pub checkpoint: KeptCheckpoint,
    /// How it stands.
    pub standing: Standing,
    /// When it is to be driven again, if nothing comes before.
    pub until: Option<Timestamp>,
    /// The last letter it knows of.
    pub heard: u64,
}

/// Something on its way to a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Its number: it grows.
    pub number: u64,
    /// When it came.
    pub at: Timestamp,
    /// What it is.
    pub incoming: Incoming,
}

/// How a run is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The run.
    pub run: RunKey,
    /// Whether nobody drives it.
    pub is_at_rest: bool,
}

/// What became of something that was to be kept for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It came before.
    Duplicate,
    /// It is kept.
    Kept {
        /// For whom.
        address: Address,
        /// Whether the run waits for it.
        is_awaited: bool,
    },
    /// The run works, and takes no more.
    Dropped(RunId),
    /// The conversation is with a person of the house.
    HandedOver,
    /// There is nobody to keep it for.
    Nobody,
}

/// A conversation that was given to a person of the house.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HandedOver {
    /// The run it was in.
    pub run: Option<RunId>,
    /// The messages that nobody took.
    pub queued: Vec<Message>,
}

/// What whoever started a run was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// A run, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its id.
    pub id: String,
    /// The flow's name.
    pub flow: String,
    /// How it stands, in a word (`Standing::status`).
    pub status: String,
    /// Whether a process drives it at this moment.
    pub is_driven: bool,
    /// When it began.
    pub began: String,
    /// When its standing last changed.
    pub changed: String,
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
    /// Whether the process left on purpose: what was under way then was not lost with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_clean: bool,
}

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct KeptRun {
    /// Which texts its flow is made of ([`Journal::texts`](super::Journal::texts)).
    pub hash: String,
    /// Whom it talks with.
    pub conversation: Option<Conversation>,
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
        hash: String,
        checkpoint: Option<KeptCheckpoint>,
        entries: Vec<Entry>,
        standing: Standing,
    ) -> Self {
        Self { hash, conversation: None, checkpoint, entries, standing }
    }
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", deny_unknown_fields)]
#[non_exhaustive]
pub enum Standing {
    /// It goes on as long as a process drives it.
    Running,
    /// Nobody drives it: it goes on when something comes for it, or at this moment.
    Waiting {
        /// The moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
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
    /// It was restored from a backup, and goes on once somebody releases it: what it did since may have been done already.
    Held,
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
            Self::Waiting { .. } => "waiting",
            Self::InDoubt { .. } => "in_doubt",
            Self::Blocked { .. } => "blocked",
            Self::Held => "held",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::TimedOut { .. } => "timed_out",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether the run is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !matches!(
            self,
            Self::Running | Self::Waiting { .. } | Self::InDoubt { .. } | Self::Blocked { .. } | Self::Held
        )
    }
}
