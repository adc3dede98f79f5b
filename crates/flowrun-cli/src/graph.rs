//! `flowrun graph FLOW`: the steps of a flow as a picture, in Mermaid, DOT or SVG.

use flowrun::lang::graph::Graph;

use crate::args::{GraphArguments, GraphFormat, MessageFormat};
use crate::check;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::report;
use crate::world::World;

/// Prints the picture; of a flow with mistakes, the mistakes.
pub(crate) fn graph(world: &World, arguments: &GraphArguments) -> Result<Exit, Complaint> {
    let checked = check::checked(world, &arguments.flow, &check::steps(world)?)?;
    let Some(flow) = checked.flow else {
        written(report::show(&world.terminal, MessageFormat::Human, &checked.diagnostics))?;
        return Ok(Exit::of(&checked.diagnostics));
    };
    let graph = Graph::of(&flow);
    let picture = match arguments.format {
        GraphFormat::Mermaid => graph.mermaid(),
        GraphFormat::Dot => graph.dot(),
        GraphFormat::Svg => match graph.svg() {
            Ok(picture) => picture,
            Err(error) => {
                let help = format!("flowrun graph {} --format dot", arguments.flow.display());
                return Err(Complaint::from_error(Exit::Usage, &error).help(help));
            }
        },
    };
    written(world.terminal.data(picture.trim_end()))?;
    Ok(Exit::Done)
}
