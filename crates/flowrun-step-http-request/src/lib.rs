//! The step that makes one HTTP request and keeps its whole reply.
//!
//! Its settings are the request settings of every HTTP step, with POST as the method. It gives
//! `{status, headers, body}`; `variables`, where written, pick from the body.
//!
//! # Example
//! ```
//! use flowrun_step::StepSet;
//! use flowrun_step_http_request::HttpRequest;
//!
//! let steps = StepSet::new().with(HttpRequest)?;
//! assert!(steps.get("http_request").is_some());
//! # Ok::<(), flowrun_step::KindTaken>(())
//! ```

use flowrun_http::{Call, Defaults, Method, read_body};
use flowrun_step::schemars::{self, JsonSchema, Schema};
use flowrun_step::serde_json::{Map, Value};
use flowrun_step::{Draft, Effect, Finding, Page, Step, StepContext, StepError, StepInfo, StepKind};
use http::{HeaderMap, HeaderName, header};
use serde::{Deserialize, Serialize};

const DEFAULTS: Defaults = Defaults { method: Method::Post, accept: "application/json, */*;q=0.5" };

/// The step kind `http_request`.
#[derive(Debug, Clone, Copy, Default)]
pub struct HttpRequest;

/// What an author writes beneath `http_request`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transform = with_method)]
pub struct Settings(pub Call);

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Output {
    /// The status code.
    pub status: u16,
    /// Headers by their lower-case names. One that came several times is joined with commas (RFC 9110,
    /// 5.3), but for `set-cookie`, which is always a list.
    pub headers: Map<String, Value>,
    /// JSON as a value, anything else as text, null if there is none.
    pub body: Value,
}

fn with_method(schema: &mut Schema) {
    if let Some(method) = schema.pointer_mut("/properties/method").and_then(Value::as_object_mut) {
        method.insert("default".to_owned(), "POST".into());
    }
}

impl Step for HttpRequest {
    type Settings = Settings;
    type Output = Output;

    fn info(&self) -> StepInfo {
        #[expect(clippy::expect_used, reason = "the kind is a constant")]
        let kind = StepKind::new("http_request").expect("it is one word");
        StepInfo::new(kind, 1).pick_from("/body").pages("paginate")
    }

    fn check(&self, draft: &Draft<'_>) -> Vec<Finding> {
        DEFAULTS.check(draft)
    }

    fn effect(&self, draft: &Draft<'_>) -> Effect {
        DEFAULTS.effect(draft)
    }

    async fn page(
        &self,
        cx: StepContext,
        settings: Settings,
        cursor: Option<Value>,
    ) -> Result<Page, StepError> {
        DEFAULTS.page(&settings.0, &cx, cursor).await
    }

    async fn call(&self, cx: StepContext, settings: Settings) -> Result<Output, StepError> {
        let reply = DEFAULTS.exchange(&settings.0, &cx).await?;
        let body = read_body(&reply)?;
        Ok(Output { status: reply.status.as_u16(), headers: headers(&reply.headers), body })
    }
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    headers.keys().map(|name| (name.as_str().to_owned(), value(headers, name))).collect()
}

fn value(headers: &HeaderMap, name: &HeaderName) -> Value {
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    if *name == header::SET_COOKIE {
        return values.map(|value| Value::String(value.into_owned())).collect();
    }
    Value::String(values.collect::<Vec<_>>().join(", "))
}
