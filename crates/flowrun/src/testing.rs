//! Parts for tests of a service: a clock that is moved by hand, a channel that remembers, a house that crashes.
//!
//! # Example
//! ```
//! use flowrun::testing::House;
//! use flowrun::engine::{Conversation, Host, Message, Receipt};
//! use flowrun::step::Tenant;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let mut house = House::new("sms");
//! let flow = "name: hi\ntrigger: { message: { keywords: [hi] } }\nsteps:\n  - wait: 30d\n  - send: Hello.\nlimits: { age: 60d }\n";
//! let engine = house.open(|builder| builder, &Tenant::default(), &[("hi.yaml", flow)]).await?;
//! let peer = Conversation { channel: "sms".into(), account: String::new(), peer: "+31".into() };
//! let receipt = engine.receive(Message::new(Tenant::default(), peer, "1").text("hi")).await?;
//! assert!(matches!(receipt, Receipt::Started { .. }));
//!
//! let engine = house.crash_and_reopen(&engine, |builder| builder, &Tenant::default(), &[("hi.yaml", flow)]).await?;
//! house.clock.advance(std::time::Duration::from_secs(31 * 24 * 3600));
//! assert_eq!(house.channel.sent(1).await[0].text, "Hello.");
//! # drop(engine);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowrun_engine::journal::MemoryJournal;
use flowrun_engine::{Engine, EngineBuilder, Host};
use flowrun_lang::Diagnostic;
use flowrun_step::{BoxFuture, Channel, Clock, Outbound, OutgoingMessage, Reply, Request, StepError, Tenant};
use jiff::Timestamp;
use tokio::sync::{Notify, oneshot};

/// How long a test waits for what should happen at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct MovedClock(Arc<Mutex<Hands>>);

struct Hands {
    now: Timestamp,
    sleepers: Vec<(Timestamp, oneshot::Sender<()>)>,
}

impl MovedClock {
    /// A clock that shows this.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Hands { now, sleepers: Vec::new() })))
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves it on; whoever slept until then wakes.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.now = hands.now.checked_add(by).unwrap_or(Timestamp::MAX);
        let now = hands.now;
        let (woken, asleep) = std::mem::take(&mut hands.sleepers).into_iter().partition(|(at, _)| *at <= now);
        hands.sleepers = asleep;
        for (_, wake) in woken {
            // Whoever slept may have gone.
            let _ = wake.send(());
        }
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        self.hands().now
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let (wake, woken) = oneshot::channel();
        let mut hands = self.hands();
        if at <= hands.now {
            return Box::pin(async {});
        }
        hands.sleepers.push((at, wake));
        Box::pin(async move {
            // A clock that is gone is never moved again.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

impl fmt::Debug for MovedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MovedClock").field(&self.now()).finish()
    }
}

/// A channel that remembers what was sent; a message that goes out again with its key is one.
#[derive(Debug, Clone)]
pub struct RecordingChannel {
    name: String,
    sent: Arc<Mutex<Vec<OutgoingMessage>>>,
    more: Arc<Notify>,
}

impl RecordingChannel {
    /// A channel of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), sent: Arc::default(), more: Arc::default() }
    }

    /// Everything that was sent, once it is at least so much; or after ten seconds what there is.
    pub async fn sent(&self, least: usize) -> Vec<OutgoingMessage> {
        let all = || self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let enough = async {
            while all().len() < least {
                self.more.notified().await;
            }
        };
        // What there is then says more than that time was up.
        let _ = tokio::time::timeout(PATIENCE, enough).await;
        all()
    }
}

impl Channel for RecordingChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if !sent.iter().any(|known| known.key == message.key) {
            sent.push(message.clone());
        }
        self.more.notify_one();
        Box::pin(async { Ok(()) })
    }
}

/// A way out that is closed: a test that needs one gives its own.
#[derive(Debug, Clone, Copy)]
struct NoNetwork;

impl Outbound for NoNetwork {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        Box::pin(async { Err(StepError::Connect { host, source: "this house has no network".into() }) })
    }
}

/// Everything that outlives a process: the time, the journal, what people were sent.
#[derive(Debug)]
pub struct House {
    /// The time.
    pub clock: MovedClock,
    /// What people were sent.
    pub channel: RecordingChannel,
    journal: MemoryJournal,
}

impl House {
    /// A house with one channel, at the beginning of 2026.
    #[must_use]
    pub fn new(channel: &str) -> Self {
        let clock = MovedClock::new(Timestamp::from_second(1_767_225_600).unwrap_or_default());
        Self { clock, channel: RecordingChannel::new(channel), journal: MemoryJournal::default() }
    }

    /// An engine with the two HTTP steps and what `build` adds, which hosts these flows.
    ///
    /// # Errors
    /// What is wrong with the flows.
    ///
    /// # Panics
    /// When two parts that `build` adds have one name.
    pub async fn open(
        &self,
        build: impl FnOnce(EngineBuilder) -> EngineBuilder,
        tenant: &Tenant,
        flows: &[(&str, &str)],
    ) -> Result<Engine, Mistakes> {
        let builder = crate::engine(Arc::new(self.clock.clone()), Arc::new(NoNetwork));
        let builder = builder.channel(self.channel.clone()).journal(Arc::new(self.journal.clone()));
        #[expect(clippy::panic, reason = "a test that is put together wrongly says so and stops")]
        let engine = build(builder).build().unwrap_or_else(|error| panic!("{error}"));
        let file = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
        let files: BTreeMap<_, _> = flows.iter().map(file).collect();
        engine.publish(tenant, files).await.map_err(Mistakes)?;
        engine.recover().await.map_err(|error| {
            Mistakes(vec![Diagnostic::error(flowrun_lang::Code::Registry, error.to_string())])
        })?;
        Ok(engine)
    }

    /// Ends the engine's process at this moment, whatever it was doing, and begins another over what was on disk.
    ///
    /// # Errors
    /// As [`House::open`].
    pub async fn crash_and_reopen(
        &mut self,
        engine: &Engine,
        build: impl FnOnce(EngineBuilder) -> EngineBuilder,
        tenant: &Tenant,
        flows: &[(&str, &str)],
    ) -> Result<Engine, Mistakes> {
        let kept = self.journal.copy();
        engine.drain(Duration::ZERO).await;
        self.journal = kept;
        self.open(build, tenant, flows).await
    }
}

/// What is wrong with the flows of a test.
#[derive(Debug)]
pub struct Mistakes(pub Vec<Diagnostic>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&said.join("\n"))
    }
}

impl std::error::Error for Mistakes {}
