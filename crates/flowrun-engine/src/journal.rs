//! Where runs are kept, so that they outlive their process (runs.md 6 to 8).
//!
//! The truth about a run is its texts, a checkpoint, and the entries after it. An entry is on disk before anything that
//! follows from it is done, but for calls that may be made twice; so whoever takes the run up again knows all that was
//! done, and of a call that must not be made twice, that it may have been.

mod book;
mod memory;
mod record;

use std::fmt;

use flowrun_step::{BoxFuture, RunId, Tenant};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::host::{Filter, View};
use crate::mail::{Incoming, Told};
use crate::message::{Conversation, Message};
pub use flowrun_lang::Texts;
pub use flowrun_lang::trigger::Busy;
pub use memory::MemoryJournal;
pub use record::{
    Address, Answer, Appended, Begun, Change, Delivered, Entry, HandedOver, KeptCheckpoint, KeptRun, Letter,
    NewRun, Opener, Rest, Standing, Summary, Talk, Waits,
};

/// How long ids of messages are remembered (R6).
pub const SEEN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long events are kept for runs that wait later (runs.md 10).
pub const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// The most messages that wait for a busy run.
pub const WAITING: usize = 100;

/// How often a call is made again after its process died, before it is in doubt: a call may be what kills it.
pub(crate) const LOSSES: u32 = 3;

/// A run among those of all tenants.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey {
    /// Whose it is.
    pub tenant: Tenant,
    /// Its id, which is unique within the tenant.
    pub id: RunId,
}

impl RunKey {
    /// The run of that id.
    #[must_use]
    pub fn new(tenant: Tenant, id: RunId) -> Self {
        Self { tenant, id }
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

/// What comes back once it is on disk.
pub type Kept<'a, T> = BoxFuture<'a, Result<T, JournalError>>;

/// Keeps runs, and what is on its way to them.
pub trait Journal: fmt::Debug + Send + Sync {
    /// Keeps a run that begins, unless one of its id and start did before, or another talks with its person.
    fn begin(&self, run: NewRun) -> Kept<'_, Begun>;

    /// Keeps what happened in a run, and all that changes with it, at once.
    fn append<'a>(&'a self, run: &'a RunKey, change: Change) -> Kept<'a, Appended>;

    /// Keeps a checkpoint in place of the entries so far. Gives its bytes.
    fn shorten<'a>(&'a self, run: &'a RunKey, checkpoint: KeptCheckpoint) -> Kept<'a, usize>;

    /// Keeps a checkpoint of a run that nobody drives from now on, until its time comes or something comes for it. Says whether
    /// it is at rest: not if something has come that it does not know of.
    fn rest<'a>(&'a self, run: &'a RunKey, rest: Rest) -> Kept<'a, bool>;

    /// Says how a run stands that does not go on by itself; nobody drives it.
    fn stand<'a>(&'a self, run: &'a RunKey, standing: Standing) -> Kept<'a, ()>;

    /// A run, to be driven from now on; none if there is none of this id. Of one that is over only how it stands.
    fn load<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<KeptRun>>;

    /// The texts of a flow, by [`KeptRun::hash`].
    fn texts<'a>(&'a self, hash: &'a str) -> Kept<'a, Option<Texts>>;

    /// What came for a run after what it has heard of, in order.
    fn mail<'a>(&'a self, run: &'a RunKey, heard: u64) -> Kept<'a, Vec<Letter>>;

    /// Keeps a message for the run that talks with its sender, once. One that interrupts ends that run, and is routed afresh then.
    fn receive(&self, message: Message, at: Timestamp, interrupts: bool) -> Kept<'_, Delivered>;

    /// Keeps something for one run.
    fn deliver<'a>(&'a self, run: &'a RunKey, incoming: Incoming, at: Timestamp) -> Kept<'a, Delivered>;

    /// Keeps an event for ten minutes, and for every run that waits for it; gives those and how each is reached. None if it was
    /// told before.
    fn tell<'a>(&'a self, tenant: &'a Tenant, told: Told, at: Timestamp) -> Kept<'a, Option<Vec<Address>>>;

    /// Remembers a message that nothing takes, so that it is not taken when it comes again.
    fn remember(&self, message: Message, at: Timestamp) -> Kept<'_, ()>;

    /// Messages whose run ended before it took them, in order.
    fn stray(&self) -> Kept<'_, Vec<(u64, Message)>>;

    /// Forgets a message that nothing takes.
    fn discard(&self, number: u64) -> Kept<'_, ()>;

    /// Gives a conversation to a person of the house: nothing starts in it until it is given back. Gives the run it was in, and
    /// what that had not taken.
    fn hand_over<'a>(&'a self, tenant: &'a Tenant, conversation: &'a Conversation) -> Kept<'a, HandedOver>;

    /// Gives a conversation back.
    fn hand_back<'a>(&'a self, tenant: &'a Tenant, conversation: &'a Conversation) -> Kept<'a, ()>;

