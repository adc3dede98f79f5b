//! Everything that is seen of a run while it runs: lines for the person, data for stdout, and what is to be told at
//! its end.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowrun::engine::{Observer, RunEvent};
use flowrun::step::{BoxFuture, Channel, OutgoingMessage, StepError};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::calls::Planned;
use super::tap::Seen;
use crate::args::Output;
use crate::terminal::Terminal;

/// What a run writes, and how.
pub(super) struct Scene {
    pub(super) terminal: Arc<Terminal>,
    pub(super) output: Output,
    pub(super) is_quiet: bool,
    /// Nothing leaves the process: what would be sent is shown to the person.
    pub(super) is_dry: bool,
    pub(super) seen: Seen,
    pub(super) calls: HashMap<String, Planned>,
    pub(super) heard: Mutex<Heard>,
    /// Told when a dry run can go no further.
    pub(super) ended: Notify,
}

/// What a run has said so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The texts that were sent, in order.
    pub(super) sent: Vec<String>,
    /// The first failure of stdout: data was lost.
    pub(super) lost: Option<io::Error>,
}

impl Scene {
    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a request that is not sent.
    pub(super) fn show(&self, request: &str) {
        let written = self.terminal.data(request);
        self.keep(written);
    }

    /// What the flow wants of the reply to a step's call.
    pub(super) fn wants_of(&self, step: &str) -> Option<String> {
        self.calls.get(step)?.wants.clone()
    }

    /// Ends a dry run, and says why.
    pub(super) fn end_here(&self, step: &str, wants: &str) {
        self.terminal.say(&format!("the dry run ends at {step}: what follows needs {wants}"));
        self.ended.notify_one();
    }

    fn keep(&self, written: io::Result<()>) {
        if let Err(error) = written {
            self.heard().lost.get_or_insert(error);
        }
    }

    fn event(&self, event: &Value) {
        if self.output == Output::Ndjson {
            let written = self.terminal.json(event);
            self.keep(written);
        }
    }

    fn send(&self, text: &str) {
        if self.is_dry {
            self.terminal.say(&format!("would send: {text}"));
            return;
        }
        match self.output {
            Output::Text => {
                let written = self.terminal.data(text);
                self.keep(written);
            }
            Output::Json => {}
            Output::Ndjson => self.event(&json!({"event": "sent", "text": text})),
        }
        self.heard().sent.push(text.to_owned());
    }

    /// `contact     GET api.teamleader.eu/contacts.info  200  6 ms`
    fn call_ended(&self, (step, key): (&str, &str), took: Duration, error: Option<&str>) {
        let Some(exchange) = self.seen.take(key) else { return };
        let path = self.calls.get(step).map_or("", |call| call.path.as_str());
        let ms = took.as_millis();
        self.event(&json!({
            "event": "called", "step": step, "method": exchange.method, "host": exchange.host, "path": path,
            "status": exchange.status, "ms": u64::try_from(ms).unwrap_or(u64::MAX), "error": error,
        }));
        if self.is_quiet {
            return;
        }
        let status = exchange.status.map_or_else(|| "no reply".to_owned(), |status| status.to_string());
        let (method, host) = (exchange.method, exchange.host);
        // A handled error is said nowhere else.
        let error = error.map_or_else(String::new, |error| format!("  {error}"));
        self.terminal.say(&format!("{step:<11} {method} {host}{path}  {status}  {ms} ms{error}"));
    }
}

/// The eyes of the engine's run.
pub(super) struct Eyes(pub(super) Arc<Scene>);

impl Observer for Eyes {
    fn on(&self, event: &RunEvent) {
        let scene = &self.0;
        match event {
            RunEvent::CallEnded { step, key, took, error, .. } => {
                scene.call_ended((step, key), *took, error.as_deref());
            }
            RunEvent::Retrying { step, wait } => {
                scene.event(&json!({"event": "retrying", "step": step, "wait_ms": wait.as_millis() as u64}));
                if !scene.is_quiet {
                    scene.terminal.say(&format!("{step:<11} tries again in {wait:?}"));
                }
            }
            RunEvent::NotUndone { step, error } => {
                scene.event(&json!({"event": "not_undone", "step": step, "error": error}));
                scene.terminal.say(&format!("{step:<11} could not take back: {error}"));
            }
            RunEvent::Logged { level, text, data } => {
                scene.event(&json!({"event": "log", "level": level, "text": text, "data": data}));
                scene.terminal.say(&format!("{:<11} {text}", format!("{level:?}").to_lowercase()));
            }
            _ => {}
        }
    }
}

/// Where the flow's messages go.
pub(super) struct Mouth(pub(super) Arc<Scene>);

impl Channel for Mouth {
    fn name(&self) -> &str {
        "terminal"
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        self.0.send(&message.text);
        Box::pin(async { Ok(()) })
    }
}
