//! What goes over the wire: types of their own, converted at the door.

mod run;

use std::collections::BTreeMap;

use flowrun::engine::{self, host};
use flowrun::machine;
use flowrun::step::{RunId, Tenant};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::deployed;
pub use run::{Answer, Run};

/// A whole set of flows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deploy {
    /// The text of each file, by its path.
    pub(crate) files: BTreeMap<String, String>,
}

/// A set of flows that is kept.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Set {
    revision: String,
    /// When it was deployed.
    at: String,
    /// Who deployed it.
    by: String,
    /// The paths of its files.
    files: Vec<String>,
    /// Whether it is the one that is served.
    is_served: bool,
}

impl Set {
    pub(crate) fn of(set: &deployed::Set, served: &str) -> Self {
        let deployed::Set { revision, at, by, files } = set;
        Self {
            is_served: revision == served,
            revision: revision.clone(),
            at: at.to_string(),
            by: by.clone(),
            files: files.keys().cloned().collect(),
        }
    }
}

/// Which set is to be served again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// Its revision; else it is the set that was served before.
    pub(crate) to: Option<String>,
}

/// A published flow.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Flow {
    name: String,
    file: String,
    hash: String,
    /// What starts it, if anything does but a request: `message`, `webhook`, `schedule`, `event`.
    trigger: Option<String>,
}

impl From<host::Published> for Flow {
    fn from(flow: host::Published) -> Self {
        let host::Published { name, file, hash, trigger, .. } = flow;
        Self { name, file, hash, trigger: trigger.map(str::to_owned) }
    }
}

/// Whom a run talks with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conversation {
    channel: String,
    #[serde(default)]
    account: String,
    peer: String,
}

impl From<Conversation> for engine::Conversation {
    fn from(Conversation { channel, account, peer }: Conversation) -> Self {
        Self { channel, account, peer }
    }
}

/// What a run is started with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// The inputs, by name.
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, Value>,
    /// The run's id; else the `Idempotency-Key` is, else a fresh one is made.
    pub(crate) run_id: Option<String>,
    pub(crate) conversation: Option<Conversation>,
    /// Whether it ends the run that the conversation is in.
    #[serde(default)]
    pub(crate) replaces: bool,
}

/// How long to wait for the outcome.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    /// A duration, such as `30s`.
    pub(crate) wait: Option<String>,
}

/// A run that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Started {
    pub(crate) run: String,
    /// Whether it began before.
    pub(crate) existing: bool,
}

impl From<host::Started> for Started {
    fn from(started: host::Started) -> Self {
        Self { run: started.run.to_string(), existing: started.existing }
    }
}

/// Which runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    pub(crate) flow: Option<String>,
    pub(crate) status: Option<String>,
    /// The last run of the page before.
    pub(crate) after: Option<String>,
    pub(crate) limit: Option<usize>,
}

/// Why a run is cancelled.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {
    pub(crate) reason: Option<String>,
}

/// What becomes of calls in doubt.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolve {
    pub(crate) how: How,
}

/// What becomes of a call of which nobody can say whether it was made.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// It is made again.
    Retry,
    /// The run goes on after the step.
    Skip,
    /// The step failed.
    Fail,
}

impl From<How> for machine::InDoubt {
    fn from(how: How) -> Self {
        match how {
            How::Retry => Self::Retry,
            How::Skip => Self::Skip,
            How::Fail => Self::Fail,
        }
    }
}

/// Runs that go on from now on.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Released {
    /// How many.
    pub(crate) runs: usize,
}

/// Who is to be forgotten.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erase {
    /// The person, as channels know them: a phone number, a user id.
    pub(crate) peer: String,
}

/// What was forgotten.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Erased {
    /// How many runs.
    pub(crate) runs: usize,
}

/// What happened in a run.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "it says in the document what the engine's own type is on the wire")]
pub(crate) struct Story {
    /// Whether it is told from the start: else the part before was forgotten.
    is_whole: bool,
    /// What happened, in order.
    moments: Vec<Moment>,
}

/// One thing that happened; what more there is to say stands beside.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "it says in the document what the engine's own type is on the wire")]
pub(crate) struct Moment {
    /// When.
    at: Option<String>,
    /// In which step.
    step: Option<String>,
    /// What: `began`, `called`, `returned`, `page`, `call_failed`, `aborted`, `in_doubt`, `lost`, `resolved`, `waited`, `received`, `fired`,
    /// `retrying`, `answered`, `emitted`, `logged`, `ended`, `not_undone`, `cancelled`, `finished`.
    what: String,
}

/// Something that happened.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    pub(crate) event: String,
    pub(crate) key: Option<String>,
    #[serde(default)]
    pub(crate) data: Value,
    /// The same however often it is told.
    pub(crate) id: String,
}

/// Who heard of an event.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Heard {
    /// How many runs did.
    pub(crate) runs: usize,
}

/// A message of a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    /// The channel's name; at a channel's own door it may be left out.
    pub(crate) channel: Option<String>,
    /// Which of the house's own accounts on it.
    #[serde(default)]
    account: String,
    /// The person.
    peer: String,
    /// The provider's id of the message: what comes twice is taken once.
    id: String,
    #[serde(default)]
    text: String,
    /// The button that was pressed.
    choice: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    /// When it was sent, as RFC 3339 writes it.
    #[schemars(with = "Option<String>")]
    sent_at: Option<Timestamp>,
    /// The flow that it starts where no run waits.
    flow: Option<String>,
}

/// Something that came with a message: where it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Attachment {
    reference: String,
    #[serde(rename = "type")]
    media_type: String,
    size: u64,
}

impl Message {
    /// The message, as it comes to a house by a channel.
    pub(crate) fn of(self, tenant: &Tenant, channel: String) -> engine::Message {
        let from = engine::Conversation { channel, account: self.account, peer: self.peer };
        let mut message = engine::Message::new(tenant.clone(), from, &self.id).text(&self.text);
        message.choice = self.choice;
        message.sent_at = self.sent_at;
        message.flow = self.flow;
        let attached = self.attachments.into_iter().map(|Attachment { reference, media_type, size }| {
            engine::Attachment { reference, media_type, size }
        });
        message.attachments = attached.collect();
        message
    }
}

/// What became of a message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Receipt {
    /// `duplicate`, `resumed`, `queued`, `started`, `interrupted`, `handed_over`, `dropped` or `no_flow`.
    became: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// The run that was ended for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
}

impl From<engine::Receipt> for Receipt {
    fn from(receipt: engine::Receipt) -> Self {
        let of = |became: &'static str, run: Option<RunId>, ended: Option<RunId>| {
            let text = |run: RunId| run.to_string();
            Self { became, run: run.map(text), ended: ended.map(text) }
        };
        match receipt {
            engine::Receipt::Duplicate => of("duplicate", None, None),
            engine::Receipt::Resumed { run } => of("resumed", Some(run), None),
            engine::Receipt::Queued { run } => of("queued", Some(run), None),
            engine::Receipt::Started { run } => of("started", Some(run), None),
            engine::Receipt::Interrupted { run, ended } => of("interrupted", Some(run), Some(ended)),
            engine::Receipt::HandedOver => of("handed_over", None, None),
            engine::Receipt::Dropped { run } => of("dropped", Some(run), None),
            engine::Receipt::NoFlow => of("no_flow", None, None),
            _ => of("taken", None, None),
        }
    }
}
