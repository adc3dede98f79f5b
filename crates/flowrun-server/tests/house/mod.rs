//! A real engine behind a real socket, with a caller.

use std::path::Path;
use std::sync::Arc;

use flowrun::engine::Engine;
use flowrun::engine::journal::MemoryJournal;
use flowrun::http::{Client, NetworkPolicy};
use flowrun::step::{BoxFuture, Clock as _, Entropy as _, SecretSource, Tenant};
use flowrun::{SystemClock, SystemEntropy};
use flowrun_server::{Callbacks, Config, Hub, Metrics, Parts, Scope, Server, Tokens, sign};
use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The one secret of the house.
pub(crate) const SECRET: &str = "hook_key";

struct Secrets;

impl SecretSource for Secrets {
    fn secret<'a>(&'a self, _: &'a Tenant, name: &'a str) -> BoxFuture<'a, Option<SecretString>> {
        let secret = (name == SECRET).then(|| "key".into());
        Box::pin(async { secret })
    }
}

/// A server, and who calls it.
pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) base: String,
    token: String,
    client: reqwest::Client,
    close: CancellationToken,
    served: JoinHandle<()>,
}

fn parts(folder: &Path) -> Parts {
    let base = "http://127.0.0.1:1".parse().expect("a URL");
    let hub = Hub::new(SystemClock.now(), Metrics::new());
    let callbacks = Arc::new(Callbacks::open(folder, base, &SystemEntropy).expect("a key"));
    let plain = Client::builder().policy(NetworkPolicy::public_only()).build();
    let urls = Arc::clone(&callbacks);
    let engine: Engine = flowrun::engine(Arc::new(SystemClock), Arc::new(plain))
        .journal(Arc::new(MemoryJournal::default()))
        .observer(hub.clone())
        .callbacks(move |run, step| urls.url(run, step))
        .build()
        .expect("an engine");
    Parts {
        host: Arc::new(engine),
        secrets: Arc::new(Secrets),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        hub,
        callbacks,
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "[server]\nlisten = '127.0.0.1:0'\ndata_dir = '{}'\ndrain = '2s'\n[flows]\nmanaged_by = 'deploy'\n\
             [channels.chat]\nurl = 'https://chat.example'\nsecret = '{SECRET}'\n[webhooks]\nopen = ['ping']",
            folder.path().display()
        );
        let config = Config::read("flowrun.toml", &text).expect("a configuration");
        let server = Server::bind(config, parts(folder.path())).await.expect("a server");
        let base = format!("http://{}", server.address());
        let tokens = Tokens::new(folder.path(), Arc::new(SystemClock), Arc::new(SystemEntropy));
        let (_, token) = tokens.create("test", &Scope::ALL, None).expect("a token");
        let close = CancellationToken::new();
        let served = tokio::spawn(server.serve(close.clone()));
        let (token, client) = (token.expose_secret().to_owned(), reqwest::Client::new());
        Self { folder, base, token, client, close, served }
    }

    /// A house that has published a flow, under a name that is also its file's.
    pub(crate) async fn with(flow: &str) -> Self {
        Self::with_all(json!({ "flow.yaml": flow })).await
    }

    /// A house that has published these files.
    pub(crate) async fn with_all(files: Value) -> Self {
        let house = Self::new().await;
        let published = house.put("/api/flows", json!({ "files": files })).await;
        assert_eq!(published.0, StatusCode::OK, "{published:?}");
        house
    }

    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) fn asks(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.asks(Method::GET, path)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        read(self.asks(Method::PUT, path).json(&body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        read(self.asks(Method::POST, path).json(&body)).await
    }

    /// A delivery that is signed now.
    pub(crate) fn signed(&self, path: &str, body: &Value) -> RequestBuilder {
        let (body, now) = (body.to_string(), SystemClock.now());
        let signature = sign(&"key".into(), now, body.as_bytes());
        self.bare(Method::POST, path)
            .header("content-type", "application/json")
            .header("x-flowrun-timestamp", now.as_second())
            .header("x-flowrun-signature", signature)
            .body(body)
    }

    /// Closes, and waits until everything is at rest.
    pub(crate) async fn close(self) {
        self.close.cancel();
        self.served.await.expect("it closes");
    }
}

/// Reads text from a stream until something is in it.
pub(crate) async fn until(response: &mut Response, text: &str) -> String {
    let mut all = String::new();
    while !all.contains(text) {
        let chunk = response.chunk().await.expect("a stream").expect("more of it");
        all.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    all
}

pub(crate) async fn read(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("an answer");
    let (status, text) = (response.status(), response.text().await.expect("a body"));
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Some random text.
pub(crate) fn random() -> String {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    format!("{bytes:02x?}").replace([' ', ',', '[', ']'], "")
}
