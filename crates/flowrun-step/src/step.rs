//! What a step kind is.

use std::future::Future;

use flowrun_template::Effect;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
}

impl StepInfo {
    /// A kind that keeps its whole output and lets `variables` pick from all of it.
    #[must_use]
    pub fn new(kind: StepKind, version: u32) -> Self {
        Self { kind, version, pick_from: "", keeps: Keeps::Whole }
    }

    /// Says where variables are picked from.
    #[must_use]
    pub fn pick_from(mut self, pointer: &'static str) -> Self {
        self.pick_from = pointer;
        self
    }

    /// Says what is kept as output.
    #[must_use]
    pub fn keeps(mut self, keeps: Keeps) -> Self {
        self.keeps = keeps;
        self
    }
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

    /// Makes the call once. It may be dropped at its deadline; a panic fails this step only.
    fn call(
        &self,
        cx: StepContext,
        settings: Self::Settings,
    ) -> impl Future<Output = Result<Self::Output, StepError>> + Send;
}
