//! `flowrun explain F014`: the page of an error code.

use flowrun::lang::Code;

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::world::World;

/// Prints a code's page, or every code with its title.
pub(crate) fn explain(world: &World, code: Option<&str>) -> Result<Exit, Complaint> {
    let Some(number) = code else {
        for code in Code::ALL {
            written(world.terminal.data(&format!("{code}  {}", code.title())))?;
        }
        return Ok(Exit::Done);
    };
    let code = Code::find(number).ok_or_else(|| {
        Complaint::new(Exit::Usage, format!("there is no error code `{number}`"))
            .help("`flowrun explain` lists all of them")
    })?;
    written(world.terminal.data(code.page().trim_end()))?;
    Ok(Exit::Done)
}
