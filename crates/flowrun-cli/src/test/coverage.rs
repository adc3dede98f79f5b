//! Which steps and branches of a flow no case reaches.
//!
//! Of a block that is not reached, the first step is told. A guard has two
//! branches, and `on_error: continue` is one.

use std::collections::BTreeMap;

use flowrun::lang::{Flow, Place};
use flowrun::machine::{OnError, Op, Plan, StepStatus};

use super::stage::Seen;

/// What the cases of one file reached.
#[derive(Debug, Default)]
pub(super) struct Coverage(BTreeMap<String, Reached>);

/// How a step ended, in any case.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    was_run: bool,
    was_skipped: bool,
    has_failed: bool,
}

/// Something that no case does.
#[derive(Debug, Clone)]
pub(super) struct Gap {
    pub(super) place: Place,
    pub(super) step: String,
    pub(super) what: &'static str,
}

impl Coverage {
    /// Adds what one case reached.
    pub(super) fn add(&mut self, seen: &Seen) {
        for (step, status, _) in &seen.ended {
            let reached = self.0.entry(step.clone()).or_default();
            reached.was_run |= *status != StepStatus::Skipped;
            reached.was_skipped |= *status == StepStatus::Skipped;
            reached.has_failed |= *status == StepStatus::Failed;
        }
        // A call that is still under way where time ends was reached all the same.
        for asked in &seen.asked {
            self.0.entry(asked.step.clone()).or_default().was_run = true;
        }
    }

    /// What no case reaches, in the order of the file.
    pub(super) fn gaps(&self, flow: &Flow) -> Vec<Gap> {
        (0..=flow.plan().flows.len()).flat_map(|number| self.gaps_in(flow, number)).collect()
    }

    /// The same of one flow of the bundle.
    fn gaps_in(&self, flow: &Flow, number: usize) -> Vec<Gap> {
        let plan = flow.plan().flow(number);
        let mut gaps: Vec<Gap> = Vec::new();
        for (at, step) in plan.steps.iter().enumerate() {
            let name = flow.plan().step_name(number, at);
            let reached = self.0.get(&name).copied().unwrap_or_default();
            let Some(what) = reached.lacks(branches(plan, at)) else { continue };
            let is_told = |gap: &Gap| gap.what == NEVER && follows(&step.path, &gap.place.path);
            if what == NEVER && gaps.iter().any(is_told) {
                continue;
            }
            gaps.push(Gap { place: flow.place_in(number, &step.path, None), step: name, what });
        }
        gaps
    }
}

impl Reached {
    /// What no case has done with a step, given whether it has a guard and whether it goes on after an error.
    fn lacks(self, (is_guarded, continues): (bool, bool)) -> Option<&'static str> {
        match self {
            Self { was_run: false, was_skipped: false, .. } => Some(NEVER),
            Self { was_run: false, .. } => Some("always skipped"),
            Self { was_skipped: false, .. } if is_guarded => Some("never skipped"),
            Self { has_failed: false, .. } if continues => {
                Some("never failing, so that `on_error` is untried")
            }
            _ => None,
        }
    }
}

const NEVER: &str = "never reached";

/// Whether a step stands within another, or after it in the same block.
fn follows(path: &str, first: &str) -> bool {
    let block = |path: &str| path.rfind('[').map(|at| path[..at].to_owned());
    path.strip_prefix(first).is_some_and(|rest| rest.starts_with('.'))
        || block(path).is_some_and(|its| Some(its) == block(first))
}

/// Whether a step has a guard, and whether it goes on after an error.
fn branches(plan: &Plan, step: usize) -> (bool, bool) {
    let ops = || plan.ops.iter().zip(&plan.owners).filter(|(_, owner)| **owner == Some(step));
    let continues =
        |op: &Op| matches!(op, Op::Enter { scope } if plan.scopes[*scope].on_error == OnError::Continue);
    (ops().any(|(op, _)| matches!(op, Op::Skip)), ops().any(|(op, _)| continues(op)))
}
