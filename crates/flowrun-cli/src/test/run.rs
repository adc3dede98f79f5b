//! Runs one case: the engine as it is, in virtual time.

use std::time::Duration;

use flowrun::engine::{Incoming, Outcome, Start, Told, mail};
use flowrun::lang::case::{Case, Happened};
use flowrun::lang::{Code, Diagnostic};
use flowrun::machine::Failure;
use flowrun::step::{Clock as _, ErrorKind, RunId};
use flowrun::template::Slot;
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::Tried;
use super::clock::{Stop, VirtualClock};
use super::stage::{Seen, Stage};
use crate::complaint::Complaint;
use crate::exit::Exit;

/// A run that is over, or that nobody looks at any longer.
pub(super) struct Ran {
    pub(super) end: End,
    pub(super) seen: Seen,
}

/// How it ended.
pub(super) enum End {
    /// Well, with these outputs.
    Done(Map<String, Value>),
    /// With an error of this kind and perhaps a name.
    Failed { kind: String, name: Option<String>, diagnostic: Box<Diagnostic> },
    /// It did not: time went as far as the case says.
    Waits,
    /// It did not, and never will.
    Stuck,
}

/// Runs a case to its end.
pub(super) fn run(
    tried: &Tried,
    case: &Case,
    (trigger, inputs): (Value, Vec<(Slot, Value)>),
) -> Result<Ran, Complaint> {
    let clock = VirtualClock::new(case.now, case.advance);
    let stage = Stage::new(&tried.suite, case, &tried.flow, Arc::new(clock.clone()));
    if let Some(diagnostic) = &tried.unusable {
        let seen = stage.seen().clone();
        return Ok(Ran { end: refused(diagnostic), seen });
    }
    let idle = clock.clone();
    // With one thread and no network the runtime is idle exactly when the run waits for time to pass.
    let runtime = tokio::runtime::Builder::new_current_thread().on_thread_park(move || idle.jump()).build();
    let runtime = runtime.map_err(|error| {
        Complaint::new(Exit::Failed, "the system gives no event loop")
            .because(error)
            .help("free some file handles")
    })?;
    let engine = flowrun::engine(Arc::new(clock.clone()), Arc::new(stage.clone()))
        .steps(&tried.steps)
        .integrations(Arc::new(stage.clone()))
        .secrets(stage.clone())
        .channel(stage.clone())
        .observer(stage.clone())
        .build()
        .map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    let id = RunId::new("test").map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    let flow = tried.flow.clone();
    let (post, mail) = mail();
    stage.speak_to(post.clone());
    let callbacks = |step: &str| format!("https://flowrun.test/callbacks/{step}");
    let start = Start::new(id, inputs).trigger(trigger).conversation("test", "terminal");
    let start = start.callbacks(callbacks).mail(mail);
    let comes = comes(case);
    let (begin, time) = (case.now, clock.clone());
    // The run is a task: what the runtime itself waits for counts as idle even when it could go on.
    let work = async move {
        for (after, incoming) in comes {
            let (at, time, post) =
                (begin.checked_add(after).unwrap_or(jiff::Timestamp::MAX), time.clone(), post.clone());
            tokio::spawn(async move {
                time.sleep_until(at).await;
                // What comes after the end is nobody's.
                let _ = post.put(incoming);
            });
        }
        tokio::select! {
            biased;
            outcome = engine.run(&flow, start, CancellationToken::new()) => ended(outcome),
            stop = clock.stopped() => match stop {
                Stop::Over => End::Waits,
                Stop::Stuck => End::Stuck,
            },
        }
    };
    let end = runtime.block_on(async { tokio::spawn(work).await });
    let end = end.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    let seen = stage.seen().clone();
    Ok(Ran { end, seen })
}

/// What comes at a time of its own, and when.
fn comes(case: &Case) -> Vec<(Duration, Incoming)> {
    let said =
        case.say.iter().filter_map(|said| Some((said.after?, Incoming::Message(said.message.clone()))));
    let event = |(at, event): (usize, &Happened)| {
        let (name, key, data) = (event.name.is.clone(), event.key.clone(), event.data.clone());
        (event.after, Incoming::Event(Told { event: name, key, data, id: format!("event-{at}") }))
    };
    let call = |call: &Happened| {
        (call.after, Incoming::Call { callback: call.name.is.clone(), payload: call.data.clone() })
    };
    said.chain(case.events.iter().enumerate().map(event)).chain(case.calls.iter().map(call)).collect()
}

/// An integration cannot be used: the run does not begin.
fn refused(diagnostic: &Diagnostic) -> End {
    let kind = match diagnostic.code {
        Code::NotAuthorized | Code::UnknownIntegration | Code::ScopeMissing => ErrorKind::Integration,
        _ => ErrorKind::Failed,
    };
    End::Failed { kind: word(kind), name: None, diagnostic: Box::new(diagnostic.clone()) }
}

fn ended(outcome: Outcome) -> End {
    match outcome {
        Outcome::Done { outputs } => End::Done(outputs),
        Outcome::Failed { failure, diagnostic } => {
            let Failure { kind, name, .. } = *failure;
            End::Failed { kind: word(kind), name, diagnostic }
        }
        Outcome::TimedOut { diagnostic } => {
            End::Failed { kind: word(ErrorKind::Timeout), name: None, diagnostic }
        }
        // Nobody cancels a case.
        _ => End::Stuck,
    }
}

/// The kind as `error.kind` has it.
fn word(kind: ErrorKind) -> String {
    serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
