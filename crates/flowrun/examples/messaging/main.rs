//! A messaging service that embeds flowrun: three shops, a step of its own, a channel, an HTTP interface.
//!
//! ```text
//! cargo run -p flowrun --example messaging
//! curl -d '{"id": "1", "from": "+31612345678", "text": "order"}' -H 'content-type: application/json' localhost:8080/bakery/messages
//! curl localhost:8080/bakery/outbox
//! ```
//! `service.rs` is what a service copies, `customer.rs` a step, `gateway.rs` a channel; `tests/messaging.rs` of the crate `flowrun`
//! shows how such a service is tested with a clock that is moved.

#![expect(clippy::print_stdout, reason = "it says where it listens")]

mod customer;
mod gateway;
mod service;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flowrun::engine::Host;
use flowrun::http::{Client, NetworkPolicy};
use flowrun::journal::SqliteJournal;
use flowrun::{SystemClock, SystemEntropy};

use customer::{Customer, Customers};
use gateway::Gateway;
use service::{publish, router};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join("flowrun-messaging");
    // A service keeps its key apart from its data, and never in its sources.
    let edges = (Arc::new(SystemClock) as _, Arc::new(SystemEntropy) as _);
    let journal = SqliteJournal::open(&folder, &[7; 32], edges)?;

    let gateway = Gateway::default();
    let client = Client::builder().policy(NetworkPolicy::public_only()).build();
    let engine = flowrun::engine(Arc::new(SystemClock), Arc::new(client))
        .step(Customer::new(Customers::example()))
        .channel(gateway.clone())
        .journal(Arc::new(journal))
        .build()?;
    publish(&engine, &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/messaging/flows")).await?;
    engine.recover().await?;

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 8080)).await?;
    println!("http://{}", listener.local_addr()?);
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, router(engine.clone(), gateway)).with_graceful_shutdown(interrupted).await?;
    engine.drain(Duration::from_secs(30)).await;
    Ok(())
}
