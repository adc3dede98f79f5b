//! The driver in memory: carries the machine's commands out and feeds their results back.
//!
//! One loop owns the run; calls and timers are tasks beside it. A task that panics fails its step
//! only. What a run decides is the machine's business; this file only does what it is told.

use std::collections::HashMap;
use std::sync::Arc;

use flowrun_lang::Flow;
use flowrun_machine::{Called, Command, End, Event, Failure, Happening, Plan, Run, advance};
use flowrun_step::{ErrorKind, RunId, StepContext};
use jiff::Timestamp;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet, yield_now};
use tokio_util::sync::CancellationToken;

use crate::mail::{Incoming, Letterbox, Mail, Told};
use crate::observe::RunEvent;
use crate::outcome::Outcome;
use crate::perform::{Attempt, perform};
use crate::services::Services;
use crate::start::Start;

/// Runs a flow from its first op to its end.
pub(crate) async fn drive(
    services: Arc<Services>,
    flow: &Flow,
    start: Start,
    cancel: CancellationToken,
) -> Outcome {
    let opening = start.opening(flow.plan());
    let Start { run, inputs, mut mail, .. } = start;
    let mut told = services.events.subscribe();
    let mut driver = Driver::new(services, Arc::clone(flow.plan()), run);
    let mut end = driver.feed(Happening::Start { inputs, opening });
    let mut cancelled = false;
    let end = loop {
        if let Some(end) = end {
            break end;
        }
        end = tokio::select! {
            () = yield_now(), if driver.is_yielding => driver.feed(Happening::Resume),
            Some(joined) = driver.tasks.join_next_with_id() => driver.joined(joined),
            Some(incoming) = next(&mut mail), if driver.letterbox.has_room() => driver.came([incoming]),
            events = hear(&mut told) => driver.came(events.into_iter().map(Incoming::Event)),
            () = cancel.cancelled(), if !cancelled => {
                cancelled = true;
                driver.feed(Happening::Cancel { reason: "interrupted".to_owned() })
            }
        };
    };
    driver.tasks.shutdown().await;
    Outcome::new(flow, end)
}

/// The next thing in the mail, if the run has any.
async fn next(mail: &mut Option<Mail>) -> Option<Incoming> {
    match mail {
        Some(mail) => Some(mail.next().await),
        None => std::future::pending().await,
    }
}

/// The events told since the last time, once there are any: all of them, so that whoever tells them cannot run ahead.
async fn hear(told: &mut Receiver<Told>) -> Vec<Told> {
    let mut heard = match told.recv().await {
        Ok(event) => vec![event],
        Err(RecvError::Lagged(missed)) => {
            tracing::warn!(missed, "a run was too far behind to hear every event");
            Vec::new()
        }
        Err(RecvError::Closed) => return std::future::pending().await,
    };
    while let Ok(event) = told.try_recv() {
        heard.push(event);
    }
    heard
}

/// What is known of a task while it works.
struct Underway {
    op: u64,
    handle: AbortHandle,
    call: Option<CallNotice>,
}

/// What an observer is told about a call when it ends.
struct CallNotice {
    step: String,
    kind: String,
    attempt: u32,
    key: String,
    began: Timestamp,
}

struct Driver {
    services: Arc<Services>,
    plan: Arc<Plan>,
    id: RunId,
    run: Run,
    tasks: JoinSet<Happening>,
    underway: HashMap<Id, Underway>,
    letterbox: Letterbox,
    /// Whether the machine has more to walk once others have had their turn.
    is_yielding: bool,
}

impl Driver {
    fn new(services: Arc<Services>, plan: Arc<Plan>, id: RunId) -> Self {
        let run = Run::new(id.as_str(), &plan);
        let (tasks, underway, letterbox) = (JoinSet::new(), HashMap::new(), Letterbox::default());
        Self { services, plan, id, run, tasks, underway, letterbox, is_yielding: false }
    }

    /// Something came from outside: kept, and given to whatever waits for it.
    fn came(&mut self, incoming: impl IntoIterator<Item = Incoming>) -> Option<End> {
        let now = self.services.clock.now();
        incoming.into_iter().for_each(|incoming| self.letterbox.keep(now, incoming));
        let received = self.received()?;
        self.feed(received)
    }

    /// What has come for a wait.
    fn received(&mut self) -> Option<Happening> {
        self.letterbox.next().map(|(op, message)| Happening::Received { op, message })
    }

    /// Feeds one happening to the machine and does what it answers, until it waits for what has not come, yields, or ends.
    fn feed(&mut self, happening: Happening) -> Option<End> {
        let mut next = Some(happening);
        while let Some(what) = next.take() {
            self.is_yielding = false;
            let event = Event { at: self.services.clock.now(), what };
            for command in advance(&self.plan, &mut self.run, event) {
                match command {
                    Command::Yield => self.is_yielding = true,
                    Command::Finish(end) => return Some(end),
                    other => self.obey(other),
                }
            }
            if !self.is_yielding {
                next = self.received();
            }
        }
        None
    }

    fn obey(&mut self, command: Command) {
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

    fn abort(&mut self, op: u64) {
        self.underway.values().filter(|task| task.op == op).for_each(|task| task.handle.abort());
    }

    /// A task is over: by itself, by an abort, or by a panic.
    fn joined(&mut self, joined: Result<(Id, Happening), JoinError>) -> Option<End> {
        let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let task = self.underway.remove(&id)?;
        let happening = match joined {
            Ok((_, happening)) => happening,
            Err(_) if task.call.is_none() => return None,
            Err(error) if error.is_cancelled() => Happening::Called { op: task.op, result: Called::Aborted },
            Err(_) => Happening::Called { op: task.op, result: Called::Failed(panicked()) },
        };
        if let Some(call) = task.call {
            self.report(call, &happening);
        }
        self.feed(happening)
    }

    fn report(&self, call: CallNotice, happening: &Happening) {
        let CallNotice { step, kind, attempt, key, began } = call;
        let took = self.services.clock.now().duration_since(began).try_into().unwrap_or_default();
        let error = match happening {
            Happening::Called { result: Called::Failed(failure), .. } => Some(failure.message.clone()),
            Happening::Called { result: Called::Aborted, .. } => Some("aborted".to_owned()),
            _ => None,
        };
        self.services.observer.on(&RunEvent::CallEnded { step, kind, attempt, key, took, error });
    }
}

/// What a step that panicked is reported as; the panic's own words may hold anything and are not kept.
fn panicked() -> Failure {
    Failure::new(
        ErrorKind::Failed,
        "the step panicked: this is a fault in the step, not in the flow".to_owned(),
    )
}
