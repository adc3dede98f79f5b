//! Two runs of one process, and a service whose limit the first of them met (L-10).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../../flowrun-http/tests/provider/mod.rs"]
mod provider;

use std::sync::Arc;

use flowrun::SystemClock;
use flowrun::engine::{Engine, Outcome, Start};
use flowrun::http::{Client, NetworkPolicy};
use flowrun::lang::{SourceText, check};
use flowrun::step::RunId;
use provider::{Answer, Provider};
use tokio_util::sync::CancellationToken;

/// Runs a flow of one step; how it ended, in words.
async fn run(engine: &Engine, name: &str, url: &str) -> String {
    let text = format!(
        "name: {name}\nsteps: [{{ http_request: {{ method: GET, url: \"{url}\" }}, timeout: 5s }}]\n"
    );
    let source = SourceText::new("flow.yaml", text.into_bytes()).unwrap();
    let flow =
        check(&source, &engine.catalog(&flowrun::step::Tenant::default()).await.unwrap()).flow.unwrap();
    let start = Start::new(RunId::new(name).unwrap(), Vec::new());
    match engine.run(&flow, start, CancellationToken::new()).await {
        Outcome::Done { .. } => "done".to_owned(),
        Outcome::Failed { diagnostic, .. } => diagnostic.message,
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn what_one_run_learnt_the_other_need_not_and_another_host_is_not_slowed() {
    let limited = Provider::start(|_| Answer::of(429, &[("retry-after", "60")], "")).await;
    let other = Provider::start(|_| Answer::json(200, "{}")).await;
    let client = Client::builder().policy(NetworkPolicy::cli()).build();
    let engine = flowrun::engine(Arc::new(SystemClock), Arc::new(client)).build().unwrap();
    assert_eq!(run(&engine, "first", &limited.url("/")).await, "127.0.0.1 answered 429");
    let words = "127.0.0.1 takes no more calls for 60s, and this step waits 5s at most";
    assert_eq!(run(&engine, "second", &limited.url("/")).await, words);
    assert_eq!(limited.seen().len(), 1);
    assert_eq!(run(&engine, "third", &other.url("/")).await, "done");
}
