//! The legs of `cargo check-all`: each runs commands and gives a verdict.

use std::env;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The folder all commands run in.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Where `.ci/run` installs what is not in every toolchain.
const OWN_DENY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/bin/cargo-deny");

/// One thing that is checked.
pub(crate) struct Leg {
    pub(crate) name: &'static str,
    pub(crate) run: fn() -> Verdict,
}

/// What a leg came to.
pub(crate) enum Verdict {
    Fine,
    /// The command has said what is wrong.
    Wrong,
    /// A tool is missing; `--strict` takes it for wrong.
    Skipped(&'static str),
    /// The world outside did not answer; that is nobody's mistake, and is said.
    Unreachable(&'static str),
}

/// Every leg, the quick ones first.
pub(crate) const ALL: [Leg; 6] = [
    Leg { name: "fmt", run: || verdict(&mut cargo(&["fmt", "--all", "--check"])) },
    Leg { name: "deny", run: deny },
    Leg { name: "advisories", run: advisories },
    Leg {
        name: "clippy",
        run: || verdict(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])),
    },
    Leg {
        name: "docs",
        run: || verdict(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings")),
    },
    Leg {
        name: "house",
        run: || verdict(&mut cargo(&["test", "--package", "flowrun-cli", "--test", "house"])),
    },
];

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fine => f.write_str("ok"),
            Self::Wrong => f.write_str("FAILED"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::Unreachable(why) => write!(f, "not checked: {why}"),
        }
    }
}

/// Cargo at the root, as if typed there: what the cargo above us told this process would make build scripts run again.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(ROOT).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if told.iter().any(|start| name.to_string_lossy().starts_with(start)) {
            command.env_remove(name);
        }
    }
    command
}

/// Licences, sources, one version of each crate.
fn deny() -> Verdict {
    match cargo_deny(&["check", "bans", "licenses", "sources"]) {
        Some(mut command) => verdict(&mut command),
        None => Verdict::Skipped("cargo-deny is not installed (cargo install cargo-deny --locked)"),
    }
}

/// Known vulnerabilities and crates nobody maintains. Their list is not in any registry, so it may be out of reach.
fn advisories() -> Verdict {
    let Some(mut fetch) = cargo_deny(&["fetch", "db"]) else {
        return Verdict::Skipped("cargo-deny is not installed (cargo install cargo-deny --locked)");
    };
    match (verdict(fetch.stderr(Stdio::null())), cargo_deny(&["check", "advisories"])) {
        (Verdict::Fine, Some(mut check)) => verdict(&mut check),
        _ => Verdict::Unreachable("the advisory database cannot be fetched from here"),
    }
}

/// Our own copy first, then the one on the path; none if neither starts.
fn cargo_deny(arguments: &[&str]) -> Option<Command> {
    let program = if Path::new(OWN_DENY).exists() { OWN_DENY } else { "cargo-deny" };
    let mut asked = Command::new(program);
    let there = asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(ROOT).stdin(Stdio::null());
    there.then_some(command)
}

fn verdict(command: &mut Command) -> Verdict {
    if command.status().is_ok_and(|status| status.success()) { Verdict::Fine } else { Verdict::Wrong }
}
