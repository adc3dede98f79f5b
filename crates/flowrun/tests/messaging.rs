//! The example of a messaging service: its flows with a clock that is moved, its HTTP interface, a crash in between.

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "../examples/messaging/customer.rs"]
mod customer;
#[path = "../examples/messaging/gateway.rs"]
mod gateway;
#[path = "../examples/messaging/service.rs"]
mod service;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use customer::{Customer, Customers};
use flowrun::engine::{Conversation, Engine, Host, Message, Receipt};
use flowrun::http::{Client, NetworkPolicy};
use flowrun::journal::SqliteJournal;
use flowrun::step::{Outbound, Request, Tenant};
use flowrun::testing::House;
use flowrun::{SystemClock, SystemEntropy};
use gateway::Gateway;
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

const BAKERY: [(&str, &str); 2] = [
    ("order.yaml", include_str!("../examples/messaging/flows/bakery/order.flow.yaml")),
    ("stop.yaml", include_str!("../examples/messaging/flows/bakery/stop.flow.yaml")),
];

fn bakery() -> Tenant {
    Tenant::new("bakery").expect("a tenant")
}

fn says(id: &str, text: &str) -> Message {
    let peer = Conversation { channel: "chat".into(), account: "bakery".into(), peer: "+31612345678".into() };
    Message::new(bakery(), peer, id).text(text)
}

async fn open(house: &House) -> Engine {
    let (step, shop) = (Customer::new(Customers::example()), bakery());
    let opened = house.open(|builder| builder.step(step), &shop, &BAKERY).await;
    opened.unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn texts(sent: &[flowrun::step::OutgoingMessage]) -> Vec<&str> {
    sent.iter().map(|message| message.text.as_str()).collect()
}

#[tokio::test]
async fn an_order_is_taken_by_a_process_that_did_not_ask_for_it() -> Result<(), Failure> {
    let mut house = House::new("chat");
    let engine = open(&house).await;
    assert!(matches!(engine.receive(says("1", "Order please")).await?, Receipt::Started { .. }));
    assert_eq!(texts(&house.channel.sent(1).await), ["Good morning Ada! What may we bake for you?"]);

    let step = |builder: flowrun::engine::EngineBuilder| builder.step(Customer::new(Customers::example()));
    let engine = house.crash_and_reopen(&engine, step, &bakery(), &BAKERY).await?;
    assert_eq!(engine.receive(says("1", "Order please")).await?, Receipt::Duplicate);
    engine.receive(says("2", "Two rolls")).await?;
    assert_eq!(texts(&house.channel.sent(2).await)[1..], ["Two rolls: ready tomorrow at eight."]);
    Ok(())
}

/// R9: nobody answers for a day.
#[tokio::test]
async fn who_does_not_answer_within_a_day_is_told_so_and_begins_again() -> Result<(), Failure> {
    let house = House::new("chat");
    let engine = open(&house).await;
    engine.receive(says("1", "order")).await?;
    house.channel.sent(1).await;
    house.clock.advance(Duration::from_secs(24 * 3600 + 1));
    assert_eq!(texts(&house.channel.sent(2).await)[1..], ["Call us when you are hungry."]);
    assert!(matches!(engine.receive(says("2", "order")).await?, Receipt::Started { .. }));
    assert!(matches!(engine.receive(says("3", "stop")).await?, Receipt::Interrupted { .. }));
    Ok(())
}

/// The service itself over HTTP, on a journal on disk: three shops with one keyword, each its own.
#[tokio::test(flavor = "multi_thread")]
async fn three_shops_share_a_service_and_nothing_else() -> Result<(), Failure> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("messaging-{}", std::process::id()));
    let edges = (Arc::new(SystemClock) as _, Arc::new(SystemEntropy) as _);
    let journal = SqliteJournal::open(&folder, &[7; 32], edges)?;
    let gateway = Gateway::default();
    let client = Arc::new(Client::builder().policy(NetworkPolicy::cli()).build());
    let engine = flowrun::engine(Arc::new(SystemClock), Arc::<Client>::clone(&client))
        .step(Customer::new(Customers::example()))
        .channel(gateway.clone())
        .journal(Arc::new(journal))
        .build()?;
    service::publish(&engine, &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/messaging/flows"))
        .await?;
    engine.recover().await?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let serving = tokio::spawn(async move { axum::serve(listener, service::router(engine, gateway)).await });

    for shop in service::SHOPS {
        let message = json!({ "id": "1", "from": "+31612345678", "text": "order" });
        assert_eq!(
            post(&*client, &format!("{base}/{shop}/messages"), message).await?["became"],
            "started",
            "{shop}"
        );
    }
    assert_eq!(outbox(&*client, &format!("{base}/library"), 1).await?, ["Which book?"]);
    assert_eq!(
        outbox(&*client, &format!("{base}/garage"), 1).await?,
        ["We order it, Mrs Lovelace, and write when it is here."]
    );
    let arrived =
        json!({ "id": "e1", "event": "part_arrived", "about": "+31612345678", "data": { "part": "belt" } });
    while post(&*client, &format!("{base}/garage/events"), arrived.clone()).await?["heard"] == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(outbox(&*client, &format!("{base}/garage"), 2).await?[1..], ["Your belt is here."]);
    assert_eq!(outbox(&*client, &format!("{base}/bakery"), 1).await?.len(), 1);
    serving.abort();
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn post(client: &dyn Outbound, url: &str, body: Value) -> Result<Value, Failure> {
    let mut request = Request::new(Method::POST, url.parse()?);
    request.headers.insert("content-type", "application/json".parse()?);
    request.body = body.to_string().into();
    Ok(serde_json::from_slice(&client.send(request).await?.body)?)
}

/// What a shop has sent, once it is so much.
async fn outbox(client: &dyn Outbound, shop: &str, least: usize) -> Result<Vec<String>, Failure> {
    for _ in 0..500 {
        let reply = client.send(Request::new(Method::GET, format!("{shop}/outbox").parse()?)).await?;
        let sent: Vec<Value> = serde_json::from_slice(&reply.body)?;
        if sent.len() >= least {
            return Ok(sent.iter().filter_map(|sent| Some(sent["text"].as_str()?.to_owned())).collect());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("nothing was sent".into())
}
