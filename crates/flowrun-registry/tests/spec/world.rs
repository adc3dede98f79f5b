//! The world of a test: a clock that is moved, randomness, and a client that dials one provider on loopback.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flowrun_oauth::{Provider as OauthProvider, Settings};
use flowrun_registry::{Begin, NewIntegration, Options, Registry, World};
use flowrun_step::{
    BoxFuture, CallEffect, Clock, Effect, Entropy, Exposure, IntegrationName, Integrations, Outbound, Reply,
    Request, StepError, Tenant,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::provider::Provider;

pub(crate) const START: i64 = 1_800_000_000;

/// A clock that stands until it is moved.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<watch::Sender<Timestamp>>);

impl TestClock {
    pub(crate) fn at(second: i64) -> Self {
        Self(Arc::new(watch::Sender::new(Timestamp::from_second(second).unwrap())))
    }

    /// How many wait for it to move.
    pub(crate) fn sleepers(&self) -> usize {
        self.0.receiver_count()
    }

    pub(crate) fn forward(&self, seconds: i64) {
        self.0.send_modify(|now| *now = Timestamp::from_second(now.as_second() + seconds).unwrap());
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut moved = self.0.subscribe();
        Box::pin(async move { drop(moved.wait_for(|now| *now >= at).await) })
    }
}

/// Bytes that differ in every process and with every call.
pub(crate) struct TestEntropy(AtomicU64);

impl TestEntropy {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(u64::from(std::process::id()) << 32))
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let digest = Sha256::digest(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

/// Dials one address, whatever host a URL names, and speaks plain HTTP there.
pub(crate) struct LoopbackClient(pub(crate) std::net::SocketAddr);

impl Outbound for LoopbackClient {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        // OA-60: the client beneath is told, by mark and by header, that a credential rides along.
        assert_eq!(request.exposure, Exposure::Credential);
        assert!(request.headers.get("authorization").is_none_or(HeaderValue::is_sensitive));
        Box::pin(async move {
            let host = request.host().to_owned();
            let stream = TcpStream::connect(self.0)
                .await
                .map_err(|error| StepError::Connect { host: host.clone(), source: error.into() })?;
            let limit = request.timeout;
            let exchanged = tokio::time::timeout(limit, exchange(stream, &request)).await;
            match exchanged {
                Ok(Ok(reply)) => Ok(reply),
                Ok(Err(error)) => Err(StepError::Broken { host, source: error.into() }),
                Err(_) => Err(StepError::Timeout { host, limit, effect: CallEffect::Unknown }),
            }
        })
    }
}

async fn exchange(mut stream: TcpStream, request: &Request) -> std::io::Result<Reply> {
    let target = &request.url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut head = format!("{} {target} HTTP/1.1\r\nhost: {}\r\n", request.method, request.host());
    for (name, value) in &request.headers {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head += &format!("content-length: {}\r\nconnection: close\r\n\r\n", request.body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&request.body).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8(bytes).map_err(std::io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap();
    let headers: HeaderMap = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect();
    let status: StatusCode = status.parse().unwrap();
    Ok(Reply { status, headers, body: body.to_owned().into(), url: request.url.clone() })
}

/// A provider, a folder, a clock, and the registries opened in it.
pub(crate) struct House {
    pub(crate) provider: Provider,
    pub(crate) clock: TestClock,
    pub(crate) folder: TempDir,
}

pub(crate) const NAME: &str = "teamleader";

pub(crate) fn name(text: &str) -> IntegrationName {
    IntegrationName::new(text).unwrap()
}

impl House {
    pub(crate) async fn new() -> Self {
        let provider = Provider::start().await;
        Self { provider, clock: TestClock::at(START), folder: TempDir::new().unwrap() }
    }

    /// A registry of this house's folder, as a process that starts now would open it.
    pub(crate) fn open(&self) -> Registry {
        open(self.folder.path(), self.provider.address(), self.clock.clone())
    }

    pub(crate) fn in_memory(&self) -> Registry {
        Registry::in_memory(world(self.provider.address(), self.clock.clone()))
    }

    /// The settings of this house's provider.
    pub(crate) fn settings(&self) -> Settings {
        settings(self.provider.address())
    }

    /// A complete draft, with nothing authorised yet.
    pub(crate) fn draft(&self, settings: Settings) -> NewIntegration {
        NewIntegration {
            client_id: Some("client".to_owned()),
            client_secret: Some("canary-client-secret".into()),
            scopes: vec!["contacts".to_owned()],
            ..NewIntegration::new(name(NAME), OauthProvider::new(settings).unwrap())
        }
    }

    /// A registry with one authorised integration of these settings.
    pub(crate) async fn authorized_with(&self, settings: Settings) -> Registry {
        let registry = self.open();
        registry.add(self.draft(settings)).await.unwrap();
        self.authorize(&registry).await;
        registry
    }

    pub(crate) async fn authorized(&self) -> Registry {
        self.authorized_with(self.settings()).await
    }

    /// Goes through an authorization as a person would.
    pub(crate) async fn authorize(&self, registry: &Registry) {
        let begun = registry.begin_authorization(&name(NAME), Begin::default()).await.unwrap();
        let address = self.provider.consent(&begun.url);
        registry.complete_authorization(&name(NAME), &address, None).await.unwrap();
    }

    /// Calls the provider's API through the integration.
    pub(crate) async fn call(&self, registry: &Registry) -> Result<Reply, StepError> {
        registry.outbound(&Tenant::default(), &name(NAME)).send(self.request("/api")).await
    }

    pub(crate) fn request(&self, path: &str) -> Request {
        Request::new(Method::GET, format!("{}{path}", origin(self.provider.address())).parse().unwrap())
    }

    pub(crate) fn unsafe_request(&self, path: &str) -> Request {
        Request { method: Method::POST, effect: Effect::Unsafe, ..self.request(path) }
    }
}

fn origin(address: std::net::SocketAddr) -> String {
    format!("http://{address}")
}

pub(crate) fn settings(address: std::net::SocketAddr) -> Settings {
    let origin = origin(address);
    Settings::authorization_code(format!("{origin}/authorize"), format!("{origin}/token"))
}

pub(crate) fn world(address: std::net::SocketAddr, clock: TestClock) -> World {
    World {
        clock: Arc::new(clock),
        entropy: Arc::new(TestEntropy::new()),
        client: Arc::new(LoopbackClient(address)),
    }
}

pub(crate) fn open(folder: &Path, address: std::net::SocketAddr, clock: TestClock) -> Registry {
    Registry::open(Options {
        data_dir: folder.join("data"),
        key_file: folder.join("config/key"),
        world: world(address, clock),
    })
}

/// Waits until something is true, and says what if it never is.
pub(crate) async fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if is_true() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}
