//! A client as a house's [`Integrations`]: its ways out carry the tokens that the owner gives.

use std::sync::Arc;

use flowrun_step::{
    BoxFuture, IntegrationName, IntegrationStatus, Integrations, Outbound, Request, StepError, Tenant,
};

use super::Client;
use super::asking::{Asked, refusal};
use crate::RefreshError;
use crate::integrations::{listed, serves};
use crate::pass::{Pass, not_covered};
use crate::socket::wire::{Answer, Question, Refusal};
use crate::step_error::step_error;
use crate::way_out::{Source, WayOut};

impl Client {
    /// A token that this request may carry, as the owner says and as its rules are judged once more here.
    pub(crate) async fn pass(&self, name: &IntegrationName, request: &Request) -> Result<Pass, StepError> {
        let failed = |error| step_error(name, error);
        let origin = request.url.origin().ascii_serialization();
        let asked = self.ask(Question::Resolve { name: name.clone(), origin }).await;
        let pass: Pass = match asked.map_err(|error| failed(error.into()))? {
            Asked::Own(registry) => {
                return registry.inner().pass(name, |pass| pass.permit(request)).await.map_err(failed)?;
            }
            Asked::Owner(Answer::Pass(pass)) => pass.into(),
            Asked::Owner(Answer::Refused(Refusal::HostNotCovered {})) => {
                return Err(not_covered(name, &request.url));
            }
            Asked::Owner(other) => return Err(failed(refusal(other).refresh())),
        };
        pass.permit(request)?;
        Ok(pass)
    }

    /// Sees to it that there is a set of tokens later than this one: the owner refreshes, once for all who ask.
    pub(crate) async fn renew_after(
        &self,
        name: &IntegrationName,
        generation: u64,
    ) -> Result<(), RefreshError> {
        match self.ask(Question::Renew { name: name.clone(), generation }).await? {
            Asked::Own(registry) => registry.inner().renew_after(name, generation).await.map(drop),
            Asked::Owner(Answer::Renewed {}) => Ok(()),
            Asked::Owner(other) => Err(refusal(other).refresh()),
        }
    }

    async fn field(&self, name: &IntegrationName, field: &str) -> Result<Option<String>, RefreshError> {
        match self.ask(Question::Kept { name: name.clone(), field: field.to_owned() }).await? {
            Asked::Own(registry) => Ok(registry.inner().live(name).await?.kept.get(field).cloned()),
            Asked::Owner(Answer::Kept { value }) => Ok(value),
            Asked::Owner(other) => Err(refusal(other).refresh()),
        }
    }
}

impl Integrations for Client {
    fn list<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>> {
        Box::pin(listed(tenant, Client::list(self)))
    }

    fn outbound(&self, tenant: &Tenant, name: &IntegrationName) -> Arc<dyn Outbound> {
        let (source, plain) = (Source::Owner(self.clone()), Arc::clone(&self.plain));
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
            self.field(name, field).await.map_err(failed)
        })
    }
}
