//! What a step is given for one attempt.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    BoxFuture, Effect, Exposure, IntegrationName, Integrations, Outbound, Reply, Request, RunId, StepError,
    Tenant,
};

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
    /// Whether the settings were filled with a secret, so that what is sent must be guarded.
    exposure: Exposure,
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
            exposure: Exposure::Plain,
            plain,
            integrations,
        }
    }

    /// The way out: with the integration's credential if one is named, without any otherwise (SEED-25).
    #[must_use]
    pub fn outbound(&self, integration: Option<&IntegrationName>) -> Arc<dyn Outbound> {
        let outbound = match integration {
            Some(name) => self.integrations.outbound(&self.tenant, name),
            None => Arc::clone(&self.plain),
        };
        match self.exposure {
            Exposure::Plain => outbound,
            Exposure::Credential => Arc::new(Exposed(outbound)),
        }
    }

    /// The same where the settings hold a secret, wherever the step puts it: every request then counts as
    /// carrying a credential (N2).
    #[must_use]
    pub fn with_secret(self) -> Self {
        Self { exposure: Exposure::Credential, ..self }
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

/// A way out on which every request carries something that must not leave its origin.
struct Exposed(Arc<dyn Outbound>);

impl Outbound for Exposed {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        request.exposure = Exposure::Credential;
        self.0.send(request)
    }
}
