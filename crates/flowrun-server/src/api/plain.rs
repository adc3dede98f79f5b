//! What is asked by machines that watch the server.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;

use crate::desk::Desk;
use crate::problem::Problem;

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(State(desk): State<Arc<Desk>>) -> Result<&'static str, Problem> {
    if desk.closing.is_cancelled() { Err(Problem::Draining) } else { Ok("ready\n") }
}

pub(super) async fn metrics(State(desk): State<Arc<Desk>>) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
        desk.parts.hub.metrics().text(),
    )
}
