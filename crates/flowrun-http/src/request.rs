//! A call becomes a request.
//!
//! What is left to do once the texts are rendered is structure: the query is merged, the body
//! serialised, the headers judged (N3).

use bytes::Bytes;
use flowrun_step::{Effect, Exposure, IntegrationName, Reply, Request, StepContext, StepError};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

use crate::call::{Call, Method};
use crate::field::{merge_query, to_form};
use crate::header::{IDEMPOTENCY_KEY, is_own, names_credential};
use crate::reply::expected;

/// What a step says where its author says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    /// The method.
    pub method: Method,
    /// The `Accept` header.
    pub accept: &'static str,
}

impl Defaults {
    /// Makes the call: one exchange, whose status is one the author expects.
    ///
    /// # Errors
    /// `Refused` and `Type` when the settings make no request; what the way out reports; `Http` when
    /// the status is not expected.
    pub async fn exchange(&self, call: &Call, cx: &StepContext) -> Result<Reply, StepError> {
        let request = self.request(call)?;
        let effect = request.effect;
        let reply = cx.outbound(call.integration.as_ref()).send(request).await?;
        expected(reply, &call.expect, effect)
    }

    /// The request a call becomes, without what an integration adds.
    ///
    /// # Errors
    /// `Refused` when a header may not be set; `Type` when a value cannot stand where it is.
    pub fn request(&self, call: &Call) -> Result<Request, StepError> {
        let method = call.method.unwrap_or(self.method);
        let mut url =
            Url::parse(&call.url).map_err(|error| mistyped(format!("the url is not one: {error}")))?;
        merge_query(&mut url, &call.query);
        let (headers, body) = (self.headers(call)?, body(call)?);
        let has_credential = headers.values().any(HeaderValue::is_sensitive);
        Ok(Request {
            headers,
            body,
            timeout: call.timeout,
            max_bytes: call.max_bytes,
            redirects: call.redirects,
            effect: effect(method, call.safe, call.idempotency_key.is_some()),
            exposure: if has_credential { Exposure::Credential } else { Exposure::Plain },
            ..Request::new(method.into(), url)
        })
    }

    fn headers(&self, call: &Call) -> Result<HeaderMap, StepError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(self.accept));
        if let Some(content_type) = content_type(call) {
            headers.insert(header::CONTENT_TYPE, value(header::CONTENT_TYPE.as_str(), content_type)?);
        }
        if let Some(key) = &call.idempotency_key {
            headers.insert(IDEMPOTENCY_KEY, value(IDEMPOTENCY_KEY.as_str(), key)?);
        }
        for (name, text) in &call.headers {
            headers.insert(allowed(name, call.integration.as_ref())?, value(name, text)?);
        }
        Ok(headers)
    }
}

/// What making the call twice would mean (L-10).
pub(crate) fn effect(method: Method, is_safe: bool, is_keyed: bool) -> Effect {
    match method {
        Method::Get | Method::Head | Method::Options => Effect::Safe,
        _ if is_safe => Effect::Safe,
        _ if is_keyed => Effect::Keyed,
        _ => Effect::Unsafe,
    }
}

fn allowed(name: &str, integration: Option<&IntegrationName>) -> Result<HeaderName, StepError> {
    let parsed = HeaderName::try_from(name).map_err(|_| mistyped(format!("`{name}` is no header name")))?;
    let (reason, help) = match integration {
        _ if is_own(name) => (format!("the header {name} is set by flowrun itself"), "leave the header out"),
        Some(integration) if parsed == header::AUTHORIZATION => (
            format!("integration `{integration}` sets the Authorization header, and so does the step"),
            "leave one of the two out",
        ),
        _ => return Ok(parsed),
    };
    Err(StepError::Refused { reason, help: help.to_owned() })
}

/// Visible ASCII, space and tab (N3); the value is never shown, and a credential is marked as one (N9).
fn value(name: &str, text: &str) -> Result<HeaderValue, StepError> {
    let fit = HeaderValue::from_str(text).ok().filter(|value| value.to_str().is_ok());
    let mut value = fit
        .ok_or_else(|| mistyped(format!("the value of `{name}` holds a character a header cannot carry")))?;
    value.set_sensitive(names_credential(name));
    Ok(value)
}

fn content_type(call: &Call) -> Option<&str> {
    match (&call.content_type, &call.json, &call.form, &call.body) {
        (Some(content_type), ..) => Some(content_type),
        (None, Some(_), ..) => Some("application/json"),
        (None, _, Some(_), _) => Some("application/x-www-form-urlencoded"),
        (None, .., Some(_)) => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

fn body(call: &Call) -> Result<Bytes, StepError> {
    match (&call.json, &call.form, &call.body) {
        (Some(json), None, None) => Ok(Bytes::from(json.to_string())),
        (None, Some(form), None) => Ok(Bytes::from(to_form(form))),
        (None, None, Some(text)) => Ok(Bytes::from(text.clone())),
        (None, None, None) => Ok(Bytes::new()),
        _ => Err(mistyped("only one of `json`, `form` and `body` can be sent".to_owned())),
    }
}

fn mistyped(what: String) -> StepError {
    StepError::Type { what }
}
