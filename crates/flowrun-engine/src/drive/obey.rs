//! Carries the machine's commands out: calls and timers are tasks, the rest is told to whoever is meant.

use std::sync::Arc;

use flowrun_machine::{Command, Happening};
use flowrun_step::StepContext;
use jiff::Timestamp;

use super::{CallNotice, Driver, Underway};
use crate::mail::Told;
use crate::observe::RunEvent;
use crate::perform::{Attempt, perform};

impl Driver<'_> {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Call { .. } => self.call(command),
            Command::Timer { op, at } => self.timer(op, at),
            Command::InDoubt { flow, step, .. } => {
                let step = self.plan.step_name(flow, step);
                self.services.observer.on(&RunEvent::InDoubt { step });
            }
            Command::Abort { op } => self.abort(op),
            Command::Drop { op } => {
                self.letterbox.forget(op);
                self.abort(op);
            }
            Command::Await { op, flow, step, source, since } => {
                let step = self.plan.step_name(flow, step);
                self.letterbox.wait(op, source.clone(), since);
                self.services.observer.on(&RunEvent::Waiting { step, source });
            }
            Command::Answer { status, headers, body } => {
                self.services.observer.on(&RunEvent::Answered { status, headers, body });
            }
            Command::Emit { event, key, data, id } => self.emit(Told { event, key, data, id }),
            Command::Log { level, text, data, .. } => {
                self.services.observer.on(&RunEvent::Logged { level, text, data });
            }
            Command::Retrying { flow, step, wait, .. } => {
                let step = self.plan.step_name(flow, step);
                self.services.observer.on(&RunEvent::Retrying { step, wait });
            }
            Command::NotUndone { failure } => {
                let flow = failure.flow.unwrap_or_default();
                let step = failure.step.map(|step| self.plan.step_name(flow, step)).unwrap_or_default();
                self.services.observer.on(&RunEvent::NotUndone { step, error: failure.message });
            }
            Command::StepEnded { flow, step, status, attempts } => {
                let step = self.plan.step_name(flow, step);
                self.services.observer.on(&RunEvent::StepEnded { step, status, attempts });
            }
            Command::Yield | Command::Finish(_) => {}
        }
    }

    /// Tells the host and every other run; this one hears of it here, at once.
    fn emit(&mut self, told: Told) {
        self.services.observer.on(&RunEvent::Emitted(told.clone()));
        self.letterbox.tell(self.services.clock.now(), told.clone());
        // A channel without a receiver is a house without another run.
        let _ = self.services.events.send(told);
    }

    fn call(&mut self, command: Command) {
        let Command::Call { op, flow, step, call, settings, key, effect, attempt, deadline, page } = command
        else {
            return;
        };
        let called = self.plan.flow(flow);
        let plan = called.calls[call].clone();
        let (plain, integrations) =
            (Arc::clone(&self.services.plain), Arc::clone(&self.services.integrations));
        let mut context =
            StepContext::new(self.services.tenant.clone(), self.id.clone(), plain, integrations);
        (context.path, context.key, context.attempt) = (called.steps[step].path.clone(), key, attempt);
        (context.deadline, context.effect) = (deadline, effect);
        let left =
            |at: Timestamp| at.duration_since(self.services.clock.now()).try_into().unwrap_or_default();
        context.left = deadline.map(left);
        context.name = self.plan.step_name(flow, step);
        let notice = self.notice((flow, step), &plan.kind, (attempt, &context.key));
        let work = perform(Arc::clone(&self.services), Attempt { context, settings, plan, page });
        let handle = self.tasks.spawn(async move {
            let result = work.await;
            Happening::Called { op, result }
        });
        self.underway.insert(handle.id(), Underway { op, handle, call: Some(notice) });
    }

    fn notice(&self, (flow, step): (usize, usize), kind: &str, (attempt, key): (u32, &str)) -> CallNotice {
        let step = self.plan.step_name(flow, step);
        let kind = kind.to_owned();
        self.services.observer.on(&RunEvent::CallStarted { step: step.clone(), kind: kind.clone(), attempt });
        CallNotice { step, kind, attempt, key: key.to_owned(), began: self.services.clock.now() }
    }

    fn timer(&mut self, op: u64, at: Timestamp) {
        let sleep = self.services.clock.sleep_until(at);
        let handle = self.tasks.spawn(async move {
            sleep.await;
            Happening::Fired { op }
        });
        self.underway.insert(handle.id(), Underway { op, handle, call: None });
    }

    pub(super) fn abort(&mut self, op: u64) {
        self.underway.values().filter(|task| task.op == op).for_each(|task| task.handle.abort());
    }
}