    /// Runs at rest whose time has come, the oldest first, and when the next one's comes.
    fn due(&self, now: Timestamp, most: usize) -> Kept<'_, (Vec<RunKey>, Option<Timestamp>)>;

    /// Keeps a moment under a name, if one is given; gives the one that was kept before.
    fn mark<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a str,
        at: Option<Timestamp>,
    ) -> Kept<'a, Option<Timestamp>>;

    /// Lets go on what is held of a tenant since it was restored from a backup: one run, or all; gives how many.
    ///
    /// A journal that is not restored from backups holds nothing.
    fn release_held<'a>(&'a self, tenant: &'a Tenant, run: Option<&'a RunId>) -> Kept<'a, usize> {
        let _ = (tenant, run);
        Box::pin(async { Ok(0) })
    }

    /// Runs that a process that begins takes up: those that were driven, those at rest for which something came, and blocked ones,
    /// since this build may be another.
    fn unfinished(&self) -> Kept<'_, Vec<RunKey>>;

    /// The runs that a filter lets through, the last to change first.
    fn list<'a>(&'a self, tenant: &'a Tenant, filter: Filter) -> Kept<'a, Vec<Summary>>;

    /// One run, whoever drives it.
    fn view<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<View>>;

    /// One run with everything that is kept of it, whoever drives it: from its first entry, if nothing of it was forgotten.
    fn look<'a>(&'a self, run: &'a RunKey) -> Kept<'a, Option<KeptRun>>;

    /// Forgets everything of a person or of a tenant, at once and for good (R13): runs, driven or not, and what is on its way to
    /// them. Gives the runs.
    fn erase<'a>(&'a self, tenant: &'a Tenant, whose: Whose<'a>) -> Kept<'a, Vec<RunKey>>;
}

/// Whose runs are to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// One person's, as channels know them (`Conversation::peer`), on every channel and account.
    Person(&'a str),
    /// All of the tenant's.
    Everybody,
}

/// What stays of a run that is over, until retention ends (R13). One that failed or whose time was up stays whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// That it was, in a word, and what its caller was answered: not its outputs, not whom it talked with.
    None,
    /// How it ended, with its outputs, and whom it talked with.
    #[default]
    Summary,
    /// Everything that happened in it.
    Full,
}

impl History {
    /// Whether everything is kept of a run that ended so (`Standing::status`).
    #[must_use]
    pub fn keeps(self, status: &str) -> bool {
        self == Self::Full || matches!(status, "failed" | "timed_out")
    }

    /// How a run stands, as it is kept.
    #[must_use]
    pub fn kept(self, standing: Standing) -> Standing {
        match standing {
            Standing::Done { .. } if self == Self::None => Standing::Done { outputs: Map::new() },
            other => other,
        }
    }
}

/// Why a journal did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A run of this id began before, with another start.
    #[error("a run `{0}` began before, with another flow or other inputs")]
    Conflict(RunId),
    /// Another process drives the run.
    #[error("another process drives the run `{0}`")]
    Held(RunId),
    /// The run was restored from a backup, and nobody has released it yet.
    #[error("the run `{0}` was restored from a backup, and is held until it is released")]
    OnHold(RunId),
    /// It cannot be read or written.
    #[error("the journal cannot be used: {0}")]
    Unavailable(String),
}
