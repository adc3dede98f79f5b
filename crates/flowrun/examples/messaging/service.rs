//! The service's HTTP interface: messages and events come in, runs can be looked at.

use std::collections::BTreeMap;
use std::path::Path;

use axum::extract::{Path as At, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use flowrun::engine::{Conversation, Engine, Host, Message, Receipt, Refused, Told};
use flowrun::step::{RunId, Tenant};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Sent};

/// The shops.
pub(crate) const SHOPS: [&str; 3] = ["bakery", "garage", "library"];

/// Publishes the flows of every shop: each has a folder of its name.
pub(crate) async fn publish(engine: &Engine, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for shop in SHOPS {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder.join(shop))? {
            let entry = entry?;
            files.insert(entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path())?);
        }
        let mistakes = |all: Vec<_>| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        engine.publish(&Tenant::new(shop)?, files).await.map_err(mistakes)?;
    }
    Ok(())
}

#[derive(Clone)]
struct Service {
    engine: Engine,
    gateway: Gateway,
}

/// The routes.
pub(crate) fn router(engine: Engine, gateway: Gateway) -> Router {
    Router::new()
        .route("/{shop}/messages", post(message))
        .route("/{shop}/events", post(event))
        .route("/{shop}/runs/{run}", get(run))
        .route("/{shop}/outbox", get(outbox))
        .with_state(Service { engine, gateway })
}

type Answer<T> = Result<Json<T>, StatusCode>;

fn tenant(shop: &str) -> Result<Tenant, StatusCode> {
    let known = SHOPS.contains(&shop).then(|| Tenant::new(shop));
    known.and_then(Result::ok).ok_or(StatusCode::NOT_FOUND)
}

/// Not taken: the provider brings it again.
fn refused(refused: &Refused) -> StatusCode {
    match refused {
        Refused::Overloaded { .. } => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A message, as the provider hands it over.
#[derive(Deserialize)]
struct Incoming {
    id: String,
    from: String,
    text: String,
}

async fn message(
    State(service): State<Service>,
    At(shop): At<String>,
    Json(incoming): Json<Incoming>,
) -> Answer<Receipt> {
    let peer = Conversation { channel: "chat".to_owned(), account: shop.clone(), peer: incoming.from };
    let message = Message::new(tenant(&shop)?, peer, &incoming.id).text(&incoming.text);
    service.engine.receive(message).await.map(Json).map_err(|error| refused(&error))
}

/// Something that happened elsewhere: a part has come.
#[derive(Deserialize)]
struct Happened {
    id: String,
    event: String,
    about: Option<String>,
    #[serde(default)]
    data: Value,
}

async fn event(
    State(service): State<Service>,
    At(shop): At<String>,
    Json(Happened { id, event, about, data }): Json<Happened>,
) -> Answer<Value> {
    let told = Told { event, key: about, data, id };
    let heard = service.engine.tell(&tenant(&shop)?, told).await.map_err(|error| refused(&error))?;
    Ok(Json(json!({ "heard": heard })))
}

async fn run(State(service): State<Service>, At((shop, run)): At<(String, String)>) -> Answer<Value> {
    let run = RunId::new(&run).map_err(|_| StatusCode::NOT_FOUND)?;
    let view =
        service.engine.show(&tenant(&shop)?, &run).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    view.map(|view| Json(json!(view))).ok_or(StatusCode::NOT_FOUND)
}

async fn outbox(State(service): State<Service>, At(shop): At<String>) -> Answer<Vec<Sent>> {
    Ok(Json(service.gateway.outbox(&tenant(&shop)?)))
}
