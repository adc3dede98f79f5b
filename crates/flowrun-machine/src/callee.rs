//! A flow that a step calls: a strand of its own, with a plan and variables of its own (L-13).
//!
//! It ends as a child of its caller does, so errors, time limits, cancels, `finally` and what is to be taken back
//! cross the call by the same unwinding. Its `end` ends it well, and not its caller.

use flowrun_template::{ErrorKind, Slot};
use serde_json::{Map, Value};

use crate::advance::{Step, Walk};
use crate::failure::Failure;
use crate::group::GroupKind;
use crate::plan::{CalleePlan, GivenInput, Plan};
use crate::strand::{Blocked, Parent, Reason, Strand};
use crate::variables::Variables;

impl Walk<'_> {
    /// Begins a called flow, with what it is given and the defaults of what it is not.
    pub(crate) fn call_flow(&mut self, at: usize) -> Step {
        let callee = &self.plan.callees[at];
        let called = self.root.flow(callee.flow);
        let inputs = self.inputs_of(callee)?;
        let variables = self.begin_with(called, inputs)?;
        let step = self.plan.owners[self.strand.pc].unwrap_or_default();
        let group = self.group(GroupKind::Flow { outputs: None }, self.strand.pc + 1);
        let parent = Parent {
            strand: self.id,
            group,
            index: 0,
            deadline: self.strand.deadline(),
            is_shielded: self.strand.is_in_finally(),
            // Its steps have the paths of its own file: what tells them from ours is the step that calls.
            trail: format!("{}>{}", self.strand.trail(), self.plan.steps[step].path),
        };
        let mut child = Strand::at((callee.flow, 0), variables, Some(parent));
        self.run.roots[callee.flow].begin((called, callee.flow), self.run, &mut child);
        self.add_child(child);
        self.strand.blocked = Some(Blocked::Join(group));
        Ok(())
    }

    /// What the called flow is given; a value that does not fit its declaration is an error of the call.
    fn inputs_of(&self, callee: &CalleePlan) -> Result<Vec<(Slot, Value)>, Reason> {
        let given = |input: &GivenInput| {
            let value = self.render(&input.value)?;
            input.fits.check(&value).map_err(|wrong| self.misfit(input, &wrong))?;
            Ok((input.slot, value))
        };
        let given = callee.inputs.iter().map(given);
        given.chain(callee.defaults.iter().cloned().map(Ok)).collect()
    }

    fn misfit(&self, input: &GivenInput, wrong: &str) -> Reason {
        let message = format!("the value of `{}` does not fit: {wrong}", input.name);
        let place = input.value.path.clone();
        self.error(Failure { place, ..Failure::new(ErrorKind::Type, message) })
    }

    fn begin_with(&mut self, called: &Plan, inputs: Vec<(Slot, Value)>) -> Result<Variables, Reason> {
        let mut variables = Variables::new(called.slots.len());
        for (slot, value) in inputs {
            if let Err(failure) = variables.write(called, &mut self.run.room, slot, value) {
                variables.release(&mut self.run.room);
                return Err(Reason::Limit(Box::new(self.located(*failure))));
            }
        }
        Ok(variables)
    }

    /// The called flow ended well.
    pub(crate) fn callee_done(&mut self, outputs: Map<String, Value>) -> Step {
        let step = self.strand.frames.last().and_then(|frame| frame.step).unwrap_or_default();
        self.keep_output(step, Value::Object(outputs))
    }
}
