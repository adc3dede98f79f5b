//! The driver in memory: carries the machine's commands out and feeds their results back.
//!
//! One loop owns the run; calls and timers are tasks beside it. A task that panics fails its step
//! only. What a run decides is the machine's business; this file only does what it is told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use flowrun_lang::Flow;
use flowrun_machine::{
    Called, Command, End, Event, EventRecord, Failure, Happening, InDoubt, Plan, Run, advance,
};
use flowrun_step::{Effect, ErrorKind, RunId, StepContext};
use jiff::Timestamp;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet, yield_now};
use tokio_util::sync::CancellationToken;

use crate::journal::{Entry, JournalError, KeptRun, LOSSES, NewRun, Standing};
use crate::log::Log;
use crate::mail::{Incoming, Letterbox, Mail, Told};
use crate::observe::RunEvent;
use crate::outcome::Outcome;
use crate::perform::{Attempt, perform};
use crate::replay::Replayed;
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
    let Start { run: id, inputs, mail, .. } = start;
    let run = Run::new(id.as_str(), flow.plan());
    let log = services.journal.clone().map(|journal| Log::new(journal, id.clone(), BTreeMap::new()));
    let driver = Driver::new(services, flow, (id, run), log);
    driver.go(Began::Now(Happening::Start { inputs, opening }), mail, cancel).await
}

/// Takes a run up where its last process left it.
pub(crate) async fn resume(
    services: Arc<Services>,
    flow: &Flow,
    (id, kept): (RunId, KeptRun),
    (mail, resolve): (Option<Mail>, Option<InDoubt>),
    cancel: CancellationToken,
) -> Outcome {
    let Some(journal) = services.journal.clone() else {
        return Outcome::Blocked { why: "this engine has no journal".to_owned() };
    };
    let replayed = match Replayed::of(flow, &id, kept) {
        Ok(replayed) => replayed,
        Err(why) => {
            // The run stays as it is; that this could not be written down too changes nothing.
            let _ = journal.stand(&id, Standing::Blocked { why: why.clone() }).await;
            return Outcome::Blocked { why };
        }
    };
    let Replayed { run, losses, again } = replayed;
    let log = Log::new(journal, id.clone(), losses);
    let driver = Driver::new(services, flow, (id, run), Some(log));
    driver.go(Began::Before(again, resolve), mail, cancel).await
}

/// How a run begins in this process.
enum Began {
    /// With its start.
    Now(Happening),
    /// It began before; what is to be told once more, and what becomes of calls in doubt.
    Before(Vec<Command>, Option<InDoubt>),
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

struct Driver<'f> {
    services: Arc<Services>,
    flow: &'f Flow,
    plan: Arc<Plan>,
    id: RunId,
    run: Run,
    tasks: JoinSet<Happening>,
    underway: HashMap<Id, Underway>,
    letterbox: Letterbox,
    log: Option<Log>,
    /// Whether the machine has more to walk once others have had their turn.
    is_yielding: bool,
}

/// What feeding the machine came to: nothing yet, or the end; the journal's failure is the end of driving, not of the run.
type Fed = Result<Option<End>, JournalError>;

impl<'f> Driver<'f> {
    fn new(services: Arc<Services>, flow: &'f Flow, (id, run): (RunId, Run), log: Option<Log>) -> Self {
        let (tasks, underway, letterbox) = (JoinSet::new(), HashMap::new(), Letterbox::default());
        let plan = Arc::clone(flow.plan());
        Self { services, flow, plan, id, run, tasks, underway, letterbox, log, is_yielding: false }
    }

    async fn go(mut self, began: Began, mut mail: Option<Mail>, cancel: CancellationToken) -> Outcome {
        let mut told = self.services.events.subscribe();
        let mut cancelled = false;
        let mut fed = match began {
            Began::Now(start) => self.feed(start).await,
            Began::Before(again, resolve) => self.take_up(again, resolve).await,
        };
        let outcome = loop {
            match fed {
                Ok(None) => {}
                Ok(Some(end)) => break Outcome::new(self.flow, end),
                Err(error) => break Outcome::Blocked { why: error.to_string() },
            }
            if let Some(steps) = self.only_doubts_left().filter(|_| !cancel.is_cancelled() || cancelled) {
                break Outcome::InDoubt { steps };
            }
            fed = tokio::select! {
                () = yield_now(), if self.is_yielding => self.feed(Happening::Resume).await,
                Some(joined) = self.tasks.join_next_with_id() => self.joined(joined).await,
                Some(incoming) = next(&mut mail), if self.letterbox.has_room() => self.came([incoming]).await,
                events = hear(&mut told) => self.came(events.into_iter().map(Incoming::Event)).await,
                () = cancel.cancelled(), if !cancelled => {
                    cancelled = true;
                    self.feed(Happening::Cancel { reason: "interrupted".to_owned() }).await
                }
            };
        };
        self.tasks.shutdown().await;
        outcome
    }

    /// The steps in doubt, if the run waits for nothing else that could come.
    fn only_doubts_left(&self) -> Option<Vec<String>> {
        let doubts = self.log.as_ref().map(Log::doubts).filter(|doubts| !doubts.is_empty())?;
        let is_calling = self.underway.values().any(|task| task.call.is_some());
        (!is_calling && !self.is_yielding && !self.letterbox.is_waiting()).then_some(doubts)
    }

