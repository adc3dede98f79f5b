//! The reserved names a flow can read: `steps`, `error`, `now`, `run`, `trigger` … Each costs nothing if nothing mentions it.

use std::sync::Arc;

use flowrun_template::Slot;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::command::StepStatus;
use crate::failure::Failure;
use crate::outside::Opening;
use crate::plan::Plan;
use crate::run::Run;
use crate::strand::{Frame, Strand};
use crate::variables::Variables;

/// Where the reserved names stand, if the flow mentions them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Roots {
    steps: Option<Slot>,
    error: Option<Slot>,
    now: Option<Slot>,
    run: Option<Slot>,
    index: Option<Slot>,
    trigger: Option<Slot>,
    conversation: Option<Slot>,
    callbacks: Option<Slot>,
}

impl Roots {
    pub(crate) fn of(plan: &Plan) -> Self {
        let find = |name| plan.slots.find(name);
        Self {
            steps: find("steps"),
            error: find("error"),
            now: find("now"),
            run: find("run"),
            index: find("index"),
            trigger: find("trigger"),
            conversation: find("conversation"),
            callbacks: find("callbacks"),
        }
    }

    /// Every id is in `steps` from the start: pending, nulls and 0 (L-12).
    pub(crate) fn begin(self, (plan, flow): (&Plan, usize), run: &Run, strand: &mut Strand) {
        let Opening { trigger, conversation, callbacks } = &run.opening;
        let callbacks = || callbacks.get(flow).cloned().map_or(Value::Null, Value::Object);
        let mut show = |slot: Option<Slot>, value: &dyn Fn() -> Value| {
            if let Some(slot) = slot {
                strand.variables.swap_root(slot, Some(Arc::new(value())));
            }
        };
        show(self.run, &|| json!({ "id": run.id }));
        show(self.trigger, &|| trigger.clone());
        show(self.conversation, &|| conversation.clone());
        show(self.callbacks, &callbacks);
        let Some(slot) = self.steps else { return };
        let mentioned = plan.steps.iter().filter(|step| step.is_mentioned);
        let pending = || json!({ "status": "pending", "output": null, "error": null, "attempts": 0 });
        let steps: Map<String, Value> =
            mentioned.filter_map(|step| Some((step.id.clone()?, pending()))).collect();
        strand.variables.swap_root(slot, Some(Arc::new(Value::Object(steps))));
    }

    /// `now` is the time of the event being processed (L-6).
    pub(crate) fn tell_time(self, now: Timestamp, strand: &mut Strand) {
        if let Some(slot) = self.now {
            strand.variables.swap_root(slot, Some(Arc::new(Value::String(now.to_string()))));
        }
    }

    /// Lets `error` stand for this error, or for null, until the frame gives it back (L-11).
    pub(crate) fn show_error(
        self,
        plan: &Plan,
        strand: &mut Strand,
        depth: usize,
        failure: Option<&Failure>,
    ) {
        let Some(slot) = self.error else { return };
        let value = failure.map_or(Value::Null, |failure| failure.value(plan));
        let outer = strand.variables.swap_root(slot, Some(Arc::new(value)));
        strand.frames[depth].outer_error.get_or_insert(outer);
    }

    /// Lets `error` stand for what it stood for outside.
    pub(crate) fn hide_error(self, strand: &mut Strand, frame: &mut Frame) {
        if let (Some(slot), Some(outer)) = (self.error, frame.outer_error.take()) {
            strand.variables.swap_root(slot, outer);
        }
    }

    /// Lets `index` stand for what it stood for outside the loop that ends.
    pub(crate) fn hide_index(self, strand: &mut Strand, frame: &mut Frame) {
        if let (Some(slot), Some(outer)) = (self.index, frame.outer_index.take()) {
            strand.variables.swap_root(slot, outer);
        }
    }

    /// Writes how a step ended into `steps.<id>`.
    pub(crate) fn record_step(
        self,
        (root, plan): (&Plan, &Plan),
        strand: &mut Strand,
        frame: &Frame,
        status: StepStatus,
    ) {
        let error = frame.failure.as_ref().map_or(Value::Null, |failure| failure.value(root));
        let attempts = frame.attempts_of(status);
        self.change_step(plan, strand, frame.step, |entry| {
            entry.insert("status".to_owned(), Value::from(status.word()));
            entry.insert("error".to_owned(), error);
            entry.insert("attempts".to_owned(), Value::from(attempts));
        });
    }

    /// Writes a step's output into `steps.<id>`.
    pub(crate) fn record_output(self, plan: &Plan, strand: &mut Strand, step: usize, output: Value) {
        self.change_step(plan, strand, Some(step), |entry| {
            entry.insert("output".to_owned(), output);
        });
    }

    /// Takes over how steps of a branch ended.
    pub(crate) fn take_steps(self, plan: &Plan, strand: &mut Strand, branch: &Variables, steps: &[usize]) {
        let seen = self.steps.and_then(|slot| flowrun_template::Scope::value(branch, slot));
        for step in steps {
            let entry = plan.steps[*step].id.as_ref().and_then(|id| seen?.get(id));
            let Some(Value::Object(entry)) = entry else { continue };
            self.change_step(plan, strand, Some(*step), |known| known.clone_from(entry));
        }
    }

    fn change_step(
        self,
        plan: &Plan,
        strand: &mut Strand,
        step: Option<usize>,
        change: impl FnOnce(&mut Map<String, Value>),
    ) {
        let Some(index) = step.filter(|step| plan.steps[*step].is_mentioned) else { return };
        let Some(steps) = self.steps.and_then(|slot| strand.variables.root_mut(slot)) else { return };
        let entry = plan.steps[index].id.as_ref().and_then(|id| steps.get_mut(id));
        if let Some(entry) = entry.and_then(Value::as_object_mut) {
            change(entry);
        }
        if !strand.is_main() && !strand.changed_steps.contains(&index) {
            strand.changed_steps.push(index);
        }
    }
}
