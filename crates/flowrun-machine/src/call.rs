//! Calls: begun, tried again, aborted, and what comes back of them.

use std::time::Duration;

use flowrun_template::ErrorKind;

use crate::advance::{Step, Walk};
use crate::command::Command;
use crate::event::Called;
use crate::failure::Failure;
use crate::key::{key, scatter};
use crate::paging::Turning;
use crate::plan::{OutputUse, Plan};
use crate::retry::{backoff, is_worth_another};
use crate::run::Timer;
use crate::strand::{Blocked, CallState, Pending, Reason, Strand};

/// How long an aborted call may take to say so.
const ABORT: Duration = Duration::from_secs(5);

impl Walk<'_> {
    /// Begins a call: its settings are rendered once, for all attempts.
    pub(crate) fn call(&mut self, call: usize) -> Step {
        let plan = &self.plan.calls[call];
        let (settings, turning) = match self.strand.fetches.as_deref() {
            Some((settings, turning)) => (settings.clone(), Some(Box::new(turning.clone()))),
            None => {
                (self.rendered(&plan.settings)?, plan.paging.as_ref().map(|_| Box::new(Turning::first())))
            }
        };
        let step = self.plan.owners[self.strand.pc].unwrap_or_default();
        if let Some(frame) = self.strand.frames.last_mut() {
            frame.call = Some(call);
        }
        let pending =
            Pending { op: 0, call, step, attempt: 1, settings, turning, state: CallState::InFlight };
        self.attempt(pending);
        Ok(())
    }

    pub(crate) fn attempt(&mut self, mut pending: Pending) {
        (pending.op, pending.state) = (self.run.number(), CallState::InFlight);
        self.commands.push(self.strand.command(self.plan, &self.run.id, &pending));
        if let Some(frame) = self.strand.frames.last_mut() {
            frame.attempts = match &pending.turning {
                Some(turning) if turning.ask.number > 1 => frame.attempts.max(pending.attempt),
                _ => pending.attempt,
            };
        }
        self.run.calls.insert(pending.op, self.id);
        self.strand.blocked = Some(Blocked::Call(pending));
    }

    /// Takes the call that is waited for.
    pub(crate) fn take_call(&mut self) -> Option<Pending> {
        match self.strand.blocked.take() {
            Some(Blocked::Call(pending)) => Some(pending),
            other => {
                self.strand.blocked = other;
                None
            }
        }
    }

    /// A call came back. One that is no longer waited for is ignored.
    pub(crate) fn called(&mut self, op: u64, result: Called) {
        let Some(pending) = self.take_call() else { return };
        if pending.op != op {
            self.strand.blocked = Some(Blocked::Call(pending));
            return;
        }
        match (pending.state, result) {
            (CallState::Aborting { timer, reason }, _) => {
                self.drop_timer(timer);
                self.unwind(reason);
            }
            (state, Called::InDoubt) => self.doubted(Pending { state, ..pending }),
            (CallState::InDoubt { reason: Some(reason) }, _) => self.unwind(reason),
            (_, Called::Done { output, variables }) => {
                let (call, step) = (pending.call, pending.step);
                if let Err(reason) = self.keep(call, step, output, variables) {
                    self.unwind(reason);
                }
            }
            (state, Called::Page { items, next, body }) => {
                self.page_came(Pending { state, ..pending }, (items, next, body));
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

    pub(crate) fn keep(
        &mut self,
        call: usize,
        step: usize,
        output: serde_json::Value,
        variables: Vec<(flowrun_template::Slot, serde_json::Value)>,
    ) -> Step {
        for (slot, value) in variables {
            self.write(slot, value)?;
        }
        if self.plan.calls[call].output != OutputUse::Nobody {
            self.keep_output(step, output)?;
        }
        self.strand.pc += 1;
        Ok(())
    }

    /// Keeps a step's output where somebody reads it: in `steps.<id>`, in the variable of `into`.
    pub(crate) fn keep_output(&mut self, step: usize, output: serde_json::Value) -> Step {
        let into = self.strand.frames.last().and_then(|frame| self.plan.scopes[frame.scope].into);
        if self.plan.steps[step].is_mentioned {
            self.roots.record_output(self.plan, self.strand, step, output.clone());
        }
        match into {
            Some(slot) => self.write(slot, output),
            None => Ok(()),
        }
    }

    fn failed(&mut self, pending: Pending, failure: Failure) {
        let wait = self.wait(&pending, &failure);
        let at = wait.and_then(|wait| self.run.now.checked_add(wait).ok());
        let in_time = |at: &jiff::Timestamp| self.strand.deadline().is_none_or(|deadline| *at < deadline);
        match (wait, at.filter(in_time)) {
            (Some(wait), Some(at)) => {
                let timer = self.timer(Timer::Backoff, at);
                let (step, attempt) = (pending.step, pending.attempt + 1);
                let flow = self.strand.flow;
                self.commands.push(Command::Retrying { flow, step, attempt, wait });
                let pending = Pending { attempt, op: 0, state: CallState::Backoff(timer), ..pending };
                self.strand.blocked = Some(Blocked::Call(pending));
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
        let scatter = scatter(&self.run.id, &self.strand.place_of(self.plan, pending), pending.attempt);
        let wait = backoff(retry, pending.attempt, scatter).max(failure.retry_after.unwrap_or_default());
        is_worth_another(retry, failure, pending.attempt).then_some(wait)
    }

    /// A timer of this strand fired.
    pub(crate) fn fired(&mut self, op: u64, timer: Timer) {
        match timer {
            Timer::Scope(depth) => {
                self.strand.frames[depth].timer = None;
                self.interrupt(Reason::Timeout(depth));
            }
            // A limit, so that no handler within the `finally` takes it.
            Timer::Finally(depth) => {
                self.strand.frames[depth].timer = None;
                let failure = Failure::new(ErrorKind::Timeout, "`finally` was not done within 30s");
                let failure = self.located(failure);
                self.leave_for(Reason::Limit(Box::new(failure)));
            }
            Timer::Backoff => {
                if let Some(pending) = self.take_call() {
                    self.attempt(pending);
                }
            }
            Timer::Abort => {
                if let Some(Pending { op, state: CallState::Aborting { reason, .. }, .. }) = self.take_call()
                {
                    self.run.calls.remove(&op);
                    self.unwind(reason);
                }
            }
            Timer::Pause => self.pause_ended(op),
            Timer::Answer => self.nobody_answered(),
            Timer::Age => self.too_old(),
        }
    }

    /// Tells what is waited for to stop. Gives the reason back if nothing has to be waited for.
    pub(crate) fn abort(&mut self, reason: Reason) -> Option<Reason> {
        match self.strand.blocked.take() {
            None => Some(reason),
            Some(Blocked::Pause { timer, .. }) => {
                self.drop_timer(timer);
                Some(reason)
            }
            Some(waits @ Blocked::Await { .. }) => {
                self.strand.blocked = Some(waits);
                self.stop_waiting();
                Some(reason)
            }
            Some(Blocked::Join(group)) => {
                self.strand.blocked = Some(Blocked::Join(group));
                self.leave_group(group, reason);
                None
            }
            Some(Blocked::Call(pending)) => self.abort_call(pending, reason),
        }
    }

    fn abort_call(&mut self, mut pending: Pending, reason: Reason) -> Option<Reason> {
        pending.state = match pending.state {
            CallState::Backoff(timer) => {
                self.drop_timer(timer);
                return Some(reason);
            }
            CallState::InDoubt { .. } if self.run.is_cancelled => {
                self.run.calls.remove(&pending.op);
                self.commands.push(Command::Drop { op: pending.op });
                return Some(reason);
            }
            CallState::InDoubt { reason: None } => CallState::InDoubt { reason: Some(reason) },
            CallState::InDoubt { reason: Some(earlier) } => {
                CallState::InDoubt { reason: Some(earlier.or_further(Some(reason))) }
            }
            CallState::InFlight => {
                self.commands.push(Command::Abort { op: pending.op });
                let at = self.run.now.checked_add(ABORT).unwrap_or(self.run.now);
                CallState::Aborting { timer: self.timer(Timer::Abort, at), reason }
            }
            CallState::Aborting { timer, reason: earlier } => {
                CallState::Aborting { timer, reason: earlier.or_further(Some(reason)) }
            }
        };
        self.strand.blocked = Some(Blocked::Call(pending));
        None
    }
}

impl Strand {
    /// What asks the driver to make a call.
    pub(crate) fn command(&self, plan: &Plan, run: &str, pending: &Pending) -> Command {
        Command::Call {
            op: pending.op,
            flow: self.flow,
            step: pending.step,
            call: pending.call,
            settings: pending.settings.clone(),
            key: key(run, &self.place_of(plan, pending)),
            effect: plan.calls[pending.call].effect,
            attempt: pending.attempt,
            deadline: self.deadline(),
            page: pending.turning.as_ref().map(|turning| turning.ask.clone()),
        }
    }

    /// The step that calls, and which turn or item of the loops around it: what its key and its waits derive from.
    fn place_of(&self, plan: &Plan, pending: &Pending) -> String {
        let place = plan.steps[pending.step].path.clone() + &self.trail();
        match &pending.turning {
            Some(turning) if turning.ask.number > 1 => format!("{place}@{}", turning.ask.number),
            _ => place,
        }
    }
}
