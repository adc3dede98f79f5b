//! A channel that needs no Rust (R20): what flows send is posted to a URL, signed, with a key by which it is known again.
//!
//! ```json
//! {"account": "", "peer": "+31612345678", "text": "Hello.", "buttons": [], "media": null, "template": null}
//! ```

use std::fmt;
use std::sync::Arc;

use flowrun::step::{
    BoxFuture, CallEffect, Channel, Clock, Effect, Outbound, OutgoingMessage, Request, SecretSource,
    StepError,
};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use url::Url;

use crate::signature::{DELIVERY, SIGNATURE, TIMESTAMP, sign};

/// Posts what flows send.
pub struct WebhookChannel {
    name: String,
    url: Url,
    secret: String,
    outbound: Arc<dyn Outbound>,
    secrets: Arc<dyn SecretSource>,
    clock: Arc<dyn Clock>,
}

impl WebhookChannel {
    /// The channel of this name, which signs with the secret of that name.
    #[must_use]
    pub fn new(
        name: &str,
        config: &crate::config::Channel,
        (outbound, secrets, clock): (Arc<dyn Outbound>, Arc<dyn SecretSource>, Arc<dyn Clock>),
    ) -> Self {
        let (url, secret) = (config.url.clone(), config.secret.clone());
        Self { name: name.to_owned(), url, secret, outbound, secrets, clock }
    }

    async fn post(&self, message: &OutgoingMessage) -> Result<(), StepError> {
        let secret = self.secrets.secret(&message.tenant, &self.secret).await;
        let secret = secret.ok_or_else(|| StepError::Missing {
            what: format!("the secret `{}` of channel `{}`", self.secret, self.name),
        })?;
        let (body, now) = (body(message).to_string(), self.clock.now());
        let mut request = Request::new(Method::POST, self.url.clone());
        request.effect = Effect::Keyed;
        let headers = [
            (CONTENT_TYPE, "application/json".to_owned()),
            (TIMESTAMP, now.as_second().to_string()),
            (SIGNATURE, sign(&secret, now, body.as_bytes())),
            (DELIVERY, message.key.clone()),
        ];
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value);
            request
                .headers
                .insert(name, value.map_err(|_| StepError::Missing { what: "a header".to_owned() })?);
        }
        request.body = body.into();
        let reply = self.outbound.send(request).await?;
        if reply.status.is_success() {
            return Ok(());
        }
        Err(StepError::Http {
            host: self.url.host_str().unwrap_or_default().to_owned(),
            status: reply.status.as_u16(),
            said: String::new(),
            retry_after: None,
            effect: CallEffect::Unknown,
        })
    }
}

fn body(message: &OutgoingMessage) -> Value {
    let (account, peer) = match &message.conversation {
        Some(conversation) => (conversation.account.as_str(), Some(conversation.peer.as_str())),
        None => ("", None),
    };
    json!({
        "account": account,
        "peer": message.to.as_deref().or(peer),
        "text": message.text,
        "buttons": message.buttons,
        "media": message.media,
        "template": message.template,
    })
}

impl Channel for WebhookChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(self.post(message))
    }
}

impl fmt::Debug for WebhookChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookChannel").field("name", &self.name).finish_non_exhaustive()
    }
}
