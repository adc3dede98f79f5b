//! Leaves scopes: by their end, by an error, a deadline, a cancel or `end` (runs.md's one mechanism).
//!
//! `on_error` takes errors only; `finally` runs for every reason, once, shielded and limited. What is
//! called is aborted first and waited for, so nothing of a scope is under way once it is left.

use std::time::Duration;

use flowrun_template::{CallEffect, ErrorKind};

use crate::advance::{Step, Walk};
use crate::command::{Command, End, StepStatus as Status};
use crate::failure::Failure;
use crate::plan::OnError;
use crate::run::{Due, Timer};
use crate::strand::{Frame, Phase, Reason, StrandEnd};

/// The time a `finally` has, whatever is going on around it.
const FINALLY: Duration = Duration::from_secs(30);

impl Walk<'_> {
    /// Something wants the run to leave: now, or once a `finally` within what it leaves is through.
    pub(crate) fn interrupt(&mut self, reason: Reason) {
        if self.strand.is_main() && self.run.undo.is_under_way() {
            return;
        }
        let depth = if let Reason::Timeout(depth) = reason { depth } else { 0 };
        if self.strand.is_shielded(depth) {
            self.strand.deferred = Some(match self.strand.deferred.take() {
                Some(earlier) => earlier.or_further(Some(reason)),
                None => reason,
            });
        } else {
            self.leave_for(reason);
        }
    }

    /// Aborts what is called, then unwinds.
    pub(crate) fn leave_for(&mut self, reason: Reason) {
        if let Some(reason) = self.abort(reason) {
            self.unwind(reason);
        }
    }

    /// Leaves scopes until one goes on: with its handler, with its `finally`, or after it.
    pub(crate) fn unwind(&mut self, reason: Reason) {
        let mut reason = reason;
        while let Some(depth) = self.strand.frames.len().checked_sub(1) {
            reason = self.due(depth, reason);
            let phase = self.strand.frames[depth].phase;
            if phase == Phase::Body {
                reason = match self.handle(depth, reason) {
                    None => return,
                    Some(reason) => reason,
                };
            }
            if phase == Phase::Finally {
                reason = self.failed_finally(depth, reason);
            } else if self.begin_finally(depth, Some(&reason)) {
                return;
            }
            self.pop(self.status_when(&reason));
            reason = reason.or_further(self.deferred());
        }
        if !self.strand.is_main() {
            self.strand.end = Some(StrandEnd::Left(reason));
            return;
        }
        self.end_run(match reason {
            Reason::Error(failure) | Reason::Limit(failure) => End::Failed(*failure),
            Reason::Timeout(_) => End::TimedOut(self.out_of_time(0)),
            Reason::Cancel(reason) => End::Cancelled { reason },
            Reason::End(outputs) => End::Done { outputs },
            // The flow's own strand has no siblings.
            Reason::Sibling => End::Cancelled { reason: String::new() },
        });
    }

    /// A step's deadline becomes an error at that step; the flow's stays what it is.
    fn due(&mut self, depth: usize, reason: Reason) -> Reason {
        match reason {
            Reason::Timeout(at) if at == depth && !self.is_flow(depth) => {
                Reason::Error(Box::new(self.out_of_time(depth)))
            }
            Reason::Error(failure) => {
                self.strand.frames[depth].failure = Some((*failure).clone());
                Reason::Error(failure)
            }
            other => other,
        }
    }

    /// Whether the frame at this depth is the flow's own.
    fn is_flow(&self, depth: usize) -> bool {
        depth == 0 && self.strand.is_main()
    }

    fn out_of_time(&self, depth: usize) -> Failure {
        let frame = self.strand.frames.get(depth);
        let scope = frame.map_or(0, |frame| frame.scope);
        let limit =
            self.plan.scopes[scope].timeout.map(flowrun_template::duration::format).unwrap_or_default();
        let step = frame.and_then(|frame| frame.step);
        let what = match step {
            _ if self.is_flow(depth) => "the run",
            Some(_) => "the step",
            None => "the called flow",
        };
        let place =
            step.map_or_else(String::new, |step| format!("{}.", self.plan.steps[step].path)) + "timeout";
        let failure = Failure::new(ErrorKind::Timeout, format!("{what} was not done within {limit}"));
        let effect = frame.map_or(CallEffect::None, |frame| frame.call_effect(self.plan));
        let flow = Some(self.strand.flow);
        Failure { flow, step, place, effect, attempts: frame.map_or(0, |frame| frame.attempts), ..failure }
    }

    /// Lets the scope's `on_error` take an error; gives the reason back if it does not.
    fn handle(&mut self, depth: usize, reason: Reason) -> Option<Reason> {
        let on_error = self.plan.scopes[self.strand.frames[depth].scope].on_error;
        let Reason::Error(failure) = reason else { return Some(reason) };
        self.strand.frames[depth].failure = Some((*failure).clone());
        if on_error == OnError::Raise {
            return Some(Reason::Error(failure));
        }
        if let Err(limit) = self.give_defaults(depth) {
            return Some(limit);
        }
        if let OnError::Handle(pc) = on_error {
            self.leave_body(depth);
            self.roots.show_error(self.root, self.strand, depth, Some(&failure));
            self.strand.pc = pc;
        } else {
            self.end_scope();
        }
        None
    }

    /// The step has failed; its time is no longer counted, the run's is.
    fn leave_body(&mut self, depth: usize) {
        if !self.is_flow(depth) {
            self.stop_timer(depth);
            self.strand.frames[depth].deadline = None;
        }
        self.strand.frames[depth].phase = Phase::Handler;
        self.record(Status::Failed);
    }

    /// Lets `steps` know how the innermost step's body ended, before what follows it (L-12).
    pub(crate) fn record(&mut self, status: Status) {
        if let Some(frame) = self.strand.frames.pop() {
            self.roots.record_step((self.root, self.plan), self.strand, &frame, status);
            self.strand.frames.push(frame);
        }
    }

    /// Each variable of a failed call that has a default gets it (L-11).
    pub(crate) fn give_defaults(&mut self, depth: usize) -> Step {
        let frame = &self.strand.frames[depth];
        let Some(call) = frame.call.or(frame.failed_call) else { return Ok(()) };
        let plan = &self.plan.calls[call];
        let Some(picks) = &plan.picks else { return Ok(()) };
        for (name, default) in picks.part.defaults() {
            if let Some(slot) = self.plan.slots.find(name) {
                self.write(slot, default.clone())?;
            }
        }
        Ok(())
    }

    /// The body or the handler of the innermost scope ended well.
    pub(crate) fn body_ended(&mut self) -> Step {
        self.remember_undo()?;
        self.end_scope();
        Ok(())
    }

    pub(crate) fn end_scope(&mut self) {
        let Some(depth) = self.strand.frames.len().checked_sub(1) else { return };
        if !self.begin_finally(depth, None) {
            self.go_on();
        }
    }

    /// Leaves the innermost scope for what comes after it.
    fn go_on(&mut self) {
        let Some(frame) = self.strand.frames.last() else { return };
        self.strand.pc = self.plan.scopes[frame.scope].resume;
        let status = match frame {
            Frame { failure: Some(_), .. } => Status::Failed,
            Frame { is_skipped: true, .. } => Status::Skipped,
            _ => Status::Done,
        };
        self.pop(status);
        if let Some(reason) = self.deferred() {
            self.leave_for(reason);
        }
    }

    /// What had to wait for a `finally`, once none is under way.
    fn deferred(&mut self) -> Option<Reason> {
        let open = self.strand.frames.len();
        let is_still_due = |reason: &Reason| !matches!(reason, Reason::Timeout(depth) if *depth >= open);
        if self.strand.is_shielded(0) { None } else { self.strand.deferred.take().filter(is_still_due) }
    }

    /// The guard was false.
    pub(crate) fn skip(&mut self) -> Step {
        if let Some(frame) = self.strand.frames.last() {
            self.strand.pc = self.plan.scopes[frame.scope].resume;
        }
        self.pop(Status::Skipped);
        Ok(())
    }

    /// Begins the scope's `finally`, if it has one.
    fn begin_finally(&mut self, depth: usize, after: Option<&Reason>) -> bool {
        let Some(pc) = self.plan.scopes[self.strand.frames[depth].scope].finally else { return false };
        self.stop_timer(depth);
        self.record(match &self.strand.frames[depth] {
            frame if after.is_some() || frame.failure.is_some() => Status::Failed,
            frame if frame.is_skipped => Status::Skipped,
            _ => Status::Done,
        });
        let error = match after {
            Some(Reason::Error(failure) | Reason::Limit(failure)) => Some((**failure).clone()),
            Some(Reason::Timeout(at)) => Some(self.out_of_time(*at)),
            _ => None,
        };
        let until = self.run.now.checked_add(FINALLY).unwrap_or(self.run.now);
        let timer = self.timer(Timer::Finally(depth), until);
        let frame = &mut self.strand.frames[depth];
        (frame.phase, frame.after, frame.timer) = (Phase::Finally, after.cloned(), Some(timer));
        frame.deadline = Some(until);
        self.roots.show_error(self.root, self.strand, depth, error.as_ref());
        self.strand.pc = pc;
        true
    }

    /// A `finally` ended: what was under way when it began goes on.
    pub(crate) fn finally_ended(&mut self) -> Step {
        let after = self.strand.frames.last_mut().and_then(|frame| frame.after.take());
        match after {
            None => self.go_on(),
            Some(reason) => {
                self.pop(self.status_when(&reason));
                return Err(reason.or_further(self.deferred()));
            }
        }
        Ok(())
    }

    /// An error in a `finally` replaces an error or a good end; a deadline or a cancel stays the reason.
    fn failed_finally(&mut self, depth: usize, reason: Reason) -> Reason {
        match self.strand.frames[depth].after.take() {
            Some(outer @ (Reason::Cancel(_) | Reason::Timeout(_) | Reason::Limit(_))) => outer,
            _ => reason,
        }
    }

    /// `fail:` without a name raises the error that is being handled once more.
    pub(crate) fn raise_again(&self) -> Reason {
        let handled = self.strand.frames.iter().rev().find(|frame| frame.phase != Phase::Body);
        match handled.and_then(|frame| frame.failure.clone()) {
            Some(failure) => Reason::Error(Box::new(failure)),
            None => self.error(Failure::new(ErrorKind::Failed, "there is no error to raise again")),
        }
    }

    /// How the innermost scope ended if it is left for this reason: `end` ends well what did not fail before.
    fn status_when(&self, reason: &Reason) -> Status {
        let has_failed = self.strand.frames.last().is_some_and(|frame| frame.failure.is_some());
        if matches!(reason, Reason::End(_)) && !has_failed { Status::Done } else { Status::Failed }
    }

    fn pop(&mut self, status: Status) {
        let Some(depth) = self.strand.frames.len().checked_sub(1) else { return };
        self.stop_timer(depth);
        let Some(mut frame) = self.strand.frames.pop() else { return };
        self.roots.hide_error(self.strand, &mut frame);
        self.roots.hide_index(self.strand, &mut frame);
        self.roots.record_step((self.root, self.plan), self.strand, &frame, status);
        if let Some(step) = frame.step {
            let (flow, attempts) = (self.strand.flow, frame.attempts_of(status));
            self.commands.push(Command::StepEnded { flow, step, status, attempts });
        }
        if let Some(outer) = self.strand.frames.last_mut().filter(|_| status == Status::Failed) {
            outer.failed_call = frame.call.or(frame.failed_call);
        }
    }

    /// Starts a timer.
    pub(crate) fn timer(&mut self, timer: Timer, at: jiff::Timestamp) -> u64 {
        let op = self.run.number();
        self.run.timers.insert(op, Due { strand: self.id, what: timer, at });
        self.commands.push(Command::Timer { op, at });
        op
    }

    /// Stops a frame's timer, if one is running.
    fn stop_timer(&mut self, depth: usize) {
        if let Some(op) = self.strand.frames[depth].timer.take() {
            self.drop_timer(op);
        }
    }

    pub(crate) fn drop_timer(&mut self, op: u64) {
        if self.run.timers.remove(&op).is_some() {
            self.commands.push(Command::Drop { op });
        }
    }
}

impl Frame {
    /// How many attempts a step took that ended so: whatever was begun was tried once.
    pub(crate) fn attempts_of(&self, status: Status) -> u32 {
        if status == Status::Skipped { 0 } else { self.attempts.max(1) }
    }

    /// What is known of the effect of a call that was cut short.
    fn call_effect(&self, plan: &crate::plan::Plan) -> CallEffect {
        match self.call.map(|call| plan.calls[call].effect) {
            None | Some(flowrun_template::Effect::Safe) => CallEffect::None,
            Some(_) => CallEffect::Unknown,
        }
    }
}
