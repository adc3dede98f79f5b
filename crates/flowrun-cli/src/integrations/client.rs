//! Asks a person at a terminal for the client that the provider's page shows: its id and its secret (SEED-9).

use std::io;

use flowrun::oauth::AuthStyle;
use flowrun::registry::{Edit, Integration, Registry};

use super::secret::typed;
use crate::args::ClientArguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;

/// Whether a person is there to be asked, and has said nothing of the client yet.
pub(super) fn is_to_be_asked(world: &World, given: &ClientArguments) -> bool {
    let secret = &given.secret;
    let is_silent = given.client_id.is_none() && secret.file.is_none() && !secret.stdin && !secret.prompt;
    world.is_interactive && is_silent
}

/// Asks for id and secret, and keeps them; an empty id leaves all as it is.
pub(super) async fn ask(
    world: &World,
    registry: &Registry,
    integration: Integration,
) -> Result<Integration, Complaint> {
    let name = &integration.name;
    world.terminal.prompt(&format!("Client id of {name} (Enter to leave it): "));
    let mut id = String::new();
    let read = io::stdin().read_line(&mut id);
    read.map_err(|error| Complaint::from_error(Exit::Failed, &error).help("use --client-id"))?;
    if id.trim().is_empty() {
        return Ok(integration);
    }
    let client_secret = match registry.provider(name).await?.settings().auth_style {
        AuthStyle::None => None,
        _ => Some(typed(world, name)?),
    };
    let edit = Edit { client_id: Some(id.trim().to_owned()), client_secret, ..Edit::default() };
    Ok(registry.edit(name, edit).await?.integration)
}
