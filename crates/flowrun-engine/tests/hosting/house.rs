//! A house that hosts runs: a recording channel, a step that takes its time, a clock that jumps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowrun_engine::host::Request as RunRequest;
use flowrun_engine::journal::{Journal, MemoryJournal, RunKey, Standing};
use flowrun_engine::{Conversation, Engine, Host, Message, Observer, Receipt, RunEvent};
use flowrun_step::{
    BoxFuture, Capabilities, Channel, Draft, Effect, OutgoingMessage, RunId, Step, StepContext, StepError,
    StepInfo, StepKind, Tenant,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::edges::{Closed, Ticking};

/// Everything outside a process: its disk, and what people were sent.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) sent: Arc<Mutex<Vec<(String, String)>>>,
    pub(crate) events: Arc<Mutex<Vec<String>>>,
    /// What its channel can carry.
    pub(crate) can: Arc<Mutex<Capabilities>>,
}

impl World {
    /// The people who were sent this.
    pub(crate) fn of(sent: &Arc<Mutex<Vec<(String, String)>>>) -> Self {
        Self { sent: Arc::clone(sent), ..Self::default() }
    }

    /// What a person was sent, each message once however often it went out with the same key.
    pub(crate) fn sent(&self) -> Vec<String> {
        let mut keys = std::collections::BTreeSet::new();
        let sent = self.sent.lock().expect("unpoisoned");
        sent.iter().filter(|(_, key)| keys.insert(key.clone())).map(|(text, _)| text.clone()).collect()
    }
}

impl Channel for World {
    fn name(&self) -> &str {
        "sms"
    }

    fn capabilities(&self, _: &str) -> Capabilities {
        self.can.lock().expect("unpoisoned").clone()
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        let peer = message.conversation.as_ref().map_or("nobody", |conversation| conversation.peer.as_str());
        let text = format!("{peer}: {}", message.text);
        self.sent.lock().expect("unpoisoned").push((text, message.key.clone()));
        Box::pin(async { Ok(()) })
    }
}

impl Observer for World {
    fn on(&self, run: &RunKey, event: &RunEvent) {
        let said = match event {
            RunEvent::Started { flow } => format!("{flow} started"),
            RunEvent::Stood { status } => format!("{} {status}", run.tenant),
            RunEvent::Ignored { messages } => format!("{messages} ignored"),
            _ => return,
        };
        self.events.lock().expect("unpoisoned").push(said);
    }
}

/// Takes as long as it is told; its kind says what doing it twice would mean.
struct Slow(&'static str, Effect);

#[derive(Deserialize, JsonSchema)]
struct Settings {
    #[schemars(extend("x-flowrun" = "header"))]
    seconds: String,
}

impl Step for Slow {
    type Settings = Settings;
    type Output = String;

    fn info(&self) -> StepInfo {
        StepInfo::new(StepKind::new(self.0).expect("a kind"), 1)
    }

    fn effect(&self, _: &Draft<'_>) -> Effect {
        self.1
    }

    async fn call(&self, _: StepContext, settings: Settings) -> Result<String, StepError> {
        let seconds = settings.seconds.parse().unwrap_or_default();
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok("done".to_owned())
    }
}

pub(crate) fn engine(world: &World, journal: Arc<dyn Journal>, began: tokio::time::Instant) -> Engine {
    let builder =
        Engine::builder(Arc::new(Ticking(began)), Arc::new(Closed)).step(Slow("test.slow", Effect::Safe));
    let builder = builder.step(Slow("test.pay", Effect::Unsafe));
    let builder = builder.channel(world.clone()).observer(world.clone()).journal(journal);
    builder.callbacks(|run, step| format!("https://here.test/{}/{step}", run.id)).build().expect("a house")
}

pub(crate) async fn publish(engine: &Engine, tenant: &Tenant, flows: &[&str]) {
    let file = |(at, text): (usize, &&str)| (format!("{at}.yaml"), text.as_bytes().to_vec());
    let files: BTreeMap<_, _> = flows.iter().enumerate().map(file).collect();
    engine.publish(tenant, files).await.unwrap_or_else(|problems| panic!("{problems:#?}"));
}

/// A house of its own, with its flows, for a test that tells it things.
pub(crate) struct House {
    pub(crate) world: World,
    pub(crate) engine: Engine,
    pub(crate) journal: MemoryJournal,
    pub(crate) began: tokio::time::Instant,
    messages: Mutex<u32>,
}

impl House {
    pub(crate) async fn new(flows: &[&str]) -> Self {
        let (world, journal) = (World::default(), MemoryJournal::default());
        let began = tokio::time::Instant::now();
        let engine = engine(&world, Arc::new(journal.clone()), began);
        publish(&engine, &Tenant::default(), flows).await;
        engine.recover().await.expect("it recovers");
        Self { world, engine, journal, began, messages: Mutex::default() }
    }

    /// A person says something; what became of it, once everything that follows at once has been done.
    pub(crate) async fn says(&self, text: &str) -> Receipt {
        let id = {
            let mut messages = self.messages.lock().expect("unpoisoned");
            *messages += 1;
            messages.to_string()
        };
        let receipt = self.engine.receive(message(&id, text)).await.expect("it is taken");
        settle().await;
        receipt
    }

    pub(crate) async fn starts(&self, flow: &str, run: &str) {
        let request = RunRequest::new(Tenant::default(), flow, id(run));
        self.engine.start(request).await.expect("it starts");
        settle().await;
    }

    pub(crate) async fn standing(&self, run: &RunId) -> Option<Standing> {
        let view = self.engine.show(&Tenant::default(), run).await.expect("it can be read");
        view.map(|view| view.standing)
    }

    pub(crate) fn sent(&self) -> Vec<String> {
        self.world.sent()
    }
}

pub(crate) fn id(text: &str) -> RunId {
    RunId::new(text).expect("an id")
}

pub(crate) fn peer() -> Conversation {
    Conversation { channel: "sms".into(), account: "shop".into(), peer: "+31".into() }
}

pub(crate) fn message(id: &str, text: &str) -> Message {
    Message::new(Tenant::default(), peer(), id).text(text)
}

/// Lets everything be done that needs no more than a moment.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

pub(crate) fn run_of(receipt: &Receipt) -> RunId {
    match receipt {
        Receipt::Started { run } | Receipt::Resumed { run } | Receipt::Queued { run } => run.clone(),
        other => panic!("{other:?}"),
    }
}
