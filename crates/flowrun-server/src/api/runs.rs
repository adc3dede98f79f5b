//! Runs: started, listed, shown, cancelled, and told what becomes of calls in doubt.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use flowrun::engine::Story;
use flowrun::engine::host::{Filter, Request};
use flowrun::engine::story::Untold;
use flowrun::lang::Given;
use flowrun::step::RunId;
use flowrun::template::duration;
use http::{HeaderMap, StatusCode};

use super::{read, wire};
use crate::desk::{Desk, run_id};
use crate::problem::Problem;
use crate::signature::DELIVERY;
use crate::token::Token;

/// The longest that a caller is kept waiting.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// The most runs of one page.
const MOST: usize = 1_000;

pub(super) async fn start(
    State(desk): State<Arc<Desk>>,
    Path(flow): Path<String>,
    read::Query(asked): read::Query<wire::Wait>,
    headers: HeaderMap,
    read::Json(start): read::Json<wire::Start>,
) -> Result<Response, Problem> {
    let wait = asked.wait.as_deref().map(wait).transpose()?;
    let run = id(&desk, start.run_id.as_deref(), &headers)?;
    let mut request = Request::new(desk.tenant.clone(), &flow, run);
    request.inputs = start.inputs.into_iter().map(|(name, value)| (name, Given::Value(value))).collect();
    request.conversation = start.conversation.map(wire::Conversation::into);
    request.replaces = start.replaces;
    let started = desk.parts.host.start(request).await?;
    let status = if started.existing { StatusCode::OK } else { StatusCode::CREATED };
    let Some(wait) = wait else {
        return Ok((status, Json(wire::Started::from(started))).into_response());
    };
    let view = desk.parts.host.settled(&desk.tenant, &started.run, wait).await?;
    let view = view.ok_or_else(|| absent(&started.run))?;
    let is_open = matches!(view.standing.status(), "running" | "waiting") && view.answer.is_none();
    let status = if is_open { StatusCode::ACCEPTED } else { status };
    Ok((status, Json(wire::Run::from(view))).into_response())
}

/// The id that the body says, or the header, or a fresh one.
fn id(desk: &Desk, said: Option<&str>, headers: &HeaderMap) -> Result<RunId, Problem> {
    let header = headers.get(DELIVERY).map(|header| header.to_str());
    match (said, header) {
        (Some(said), _) => run_id(said),
        (None, Some(Ok(header))) => run_id(header),
        (None, Some(Err(_))) => Err(Problem::Malformed("the `Idempotency-Key` is no run id".to_owned())),
        (None, None) => desk.fresh("run-"),
    }
}

fn wait(text: &str) -> Result<Duration, Problem> {
    let said = |error: flowrun::template::SyntaxError| {
        Problem::Malformed(format!("`wait`: {}; {}", error.message, error.help.unwrap_or_default()))
    };
    duration::parse(text).map(|wait| wait.min(LONGEST_WAIT)).map_err(said)
}

pub(super) async fn list(
    State(desk): State<Arc<Desk>>,
    read::Query(asked): read::Query<wire::Page>,
) -> Result<Json<Vec<wire::Run>>, Problem> {
    let most = asked.limit.unwrap_or(100).clamp(1, MOST);
    let after = asked.after.as_deref().map(run_id).transpose()?;
    let filter = Filter { flow: asked.flow, status: asked.status, after, most };
    let runs = desk.parts.host.list(&desk.tenant, filter).await?;
    Ok(Json(runs.into_iter().map(wire::Run::from).collect()))
}

pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Result<Json<wire::Run>, Problem> {
    let run = run_id(&id)?;
    let view = desk.parts.host.show(&desk.tenant, &run).await?;
    Ok(Json(view.ok_or_else(|| absent(&run))?.into()))
}

pub(super) async fn cancel(
    State(desk): State<Arc<Desk>>,
    Extension(token): Extension<Token>,
    Path(id): Path<String>,
    read::Json(cancel): read::Json<wire::Cancel>,
) -> Result<StatusCode, Problem> {
    let run = run_id(&id)?;
    let reason = cancel.reason.as_deref().unwrap_or("cancelled by the API");
    let is_there = desk.parts.host.cancel(&desk.tenant, &run, reason).await?;
    ordered(&desk, &token, "runs.cancel", (&run, is_there)).await
}

pub(super) async fn resolve(
    State(desk): State<Arc<Desk>>,
    Extension(token): Extension<Token>,
    Path(id): Path<String>,
    read::Json(resolve): read::Json<wire::Resolve>,
) -> Result<StatusCode, Problem> {
    let run = run_id(&id)?;
    let is_there = desk.parts.host.resolve(&desk.tenant, &run, resolve.how.into()).await?;
    ordered(&desk, &token, "runs.resolve", (&run, is_there)).await
}

pub(super) async fn release(
    State(desk): State<Arc<Desk>>,
    Extension(token): Extension<Token>,
    Path(id): Path<String>,
) -> Result<Json<wire::Released>, Problem> {
    let run = run_id(&id)?;
    let runs = desk.parts.host.release(&desk.tenant, Some(&run)).await?;
    desk.wrote(&token, ("runs.release", run.as_str()), if runs > 0 { "taken" } else { "refused" }).await?;
    if runs > 0 {
        return Ok(Json(wire::Released { runs }));
    }
    desk.parts.host.show(&desk.tenant, &run).await?.ok_or_else(|| absent(&run))?;
    Err(Problem::Conflict(format!("the run `{run}` is not held")))
}

pub(super) async fn release_all(
    State(desk): State<Arc<Desk>>,
    Extension(token): Extension<Token>,
) -> Result<Json<wire::Released>, Problem> {
    let runs = desk.parts.host.release(&desk.tenant, None).await?;
    desk.wrote(&token, ("runs.release", "all"), "taken").await?;
    Ok(Json(wire::Released { runs }))
}

pub(super) async fn story(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Result<Json<Story>, Problem> {
    let run = run_id(&id)?;
    match desk.parts.host.story(&desk.tenant, &run).await {
        Ok(Some(story)) => Ok(Json(story)),
        Ok(None) => Err(absent(&run)),
        Err(Untold::Journal(error)) => Err(error.into()),
        Err(elsewhere) => Err(Problem::Conflict(elsewhere.to_string())),
    }
}

/// Who it was stands nowhere: not in the log of what was done either.
pub(super) async fn erase(
    State(desk): State<Arc<Desk>>,
    Extension(token): Extension<Token>,
    read::Json(erase): read::Json<wire::Erase>,
) -> Result<Json<wire::Erased>, Problem> {
    let runs = desk.parts.host.erase_person(&desk.tenant, &erase.peer).await?;
    desk.wrote(&token, ("people.erase", "a person"), "taken").await?;
    Ok(Json(wire::Erased { runs }))
}

/// An order was kept, if there was a run to take it.
async fn ordered(
    desk: &Desk,
    token: &Token,
    verb: &'static str,
    (run, is_there): (&RunId, bool),
) -> Result<StatusCode, Problem> {
    desk.wrote(token, (verb, run.as_str()), if is_there { "taken" } else { "absent" }).await?;
    if is_there { Ok(StatusCode::ACCEPTED) } else { Err(absent(run)) }
}

fn absent(run: &RunId) -> Problem {
    Problem::Absent(format!("run `{run}`"))
}
