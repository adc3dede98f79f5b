//! Everything that is seen of a run while it runs: lines for the person, data for stdout, and what is to be told at
//! its end.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowrun::engine::journal::RunKey;
use flowrun::engine::{Observer, RunEvent, Told};
use flowrun::machine::{Body, Source};
use flowrun::step::{BoxFuture, Channel, OutgoingMessage, StepError};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

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
    /// Told of each step that waits for something from outside.
    pub(super) waiting: UnboundedSender<(String, Source)>,
}

/// What a run has said so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The texts that were sent, in order.
    pub(super) sent: Vec<String>,
    /// What whoever started the run was answered.
    pub(super) answer: Option<Value>,
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

    fn send(&self, message: &OutgoingMessage) {
        let text = message.text.as_str();
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
        if !message.buttons.is_empty() {
            self.terminal.say(&format!("one of: {}", message.buttons.join(" | ")));
        }
        if let Some(media) = &message.media {
            self.terminal.say(&format!("with: {media}"));
        }
        self.heard().sent.push(text.to_owned());
    }

    /// A dry run cannot know what comes from outside; any other run is answered.
    fn waits(&self, step: &str, source: &Source) {
        self.event(&json!({"event": "waiting", "step": step, "for": shown(source)}));
        if self.is_dry {
            return self.end_here(step, shown(source));
        }
        // Without a receiver the run is over.
        let _ = self.waiting.send((step.to_owned(), source.clone()));
    }

    pub(super) fn answers(&self, status: u16, headers: &[(String, String)], body: &Body) {
        let headers: serde_json::Map<String, Value> =
            headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let text = match body {
            Body::Empty => String::new(),
            Body::Json(json) => json.to_string(),
            Body::Text(text) => text.clone(),
        };
        let answer = json!({ "status": status, "headers": headers, "body": body.value() });
        self.event(&json!({"event": "answered", "answer": answer}));
        if self.is_dry {
            return self.terminal.say(&format!("would answer: {status} {text}"));
        }
        self.terminal.say(&format!("{:<11} {status}", "answer"));
        if self.output == Output::Text && !text.is_empty() {
            let written = self.terminal.data(&text);
            self.keep(written);
        }
        self.heard().answer = Some(answer);
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

fn shown(source: &Source) -> &'static str {
    match source {
        Source::Answer { .. } => "an answer",
        Source::Event { .. } => "an event",
        Source::Callback { .. } => "a call of its URL",
    }
}

/// The eyes of the engine's run.
pub(super) struct Eyes(pub(super) Arc<Scene>);

impl Observer for Eyes {
    fn on(&self, _: &RunKey, event: &RunEvent) {
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
            RunEvent::Waiting { step, source } => scene.waits(step, source),
            RunEvent::Answered { status, headers, body } => scene.answers(*status, headers, body),
            RunEvent::Emitted(Told { event, key, data, .. }) => {
                scene.event(&json!({"event": "emitted", "name": event, "key": key, "data": data}));
                let about = key.as_ref().map_or_else(String::new, |key| format!(" about {key}"));
                scene.terminal.say(&format!("{:<11} {event}{about}", "event"));
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
        self.0.send(message);
        Box::pin(async { Ok(()) })
    }
}
