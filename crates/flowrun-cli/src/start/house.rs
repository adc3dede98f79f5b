//! The house a run lives in: this person's, with the real registry, or the sandbox's, with nothing real (N10).

use std::sync::Arc;

use flowrun::http::{Client, NetworkPolicy};
use flowrun::lang::IntegrationUse;
use flowrun::oauth::Preset;
use flowrun::registry::{Begin, NewIntegration, Registry, World as RegistryWorld};
use flowrun::step::{Clock as _, Entropy as _, IntegrationName, Integrations, Outbound};
use flowrun::{SystemClock, SystemEntropy};
use flowrun_sandbox::{Answer, Options, ProviderName, Sandbox};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::integrations::{self, ALL_SET};
use crate::world::World;

/// The ways out of a run.
pub(super) struct House {
    pub(super) plain: Arc<dyn Outbound>,
    /// Absent where there is no folder for them; a flow without integrations needs none.
    pub(super) integrations: Result<Named, Complaint>,
    /// Answers as long as the run lasts.
    pub(super) sandbox: Option<Sandbox>,
}

impl House {
    /// A refresh that is under way must be written down before the process ends.
    pub(super) async fn settle(&self) {
        if let Ok(Named { registry, .. }) = &self.integrations {
            registry.settle().await;
        }
    }
}

/// The integrations of a house.
pub(super) struct Named {
    /// The registry of this process.
    pub(super) registry: Registry,
    /// What steps are given: that registry, or the one whose owner answers.
    pub(super) used: Arc<dyn Integrations>,
}

/// This person's house.
pub(super) fn real(world: &World) -> House {
    House { plain: integrations::plain(), integrations: named(world), sandbox: None }
}

fn named(world: &World) -> Result<Named, Complaint> {
    let registry = integrations::registry(world)?;
    let used = Arc::new(integrations::asking(world, &registry)?);
    Ok(Named { registry, used })
}

/// A house on loopback whose services know the real names; nothing real is opened (T18).
pub(super) async fn sandbox() -> Result<House, Complaint> {
    let options =
        Options::new(Arc::new(|| SystemClock.now()), Arc::new(|bytes: &mut [u8]| SystemEntropy.fill(bytes)));
    let sandbox =
        Sandbox::start(options).await.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    let names: Vec<_> = sandbox.hosts().iter().map(|host| (*host, sandbox.address())).collect();
    let client = Client::builder().policy(NetworkPolicy::cli()).names(names).trust_ca(sandbox.ca_pem());
    let client = Arc::new(client.map_err(|error| Complaint::from_error(Exit::Failed, &error))?.build());
    let world = RegistryWorld {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        client: Arc::<Client>::clone(&client),
    };
    let registry = Registry::in_memory(world);
    let used = Arc::new(registry.clone());
    Ok(House { plain: client, integrations: Ok(Named { registry, used }), sandbox: Some(sandbox) })
}

/// Registers an integration at the sandbox and has it authorised, through the consent page like anybody else.
pub(super) async fn authorise(
    world: &World,
    sandbox: &Sandbox,
    registry: &Registry,
    IntegrationUse { name, scopes: needed, .. }: &IntegrationUse,
    flow: &str,
) -> Result<(), Complaint> {
    let (preset, provider, scopes) = played(name, flow).ok_or_else(|| unplayed(name))?;
    let preset = Preset::named(preset).ok_or_else(|| unplayed(name))?;
    let client = sandbox.client(provider);
    let chosen = preset.provider(&std::collections::BTreeMap::new());
    let chosen = chosen.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    let authorize_host = chosen.authorize_url().and_then(|url| url.host_str()).unwrap_or_default().to_owned();
    let mut asked = preset.default_scopes.clone();
    asked.extend(scopes.iter().map(ToString::to_string).chain(needed.iter().cloned()));
    let mut seen = std::collections::HashSet::new();
    asked.retain(|scope| seen.insert(scope.clone()));
    let new = NewIntegration {
        preset: Some(preset.name.clone()),
        client_id: Some(client.id),
        client_secret: Some(client.secret),
        scopes: asked,
        ..NewIntegration::new(name.clone(), chosen)
    };
    registry.add(new).await?;
    let begun = registry.begin_authorization(name, Begin::default()).await?;
    let callback = sandbox.consent(&begun.url, Answer::Allow).await;
    let callback = callback.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    registry.complete_authorization(name, callback.as_str(), None).await?;
    let mentioned = sandbox.hosts().iter().filter(|host| flow.contains(**host) && **host != authorize_host);
    let hosts = std::iter::once(authorize_host.as_str()).chain(mentioned.copied()).collect::<Vec<_>>();
    world.terminal.say(&format!("{:<11} {} → {}", "sandbox", hosts.join(", "), sandbox.address()));
    world.terminal.say(&format!("{:<11} {ALL_SET}", name.as_str()));
    Ok(())
}

/// The preset, the provider and the scopes that an integration of this name has in the sandbox.
///
/// Teamleader has two generations of hosts; the one that the flow speaks to is played.
fn played(
    name: &IntegrationName,
    flow: &str,
) -> Option<(&'static str, ProviderName, &'static [&'static str])> {
    let teamleader = if flow.contains("focus.teamleader.eu") { "teamleader" } else { "teamleader-classic" };
    match name.key() {
        "teamleader" => Some((teamleader, ProviderName::Teamleader, &[])),
        "zoho" => Some(("zoho", ProviderName::Zoho, &["ZohoCRM.org.READ"])),
        "google" => Some(("google", ProviderName::Google, &[])),
        "intercom" => Some(("intercom", ProviderName::Intercom, &[])),
        _ => None,
    }
}

fn unplayed(name: &IntegrationName) -> Complaint {
    Complaint::new(Exit::Invalid, format!("the sandbox has no provider for integration `{name}`"))
        .because("it plays teamleader, zoho, google and intercom")
        .help("call the integration one of these, or run without --sandbox")
}
