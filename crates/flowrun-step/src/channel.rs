//! Where a flow's messages go.

use serde_json::Value;

use crate::{BoxFuture, StepError};

/// One message a flow sends.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutgoingMessage {
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

    /// Delivers one message.
    ///
    /// # Errors
    /// When the message could not be handed over.
    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>>;
}
