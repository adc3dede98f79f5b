//! Where a flow's messages go.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{BoxFuture, Capabilities, StepError, Tenant};

/// Whom a run talks with: a person, as one account of a channel knows them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// The channel's name, as `channel:` says it.
    pub channel: String,
    /// Which of the house's own accounts on that channel: a phone number, a page; empty where there is one.
    #[serde(default)]
    pub account: String,
    /// The person: a phone number, a user id of the channel.
    pub peer: String,
}

impl Conversation {
    /// What a flow reads as `conversation`.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({ "id": self.peer, "channel": self.channel, "account": self.account })
    }
}

/// One message a flow sends.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutgoingMessage {
    /// Whose house sends it.
    pub tenant: Tenant,
    /// The conversation it belongs to, unless it goes to somebody else.
    pub conversation: Option<Conversation>,
    /// The text.
    pub text: String,
    /// Whom to, where there is no conversation.
    pub to: Option<String>,
    /// What may be pressed instead of typing an answer.
    pub buttons: Vec<String>,
    /// The URL of a picture, a sound or a document.
    pub media: Option<String>,
    /// A message that the channel's provider knows by name, as the channel describes it.
    pub template: Option<Value>,
    /// Whether to come back only once it has arrived, or with [`StepError::Undelivered`].
    pub must_arrive: bool,
    /// The same on every attempt, so that a channel can refuse to deliver twice.
    pub key: String,
}

/// A way to reach people: a terminal, a messaging service.
pub trait Channel: Send + Sync {
    /// The name a flow's `channel:` uses.
    fn name(&self) -> &str;

    /// What the channel can carry for one of the house's own accounts on it; the account is empty where there is one, and
    /// for a message outside a conversation. Everything, unless it says otherwise. It is asked before every message, so the
    /// answer is at hand, not fetched.
    fn capabilities(&self, _account: &str) -> Capabilities {
        Capabilities::default()
    }

    /// Delivers one message.
    ///
    /// # Errors
    /// When the message could not be handed over.
    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>>;
}
