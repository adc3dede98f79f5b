//! The way out that carries an integration's credential: looked up, judged and attached anew for every request.
//!
//! Whoever holds it holds no token. A request goes only to a host of the integration's rules (N4), never with a
//! credential of its own beside ours (OA-61), and is repeated once after a reply that says the token has expired
//! (OA-48). All of that is the same wherever the token comes from.

use std::sync::Arc;

use flowrun_step::{BoxFuture, IntegrationName, Outbound, Reply, Request, StepError, Tenant};
use http::StatusCode;

use crate::command::command;
use crate::inner::Inner;
use crate::pass::{Pass, Verdict};
use crate::socket::Client;
use crate::step_error::{integration_error, step_error};

/// A way out through one integration.
pub(crate) struct WayOut {
    pub(crate) source: Source,
    /// What sends the request, once it carries the token.
    pub(crate) plain: Arc<dyn Outbound>,
    pub(crate) tenant: Tenant,
    pub(crate) name: IntegrationName,
}

/// Where a token comes from.
pub(crate) enum Source {
    /// The registry of this process.
    Registry(Arc<Inner>),
    /// The registry's owner, at its socket.
    Owner(Client),
}

impl Source {
    /// A token that this request may carry; one that it may not carry is not refreshed for it.
    async fn pass(&self, name: &IntegrationName, request: &Request) -> Result<Pass, StepError> {
        match self {
            Self::Registry(inner) => {
                let judged = inner.pass(name, |pass| pass.permit(request)).await;
                judged.map_err(|error| step_error(name, error))?
            }
            Self::Owner(client) => client.pass(name, request).await,
        }
    }

    /// Sees to it that there is a set of tokens later than this one.
    async fn renew(&self, name: &IntegrationName, generation: u64) -> Result<(), StepError> {
        let renewed = match self {
            Self::Registry(inner) => inner.renew_after(name, generation).await.map(drop),
            Self::Owner(client) => client.renew_after(name, generation).await,
        };
        renewed.map_err(|error| step_error(name, error))
    }
}

impl Outbound for WayOut {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        Box::pin(self.send_with_credential(request))
    }
}

impl WayOut {
    async fn send_with_credential(&self, request: Request) -> Result<Reply, StepError> {
        crate::integrations::serves(&self.tenant, &self.name)
            .map_err(|error| step_error(&self.name, error))?;
        let pass = self.source.pass(&self.name, &request).await?;
        let (reply, verdict) = self.attempt(&pass, request.clone()).await?;
        match verdict {
            Verdict::Accepted => Ok(reply),
            Verdict::ScopeTooNarrow => Err(scope_error(&pass.name, request.host())),
            Verdict::ExpiredAfterwards => {
                // For the next request; what becomes of it is that request's business.
                drop(self.source.renew(&self.name, pass.generation).await);
                Ok(reply)
            }
            Verdict::Replay => {
                self.source.renew(&self.name, pass.generation).await?;
                self.replay(request).await
            }
        }
    }

    async fn replay(&self, request: Request) -> Result<Reply, StepError> {
        let host = request.host().to_owned();
        let pass = self.source.pass(&self.name, &request).await?;
        let (reply, verdict) = self.attempt(&pass, request).await?;
        match verdict {
            Verdict::Accepted => Ok(reply),
            Verdict::ScopeTooNarrow => Err(scope_error(&pass.name, &host)),
            _ => Err(still_refused(&pass.name, &host, reply.status)),
        }
    }

    async fn attempt(&self, pass: &Pass, request: Request) -> Result<(Reply, Verdict), StepError> {
        let effect = request.effect;
        let mut reply = self.plain.send(pass.dress(request)?).await?;
        let verdict = pass.judge(&reply, effect);
        reply.body = pass.redact(reply.body);
        Ok((reply, verdict))
    }
}

fn scope_error(name: &IntegrationName, host: &str) -> StepError {
    let said = format!("{host} says that its token lacks a scope");
    let (edit, again) = (command("edit", name), command("authorize", name));
    StepError::Integration {
        name: name.clone(),
        state: Some(flowrun_step::IntegrationState::Authorized),
        said,
        help: format!("add the scope at the provider or with `{edit}`, then `{again}`"),
        transient: false,
    }
}

fn still_refused(name: &IntegrationName, host: &str, status: StatusCode) -> StepError {
    let said = format!("{host} answered {} again to a token refreshed a moment ago", status.as_u16());
    integration_error(name, &said, "authorize")
}