    /// Goes on where the last process stopped.
    async fn take_up(&mut self, again: Vec<Command>, resolve: Option<InDoubt>) -> Fed {
        for command in again {
            match command {
                Command::Finish(end) => return Ok(Some(end)),
                other => self.obey(other),
            }
        }
        let outstanding = self.run.outstanding(&self.plan);
        let lost = outstanding.iter().filter_map(|command| match command {
            Command::Call { op, effect: Effect::Safe | Effect::Keyed, .. } => Some(*op),
            _ => None,
        });
        let lost: Vec<u64> = lost.collect();
        let losses = match &mut self.log {
            Some(log) => log.lose(&lost).await?,
            None => BTreeMap::new(),
        };
        let mut happened = Vec::new();
        for command in outstanding {
            match command {
                Command::Yield => self.is_yielding = true,
                Command::Abort { op } => {
                    happened.push(Happening::Called { op, result: Called::Aborted });
                }
                Command::InDoubt { op, .. } => {
                    if let Some(log) = &mut self.log {
                        log.note(&self.plan, &Happening::Resume, std::slice::from_ref(&command));
                    }
                    match resolve {
                        Some(how) => happened.push(Happening::Resolve { op, how }),
                        None => self.obey(command),
                    }
                }
                Command::Call { op, .. } if losses.get(&op).is_none_or(|times| *times >= LOSSES) => {
                    happened.push(Happening::Called { op, result: Called::InDoubt });
                    if let Some(how) = resolve {
                        happened.push(Happening::Resolve { op, how });
                    }
                }
                other => self.obey(other),
            }
        }
        for what in happened {
            if let Some(end) = self.feed(what).await? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// Something came from outside: kept, and given to whatever waits for it.
    async fn came(&mut self, incoming: impl IntoIterator<Item = Incoming>) -> Fed {
        let now = self.services.clock.now();
        incoming.into_iter().for_each(|incoming| self.letterbox.keep(now, incoming));
        match self.received() {
            Some(received) => self.feed(received).await,
            None => Ok(None),
        }
    }

    /// What has come for a wait.
    fn received(&mut self) -> Option<Happening> {
        self.letterbox.next().map(|(op, message)| Happening::Received { op, message })
    }

    /// Feeds one happening to the machine and does what it answers, until it waits for what has not come, yields, or ends.
    async fn feed(&mut self, happening: Happening) -> Fed {
        let mut next = Some(happening);
        while let Some(what) = next.take() {
            self.is_yielding = false;
            let commands = self.advance(what).await?;
            for command in commands {
                match command {
                    Command::Yield => self.is_yielding = true,
                    Command::Finish(end) => return Ok(Some(end)),
                    other => self.obey(other),
                }
            }
            if !self.is_yielding {
                next = self.received();
            }
        }
        Ok(None)
    }

    /// Takes the machine one event further, and keeps the event before anything that follows from it is done. Only calls that
    /// change nothing are begun before (runs.md 7); what is still to be done comes back.
    async fn advance(&mut self, what: Happening) -> Result<Vec<Command>, JournalError> {
        if let Some(log) = &mut self.log {
            log.shorten(&self.plan, &self.run).await?;
        }
        let event = Event { at: self.services.clock.now(), what };
        let Some(mut log) = self.log.take() else { return Ok(advance(&self.plan, &mut self.run, event)) };
        let (record, what) = (EventRecord::of(&self.plan, &self.run, &event), event.what.clone());
        let commands = advance(&self.plan, &mut self.run, event);
        log.note(&self.plan, &what, &commands);
        let is_safe = |command: &Command| matches!(command, Command::Call { effect: Effect::Safe, .. });
        let (early, late) = commands.into_iter().partition::<Vec<_>, _>(is_safe);
        let kept = self.keep(&mut log, record, &what, (early, &late)).await;
        self.log = Some(log);
        kept.map(|()| late)
    }

    async fn keep(
        &mut self,
        log: &mut Log,
        record: Option<EventRecord>,
        what: &Happening,
        (early, late): (Vec<Command>, &[Command]),
    ) -> Result<(), JournalError> {
        let end = late.iter().find_map(|command| match command {
            Command::Finish(end) => Some(Standing::of(self.flow, end)),
            _ => None,
        });
        let is_over = end.is_some();
        let standing = end.unwrap_or_else(|| log.standing());
        let Some(record) = record else {
            if *what == Happening::Resume {
                log.turned();
            }
            early.into_iter().for_each(|command| self.obey(command));
            return if is_over { log.stand(standing).await } else { Ok(()) };
        };
        let entry = log.entry(&self.plan, &self.run, record);
        if matches!(what, Happening::Start { .. }) {
            log.journal().begin(self.new_run(entry, standing)).await?;
            early.into_iter().for_each(|command| self.obey(command));
            return Ok(());
        }
        early.into_iter().for_each(|command| self.obey(command));
        log.keep(entry, standing).await
    }

    fn new_run(&self, entry: Entry, standing: Standing) -> NewRun {
        let (id, flow, texts) = (self.id.clone(), self.flow.name().to_owned(), self.flow.texts());
        NewRun {
            id,
            flow,
            texts,
            hash: self.plan.hash.clone(),
            at: self.services.clock.now(),
            entry,
            standing,
        }
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
    async fn joined(&mut self, joined: Result<(Id, Happening), JoinError>) -> Fed {
        let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(task) = self.underway.remove(&id) else { return Ok(None) };
        let happening = match joined {
            Ok((_, happening)) => happening,
            Err(_) if task.call.is_none() => return Ok(None),
            Err(error) if error.is_cancelled() => Happening::Called { op: task.op, result: Called::Aborted },
            Err(_) => Happening::Called { op: task.op, result: Called::Failed(panicked()) },
        };
        if let Some(call) = task.call {
            self.report(call, &happening);
        }
        self.feed(happening).await
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
