//! The settings both HTTP steps share, as an author writes them (language, 4).
//!
//! A [`Call`] arrives with nothing late in it: texts are rendered, secrets filled. Its schema says which
//! language each setting is written in, and what may be left out; [`crate::Defaults`] makes it a request.

use std::collections::BTreeMap;
use std::time::Duration;

use flowrun_step::IntegrationName;
use flowrun_template::duration;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::expect::Expect;
use crate::field::{Field, Fields};
use crate::paginate::Paginate;

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
    /// Goes through pages: `{items, next, until, max_pages}`. The output is `{items, pages}`.
    #[serde(default)]
    #[schemars(with = "Paginate")]
    pub paginate: Option<Paginate>,
    /// Sent as `Idempotency-Key`: the service recognises a repetition by it.
    #[serde(default)]
    #[schemars(with = "String", extend("x-flowrun" = "header"))]
    pub idempotency_key: Option<String>,
    /// Says that the request only reads, whatever its method.
    #[serde(default)]
    pub safe: bool,
    /// Says that `retry` may repeat the request, although nothing keeps it from doing its work twice.
    #[serde(default, rename = "unsafe")]
    pub may_do_twice: bool,
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
