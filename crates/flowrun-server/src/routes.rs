//! Every route there is, in one table: the router, the guard and the OpenAPI document are made from it (T13).

use http::Method;

use crate::token::Scope;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Door {
    Alive,
    Ready,
    Metrics,
    Flows,
    Deploy,
    Sets,
    Rollback,
    Start,
    Runs,
    Run,
    Cancel,
    Resolve,
    Release,
    ReleaseAll,
    Story,
    Erase,
    RunEvents,
    AllEvents,
    Tell,
    Message,
    Channel,
    Hook,
    Callback,
}

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Open,
    /// Whoever calls from this machine, or has a token that reads.
    Near,
    /// Whoever has a token of this scope.
    Scope(Scope),
    /// Whoever proves it by signature, secret or an address that cannot be guessed; the door itself looks.
    Proof,
}

/// A route.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) door: Door,
    /// The method; any, where none is named.
    pub(crate) method: Option<Method>,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    /// What it does, for the document.
    pub(crate) says: &'static str,
}

const fn get(door: Door, path: &'static str, access: Access, says: &'static str) -> Route {
    Route { door, method: Some(Method::GET), path, access, says }
}

const fn post(door: Door, path: &'static str, access: Access, says: &'static str) -> Route {
    Route { door, method: Some(Method::POST), path, access, says }
}

const READ: Access = Access::Scope(Scope::Read);
const START: Access = Access::Scope(Scope::Start);
const OPERATE: Access = Access::Scope(Scope::Operate);

/// Every route.
pub(crate) static ROUTES: [Route; 23] = [
    get(Door::Alive, "/healthz", Access::Open, "Whether the server runs."),
    get(Door::Ready, "/readyz", Access::Open, "Whether the server takes runs."),
    get(Door::Metrics, "/metrics", Access::Near, "What was counted, as Prometheus reads it."),
    get(Door::Flows, "/api/flows", READ, "The published flows."),
    Route {
        door: Door::Deploy,
        method: Some(Method::PUT),
        path: "/api/flows",
        access: Access::Scope(Scope::Deploy),
        says: "Publishes a whole set of flows in place of the one before, or none of it.",
    },
    get(Door::Sets, "/api/flows/sets", READ, "The sets of flows that are kept, newest first."),
    post(
        Door::Rollback,
        "/api/flows/rollback",
        Access::Scope(Scope::Deploy),
        "Publishes the set that was served before, or another that is kept.",
    ),
    post(
        Door::Start,
        "/api/flows/{name}/runs",
        START,
        "Starts a run; the same id with the same inputs is the same run.",
    ),
    get(Door::Runs, "/api/runs", READ, "Runs, newest first."),
    get(Door::Run, "/api/runs/{id}", READ, "One run."),
    post(Door::Cancel, "/api/runs/{id}/cancel", OPERATE, "Cancels a run."),
    post(Door::Resolve, "/api/runs/{id}/resolve", OPERATE, "Says what becomes of calls in doubt."),
    post(Door::Release, "/api/runs/{id}/release", OPERATE, "Lets a restored run go on."),
    post(Door::ReleaseAll, "/api/held/release", OPERATE, "Lets every restored run go on."),
    get(Door::Story, "/api/runs/{id}/story", READ, "What happened in a run, as far as it is kept."),
    post(Door::Erase, "/api/erase", OPERATE, "Forgets a person for good: their runs and what they wrote."),
    get(Door::RunEvents, "/api/runs/{id}/events", READ, "What happens in a run, as server-sent events."),
    get(Door::AllEvents, "/api/events", READ, "What happens in all runs, as server-sent events."),
    post(Door::Tell, "/api/events", START, "Tells an event to the runs that wait and the flows that listen."),
    post(Door::Message, "/api/messages", START, "Takes a message of a person."),
    post(Door::Channel, "/hooks/channels/{name}", Access::Proof, "Takes a signed message of a channel."),
    Route {
        door: Door::Hook,
        method: None,
        path: "/hooks/flows/{*path}",
        access: Access::Proof,
        says: "Starts the flow whose webhook this is.",
    },
    Route {
        door: Door::Callback,
        method: None,
        path: "/hooks/runs/{run}/{step}/{token}",
        access: Access::Proof,
        says: "Answers a step that waits for a call; once.",
    },
];

/// The route of a matched path and a method.
pub(crate) fn find(path: &str, method: &Method) -> Option<&'static Route> {
    // A head is asked for where a whole answer could be.
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    ROUTES.iter().find(|route| route.path == path && route.method.as_ref().is_none_or(|own| own == method))
}
