//! Calls of which nobody can say whether they were made (`in_doubt`, L-9; runs.md 8).
//!
//! A driver that died may have made a call whose end it never wrote down. The step says what to do; by default it waits for
//! somebody who knows. Times that are up wait with it, for leaving would hide the doubt; a cancel does not.

use flowrun_template::{CallEffect, ErrorKind};

use crate::advance::Walk;
use crate::command::Command;
use crate::failure::Failure;
use crate::plan::InDoubt;
use crate::strand::{Blocked, CallState, Pending, Reason};

impl Walk<'_> {
    /// Nobody knows of this call; its step says what to do.
    pub(crate) fn doubted(&mut self, pending: Pending) {
        let how = self.plan.calls[pending.call].in_doubt;
        self.resolve(pending, how);
    }

    /// Somebody says what becomes of a call in doubt.
    pub(crate) fn resolved(&mut self, op: u64, how: InDoubt) {
        match self.take_call() {
            Some(pending @ Pending { state: CallState::InDoubt { .. }, .. }) => self.resolve(pending, how),
            Some(pending) => {
                self.run.calls.insert(op, self.id);
                self.strand.blocked = Some(Blocked::Call(pending));
            }
            None => {}
        }
    }

    fn resolve(&mut self, mut pending: Pending, how: InDoubt) {
        let (op, step) = (pending.op, pending.step);
        let reason = match std::mem::replace(&mut pending.state, CallState::InFlight) {
            CallState::InDoubt { reason } => reason,
            _ => None,
        };
        match (how, reason) {
            (InDoubt::Stop, reason) => {
                self.commands.push(Command::InDoubt { op, flow: self.strand.flow, step });
                self.run.calls.insert(op, self.id);
                pending.state = CallState::InDoubt { reason };
                self.strand.blocked = Some(Blocked::Call(pending));
            }
            (_, Some(reason)) => self.unwind(reason),
            (InDoubt::Retry, None) => self.attempt(Pending { attempt: pending.attempt + 1, ..pending }),
            (InDoubt::Skip, None) if !self.strand.frames.is_empty() => self.skip_call(),
            // A page that a loop asked for is no step of its own that could be skipped.
            (InDoubt::Skip | InDoubt::Fail, None) => {
                let reason = self.in_doubt(&pending);
                self.unwind(reason);
            }
        }
    }

    /// Goes on after the step: without what it would have given, and with nothing to take back.
    fn skip_call(&mut self) {
        let Some(depth) = self.strand.frames.len().checked_sub(1) else { return };
        if let Err(reason) = self.give_defaults(depth) {
            return self.unwind(reason);
        }
        self.strand.frames[depth].is_skipped = true;
        self.end_scope();
    }

    fn in_doubt(&self, pending: &Pending) -> Reason {
        let failure = Failure::new(ErrorKind::Failed, "whether the call was made is not known");
        let (name, step) = (Some("in_doubt".to_owned()), Some(pending.step));
        let help =
            Some("look at the service, and say `in_doubt: retry` if a second call does no harm".to_owned());
        self.error(Failure {
            name,
            step,
            attempts: pending.attempt,
            effect: CallEffect::Unknown,
            help,
            ..failure
        })
    }
}
