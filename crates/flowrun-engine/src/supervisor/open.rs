//! Starts runs: by request, by a message, by an event.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flowrun_lang::trigger::{Busy, Trigger};
use flowrun_lang::{Diagnostic, Flow};
use flowrun_step::{RunId, Tenant};
use flowrun_template::Slot;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Supervisor;
use crate::flows::{Turn, holds, route};
use crate::host::{NotStarted, Request, Started};
use crate::journal::{Begun, Delivered, JournalError, Opener, RunKey, Talk};
use crate::mail::{Incoming, Told};
use crate::message::{Message, Receipt, Refused};
use crate::start::Start;

/// How long a run that is replaced may take to end.
const REPLACED: Duration = Duration::from_secs(30);
/// How often a message is routed again because its conversation changed meanwhile.
const AGAIN: usize = 8;

impl Supervisor {
    /// Starts the run of a request.
    pub(crate) async fn start(self: &Arc<Self>, request: Request) -> Result<Started, NotStarted> {
        self.admit()?;
        let key = RunKey::new(request.tenant.clone(), request.run.clone());
        let flow = self.set(&request.tenant).get(&request.flow).cloned();
        let flow = flow.ok_or_else(|| NotStarted::NoFlow(request.flow.clone()))?;
        loop {
            let begun = self.launch(Arc::clone(&flow), self.opening(&flow, &request)?).await;
            let (run, existing) = (key.id.clone(), true);
            match begun {
                Ok(Begun::Now) => return Ok(Started { run, existing: false }),
                Ok(Begun::Before(..) | Begun::Duplicate) => return Ok(Started { run, existing }),
                Ok(Begun::HandedOver) => return Err(NotStarted::HandedOver),
                Ok(Begun::Busy(other)) if request.replaces => self.replace(&request.tenant, other).await?,
                Ok(Begun::Busy(other)) => return Err(NotStarted::Busy(other)),
                Err(JournalError::Conflict(run)) => return Err(NotStarted::Conflict(run)),
                Err(error) => return Err(Refused::from(error).into()),
            }
        }
    }

    pub(super) fn opening(&self, flow: &Flow, request: &Request) -> Result<Start, NotStarted> {
        let is_asked = request.conversation.is_some();
        let inputs = flow.accept_from(&request.inputs, &request.trigger, is_asked);
        let inputs = inputs.map_err(NotStarted::Inputs)?;
        let talk = request.conversation.clone().map(|conversation| Talk {
            conversation,
            while_busy: while_busy(flow),
            opener: None,
        });
        let key = RunKey::new(request.tenant.clone(), request.run.clone());
        Ok(self.start_of(key, inputs, (request.trigger.clone(), talk)))
    }

    /// The start of a run that is hosted here, whatever started it.
    fn start_of(
        &self,
        key: RunKey,
        inputs: Vec<(Slot, Value)>,
        (trigger, talk): (Value, Option<Talk>),
    ) -> Start {
        let callbacks = Arc::clone(&self.services.callbacks);
        let start = Start::new(key.id.clone(), inputs).tenant(key.tenant.clone()).talk(talk);
        start.trigger(trigger).callbacks(move |step| callbacks(&key, step))
    }

    /// Ends the run a conversation is in, and waits until it has.
    async fn replace(self: &Arc<Self>, tenant: &Tenant, run: RunId) -> Result<(), NotStarted> {
        let key = RunKey::new(tenant.clone(), run);
        let reason = "another run of the conversation replaced it".to_owned();
        let mut settled = self.subscribe();
        self.deliver(&key, Incoming::Cancel { reason }).await.map_err(Refused::from)?;
        let is_over = async {
            while let Ok(Some(view)) = self.journal.view(&key).await {
                if view.standing.is_over() {
                    break;
                }
                // One that was missed is looked for again.
                let _ = settled.recv().await;
            }
        };
        match tokio::time::timeout(REPLACED, is_over).await {
            Ok(()) => Ok(()),
            Err(_) => Err(NotStarted::Busy(key.id)),
        }
    }

    /// Keeps something for a run, and lets it know.
    pub(crate) async fn deliver(
        self: &Arc<Self>,
        key: &RunKey,
        incoming: Incoming,
    ) -> Result<Delivered, JournalError> {
        let delivered = self.journal.deliver(key, incoming, self.services.clock.now()).await?;
        if let Delivered::Kept { address, .. } = &delivered {
            self.poke(address);
        }
        Ok(delivered)
    }

