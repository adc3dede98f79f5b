//! Adds up the `test result:` lines of many test programs, and says the sum in their own form.

use std::time::Duration;

const START: &str = "test result: ";
const COUNTED: [&str; 5] = ["passed", "failed", "ignored", "measured", "filtered out"];

/// The counts of every program so far.
#[derive(Default)]
pub(crate) struct Summary {
    counts: [u64; 5],
}

impl Summary {
    /// Takes a line of a test program's output; only its result line counts.
    pub(crate) fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix(START) else { return };
        for part in result.split(['.', ';']).map(str::trim) {
            let known = COUNTED.iter().position(|name| part.ends_with(name));
            let count = part.split(' ').next().and_then(|number| number.parse::<u64>().ok());
            if let (Some(index), Some(count)) = (known, count) {
                self.counts[index] += count;
            }
        }
    }

    /// The sum as one result line.
    pub(crate) fn line(&self, succeeded: bool, took: Duration) -> String {
        let verdict = if succeeded { "ok" } else { "FAILED" };
        let counts: String =
            self.counts.iter().zip(COUNTED).map(|(count, name)| format!("{count} {name}; ")).collect();
        format!("{START}{verdict}. {counts}finished in {:.2}s", took.as_secs_f64())
    }
}
