//! `acme-flowrun`: flowrun with the step kind `acme.shorten`.

use std::process::ExitCode;

use acme_flowrun::Shorten;

fn main() -> ExitCode {
    flowrun_cli::main(|house| house.step(Shorten))
}
