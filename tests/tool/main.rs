//! The tools of the house, behind the aliases of `.cargo/config.toml`: `cargo check-all`, `suite`, `case`, `bless`,
//! `torture`, `soak`, `fuzz-all`.
//!
//! This is a test target, so that the tools need nothing but cargo and never reach a user. It acts only on words that
//! follow `--tool`; started by `cargo test` or nextest it has no tests, says nothing and succeeds. Each leg is a
//! command anybody can type; what a leg finds wrong is in that command's own words.

#![expect(clippy::print_stderr, reason = "a tool talks to the person who started it")]

mod fuzz;
mod leg;
mod summary;

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use leg::{Verdict, cargo};
use summary::Summary;

/// Set for tests that would skip aloud: nothing they need may be missing.
const NOTHING_MISSING: [(&str, &str); 2] = [("FLOWRUN_REQUIRE_LAB", "1"), ("FLOWRUN_REQUIRE_ROOT", "1")];
/// Read by `tests/spec.rs`: the one folder of `tests/cases` to run.
const ONE_CASE: &str = "FLOWRUN_CASE";
/// Read by `tests/torture.rs`, and how many rounds make it complete.
const ROUNDS: (&str, &str) = ("FLOWRUN_TORTURE_ROUNDS", "200");
/// Read by `tests/soak.rs`, and how long a soak is.
const MINUTES: (&str, &str) = ("FLOWRUN_SOAK_MINUTES", "60");
/// How long each fuzz target runs.
const SECONDS: &str = "10";
/// Read by the expectations themselves: write what is seen instead of comparing it.
const WRITE_EXPECTATIONS: (&str, &str) = ("UPDATE_EXPECT", "1");

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    // `cargo soak -- --minutes 2` and `cargo soak --minutes 2` are the same.
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "--").collect();
    let done = match words.as_slice() {
        ["--tool", "check-all"] => Ok(check_all(false)),
        ["--tool", "check-all", "--strict"] => Ok(check_all(true)),
        ["--tool", "suite"] => suite(&mut cargo(&["test", "--no-fail-fast"])),
        ["--tool", "suite", "--strict"] => suite(cargo(&["test", "--no-fail-fast"]).envs(NOTHING_MISSING)),
        ["--tool", "case", name] => succeeds(cases().env(ONE_CASE, name)),
        ["--tool", "bless"] => succeeds(&mut blessed()),
        ["--tool", "bless", name] => succeeds(blessed().env(ONE_CASE, name)),
        ["--tool", "torture"] => torture(ROUNDS.1),
        ["--tool", "torture", rounds] => torture(rounds),
        ["--tool", "soak"] => soak(MINUTES.1),
        ["--tool", "soak", "--minutes", minutes] => soak(minutes),
        ["--tool", "fuzz-all"] => fuzz::all(SECONDS, false),
        ["--tool", "fuzz-all", "--strict"] => fuzz::all(SECONDS, true),
        ["--tool", "fuzz-all", "--seconds", seconds] => fuzz::all(seconds, false),
        ["--tool", ..] => {
            eprintln!(
                "usage: cargo check-all [--strict] | suite [--strict] | case NAME | bless [NAME] | \
                 torture [ROUNDS] | soak [--minutes MINUTES] | fuzz-all [--strict] [--seconds SECONDS]"
            );
            return ExitCode::from(2);
        }
        _ => Ok(true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tool: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every leg, whatever the others found, and ends with one line for each.
fn check_all(strict: bool) -> bool {
    let timed = leg::ALL.map(|leg| {
        eprintln!("== {}", leg.name);
        let start = Instant::now();
        (leg.name, (leg.run)(), start.elapsed())
    });
    eprintln!("== check-all");
    for (name, verdict, took) in &timed {
        eprintln!("{name:<12} {:>5.0} s  {verdict}", took.as_secs_f64());
    }
    timed.iter().all(|(_, verdict, _)| match verdict {
        Verdict::Fine | Verdict::Unreachable(_) => true,
        Verdict::Skipped(_) => !strict,
        Verdict::Wrong => false,
    })
}

/// Runs all tests, shows what they say as they say it, and ends with the sum of every `test result:` line.
fn suite(command: &mut Command) -> io::Result<bool> {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let said = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut summary = Summary::default();
    let mut out = io::stdout().lock();
    for line in BufReader::new(said).lines() {
        let line = line?;
        summary.add(&line);
        writeln!(out, "{line}")?;
    }
    let succeeded = child.wait()?.success();
    writeln!(out, "\nall targets together:\n{}", summary.line(succeeded, start.elapsed()))?;
    Ok(succeeded)
}

/// Kills processes for so many rounds; nothing it needs may be missing.
fn torture(rounds: &str) -> io::Result<bool> {
    let words = ["test", "--package", "flowrun-cli", "--test", "torture", "--", "--nocapture", "killed"];
    succeeds(cargo(&words).env(ROUNDS.0, rounds).envs(NOTHING_MISSING))
}

/// Runs flows for so many minutes, as fast as a user's binary is.
fn soak(minutes: &str) -> io::Result<bool> {
    let words = ["test", "--release", "--package", "flowrun-cli", "--test", "soak", "--", "--nocapture"];
    succeeds(cargo(&words).env(MINUTES.0, minutes))
}

fn cases() -> Command {
    cargo(&["test", "--package", "flowrun-cli", "--test", "spec"])
}

fn blessed() -> Command {
    let (name, value) = WRITE_EXPECTATIONS;
    let mut command = cases();
    command.env(name, value);
    command
}

fn succeeds(command: &mut Command) -> io::Result<bool> {
    Ok(command.status()?.success())
}
