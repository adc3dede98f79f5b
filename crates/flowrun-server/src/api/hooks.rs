//! Webhooks: calls that start flows, and calls that steps of runs wait for (N6, T20).

mod answer;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use flowrun::engine::host::{Called, NotStarted, Request};
use flowrun::engine::journal::RunKey;
use flowrun::lang::trigger::{Proof, Reply, WebhookTrigger};
use flowrun::step::RunId;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION};
use http::{HeaderMap, Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{read, wire};
use crate::desk::{Desk, run_id};
use crate::problem::Problem;
use crate::signature::{self, SIGNATURE, TIMESTAMP};

/// How long a caller is kept waiting where the flow does not say.
const WAIT: Duration = Duration::from_secs(30);

/// How somebody proves that they may deliver something.
#[derive(Debug)]
pub(super) struct Door {
    proof: Proof,
}

impl Door {
    /// One that wants a signature with the secret of this name.
    pub(super) fn signed(secret: &str) -> Self {
        Self { proof: Proof::Hmac(secret.to_owned()) }
    }
}

/// What somebody delivers.
pub(super) struct Delivery<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Delivery<'_> {
    /// Checks the proof. Why it does not hold goes to the log, not to the caller.
    pub(super) async fn proven(&self, desk: &Desk, door: &Door) -> Result<(), Problem> {
        let (Proof::Hmac(name) | Proof::Bearer(name)) = &door.proof;
        let Some(secret) = desk.parts.secrets.secret(&desk.tenant, name).await else {
            tracing::error!(secret = name, "a webhook's secret is missing");
            return Err(Problem::Unproven);
        };
        self.holds(desk, &door.proof, &secret).map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "a webhook was not believed");
            Problem::Unproven
        })
    }

    fn holds(&self, desk: &Desk, proof: &Proof, secret: &SecretString) -> Result<(), signature::Unproven> {
        if matches!(proof, Proof::Bearer(_)) {
            return signature::bearer(secret, self.headers);
        }
        let now = desk.parts.clock.now();
        signature::verify(secret, self.headers, self.body, now)?;
        let signed = self.headers.get(SIGNATURE).and_then(|text| text.to_str().ok()).unwrap_or_default();
        let delivery = signature::delivery(self.headers, self.body).unwrap_or_default();
        let is_first = desk.seen.fits(&signed.to_ascii_lowercase(), &delivery, now);
        if is_first { Ok(()) } else { Err(signature::Unproven::Signature) }
    }

    /// What the flow reads of it: `{body, query, headers}`; nothing that proves or passes on.
    fn payload(&self, query: Option<&str>) -> Value {
        json!({ "body": self.read(), "query": form(query.unwrap_or_default().as_bytes()), "headers": self.told() })
    }

    fn read(&self) -> Value {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let text = || Value::from(String::from_utf8_lossy(self.body));
        match kind.split(';').next().unwrap_or_default().trim() {
            _ if self.body.is_empty() => Value::Null,
            "application/x-www-form-urlencoded" => form(self.body),
            "text/plain" => text(),
            _ => serde_json::from_slice(self.body).unwrap_or_else(|_| text()),
        }
    }

    fn told(&self) -> Value {
        let is_hidden = |name: &str| {
            let ours = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, HOST, SIGNATURE, TIMESTAMP];
            ours.iter().any(|hidden| hidden == name) || name.starts_with("x-forwarded-")
        };
        let mut told = Map::new();
        for (name, value) in self.headers.iter().filter(|(name, _)| !is_hidden(name.as_str())) {
            told.entry(name.as_str()).or_insert_with(|| String::from_utf8_lossy(value.as_bytes()).into());
        }
        told.into()
    }
}

/// Pairs as an object; of a name that is there twice, the first.
fn form(text: &[u8]) -> Value {
    let mut read = Map::new();
    for (name, value) in form_urlencoded::parse(text) {
        read.entry(name).or_insert_with(|| value.into());
    }
    read.into()
}

/// A call that starts a flow.
pub(super) async fn flow(
    State(desk): State<Arc<Desk>>,
    method: Method,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    read::Raw(body): read::Raw,
) -> Result<Response, Problem> {
    let found = desk.parts.host.webhook(&desk.tenant, method.as_str(), &path);
    let (flow, hook) = found.ok_or_else(|| Problem::Absent("such webhook".to_owned()))?;
    let delivery = Delivery { headers: &headers, body: &body };
    match &hook.auth {
        Some(proof) => delivery.proven(&desk, &Door { proof: proof.clone() }).await?,
        None if desk.config.webhooks.open.contains(&path) => {}
        None => {
            tracing::warn!(path, "a webhook without `auth` was called; `webhooks.open` may name it");
            return Err(Problem::Unproven);
        }
    }
    let run = run_of(&desk, &path, &delivery)?;
    let mut request = Request::new(desk.tenant.clone(), &flow, run.clone());
    request.trigger = delivery.payload(query.as_deref());
    match desk.parts.host.start(request).await {
        Ok(started) if !started.existing => reply(&desk, &hook, &run).await,
        // The same delivery may come by another way, with other headers: it is the same run all the same.
        Ok(_) | Err(NotStarted::Conflict(_)) => Ok(accepted(&run, true)),
        Err(error) => Err(error.into()),
    }
}

/// The run that a delivery starts: the same as the last time it came, if it has an id.
fn run_of(desk: &Desk, path: &str, delivery: &Delivery<'_>) -> Result<RunId, Problem> {
    match signature::delivery(delivery.headers, delivery.body) {
        Some(id) => signature::run(path, &id).ok_or(Problem::Unavailable),
        None => desk.fresh("hook-"),
    }
}

async fn reply(desk: &Desk, hook: &WebhookTrigger, run: &RunId) -> Result<Response, Problem> {
    if hook.reply == Reply::Accepted {
        return Ok(accepted(run, false));
    }
    let view = desk.parts.host.settled(&desk.tenant, run, hook.timeout.unwrap_or(WAIT)).await?;
    Ok(view.and_then(answer::of).unwrap_or_else(|| accepted(run, false)))
}

fn accepted(run: &RunId, existing: bool) -> Response {
    (StatusCode::ACCEPTED, Json(wire::Started { run: run.to_string(), existing })).into_response()
}

/// A call of the one-use URL of a step.
pub(super) async fn callback(
    State(desk): State<Arc<Desk>>,
    Path((run, step, code)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    read::Raw(body): read::Raw,
) -> Result<StatusCode, Problem> {
    let nothing = || Problem::Absent("such callback".to_owned());
    let key = RunKey::new(desk.tenant.clone(), run_id(&run).map_err(|_| nothing())?);
    if !desk.parts.callbacks.holds(&key, &step, &code) {
        return Err(nothing());
    }
    let payload = Delivery { headers: &headers, body: &body }.payload(query.as_deref());
    match desk.parts.host.call(&desk.tenant, &key.id, &step, payload).await? {
        Called::Taken => Ok(StatusCode::ACCEPTED),
        Called::Before => Err(Problem::Conflict("this URL was called before".to_owned())),
        _ => Err(Problem::Gone("the run that waited is over")),
    }
}
