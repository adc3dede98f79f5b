//! The `flowrun` binary: hands the process's world to the library and exits with what comes back.

use std::process::ExitCode;

use flowrun_cli::World;

fn main() -> ExitCode {
    flowrun_cli::run(std::env::args_os(), World::of_process())
}
