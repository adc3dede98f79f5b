//! What happens in runs, as server-sent events that go on where they broke.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use flowrun::step::RunId;
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderName};
use serde_json::json;

use crate::desk::{Desk, run_id};
use crate::hub::{Next, Shown};
use crate::problem::Problem;

const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

type Events = Result<Event, Infallible>;

pub(super) async fn of_all(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Events>> {
    watch(desk, None, &headers)
}

pub(super) async fn of_run(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Events>>, Problem> {
    let run = run_id(&id)?;
    if desk.parts.host.show(&desk.tenant, &run).await?.is_none() {
        return Err(Problem::Absent(format!("run `{run}`")));
    }
    Ok(watch(desk, Some(run), &headers))
}

/// The events after the last that the watcher saw, until it goes or the server closes.
fn watch(
    desk: Arc<Desk>,
    run: Option<RunId>,
    headers: &HeaderMap,
) -> Sse<impl Stream<Item = Events> + use<>> {
    let last = headers.get(LAST_EVENT).and_then(|id| id.to_str().ok());
    let from = desk.parts.hub.resume(last);
    let lost = from.is_none().then(|| missed(&desk, desk.parts.hub.last()));
    let from = from.unwrap_or_else(|| desk.parts.hub.last());
    let closing = desk.closing.clone();
    let later = stream::unfold((desk, run, from), |(desk, run, from)| async move {
        let (events, from) = match desk.parts.hub.after(from).await {
            Next::Missed(number) => (vec![missed(&desk, number)], number),
            Next::Events(all) => {
                let from = all.last().map_or(from, |event| event.number);
                let is_meant = |event: &&Arc<Shown>| {
                    event.run.tenant == desk.tenant && run.as_ref().is_none_or(|run| event.run.id == *run)
                };
                (all.iter().filter(is_meant).map(|event| shown(&desk, event)).collect(), from)
            }
        };
        Some((stream::iter(events), (desk, run, from)))
    });
    let all = stream::iter(lost).chain(later.flatten()).take_until(closing.cancelled_owned());
    Sse::new(all).keep_alive(KeepAlive::default())
}

fn shown(desk: &Desk, event: &Shown) -> Events {
    let mut data = event.data.clone();
    data["run"] = json!(event.run.id.as_str());
    Ok(Event::default().id(desk.parts.hub.id(event.number)).event(event.kind).data(data.to_string()))
}

/// Tells a watcher to read anew what it shows.
fn missed(desk: &Desk, number: u64) -> Events {
    Ok(Event::default().id(desk.parts.hub.id(number)).event("missed").data("{}"))
}
