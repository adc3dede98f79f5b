//! What is counted (R14), as Prometheus reads it. Labels are kinds and outcomes: no name of a flow, no id, no value.
//!
//! The recorder is this value's own and not the process's, so that two servers side by side count apart.

use std::fmt;
use std::time::Duration;

use ::metrics::{counter, histogram, with_local_recorder};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// The upper ends of the buckets of durations, in seconds.
const SECONDS: [f64; 11] = [0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Counts runs and calls.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Begins to count.
    ///
    /// # Errors
    /// When the buckets are not taken.
    pub fn new() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new().set_buckets(&SECONDS)?.build_recorder();
        Ok(Self { handle: recorder.handle(), recorder })
    }

    /// A run began.
    pub fn run_started(&self) {
        with_local_recorder(&self.recorder, || counter!("flowrun_runs_started_total").increment(1));
    }

    /// A run ended.
    pub fn run_ended(&self, outcome: &'static str) {
        with_local_recorder(&self.recorder, || {
            counter!("flowrun_runs_ended_total", "outcome" => outcome).increment(1);
        });
    }

    /// An attempt of a call ended.
    pub fn call_ended(&self, kind: &str, is_well: bool, took: Duration) {
        let outcome = if is_well { "done" } else { "failed" };
        with_local_recorder(&self.recorder, || {
            let kind = kind.to_owned();
            counter!("flowrun_calls_total", "kind" => kind.clone(), "outcome" => outcome).increment(1);
            histogram!("flowrun_call_seconds", "kind" => kind, "outcome" => outcome).record(took);
        });
    }

    /// Everything that was counted, as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_calls_are_counted_each_in_its_own_house() {
        let (one, other) = (Metrics::new().unwrap(), Metrics::new().unwrap());
        one.run_started();
        one.run_started();
        one.run_ended("done");
        one.call_ended("http_request", false, Duration::from_millis(20));
        let text = one.text();
        for line in [
            "flowrun_runs_started_total 2",
            "flowrun_runs_ended_total{outcome=\"done\"} 1",
            "flowrun_calls_total{kind=\"http_request\",outcome=\"failed\"} 1",
            "flowrun_call_seconds_bucket{kind=\"http_request\",outcome=\"failed\",le=\"0.05\"} 1",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} in\n{text}");
        }
        assert!(!other.text().contains("flowrun"), "{}", other.text());
    }
}
