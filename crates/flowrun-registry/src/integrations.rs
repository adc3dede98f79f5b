//! The registry as a house's [`Integrations`].
//!
//! A registry has one tenant, [`Tenant::default`]; to any other it is empty.

use std::sync::Arc;

use flowrun_step::{
    BoxFuture, IntegrationName, IntegrationStatus, Integrations, Outbound, StepError, Tenant,
};

use crate::inner::Inner;
use crate::step_error::{registry_error, step_error};
use crate::way_out::WayOut;
use crate::{RefreshError, Registry, UnknownIntegration};

impl Integrations for Registry {
    fn list<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>> {
        Box::pin(async move {
            if *tenant != Tenant::default() {
                return Ok(Vec::new());
            }
            let all = Registry::list(self).await.map_err(|error| registry_error(&error))?;
            let status = |it: crate::Integration| IntegrationStatus {
                name: it.name,
                state: it.state,
                kept: it.kept.into_keys().collect(),
            };
            Ok(all.into_iter().map(status).collect())
        })
    }

    fn outbound(&self, tenant: &Tenant, name: &IntegrationName) -> Arc<dyn Outbound> {
        let inner = Arc::clone(self.inner());
        Arc::new(WayOut { inner, tenant: tenant.clone(), name: name.clone() })
    }

    fn kept<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a IntegrationName,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StepError>> {
        Box::pin(async move {
            let failed = |error| step_error(name, error);
            self.inner().serves(tenant, name).map_err(failed)?;
            let live = self.inner().live(name).await.map_err(failed)?;
            Ok(live.kept.get(field).cloned())
        })
    }
}

impl Inner {
    /// Whether it serves this tenant at all.
    pub(crate) fn serves(&self, tenant: &Tenant, name: &IntegrationName) -> Result<(), RefreshError> {
        if *tenant == Tenant::default() {
            return Ok(());
        }
        let unknown = UnknownIntegration { name: name.clone(), similar: Vec::new() };
        Err(RefreshError::Lookup(unknown.into()))
    }
}
