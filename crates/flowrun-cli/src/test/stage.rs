//! What stands around a run in a test, or with `--mock`: services that answer as the case says, and ears that remember.
//!
//! It is a way out above the registry's place (R2): a step, its retries and its picks are the real ones, and no token
//! exists here. A reply is given as often as it says; which one, is decided by the step that asks and the request it makes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use flowrun::engine::journal::RunKey;
use flowrun::engine::{Incoming, Observer, Post, RunEvent, Told};
use flowrun::lang::Flow;
use flowrun::lang::case::{Answer, Body, Canned, Case, Suite, When};
use flowrun::machine::{Source, StepStatus};
use flowrun::step::{
    BoxFuture, CallEffect, Channel, Clock, Effect, IntegrationName, IntegrationStatus, Integrations,
    Outbound, OutgoingMessage, Reply, Request, SecretSource, StepError, Tenant,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use secrecy::SecretString;
use serde_json::Value;

/// The surroundings of one run.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Parts>);

struct Parts {
    clock: Arc<dyn Clock>,
    integrations: Vec<IntegrationStatus>,
    kept: BTreeMap<(String, String), String>,
    secrets: BTreeMap<String, SecretString>,
    seen: Mutex<Seen>,
    /// The way into the run.
    post: Mutex<Option<Post>>,
}

/// What was seen of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The texts that it sent.
    pub(super) sent: Vec<String>,
    /// The calls that it made, each with its first attempt.
    pub(super) asked: Vec<Asked>,
    /// Requests that no reply of the case answers.
    pub(super) unanswered: Vec<Asked>,
    /// The replies that are left.
    pub(super) left: Vec<Canned>,
    /// What a person is still to say.
    pub(super) say: VecDeque<Value>,
    /// What whoever started it was answered.
    pub(super) answer: Option<Response>,
    /// The events that it told of.
    pub(super) emitted: Vec<Told>,
    /// How steps ended, by id or path, and how many attempts the last of each took.
    pub(super) ended: Vec<(String, StepStatus, u32)>,
}

/// What whoever started a run was answered.
#[derive(Debug, Clone)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// JSON, or text; null for none.
    pub(super) body: Value,
}

/// A request that was made.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The id of its step, or the path.
    pub(super) step: String,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Stage {
    /// The surroundings that a case describes.
    pub(crate) fn new(suite: &Suite, case: &Case, flow: &Flow, clock: Arc<dyn Clock>) -> Self {
        // A secret that the case does not give is as good as any other; what it is must only be recognisable.
        let placeholder = |name: &String| (name.clone(), format!("$FLOWRUN_SECRET_{name}").into());
        let mut secrets: BTreeMap<String, SecretString> = flow.secrets().iter().map(placeholder).collect();
        secrets.extend(case.secrets.iter().map(|(name, secret)| (name.is.clone(), secret.clone())));
        Self(Arc::new(Parts {
            clock,
            integrations: suite.integrations.clone(),
            kept: suite.kept.clone(),
            secrets,
            seen: Mutex::new(Seen { left: case.replies.clone(), say: said(case), ..Seen::default() }),
            post: Mutex::new(None),
        }))
    }

    /// Lets the person of the case speak to the run.
    pub(super) fn speak_to(&self, post: Post) {
        *self.0.post.lock().unwrap_or_else(PoisonError::into_inner) = Some(post);
    }

    /// A question waits: the person says the next thing, if anything is left to say.
    fn asked(&self) {
        let Some(message) = self.seen().say.pop_front() else { return };
        let post = self.0.post.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(post) = post {
            // The run waits, so there is room, and it is not over.
            let _ = post.put(Incoming::Message(message));
        }
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the first reply that is left and meant for this request.
    fn take(&self, request: &Request) -> Option<Answer> {
        let step = &request.asker.step;
        let (method, url) = (request.method.to_string(), request.url.to_string());
        let (headers, body) = (request.headers.clone(), request.body.clone());
        let asked = Asked { step: step.clone(), method, url, headers, body };
        let mut seen = self.seen();
        let fits = |canned: &Canned| {
            canned.step.as_ref().is_none_or(|step| step.is == asked.step)
                && canned.when.as_ref().is_none_or(|when| fits(when, &asked))
        };
        let found = seen.left.iter().position(fits);
        if request.asker.attempt <= 1 {
            seen.asked.push(asked.clone());
        }
        if found.is_none() {
            seen.unanswered.push(asked);
        }
        let canned = &mut seen.left[found?];
        canned.times -= 1;
        let answer = canned.answer.is.clone();
        seen.left.retain(|canned| canned.times > 0);
        Some(answer)
    }

    async fn give(&self, answer: Answer, request: Request) -> Result<Reply, StepError> {
        let host = request.host().to_owned();
        match answer {
            Answer::Connect => Err(StepError::Connect { host, source: "the case says so".into() }),
            Answer::Timeout => {
                let clock = &self.0.clock;
                let until = clock.now().checked_add(request.timeout).unwrap_or(jiff::Timestamp::MAX);
                clock.sleep_until(until).await;
                let is_safe = request.effect == Effect::Safe;
                let effect = if is_safe { CallEffect::None } else { CallEffect::Unknown };
                Err(StepError::Timeout { host, limit: request.timeout, effect })
            }
            Answer::Reply { status, headers, body } => reply(status, &headers, &body, request),
        }
    }
}

/// What a person says once a question waits; what comes at its own time is not among it.
fn said(case: &Case) -> VecDeque<Value> {
    case.say.iter().filter(|said| said.after.is_none()).map(|said| said.message.clone()).collect()
}

/// Whether a request is as described.
pub(super) fn fits(when: &When, asked: &Asked) -> bool {
    when.method.as_ref().is_none_or(|method| *method == asked.method)
        && when.url.as_ref().is_none_or(|url| is_like(url, &asked.url))
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(before) else { return false };
    text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| is_like(rest, &text[at..]))
}

