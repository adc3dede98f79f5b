//! What a step is given for one attempt.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::{Effect, IntegrationName, Integrations, Outbound, RunId, Tenant};

/// One attempt of one step: who asks, until when, and the ways out.
///
/// A context is made by `engine::perform` and lives for one call. It holds no credential.
#[derive(Clone)]
pub struct StepContext {
    /// Whose run it is.
    pub tenant: Tenant,
    /// Which run.
    pub run: RunId,
    /// The place of the step in the flow, such as `steps[0]`.
    pub path: String,
    /// Which attempt this is, counting from 1.
    pub attempt: u32,
    /// The same for every attempt of this step in this run: what an idempotent service wants.
    pub key: String,
    /// When the step is out of time; the call may be dropped then.
    pub deadline: Option<Timestamp>,
    /// What repeating the call would mean, as the plan has it.
    pub effect: Effect,
    plain: Arc<dyn Outbound>,
    integrations: Arc<dyn Integrations>,
}

impl StepContext {
    /// A context for a run's first attempt over these ways out.
    #[must_use]
    pub fn new(
        tenant: Tenant,
        run: RunId,
        plain: Arc<dyn Outbound>,
        integrations: Arc<dyn Integrations>,
    ) -> Self {
        let (path, key) = (String::new(), String::new());
        Self {
            tenant,
            run,
            path,
            attempt: 1,
            key,
            deadline: None,
            effect: Effect::Unsafe,
            plain,
            integrations,
        }
    }

    /// The way out: with the integration's credential if one is named, without any otherwise (SEED-25).
    #[must_use]
    pub fn outbound(&self, integration: Option<&IntegrationName>) -> Arc<dyn Outbound> {
        match integration {
            Some(name) => self.integrations.outbound(&self.tenant, name),
            None => Arc::clone(&self.plain),
        }
    }
}

impl fmt::Debug for StepContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepContext")
            .field("run", &self.run)
            .field("path", &self.path)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
