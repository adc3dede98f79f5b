//! A channel of the service's own: what a flow sends goes to the gateway of a messaging provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use flowrun::step::{BoxFuture, Channel, OutgoingMessage, StepError, Tenant};
use serde::Serialize;

/// A message on its way to a person.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(crate) struct Sent {
    to: String,
    text: String,
}

/// Stands for the provider's HTTP interface: an outbox for each shop, in which a message with a key is one message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gateway(Arc<Mutex<Outboxes>>);

/// What each shop has sent, with the keys by which it is known.
type Outboxes = HashMap<Tenant, Vec<(String, Sent)>>;

impl Gateway {
    /// What a shop has sent.
    pub(crate) fn outbox(&self, tenant: &Tenant) -> Vec<Sent> {
        let outboxes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outboxes.get(tenant).into_iter().flatten().map(|(_, sent)| sent.clone()).collect()
    }
}

impl Channel for Gateway {
    fn name(&self) -> &str {
        "chat"
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move {
            let to = message.to.clone().or_else(|| Some(message.conversation.as_ref()?.peer.clone()));
            let to = to.ok_or_else(|| StepError::Refused {
                reason: "the message is for nobody".to_owned(),
                help: "say `to:`, or send within a conversation".to_owned(),
            })?;
            let sent = Sent { to, text: message.text.clone() };
            let mut outboxes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let outbox = outboxes.entry(message.tenant.clone()).or_default();
            if !outbox.iter().any(|(key, _)| *key == message.key) {
                outbox.push((message.key.clone(), sent));
            }
            Ok(())
        })
    }
}
