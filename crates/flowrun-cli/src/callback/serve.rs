//! The HTTP side of the callback: one path, GET, bounded.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::{Arrival, Verdict, page};

/// More connections at once than any browser opens for one page.
const MOST_CONNECTIONS: usize = 16;
/// The longest head of a request: codes and state take a few hundred bytes.
const MOST_HEAD_BYTES: usize = 16 * 1024;
/// How long a connection may take to ask.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Where the browser ends: an address without a code.
const END: &str = "/oauth/end";

/// What every connection needs.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub(super) path: Arc<str>,
    pub(super) arrive: mpsc::Sender<Arrival>,
    /// Told when the browser has its last page.
    pub(super) part: mpsc::Sender<()>,
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, desk: Desk) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                // A connection that broke before it was taken is the next one's chance.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, desk.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, desk: Desk) {
    let service = service_fn(move |request| {
        let desk = desk.clone();
        async move { Ok::<_, Infallible>(answer(&request, &desk).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MOST_HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A browser that breaks off loses its page; the authorization does not depend on it.
    drop(served.await);
}

async fn answer(request: &Request<Incoming>, desk: &Desk) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if request.method() != Method::GET {
        return page::of(
            StatusCode::METHOD_NOT_ALLOWED,
            "Nothing to do here",
            "This address is only visited.",
        );
    }
    if path == END {
        let ending = request.uri().query();
        // One ending is enough; a second fetch of the page changes nothing.
        let _ = desk.part.try_send(());
        return page::ending(ending);
    }
    if path != &*desk.path {
        return page::of(StatusCode::NOT_FOUND, "Not found", "Nothing is here.");
    }
    let address = request.uri().path_and_query().map_or(path, |whole| whole.as_str()).to_owned();
    let (reply, verdict) = oneshot::channel();
    if desk.arrive.send(Arrival { address, reply }).await.is_err() {
        return page::of(StatusCode::GONE, "Too late", "This authorization is over.");
    }
    match verdict.await {
        Ok(Verdict::Authorized) => page::redirect(&format!("{END}?authorized")),
        Ok(Verdict::Refused) => page::redirect(&format!("{END}?refused")),
        Ok(Verdict::Stranger) => page::of(
            StatusCode::BAD_REQUEST,
            "This is not the authorization that was begun",
            "Use the address that flowrun printed last.",
        ),
        Err(_) => page::of(StatusCode::GONE, "Too late", "This authorization is over."),
    }
}
