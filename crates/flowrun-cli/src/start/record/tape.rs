//! What is heard of a run while it is recorded: exchanges, in the order in which they were begun, and what came to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flowrun::engine::Incoming;
use flowrun::step::{
    BoxFuture, IntegrationName, IntegrationStatus, Integrations, Outbound, Reply, Request, StepError, Tenant,
};

/// Everything that was heard; every clone hears the same.
#[derive(Clone, Default)]
pub(in crate::start) struct Tape(Arc<Mutex<Heard>>);

pub(super) struct Heard {
    began: Instant,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) came: Vec<(Duration, Incoming)>,
    /// Fields that integrations kept, as far as the flow read them.
    pub(super) kept: Vec<(IntegrationName, String, String)>,
}

impl Default for Heard {
    fn default() -> Self {
        Self { began: Instant::now(), exchanges: Vec::new(), came: Vec::new(), kept: Vec::new() }
    }
}

/// One exchange of a step.
pub(super) struct Exchange {
    pub(super) step: String,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) answer: Answer,
}

/// What came of it.
pub(super) enum Answer {
    /// Nothing yet; or nothing at all, if the run went on without it.
    None,
    Reply(Box<Reply>),
    /// The service refuses calls for so long.
    Limited(Duration),
    Connect,
    Timeout,
    /// What no test file can say: a rule of the house, a reply that is too large.
    Unsayable,
}

impl Tape {
    pub(super) fn heard_so_far(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something came to the run from outside.
    pub(in crate::start) fn heard(&self, incoming: &Incoming) {
        let mut heard = self.heard_so_far();
        let after = heard.began.elapsed();
        heard.came.push((after, incoming.clone()));
    }

    /// A way out that this tape listens to.
    pub(in crate::start) fn of(&self, inner: Arc<dyn Outbound>) -> Arc<dyn Outbound> {
        Arc::new(Taped { inner, tape: self.clone() })
    }

    /// Integrations whose kept fields this tape hears of.
    pub(in crate::start) fn kept_of(&self, inner: impl Integrations + 'static) -> Arc<dyn Integrations> {
        Arc::new(Taped { inner, tape: self.clone() })
    }

    fn begin(&self, request: &Request) -> usize {
        let mut heard = self.heard_so_far();
        heard.exchanges.push(Exchange {
            step: request.asker.step.clone(),
            method: request.method.to_string(),
            url: request.url.to_string(),
            answer: Answer::None,
        });
        heard.exchanges.len() - 1
    }

    fn end(&self, at: usize, answered: &Result<Reply, StepError>) {
        self.heard_so_far().exchanges[at].answer = match answered {
            Ok(reply) => Answer::Reply(Box::new(reply.clone())),
            Err(StepError::Limited { wait, .. }) => Answer::Limited(*wait),
            Err(StepError::Connect { .. } | StepError::Broken { .. }) => Answer::Connect,
            Err(StepError::Timeout { .. }) => Answer::Timeout,
            Err(_) => Answer::Unsayable,
        };
    }
}

struct Taped<T> {
    inner: T,
    tape: Tape,
}

impl Outbound for Taped<Arc<dyn Outbound>> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        let at = self.tape.begin(&request);
        Box::pin(async move {
            let answered = self.inner.send(request).await;
            self.tape.end(at, &answered);
            answered
        })
    }
}

impl<T: Integrations> Integrations for Taped<T> {
    fn list<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>> {
        self.inner.list(tenant)
    }

    fn outbound(&self, tenant: &Tenant, name: &IntegrationName) -> Arc<dyn Outbound> {
        self.inner.outbound(tenant, name)
    }

    fn kept<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a IntegrationName,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StepError>> {
        Box::pin(async move {
            let kept = self.inner.kept(tenant, name, field).await?;
            if let Some(value) = &kept {
                self.tape.heard_so_far().kept.push((name.clone(), field.to_owned(), value.clone()));
            }
            Ok(kept)
        })
    }
}
