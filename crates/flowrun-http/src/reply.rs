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
        retry_after: asked(reply.status, &reply.headers),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(status: u16, content_type: Option<&str>, body: &str) -> Reply {
        let content_type = content_type.map(|text| (header::CONTENT_TYPE, text.parse().unwrap()));
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: content_type.into_iter().collect(),
            body: body.to_owned().into(),
            url: "https://api.example.com/x?token=secret".parse().unwrap(),
        }
    }

    fn check(content_type: Option<&str>, body: &str, expected: Result<Value, &str>) {
        let read = read_body(&reply(200, content_type, body)).map_err(|error| error.to_string());
        assert_eq!(read, expected.map_err(str::to_owned), "{content_type:?} {body:?}");
    }

    #[test]
    fn a_body_is_json_by_its_type_or_by_its_look() {
        check(Some("application/json; charset=utf-8"), "7", Ok(json!(7)));
        check(Some("application/problem+JSON"), r#"{"a":1}"#, Ok(json!({"a": 1})));
        check(Some("text/plain"), " [1]", Ok(json!([1])));
        check(None, r#"{"a":1}"#, Ok(json!({"a": 1})));
    }

    #[test]
    fn anything_else_is_text_so_that_007_stays_what_it_was() {
        check(Some("text/plain"), "007", Ok(json!("007")));
        check(None, "true", Ok(json!("true")));
        check(Some("text/html"), "<b>", Ok(json!("<b>")));
        check(None, "{not json", Ok(json!("{not json")));
    }

    #[test]
    fn no_body_is_null() {
        check(Some("application/json"), "", Ok(Value::Null));
        check(None, "", Ok(Value::Null));
        assert_eq!(read_json(&reply(204, None, "")).unwrap(), Value::Null);
    }

    #[test]
    fn what_says_it_is_json_and_is_not_is_an_error_that_shows_no_value() {
        let error = "the reply of api.example.com (6 bytes, content type application/json) cannot be read: \
                     it is not JSON (line 1, column 1)";
        check(Some("application/json"), "secret", Err(error));
    }

    /// The error of an unexpected status.
    fn unexpected(status: u16, effect: Effect) -> StepError {
        let mut reply =
            reply(status, Some("application/json"), r#"{"errors":[{"title":"no such contact"}]}"#);
        reply.headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("7"));
        expected(reply, &Expect::default(), effect).unwrap_err()
    }

    #[test]
    fn an_unexpected_status_says_host_words_and_wait_l_10() {
        let error = unexpected(404, Effect::Safe);
        assert_eq!(error.to_string(), "api.example.com answered 404");
        let StepError::Http { said, retry_after, .. } = error else { panic!("{error:?}") };
        assert_eq!((said.as_str(), retry_after.map(|wait| wait.as_secs())), ("no such contact", Some(7)));
    }

    #[test]
    fn what_is_known_of_the_effect_follows_the_status_l_11() {
        for (status, effect, known) in [
            (503, Effect::Safe, CallEffect::None),
            (404, Effect::Unsafe, CallEffect::None),
            (429, Effect::Keyed, CallEffect::None),
            (408, Effect::Unsafe, CallEffect::Unknown),
            (500, Effect::Unsafe, CallEffect::Unknown),
            (302, Effect::Unsafe, CallEffect::Unknown),
        ] {
            assert_eq!(unexpected(status, effect).effect(), known, "{status} {effect:?}");
        }
    }

    #[test]
    fn an_unexpected_success_was_done() {
        let created = serde_json::from_value(json!(201)).unwrap();
        let error = expected(reply(200, None, ""), &created, Effect::Unsafe).unwrap_err();
        assert_eq!(error.effect(), CallEffect::Done);
    }
}
