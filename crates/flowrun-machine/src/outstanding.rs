//! What a run that was restored waits for: the commands whose answers have not come.
//!
//! They carry the numbers and keys they had, so an answer is taken wherever it comes from, and a call that is made once
//! more can be known as the same (runs.md 8).

use crate::command::Command;
use crate::plan::Plan;
use crate::run::Run;
use crate::strand::{Blocked, CallState, Pending, Strand};

impl Run {
    /// The commands that were given and not answered, in the order of their numbers: calls, calls that were told to stop,
    /// calls in doubt, timers, waits; at the end [`Command::Yield`], if there is more to walk.
    #[must_use]
    pub fn outstanding(&self, plan: &Plan) -> Vec<Command> {
        if self.is_over {
            return Vec::new();
        }
        let timers = self.timers.iter().map(|(op, due)| (*op, Command::Timer { op: *op, at: due.at }));
        let waits = self.strands.values().filter_map(|strand| self.waits_for(plan, strand));
        let mut commands: Vec<_> = timers.chain(waits).collect();
        commands.sort_by_key(|(op, _)| *op);
        let mut commands: Vec<_> = commands.into_iter().map(|(_, command)| command).collect();
        if !self.ready.is_empty() {
            commands.push(Command::Yield);
        }
        commands
    }

    fn waits_for(&self, plan: &Plan, strand: &Strand) -> Option<(u64, Command)> {
        match strand.blocked.as_ref()? {
            Blocked::Call(Pending { state: CallState::Backoff(_), .. }) => None,
            Blocked::Call(Pending { state: CallState::Aborting { .. }, op, .. }) => {
                Some((*op, Command::Abort { op: *op }))
            }
            Blocked::Call(Pending { state: CallState::InDoubt { .. }, op, step, .. }) => {
                Some((*op, Command::InDoubt { op: *op, flow: strand.flow, step: *step }))
            }
            Blocked::Call(pending) => {
                Some((pending.op, strand.command(plan.flow(strand.flow), &self.id, pending)))
            }
            Blocked::Await { op, source, since, .. } => {
                let plan = plan.flow(strand.flow);
                let step = plan.owners[strand.pc].unwrap_or_default();
                let (op, source, since) = (*op, source.clone(), *since);
                Some((op, Command::Await { op, flow: strand.flow, step, source, since }))
            }
            Blocked::Pause { .. } | Blocked::Join(_) => None,
        }
    }
}
