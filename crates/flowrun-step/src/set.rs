//! The step kinds of a house, erased so that they can stand in one table.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::Schema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{BoxFuture, Draft, Effect, Finding, Page, Step, StepContext, StepError, StepInfo, StepKind};

/// What a call gave, as a value.
pub type StepOutput = Value;

/// The object-safe twin of [`Step`]; every `Step` is one.
pub trait ErasedStep: Send + Sync {
    /// The kind, its version, and what it keeps.
    fn info(&self) -> StepInfo;
    /// The schema of the settings, with `x-flowrun` on each string that is not a literal.
    fn settings_schema(&self) -> Schema;
    /// What is wrong beyond what the schema can say.
    fn check(&self, draft: &Draft<'_>) -> Vec<Finding>;
    /// What repeating the call would mean.
    fn effect(&self, draft: &Draft<'_>) -> Effect;
    /// Makes the call once, with settings in which nothing is a template any more.
    ///
    /// # Errors
    /// As the step's own `call`; `Type` when the filled settings do not fit the schema.
    fn call(&self, cx: StepContext, settings: Value) -> BoxFuture<'_, Result<StepOutput, StepError>>;
    /// Fetches one page, as `call` makes a call.
    ///
    /// # Errors
    /// As [`ErasedStep::call`].
    fn page(
        &self,
        cx: StepContext,
        settings: Value,
        cursor: Option<Value>,
    ) -> BoxFuture<'_, Result<Page, StepError>>;
}

impl<S: Step> ErasedStep for S {
    fn info(&self) -> StepInfo {
        Step::info(self)
    }

    fn settings_schema(&self) -> Schema {
        schemars::schema_for!(S::Settings)
    }

    fn check(&self, draft: &Draft<'_>) -> Vec<Finding> {
        Step::check(self, draft)
    }

    fn effect(&self, draft: &Draft<'_>) -> Effect {
        Step::effect(self, draft)
    }

    fn call(&self, cx: StepContext, settings: Value) -> BoxFuture<'_, Result<StepOutput, StepError>> {
        Box::pin(async move {
            let output = Step::call(self, cx, filled(settings)?).await?;
            serde_json::to_value(output)
                .map_err(|e| StepError::Type { what: format!("the output is not JSON: {e}") })
        })
    }

    fn page(
        &self,
        cx: StepContext,
        settings: Value,
        cursor: Option<Value>,
    ) -> BoxFuture<'_, Result<Page, StepError>> {
        Box::pin(async move { Step::page(self, cx, filled(settings)?, cursor).await })
    }
}

/// Settings in which nothing is a template any more, as the step's own type.
fn filled<T: DeserializeOwned>(settings: Value) -> Result<T, StepError> {
    serde_json::from_value(settings)
        .map_err(|error| StepError::Type { what: format!("the settings do not fit: {error}") })
}

/// Two steps claim one kind.
#[derive(Debug, thiserror::Error)]
#[error("two steps are called `{0}`")]
pub struct KindTaken(pub StepKind);

/// The step kinds a house knows, by kind.
#[derive(Clone, Default)]
pub struct StepSet {
    steps: BTreeMap<StepKind, Arc<dyn ErasedStep>>,
}

impl StepSet {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The set with one more kind.
    ///
    /// # Errors
    /// When the kind is in the set already.
    pub fn with(mut self, step: impl Step) -> Result<Self, KindTaken> {
        let kind = Step::info(&step).kind;
        if self.steps.contains_key(&kind) {
            return Err(KindTaken(kind));
        }
        self.steps.insert(kind, Arc::new(step));
        Ok(self)
    }

    /// The set with all kinds of another.
    ///
    /// # Errors
    /// When one of them is in the set already.
    pub fn with_all(mut self, others: &Self) -> Result<Self, KindTaken> {
        for (kind, step) in &others.steps {
            if self.steps.insert(kind.clone(), Arc::clone(step)).is_some() {
                return Err(KindTaken(kind.clone()));
            }
        }
        Ok(self)
    }

    /// The step of that kind.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&Arc<dyn ErasedStep>> {
        self.steps.get(&StepKind::new(kind).ok()?)
    }

    /// All kinds, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &StepKind> {
        self.steps.keys()
    }
}

impl fmt::Debug for StepSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.steps.keys()).finish()
    }
}
