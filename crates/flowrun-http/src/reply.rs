//! What a reply means: whether its status was expected, and what its body holds.

use std::borrow::Cow;

use flowrun_step::{CallEffect, Effect, Reply, StepError};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::expect::Expect;
use crate::json::{self, NotJson};
use crate::said::said;
use crate::wait::asked;

/// Passes a reply on if its status is one the author expects.
pub(crate) fn expected(reply: Reply, expect: &Expect, effect: Effect) -> Result<Reply, StepError> {
    if expect.admits(reply.status) {
        return Ok(reply);
    }
    Err(StepError::Http {
        host: host(&reply),
        status: reply.status.as_u16(),
        said: said(&reply.body),
        retry_after: asked(&reply.headers),
        effect: effect_of(reply.status, effect),
    })
}

/// Reads the body as JSON, whatever it says it is; null when there is none.
///
/// # Errors
/// `Type` when the body is no JSON, or more of it than is taken (N8).
pub fn read_json(reply: &Reply) -> Result<Value, StepError> {
    if reply.body.is_empty() {
        return Ok(Value::Null);
    }
    json::parse(&reply.body).map_err(|error| mistyped(reply, &error))
}

/// Reads the body as what it is: JSON as a value, anything else as text; null when there is none.
///
/// A body that does not say it is JSON is still taken for it when it looks like an object or a list.
///
/// # Errors
/// `Type` when the body says it is JSON and is not, or holds more than is taken (N8).
pub fn read_body(reply: &Reply) -> Result<Value, StepError> {
    let text = || Value::String(String::from_utf8_lossy(&reply.body).into_owned());
    if reply.body.is_empty() || is_json(&reply.headers) {
        return read_json(reply);
    }
    if !matches!(reply.body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return Ok(text());
    }
    match json::parse(&reply.body) {
        Err(NotJson::Malformed { .. }) => Ok(text()),
        read => read.map_err(|error| mistyped(reply, &error)),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|media| media == "application/json" || media.ends_with("+json"))
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn mistyped(reply: &Reply, error: &NotJson) -> StepError {
    let media = media_type(&reply.headers).filter(|media| media.len() <= 100).map_or_else(
        || Cow::Borrowed("no content type"),
        |media| Cow::Owned(format!("content type {media}")),
    );
    let what =
        format!("the reply of {} ({} bytes, {media}) cannot be read: {error}", host(reply), reply.body.len());
    StepError::Type { what }
}

/// A refusal did nothing; a server's failure may have come after the deed.
fn effect_of(status: StatusCode, effect: Effect) -> CallEffect {
    match effect {
        Effect::Safe => CallEffect::None,
        _ if status.is_success() => CallEffect::Done,
        _ if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT => CallEffect::None,
        _ => CallEffect::Unknown,
    }
}

fn host(reply: &Reply) -> String {
    reply.url.host_str().unwrap_or_default().to_owned()
}
