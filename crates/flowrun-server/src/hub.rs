//! What happens in runs, for whoever watches: the last thousand events, numbered, so that a stream can go on where it broke.
//!
//! A number begins with the moment the process started: after a restart nobody is told that nothing was missed.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use flowrun::engine::journal::RunKey;
use flowrun::engine::{Observer, RunEvent};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::metrics::Metrics;

/// How many events are kept.
const KEPT: usize = 1_000;

/// One event, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) number: u64,
    pub(crate) run: RunKey,
    /// Its kind.
    pub(crate) kind: &'static str,
    pub(crate) data: Value,
}

/// Keeps what happened lately, and counts it. It is an engine's observer; its clones are the same hub.
#[derive(Clone)]
pub struct Hub(Arc<Kept>);

struct Kept {
    epoch: i64,
    ring: Mutex<VecDeque<Arc<Shown>>>,
    /// The number of the last event.
    last: watch::Sender<u64>,
    metrics: Metrics,
}

/// What a stream gets next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Events, in order.
    Events(Vec<Arc<Shown>>),
    /// Some are gone that nobody showed; it goes on after this number.
    Missed(u64),
}

impl Hub {
    /// A hub of a process that starts now.
    #[must_use]
    pub fn new(now: Timestamp, metrics: Metrics) -> Self {
        let (epoch, ring) = (now.as_millisecond(), Mutex::default());
        Self(Arc::new(Kept { epoch, ring, last: watch::Sender::new(0), metrics }))
    }

    /// What it has counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The id of an event, as a stream says it.
    pub(crate) fn id(&self, number: u64) -> String {
        format!("{}.{number}", self.0.epoch)
    }

    /// The number after which a stream goes on: where it broke, or now. None if nobody can tell what was missed.
    pub(crate) fn resume(&self, last_id: Option<&str>) -> Option<u64> {
        let Some(id) = last_id else { return Some(*self.0.last.borrow()) };
        let (epoch, number) = id.split_once('.')?;
        let number = number.parse().ok().filter(|number| number <= &*self.0.last.borrow());
        number.filter(|_| epoch == self.0.epoch.to_string())
    }

    /// The number of the last event.
    pub(crate) fn last(&self) -> u64 {
        *self.0.last.borrow()
    }

    /// Waits for what comes after a number.
    pub(crate) async fn after(&self, number: u64) -> Next {
        let mut last = self.0.last.subscribe();
        // The sender is this hub's own, so waiting cannot fail while it is borrowed.
        drop(last.wait_for(|last| *last > number).await);
        let ring = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner);
        match ring.front() {
            Some(first) if first.number > number + 1 => Next::Missed(first.number - 1),
            _ => Next::Events(ring.iter().filter(|event| event.number > number).cloned().collect()),
        }
    }

    fn count(&self, event: &RunEvent) {
        match event {
            RunEvent::Started { .. } => self.0.metrics.run_started(),
            RunEvent::Stood { status: status @ ("done" | "failed" | "timed_out" | "cancelled") } => {
                self.0.metrics.run_ended(status);
            }
            RunEvent::CallEnded { kind, took, error, .. } => {
                self.0.metrics.call_ended(kind, error.is_none(), *took);
            }
            _ => {}
        }
    }
}

impl Observer for Hub {
    fn on(&self, run: &RunKey, event: &RunEvent) {
        self.count(event);
        let Some((kind, data)) = shown(event) else { return };
        let mut ring = self.0.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *self.0.last.borrow() + 1;
        if ring.len() == KEPT {
            ring.pop_front();
        }
        ring.push_back(Arc::new(Shown { number, run: run.clone(), kind, data }));
        self.0.last.send_replace(number);
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("last", &*self.0.last.borrow()).finish_non_exhaustive()
    }
}

/// An event on the wire. Of an answer only the status, for its body is the caller's.
fn shown(event: &RunEvent) -> Option<(&'static str, Value)> {
    Some(match event {
        RunEvent::Started { flow } => ("started", json!({ "flow": flow })),
        RunEvent::Stood { status } => ("stood", json!({ "status": status })),
        RunEvent::CallStarted { step, kind, attempt } => {
            ("call_started", json!({ "step": step, "kind": kind, "attempt": attempt }))
        }
        RunEvent::CallEnded { step, kind, attempt, took, error, .. } => {
            let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let said =
                json!({ "step": step, "kind": kind, "attempt": attempt, "took_ms": took, "error": error });
            ("call_ended", said)
        }
        RunEvent::InDoubt { step } => ("in_doubt", json!({ "step": step })),
        RunEvent::Retrying { step, wait } => {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            ("retrying", json!({ "step": step, "wait_ms": wait }))
        }
        RunEvent::StepEnded { step, status, attempts } => {
            let status = format!("{status:?}").to_lowercase();
            ("step_ended", json!({ "step": step, "status": status, "attempts": attempts }))
        }
        RunEvent::NotUndone { step, error } => ("not_undone", json!({ "step": step, "error": error })),
        RunEvent::Waiting { step, .. } => ("waiting", json!({ "step": step })),
        RunEvent::Ignored { messages } => ("ignored", json!({ "messages": messages })),
        RunEvent::Answered { status, .. } => ("answered", json!({ "status": status })),
        RunEvent::Emitted(told) => ("emitted", json!({ "event": told.event, "key": told.key })),
        RunEvent::Logged { level, text, data } => {
            ("logged", json!({ "level": level, "text": text, "data": data }))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use flowrun::step::{RunId, Tenant};

    use super::*;

    fn hub(events: usize) -> Hub {
        let hub = Hub::new(Timestamp::UNIX_EPOCH, Metrics::new());
        let run = RunKey::new(Tenant::default(), RunId::new("r").unwrap());
        for _ in 0..events {
            hub.on(&run, &RunEvent::Stood { status: "done" });
        }
        hub
    }

    async fn numbers(hub: &Hub, after: u64) -> Result<Vec<u64>, u64> {
        match hub.after(after).await {
            Next::Events(events) => Ok(events.iter().map(|event| event.number).collect()),
            Next::Missed(number) => Err(number),
        }
    }

    #[tokio::test]
    async fn a_stream_goes_on_where_it_broke() {
        let hub = hub(5);
        let from = hub.resume(Some("0.3")).unwrap();
        assert_eq!(numbers(&hub, from).await, Ok(vec![4, 5]));
        assert_eq!(hub.resume(None), Some(5));
    }

    #[tokio::test]
    async fn what_is_gone_is_said_to_be_gone() {
        let hub = hub(KEPT + 10);
        assert_eq!(numbers(&hub, 3).await, Err(10));
        assert_eq!(numbers(&hub, 10).await.unwrap().len(), KEPT);
        for unknown in ["1.3", "0.9999", "x", "0.x"] {
            assert_eq!(hub.resume(Some(unknown)), None, "{unknown}");
        }
    }

    #[tokio::test]
    async fn what_happens_is_counted() {
        assert!(hub(2).metrics().text().contains("flowrun_runs_ended_total{outcome=\"done\"} 2"));
    }
}
