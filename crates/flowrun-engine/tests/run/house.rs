//! A house of real parts for runs: a scripted step, a recording channel, a clock that jumps.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use expect_test::Expect;
use flowrun_engine::journal::RunKey;
use flowrun_engine::{Engine, Incoming, Observer, Outcome, RunEvent, Start, Told, mail};
use flowrun_lang::{Catalog, Diagnostic, Flow, Flows, SourceText, Unread, check_with};
use flowrun_step::{
    BoxFuture, CallEffect, Channel, Clock, Draft, Effect, Outbound, OutgoingMessage, Page, Reply, Request,
    RunId, SecretSource, Step, StepContext, StepError, StepInfo, StepKind, Tenant,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Runs a flow against a script and compares everything that could be seen.
pub(crate) fn check(flow: &str, script: &[&str], expected: Expect) {
    check_calling(flow, &[], script, expected);
}

/// The same for a flow that calls others, each a name and a text.
pub(crate) fn check_calling(flow: &str, beside: &[(&str, &str)], script: &[&str], expected: Expect) {
    check_answered(flow, beside, script, &[], expected);
}

/// The same for a flow to which things come from outside: each with the second it comes at.
pub(crate) fn check_answered(
    flow: &str,
    beside: &[(&str, &str)],
    script: &[&str],
    comes: &[(u64, Incoming)],
    expected: Expect,
) {
    expected.assert_eq(&seen(flow, beside, script, comes));
}

/// Everything that could be seen of a run.
pub(crate) fn seen(
    flow: &str,
    beside: &[(&str, &str)],
    script: &[&str],
    comes: &[(u64, Incoming)],
) -> String {
    runtime().block_on(run(flow, &Beside(beside), script, comes))
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime")
}

pub(crate) fn engine(world: &World) -> Engine {
    let builder = Engine::builder(Arc::new(world.clone()), Arc::new(Closed)).step(Call(world.clone()));
    let builder = builder.channel(world.clone()).secrets(Vault).observer(world.clone());
    builder.build().expect("a house")
}

pub(crate) fn flow(engine: &Engine, text: &str, beside: &Beside<'_>) -> Flow {
    let source = SourceText::new("flow.yaml", text.as_bytes().to_vec()).expect("UTF-8");
    let checked = check_with(&source, &Catalog::new(engine.steps().clone()), beside);
    checked.flow.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// The flows beside the one that is run.
pub(crate) struct Beside<'a>(pub(crate) &'a [(&'a str, &'a str)]);

impl Flows for Beside<'_> {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        let (name, text) = found.ok_or_else(|| Unread::Because("there is no such file".to_owned()))?;
        Ok(SourceText::new(name, text.as_bytes().to_vec()).expect("UTF-8"))
    }
}

async fn run(text: &str, beside: &Beside<'_>, script: &[&str], comes: &[(u64, Incoming)]) -> String {
    let world = World::new(script);
    let engine = engine(&world);
    let flow = flow(&engine, text, beside);
    let trigger = json!({ "text": "hello", "data": { "id": "7" } });
    let inputs =
        flow.accept_from(&BTreeMap::new(), &trigger, true).expect("every input is asked for or found");
    let (post, mail) = mail();
    for (second, incoming) in comes.iter().cloned() {
        let post = post.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(second)).await;
            post.put(incoming).expect("the run still takes it");
        });
    }
    let start = Start::new(RunId::new("run-1").expect("an id"), inputs).trigger(trigger).mail(mail);
    let outcome = engine.run(&flow, start, world.cancel.clone()).await;
    world.say(&end(&world, outcome));
    let seen = world.seen.lock().expect("unpoisoned");
    seen.join("\n")
}

pub(crate) fn end(world: &World, outcome: Outcome) -> String {
    match outcome {
        Outcome::Done { outputs } => format!("done {}", serde_json::Value::from(outputs)),
        Outcome::Failed { diagnostic, .. } => format!("failed at {}: {}", world.time(), words(&diagnostic)),
        Outcome::TimedOut { diagnostic } => format!("timed out at {}: {}", world.time(), words(&diagnostic)),
        Outcome::Cancelled { reason } => format!("cancelled: {reason}"),
        other => format!("{other:?}"),
    }
}

fn words(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.place.as_ref().expect("a place");
    let at = format!("{}:{}:{} {}", place.file, place.line, place.column, place.path);
    let causes = diagnostic.causes.iter().filter(|cause| !cause.starts_with("the request"));
    let causes: String = causes.map(|cause| format!(", {cause}")).collect();
    format!("{diagnostic} ({at}{causes})")
}

/// What the script says, what was seen, and the time: tokio's, which jumps while all wait.
#[derive(Clone)]
pub(crate) struct World {
    script: Arc<Mutex<VecDeque<String>>>,
    seen: Arc<Mutex<Vec<String>>>,
    pub(crate) cancel: CancellationToken,
    began: tokio::time::Instant,
}

impl World {
    pub(crate) fn new(script: &[&str]) -> Self {
        Self {
            script: Arc::new(Mutex::new(script.iter().map(|line| (*line).to_owned()).collect())),
            seen: Arc::default(),
            cancel: CancellationToken::new(),
            began: tokio::time::Instant::now(),
        }
    }

