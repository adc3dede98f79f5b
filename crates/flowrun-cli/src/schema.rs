//! `flowrun schema`: what an editor needs to complete and check a flow while it is typed.

use flowrun::lang::flow_schema;

use crate::check;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::world::World;

/// Prints the JSON Schema of a flow, with the step kinds of this house.
pub(crate) fn schema(world: &World) -> Result<Exit, Complaint> {
    let schema = flow_schema(check::steps(world)?.steps());
    written(world.terminal.data(&format!("{schema:#}")))?;
    Ok(Exit::Done)
}
