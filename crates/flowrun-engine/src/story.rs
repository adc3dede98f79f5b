//! What happened in a run, told from what is kept of it: nothing is done again, and the flow is walked as it was.

use std::borrow::Cow;
use std::collections::HashMap;

use flowrun_lang::Flow;
use flowrun_machine::{Called, Command, End, Event, Happening, InDoubt, LogLevel, Source};
use flowrun_step::{Effect, ErrorKind, RunId};
use flowrun_template::Slot;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::journal::{JournalError, KeptRun};
use crate::replay::{Fed, Replayed};

mod shown;

use shown::Shown;

/// What happened in a run, in order.
///
/// Secrets were never in it; what a sensitive input held stands as `‹name›`, or as `[redacted]` within a longer text (R14).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Story {
    /// Whether it is told from the start: else the part before was forgotten.
    pub is_whole: bool,
    /// What happened.
    pub moments: Vec<Moment>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Moment {
    /// When; what follows from something happens with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// In which step, as events and errors name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deed {
    /// The run began.
    Began {
        /// With these inputs.
        inputs: Map<String, Value>,
    },
    /// A call was made.
    Called {
        /// The kind of its step.
        kind: String,
        /// Which attempt, counting from 1.
        attempt: u32,
        /// Whether it may be made twice: `safe`, `keyed`, `unsafe`.
        effect: Cow<'static, str>,
        /// With these settings; what is filled in late stands as `<secrets.NAME>`.
        settings: Value,
    },
    /// A call gave this.
    Returned {
        /// As much of the output as the flow keeps.
        output: Value,
        /// The variables it wrote.
        variables: Map<String, Value>,
    },
    /// A call gave a page of so many items.
    Page {
        /// How many.
        items: usize,
    },
    /// A call failed.
    CallFailed {
        /// Why.
        error: String,
        /// The kind of it, as `error.kind` says it.
        kind: ErrorKind,
    },
    /// A call was stopped.
    Aborted,
    /// Nobody can say whether a call was made.
    InDoubt,
    /// The process died while a call was under way.
    Lost,
    /// Somebody said what becomes of a call in doubt.
    Resolved {
        /// What.
        how: InDoubt,
    },
    /// The step waits for something.
    Waited {
        /// For what.
        source: Source,
    },
    /// Something came for the wait.
    Received {
        /// What.
        message: Value,
    },
    /// A moment came that a step, or the run, waited for or was limited by.
    Fired,
    /// The next attempt waits.
    Retrying {
        /// For so many seconds.
        seconds: f64,
    },
    /// Whoever waited for the run was answered.
    Answered {
        /// With this status.
        status: u16,
        /// And this body.
        body: Value,
    },
    /// An event was told.
    Emitted {
        /// Its name.
        event: String,
        /// What it is about.
        key: Option<String>,
        /// What there is to know.
        data: Value,
    },
    /// The flow logged a line.
    Logged {
        /// How loud.
        level: LogLevel,
        /// The text.
        text: String,
    },
    /// A step ended.
    Ended {
        /// How: `done`, `skipped`, `failed`.
        status: Cow<'static, str>,
        /// After so many attempts.
        attempts: u32,
    },
    /// What a step did could not be taken back.
    NotUndone {
        /// Why.
        error: String,
    },
    /// Somebody wanted the run to end.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// The run is over.
    Finished {
        /// How, in a word.
        status: Cow<'static, str>,
        /// Its outputs, if it ended well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outputs: Option<Value>,
        /// Why it did not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

/// Why a story is not told.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Untold {
    /// The run leads elsewhere in this version of flowrun, or its flow is none here.
    #[error("{0}")]
    Elsewhere(String),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Story {
    /// What happened in a run that is kept (`Journal::look`), in the flow as it was (`Engine::flow_of`).
    ///
    /// # Errors
    /// When it leads elsewhere in this version of flowrun: why, in words.
    pub fn of(flow: &Flow, id: &RunId, kept: KeptRun) -> Result<Self, String> {
        let is_whole = kept.checkpoint.is_none() && !kept.entries.is_empty();
        let mut teller =
            Teller { flow, shown: Shown::default(), at: None, steps: HashMap::new(), moments: Vec::new() };
        Replayed::seen(flow, id, kept, &mut |fed| teller.see(&fed))?;
        Ok(Self { is_whole, moments: teller.moments })
    }
}

/// Tells the story while the run is walked.
struct Teller<'f> {
    flow: &'f Flow,
    shown: Shown,
    at: Option<Timestamp>,
    /// The steps that ops belong to.
    steps: HashMap<u64, String>,
    moments: Vec<Moment>,
}

impl Teller<'_> {
    fn see(&mut self, fed: &Fed<'_>) {
        match fed {
            Fed::Restored(commands) => commands.iter().for_each(|command| drop(self.owner(command))),
            Fed::Event(event) => self.happened(event),
            Fed::Turned(commands) => commands.iter().for_each(|command| self.asked(command)),
            Fed::Lost(ops) => ops.iter().for_each(|op| self.tell_of(*op, Deed::Lost)),
        }
    }

    fn tell(&mut self, step: Option<String>, deed: Deed) {
        self.moments.push(Moment { at: self.at, step, deed });
    }

    fn tell_of(&mut self, op: u64, deed: Deed) {
        let step = self.steps.get(&op).cloned();
        self.tell(step, deed);
    }

    fn happened(&mut self, event: &Event) {
        self.at = Some(event.at);
        match &event.what {
            Happening::Start { inputs, .. } => {
                self.shown = Shown::of(self.flow, inputs);
                let inputs = self.named(inputs);
                self.tell(None, Deed::Began { inputs });
            }
            Happening::Called { op, result } => {
                let deed = self.result(result);
                self.tell_of(*op, deed);
            }
            Happening::Received { op, message } => {
                let message = self.shown.value(message);
                self.tell_of(*op, Deed::Received { message });
            }
            Happening::Resolve { op, how } => self.tell_of(*op, Deed::Resolved { how: *how }),
            Happening::Fired { op } => self.tell_of(*op, Deed::Fired),
            Happening::Cancel { reason } => self.tell(None, Deed::Cancelled { reason: reason.clone() }),
            Happening::Resume => {}
        }
    }

    fn named(&self, values: &[(Slot, Value)]) -> Map<String, Value> {
        let slots = &self.flow.plan().slots;
        values.iter().map(|(slot, value)| (slots.name(*slot).to_owned(), self.shown.value(value))).collect()
    }

    fn result(&self, result: &Called) -> Deed {
        match result {
            Called::Done { output, variables } => {
                Deed::Returned { output: self.shown.value(output), variables: self.named(variables) }
            }
            Called::Page { items, .. } => Deed::Page { items: items.len() },
            Called::Failed(failure) => {
                Deed::CallFailed { error: self.shown.text(&failure.message), kind: failure.kind }
            }
            Called::Aborted => Deed::Aborted,
            Called::InDoubt => Deed::InDoubt,
        }
    }

    /// Remembers whose an op is; gives the step's name.
    fn owner(&mut self, command: &Command) -> Option<String> {
        let plan = self.flow.plan();
        let (op, flow, step) = match command {
            Command::Call { op, flow, step, .. }
            | Command::Await { op, flow, step, .. }
            | Command::InDoubt { op, flow, step } => (Some(*op), *flow, *step),
            Command::Retrying { flow, step, .. } | Command::StepEnded { flow, step, .. } => {
                (None, *flow, *step)
            }
            Command::Log { flow, step: Some(step), .. } => (None, *flow, *step),
            _ => return None,
        };
        let name = plan.step_name(flow, step);
        if let Some(op) = op {
            self.steps.insert(op, name.clone());
        }
        Some(name)
    }

    fn end(&self, end: &End) -> Deed {
        let failed = |error: &String| (None, Some(self.shown.text(error)));
        let (status, (outputs, error)) = match end {
            End::Done { outputs } => {
                ("done", (Some(self.shown.value(&Value::Object(outputs.clone()))), None))
            }
            End::Failed(failure) => ("failed", failed(&failure.message)),
            End::Cancelled { reason } => ("cancelled", failed(reason)),
            End::TimedOut(failure) => ("timed_out", failed(&failure.message)),
        };
        Deed::Finished { status: status.into(), outputs, error }
    }

    fn asked(&mut self, command: &Command) {
        let step = self.owner(command);
        let deed = match command {
            Command::Call { flow, call, settings, effect, attempt, .. } => Deed::Called {
                kind: self.flow.plan().flow(*flow).calls[*call].kind.to_string(),
                attempt: *attempt,
                effect: effect_word(*effect).into(),
                settings: self.shown.settings(settings),
            },
            Command::Await { source, .. } => Deed::Waited { source: source.clone() },
            Command::Answer { status, body, .. } => {
                Deed::Answered { status: *status, body: self.shown.value(&json!(body)) }
            }
            Command::Emit { event, key, data, .. } => {
                let (event, key) = (event.clone(), key.clone());
                Deed::Emitted { event, key, data: self.shown.value(data) }
            }
            Command::Log { level, text, .. } => Deed::Logged { level: *level, text: self.shown.text(text) },
            Command::Retrying { wait, .. } => Deed::Retrying { seconds: wait.as_secs_f64() },
            Command::StepEnded { status, attempts, .. } => {
                Deed::Ended { status: status.word().into(), attempts: *attempts }
            }
            Command::NotUndone { failure } => Deed::NotUndone { error: self.shown.text(&failure.message) },
            Command::Finish(end) => self.end(end),
            // What they come to happens, and is told then.
            Command::InDoubt { .. }
            | Command::Abort { .. }
            | Command::Timer { .. }
            | Command::Drop { .. }
            | Command::Yield => return,
        };
        self.tell(step, deed);
    }
}

fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Safe => "safe",
        Effect::Keyed => "keyed",
        Effect::Unsafe => "unsafe",
    }
}
