//! What is the same in every process and version: a call's key and the scatter of its waits.
//!
//! Both come from SHA-256 of the run and the place of the step, because a hash whose result may change
//! with the toolchain would make a repeated call a new one.

use sha2::{Digest as _, Sha256};

/// The key of a step's calls in a run: the same on every attempt.
pub(crate) fn key(run: &str, path: &str) -> String {
    let digest = digest(run, path, 0);
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A number that scatters the waits of different runs, steps and attempts.
pub(crate) fn scatter(run: &str, path: &str, attempt: u32) -> u32 {
    let [a, b, c, d, ..] = digest(run, path, attempt);
    u32::from_be_bytes([a, b, c, d])
}

fn digest(run: &str, path: &str, attempt: u32) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [run.as_bytes(), path.as_bytes(), &attempt.to_be_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_what_it_is_in_every_build() {
        assert_eq!(key("run-1", "steps[0]"), "f710cc52b01dd0a74d0482a372133f44");
    }

    #[test]
    fn other_runs_and_steps_have_other_keys() {
        assert_ne!(key("run-1", "steps[0]"), key("run-2", "steps[0]"));
        assert_ne!(key("run-1", "steps[0]"), key("run-1", "steps[1]"));
        assert_ne!(key("a", "bc"), key("ab", "c"));
    }
}