fn reply(
    status: u16,
    headers: &[(String, String)],
    body: &Body,
    request: Request,
) -> Result<Reply, StepError> {
    let mut map = HeaderMap::new();
    let bytes = match body {
        Body::Empty => Vec::new(),
        Body::Text(text) => text.clone().into_bytes(),
        Body::Json(value) => {
            map.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            value.to_string().into_bytes()
        }
    };
    for (name, value) in headers {
        let no_header = || StepError::Type { what: format!("the case's `{name}` is no header") };
        let key = HeaderName::try_from(name.as_str()).map_err(|_| no_header())?;
        map.insert(key, HeaderValue::try_from(value.as_str()).map_err(|_| no_header())?);
    }
    if bytes.len() as u64 > request.max_bytes {
        return Err(StepError::TooLarge { host: request.host().to_owned(), limit: request.max_bytes });
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    Ok(Reply { status, headers: map, body: bytes.into(), url: request.url })
}

impl Outbound for Stage {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        let answer = self.take(&request);
        Box::pin(async move {
            match answer {
                Some(answer) => self.give(answer, request).await,
                None => Err(StepError::Refused {
                    reason: format!("no reply of the case answers this request to {}", request.host()),
                    help: "add a reply under `replies`".to_owned(),
                }),
            }
        })
    }
}

impl Integrations for Stage {
    fn list<'a>(&'a self, _tenant: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>> {
        Box::pin(async { Ok(self.0.integrations.clone()) })
    }

    fn outbound(&self, _tenant: &Tenant, _name: &IntegrationName) -> Arc<dyn Outbound> {
        Arc::new(self.clone())
    }

    fn kept<'a>(
        &'a self,
        _tenant: &'a Tenant,
        name: &'a IntegrationName,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StepError>> {
        let kept = self.0.kept.get(&(name.key().to_owned(), field.to_owned())).cloned();
        Box::pin(async { Ok(kept) })
    }
}

impl SecretSource for Stage {
    fn secret<'a>(&'a self, _tenant: &'a Tenant, name: &'a str) -> BoxFuture<'a, Option<SecretString>> {
        Box::pin(async move { self.0.secrets.get(name).cloned() })
    }
}

impl Channel for Stage {
    fn name(&self) -> &str {
        "terminal"
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        self.seen().sent.push(message.text.clone());
        Box::pin(async { Ok(()) })
    }
}

impl Observer for Stage {
    fn on(&self, _: &RunKey, event: &RunEvent) {
        match event {
            RunEvent::StepEnded { step, status, attempts } => {
                self.seen().ended.push((step.clone(), *status, *attempts));
            }
            RunEvent::Waiting { source: Source::Answer { .. }, .. } => self.asked(),
            RunEvent::Emitted(told) => self.seen().emitted.push(told.clone()),
            RunEvent::Answered { status, headers, body } => {
                let (headers, body) = (headers.clone(), body.value());
                self.seen().answer = Some(Response { status: *status, headers, body });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_url_stands_for_anything() {
        for (pattern, text, expected) in [
            ("https://a.example/x", "https://a.example/x", true),
            ("https://a.example/x", "https://a.example/x?y=1", false),
            ("https://a.example/x*", "https://a.example/x?y=1", true),
            ("*/x?y=*&z=3", "https://a.example/x?y=é&z=3", true),
            ("*/x?y=*&z=3", "https://a.example/x?y=1&z=4", false),
            ("*", "", true),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
