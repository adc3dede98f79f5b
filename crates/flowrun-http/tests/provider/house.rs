//! A house with one integration, whose credential is a header.

use std::sync::Arc;

use flowrun_http::{Client, NetworkPolicy};
use flowrun_step::{
    BoxFuture, IntegrationName, IntegrationStatus, Integrations, Outbound, Reply, Request, RunId,
    StepContext, StepError, Tenant,
};

/// A context over a client that may call loopback.
pub(crate) fn context() -> StepContext {
    let plain = Arc::new(Client::builder().policy(NetworkPolicy::cli()).build());
    let integrations = Arc::new(Credentials { plain: Arc::<Client>::clone(&plain) });
    StepContext::new(Tenant::default(), RunId::new("run-1").unwrap(), plain, integrations)
}

/// Every integration's credential is its name.
struct Credentials {
    plain: Arc<Client>,
}

struct WithCredential {
    plain: Arc<Client>,
    header: String,
}

impl Integrations for Credentials {
    fn list<'a>(&'a self, _: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn outbound(&self, _: &Tenant, name: &IntegrationName) -> Arc<dyn Outbound> {
        Arc::new(WithCredential {
            plain: Arc::clone(&self.plain),
            header: format!("Bearer of-{}", name.key()),
        })
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

impl Outbound for WithCredential {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        request.headers.insert(http::header::AUTHORIZATION, self.header.parse().unwrap());
        self.plain.send(request)
    }
}
