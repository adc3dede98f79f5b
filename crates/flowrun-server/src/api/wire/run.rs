//! A run, as the API answers it and `flowrun runs --json` prints it.

use flowrun::engine::{host, journal};
use flowrun::machine::Body;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A run. A list shows no values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The flow's name.
    pub flow: String,
    /// `running`, `waiting`, `in_doubt`, `blocked`, `held`, `done`, `failed`, `timed_out` or `cancelled`.
    pub status: String,
    /// Whether a process drives it at this moment.
    pub is_driven: bool,
    /// When it began.
    pub began: String,
    /// When it last changed how it stands.
    pub changed: String,
    /// Of one that waits: when it goes on, if nothing comes for it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// Of one that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Map<String, Value>>,
    /// Of one that failed, or whose time was up: what was said, with its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// Of one that was cancelled or is blocked: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of one in doubt: the steps whose calls may have been made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<String>>,
    /// What its caller was answered, if a step did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What a step answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; text, where it is no JSON.
    pub body: Value,
}

impl From<journal::Summary> for Run {
    fn from(summary: journal::Summary) -> Self {
        let journal::Summary { id, flow, status, is_driven, began, changed } = summary;
        Self { id, flow, status, is_driven, began, changed, ..Self::default() }
    }
}

impl From<host::View> for Run {
    fn from(view: host::View) -> Self {
        let mut run = Self::from(view.summary);
        match view.standing {
            journal::Standing::Waiting { until } => run.until = until,
            journal::Standing::Done { outputs } => run.outputs = Some(outputs),
            journal::Standing::Failed { error } | journal::Standing::TimedOut { error } => {
                run.error = Some(error)
            }
            journal::Standing::Cancelled { reason } => run.reason = Some(reason),
            journal::Standing::Blocked { why } => run.reason = Some(why),
            journal::Standing::InDoubt { steps } => run.steps = Some(steps),
            _ => {}
        }
        run.answer =
            view.answer.map(|answer| Answer { status: answer.status, body: Body::value(&answer.body) });
        run
    }
}
