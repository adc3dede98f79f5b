//! What a run is started with.

use std::fmt;

use flowrun_machine::{AwaitPlan, Opening, Plan};
use flowrun_step::{RunId, Tenant};
use flowrun_template::Slot;
use serde_json::{Map, Value, json};

use crate::journal::{RunKey, Talk};
use crate::mail::Mail;

/// What a run is started with: its id and inputs, and what it belongs to.
///
/// # Example
/// ```
/// use flowrun_engine::{Incoming, Start, mail};
/// use flowrun_step::{RunId, Tenant};
/// use serde_json::json;
///
/// let (post, mail) = mail();
/// let start = Start::new(RunId::new("order-7")?, Vec::new())
///     .trigger(json!({ "text": "hello", "choice": null, "attachments": [] }))
///     .conversation("+31612345678", "sms")
///     .mail(mail);
/// post.put(Incoming::text("tomorrow"))?;
/// # let _ = start;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Start {
    pub(crate) run: RunKey,
    pub(crate) inputs: Vec<(Slot, Value)>,
    trigger: Value,
    conversation: Value,
    pub(crate) talk: Option<Talk>,
    callbacks: Box<dyn Fn(&str) -> String + Send + Sync>,
    pub(crate) mail: Option<Mail>,
}

impl Start {
    /// A run with these inputs: what [`Flow::accept`](flowrun_lang::Flow::accept) made of what was given.
    pub fn new(run: RunId, inputs: Vec<(Slot, Value)>) -> Self {
        let callbacks = Box::new(|step: &str| format!("urn:flowrun:callback:{step}"));
        let run = RunKey::new(Tenant::default(), run);
        let (trigger, conversation) = (Value::Null, Value::Null);
        Self { run, inputs, trigger, conversation, talk: None, callbacks, mail: None }
    }

    /// Whose run it is; without it the one tenant's there is.
    pub fn tenant(mut self, tenant: Tenant) -> Self {
        self.run.tenant = tenant;
        self
    }

    /// Whom it talks with.
    pub(crate) fn talk(mut self, talk: Option<Talk>) -> Self {
        self.conversation = talk.as_ref().map_or(Value::Null, |talk| talk.conversation.shown());
        self.talk = talk;
        self
    }

    /// What started it: `trigger.text`, `trigger.body` … in the flow.
    pub fn trigger(mut self, trigger: Value) -> Self {
        self.trigger = trigger;
        self
    }

    /// The conversation it belongs to: `conversation.id` and `conversation.channel` in the flow.
    pub fn conversation(mut self, id: &str, channel: &str) -> Self {
        self.conversation = json!({ "id": id, "channel": channel });
        self
    }

    /// The URLs on which the host hears calls for this run, by the id of the step that waits: each must be its own,
    /// and not to be guessed. Without them a flow that shows one shows a name that leads nowhere.
    pub fn callbacks(mut self, url: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.callbacks = Box::new(url);
        self
    }

    /// Where messages, events and calls come in. Without it nothing comes but the events of other runs.
    pub fn mail(mut self, mail: Mail) -> Self {
        self.mail = Some(mail);
        self
    }

    pub(crate) fn opening(&self, plan: &Plan) -> Opening {
        let callbacks = (0..=plan.flows.len()).map(|flow| self.callbacks_of(plan.flow(flow))).collect();
        Opening { trigger: self.trigger.clone(), conversation: self.conversation.clone(), callbacks }
    }

    fn callbacks_of(&self, plan: &Plan) -> Map<String, Value> {
        let id = |plan: &AwaitPlan| match plan {
            AwaitPlan::Callback { id, .. } => Some((id.clone(), Value::from((self.callbacks)(id)))),
            AwaitPlan::Answer(_) | AwaitPlan::Event { .. } => None,
        };
        plan.awaits.iter().filter_map(id).collect()
    }
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start").field("run", &self.run).finish_non_exhaustive()
    }
}
