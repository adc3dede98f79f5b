//! The step kind `acme.shorten`: makes a long address short at Acme's service, and knows how often it was opened.

use flowrun_step::schemars::{self, JsonSchema};
use flowrun_step::serde_json::{self, Value, json};
use flowrun_step::{
    CallEffect, Draft, Effect, Finding, IntegrationName, Request, Step, StepContext, StepError, StepInfo,
    StepKind,
};
use http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use url::Url;

/// The step kind.
pub struct Shorten;

/// What an author writes beneath `acme.shorten`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Acme's service.
    #[schemars(extend("x-flowrun" = "url"))]
    service: String,
    /// The long address.
    #[schemars(extend("x-flowrun" = "text"))]
    address: String,
    /// The domain that the short address is to have.
    #[serde(default = "acme")]
    domain: String,
    /// The integration whose credential goes along.
    #[serde(default)]
    integration: Option<IntegrationName>,
    /// What to keep: `short`, `opened`.
    #[serde(default, rename = "variables")]
    #[schemars(extend("x-flowrun" = "picks"))]
    _variables: Option<Value>,
}

/// What a call gives.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Short {
    /// The short address.
    short: String,
    /// How often it was opened.
    opened: u64,
}

fn acme() -> String {
    "acme.example".to_owned()
}

impl Step for Shorten {
    type Settings = Settings;
    type Output = Short;

    fn info(&self) -> StepInfo {
        StepInfo::new(StepKind::new("acme.shorten").expect("a vendor, a dot, a word"), 1)
    }

    fn check(&self, draft: &Draft<'_>) -> Vec<Finding> {
        let is_domain = |domain: &str| domain.contains('.') && !domain.contains(['/', ':', ' ']);
        let wrong = draft.get("domain").as_str().filter(|domain| !is_domain(domain));
        let finding = |domain: &str| Finding {
            path: "domain".to_owned(),
            message: format!("`{domain}` is no domain"),
            help: Some("domain: go.acme.example".to_owned()),
        };
        wrong.map(finding).into_iter().collect()
    }

    /// Acme gives the same short address for the same long one.
    fn effect(&self, _draft: &Draft<'_>) -> Effect {
        Effect::Safe
    }

    async fn call(&self, cx: StepContext, settings: Settings) -> Result<Short, StepError> {
        let url = Url::parse(&settings.service)
            .map_err(|error| StepError::Type { what: format!("`service` is no URL: {error}") })?;
        let mut request = Request::new(Method::POST, url);
        request.effect = Effect::Safe;
        request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = json!({ "address": settings.address, "domain": settings.domain }).to_string().into();
        let host = request.host().to_owned();
        let reply = cx.outbound(settings.integration.as_ref()).send(request).await?;
        if !reply.status.is_success() {
            let (status, said, retry_after) = (reply.status.as_u16(), String::new(), None);
            return Err(StepError::Http { host, status, said, retry_after, effect: CallEffect::None });
        }
        serde_json::from_slice(&reply.body).map_err(|error| StepError::Type {
            what: format!("the reply of {host} is not what Acme sends: {error}"),
        })
    }
}
