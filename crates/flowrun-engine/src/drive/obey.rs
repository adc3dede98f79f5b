//! Carries the machine's commands out: calls and timers are tasks, the rest is told to whoever is meant.

use std::sync::Arc;

use flowrun_machine::{Command, Happening};
use flowrun_step::{Effect, StepContext};
use jiff::Timestamp;

use super::{CallNotice, Driver, Task, Underway};
use crate::journal::JournalError;
use crate::mail::{Incoming, Told};
use crate::observe::RunEvent;
use crate::perform::{Attempt, perform};

impl Driver<'_> {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Call { .. } => self.call(command),
            Command::Timer { op, at } => self.timer(op, at),
            Command::InDoubt { flow, step, .. } => {
                let step = self.plan.step_name(flow, step);
                self.observe(&RunEvent::InDoubt { step });
            }
            Command::Abort { op } => self.abort(op),
            Command::Drop { op } => self.abort(op),
            Command::Await { flow, step, source, .. } => {
                let step = self.plan.step_name(flow, step);
                self.observe(&RunEvent::Waiting { step, source });
            }
            Command::Answer { status, headers, body } => {
                self.observe(&RunEvent::Answered { status, headers, body });
                if let Some(hosted) = self.inlet.hosted() {
                    hosted.supervisor.settle(&self.key);
                }
            }
            Command::Log { level, text, data, .. } => {
                self.observe(&RunEvent::Logged { level, text, data });
            }
            Command::Retrying { flow, step, wait, .. } => {
                let step = self.plan.step_name(flow, step);
                self.observe(&RunEvent::Retrying { step, wait });
            }
            Command::NotUndone { failure } => {
                let flow = failure.flow.unwrap_or_default();
                let step = failure.step.map(|step| self.plan.step_name(flow, step)).unwrap_or_default();
                self.observe(&RunEvent::NotUndone { step, error: failure.message });
            }
            Command::StepEnded { flow, step, status, attempts } => {
                let step = self.plan.step_name(flow, step);
                self.observe(&RunEvent::StepEnded { step, status, attempts });
            }
            Command::Emit { .. } | Command::Yield | Command::Finish(_) => {}
        }
    }

    /// Tells the host and every other run; one whose engine hosts it hears of it in its mail, any other here and at once.
    pub(super) async fn emit(&mut self, told: Told) -> Result<(), JournalError> {
        self.observe(&RunEvent::Emitted(told.clone()));
        if let Some(hosted) = self.inlet.hosted() {
            let supervisor = Arc::clone(&hosted.supervisor);
            return supervisor.tell(&self.key.tenant, told).await.map(drop);
        }
        self.letterbox.keep(self.services.clock.now(), None, Incoming::Event(told.clone()));
        // A channel without a receiver is a house without another run.
        let _ = self.services.events.send(told);
        Ok(())
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
        let mut context = StepContext::new(self.key.tenant.clone(), self.key.id.clone(), plain, integrations);
        (context.path, context.key, context.attempt) = (called.steps[step].path.clone(), key, attempt);
        (context.deadline, context.effect) = (deadline, effect);
        let left =
            |at: Timestamp| at.duration_since(self.services.clock.now()).try_into().unwrap_or_default();
        context.left = deadline.map(left);
        context.name = self.plan.step_name(flow, step);
        let notice = self.notice((flow, step), &plan.kind, (attempt, &context.key), effect);
        let work = perform(Arc::clone(&self.services), {
            let conversation = self.conversation.clone();
            Attempt { context, settings, plan, page, conversation }
        });
        let handle = self.tasks.spawn(async move {
            let result = work.await;
            Happening::Called { op, result }
        });
        self.underway.insert(handle.id(), Underway { op, handle, what: Task::Call(notice) });
    }

    fn notice(
        &self,
        (flow, step): (usize, usize),
        kind: &str,
        (attempt, key): (u32, &str),
        effect: Effect,
    ) -> CallNotice {
        let step = self.plan.step_name(flow, step);
        let kind = kind.to_owned();
        self.observe(&RunEvent::CallStarted { step: step.clone(), kind: kind.clone(), attempt });
        CallNotice { step, kind, attempt, key: key.to_owned(), effect, began: self.services.clock.now() }
    }

    fn timer(&mut self, op: u64, at: Timestamp) {
        let sleep = self.services.clock.sleep_until(at);
        let handle = self.tasks.spawn(async move {
            sleep.await;
            Happening::Fired { op }
        });
        self.underway.insert(handle.id(), Underway { op, handle, what: Task::Timer(at) });
    }

    pub(super) fn abort(&mut self, op: u64) {
        self.underway.values().filter(|task| task.op == op).for_each(|task| task.handle.abort());
    }
}
