//! A tap on the ways out of a run: it sees method, host and status of each exchange, and changes nothing.
//!
//! It stands above the registry, so that it sees what a step asked for and no token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use flowrun::step::{
    BoxFuture, IntegrationName, IntegrationStatus, Integrations, Outbound, Reply, Request, StepError, Tenant,
};

/// What was seen of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) method: String,
    pub(super) host: String,
    pub(super) status: Option<u16>,
}

/// Where the tap writes and the observer reads: the last exchange of each call under way, by the call's key.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<HashMap<String, Exchange>>>);

impl Seen {
    /// What was seen of a call since the last time.
    pub(super) fn take(&self, key: &str) -> Option<Exchange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    fn put(&self, key: String, exchange: Exchange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, exchange);
    }
}

/// A way out with a tap on it.
pub(super) struct Tapped {
    pub(super) inner: Arc<dyn Outbound>,
    pub(super) seen: Seen,
}

impl Outbound for Tapped {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        let port = request.url.port().map_or_else(String::new, |port| format!(":{port}"));
        let mut exchange = Exchange {
            method: request.method.to_string(),
            host: format!("{}{port}", request.host()),
            status: None,
        };
        let key = request.asker.key.clone();
        Box::pin(async move {
            let answered = self.inner.send(request).await;
            exchange.status = answered.as_ref().ok().map(|reply| reply.status.as_u16());
            self.seen.put(key, exchange);
            answered
        })
    }
}

/// What a way out is wrapped in, for the integration it carries, if any.
pub(super) type Wrap =
    Arc<dyn Fn(Arc<dyn Outbound>, Option<&IntegrationName>) -> Arc<dyn Outbound> + Send + Sync>;

/// Integrations whose ways out are wrapped.
pub(super) struct Wrapped {
    pub(super) inner: Arc<dyn Integrations>,
    pub(super) wrap: Wrap,
}

impl Integrations for Wrapped {
    fn list<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>> {
        self.inner.list(tenant)
    }

    fn outbound(&self, tenant: &Tenant, name: &IntegrationName) -> Arc<dyn Outbound> {
        (self.wrap)(self.inner.outbound(tenant, name), Some(name))
    }

    fn kept<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a IntegrationName,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StepError>> {
        self.inner.kept(tenant, name, field)
    }
}
