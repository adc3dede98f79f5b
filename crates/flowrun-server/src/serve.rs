//! Listens, serves, and closes with care (R19): nothing new is taken in, what is under way may end, streams end at once.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::config::Config;
use crate::deployed::Deployed;
use crate::desk::{Desk, Parts};
use crate::guard::{self, Guard, Reach};

/// The most connections at once.
const MOST_CONNECTIONS: usize = 1_024;
/// The longest head of a request.
const MOST_HEAD_BYTES: usize = 64 * 1024;
/// How long a connection may take to ask.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before accepting again when it failed: files ran out, and would at once again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a server does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen at {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The data folder cannot be made, or what is kept in it cannot be read.
    #[error("cannot use the data folder")]
    Folder(#[source] io::Error),
}

/// A server that listens and does not serve yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    desk: Arc<Desk>,
}

impl Server {
    /// Listens where the configuration says.
    ///
    /// # Errors
    /// When it cannot listen there, or its data folder cannot be used.
    pub async fn bind(config: Config, parts: Parts) -> Result<Self, ServeError> {
        std::fs::create_dir_all(&config.server.data_dir).map_err(ServeError::Folder)?;
        let wanted = config.server.listen;
        let failed = |error| ServeError::Listen(wanted, error);
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let deployed = Deployed::read(&config.server.data_dir).map_err(ServeError::Folder)?;
        let desk = Arc::new(Desk::new(config, parts, (deployed, CancellationToken::new())));
        Ok(Self { listener, address, desk })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is told to close; then drains the host and comes back once everything is at rest.
    pub async fn serve(self, close: CancellationToken) {
        let Self { listener, address, desk } = self;
        let server = &desk.config.server;
        let reach = Reach::new(address, server.public_url.as_ref(), &server.trusted_proxies);
        let guard = Guard { reach, tokens: Arc::new(desk.tokens()) };
        let router = guard::before(api::router(Arc::clone(&desk)), Arc::new(guard));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = close.cancelled() => break,
                accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(connection((stream, peer), router.clone(), desk.closing.clone()));
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        desk.closing.cancel();
        drop(listener);
        let grace = server.drain;
        let end = async { while connections.join_next().await.is_some() {} };
        // What is still open after its time is closed with the set.
        let (ended, ()) = tokio::join!(tokio::time::timeout(grace, end), desk.parts.host.drain(grace));
        drop(ended);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Answers one connection; when the server closes, the request under way is its last.
async fn connection((stream, peer): (TcpStream, SocketAddr), router: Router, closing: CancellationToken) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MOST_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    // A connection that fails concerns the client, who sees it too.
    tokio::select! {
        ended = served.as_mut() => return drop(ended),
        () = closing.cancelled() => served.as_mut().graceful_shutdown(),
    }
    drop(served.await);
}
