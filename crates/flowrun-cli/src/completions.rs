//! `flowrun completions bash`: what a shell needs to complete the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::world::World;

/// Prints the completions for one shell.
pub(crate) fn completions(world: &World, shell: Shell) -> Result<Exit, Complaint> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "flowrun", &mut script);
    written(world.terminal.data(String::from_utf8_lossy(&script).trim_end()))?;
    Ok(Exit::Done)
}
