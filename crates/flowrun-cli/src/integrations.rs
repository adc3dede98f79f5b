//! `flowrun integrations`: registers, authorises and looks after integrations.
//!
//! The registry does all of it; here words become its requests, and its answers become lines. What a script wants
//! to read goes to stdout, the next thing to do goes to stderr.

mod authorize;
mod browser;
mod by_hand;
mod change;
mod client;
mod device;
mod discover;
mod doctor;
mod key;
mod presets;
mod provider;
mod remote;
mod rename;
mod revoke;
mod secret;
mod serve;
mod shown;
mod transfer;

use std::path::Path;
use std::sync::Arc;

use flowrun::http::{Client, NetworkPolicy};
use flowrun::lang::Code;
use flowrun::oauth::CallbackError;
use flowrun::registry::socket::{Client as Asking, Place};
use flowrun::registry::{AuthorizeError, EditError, LookupError, Options, RefreshError, Registry};
use flowrun::step::{IntegrationName, Outbound};
use flowrun::{SystemClock, SystemEntropy};

pub(crate) use authorize::ALL_SET;
pub(crate) use serve::keep_no_image;

use crate::args::{AuthorizeArguments, IntegrationVerb};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::output::written;
use crate::world::World;

/// Does what the verb says.
pub(crate) async fn integrations(world: &World, verb: &IntegrationVerb) -> Result<Exit, Complaint> {
    if let IntegrationVerb::Presets { name, json } = verb {
        return presets::presets(&world.terminal, name.as_deref(), *json);
    }
    if let IntegrationVerb::Revoke { name, yes } = verb
        && !revoke::is_agreed(world, &named(name)?, *yes)?
    {
        return Ok(Exit::Failed);
    }
    let registry = registry(world)?;
    let asking = asking(world, &registry)?;
    let work = obey(world, &registry, &asking, verb);
    let exit = match verb {
        // Only these exchange tokens. The others may wait for an answer of the person's, who leaves as usual.
        IntegrationVerb::Authorize(AuthorizeArguments { name, .. })
        | IntegrationVerb::Refresh { name, .. }
        | IntegrationVerb::Revoke { name, .. } => unless_interrupted(world, name, work).await,
        _ => work.await,
    };
    // What a provider grants must be written down before the process ends.
    registry.settle().await;
    exit
}

async fn unless_interrupted(
    world: &World,
    name: &str,
    work: impl Future<Output = Result<Exit, Complaint>>,
) -> Result<Exit, Complaint> {
    let mut interrupts = Interrupts::listen()?;
    tokio::select! {
        exit = work => return exit,
        () = interrupts.next() => {}
    }
    world.terminal.say("interrupted: what the provider answers is still awaited, and kept");
    let check = format!("flowrun integrations check {}", shown::quoted(&named(name)?));
    Err(Complaint::new(Exit::Interrupted, "interrupted").help(check))
}

/// What changes an integration is done here, under the locks; the rest is asked of the registry's owner, if one
/// answers.
async fn obey(
    world: &World,
    registry: &Registry,
    asking: &Asking,
    verb: &IntegrationVerb,
) -> Result<Exit, Complaint> {
    match verb {
        IntegrationVerb::Add(add) => change::add(world, registry, add).await,
        IntegrationVerb::Edit(edit) => change::edit(world, registry, edit).await,
        IntegrationVerb::Rename { old, new, flows } => {
            rename::rename(world, registry, (named(old)?, named(new)?), flows.as_deref()).await
        }
        IntegrationVerb::Allow { name, host } => change::allow(world, registry, &named(name)?, host).await,
        IntegrationVerb::Remove { name, yes } => change::remove(world, registry, &named(name)?, *yes).await,
        IntegrationVerb::List { json } => shown::list(&world.terminal, asking, *json).await,
        IntegrationVerb::Show { name, json } => {
            shown::show(&world.terminal, asking, &named(name)?, *json).await
        }
        IntegrationVerb::Check { name, remote, json } => {
            let name = name.as_deref().map(named).transpose()?;
            let is_taken = match &name {
                Some(name) if *remote => remote::ask(world, registry, name).await?,
                _ => true,
            };
            let exit = doctor::check(&world.terminal, registry, name.as_ref(), *json).await?;
            Ok(if exit == Exit::Done && !is_taken { Exit::Failed } else { exit })
        }
        IntegrationVerb::Export(export) => transfer::export(world, registry, export).await,
        IntegrationVerb::Import(import) => transfer::import(world, registry, import).await,
        IntegrationVerb::RotateKey => key::rotate(world, registry).await,
        IntegrationVerb::Revoke { name, .. } => revoke::revoke(world, registry, &named(name)?).await,
        IntegrationVerb::Authorize(how) => authorize::authorize(world, registry, how).await,
        IntegrationVerb::Refresh { name, force } => refresh(world, asking, &named(name)?, *force).await,
        IntegrationVerb::Serve => serve::serve(world, registry).await,
        IntegrationVerb::Presets { name, json } => presets::presets(&world.terminal, name.as_deref(), *json),
    }
}

