//! Adds, changes and removes integrations.

use std::io;

use flowrun::registry::{Edit, Edited, Integration, NewIntegration, Registry};
use flowrun::step::{IntegrationName, IntegrationState};

use super::client::{ask, is_to_be_asked};
use super::discover::{discovered, known};
use super::provider::{Chosen, choose, is_chosen};
use super::secret::secret;
use super::{named, shown};
use crate::args::{AddArguments, EditArguments};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::terminal::Terminal;
use crate::world::World;

/// Adds an integration or the draft of one, and prints the callback URL to register at the provider (SEED-8).
pub(super) async fn add(world: &World, registry: &Registry, add: &AddArguments) -> Result<Exit, Complaint> {
    let name = named(&add.name)?;
    let known = discovered(world, registry, &add.provider).await?;
    let Chosen { provider, preset } = choose(&name, &add.provider, known)?;
    let client_secret = secret(world, &name, &add.client.secret)?;
    let default_scopes = preset.as_ref().map(|preset| preset.default_scopes.clone());
    let new = NewIntegration {
        preset: preset.as_ref().map(|preset| preset.name.clone()),
        client_id: add.client.client_id.clone(),
        client_secret,
        scopes: scopes(add.client.scopes.as_deref()).or(default_scopes).unwrap_or_default(),
        port: add.client.port,
        redirect_uri: add.client.redirect_uri.clone(),
        ..NewIntegration::new(name.clone(), provider)
    };
    let mut integration = registry.add(new).await?;
    for host in &add.allow {
        integration = registry.allow(&name, host).await?;
    }
    callback_url(&world.terminal, &integration)?;
    let setup_url = preset.as_ref().map(|preset| preset.setup_url.as_str());
    if is_to_be_asked(world, &add.client) {
        if let Some(url) = setup_url {
            world.terminal.say(&format!("create a client with this callback URL at {url}"));
        }
        integration = ask(world, registry, integration).await?;
    }
    next_step(&world.terminal, &integration, setup_url);
    Ok(Exit::Done)
}

/// Changes an integration, and says what the change destroyed (N4).
pub(super) async fn edit(
    world: &World,
    registry: &Registry,
    edit: &EditArguments,
) -> Result<Exit, Complaint> {
    let name = named(&edit.name)?;
    let provider = match is_chosen(&edit.provider) {
        true => {
            let known = known(world, registry, &name, &edit.provider).await?;
            Some(choose(&name, &edit.provider, known)?.provider)
        }
        false => None,
    };
    let changes = Edit {
        name: None,
        provider,
        client_id: edit.client.client_id.clone(),
        client_secret: secret(world, &name, &edit.client.secret)?,
        scopes: scopes(edit.client.scopes.as_deref()),
        port: edit.client.port,
        redirect_uri: edit.client.redirect_uri.clone(),
    };
    let edited = registry.edit(&name, changes).await?;
    say_destroyed(&world.terminal, &edited);
    callback_url(&world.terminal, &edited.integration)?;
    let is_bare = !is_chosen(&edit.provider) && edit.client.is_bare();
    let integration = match is_bare && is_to_be_asked(world, &edit.client) {
        true => ask(world, registry, edited.integration).await?,
        false => edited.integration,
    };
    next_step(&world.terminal, &integration, None);
    Ok(Exit::Done)
}

/// Lets the token go to one more host (N4).
pub(super) async fn allow(
    world: &World,
    registry: &Registry,
    name: &IntegrationName,
    host: &str,
) -> Result<Exit, Complaint> {
    let integration = registry.allow(name, host).await?;
    written(world.terminal.data(&shown::hosts(&integration)))?;
    Ok(Exit::Done)
}

/// Removes an integration, once somebody has agreed.
pub(super) async fn remove(
    world: &World,
    registry: &Registry,
    name: &IntegrationName,
    is_agreed: bool,
) -> Result<Exit, Complaint> {
    let question = format!("Remove `{name}` with its secrets? Flows that use it will fail. [y/N] ");
    if !is_agreed && !agrees(world, &question)? {
        world.terminal.say("nothing was removed");
        return Ok(Exit::Failed);
    }
    registry.remove(name).await?;
    world
        .terminal
        .say(&format!("`{name}` is removed; the provider still lists the grant until it is revoked there"));
    Ok(Exit::Done)
}

/// Asks a person, who must be there to be asked.
pub(super) fn agrees(world: &World, question: &str) -> Result<bool, Complaint> {
    if !world.is_interactive {
        return Err(
            Complaint::new(Exit::Usage, "nobody can be asked: stdin is no terminal").help("add --yes")
        );
    }
    world.terminal.prompt(question);
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.map_err(|error| Complaint::from_error(Exit::Failed, &error).help("add --yes"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn scopes(text: Option<&str>) -> Option<Vec<String>> {
    text.map(|text| text.split_whitespace().map(str::to_owned).collect())
}

/// OA-72: exactly what is to be registered. Client credentials have no browser to come back.
fn callback_url(terminal: &Terminal, integration: &Integration) -> Result<(), Complaint> {
    match integration.authorize_url {
        Some(_) => written(terminal.data(&format!("Callback URL: {}", integration.redirect_uri))),
        None => Ok(()),
    }
}

fn say_destroyed(terminal: &Terminal, edited: &Edited) {
    let name = &edited.integration.name;
    if edited.secret_destroyed {
        terminal
            .say(&format!("the client secret of `{name}` was destroyed: it belonged to what was changed"));
    }
    if edited.tokens_destroyed {
        terminal.say(&format!("the tokens of `{name}` were destroyed: they belonged to what was changed"));
    }
}

/// What to do next, if the integration cannot be used yet.
fn next_step(terminal: &Terminal, integration: &Integration, setup_url: Option<&str>) {
    let name = shown::quoted(&integration.name);
    let is_client_known = integration.client_id.is_some();
    if integration.state == IntegrationState::Authorized {
        return;
    }
    if is_client_known {
        terminal.say(&format!("next: flowrun integrations authorize {name}"));
        return;
    }
    let place = setup_url.map_or_else(String::new, |url| format!(" at {url}"));
    terminal.say(&format!("next: create a client{place} with this callback URL, then"));
    terminal.say(&format!("      flowrun integrations edit {name} --client-id … --client-secret-prompt"));
}
