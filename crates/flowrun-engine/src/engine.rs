//! The engine a service embeds: built once from the edges of a house, then asked to run flows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use flowrun_lang::{Catalog, Diagnostic, Flow, Texts};
use flowrun_machine::InDoubt;
use flowrun_step::{
    BoxFuture, Channel, Clock, IntegrationName, IntegrationStatus, Integrations, Outbound, SecretSource,
    Step, StepError, StepSet, Tenant,
};
use secrecy::SecretString;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::drive::{drive, resume};
use crate::flows::FlowSet;
use crate::inlet::Inlet;
use crate::journal::{Journal, KeptRun, MemoryJournal, RunKey};
use crate::mail::{Mail, Told};
use crate::observe::{Observer, Unobserved};
use crate::outcome::Outcome;
use crate::services::{Callbacks, Services};
use crate::start::Start;
use crate::supervisor::Supervisor;

/// The most events that a run may be behind; it misses those before.
const EVENTS: usize = 1_024;

/// Runs flows. Cheap to clone; all clones share one house.
#[derive(Clone)]
pub struct Engine {
    pub(crate) services: Arc<Services>,
    pub(crate) supervisor: Arc<Supervisor>,
}

impl Engine {
    /// Begins an engine over the two edges none can do without.
    pub fn builder(clock: Arc<dyn Clock>, plain: Arc<dyn Outbound>) -> EngineBuilder {
        EngineBuilder {
            steps: Ok(StepSet::new()),
            clock,
            plain,
            integrations: Arc::new(NoIntegrations),
            channels: Vec::new(),
            secrets: Arc::new(NoSecrets),
            observer: Arc::new(Unobserved),
            journal: None,
            callbacks: Arc::new(|_, step| format!("urn:flowrun:callback:{step}")),
        }
    }

    /// The step kinds of this house.
    #[must_use]
    pub fn steps(&self) -> &StepSet {
        &self.services.steps
    }

    /// What a check may know of this house: its step kinds, and its integrations with their states.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub async fn catalog(&self, tenant: &Tenant) -> Result<Catalog, StepError> {
        let integrations = self.services.integrations.list(tenant).await?;
        Ok(Catalog::new(self.services.steps.clone()).with_integrations(integrations))
    }

    /// Everything that is wrong with a set of flows that another house is to publish: which integrations there are is that
    /// one's to know.
    #[must_use]
    pub fn check_set(&self, files: &BTreeMap<String, Vec<u8>>) -> Vec<Diagnostic> {
        FlowSet::check(files, &Catalog::new(self.services.steps.clone())).err().unwrap_or_default()
    }

    /// Runs a flow to its end: in memory or, with a journal, so that it can be taken up again after this process.
    ///
    /// Cancelling the token ends the run through every `finally`; the outcome then says so.
    pub async fn run(&self, flow: &Flow, mut start: Start, cancel: CancellationToken) -> Outcome {
        let inlet = start.mail.take().map_or(Inlet::Closed, Inlet::Open);
        drive(Arc::clone(&self.services), flow, start, (inlet, cancel)).await
    }

    /// The flow of a kept run ([`Journal::texts`]), as it was when the run began.
    ///
    /// # Errors
    /// When its texts are no flow in this build: everything that is wrong with them.
    pub fn flow_of(&self, texts: &Texts) -> Result<Flow, Vec<Diagnostic>> {
        let checked = texts.check(&Catalog::new(self.services.steps.clone()));
        let checked = checked.map_err(|diagnostic| vec![*diagnostic])?;
        checked.flow.ok_or(checked.diagnostics)
    }

    /// Takes up a run that its journal gave ([`Journal::load`]), in the flow it began in ([`Engine::flow_of`]).
    ///
    /// Calls that may be made twice are made again, with the keys they had; of any other that was under way nobody knows whether
    /// it was made: its step's `in_doubt` decides or, where that is `stop`, `resolve` does. Without it the run stays in doubt.
    /// A run that is over is not taken up: it is [`Outcome::Existing`].
    pub async fn resume(
        &self,
        flow: &Flow,
        (run, kept): (RunKey, KeptRun),
        (mail, resolve): (Option<Mail>, Option<InDoubt>),
        cancel: CancellationToken,
    ) -> Outcome {
        let inlet = mail.map_or(Inlet::Closed, Inlet::Open);
        resume(Arc::clone(&self.services), flow, (run, kept), (inlet, resolve), cancel).await
    }

    /// Tells every run that [`Engine::run`] drives of an event; those that wait for it take it, once for each id.
    pub fn announce(&self, told: Told) {
        // Without a receiver no run is under way.
        let _ = self.services.events.send(told);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("steps", &self.services.steps).finish_non_exhaustive()
    }
}