    fn say(&self, line: &str) {
        self.seen.lock().expect("unpoisoned").push(line.to_owned());
    }

    fn time(&self) -> String {
        format!("{}s", self.began.elapsed().as_secs())
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.began.elapsed()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
        Box::pin(tokio::time::sleep(left))
    }
}

impl Channel for World {
    fn name(&self) -> &str {
        "here"
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        let buttons = message.buttons.iter().map(|button| format!(" [{button}]")).collect::<String>();
        self.say(&format!("{} sent {}{buttons}", self.time(), message.text));
        Box::pin(async { Ok(()) })
    }
}

impl Observer for World {
    fn on(&self, _: &RunKey, event: &RunEvent) {
        match event {
            RunEvent::CallStarted { kind, attempt, .. } if kind == "test.call" => {
                self.say(&format!("{} call {attempt}", self.time()));
            }
            RunEvent::NotUndone { step, error } => {
                self.say(&format!("{} not taken back at {step}: {error}", self.time()));
            }
            RunEvent::Emitted(Told { event, key, data, .. }) => {
                self.say(&format!("{} told {event} {} {data}", self.time(), key.as_deref().unwrap_or("-")));
            }
            RunEvent::Answered { status, headers, body } => {
                self.say(&format!("{} answered {status} {headers:?} {body:?}", self.time()));
            }
            RunEvent::CallEnded { error: Some(error), .. } if error == "aborted" => {
                self.say(&format!("{} aborted", self.time()));
            }
            _ => {}
        }
    }
}

/// The one secret of this house.
struct Vault;

impl SecretSource for Vault {
    fn secret<'a>(&'a self, _tenant: &'a Tenant, name: &'a str) -> BoxFuture<'a, Option<SecretString>> {
        Box::pin(async move { (name == "KEY").then(|| SecretString::from("canary-0123456789")) })
    }
}

/// Nothing here calls the network.
struct Closed;

impl Outbound for Closed {
    fn send(&self, _request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        unreachable!("no step of this house sends a request")
    }
}

/// Answers each attempt with the next line of the script.
struct Call(World);

#[derive(Deserialize, JsonSchema)]
struct Settings {
    #[serde(rename = "url")]
    _url: String,
    #[schemars(extend("x-flowrun" = "header"))]
    header: Option<String>,
    #[serde(rename = "pages")]
    _pages: Option<Pages>,
    #[serde(rename = "variables")]
    #[schemars(extend("x-flowrun" = "picks"))]
    _variables: Option<serde_json::Value>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
struct Pages {
    #[serde(rename = "until")]
    #[schemars(extend("x-flowrun" = "until"))]
    _until: Option<String>,
    #[serde(rename = "max_pages")]
    _max_pages: Option<u64>,
}

impl Step for Call {
    type Settings = Settings;
    type Output = String;

    fn info(&self) -> StepInfo {
        StepInfo::new(StepKind::new("test.call").expect("a kind"), 1).pages("pages")
    }

    fn effect(&self, _draft: &Draft<'_>) -> Effect {
        Effect::Keyed
    }

    /// `page 1,2 > next` gives two items and says what leads on; any other line is that of a call.
    async fn page(
        &self,
        cx: StepContext,
        settings: Settings,
        cursor: Option<Value>,
    ) -> Result<Page, StepError> {
        self.0.say(&format!(
            "{} page after {} [{}]",
            self.0.time(),
            cursor.unwrap_or_default(),
            &cx.key[..2]
        ));
        let line = self.call(cx, settings).await?;
        let (items, next) = line.split_once(" > ").unwrap_or((line.trim(), ""));
        let items: Vec<Value> =
            items.split(',').filter_map(|item| item.parse::<u64>().ok()).map(Value::from).collect();
        let body = json!({ "size": items.len() });
        Ok(Page { items, next: Some(next).filter(|next| !next.is_empty()).map(Value::from), body })
    }

    async fn call(&self, cx: StepContext, settings: Settings) -> Result<String, StepError> {
        let line = self.0.script.lock().expect("unpoisoned").pop_front().expect("the script says something");
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "ok" => Ok(rest.to_owned()),
            "key" => Ok(cx.key[..8].to_owned()),
            "echo" => Ok(format!("seen {}", settings.header.unwrap_or_default())),
            "panic" => panic!("a word that may hold anything"),
            "hang" => Never.await,
            "cancel" => {
                self.0.cancel.cancel();
                if rest.is_empty() {
                    return Never.await;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(rest.to_owned())
            }
            "connect" => Err(StepError::Connect { host: "api.test".to_owned(), source: "refused".into() }),
            status => Err(StepError::Http {
                host: "api.test".to_owned(),
                status: status.parse().expect("a status"),
                said: String::new(),
                retry_after: rest
                    .strip_prefix("retry_after=")
                    .map(|s| Duration::from_secs(s.parse().expect("seconds"))),
                effect: CallEffect::Unknown,
            }),
        }
    }
}

/// An answer that does not come.
struct Never;

impl Future for Never {
    type Output = Result<String, StepError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Pending
    }
}
