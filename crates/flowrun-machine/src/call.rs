//! Calls: begun, tried again, aborted, and what comes back of them.

use std::time::Duration;

use flowrun_template::ErrorKind;

use crate::advance::{Step, Walk};
use crate::command::Command;
use crate::event::Called;
use crate::failure::Failure;
use crate::key::{key, scatter};
use crate::plan::OutputUse;
use crate::retry::{backoff, is_worth_another};
use crate::run::{CallState, Pending, Reason, Timer};

/// How long an aborted call may take to say so.
const ABORT: Duration = Duration::from_secs(5);

impl Walk<'_> {
    /// Begins a call: its settings are rendered once, for all attempts.
    pub(crate) fn call(&mut self, call: usize) -> Step {
        let plan = &self.plan.calls[call];
        let settings = self.rendered(&plan.settings)?;
        let step = self.plan.owners[self.run.pc].unwrap_or_default();
        if let Some(frame) = self.run.frames.last_mut() {
            frame.call = Some(call);
        }
        let pending = Pending { op: 0, call, step, attempt: 1, settings, state: CallState::InFlight };
        self.attempt(pending);
        Ok(())
    }

    fn attempt(&mut self, mut pending: Pending) {
        let plan = &self.plan.calls[pending.call];
        (pending.op, pending.state) = (self.run.number(), CallState::InFlight);
        self.commands.push(Command::Call {
            op: pending.op,
            step: pending.step,
            call: pending.call,
            settings: pending.settings.clone(),
            key: key(&self.run.id, &self.plan.steps[pending.step].path),
            effect: plan.effect,
            attempt: pending.attempt,
            deadline: self.run.deadline(),
        });
        if let Some(frame) = self.run.frames.last_mut() {
            frame.attempts = pending.attempt;
        }
        self.run.pending = Some(pending);
    }

    /// A call came back. One that is no longer waited for is ignored.
    pub(crate) fn called(&mut self, op: u64, result: Called) {
        let Some(pending) = self.run.pending.take_if(|pending| pending.op == op) else { return };
        match (pending.state, result) {
            (CallState::Aborting { timer, reason }, _) => {
                self.drop_timer(timer);
                self.unwind(reason);
            }
            (_, Called::Done { output, variables }) => {
                let (call, step) = (pending.call, pending.step);
                if let Err(reason) = self.keep(call, step, output, variables) {
                    self.unwind(reason);
                }
            }
            (_, Called::Failed(failure)) => {
                let pending = Pending { state: CallState::InFlight, ..pending };
                self.failed(pending, failure);
            }
            (_, Called::Aborted) => {
                let failure = Failure::new(ErrorKind::Failed, "the call was aborted from outside");
                let reason = self.error(failure);
                self.unwind(reason);
            }
        }
    }

    fn keep(
        &mut self,
        call: usize,
        step: usize,
        output: serde_json::Value,
        variables: Vec<(flowrun_template::Slot, serde_json::Value)>,
    ) -> Step {
        for (slot, value) in variables {
            self.write(slot, value)?;
        }
        let into = self.run.frames.last().and_then(|frame| self.plan.scopes[frame.scope].into);
        if self.plan.calls[call].output != OutputUse::Nobody && self.plan.steps[step].is_mentioned {
            self.run.record_output(self.plan, step, output.clone());
        }
        if let Some(slot) = into {
            self.write(slot, output)?;
        }
        self.run.pc += 1;
        Ok(())
    }

    fn failed(&mut self, pending: Pending, failure: Failure) {
        let wait = self.wait(&pending, &failure);
        let at = wait.and_then(|wait| self.run.now.checked_add(wait).ok());
        let in_time = |at: &jiff::Timestamp| self.run.deadline().is_none_or(|deadline| *at < deadline);
        match (wait, at.filter(in_time)) {
            (Some(wait), Some(at)) => {
                let timer = self.timer(Timer::Backoff, at);
                let (step, attempt) = (pending.step, pending.attempt + 1);
                self.commands.push(Command::Retrying { step, attempt, wait });
                self.run.pending =
                    Some(Pending { attempt, op: 0, state: CallState::Backoff(timer), ..pending });
            }
            _ => {
                let failure = Failure { attempts: pending.attempt, step: Some(pending.step), ..failure };
                let reason = self.error(failure);
                self.unwind(reason);
            }
        }
    }

    /// How long to wait before another attempt, if there is to be one (L-10).
    fn wait(&self, pending: &Pending, failure: &Failure) -> Option<Duration> {
        let retry = self.plan.calls[pending.call].retry.as_ref()?;
        let scatter = scatter(&self.run.id, &self.plan.steps[pending.step].path, pending.attempt);
        let wait = backoff(retry, pending.attempt, scatter).max(failure.retry_after.unwrap_or_default());
        is_worth_another(retry, failure, pending.attempt).then_some(wait)
    }

    /// A timer fired. One that was dropped is ignored.
    pub(crate) fn fired(&mut self, op: u64) {
        match self.run.timers.remove(&op) {
            None => {}
            Some(Timer::Scope(depth)) => {
                self.run.frames[depth].timer = None;
                self.interrupt(Reason::Timeout(depth));
            }
            // A limit, so that no handler within the `finally` takes it.
            Some(Timer::Finally(depth)) => {
                self.run.frames[depth].timer = None;
                let failure = Failure::new(ErrorKind::Timeout, "`finally` was not done within 30s");
                let failure = self.located(failure);
                self.leave_for(Reason::Limit(Box::new(failure)));
            }
            Some(Timer::Backoff) => {
                if let Some(pending) = self.run.pending.take() {
                    self.attempt(pending);
                }
            }
            Some(Timer::Abort) => {
                if let Some(Pending { state: CallState::Aborting { reason, .. }, .. }) =
                    self.run.pending.take()
                {
                    self.unwind(reason);
                }
            }
        }
    }

    /// Tells what is called to stop. Gives the reason back if nothing has to be waited for.
    pub(crate) fn abort(&mut self, reason: Reason) -> Option<Reason> {
        let Some(mut pending) = self.run.pending.take() else { return Some(reason) };
        match pending.state {
            CallState::Backoff(timer) => {
                self.drop_timer(timer);
                Some(reason)
            }
            CallState::InFlight => {
                self.commands.push(Command::Abort { op: pending.op });
                let at = self.run.now.checked_add(ABORT).unwrap_or(self.run.now);
                let timer = self.timer(Timer::Abort, at);
                pending.state = CallState::Aborting { timer, reason };
                self.run.pending = Some(pending);
                None
            }
            CallState::Aborting { timer, reason: earlier } => {
                let reason = if matches!(reason, Reason::Cancel(_)) { reason } else { earlier };
                pending.state = CallState::Aborting { timer, reason };
                self.run.pending = Some(pending);
                None
            }
        }
    }
}
