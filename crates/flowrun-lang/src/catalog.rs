//! What a house knows, as far as a check may ask: plain data, no calls.

use flowrun_step::{IntegrationName, IntegrationStatus, StepSet};

/// The step kinds of a house and, if they are known, its integrations with their states.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(crate) steps: StepSet,
    integrations: Option<Vec<IntegrationStatus>>,
}

impl Catalog {
    /// A catalogue of step kinds that knows nothing of integrations, so that none is judged.
    #[must_use]
    pub fn new(steps: StepSet) -> Self {
        Self { steps, integrations: None }
    }

    /// The same with the integrations of the house.
    #[must_use]
    pub fn with_integrations(mut self, integrations: Vec<IntegrationStatus>) -> Self {
        self.integrations = Some(integrations);
        self
    }

    /// The step kinds.
    #[must_use]
    pub fn steps(&self) -> &StepSet {
        &self.steps
    }

    /// All integrations, if they are known.
    pub(crate) fn integrations(&self) -> Option<&[IntegrationStatus]> {
        self.integrations.as_deref()
    }

    /// The status of one integration, if integrations are known and it is one.
    pub(crate) fn integration(&self, name: &IntegrationName) -> Option<&IntegrationStatus> {
        self.integrations()?.iter().find(|status| status.name == *name)
    }
}
