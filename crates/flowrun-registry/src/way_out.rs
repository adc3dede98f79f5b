//! The way out that carries an integration's credential: looked up, judged and attached anew for every request.
//!
//! Whoever holds it holds no token. A request goes only to a host of the integration's rules (N4), never with a
//! credential of its own beside ours (OA-61), and is repeated once after a reply that says the token has expired
//! (OA-48). What is attached is marked, so that the client beneath follows no redirect with it (OA-60).

use std::sync::Arc;

use bytes::Bytes;
use flowrun_oauth::is_expired_sign;
use flowrun_step::{
    BoxFuture, Effect, Exposure, IntegrationName, Outbound, Reply, Request, StepError, Tenant,
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::command::command;
use crate::hosts::authority;
use crate::inner::Inner;
use crate::live::Live;
use crate::refresh::Urgency;
use crate::step_error::{integration_error, step_error};

/// A way out through one integration.
pub(crate) struct WayOut {
    pub(crate) inner: Arc<Inner>,
    pub(crate) tenant: Tenant,
    pub(crate) name: IntegrationName,
}

impl Outbound for WayOut {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        Box::pin(self.send_with_credential(request))
    }
}

/// What a reply says about the credential.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    /// The token has expired, and the request may be made again.
    Replay,
    /// The token has expired, but the request may have been acted on.
    ExpiredAfterwards,
    /// The token lacks a scope (RFC 6750 3.1, OA-50).
    ScopeTooNarrow,
}

impl WayOut {
    async fn send_with_credential(&self, request: Request) -> Result<Reply, StepError> {
        let failed = |error| step_error(&self.name, error);
        self.inner.serves(&self.tenant, &self.name).map_err(failed)?;
        let live = self.inner.live(&self.name).await.map_err(failed)?;
        // Judged first: a request that is refused costs no refresh.
        permit(&live, &request)?;
        let live = self.inner.fresh(live).await.map_err(failed)?;
        let (reply, verdict) = self.attempt(&live, request.clone()).await?;
        match verdict {
            Verdict::Accepted => Ok(reply),
            Verdict::ScopeTooNarrow => Err(scope_error(&live, request.host())),
            Verdict::ExpiredAfterwards => {
                // For the next request; what becomes of it is that request's business.
                drop(self.inner.renew(live.wish(Urgency::Usual)).await);
                Ok(reply)
            }
            Verdict::Replay => {
                let renewed = self.inner.renew(live.wish(Urgency::Usual)).await.map_err(failed)?;
                permit(&renewed, &request)?;
                let host = request.host().to_owned();
                let (reply, verdict) = self.attempt(&renewed, request).await?;
                match verdict {
                    Verdict::Accepted => Ok(reply),
                    Verdict::ScopeTooNarrow => Err(scope_error(&renewed, &host)),
                    _ => Err(still_refused(&renewed, &host, reply.status)),
                }
            }
        }
    }

    async fn attempt(&self, live: &Live, request: Request) -> Result<(Reply, Verdict), StepError> {
        let effect = request.effect;
        let mut reply = self.inner.world.client.send(dressed(live, request)?).await?;
        let verdict = judge(live, &reply, effect);
        reply.body = without(reply.body, &live.access);
        Ok((reply, verdict))
    }
}

/// OA-59, OA-61: the right host, and no second credential in the same header.
fn permit(live: &Live, request: &Request) -> Result<(), StepError> {
    let name = &live.name;
    if !live.hosts.iter().any(|rule| rule.covers(&request.url)) {
        return Err(StepError::Refused {
            reason: format!(
                "the token of integration `{name}` may not be sent to `{}`",
                authority(&request.url)
            ),
            help: way_to(name, &request.url),
        });
    }
    let header = &live.provider.settings().token_header.name;
    if request.headers.contains_key(header.as_str()) {
        return Err(StepError::Refused {
            reason: format!("the step sets `{header}` itself, which integration `{name}` does"),
            help: format!("remove `{header}` from the step's headers, or the integration from the step"),
        });
    }
    Ok(())
}

/// What would let a token go to this URL, if anything should.
fn way_to(name: &IntegrationName, url: &Url) -> String {
    if !url.username().is_empty() || url.password().is_some() {
        "remove the user name and password from the URL".to_owned()
    } else if url.host_str().is_some_and(|host| host.ends_with('.')) {
        "remove the dot at the end of the host".to_owned()
    } else if url.scheme() != "https" && !flowrun_oauth::is_loopback(url) {
        "use https".to_owned()
    } else {
        format!("if the host is the provider's: {} {}", command("allow", name), authority(url))
    }
}

fn dressed(live: &Live, mut request: Request) -> Result<Request, StepError> {
    let settings = live.provider.settings();
    let token = live.access.expose_secret();
    let text = match settings.token_header.scheme.as_str() {
        "" => token.to_owned(),
        scheme => format!("{scheme} {token}"),
    };
    let header = HeaderName::try_from(&settings.token_header.name);
    let (Ok(header), Ok(mut value)) = (header, HeaderValue::try_from(text)) else {
        return Err(integration_error(&live.name, "its token does not fit into a header", "authorize"));
    };
    value.set_sensitive(true);
    request.headers.insert(header, value);
    request.exposure = Exposure::Credential;
    Ok(request)
}

fn judge(live: &Live, reply: &Reply, effect: Effect) -> Verdict {
    let status = reply.status;
    if status == StatusCode::FORBIDDEN && lacks_scope(reply) {
        return Verdict::ScopeTooNarrow;
    }
    if !is_expired_sign(&live.provider, status.as_u16(), &reply.body) {
        return Verdict::Accepted;
    }
    // A 401 says that nothing was done; after any other sign that is not certain.
    if status == StatusCode::UNAUTHORIZED || effect != Effect::Unsafe {
        Verdict::Replay
    } else {
        Verdict::ExpiredAfterwards
    }
}

fn lacks_scope(reply: &Reply) -> bool {
    let challenges = reply.headers.get_all(header::WWW_AUTHENTICATE).iter();
    challenges.filter_map(|value| value.to_str().ok()).any(|text| text.contains("insufficient_scope"))
}

fn scope_error(live: &Live, host: &str) -> StepError {
    let said = format!("{host} says that its token lacks a scope");
    let edit = command("edit", &live.name);
    let again = command("authorize", &live.name);
    StepError::Integration {
        name: live.name.clone(),
        state: Some(flowrun_step::IntegrationState::Authorized),
        said,
        help: format!("add the scope at the provider or with `{edit}`, then `{again}`"),
        transient: false,
    }
}

fn still_refused(live: &Live, host: &str, status: StatusCode) -> StepError {
    let said = format!("{host} answered {} again to a token refreshed a moment ago", status.as_u16());
    integration_error(&live.name, &said, "authorize")
}

/// OA-64: a reply that repeats the token does not carry it into the flow.
fn without(body: Bytes, token: &SecretString) -> Bytes {
    let token = token.expose_secret().as_bytes();
    let is_here = |at: &usize| body[*at..].starts_with(token);
    let Some(first) = (0..body.len()).find(is_here).filter(|_| token.len() >= 8) else { return body };
    let mut clean = body[..first].to_vec();
    let mut at = first;
    while at < body.len() {
        if is_here(&at) {
            clean.extend(b"[redacted]");
            at += token.len();
        } else {
            clean.push(body[at]);
            at += 1;
        }
    }
    clean.into()
}
