//! Sending: which channel a message goes to, and in which shape.

mod fit;

use flowrun_step::{Channel, Conversation, OutgoingMessage, StepContext, StepError};
use serde_json::Value;

use crate::services::Services;

/// Sends what a step says, in as many messages as its channel needs.
///
/// Each message has a key of its own that is the same on every attempt: an attempt after one that broke off sends the first ones
/// again, and the channel knows them by their keys.
pub(crate) async fn send(
    services: &Services,
    (context, conversation): (&StepContext, Option<Conversation>),
    settings: &Value,
) -> Result<(), StepError> {
    let message = message((context, conversation), settings);
    let channel = channel(services, settings, &message)?;
    let account = message.conversation.as_ref().map_or("", |own| own.account.as_str());
    for part in fit::fit(message.clone(), channel.name(), &channel.capabilities(account))? {
        channel.send(&part).await?;
    }
    Ok(())
}

fn text(settings: &Value, key: &str) -> Option<String> {
    settings.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// The message as the flow says it.
fn message(
    (context, conversation): (&StepContext, Option<Conversation>),
    settings: &Value,
) -> OutgoingMessage {
    let (to, named) = (text(settings, "to"), text(settings, "channel"));
    let is_own = |own: &Conversation| to.is_none() && named.as_ref().is_none_or(|name| *name == own.channel);
    let conversation = conversation.filter(is_own);
    let buttons = settings.get("buttons").and_then(Value::as_array).into_iter().flatten();
    OutgoingMessage {
        text: text(settings, "text").unwrap_or_default(),
        to,
        tenant: context.tenant.clone(),
        conversation,
        buttons: buttons.filter_map(|button| button.as_str().map(str::to_owned)).collect(),
        media: text(settings, "media"),
        template: settings.get("template").cloned(),
        must_arrive: settings.get("await").is_some(),
        key: context.key.clone(),
    }
}

/// The channel that is named, else the conversation's, else the house's first.
fn channel<'s>(
    services: &'s Services,
    settings: &Value,
    message: &OutgoingMessage,
) -> Result<&'s dyn Channel, StepError> {
    let name = text(settings, "channel");
    let name = name.or_else(|| message.conversation.as_ref().map(|own| own.channel.clone()));
    let channel = match name {
        Some(name) => services.channel(&name),
        None => services.channels.first(),
    };
    channel.map(AsRef::as_ref).ok_or_else(|| StepError::Refused {
        reason: "there is no such channel in this house".to_owned(),
        help: "name one of its channels under `channel:`".to_owned(),
    })
}
