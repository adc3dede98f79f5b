//! What hosts runs: the one face of a driver, on this machine or on many (R10). A server speaks to it and names no driver.

use std::collections::BTreeMap;
use std::time::Duration;

use flowrun_lang::trigger::WebhookTrigger;
use flowrun_lang::{Diagnostic, Given};
use flowrun_machine::InDoubt;
use flowrun_step::{BoxFuture, RunId, Tenant};
use serde::Serialize;
use serde_json::Value;

use crate::journal::{Answer, JournalError, Standing, Summary};
use crate::mail::Told;
use crate::message::{Conversation, Message, Receipt, Refused};
use crate::story::{Story, Untold};

/// A request for a run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// Whose run it is.
    pub tenant: Tenant,
    /// The name of a published flow.
    pub flow: String,
    /// The run's id and key: the same id with the same inputs is the same run (runs.md 11).
    pub run: RunId,
    /// The inputs, by name.
    pub inputs: BTreeMap<String, Given>,
    /// What starts it: what the flow reads as `trigger`; null if nothing does.
    pub trigger: Value,
    /// Whom it talks with; then it is refused while another run does.
    pub conversation: Option<Conversation>,
    /// Whether it ends a run that talks with the same person.
    pub replaces: bool,
}

impl Request {
    /// A run without inputs, triggers and conversation.
    #[must_use]
    pub fn new(tenant: Tenant, flow: &str, run: RunId) -> Self {
        Self {
            tenant,
            flow: flow.to_owned(),
            run,
            inputs: BTreeMap::new(),
            trigger: Value::Null,
            conversation: None,
            replaces: false,
        }
    }
}

/// A run that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// Whether it began before, with the same start.
    pub existing: bool,
}

/// Why no run was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotStarted {
    /// No flow of that name is published.
    #[error("no flow called `{0}` is published")]
    NoFlow(String),
    /// Inputs are missing, unknown or do not fit.
    #[error("the inputs do not fit the flow")]
    Inputs(Vec<Diagnostic>),
    /// The conversation is in another run.
    #[error("the conversation is in the run `{0}`")]
    Busy(RunId),
    /// The conversation is with a person of the house.
    #[error("the conversation is with a person of the house")]
    HandedOver,
    /// A run of this id began before, with another start.
    #[error("a run `{0}` began before, with another flow or other inputs")]
    Conflict(RunId),
    /// It was not taken.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// A published flow.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Published {
    /// Its name.
    pub name: String,
    /// Its file within the set.
    pub file: String,
    /// Which texts it is made of.
    pub hash: String,
    /// What starts it, in a word: `message`, `webhook`, `schedule`, `event`; nothing if only a request does.
    pub trigger: Option<&'static str>,
}

/// How a run stands, and what whoever waited for it was answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct View {
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: Summary,
    /// How it stands, with its outputs or its error.
    pub standing: Standing,
    /// What its caller was answered, if a step did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

impl View {
    /// How a run stands.
    #[must_use]
    pub fn new(summary: Summary, standing: Standing, answer: Option<Answer>) -> Self {
        Self { summary, standing, answer }
    }
}

/// Which runs are meant, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this flow.
    pub flow: Option<String>,
    /// That stand so (`Standing::status`).
    pub status: Option<String>,
    /// After this one in the list: where the page before ended.
    pub after: Option<RunId>,
    /// At most so many; 0 is 100.
    pub most: usize,
}

impl Filter {
    /// At most so many at once.
    #[must_use]
    pub fn page(&self) -> usize {
        if self.most == 0 { 100 } else { self.most.min(1_000) }
    }
}

