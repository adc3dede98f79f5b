//! What a step is given for one attempt.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::{
    Asker, BoxFuture, Effect, Exposure, IntegrationName, Integrations, Outbound, Reply, Request, RunId,
    StepError, Tenant,
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
    /// The step as reports call it: its id, or its path; in a called flow, after the name of that flow.
    pub name: String,
    /// Which attempt this is, counting from 1.
    pub attempt: u32,
    /// The same for every attempt of this step in this run: what an idempotent service wants.
    pub key: String,
    /// When the step is out of time; the call may be dropped then.
    pub deadline: Option<Timestamp>,
    /// How long that was away when the attempt began.
    pub left: Option<Duration>,
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
        let (path, name, key) = (String::new(), String::new(), String::new());
        Self {
            tenant,
            run,
            path,
            name,
            attempt: 1,
            key,
            deadline: None,
            left: None,
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
        let (step, key) = (self.name.clone(), self.key.clone());
        let (tenant, integration) = (self.tenant.clone(), integration.cloned());
        let asker = Asker { step, key, attempt: self.attempt, tenant, integration, left: self.left };
        Arc::new(Asking { inner: outbound, asker, exposure: self.exposure })
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

/// A way out on which every request says who asks; and that it carries a secret, where the settings hold one.
struct Asking {
    inner: Arc<dyn Outbound>,
    asker: Asker,
    exposure: Exposure,
}

impl Outbound for Asking {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        request.asker = self.asker.clone();
        if self.exposure == Exposure::Credential {
            request.exposure = Exposure::Credential;
        }
        self.inner.send(request)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::task::{Context, Waker};

    use super::*;
    use crate::{Asker, BoxFuture, IntegrationStatus};

    /// A way out, and the integrations behind it, that remember what they were asked.
    #[derive(Clone, Default)]
    struct Ears(Arc<Mutex<Vec<(Asker, Exposure)>>>);

    impl Outbound for Ears {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
            self.0.lock().unwrap().push((request.asker, request.exposure));
            Box::pin(async { Err(StepError::Missing { what: "no reply".to_owned() }) })
        }
    }

    impl Integrations for Ears {
        fn list<'a>(&'a self, _: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>> {
            Box::pin(async { Ok(Vec::new()) })
        }

        fn outbound(&self, _: &Tenant, _: &IntegrationName) -> Arc<dyn Outbound> {
            Arc::new(self.clone())
        }

        fn kept<'a>(
            &'a self,
            _: &'a Tenant,
            _: &'a IntegrationName,
            _: &'a str,
        ) -> BoxFuture<'a, Result<Option<String>, StepError>> {
            Box::pin(async { Ok(None) })
        }
    }

    #[test]
    fn every_request_says_which_step_asks_and_whether_a_secret_rides_along_n2() {
        let ears = Ears::default();
        let run = RunId::new("run-1").unwrap();
        let mut cx = StepContext::new(Tenant::default(), run, Arc::new(ears.clone()), Arc::new(ears.clone()));
        (cx.name, cx.key, cx.attempt) = ("get".to_owned(), "k".to_owned(), 2);
        let crm = IntegrationName::new("crm").unwrap();
        for (cx, integration) in [(cx.clone(), None), (cx.with_secret(), Some(&crm))] {
            let request = Request::new(http::Method::GET, "https://api.example.com/".parse().unwrap());
            let sent = cx.outbound(integration);
            assert!(sent.send(request).as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        }
        let asker = Asker { step: "get".to_owned(), key: "k".to_owned(), attempt: 2, ..Asker::default() };
        let with_integration = Asker { integration: Some(crm), ..asker.clone() };
        let expected = [(asker, Exposure::Plain), (with_integration, Exposure::Credential)];
        assert_eq!(ears.0.lock().unwrap().as_slice(), expected);
    }
}
