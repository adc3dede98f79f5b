//! Messages of people, and what becomes of them (embedding, R6).

pub use flowrun_step::Conversation;
use flowrun_step::{RunId, Tenant};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::journal::JournalError;

/// A message of a person, as a channel hands it over.
///
/// # Example
/// ```
/// use flowrun_engine::{Conversation, Message};
/// use flowrun_step::Tenant;
///
/// let peer = Conversation { channel: "sms".into(), account: String::new(), peer: "+31612345678".into() };
/// let message = Message::new(Tenant::default(), peer, "wamid.7").text("order 42");
/// assert_eq!(message.body()["text"], "order 42");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Message {
    /// Whose house it comes to.
    pub tenant: Tenant,
    /// Who sent it, and where.
    pub conversation: Conversation,
    /// The provider's id of it: a message that comes twice is taken once, for seven days.
    pub id: String,
    /// What it says.
    pub text: String,
    /// The button that was pressed, if one was.
    pub choice: Option<String>,
    /// What came with it.
    pub attachments: Vec<Attachment>,
    /// When it was sent, as the sender says; it orders nothing.
    pub sent_at: Option<Timestamp>,
    /// The flow that it starts where no run waits, whatever the triggers say.
    pub flow: Option<String>,
}

/// Something that came with a message: where it is, never its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Where it is: a URL, or an id of the channel.
    pub reference: String,
    /// Its media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Its bytes, counted.
    pub size: u64,
}

impl Message {
    /// An empty message.
    #[must_use]
    pub fn new(tenant: Tenant, conversation: Conversation, id: &str) -> Self {
        Self {
            tenant,
            conversation,
            id: id.to_owned(),
            text: String::new(),
            choice: None,
            attachments: Vec::new(),
            sent_at: None,
            flow: None,
        }
    }

    /// Says what it says.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.text);
        self
    }

    /// Says which button was pressed.
    #[must_use]
    pub fn choice(mut self, choice: &str) -> Self {
        self.choice = Some(choice.to_owned());
        self
    }

    /// Says which flow it starts where no run waits.
    #[must_use]
    pub fn flow(mut self, flow: &str) -> Self {
        self.flow = Some(flow.to_owned());
        self
    }

    /// What a flow reads of it: `{text, choice, attachments}`.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({ "text": self.text, "choice": self.choice, "attachments": self.attachments })
    }
}

/// What became of a message that was taken; the channel acknowledges it, whichever it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "became")]
#[non_exhaustive]
pub enum Receipt {
    /// It came before; nothing was done.
    Duplicate,
    /// The run that waited for it goes on.
    Resumed {
        /// The run.
        run: RunId,
    },
    /// The run works; the message waits until it asks.
    Queued {
        /// The run.
        run: RunId,
    },
    /// It started a run.
    Started {
        /// The run.
        run: RunId,
    },
    /// It ended the run the conversation was in, and started another.
    Interrupted {
        /// The run that it started.
        run: RunId,
        /// The run that it ended.
        ended: RunId,
    },
    /// The conversation is with a person of the house; the host has the message.
    HandedOver,
    /// The run works, and takes no more.
    Dropped {
        /// The run.
        run: RunId,
    },
    /// No run waits for it and no flow listens.
    NoFlow,
}

/// Why something was not taken; nothing of it is remembered, and whoever brought it brings it again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Too much is under way.
    #[error("too much is under way; try again in {retry_after:?}")]
    Overloaded {
        /// When to try again.
        retry_after: std::time::Duration,
    },
    /// The house closes.
    #[error("flowrun is shutting down")]
    Draining,
    /// The journal does not take it.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
