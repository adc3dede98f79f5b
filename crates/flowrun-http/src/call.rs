//! The settings both HTTP steps share (language, 4), and the request they become.
//!
//! A [`Call`] arrives with nothing late in it: texts are rendered, secrets filled. What is left to do
//! here is structure: the query is merged, the body serialised, the headers judged (N3).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use flowrun_step::{Effect, Exposure, IntegrationName, Reply, Request, StepContext, StepError};
use flowrun_template::duration;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use crate::expect::Expect;
use crate::field::{Field, Fields, merge_query, to_form};
use crate::header::{IDEMPOTENCY_KEY, is_credential, is_own};
use crate::reply::expected;

/// What an author writes beneath an HTTP step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline, transform = without_null)]
pub struct Call {
    /// The method.
    #[serde(default)]
    #[schemars(schema_with = "methods")]
    pub method: Option<Method>,
    /// Where to: `https://api.example.com/contacts/{{id}}`.
    #[schemars(extend("x-flowrun" = "url"))]
    pub url: String,
    /// Added to the URL's query; null drops a key, a list repeats it.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Option<Field>>", extend("x-flowrun" = "form"))]
    pub query: Fields,
    /// Headers by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>", extend("x-flowrun" = "header"))]
    pub headers: IndexMap<String, String>,
    /// A body, written as YAML and sent as JSON.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Value", extend("x-flowrun" = "json"))]
    pub json: Option<Value>,
    /// A body of form fields; null drops a key, a list repeats it.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Option<Field>>", extend("x-flowrun" = "form"))]
    pub form: Option<Fields>,
    /// A body as text, escaped as its `content_type` wants.
    #[serde(default)]
    #[schemars(with = "String", extend("x-flowrun" = "body"))]
    pub body: Option<String>,
    /// What `body` is; `text/plain; charset=utf-8` unless said.
    #[serde(default)]
    #[schemars(with = "String")]
    pub content_type: Option<String>,
    /// The integration whose credential goes along.
    #[serde(default)]
    #[schemars(with = "String", extend("x-flowrun" = "integration"))]
    pub integration: Option<IntegrationName>,
    /// The time for one attempt.
    #[serde(default = "default_timeout", deserialize_with = "duration_text")]
    #[schemars(with = "String", extend("x-flowrun" = "duration", "default" = "30s"))]
    pub timeout: Duration,
    /// The largest reply body taken, in bytes after decompression.
    #[serde(default = "default_max_bytes")]
    #[schemars(range(min = 1, max = 16_777_216))]
    pub max_bytes: u64,
    /// How many redirects are followed; none across an origin when a credential is attached.
    #[serde(default = "default_redirects")]
    #[schemars(range(max = 20))]
    pub redirects: u8,
    /// Which status codes are success: codes, classes, ranges.
    #[serde(default)]
    pub expect: Expect,
    /// What to keep of the reply: `name: path`, `name: {path, default, type, required}`, or a list of names.
    #[serde(default)]
    #[schemars(schema_with = "picks", extend("x-flowrun" = "picks"))]
    pub variables: Option<Value>,
    /// Sent as `Idempotency-Key`: the service recognises a repetition by it.
    #[serde(default)]
    #[schemars(with = "String", extend("x-flowrun" = "header"))]
    pub idempotency_key: Option<String>,
    /// Says that the request only reads, whatever its method.
    #[serde(default)]
    pub safe: bool,
}

/// The methods an author may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the headers alone.
    Head,
    /// Asks what is possible.
    Options,
    /// Creates, or does.
    Post,
    /// Replaces.
    Put,
    /// Changes in part.
    Patch,
    /// Removes.
    Delete,
}

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
        let has_credential = headers.iter().any(|(name, value)| is_credential(name, value));
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
            headers.insert(header::CONTENT_TYPE, value("content_type", content_type)?);
        }
        if let Some(key) = &call.idempotency_key {
            headers.insert(IDEMPOTENCY_KEY, value("idempotency_key", key)?);
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

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Options => Self::OPTIONS,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
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

/// Visible ASCII, space and tab (N3); the value is never shown.
fn value(name: &str, text: &str) -> Result<HeaderValue, StepError> {
    HeaderValue::from_str(text)
        .ok()
        .filter(|value| value.to_str().is_ok())
        .ok_or_else(|| mistyped(format!("the value of `{name}` holds a character a header cannot carry")))
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

const fn default_timeout() -> Duration {
    Duration::from_secs(30)
}

const fn default_max_bytes() -> u64 {
    1024 * 1024
}

const fn default_redirects() -> u8 {
    5
}

/// One list, so that a misspelt method can be answered with the nearest.
fn methods(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] })
}

/// A key that is left out is not null: a null `integration` must not pass for none (SEED-16).
fn without_null(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(|properties| properties.values_mut()) {
        if let Some(property) = property.as_object_mut().filter(|of| of.get("default") == Some(&Value::Null))
        {
            property.remove("default");
        }
    }
}

/// The shapes of `variables`; the engine compiles and applies them.
fn picks(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "array", "items": { "type": "string" } },
            { "type": "object", "additionalProperties": { "anyOf": [{ "type": "string" }, {
                "type": "object",
                "properties": {
                    "path": { "type": "string" },
                    "default": true,
                    "type": { "type": "string" },
                    "required": { "type": "boolean" },
                },
                "additionalProperties": false,
            }] } },
        ],
    })
}

/// Tells `json: null`, which sends null, from no `json` at all.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn duration_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    duration::parse(&text).map_err(|error| serde::de::Error::custom(format!("timeout: {}", error.message)))
}
