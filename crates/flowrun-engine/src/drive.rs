//! The driver: carries the machine's commands out and feeds their results back, in memory or with a journal.
//!
//! One loop owns the run; calls and timers are tasks beside it. A task that panics fails its step
//! only. What a run decides is the machine's business; this file only does what it is told.

mod keep;
mod leave;
mod obey;
mod take_up;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use flowrun_lang::Flow;
use flowrun_machine::{Called, Command, End, Failure, Happening, InDoubt, Plan, Run};
use flowrun_step::{Conversation, Effect, ErrorKind};
use jiff::Timestamp;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet, yield_now};
use tokio_util::sync::CancellationToken;

use crate::inlet::Inlet;
use crate::journal::{Begun, JournalError, KeptRun, RunKey, Standing, Talk};
use crate::log::Log;
use crate::mail::{Incoming, Letterbox, Taken, Told};
use crate::observe::RunEvent;
use crate::outcome::Outcome;
use crate::replay::Replayed;
use crate::services::Services;
use crate::start::Start;

/// Runs a flow from its first op until nobody has to drive it.
pub(crate) async fn drive(
    services: Arc<Services>,
    flow: &Flow,
    start: Start,
    (inlet, cancel): (Inlet, CancellationToken),
) -> Outcome {
    let opening = start.opening(flow.plan());
    let Start { run: key, inputs, talk, .. } = start;
    let run = Run::new(key.id.as_str(), flow.plan());
    let journal = inlet.journal().or_else(|| services.journal.clone());
    let log = journal.map(|journal| Log::new(journal, key.clone(), BTreeMap::new()));
    let driver = Driver::new(services, flow, (key, run), (log, inlet));
    driver.go(Began::Now(Happening::Start { inputs, opening }, talk.map(Box::new)), cancel).await
}

/// Takes a run up where its last process left it.
pub(crate) async fn resume(
    services: Arc<Services>,
    flow: &Flow,
    (key, kept): (RunKey, KeptRun),
    (inlet, resolve): (Inlet, Option<InDoubt>),
    cancel: CancellationToken,
) -> Outcome {
    let Some(journal) = inlet.journal().or_else(|| services.journal.clone()) else {
        return Outcome::Blocked { why: "this engine has no journal".to_owned() };
    };
    if kept.standing.is_over() {
        return Outcome::Existing { standing: kept.standing, answer: None };
    }
    let conversation = kept.conversation.clone();
    let replayed = match Replayed::of(flow, &key.id, kept) {
        Ok(replayed) => replayed,
        Err(why) => {
            // The run stays as it is; that this could not be written down too changes nothing.
            let _ = journal.stand(&key, Standing::Blocked { why: why.clone() }).await;
            return Outcome::Blocked { why };
        }
    };
    let Replayed { run, losses, is_clean, again } = replayed;
    let log = Log::new(journal, key.clone(), losses);
    let mut driver = Driver::new(services, flow, (key, run), (Some(log), inlet));
    driver.conversation = conversation;
    driver.go(Began::Before { again, resolve, is_clean }, cancel).await
}

/// How a run begins in this process.
enum Began {
    /// With its start, and whom it talks with.
    Now(Happening, Option<Box<Talk>>),
    /// It began before.
    Before {
        /// What is to be told once more.
        again: Vec<Command>,
        /// What becomes of calls in doubt.
        resolve: Option<InDoubt>,
        /// Whether the process before left on purpose.
        is_clean: bool,
    },
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
    what: Task,
}

/// What a task is for.
enum Task {
    Call(CallNotice),
    /// A timer, and when it fires.
    Timer(Timestamp),
}

impl Underway {
    fn is_call(&self) -> bool {
        matches!(self.what, Task::Call(_))
    }
}

/// What an observer is told about a call when it ends.
struct CallNotice {
    step: String,
    kind: String,
    attempt: u32,
    key: String,
    effect: Effect,
    began: Timestamp,
}

struct Driver<'f> {
    services: Arc<Services>,
    flow: &'f Flow,
    plan: Arc<Plan>,
    key: RunKey,
    run: Run,
    /// Whom it talks with, where the engine routes its messages.
    conversation: Option<Conversation>,
    /// The same, until it is kept with the run's start.
    talk: Option<Talk>,
    tasks: JoinSet<Happening>,
    underway: HashMap<Id, Underway>,
    letterbox: Letterbox,
    log: Option<Log>,
    inlet: Inlet,
    /// The last letter it knows of.
    heard: u64,
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
    /// It does not begin: it began before, or may not.
    NotBegun(Begun),
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
            Stop::NotBegun(Begun::Before(standing, answer)) => Self::Existing { standing, answer },
            Stop::NotBegun(other) => Self::Blocked { why: format!("the run did not begin: {other:?}") },
        }
    }
}

