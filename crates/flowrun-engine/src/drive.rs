//! The driver: carries the machine's commands out and feeds their results back, in memory or with a journal.
//!
//! One loop owns the run; calls and timers are tasks beside it. A task that panics fails its step
//! only. What a run decides is the machine's business; this file only does what it is told.

mod keep;
mod obey;
mod take_up;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use flowrun_lang::Flow;
use flowrun_machine::{Called, Command, End, Failure, Happening, InDoubt, Plan, Run};
use flowrun_step::{ErrorKind, RunId};
use jiff::Timestamp;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet, yield_now};
use tokio_util::sync::CancellationToken;

use crate::journal::{JournalError, KeptRun, Standing};
use crate::log::Log;
use crate::mail::{Incoming, Letterbox, Mail, Told};
use crate::observe::RunEvent;
use crate::outcome::Outcome;
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
type Fed = Result<Option<End>, Stop>;

/// Why a run is not driven on, though it is not over.
#[derive(Debug)]
enum Stop {
    /// It cannot be kept.
    Unkept(JournalError),
    /// It began before.
    Before(Standing),
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Unkept(error)
    }
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Unkept(error) => Self::Blocked { why: error.to_string() },
            Stop::Before(standing) => Self::Existing { standing },
        }
    }
}

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
                Err(stop) => break stop.into(),
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
