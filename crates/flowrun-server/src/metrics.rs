//! What is counted (R14), as Prometheus reads it. Labels are kinds and outcomes: no name of a flow, no id, no value.
//!
//! The registry is this value's own and not the process's, so that two servers side by side count apart.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The upper ends of the buckets of durations, in seconds.
const SECONDS: [f64; 11] = [0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    kind: String,
    outcome: String,
}

/// Counts runs and calls.
pub struct Metrics {
    registry: Registry,
    started: Counter,
    ended: Family<Ended, Counter>,
    calls: Family<Call, Counter>,
    seconds: Family<Call, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Begins to count.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("flowrun");
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let (started, ended) = (Counter::default(), Family::<Ended, Counter>::default());
        let (calls, seconds) = (Family::<Call, Counter>::default(), Family::new_with_constructor(histogram));
        registry.register("runs_started", "Runs that began", started.clone());
        registry.register("runs_ended", "Runs that ended", ended.clone());
        registry.register("calls", "Attempts of calls that ended", calls.clone());
        registry.register("call_seconds", "How long attempts of calls took", seconds.clone());
        Self { registry, started, ended, calls, seconds }
    }

    /// A run began.
    pub fn run_started(&self) {
        self.started.inc();
    }

    /// A run ended.
    pub fn run_ended(&self, outcome: &str) {
        self.ended.get_or_create(&Ended { outcome: outcome.to_owned() }).inc();
    }

    /// An attempt of a call ended.
    pub fn call_ended(&self, kind: &str, is_well: bool, took: Duration) {
        let outcome = if is_well { "done" } else { "failed" }.to_owned();
        let call = Call { kind: kind.to_owned(), outcome };
        self.calls.get_or_create(&call).inc();
        self.seconds.get_or_create(&call).observe(took.as_secs_f64());
    }

    /// Everything that was counted, as OpenMetrics text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
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
        let (one, other) = (Metrics::new(), Metrics::new());
        one.run_started();
        one.run_started();
        one.run_ended("done");
        one.call_ended("http_request", false, Duration::from_millis(20));
        let text = one.text();
        for line in [
            "flowrun_runs_started_total 2",
            "flowrun_runs_ended_total{outcome=\"done\"} 1",
            "flowrun_calls_total{kind=\"http_request\",outcome=\"failed\"} 1",
            "flowrun_call_seconds_bucket{le=\"0.05\",kind=\"http_request\",outcome=\"failed\"} 1",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} in\n{text}");
        }
        assert!(other.text().lines().any(|said| said == "flowrun_runs_started_total 0"), "{}", other.text());
    }
}
