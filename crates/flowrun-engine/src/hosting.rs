//! An engine that hosts runs on this machine.

use std::collections::BTreeMap;
use std::time::Duration;

use flowrun_lang::trigger::WebhookTrigger;
use flowrun_lang::{Code, Diagnostic};
use flowrun_machine::InDoubt;
use flowrun_step::{BoxFuture, RunId, Tenant};
use serde_json::Value;

use crate::engine::Engine;
use crate::flows::FlowSet;
use crate::host::{Called, Filter, Host, NotStarted, Published, Request, Started, View};
use crate::journal::{Delivered, JournalError, RunKey, Standing, Summary, Whose};
use crate::mail::{Incoming, Told};
use crate::message::{Conversation, Message, Receipt, Refused};
use crate::story::{Story, Untold};

impl Engine {
    /// Goes on with what the last process left: runs that were under way, messages that nobody took, moments that have come.
    /// A house that hosts runs calls it once its flows are published.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn recover(&self) -> Result<(), JournalError> {
        self.supervisor.recover().await
    }
}

impl Host for Engine {
    fn publish<'a>(
        &'a self,
        tenant: &'a Tenant,
        files: BTreeMap<String, Vec<u8>>,
    ) -> BoxFuture<'a, Result<Vec<Published>, Vec<Diagnostic>>> {
        Box::pin(async move {
            let unknown = |error| vec![Diagnostic::error(Code::Registry, format!("{error}"))];
            let catalog = self.catalog(tenant).await.map_err(unknown)?;
            let set = FlowSet::check(&files, &catalog)?;
            let published = set.published();
            self.supervisor.publish(tenant, set);
            Ok(published)
        })
    }

    fn flows(&self, tenant: &Tenant) -> Vec<Published> {
        self.supervisor.set(tenant).published()
    }

    fn webhook(&self, tenant: &Tenant, method: &str, path: &str) -> Option<(String, WebhookTrigger)> {
        let set = self.supervisor.set(tenant);
        set.webhook(method, path).map(|(flow, hook)| (flow.to_owned(), hook.clone()))
    }

    fn start(&self, request: Request) -> BoxFuture<'_, Result<Started, NotStarted>> {
        Box::pin(self.supervisor.start(request))
    }

    fn settled<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
        most: Duration,
    ) -> BoxFuture<'a, Result<Option<View>, JournalError>> {
        Box::pin(async move {
            let (key, mut settled) = (RunKey::new(tenant.clone(), run.clone()), self.supervisor.subscribe());
            let until = tokio::time::Instant::now() + most;
            loop {
                let view = self.supervisor.journal().view(&key).await?;
                let waits =
                    |view: &View| matches!(view.standing, Standing::Running | Standing::Waiting { .. });
                if !view.as_ref().is_some_and(|view| view.answer.is_none() && waits(view)) {
                    return Ok(view);
                }
                // Whatever is missed in between, it is looked at again.
                let heard = async { while settled.recv().await.is_ok_and(|other| other != key) {} };
                if tokio::time::timeout_at(until, heard).await.is_err() {
                    return Ok(view);
                }
            }
        })
    }

    fn receive(&self, message: Message) -> BoxFuture<'_, Result<Receipt, Refused>> {
        Box::pin(self.supervisor.receive(message))
    }

    fn tell<'a>(&'a self, tenant: &'a Tenant, told: Told) -> BoxFuture<'a, Result<usize, Refused>> {
        Box::pin(async move {
            self.supervisor.admit()?;
            Ok(self.supervisor.tell(tenant, told).await?)
        })
    }

    fn call<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
        step: &'a str,
        payload: Value,
    ) -> BoxFuture<'a, Result<Called, Refused>> {
        Box::pin(async move {
            self.supervisor.admit()?;
            let key = RunKey::new(tenant.clone(), run.clone());
            let call = Incoming::Call { callback: step.to_owned(), payload };
            Ok(match self.supervisor.deliver(&key, call).await? {
                Delivered::Kept { .. } => Called::Taken,
                Delivered::Duplicate => Called::Before,
                _ => Called::Gone,
            })
        })
    }

    fn cancel<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<bool, JournalError>> {
        let cancel = Incoming::Cancel { reason: reason.to_owned() };
        Box::pin(self.told_to((tenant, run), cancel))
    }

    fn resolve<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
        how: InDoubt,
    ) -> BoxFuture<'a, Result<bool, JournalError>> {
        Box::pin(self.told_to((tenant, run), Incoming::Resolve(how)))
    }

    fn release<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: Option<&'a RunId>,
    ) -> BoxFuture<'a, Result<usize, JournalError>> {
        Box::pin(self.supervisor.release(tenant, run))
    }

    fn hand_over<'a>(
        &'a self,
        tenant: &'a Tenant,
        conversation: &'a Conversation,
    ) -> BoxFuture<'a, Result<Vec<Message>, JournalError>> {
        Box::pin(async move {
            let given = self.supervisor.journal().hand_over(tenant, conversation).await?;
            if let Some(run) = &given.run {
                self.cancel(tenant, run, "the conversation was handed over to a person").await?;
            }
            Ok(given.queued)
        })
    }

    fn hand_back<'a>(
        &'a self,
        tenant: &'a Tenant,
        conversation: &'a Conversation,
    ) -> BoxFuture<'a, Result<(), JournalError>> {
        self.supervisor.journal().hand_back(tenant, conversation)
    }

    fn list<'a>(
        &'a self,
        tenant: &'a Tenant,
        filter: Filter,
    ) -> BoxFuture<'a, Result<Vec<Summary>, JournalError>> {
        self.supervisor.journal().list(tenant, filter)
    }

    fn show<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
    ) -> BoxFuture<'a, Result<Option<View>, JournalError>> {
        Box::pin(async move {
            let key = RunKey::new(tenant.clone(), run.clone());
            self.supervisor.journal().view(&key).await
        })
    }

    fn story<'a>(
        &'a self,
        tenant: &'a Tenant,
        run: &'a RunId,
    ) -> BoxFuture<'a, Result<Option<Story>, Untold>> {
        Box::pin(self.supervisor.story(RunKey::new(tenant.clone(), run.clone())))
    }

    fn erase_person<'a>(
        &'a self,
        tenant: &'a Tenant,
        peer: &'a str,
    ) -> BoxFuture<'a, Result<usize, JournalError>> {
        Box::pin(self.supervisor.erase(tenant, Whose::Person(peer)))
    }

    fn erase_tenant<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<usize, JournalError>> {
        Box::pin(self.supervisor.erase(tenant, Whose::Everybody))
    }

    fn drain(&self, grace: Duration) -> BoxFuture<'_, ()> {
        Box::pin(self.supervisor.drain(grace))
    }
}

impl Engine {
    /// Keeps an order for a run; says whether there was one to take it.
    async fn told_to(&self, (tenant, run): (&Tenant, &RunId), order: Incoming) -> Result<bool, JournalError> {
        let key = RunKey::new(tenant.clone(), run.clone());
        let delivered = self.supervisor.deliver(&key, order).await?;
        Ok(matches!(delivered, Delivered::Kept { .. }))
    }
}
