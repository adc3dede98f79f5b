//! `flowrun schema`: the language of this house, for an editor or for a reader.

use flowrun::lang::{editor, flow_schema};

use crate::args::SchemaFormat;
use crate::check;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::world::World;

/// Prints the JSON Schema of a flow or the reference of the language, with the step kinds of this house.
pub(crate) fn schema(world: &World, format: SchemaFormat) -> Result<Exit, Complaint> {
    let catalog = check::steps(world)?;
    written(match format {
        SchemaFormat::Json => world.terminal.data(&format!("{:#}", flow_schema(catalog.steps()))),
        SchemaFormat::Markdown => world.terminal.data(editor::reference(&catalog).trim_end()),
    })?;
    Ok(Exit::Done)
}
