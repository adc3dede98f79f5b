//! What one request needs of an integration: a token in the form of a header, and the rules that go with it.
//!
//! It says where the token may go (N4), how it is carried, and which replies mean that it has expired. Whether it
//! came from this process's registry or from the registry's owner makes no difference here.

use bytes::Bytes;
use flowrun_oauth::{ExpirySign, TokenHeader, is_expired_sign};
use flowrun_step::{Effect, Exposure, IntegrationName, Reply, Request, StepError};
use http::{HeaderName, HeaderValue, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::command::command;
use crate::hosts::{HostRule, authority};
use crate::live::Live;
use crate::step_error::integration_error;

/// A token in use, with its rules.
pub(crate) struct Pass {
    pub(crate) name: IntegrationName,
    /// Which set of tokens this is.
    pub(crate) generation: u64,
    pub(crate) header: TokenHeader,
    pub(crate) token: SecretString,
    pub(crate) hosts: Vec<HostRule>,
    pub(crate) expired_when: Vec<ExpirySign>,
}

/// What a reply says about the credential.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// The token has expired, and the request may be made again.
    Replay,
    /// The token has expired, but the request may have been acted on.
    ExpiredAfterwards,
    /// The token lacks a scope (RFC 6750 3.1, OA-50).
    ScopeTooNarrow,
}

impl Pass {
    pub(crate) fn of(live: &Live) -> Self {
        let settings = live.provider.settings();
        Self {
            name: live.name.clone(),
            generation: live.generation,
            header: settings.token_header.clone(),
            token: live.access.clone(),
            hosts: live.hosts.clone(),
            expired_when: settings.expired_when.clone(),
        }
    }

    pub(crate) fn covers(&self, url: &Url) -> bool {
        self.hosts.iter().any(|rule| rule.covers(url))
    }

    /// OA-59, OA-61: the right host, and no second credential in the same header.
    pub(crate) fn permit(&self, request: &Request) -> Result<(), StepError> {
        if !self.covers(&request.url) {
            return Err(not_covered(&self.name, &request.url));
        }
        let (name, header) = (&self.name, &self.header.name);
        if request.headers.contains_key(header.as_str()) {
            return Err(StepError::Refused {
                reason: format!("the step sets `{header}` itself, which integration `{name}` does"),
                help: format!("remove `{header}` from the step's headers, or the integration from the step"),
            });
        }
        Ok(())
    }

    /// The request with the token, marked so that the client beneath follows no redirect with it (OA-60).
    pub(crate) fn dress(&self, mut request: Request) -> Result<Request, StepError> {
        let token = self.token.expose_secret();
        let text = match self.header.scheme.as_str() {
            "" => token.to_owned(),
            scheme => format!("{scheme} {token}"),
        };
        let header = HeaderName::try_from(&self.header.name);
        let (Ok(header), Ok(mut value)) = (header, HeaderValue::try_from(text)) else {
            return Err(integration_error(&self.name, "its token does not fit into a header", "authorize"));
        };
        value.set_sensitive(true);
        request.headers.insert(header, value);
        request.exposure = Exposure::Credential;
        Ok(request)
    }

    pub(crate) fn judge(&self, reply: &Reply, effect: Effect) -> Verdict {
        let status = reply.status;
        if status == StatusCode::FORBIDDEN && lacks_scope(reply) {
            return Verdict::ScopeTooNarrow;
        }
        if !is_expired_sign(&self.expired_when, status.as_u16(), &reply.body) {
            return Verdict::Accepted;
        }
        // A 401 says that nothing was done; after any other sign that is not certain.
        if status == StatusCode::UNAUTHORIZED || effect != Effect::Unsafe {
            Verdict::Replay
        } else {
            Verdict::ExpiredAfterwards
        }
    }

    /// OA-64: a reply that repeats the token does not carry it into the flow.
    pub(crate) fn redact(&self, body: Bytes) -> Bytes {
        let token = self.token.expose_secret().as_bytes();
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
}

/// The refusal of a host that the integration's rules do not name; it shows host and integration only (OA-62).
pub(crate) fn not_covered(name: &IntegrationName, url: &Url) -> StepError {
    StepError::Refused {
        reason: format!("the token of integration `{name}` may not be sent to `{}`", authority(url)),
        help: way_to(name, url),
    }
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

fn lacks_scope(reply: &Reply) -> bool {
    let challenges = reply.headers.get_all(header::WWW_AUTHENTICATE).iter();
    challenges.filter_map(|value| value.to_str().ok()).any(|text| text.contains("insufficient_scope"))
}
