//! Names for what a plan counts: steps by their path, ops by their step and word, variables by name.

use std::fmt;

use flowrun_template::Slot;
use serde::{Deserialize, Serialize};

use super::Unrestorable;
use crate::plan::{Op, Pc, Plan};

/// A position among the ops: the `nth` op of this word that belongs to this step, counting from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// The step's path; none for the flow's own ops.
    step: Option<String>,
    op: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    nth: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(nth: &usize) -> bool {
    *nth == 0
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, op, nth } = self;
        write!(f, "{} {op} {nth}", step.as_deref().unwrap_or("-"))
    }
}

/// The names of one flow of a bundle.
#[derive(Clone, Copy)]
pub(super) struct Names<'a>(pub(super) &'a Plan);

impl Names<'_> {
    pub(super) fn step(self, step: usize) -> String {
        self.0.steps.get(step).map(|step| step.path.clone()).unwrap_or_default()
    }

    pub(super) fn step_index(self, path: &str) -> Result<usize, Unrestorable> {
        let found = self.0.steps.iter().position(|step| step.path == path);
        found.ok_or_else(|| Unrestorable::Missing(format!("step `{path}`")))
    }

    pub(super) fn place(self, pc: Pc) -> Place {
        let (ops, owners) = (&self.0.ops, &self.0.owners);
        let (owner, word) = (owners[pc], ops[pc].word());
        let nth = (0..pc).filter(|at| owners[*at] == owner && ops[*at].word() == word).count();
        Place { step: owner.map(|step| self.step(step)), op: word.to_owned(), nth }
    }

    pub(super) fn pc(self, place: &Place) -> Result<Pc, Unrestorable> {
        let owner = place.step.as_deref().map(|path| self.step_index(path)).transpose()?;
        let is_meant = |at: &Pc| self.0.owners[*at] == owner && self.0.ops[*at].word() == place.op;
        let found = (0..self.0.ops.len()).filter(is_meant).nth(place.nth);
        found.ok_or_else(|| {
            let step = place.step.as_deref().unwrap_or("the flow");
            Unrestorable::Missing(format!("`{}` number {} at {step}", place.op, place.nth + 1))
        })
    }

    /// Where a call is made; where a page of it is fetched later is not its place.
    pub(super) fn call(self, call: usize) -> Option<Place> {
        let makes = |op: &Op| matches!(op, Op::Call { call: made } if *made == call);
        self.0.ops.iter().position(makes).map(|pc| self.place(pc))
    }

    pub(super) fn call_index(self, place: &Place) -> Result<usize, Unrestorable> {
        match &self.0.ops[self.pc(place)?] {
            Op::Call { call } => Ok(*call),
            other => Err(Unrestorable::Damaged(format!("`{}` is no call", other.word()))),
        }
    }

    /// The scope of a step, or of the flow.
    pub(super) fn scope(self, step: Option<usize>) -> Result<usize, Unrestorable> {
        let entered = self.0.ops.iter().zip(&self.0.owners).find_map(|(op, owner)| match op {
            Op::Enter { scope } if *owner == step => Some(*scope),
            _ => None,
        });
        entered.ok_or_else(|| Unrestorable::Missing("scope of that step".to_owned()))
    }

    pub(super) fn variable(self, name: &str) -> Result<Slot, Unrestorable> {
        self.0.slots.find(name).ok_or_else(|| Unrestorable::Missing(format!("variable `{name}`")))
    }
}

impl Op {
    /// What checkpoints call it. A word is never given another meaning.
    fn word(&self) -> &'static str {
        match self {
            Self::Enter { .. } => "enter",
            Self::Leave => "leave",
            Self::Skip => "skip",
            Self::Handled => "handled",
            Self::EndFinally => "end_finally",
            Self::Branch { .. } => "branch",
            Self::Jump { .. } => "jump",
            Self::Set { .. } => "set",
            Self::Compute { .. } => "compute",
            Self::Call { .. } => "call",
            Self::CallFlow { .. } => "call_flow",
            Self::Each { .. } => "each",
            Self::Fork { .. } => "fork",
            Self::EndStrand { .. } => "end_strand",
            Self::FirstTurn { .. } => "first_turn",
            Self::NextTurn { .. } => "next_turn",
            Self::Pause(_) => "pause",
            Self::IfSet { .. } => "if_set",
            Self::Ask { .. } => "ask",
            Self::Await { .. } => "await",
            Self::Respond { .. } => "respond",
            Self::Emit { .. } => "emit",
            Self::Log { .. } => "log",
            Self::Raise { .. } => "raise",
            Self::RaiseAgain => "raise_again",
            Self::End { .. } => "end",
            Self::Finish => "finish",
        }
    }
}
