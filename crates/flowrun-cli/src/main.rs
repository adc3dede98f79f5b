//! The `flowrun` binary: hands the process's world to the library and exits with what comes back.

use std::process::ExitCode;

fn main() -> ExitCode {
    flowrun_cli::main(|house| house)
}
