//! The command line of flowrun: reads the process's world, asks the house, prints, and exits.
//!
//! [`run`] is all a binary needs. Data goes to stdout and is exact; everything said to a person goes to stderr and
//! is harmless to a terminal. Every end but a good one has said what, where, why and what to do next. No mistake is
//! worded here that has a place in a flow: `flowrun-lang` and the engine do that.

// What may be typed, and the world it is typed in.
mod args;
mod beside;
mod pairs;
mod suggest;
mod world;

// What another binary adds.
mod house;

// What is said, and how.
mod complaint;
mod escape;
mod exit;
mod interrupt;
mod lines;
mod net;
mod output;
mod panic;
mod report;
mod source;
mod terminal;
mod trace;

// The verbs.
mod api;
mod callback;
mod check;
mod completions;
mod deploy;
mod eval;
mod explain;
mod find;
mod graph;
mod integrations;
mod lsp;
mod moment;
mod runs;
mod schema;
mod serve;
mod start;
mod test;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Arguments, Verb, When};
use complaint::Complaint;
use exit::Exit;
pub use house::House;
pub use world::World;

/// All of `main` for a binary with step kinds of its own: reads the process, does what it was told, says how it ended.
///
/// # Example
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     flowrun_cli::main(|house| house)
/// }
/// ```
pub fn main(furnish: impl FnOnce(House) -> House) -> ExitCode {
    let mut world = World::of_process();
    match furnish(House::new()).into_steps() {
        Ok(steps) => {
            world.steps = steps;
            run(std::env::args_os(), world)
        }
        Err(taken) => {
            report::complain(&world.terminal, &Complaint::from_error(Exit::Failed, &taken));
            ExitCode::from(Exit::Failed)
        }
    }
}

/// Does what the words say; the first word is the program's name.
///
/// # Example
/// ```
/// use flowrun_cli::World;
/// flowrun_cli::run(["flowrun", "explain", "F014"], World::of_process());
/// ```
pub fn run<Word>(words: impl IntoIterator<Item = Word>, world: World) -> ExitCode
where
    Word: Into<OsString> + Clone,
{
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(misunderstood(&world, &error)),
    };
    world.terminal.colour(match arguments.color {
        When::Auto => world.wants_colour(),
        When::Always => true,
        When::Never => false,
    });
    panic::watch(world.net.clone());
    trace::begin(&world, arguments.verbose);
    let exit = obey(&world, &arguments).unwrap_or_else(|complaint| {
        report::complain(&world.terminal, &complaint);
        complaint.exit
    });
    ExitCode::from(exit)
}

/// Help and version are data; everything else clap has to say is a mistake of the person's.
fn misunderstood(world: &World, error: &clap::Error) -> Exit {
    let said = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody has asked for anything that a closed stdout could lose.
            drop(world.terminal.data(said.trim_end()));
            Exit::Done
        }
        _ => {
            world.terminal.say(said.trim_end());
            Exit::Usage
        }
    }
}

fn obey(world: &World, arguments: &Arguments) -> Result<Exit, Complaint> {
    match &arguments.verb {
        None => wait_for(start::start(world, &arguments.start)),
        Some(Verb::Test(arguments)) => test::test(world, arguments),
        Some(Verb::Check(check)) => wait_for(check::check(world, check)),
        Some(Verb::Integrations { verb }) => wait_for(integrations::integrations(world, verb)),
        Some(Verb::Runs { at, verb }) => wait_for(runs::runs(world, at, verb)),
        Some(Verb::Serve(arguments)) => on_threads(serve::serve(world, arguments)),
        Some(Verb::Deploy(arguments)) => wait_for(deploy::deploy(world, arguments)),
        Some(Verb::Backup(arguments)) => wait_for(serve::backup::backup(world, arguments)),
        Some(Verb::Restore(arguments)) => wait_for(serve::backup::restore(world, arguments)),
        Some(Verb::Tokens { verb }) => serve::tokens::tokens(world, verb),
        Some(Verb::Audit(arguments)) => serve::tokens::audit(world, arguments),
        Some(Verb::Eval(eval)) => eval::eval(world, eval),
        Some(Verb::Graph(graph)) => graph::graph(world, graph),
        Some(Verb::Schema { format }) => schema::schema(world, *format),
        Some(Verb::Explain { code }) => explain::explain(world, code.as_deref()),
        Some(Verb::Lsp { .. }) => lsp::lsp(world),
        Some(Verb::Completions { shell }) => completions::completions(world, *shell),
    }
}

/// Runs to the end on this one thread: starting more would take longer than most runs.
fn wait_for(work: impl Future<Output = Result<Exit, Complaint>>) -> Result<Exit, Complaint> {
    in_runtime(tokio::runtime::Builder::new_current_thread(), work)
}

/// Runs to the end on as many threads as the machine has cores.
fn on_threads(work: impl Future<Output = Result<Exit, Complaint>>) -> Result<Exit, Complaint> {
    in_runtime(tokio::runtime::Builder::new_multi_thread(), work)
}

fn in_runtime(
    mut builder: tokio::runtime::Builder,
    work: impl Future<Output = Result<Exit, Complaint>>,
) -> Result<Exit, Complaint> {
    let runtime = builder.enable_all().build();
    let runtime = runtime.map_err(|error| {
        Complaint::new(Exit::Failed, "the system gives no event loop")
            .because(error)
            .help("free some file handles")
    })?;
    let ended = runtime.block_on(work);
    // A thread that waits for a name or a line must not keep the process from ending.
    runtime.shutdown_background();
    ended
}
