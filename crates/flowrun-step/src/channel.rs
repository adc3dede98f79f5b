//! Where a flow's messages go.

use crate::{BoxFuture, StepError};

/// One message a flow sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// The text.
    pub text: String,
    /// Whom to, where there is no conversation.
    pub to: Option<String>,
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
