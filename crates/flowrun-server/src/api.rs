//! The doors: each takes what came in apart, asks the host, and answers in the wire's own types.

mod events;
mod flows;
mod hooks;
mod messages;
mod plain;
mod read;
mod runs;
pub(crate) mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodFilter, MethodRouter, any, on};

use crate::desk::Desk;
use crate::problem::Problem;
use crate::routes::{Door, ROUTES, Route};

/// The longest body of a deploy: a whole set of flows.
const LONGEST_SET: usize = 4 * 1024 * 1024;

/// A router with every route of the table.
pub(crate) fn router(desk: Arc<Desk>) -> Router {
    let with = |router: Router<Arc<Desk>>, route: &Route| router.route(route.path, method(route));
    ROUTES
        .iter()
        .fold(Router::new(), with)
        .fallback(async || Problem::Absent("such path".to_owned()))
        .method_not_allowed_fallback(async || Problem::Method)
        .with_state(desk)
}

/// The door of a route, for its method.
fn method(route: &Route) -> MethodRouter<Arc<Desk>> {
    let filter = route.method.clone().and_then(|method| MethodFilter::try_from(method).ok());
    macro_rules! door {
        ($handler:path) => {
            filter.map_or_else(|| any($handler), |filter| on(filter, $handler))
        };
    }
    match route.door {
        Door::Alive => door!(plain::alive),
        Door::Ready => door!(plain::ready),
        Door::Metrics => door!(plain::metrics),
        Door::Flows => door!(flows::list),
        Door::Deploy => door!(flows::deploy).layer(DefaultBodyLimit::max(LONGEST_SET)),
        Door::Sets => door!(flows::sets),
        Door::Rollback => door!(flows::rollback),
        Door::Start => door!(runs::start),
        Door::Runs => door!(runs::list),
        Door::Run => door!(runs::show),
        Door::Cancel => door!(runs::cancel),
        Door::Resolve => door!(runs::resolve),
        Door::Release => door!(runs::release),
        Door::ReleaseAll => door!(runs::release_all),
        Door::Story => door!(runs::story),
        Door::Erase => door!(runs::erase),
        Door::RunEvents => door!(events::of_run),
        Door::AllEvents => door!(events::of_all),
        Door::Tell => door!(messages::tell),
        Door::Message => door!(messages::message),
        Door::Channel => door!(messages::channel),
        Door::Hook => door!(hooks::flow),
        Door::Callback => door!(hooks::callback),
    }
}
