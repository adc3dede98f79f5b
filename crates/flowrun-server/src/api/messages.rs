//! Messages of people and events of the house, as programs and channels bring them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use flowrun::engine::Told;
use http::HeaderMap;

use super::hooks::{Delivery, Door};
use super::{read, wire};
use crate::desk::Desk;
use crate::problem::Problem;

pub(super) async fn tell(
    State(desk): State<Arc<Desk>>,
    read::Json(event): read::Json<wire::Event>,
) -> Result<Json<wire::Heard>, Problem> {
    let wire::Event { event, key, data, id } = event;
    let runs = desk.parts.host.tell(&desk.tenant, Told { event, key, data, id }).await?;
    Ok(Json(wire::Heard { runs }))
}

pub(super) async fn message(
    State(desk): State<Arc<Desk>>,
    read::Json(message): read::Json<wire::Message>,
) -> Result<Json<wire::Receipt>, Problem> {
    let channel = message.channel.clone();
    let channel = channel.ok_or_else(|| Problem::Malformed("the message says no `channel`".to_owned()))?;
    let receipt = desk.parts.host.receive(message.of(&desk.tenant, channel)).await?;
    Ok(Json(receipt.into()))
}

/// A message of a channel that needs no Rust (R20); the name in the path is the channel's.
pub(super) async fn channel(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    read::Raw(body): read::Raw,
) -> Result<Json<wire::Receipt>, Problem> {
    let known = desk.config.channels.get(&name).ok_or_else(|| Problem::Absent("such channel".to_owned()))?;
    let door = Door::signed(&known.secret);
    Delivery { headers: &headers, body: &body }.proven(&desk, &door).await?;
    let message: wire::Message = read::json(&body)?;
    if message.channel.as_ref().is_some_and(|said| *said != name) {
        return Err(Problem::Malformed("the message says another `channel` than the path".to_owned()));
    }
    let receipt = desk.parts.host.receive(message.of(&desk.tenant, name)).await?;
    Ok(Json(receipt.into()))
}
