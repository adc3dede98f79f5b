//! What starts a flow: a message, a call, a moment, an event. Data for whoever hosts it; nothing is routed here.

use std::time::Duration;

use flowrun_machine::Placed;
use flowrun_template::Logic;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::calendar;

/// What starts a flow (language, 4).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Trigger {
    /// A message of a person who is in no conversation yet.
    Message(MessageTrigger),
    /// A call of a URL of the host.
    Webhook(WebhookTrigger),
    /// Moments of a calendar.
    Schedule(ScheduleTrigger),
    /// An event, told by a flow or by the host.
    Event(EventTrigger),
}

/// Which messages start the flow.
#[derive(Debug, Clone, Default)]
pub struct MessageTrigger {
    /// The channels it comes from; any, where none is named.
    pub channels: Vec<String>,
    /// The accounts it comes to; any, where none is named.
    pub accounts: Vec<String>,
    /// What it says; anything, where nothing is named.
    pub keywords: Vec<String>,
    /// How a message says a keyword; always without case.
    pub how: Match,
    /// What must hold of the trigger.
    pub condition: Option<Placed<Logic>>,
    /// Whether it ends the run that the conversation is in.
    pub interrupts: bool,
    /// Whether it takes what no other flow takes.
    pub is_default: bool,
    /// What happens to messages that come while the run is busy.
    pub while_busy: Busy,
}

/// How a message says a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Match {
    /// It is the keyword.
    #[default]
    Exact,
    /// It begins with it.
    Prefix,
    /// It holds it.
    Contains,
    /// The keyword is a regular expression that it matches.
    Regex,
}

/// What happens to messages that come while a run is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Busy {
    /// They wait.
    #[default]
    Queue,
    /// They are dropped.
    Drop,
    /// The last one replaces those that wait.
    Replace,
}

/// Which call starts the flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTrigger {
    /// The path beneath the host's own.
    pub path: String,
    /// The method, in capitals.
    pub method: String,
    /// How a caller proves who it is.
    pub auth: Option<Proof>,
    /// What the caller is answered.
    pub reply: Reply,
    /// How long the caller is kept waiting.
    pub timeout: Option<Duration>,
}

/// How a caller proves who it is: with a secret of the host, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It signs the body.
    Hmac(String),
    /// It shows the secret.
    Bearer(String),
}

/// What a caller is answered where no step says `respond`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reply {
    /// The flow's outputs, once it has ended.
    #[default]
    Outputs,
    /// At once, that it was accepted.
    Accepted,
}

/// When the flow is started.
#[derive(Debug, Clone)]
pub struct ScheduleTrigger {
    /// The moments, as cron writes them.
    pub cron: String,
    /// The time zone they are meant in.
    pub zone: String,
    /// Whether a moment that was missed is made up for, once.
    pub makes_up: bool,
    /// Whether a start waits for the run before it; else it is left out.
    pub queues: bool,
}

impl ScheduleTrigger {
    /// The first moment after this one; none if there is none.
    ///
    /// # Example
    /// ```
    /// use flowrun_lang::trigger::ScheduleTrigger;
    ///
    /// let (cron, zone) = ("0 9 * * 1-5".to_owned(), "Europe/Brussels".to_owned());
    /// let schedule = ScheduleTrigger { cron, zone, makes_up: true, queues: false };
    /// // After nine on a Friday comes Monday; in summer Brussels is two hours ahead.
    /// let monday = schedule.next("2026-06-05T07:00:00Z".parse()?);
    /// assert_eq!(monday.map(|at| at.to_string()).as_deref(), Some("2026-06-08T07:00:00Z"));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        calendar::next(&self.cron, &self.zone, after)
    }
}

/// Which event starts the flow.
#[derive(Debug, Clone)]
pub struct EventTrigger {
    /// Its name.
    pub name: String,
    /// What must hold of the trigger.
    pub condition: Option<Placed<Logic>>,
}

impl Trigger {
    /// The word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Webhook(_) => "webhook",
            Self::Schedule(_) => "schedule",
            Self::Event(_) => "event",
        }
    }

    /// What is known of it under `trigger`.
    #[must_use]
    pub fn fields(&self) -> &'static [&'static str] {
        fields(self.kind())
    }

    /// What the flow reads as `trigger`: what is given, and what it is where nothing is.
    ///
    /// # Errors
    /// When something is given that a trigger of this kind does not have; in words.
    pub fn opened(&self, mut given: Map<String, Value>, now: Timestamp) -> Result<Value, String> {
        if let Some(stranger) = given.keys().find(|key| !self.fields().contains(&key.as_str())) {
            return Err(format!("a `{}` has no `{stranger}`", self.kind()));
        }
        for field in self.fields() {
            given.entry(*field).or_insert_with(|| match *field {
                "text" => json!(""),
                "attachments" => json!([]),
                "query" | "headers" | "data" => json!({}),
                "at" => json!(now.to_string()),
                _ => Value::Null,
            });
        }
        Ok(Value::Object(given))
    }
}

/// The kinds of triggers.
pub(crate) const KINDS: &[&str] = &["message", "webhook", "schedule", "event"];

/// What is known of a trigger of this kind under `trigger`.
pub(crate) fn fields(kind: &str) -> &'static [&'static str] {
    match kind {
        "message" => &["text", "choice", "attachments"],
        "webhook" => &["body", "query", "headers"],
        "schedule" => &["at", "last"],
        "event" => &["data"],
        _ => &[],
    }
}
