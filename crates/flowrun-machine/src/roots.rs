//! The reserved names a flow can read: `steps`, `error`, `now`, `run`. Each costs nothing if nothing mentions it.

use std::sync::Arc;

use flowrun_template::Slot;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::plan::Plan;
use crate::run::{Frame, Run};

/// Where the reserved names stand, if the flow mentions them.
#[derive(Debug)]
pub(crate) struct Roots {
    steps: Option<Slot>,
    error: Option<Slot>,
    now: Option<Slot>,
    run: Option<Slot>,
}

/// How a step ended (L-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Done,
    Skipped,
    Failed,
}

impl Roots {
    pub(crate) fn of(plan: &Plan) -> Self {
        let find = |name| plan.slots.find(name);
        Self { steps: find("steps"), error: find("error"), now: find("now"), run: find("run") }
    }
}

impl Run {
    /// Every id is in `steps` from the start: pending, nulls and 0 (L-12).
    pub(crate) fn begin_roots(&mut self, plan: &Plan) {
        if let Some(slot) = self.roots.run {
            self.variables.swap_root(slot, Some(Arc::new(json!({ "id": self.id }))));
        }
        let Some(slot) = self.roots.steps else { return };
        let mentioned = plan.steps.iter().filter(|step| step.is_mentioned);
        let pending = || json!({ "status": "pending", "output": null, "error": null, "attempts": 0 });
        let steps: Map<String, Value> =
            mentioned.filter_map(|step| Some((step.id.clone()?, pending()))).collect();
        self.variables.swap_root(slot, Some(Arc::new(Value::Object(steps))));
    }

    /// `now` is the time of the event being processed (L-6).
    pub(crate) fn tell_time(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
        if let Some(slot) = self.roots.now {
            self.variables.swap_root(slot, Some(Arc::new(Value::String(self.now.to_string()))));
        }
    }

    /// Lets `error` stand for this error, or for null, until the frame gives it back (L-11).
    pub(crate) fn show_error(&mut self, plan: &Plan, depth: usize, failure: Option<&Failure>) {
        let Some(slot) = self.roots.error else { return };
        let value = failure.map_or(Value::Null, |failure| failure.value(plan));
        let outer = self.variables.swap_root(slot, Some(Arc::new(value)));
        self.frames[depth].outer_error.get_or_insert(outer);
    }

    /// Lets `error` stand for what it stood for outside.
    pub(crate) fn hide_error(&mut self, frame: &mut Frame) {
        if let (Some(slot), Some(outer)) = (self.roots.error, frame.outer_error.take()) {
            self.variables.swap_root(slot, outer);
        }
    }

    /// Writes how a step ended into `steps.<id>`.
    pub(crate) fn record_step(&mut self, plan: &Plan, frame: &Frame, status: Status) {
        let word = match status {
            Status::Done => "done",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
        };
        let error = frame.failure.as_ref().map_or(Value::Null, |failure| failure.value(plan));
        let attempts = if status == Status::Skipped { 0 } else { frame.attempts.max(1) };
        self.change_step(plan, frame.step, |entry| {
            entry.insert("status".to_owned(), Value::from(word));
            entry.insert("error".to_owned(), error);
            entry.insert("attempts".to_owned(), Value::from(attempts));
        });
    }

    /// Writes a step's output into `steps.<id>`.
    pub(crate) fn record_output(&mut self, plan: &Plan, step: usize, output: Value) {
        self.change_step(plan, Some(step), |entry| {
            entry.insert("output".to_owned(), output);
        });
    }

    fn change_step(
        &mut self,
        plan: &Plan,
        step: Option<usize>,
        change: impl FnOnce(&mut Map<String, Value>),
    ) {
        let Some(step) = step.map(|step| &plan.steps[step]).filter(|step| step.is_mentioned) else { return };
        let Some(steps) = self.roots.steps.and_then(|slot| self.variables.root_mut(slot)) else { return };
        let entry = step.id.as_ref().and_then(|id| steps.get_mut(id));
        if let Some(entry) = entry.and_then(Value::as_object_mut) {
            change(entry);
        }
    }
}
