//! The house that is served: this person's registry, a guarded way out, a journal of the server's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowrun::engine::{Engine, EngineBuilder, Host as _};
use flowrun::http::{Client, NetworkPolicy};
use flowrun::journal::SqliteJournal;
use flowrun::lang::Diagnostic;
use flowrun::registry::{LookupError, Registry};
use flowrun::step::{Clock as _, Outbound, SecretSource, Tenant};
use flowrun::{SystemClock, SystemEntropy};
use flowrun_server::{Callbacks, Config, Hub, Metrics, Parts, WebhookChannel, is_half_restored};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::integrations;
use crate::start::secrets::Secrets;
use crate::world::World;

/// What is served.
pub(super) struct House {
    pub(super) engine: Engine,
    pub(super) registry: Registry,
    pub(super) journal: Arc<SqliteJournal>,
    pub(super) parts: Parts,
}

impl House {
    pub(super) async fn new(world: &World, config: &Config, secrets: Secrets) -> Result<Self, Complaint> {
        let data = &config.server.data_dir;
        if is_half_restored(data) {
            let message = format!("a restore of {} did not come to its end", data.display());
            return Err(Complaint::new(Exit::Failed, message)
                .help("move that folder and the registry away, and restore anew"));
        }
        let plain = way_out(config)?;
        let registry = registry(world, config, &plain)?;
        let key = registry.data_key("journal").await.map_err(LookupError::from)?;
        let edges = (Arc::new(SystemClock) as _, Arc::new(SystemEntropy) as _);
        let journal = SqliteJournal::open(&data.join("runs"), &key, edges)
            .map(|journal| Arc::new(journal.history(config.retention.history)))
            .map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
        let unusable = |error| Complaint::new(Exit::Failed, "the data folder cannot be used").because(error);
        let callbacks = Callbacks::open(data, base(config)?, &SystemEntropy).map_err(unusable)?;
        let (hub, callbacks) = (Hub::new(SystemClock.now(), Metrics::new()), Arc::new(callbacks));
        let (shared, urls): (Arc<dyn SecretSource>, _) = (Arc::new(secrets.clone()), Arc::clone(&callbacks));
        let builder = builder(world, config, (&plain, &registry, secrets))
            .observer(hub.clone())
            .callbacks(move |run, step| urls.url(run, step))
            .journal(Arc::<SqliteJournal>::clone(&journal));
        let engine = builder.build().map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
        let parts = Parts {
            host: Arc::new(engine.clone()),
            secrets: shared,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            hub,
            callbacks,
        };
        Ok(Self { engine, registry, journal, parts })
    }
}

/// Everything that is wrong with the flows of a house as it is set up; nothing is made for it.
pub(super) async fn problems(
    world: &World,
    config: &Config,
    (secrets, files): (Secrets, BTreeMap<String, Vec<u8>>),
) -> Result<Vec<Diagnostic>, Complaint> {
    let plain = way_out(config)?;
    let registry = registry(world, config, &plain)?;
    let built = builder(world, config, (&plain, &registry, secrets)).build();
    let engine = built.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    Ok(engine.publish(&Tenant::default(), files).await.err().unwrap_or_default())
}

fn registry(world: &World, config: &Config, plain: &Arc<dyn Outbound>) -> Result<Registry, Complaint> {
    integrations::registry_over(world, config.server.key_file.as_deref(), Arc::clone(plain))
}

/// What flows may use: steps, integrations, secrets, channels.
fn builder(
    world: &World,
    config: &Config,
    (plain, registry, secrets): (&Arc<dyn Outbound>, &Registry, Secrets),
) -> EngineBuilder {
    let shared: Arc<dyn SecretSource> = Arc::new(secrets.clone());
    let builder = world.engine(Arc::new(SystemClock), Arc::clone(plain));
    let builder = builder.integrations(Arc::new(registry.clone())).secrets(secrets);
    config.channels.iter().fold(builder, |builder, (name, channel)| {
        let edges = (Arc::clone(plain), Arc::clone(&shared), Arc::new(SystemClock) as _);
        builder.channel(WebhookChannel::new(name, channel, edges))
    })
}

/// The way out of flows, channels and OAuth: public addresses, and those that the operator lists (N7).
fn way_out(config: &Config) -> Result<Arc<dyn Outbound>, Complaint> {
    let listed =
        config.network.allow.iter().try_fold(NetworkPolicy::public_only(), |policy, way| policy.allow(way));
    let policy = listed.map_err(|error| {
        Complaint::from_error(Exit::Invalid, &error).help("network.allow holds addresses, as 10.0.0.7:8443")
    })?;
    Ok(Arc::new(Client::builder().policy(policy).build()))
}

/// Where the world reaches the server.
fn base(config: &Config) -> Result<url::Url, Complaint> {
    let own = || format!("http://{}", config.server.listen).parse();
    let base = config.server.public_url.clone().map_or_else(own, Ok);
    base.map_err(|error| Complaint::from_error(Exit::Invalid, &error))
}