/// The registry of this person. Nothing is opened or made before it is needed.
pub(crate) fn registry(world: &World) -> Result<Registry, Complaint> {
    registry_over(world, None, plain())
}

/// The same with a key of its own place, and over another way out.
pub(crate) fn registry_over(
    world: &World,
    key_file: Option<&Path>,
    client: Arc<dyn Outbound>,
) -> Result<Registry, Complaint> {
    let world_of_registry =
        flowrun::registry::World { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), client };
    Ok(Registry::open(Options {
        data_dir: world.data_folder()?,
        key_file: key_file.map_or_else(|| world.key_file(), |file| Ok(file.to_owned()))?,
        world: world_of_registry,
    }))
}

/// The registry as whoever owns it answers for it; where nobody does, this one.
pub(crate) fn asking(world: &World, registry: &Registry) -> Result<Asking, Complaint> {
    Ok(Asking::new(place(world)?, plain()).or(registry.clone()))
}

/// Where an owner of this person's registry answers.
pub(crate) fn place(world: &World) -> Result<Place, Complaint> {
    Ok(Place::of(&world.data_folder()?, world.runtime_folder().as_deref()))
}

/// The way out without a credential.
pub(crate) fn plain() -> Arc<dyn Outbound> {
    Arc::new(Client::builder().policy(NetworkPolicy::cli()).build())
}

async fn refresh(
    world: &World,
    registry: &Asking,
    name: &IntegrationName,
    force: bool,
) -> Result<Exit, Complaint> {
    let refreshed = if force { registry.force_refresh(name).await } else { registry.refresh(name).await };
    let integration = refreshed.map_err(Complaint::from)?;
    let until = match integration.expires_at {
        Some(end) => format!("its token is good until {end}"),
        None => "its token has no end".to_owned(),
    };
    written(world.terminal.data(&format!("{}: {until}", integration.name)))?;
    Ok(Exit::Done)
}

/// A name as the registry takes it.
fn named(text: &str) -> Result<IntegrationName, Complaint> {
    IntegrationName::new(text).map_err(|error| Complaint::from_error(Exit::Usage, &error))
}

impl From<LookupError> for Complaint {
    fn from(error: LookupError) -> Self {
        let (exit, code) = of_lookup(&error);
        Self::from_error(exit, &error).with_code(code).help(error.help())
    }
}

impl From<EditError> for Complaint {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Lookup(error) => error.into(),
            error => Self::from_error(Exit::Usage, &error).help(error.help()),
        }
    }
}

impl From<AuthorizeError> for Complaint {
    fn from(error: AuthorizeError) -> Self {
        let exit = match &error {
            AuthorizeError::Lookup(error) => of_lookup(error).0,
            AuthorizeError::Unfinished { .. } => Exit::Unusable,
            _ => Exit::Failed,
        };
        let mut complaint = Self::from_error(exit, &error).help(error.help());
        complaint.causes.extend(provider_words(&error));
        complaint
    }
}

impl From<RefreshError> for Complaint {
    fn from(error: RefreshError) -> Self {
        let exit = match &error {
            RefreshError::Lookup(error) => of_lookup(error).0,
            RefreshError::NotUsable { .. } | RefreshError::NothingToRefreshWith(_) => Exit::Unusable,
            _ => Exit::Failed,
        };
        Self::from_error(exit, &error).help(error.help())
    }
}

/// An unknown name is a mistake of whoever typed it; a registry that cannot be used makes nothing usable.
fn of_lookup(error: &LookupError) -> (Exit, Code) {
    match error {
        LookupError::Unknown(_) => (Exit::Invalid, Code::UnknownIntegration),
        _ => (Exit::Unusable, Code::Registry),
    }
}

/// What the provider itself said, which no error of ours repeats.
fn provider_words(error: &AuthorizeError) -> Option<String> {
    let said = match error {
        AuthorizeError::Callback { source: CallbackError::Denied { provider_words }, .. }
        | AuthorizeError::Callback { source: CallbackError::Provider { provider_words, .. }, .. } => {
            provider_words.as_deref()
        }
        AuthorizeError::Denied { provider_words, .. } => provider_words.as_deref(),
        AuthorizeError::Token { source, .. } => source.provider_words.as_deref(),
        _ => None,
    };
    said.map(|said| format!("the provider says: {said}"))
}