impl<'f> Driver<'f> {
    fn new(
        services: Arc<Services>,
        flow: &'f Flow,
        (key, run): (RunKey, Run),
        (log, inlet): (Option<Log>, Inlet),
    ) -> Self {
        let (tasks, underway, letterbox) = (JoinSet::new(), HashMap::new(), Letterbox::default());
        let plan = Arc::clone(flow.plan());
        let (conversation, talk, heard, is_yielding) = (None, None, 0, false);
        Self {
            services,
            flow,
            plan,
            key,
            run,
            conversation,
            talk,
            tasks,
            underway,
            letterbox,
            log,
            inlet,
            heard,
            is_yielding,
        }
    }

    async fn go(mut self, began: Began, cancel: CancellationToken) -> Outcome {
        let mut told = self.services.events.subscribe();
        let mut cancelled = false;
        let mut fed = match began {
            Began::Now(start, talk) => self.begin(start, talk).await,
            Began::Before { again, resolve, is_clean } => self.take_up(again, resolve, is_clean).await,
        };
        let outcome = loop {
            match fed {
                Ok(None) => {}
                Ok(Some(end)) => break Outcome::new(self.flow, end),
                Err(stop) => break stop.into(),
            }
            match self.leave(cancel.is_cancelled() && !cancelled).await {
                Ok(None) => {}
                Ok(Some(outcome)) => break outcome,
                Err(stop) => break stop.into(),
            }
            fed = tokio::select! {
                () = yield_now(), if self.is_yielding => self.feed(Happening::Resume).await,
                Some(joined) = self.tasks.join_next_with_id() => self.joined(joined).await,
                incoming = self.inlet.next(), if self.letterbox.has_room() => match incoming {
                    Some(incoming) => self.came([incoming]).await,
                    None => self.fetch().await,
                },
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
        let is_calling = self.underway.values().any(Underway::is_call);
        (!is_calling && !self.is_yielding && !self.letterbox.is_waiting()).then_some(doubts)
    }

    /// Something came from outside: kept, and given to whatever waits for it.
    async fn came(&mut self, incoming: impl IntoIterator<Item = Incoming>) -> Fed {
        let now = self.services.clock.now();
        incoming.into_iter().for_each(|incoming| self.letterbox.keep(now, None, incoming));
        self.deliver().await
    }

    /// Gives what has come to what waits for it.
    async fn deliver(&mut self) -> Fed {
        match self.received() {
            Some(felt) => self.felt(felt).await,
            None => Ok(None),
        }
    }

    /// What has come for a wait.
    fn received(&mut self) -> Option<Felt> {
        let Taken { op, message, numbers, ignored } = self.letterbox.next()?;
        if ignored > 0 {
            self.observe(&RunEvent::Ignored { messages: ignored });
        }
        Some(Felt { what: Happening::Received { op, message }, taken: numbers })
    }

    /// Feeds one happening to the machine.
    async fn feed(&mut self, what: Happening) -> Fed {
        self.felt(Felt { what, taken: Vec::new() }).await
    }

    /// Feeds the machine and does what it answers, until it waits for what has not come, yields, or ends.
    async fn felt(&mut self, felt: Felt) -> Fed {
        let mut next = Some(felt);
        while let Some(felt) = next.take() {
            self.is_yielding = false;
            let commands = self.advance(felt).await?;
            for command in commands {
                match command {
                    Command::Yield => self.is_yielding = true,
                    Command::Finish(end) => return self.finish(end).await,
                    Command::Emit { event, key, data, id } => {
                        self.emit(Told { event, key, data, id }).await?
                    }
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
            Err(_) if !task.is_call() => return Ok(None),
            Err(error) if error.is_cancelled() => Happening::Called { op: task.op, result: Called::Aborted },
            Err(_) => Happening::Called { op: task.op, result: Called::Failed(panicked()) },
        };
        if let Task::Call(call) = task.what {
            self.report(call, &happening);
        }
        self.feed(happening).await
    }

    fn report(&self, call: CallNotice, happening: &Happening) {
        let CallNotice { step, kind, attempt, key, began, .. } = call;
        let took = self.services.clock.now().duration_since(began).try_into().unwrap_or_default();
        let error = match happening {
            Happening::Called { result: Called::Failed(failure), .. } => Some(failure.message.clone()),
            Happening::Called { result: Called::Aborted, .. } => Some("aborted".to_owned()),
            _ => None,
        };
        self.observe(&RunEvent::CallEnded { step, kind, attempt, key, took, error });
    }

    fn observe(&self, event: &RunEvent) {
        self.services.observer.on(&self.key, event);
    }
}

/// Something that happened, and the letters that are done with once it is kept.
struct Felt {
    what: Happening,
    taken: Vec<u64>,
}

/// What a step that panicked is reported as; the panic's own words may hold anything and are not kept.
fn panicked() -> Failure {
    Failure::new(
        ErrorKind::Failed,
        "the step panicked: this is a fault in the step, not in the flow".to_owned(),
    )
}
