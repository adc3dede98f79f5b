//! One-shot benchmark: a new process fetches a token, a contact and posts a reply; flowrun beside its peers.
//!
//! ```text
//! cargo bench -p flowrun-cli --bench oneshot -- --runs 25 \
//!     --peer "hurl=PATH/hurl --variable base={base} --variable id=42 tests/bench/oneshot/flow.hurl" \
//!     --peer "floor=PATH/oneshot --base {base} --id 42"
//! ```
//! A peer is `NAME=COMMAND`, started at the root of the repository; `{base}` becomes the address of the provider, which
//! runs in this process. Runs are paired: each round starts every program once, and ratios are medians over rounds.
//! Peak memory is taken in rounds of its own, because watching costs time. A program that does not make exactly one
//! call of each sort ends the benchmark.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops when a part is missing"
)]

#[path = "oneshot/program.rs"]
mod program;
#[path = "oneshot/provider.rs"]
mod provider;

use std::env;
use std::time::Duration;

use program::Program;
use provider::Provider;

const MEMORY_ROUNDS: usize = 5;

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    // `cargo test --benches` starts benchmarks too, without this word.
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let provider = Provider::start();
    let home = tempfile::tempdir().expect("a temporary folder");
    let flowrun = format!(
        "flowrun={} tests/bench/oneshot/flow.yaml --var base={{base}} --var id=42",
        env!("CARGO_BIN_EXE_flowrun")
    );
    let named = values(&words, "--peer").chain([flowrun.as_str()]);
    let programs: Vec<Program> = named.map(|peer| Program::new(peer, &provider.base, home.path())).collect();
    let runs = values(&words, "--runs").next().map_or(25, |runs| runs.parse().expect("a number of runs"));
    let time = |program: &Program| worked(&provider, program, Program::time);
    drop(rounds(1, &programs, time)); // warm: files in the kernel's cache
    let wall = rounds(runs, &programs, time);
    let peak = rounds(MEMORY_ROUNDS, &programs, |program| worked(&provider, program, Program::peak_kib));
    report(&programs, &wall, &peak);
}

/// What each option of this name is given.
fn values<'a>(words: &'a [String], name: &'a str) -> impl Iterator<Item = &'a str> {
    words.windows(2).filter(move |pair| pair[0] == name).map(|pair| pair[1].as_str())
}

/// Starts the program and holds it to having made one call of each sort.
fn worked<T>(provider: &Provider, program: &Program, measure: fn(&Program) -> T) -> T {
    let before = provider.calls();
    let measured = measure(program);
    let made = provider.calls().since(before);
    assert!(made.one_of_each(), "{} did not do the work: {made:?}", program.name);
    measured
}

/// One row a round, one column a program.
fn rounds<T>(count: usize, programs: &[Program], measure: impl Fn(&Program) -> T) -> Vec<Vec<T>> {
    (0..count).map(|_| programs.iter().map(&measure).collect()).collect()
}

fn report(programs: &[Program], wall: &[Vec<Duration>], peak: &[Vec<u64>]) {
    let ours = programs.len() - 1;
    println!("{:<10} {:>26} {:>10} {:>16}", "", "wall ms min/median/max", "peak MiB", "flowrun's ratio");
    for (index, program) in programs.iter().enumerate() {
        let times = sorted(wall.iter().map(|round| round[index].as_secs_f64() * 1e3));
        let peaks = sorted(peak.iter().map(|round| round[index] as f64 / 1024.0));
        let ratios = sorted(wall.iter().map(|round| round[ours].as_secs_f64() / round[index].as_secs_f64()));
        let spread = format!("{:.1} / {:.1} / {:.1}", times[0], median(&times), times[times.len() - 1]);
        println!("{:<10} {spread:>26} {:>10.1} {:>16.2}", program.name, median(&peaks), median(&ratios));
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
