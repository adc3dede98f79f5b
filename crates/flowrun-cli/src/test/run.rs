//! Runs one case: the engine as it is, in virtual time.

use flowrun::engine::Outcome;
use flowrun::lang::case::Case;
use flowrun::lang::{Code, Diagnostic};
use flowrun::machine::Failure;
use flowrun::step::{ErrorKind, RunId};
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
pub(super) fn run(tried: &Tried, case: &Case, inputs: Vec<(Slot, Value)>) -> Result<Ran, Complaint> {
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
        .integrations(Arc::new(stage.clone()))
        .secrets(stage.clone())
        .channel(stage.clone())
        .observer(stage.clone())
        .build()
        .map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    let id = RunId::new("test").map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    let flow = tried.flow.clone();
    // The run is a task: what the runtime itself waits for counts as idle even when it could go on.
    let work = async move {
        tokio::select! {
            biased;
            outcome = engine.run(&flow, id, inputs, CancellationToken::new()) => ended(outcome),
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

/// An integration cannot be used: the run does not begin.
fn refused(diagnostic: &Diagnostic) -> End {
    let kind = match diagnostic.code {
        Code::NotAuthorized | Code::UnknownIntegration => ErrorKind::Integration,
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
