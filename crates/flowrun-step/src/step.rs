//! What a step kind is.

use std::future::Future;

use flowrun_template::Effect;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Draft, Finding, StepContext, StepError, StepKind};

/// What a step keeps as its output when the author does not say `into`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keeps {
    /// Its whole output.
    #[default]
    Whole,
    /// The variables it picked.
    Variables,
}

/// What a step kind says of itself.
///
/// # Example
/// ```
/// use flowrun_step::{Keeps, StepInfo, StepKind};
/// let info = StepInfo::new(StepKind::new("fetch_variables")?, 1).keeps(Keeps::Variables);
/// assert_eq!(info.pick_from, "");
/// # Ok::<(), flowrun_step::InvalidName>(())
/// ```
#[derive(Debug, Clone)]
pub struct StepInfo {
    /// The key authors write; a plugin's holds a dot.
    pub kind: StepKind,
    /// The version of its behaviour; raised when recorded runs would go differently.
    pub version: u32,
    /// Where in the output `variables` are picked from: a JSON pointer (RFC 6901), empty for the whole.
    pub pick_from: &'static str,
    /// What is kept as `steps.<id>.output`.
    pub keeps: Keeps,
    /// The setting that makes a call go through pages, if the kind has one: see [`Step::page`].
    pub pages: Option<&'static str>,
}

impl StepInfo {
    /// A kind that keeps its whole output and lets `variables` pick from all of it.
    #[must_use]
    pub fn new(kind: StepKind, version: u32) -> Self {
        Self { kind, version, pick_from: "", keeps: Keeps::Whole, pages: None }
    }

    /// Says where variables are picked from.
    #[must_use]
    pub fn pick_from(mut self, pointer: &'static str) -> Self {
        self.pick_from = pointer;
        self
    }

    /// Says which setting makes a call go through pages. It is a map; the engine takes its `max_pages`, and the text in it
    /// whose `x-flowrun` is `until`: an expression, tested after each page, in which the page's body is `item`.
    #[must_use]
    pub fn pages(mut self, setting: &'static str) -> Self {
        self.pages = Some(setting);
        self
    }

    /// Says what is kept as output.
    #[must_use]
    pub fn keeps(mut self, keeps: Keeps) -> Self {
        self.keeps = keeps;
        self
    }
}

/// One page of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its items.
    pub items: Vec<Value>,
    /// What leads to the next page; nothing if this is the last.
    pub next: Option<Value>,
    /// All of it.
    pub body: Value,
}

/// A step kind: its settings, what can be checked before a run, and one call.
///
/// The schema of [`Self::Settings`] gives each string its language under `x-flowrun`: `text`, `url`,
/// `header`, `json` (any value, substituted within), `form`, `body` (text, JSON or form by the
/// sibling `content_type`), `picks`, `expression`, `duration`, `integration` or `literal`; what has none is a literal.
pub trait Step: Send + Sync + 'static {
    /// What an author writes beneath the kind.
    type Settings: DeserializeOwned + JsonSchema + Send;
    /// What a call gives.
    type Output: Serialize + JsonSchema;

    /// The kind, its version, and what it keeps.
    fn info(&self) -> StepInfo;

    /// What is wrong beyond what the schema can say.
    fn check(&self, _draft: &Draft<'_>) -> Vec<Finding> {
        Vec::new()
    }

    /// What repeating the call would mean, as far as the settings tell before a run.
    fn effect(&self, _draft: &Draft<'_>) -> Effect {
        Effect::Unsafe
    }

    /// Fetches one page, where the settings say that the answer comes in pages: the first without a cursor, each other with
    /// what the page before gave for it. It may be dropped as a call may.
    fn page(
        &self,
        _cx: StepContext,
        _settings: Self::Settings,
        _cursor: Option<Value>,
    ) -> impl Future<Output = Result<Page, StepError>> + Send {
        std::future::ready(Err(StepError::Type { what: "this kind has no pages".to_owned() }))
    }

    /// Makes the call once. It may be dropped at its deadline; a panic fails this step only.
    fn call(
        &self,
        cx: StepContext,
        settings: Self::Settings,
    ) -> impl Future<Output = Result<Self::Output, StepError>> + Send;
}