/// Why no engine was built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two steps claim one kind.
    #[error(transparent)]
    Kind(#[from] flowrun_step::KindTaken),
    /// Two channels have one name.
    #[error("two channels are called `{0}`")]
    Channel(String),
}

/// Puts an engine together; see [`Engine::builder`].
#[must_use]
pub struct EngineBuilder {
    steps: Result<StepSet, flowrun_step::KindTaken>,
    clock: Arc<dyn Clock>,
    plain: Arc<dyn Outbound>,
    integrations: Arc<dyn Integrations>,
    channels: Vec<Arc<dyn Channel>>,
    secrets: Arc<dyn SecretSource>,
    observer: Arc<dyn Observer>,
    journal: Option<Arc<dyn Journal>>,
    callbacks: Arc<Callbacks>,
}

impl EngineBuilder {
    /// Adds a step kind.
    pub fn step(mut self, step: impl Step) -> Self {
        self.steps = self.steps.and_then(|steps| steps.with(step));
        self
    }

    /// Adds step kinds that stand in a set.
    pub fn steps(mut self, steps: &StepSet) -> Self {
        self.steps = self.steps.and_then(|known| known.with_all(steps));
        self
    }

    /// Gives the named integrations; without them every name is unknown.
    pub fn integrations(mut self, integrations: Arc<dyn Integrations>) -> Self {
        self.integrations = integrations;
        self
    }

    /// Adds a channel; the first one is where `send` goes when it names none.
    pub fn channel(mut self, channel: impl Channel + 'static) -> Self {
        self.channels.push(Arc::new(channel));
        self
    }

    /// Gives the secrets; without them every `secrets.NAME` is missing.
    pub fn secrets(mut self, secrets: impl SecretSource + 'static) -> Self {
        self.secrets = Arc::new(secrets);
        self
    }

    /// Keeps runs, so that they outlive the process; without it they end with it.
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Says on which URL the host hears calls for a step of a run that it hosts: each its own, and not to be guessed.
    pub fn callbacks(mut self, url: impl Fn(&RunKey, &str) -> String + Send + Sync + 'static) -> Self {
        self.callbacks = Arc::new(url);
        self
    }

    /// Sees what happens in runs.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// The engine.
    ///
    /// # Errors
    /// When two steps claim one kind, or two channels have one name.
    pub fn build(self) -> Result<Engine, BuildError> {
        for (at, channel) in self.channels.iter().enumerate() {
            if self.channels[..at].iter().any(|other| other.name() == channel.name()) {
                return Err(BuildError::Channel(channel.name().to_owned()));
            }
        }
        let hosted = self.journal.clone().unwrap_or_else(|| Arc::new(MemoryJournal::default()));
        let services = Services {
            callbacks: self.callbacks,
            steps: self.steps?,
            plain: self.plain,
            integrations: self.integrations,
            channels: self.channels,
            secrets: self.secrets,
            clock: self.clock,
            observer: self.observer,
            journal: self.journal,
            events: broadcast::channel(EVENTS).0,
        };
        let services = Arc::new(services);
        let supervisor = Arc::new(Supervisor::new(Arc::clone(&services), hosted));
        Ok(Engine { services, supervisor })
    }
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineBuilder").field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// A house without a registry: every integration is unknown.
#[derive(Debug)]
struct NoIntegrations;

impl Integrations for NoIntegrations {
    fn list<'a>(&'a self, _tenant: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn outbound(&self, _tenant: &Tenant, name: &IntegrationName) -> Arc<dyn Outbound> {
        Arc::new(Unknown(name.clone()))
    }

    fn kept<'a>(
        &'a self,
        _tenant: &'a Tenant,
        name: &'a IntegrationName,
        _field: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StepError>> {
        Box::pin(async move { Err(unknown(name)) })
    }
}

/// The way out of an integration nobody registered: closed.
#[derive(Debug)]
struct Unknown(IntegrationName);

impl Outbound for Unknown {
    fn send(&self, _request: flowrun_step::Request) -> BoxFuture<'_, Result<flowrun_step::Reply, StepError>> {
        Box::pin(async { Err(unknown(&self.0)) })
    }
}

fn unknown(name: &IntegrationName) -> StepError {
    StepError::Integration {
        name: name.clone(),
        state: None,
        said: "this house has no registry of integrations".to_owned(),
        help: "give the engine one: `.integrations(registry)`".to_owned(),
        transient: false,
    }
}

/// A house without secrets.
#[derive(Debug)]
struct NoSecrets;

impl SecretSource for NoSecrets {
    fn secret<'a>(&'a self, _tenant: &'a Tenant, _name: &'a str) -> BoxFuture<'a, Option<SecretString>> {
        Box::pin(async { None })
    }
}
