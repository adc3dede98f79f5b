//! The step that calls a web service and keeps parts of its reply as variables.
//!
//! Its settings are the request settings of every HTTP step, with GET as the method. It gives the
//! JSON body whole; the engine picks `variables` from it and keeps only those, or all of it with `into`.
//!
//! # Example
//! ```
//! use flowrun_step::StepSet;
//! use flowrun_step_fetch_variables::FetchVariables;
//!
//! let steps = StepSet::new().with(FetchVariables)?;
//! assert!(steps.get("fetch_variables").is_some());
//! # Ok::<(), flowrun_step::KindTaken>(())
//! ```

use flowrun_http::{Call, Defaults, Method, read_json};
use flowrun_step::schemars::{self, JsonSchema, Schema};
use flowrun_step::serde_json::Value;
use flowrun_step::{Draft, Effect, Finding, Keeps, Page, Step, StepContext, StepError, StepInfo, StepKind};
use serde::Deserialize;

const DEFAULTS: Defaults = Defaults { method: Method::Get, accept: "application/json" };

/// The step kind `fetch_variables`.
#[derive(Debug, Clone, Copy, Default)]
pub struct FetchVariables;

/// What an author writes beneath `fetch_variables`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transform = with_method)]
pub struct Settings(pub Call);

fn with_method(schema: &mut Schema) {
    if let Some(method) = schema.pointer_mut("/properties/method").and_then(Value::as_object_mut) {
        method.insert("default".to_owned(), "GET".into());
    }
}

impl Step for FetchVariables {
    type Settings = Settings;
    type Output = Value;

    fn info(&self) -> StepInfo {
        #[expect(clippy::expect_used, reason = "the kind is a constant")]
        let kind = StepKind::new("fetch_variables").expect("it is one word");
        StepInfo::new(kind, 1).keeps(Keeps::Variables).pages("paginate")
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

    async fn call(&self, cx: StepContext, settings: Settings) -> Result<Value, StepError> {
        let reply = DEFAULTS.exchange(&settings.0, &cx).await?;
        read_json(&reply)
    }
}
