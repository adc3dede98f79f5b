//! An error of a run, with everything a flow's `error` (L-11) and a diagnostic can say about it.
//!
//! It is data: words for a person are made of it elsewhere, from its place.

use std::ops::Range;
use std::time::Duration;

use flowrun_template::{
    CallEffect, ErrorKind, LogicError, LogicErrorKind, PickError, PickErrorKind, RenderError, RenderErrorKind,
};
use serde_json::{Value, json};

use crate::plan::Plan;

/// An error of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind a flow can test for.
    pub kind: ErrorKind,
    /// The name, where the flow or a step gave one.
    pub name: Option<String>,
    /// What happened; never a secret.
    pub message: String,
    /// The status code, where a reply had one.
    pub status: Option<u16>,
    /// Which flow of the bundle, as [`Plan::flow`](crate::Plan::flow) counts them; the machine adds it.
    pub flow: Option<usize>,
    /// The step, as an index into [`Plan::steps`](crate::Plan::steps) of that flow.
    pub step: Option<usize>,
    /// How many attempts the step made; 0 if it was not begun.
    pub attempts: u32,
    /// How long the other side asked to wait.
    pub retry_after: Option<Duration>,
    /// What is known of the effect at the other side.
    pub effect: CallEffect,
    /// Whether the same call may succeed if made again.
    pub retryable: bool,
    /// The path in the flow, such as `steps[0].fetch_variables.url`; within a value it goes on as a JSON
    /// pointer (RFC 6901): `steps[0].set.contact/name`.
    pub place: String,
    /// The bytes of the text at that place it is about.
    pub span: Option<Range<usize>>,
    /// A fix one can type.
    pub help: Option<String>,
    /// What could not be taken back once this had ended the run.
    pub not_undone: Vec<Failure>,
}

impl Failure {
    /// An error of which only kind and message are known; the machine adds step, attempts and place.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            name: None,
            message: message.into(),
            status: None,
            flow: None,
            step: None,
            attempts: 0,
            retry_after: None,
            effect: CallEffect::None,
            retryable: false,
            place: String::new(),
            span: None,
            help: None,
            not_undone: Vec::new(),
        }
    }
}

impl Failure {
    /// A text that has no value.
    pub(crate) fn of_render(path: &str, error: RenderError) -> Self {
        let kind = match error.kind {
            RenderErrorKind::Missing | RenderErrorKind::Null => ErrorKind::Missing,
            RenderErrorKind::TooLong | RenderErrorKind::Budget => ErrorKind::Limit,
            RenderErrorKind::Route | RenderErrorKind::Header => ErrorKind::Refused,
            _ => ErrorKind::Type,
        };
        let place = path.to_owned() + &error.path;
        Self { place, span: Some(error.span), help: error.help, ..Self::new(kind, error.message) }
    }

    /// An expression that has no value.
    pub(crate) fn of_logic(path: &str, error: LogicError) -> Self {
        let kind = match error.kind {
            LogicErrorKind::Undefined => ErrorKind::Missing,
            LogicErrorKind::Budget => ErrorKind::Limit,
            _ => ErrorKind::Type,
        };
        let place = path.to_owned();
        Self { place, span: Some(error.span), help: error.help, ..Self::new(kind, error.message) }
    }

    /// A value that does not hold what is picked from it.
    #[must_use]
    pub fn of_pick(error: &PickError) -> Self {
        let kind = match error.kind {
            PickErrorKind::Missing => ErrorKind::Missing,
            PickErrorKind::Type => ErrorKind::Type,
            _ => ErrorKind::Limit,
        };
        Self { effect: CallEffect::Done, help: error.help.clone(), ..Self::new(kind, error.message.clone()) }
    }

    /// The value a flow reads as `error` (L-11); `plan` is that of the flow that was started.
    #[must_use]
    pub fn value(&self, plan: &Plan) -> Value {
        let plan = plan.flow(self.flow.unwrap_or_default());
        let step = self.step.and_then(|step| plan.steps.get(step));
        json!({
            "kind": self.kind.as_str(),
            "name": self.name,
            "message": self.message,
            "status": self.status,
            "step": step.map(|step| step.id.as_ref().unwrap_or(&step.path)),
            "attempts": self.attempts,
            "retry_after": self.retry_after.map(|wait| wait.as_secs()),
            "effect": self.effect.as_str(),
        })
    }
}
