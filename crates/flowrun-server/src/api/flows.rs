//! The flows that are published: listed, replaced as a whole, and taken back (R18).

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use flowrun::engine::host::Published;
use http::HeaderMap;
use http::header::{ETAG, IF_MATCH};
use tokio::sync::MutexGuard;

use super::{read, wire};
use crate::config::ManagedBy;
use crate::deployed::{Deployed, Files, Set};
use crate::desk::Desk;
use crate::guard::unavailable;
use crate::problem::Problem;
use crate::token::Token;

/// The flows that are published; where they are deployed, with the revision of the set as their `ETag`.
pub(super) async fn list(State(desk): State<Arc<Desk>>) -> Response {
    let revision = match desk.config.flows.managed_by {
        ManagedBy::Folder => None,
        ManagedBy::Deploy | ManagedBy::Page => Some(desk.deployed.lock().await.revision()),
    };
    answer(desk.parts.host.flows(&desk.tenant), revision)
}

pub(super) async fn sets(State(desk): State<Arc<Desk>>) -> Json<Vec<wire::Set>> {
    let deployed = desk.deployed.lock().await;
    let served = deployed.revision();
    Json(deployed.sets().iter().rev().map(|set| wire::Set::of(set, &served)).collect())
}

pub(super) async fn deploy(
    State(desk): State<Arc<Desk>>,
    Extension(token): Extension<Token>,
    headers: HeaderMap,
    read::Json(deploy): read::Json<wire::Deploy>,
) -> Result<Response, Problem> {
    let by = format!("token {} ({})", token.id, token.name);
    let set = Set::new(deploy.files, desk.parts.clock.now(), by);
    let (verb, subject) = ("flows.deploy", set.revision.clone());
    let done = async {
        let kept = changeable(&desk, &headers).await?;
        let next = kept.clone().with(set);
        serve(&desk, kept, next).await
    };
    told(&desk, &token, (verb, &subject), done.await).await
}

pub(super) async fn rollback(
    State(desk): State<Arc<Desk>>,
    Extension(token): Extension<Token>,
    headers: HeaderMap,
    read::Json(rollback): read::Json<wire::Rollback>,
) -> Result<Response, Problem> {
    let subject = rollback.to.clone().unwrap_or_else(|| "the set before".to_owned());
    let done = async {
        let kept = changeable(&desk, &headers).await?;
        let set = match &rollback.to {
            Some(revision) => {
                kept.find(revision).ok_or_else(|| Problem::Absent(format!("kept set `{revision}`")))?
            }
            None => {
                let nothing = "no set was deployed before the one that is served";
                kept.before().ok_or_else(|| Problem::Conflict(nothing.to_owned()))?
            }
        };
        let next = kept.clone().back_to(set);
        serve(&desk, kept, next).await
    };
    told(&desk, &token, ("flows.rollback", &subject), done.await).await
}

/// The sets, to be changed by nobody else meanwhile: if a deploy may change them, and they are still what the caller knows.
async fn changeable<'a>(desk: &'a Desk, headers: &HeaderMap) -> Result<MutexGuard<'a, Deployed>, Problem> {
    let whose = match desk.config.flows.managed_by {
        ManagedBy::Deploy => None,
        ManagedBy::Folder => Some("its folder's"),
        ManagedBy::Page => Some("its page's"),
    };
    if let Some(whose) = whose {
        let message = format!(
            "the flows of this server are {whose}: `flows.managed_by = \"deploy\"` in its flowrun.toml changes that"
        );
        return Err(Problem::Conflict(message));
    }
    let deployed = desk.deployed.lock().await;
    let revision = deployed.revision();
    let is_meant = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok()).all(|value| {
        value.split(',').map(|tag| tag.trim().trim_matches('"')).any(|tag| tag == "*" || tag == revision)
    });
    if is_meant { Ok(deployed) } else { Err(Problem::Revision(revision)) }
}

/// Publishes what is to be served, and keeps that it is.
async fn serve(
    desk: &Desk,
    mut kept: MutexGuard<'_, Deployed>,
    next: Deployed,
) -> Result<(Vec<Published>, String), Problem> {
    let files = |deployed: &Deployed| deployed.served().map(|set| bytes(&set.files)).unwrap_or_default();
    let host = &desk.parts.host;
    let published = host.publish(&desk.tenant, files(&next)).await.map_err(Problem::Flows)?;
    let (folder, keeping) = (desk.config.server.data_dir.clone(), next.clone());
    let keeping = tokio::task::spawn_blocking(move || keeping.keep(&folder)).await;
    if let Err(error) = keeping.unwrap_or_else(|error| Err(error.into())) {
        // What the next process would not serve is not served by this one either.
        drop(host.publish(&desk.tenant, files(&kept)).await);
        return Err(unavailable(&error));
    }
    let revision = next.revision();
    *kept = next;
    Ok((published, revision))
}

fn bytes(files: &Files) -> std::collections::BTreeMap<String, Vec<u8>> {
    files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect()
}

/// Writes down what came of it, and answers.
async fn told(
    desk: &Desk,
    token: &Token,
    deed: (&'static str, &str),
    done: Result<(Vec<Published>, String), Problem>,
) -> Result<Response, Problem> {
    desk.wrote(token, deed, if done.is_ok() { "published" } else { "refused" }).await?;
    let (published, revision) = done?;
    Ok(answer(published, Some(revision)))
}

fn answer(published: Vec<Published>, revision: Option<String>) -> Response {
    let flows: Vec<_> = published.into_iter().map(wire::Flow::from).collect();
    let tag = revision.map(|revision| [(ETAG, format!("\"{revision}\""))]);
    match tag {
        Some(tag) => (tag, Json(flows)).into_response(),
        None => Json(flows).into_response(),
    }
}
