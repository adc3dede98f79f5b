//! `cargo fuzz-all`: builds the targets of `tests/fuzz` with libFuzzer's instrumentation and runs each for a while.
//!
//! It needs a C++ compiler for libFuzzer and nothing else: the flags are those that `cargo fuzz --sanitizer none` gives,
//! which a stable compiler takes too. What is found is kept under `target/fuzz`, and an input that breaks a target is named.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::leg::{ROOT, cargo};

const TARGETS: [(&str, &[&str]); 6] = [
    ("flow", &["flows", "tests/cases"]),
    ("template", &["tests/fuzz/seeds/template"]),
    ("path", &["tests/fuzz/seeds/path"]),
    ("expression", &["tests/fuzz/seeds/expression"]),
    ("token", &["tests/fuzz/seeds/token"]),
    ("callback", &["tests/fuzz/seeds/callback"]),
];
const MACHINE: &str = "x86_64-unknown-linux-gnu";
/// Coverage for libFuzzer, without a sanitizer.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table \
                     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// Whether every target ran for so many seconds without a find; nothing where there is no C++ compiler.
pub(crate) fn all(seconds: &str, strict: bool) -> io::Result<bool> {
    let has_compiler = Command::new("c++").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !has_compiler {
        eprintln!("fuzz-all: skipped: libFuzzer needs a C++ compiler (`c++`)");
        return Ok(!strict);
    }
    let kept = Path::new(ROOT).join("target/fuzz");
    let mut build =
        cargo(&["build", "--release", "--manifest-path", "tests/fuzz/Cargo.toml", "--target", MACHINE]);
    if !build.arg("--target-dir").arg(&kept).env("RUSTFLAGS", FLAGS).status()?.success() {
        return Ok(false);
    }
    let mut is_fine = true;
    for (target, seeds) in TARGETS {
        is_fine &= run(&kept, target, (seeds, seconds))?;
    }
    Ok(is_fine)
}

fn run(kept: &Path, target: &str, (seeds, seconds): (&[&str], &str)) -> io::Result<bool> {
    let (corpus, found) = (kept.join("corpus").join(target), kept.join("found").join(target));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&found)?;
    let binary: PathBuf =
        [kept, Path::new(MACHINE), Path::new("release"), Path::new(target)].iter().collect();
    let mut command = Command::new(binary);
    command.current_dir(ROOT).arg(&corpus).args(seeds);
    // One seed, so that a short run goes the same way everywhere; a long one goes far beyond what a seed decides.
    command
        .arg("-seed=1")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", found.display()));
    // A second of the processor's time is the targets' own limit; this one ends what never comes back.
    command.args([
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-max_len=16384",
        "-print_final_stats=1",
        "-verbosity=0",
    ]);
    eprintln!("== fuzz {target}");
    Ok(command.status()?.success())
}
