//! The flows that are published.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};

use super::{read, wire};
use crate::config::ManagedBy;
use crate::deployed::keep_deployed;
use crate::desk::Desk;
use crate::guard::unavailable;
use crate::problem::Problem;
use crate::token::Token;

pub(super) async fn list(State(desk): State<Arc<Desk>>) -> Json<Vec<wire::Flow>> {
    Json(desk.parts.host.flows(&desk.tenant).into_iter().map(wire::Flow::from).collect())
}

pub(super) async fn deploy(
    State(desk): State<Arc<Desk>>,
    Extension(token): Extension<Token>,
    read::Json(set): read::Json<wire::Deploy>,
) -> Result<Json<Vec<wire::Flow>>, Problem> {
    if desk.config.flows.managed_by != ManagedBy::Deploy {
        let message =
            "the flows of this server are its folder's: `flows.managed_by = \"deploy\"` changes that";
        return Err(Problem::Conflict(message.to_owned()));
    }
    let files = set.files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
    let published = desk.parts.host.publish(&desk.tenant, files).await;
    let result = if published.is_ok() { "published" } else { "refused" };
    if published.is_ok() {
        keep_deployed(&desk.config.server.data_dir, &set.files).map_err(|error| unavailable(&error))?;
    }
    desk.wrote(&token, ("flows.deploy", "flows"), result).await?;
    let published = published.map_err(Problem::Flows)?;
    Ok(Json(published.into_iter().map(wire::Flow::from).collect()))
}
