//! `flowrun integrations rotate-key`: another key seals what is kept (OA-55).

use flowrun::registry::{LookupError, Registry};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::world::World;

/// Rotates the key, and says what that does not undo.
pub(super) async fn rotate(world: &World, registry: &Registry) -> Result<Exit, Complaint> {
    let rotated = registry.rotate_key().await.map_err(LookupError::from)?;
    let Some(count) = rotated else {
        world.terminal.say("nothing is sealed yet; the key is made with the first integration");
        return Ok(Exit::Done);
    };
    let what = if count == 1 { "integration is" } else { "integrations are" };
    let key = world.key_file()?;
    written(world.terminal.data(&format!("{count} {what} sealed with a new key: {}", key.display())))?;
    world
        .terminal
        .say("if the old key has leaked, authorise anew too: what it sealed may be in copies of the data");
    Ok(Exit::Done)
}
