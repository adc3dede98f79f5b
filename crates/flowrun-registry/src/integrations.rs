//! The registry as a house's [`Integrations`].
//!
//! A registry has one tenant, [`Tenant::default`]; to any other it is empty.

use std::sync::Arc;

use flowrun_step::{
    BoxFuture, IntegrationName, IntegrationState, IntegrationStatus, Integrations, Outbound, StepError,
    Tenant,
};

use crate::step_error::{registry_error, step_error};
use crate::way_out::{Source, WayOut};
use crate::{CustodyError, Integration, RefreshError, Registry, UnknownIntegration};

impl Integrations for Registry {
    fn list<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>> {
        Box::pin(listed(tenant, Registry::list(self)))
    }

    fn outbound(&self, tenant: &Tenant, name: &IntegrationName) -> Arc<dyn Outbound> {
        let plain = Arc::clone(&self.inner().world.client);
        let source = Source::Registry(Arc::clone(self.inner()));
        Arc::new(WayOut { source, plain, tenant: tenant.clone(), name: name.clone() })
    }

    fn kept<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a IntegrationName,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StepError>> {
        Box::pin(async move {
            let failed = |error| step_error(name, error);
            serves(tenant, name).map_err(failed)?;
            let live = self.inner().live(name).await.map_err(failed)?;
            Ok(live.kept.get(field).cloned())
        })
    }
}

/// What a tenant sees of all integrations, as a registry or its owner's client lists them.
pub(crate) async fn listed(
    tenant: &Tenant,
    all: impl Future<Output = Result<Vec<Integration>, CustodyError>>,
) -> Result<Vec<IntegrationStatus>, StepError> {
    if *tenant != Tenant::default() {
        return Ok(Vec::new());
    }
    let all = all.await.map_err(|error| registry_error(&error))?;
    Ok(all.into_iter().map(status).collect())
}

/// What a check or a list sees of an integration.
fn status(of: Integration) -> IntegrationStatus {
    let api_domain = of.kept.get("api_domain").cloned();
    // RFC 6749 5.1: a provider that says nothing of scopes granted what was asked for. Where nothing was asked for,
    // what a token may do is said elsewhere, and is not known here.
    let asked = Some(of.scopes.clone()).filter(|scopes| !scopes.is_empty());
    let granted = of.granted_scopes.or(asked).filter(|_| of.state == IntegrationState::Authorized);
    IntegrationStatus {
        scopes: of.scopes,
        granted,
        kept: of.kept.into_keys().collect(),
        hosts: of.hosts,
        api_domain,
        ..IntegrationStatus::new(of.name, of.state)
    }
}

/// Whether a registry serves this tenant at all.
pub(crate) fn serves(tenant: &Tenant, name: &IntegrationName) -> Result<(), RefreshError> {
    if *tenant == Tenant::default() {
        return Ok(());
    }
    let unknown = UnknownIntegration { name: name.clone(), similar: Vec::new() };
    Err(RefreshError::Lookup(unknown.into()))
}