/// Hosts runs.
pub trait Host: Send + Sync {
    /// Takes a whole set of flows, by the paths of their files, in place of the one before; or none of it.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    fn publish<'a>(
        &'a self,
        tenant: &'a Tenant,
        files: BTreeMap<String, Vec<u8>>,
    ) -> BoxFuture<'a, Result<Vec<Published>, Vec<Diagnostic>>>;

    /// The flows that are published.
    fn flows(&self, tenant: &Tenant) -> Vec<Published>;

    /// The flow that a call of this method, in capitals, and path starts, and what its trigger says.
    fn webhook(&self, tenant: &Tenant, method: &str, path: &str) -> Option<(String, WebhookTrigger)>;

    /// Starts a run, unless it began before; durable once it comes back, not over.
    ///
    /// # Errors
    /// When it was not started: why.
    fn start(&self, request: Request) -> BoxFuture<'_, Result<Started, NotStarted>>;

    /// Waits until a run is answered, ends, or needs somebody, or for so long.
    ///
    /// # Errors
    /// When the journal cannot be read.
    fn settled<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
        most: Duration,
    ) -> BoxFuture<'a, Result<Option<View>, JournalError>>;

    /// Takes a message: resumes who waits for it, else starts who listens; durable once it comes back.
    ///
    /// # Errors
    /// When it was not taken, and nothing of it is remembered.
    fn receive(&self, message: Message) -> BoxFuture<'_, Result<Receipt, Refused>>;

    /// Tells every run that waits for an event, and starts the flows that it triggers; gives how many runs heard it. The same
    /// id is told once.
    ///
    /// # Errors
    /// When it was not taken.
    fn tell<'a>(&'a self, tenant: &'a Tenant, told: Told) -> BoxFuture<'a, Result<usize, Refused>>;

    /// Hands a run the call of the URL of one of its steps.
    ///
    /// # Errors
    /// When it was not taken.
    fn call<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
        step: &'a str,
        payload: Value,
    ) -> BoxFuture<'a, Result<Called, Refused>>;

    /// Cancels a run; says whether there was one to cancel.
    ///
    /// # Errors
    /// When the journal cannot be used.
    fn cancel<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<bool, JournalError>>;

    /// Says what becomes of the calls of a run that are in doubt; says whether there was such a run.
    ///
    /// # Errors
    /// When the journal cannot be used.
    fn resolve<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
        how: InDoubt,
    ) -> BoxFuture<'a, Result<bool, JournalError>>;

    /// Lets runs go on that are held since they were restored from a backup: one, or all; gives how many.
    ///
    /// # Errors
    /// When the journal cannot be used.
    fn release<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: Option<&'a RunId>,
    ) -> BoxFuture<'a, Result<usize, JournalError>>;

    /// Gives a conversation to a person of the house: its run is cancelled, and what that had not taken comes back.
    ///
    /// # Errors
    /// When the journal cannot be used.
    fn hand_over<'a>(
        &'a self,
        tenant: &'a Tenant,
        conversation: &'a Conversation,
    ) -> BoxFuture<'a, Result<Vec<Message>, JournalError>>;

    /// Gives a conversation back to the flows.
    ///
    /// # Errors
    /// When the journal cannot be used.
    fn hand_back<'a>(
        &'a self,
        tenant: &'a Tenant,
        conversation: &'a Conversation,
    ) -> BoxFuture<'a, Result<(), JournalError>>;

    /// The runs that a filter lets through.
    ///
    /// # Errors
    /// When the journal cannot be read.
    fn list<'a>(
        &'a self,
        tenant: &'a Tenant,
        filter: Filter,
    ) -> BoxFuture<'a, Result<Vec<Summary>, JournalError>>;

    /// One run.
    ///
    /// # Errors
    /// When the journal cannot be read.
    fn show<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
    ) -> BoxFuture<'a, Result<Option<View>, JournalError>>;

    /// What happened in a run, as far as it is kept; nothing is done again.
    ///
    /// # Errors
    /// When this version of flowrun leads elsewhere than the run went, or the journal cannot be read.
    fn story<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
    ) -> BoxFuture<'a, Result<Option<Story>, Untold>>;

    /// Forgets a person, as channels know them, on every channel and account (R13): runs that talk or talked with them, what they
    /// wrote, timers. What goes on with them ends at once, without `finally` or `undo`. Gives how many runs that were. It is
    /// done once it comes back, and cannot be taken back.
    ///
    /// # Errors
    /// When the journal cannot be used; then everything is as it was, or nothing is left.
    fn erase_person<'a>(
        &'a self,
        tenant: &'a Tenant,
        peer: &'a str,
    ) -> BoxFuture<'a, Result<usize, JournalError>>;

    /// Forgets a tenant: the key of its records first, then these, and the flows it published. Gives how many runs that were.
    ///
    /// # Errors
    /// When the journal cannot be used; what is left then opens no more, and goes when the journal is next opened.
    fn erase_tenant<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<usize, JournalError>>;

    /// Takes nothing more in, lets calls end for so long, and leaves what is not over to the next process. Idempotent.
    fn drain(&self, grace: Duration) -> BoxFuture<'_, ()>;
}

/// What became of a call of the URL of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Called {
    /// The run has it.
    Taken,
    /// It was called before.
    Before,
    /// There is no such run, or it is over.
    Gone,
}
