//! Stands before every route (N6): the host that is asked for, the origin of a browser, the token and its scope, the
//! kind and length of a body. Cookies open nothing here.

mod peer;
mod reach;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::SecretString;

use crate::problem::Problem;
use crate::routes::{self, Access};
use crate::signature::bearer_of;
use crate::token::{Scope, Token, Tokens};
pub(crate) use peer::Peer;
pub(crate) use reach::Reach;

/// The longest body.
pub(crate) const LONGEST: usize = 1024 * 1024;

/// What is on every answer: nothing is guessed, kept, framed or run.
const HEADERS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// What a request is judged by.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) reach: Reach,
    pub(crate) tokens: Arc<Tokens>,
}

/// Puts the guard before every route of a router, and before what is no route.
pub(crate) fn before(router: Router, guard: Arc<Guard>) -> Router {
    router.layer(DefaultBodyLimit::max(LONGEST)).layer(from_fn_with_state(guard, stand))
}

async fn stand(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let mut response = match guard.admit(&mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Guard {
    async fn admit(&self, request: &mut Request) -> Result<(), Problem> {
        self.reach.host(request)?;
        if !request.method().is_safe() {
            self.reach.origin(request.headers())?;
        }
        let peer = self.reach.peer(request);
        let path = request.extensions().get::<MatchedPath>();
        let route = path.and_then(|path| routes::find(path.as_str(), request.method()));
        let access = route.map_or_else(|| unknown(request.uri().path()), |route| route.access);
        match access {
            Access::Open | Access::Proof => {}
            Access::Near if peer.is_here => {}
            Access::Near => drop(self.token(request.headers(), Some(Scope::Read)).await?),
            Access::Scope(scope) => {
                // What is no route wants a token, whatever it opens.
                let token = self.token(request.headers(), route.map(|_| scope)).await?;
                request.extensions_mut().insert(token);
            }
        }
        if request.uri().path().starts_with("/api/") {
            body(request)?;
        }
        request.extensions_mut().insert(peer);
        Ok(())
    }

    async fn token(&self, headers: &HeaderMap, scope: Option<Scope>) -> Result<Token, Problem> {
        let text = headers.get(AUTHORIZATION).and_then(|header| bearer_of(header.to_str().ok()?));
        let text: SecretString = text.ok_or(Problem::Unauthenticated)?.into();
        let tokens = Arc::clone(&self.tokens);
        let found = tokio::task::spawn_blocking(move || tokens.find(&text)).await;
        let found = match found {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return Err(unavailable(&error)),
            Err(error) => return Err(unavailable(&error)),
        };
        let token = found.ok_or(Problem::Unauthenticated)?;
        match scope.filter(|scope| !token.scopes.contains(scope)) {
            Some(scope) => Err(Problem::Scope(scope)),
            None => Ok(token),
        }
    }
}

/// Logs what failed inside.
pub(crate) fn unavailable(error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(error, "a request failed inside");
    Problem::Unavailable
}

/// Who may learn that there is no such route.
fn unknown(path: &str) -> Access {
    if path.starts_with("/api/") { Access::Scope(Scope::Read) } else { Access::Open }
}

/// A body of the API is JSON: a form, which any page can send, is refused.
fn body(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let is_empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0")
        && !headers.contains_key(TRANSFER_ENCODING);
    if is_empty || matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(Problem::MediaType) }
}

#[cfg(test)]
mod tests;
