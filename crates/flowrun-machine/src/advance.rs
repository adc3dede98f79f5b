//! Walks a run through its plan.

use crate::command::Command;
use crate::event::Event;
use crate::plan::Plan;
use crate::run::Run;

/// Takes one event and gives what is to be done next.
pub fn advance(_plan: &Plan, _run: &mut Run, _event: Event) -> Vec<Command> {
    Vec::new()
}
