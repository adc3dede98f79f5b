//! A plan and the plans of the flows it calls: numbered, so that commands and failures can say which one they mean.

use std::fmt;
use std::sync::Arc;

use flowrun_template::{Slot, Tree};
use serde_json::Value;

use crate::plan::{Placed, Plan};

impl Plan {
    /// A flow of the bundle this plan starts: 0 is the plan itself, the others are [`Plan::flows`] in order.
    #[must_use]
    pub fn flow(&self, number: usize) -> &Self {
        number.checked_sub(1).and_then(|at| self.flows.get(at)).map_or(self, |flow| flow)
    }

    /// A step as reports call it: its id, or its path; in a called flow, after the name of that flow.
    #[must_use]
    pub fn step_name(&self, flow: usize, step: usize) -> String {
        let plan = self.flow(flow);
        let name = plan.steps.get(step).map(|step| step.id.as_ref().unwrap_or(&step.path));
        let name = name.map_or("", String::as_str);
        if flow == 0 { name.to_owned() } else { format!("{}/{name}", plan.name) }
    }
}

/// A flow that is called, and what it is given.
#[derive(Debug, Clone)]
pub struct CalleePlan {
    /// Which flow of the bundle, as [`Plan::flow`] of the flow that is started counts them.
    pub flow: usize,
    /// What the step gives it.
    pub inputs: Vec<GivenInput>,
    /// What its other inputs are.
    pub defaults: Vec<(Slot, Value)>,
}

/// One input of a called flow.
#[derive(Debug, Clone)]
pub struct GivenInput {
    /// Its name.
    pub name: String,
    /// The variable it becomes, in the called flow.
    pub slot: Slot,
    /// Its value, in the calling flow.
    pub value: Placed<Tree>,
    /// What it must be.
    pub fits: Arc<dyn Fits>,
}

/// What an input of a called flow must be. The machine asks; whoever compiled the declaration knows.
pub trait Fits: fmt::Debug + Send + Sync {
    /// Whether a value fits.
    ///
    /// # Errors
    /// When it does not; in words, without a value that must not be shown.
    fn check(&self, value: &Value) -> Result<(), String>;
}