    /// Takes a message.
    pub(crate) async fn receive(self: &Arc<Self>, message: Message) -> Result<Receipt, Refused> {
        self.admit()?;
        let now = self.services.clock.now();
        for _ in 0..AGAIN {
            let interrupts = route(&self.set(&message.tenant), &message, (Turn::Interrupting, now)).is_some();
            match self.journal.receive(message.clone(), now, interrupts).await? {
                Delivered::Duplicate => return Ok(Receipt::Duplicate),
                Delivered::HandedOver => return Ok(Receipt::HandedOver),
                Delivered::Dropped(run) => return Ok(Receipt::Dropped { run }),
                Delivered::Kept { address, is_awaited } => {
                    self.poke(&address);
                    let run = address.run.id;
                    return Ok(match (interrupts, is_awaited) {
                        (true, _) => Receipt::Interrupted { run: id_of(&message), ended: run },
                        (false, true) => Receipt::Resumed { run },
                        (false, false) => Receipt::Queued { run },
                    });
                }
                Delivered::Nobody => {}
            }
            if let Some(receipt) = self.open(&message, Opener::New(message.id.clone())).await? {
                return Ok(receipt);
            }
        }
        Err(Refused::Overloaded { retry_after: super::LATER })
    }

    /// Starts the flow that listens to a message; nothing if its conversation is in a run meanwhile.
    async fn open(
        self: &Arc<Self>,
        message: &Message,
        opener: Opener,
    ) -> Result<Option<Receipt>, JournalError> {
        let now = self.services.clock.now();
        let flow = route(&self.set(&message.tenant), message, (Turn::Free, now)).cloned();
        let start = flow.map(|flow| (self.opened(&flow, message, opener.clone()), flow));
        let (start, flow) = match start {
            Some((Ok(start), flow)) => (start, flow),
            other => {
                if let Some((Err(problems), flow)) = other {
                    let problem = problems.first().map(ToString::to_string).unwrap_or_default();
                    tracing::error!(flow = flow.name(), problem, "a message cannot start the flow it is for");
                }
                self.nobodys(message, opener).await?;
                return Ok(Some(Receipt::NoFlow));
            }
        };
        let run = start.run.id.clone();
        Ok(match self.launch(flow, start).await? {
            Begun::Now => Some(Receipt::Started { run }),
            Begun::Before(..) | Begun::Duplicate => Some(Receipt::Duplicate),
            Begun::HandedOver => Some(Receipt::HandedOver),
            Begun::Busy(_) => None,
        })
    }

    async fn nobodys(&self, message: &Message, opener: Opener) -> Result<(), JournalError> {
        match opener {
            Opener::New(_) => self.journal.remember(message.clone(), self.services.clock.now()).await,
            Opener::Kept(number) => self.journal.discard(number).await,
        }
    }

    fn opened(&self, flow: &Flow, message: &Message, opener: Opener) -> Result<Start, Vec<Diagnostic>> {
        let trigger = message.body();
        let inputs = flow.accept_from(&BTreeMap::new(), &trigger, true)?;
        let conversation = message.conversation.clone();
        let talk = Talk { conversation, while_busy: while_busy(flow), opener: Some(opener) };
        let key = RunKey::new(message.tenant.clone(), id_of(message));
        Ok(self.start_of(key, inputs, (trigger, Some(talk))))
    }

    /// Routes messages afresh whose run ended before it took them, in order (R7).
    pub(super) fn reroute(self: &Arc<Self>) {
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(error) = this.route_strays().await {
                tracing::error!(%error, "messages stay where they are");
            }
        });
    }

    /// One at a time: the run that a message starts takes those behind it.
    async fn route_strays(self: &Arc<Self>) -> Result<(), JournalError> {
        while let Some((number, message)) = self.journal.stray().await?.into_iter().next() {
            self.open(&message, Opener::Kept(number)).await?;
        }
        Ok(())
    }

    /// Starts the flows that an event triggers; gives how many.
    pub(super) async fn triggered(
        self: &Arc<Self>,
        tenant: &Tenant,
        told: &Told,
    ) -> Result<usize, JournalError> {
        let (trigger, now) = (json!({ "data": told.data }), self.services.clock.now());
        let mut started = 0;
        for flow in self.set(tenant).all() {
            let is_meant = matches!(flow.trigger(), Some(Trigger::Event(event))
                if event.name == told.event && holds(flow, event.condition.as_ref(), (&trigger, now)));
            if !is_meant {
                continue;
            }
            let run = id_from("e", &json!([flow.name(), told.id]));
            let request =
                Request { trigger: trigger.clone(), ..Request::new(tenant.clone(), flow.name(), run) };
            match self.opening(flow, &request) {
                Ok(start) => {
                    let begun = self.launch(Arc::clone(flow), start).await?;
                    started += usize::from(begun == Begun::Now);
                }
                Err(error) => tracing::error!(flow = flow.name(), %error, "an event cannot start the flow"),
            }
        }
        Ok(started)
    }
}

fn while_busy(flow: &Flow) -> Busy {
    match flow.trigger() {
        Some(Trigger::Message(message)) => message.while_busy,
        _ => Busy::default(),
    }
}

/// The run that a message starts: the same however often it comes.
fn id_of(message: &Message) -> RunId {
    id_from("m", &json!([message.conversation, message.id]))
}

/// A run's id made of what starts it.
pub(super) fn id_from(kind: &str, what: &Value) -> RunId {
    let digest = Sha256::digest(what.to_string());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    #[expect(clippy::expect_used, reason = "letters and digits are a legal id")]
    RunId::new(&format!("{kind}-{hex}")).expect("a legal id")
}
