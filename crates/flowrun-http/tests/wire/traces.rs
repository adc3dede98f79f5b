//! What a log may know of an exchange: method, host, status, time and size (T4).

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use flowrun_http::{Client, NetworkPolicy};
use flowrun_step::{Outbound, Request};
use http::Method;
use tracing_subscriber::fmt::MakeWriter;

use crate::provider::{Answer, Provider};

const CANARY: &str = "CANARY-77aa";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_trace_of_everything_shows_no_path_query_header_or_body_t4() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let provider = Provider::start(|_| Answer::json(200, &format!("\"{CANARY}\""))).await;
    let url = provider.url(&format!("/{CANARY}?token={CANARY}"));
    let mut request = Request::new(Method::POST, url.parse().unwrap());
    request.headers.insert("x-tenant", CANARY.parse().unwrap());
    request.headers.insert("authorization", format!("Bearer {CANARY}").parse().unwrap());
    request.body = Bytes::from_static(CANARY.as_bytes());
    Client::builder().policy(NetworkPolicy::cli()).build().send(request).await.unwrap();
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let events: Vec<&str> = log.lines().filter(|line| line.contains("flowrun_http")).collect();
    assert_eq!(events.len(), 1, "{log}");
    let event = events[0].split_once("exchange ").unwrap().1;
    let fields: Vec<&str> = event.split_whitespace().map(|field| field.split('=').next().unwrap()).collect();
    assert_eq!(fields, ["method", "host", "status", "ms", "bytes"]);
    assert!(!log.contains(CANARY), "{log}");
}
