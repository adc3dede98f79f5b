//! The listener: TLS, HTTP/1.1, and one answer from the world to each request.
//!
//! A connection speaks for the one name it was opened for; a request for another name on it gets 421
//! (RFC 9110 section 7.4), as it would from servers that do not share a machine.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::Clock;
use crate::call::{Call, Params};
use crate::hosts::{self, Site};
use crate::world::World;

/// No request to a provider played here has a body near this.
const BODY_LIMIT: usize = 64 * 1024;

/// How long to wait before accepting again when it failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a client may take over the TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Answers whoever connects.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) tls: TlsAcceptor,
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) clock: Clock,
}

impl Server {
    /// Answers until it is dropped; its connections end with it.
    pub(crate) async fn run(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => { connections.spawn(self.clone().connection(stream)); }
                    // Accepting fails when files run out, and would at once fail again.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// A connection that fails concerns the client, who sees it too.
    async fn connection(self, stream: TcpStream) {
        let handshake = tokio::time::timeout(HANDSHAKE_LIMIT, self.tls.accept(stream));
        let Ok(Ok(stream)) = handshake.await else { return };
        let Some(host) = stream.get_ref().1.server_name().and_then(hosts::find) else { return };
        let service = service_fn(move |request| {
            let server = self.clone();
            async move { Ok::<_, Infallible>(server.answer(host, request).await) }
        });
        let served =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        drop(served.await);
    }

    async fn answer(&self, host: (&'static str, Site), request: Request<Incoming>) -> Response<Full<Bytes>> {
        let call = read(host.0, request).await;
        let now = (self.clock)();
        let reply = self.world.lock().unwrap_or_else(PoisonError::into_inner).answer(host, &call, now);
        // Set here, or hyper would write the machine's time beside the sandbox's.
        let reply = reply.with(header::DATE, &now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        let mut response = Response::new(Full::from(reply.body));
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        response
    }
}

async fn read(host: &str, request: Request<Incoming>) -> Call {
    let (head, body) = request.into_parts();
    let named = head.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let name = named.map(|value| value.strip_suffix(":443").unwrap_or(value));
    let is_ours = name.is_some_and(|name| name.eq_ignore_ascii_case(host));
    let (body, fault) = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => (body.to_bytes(), (!is_ours).then_some(StatusCode::MISDIRECTED_REQUEST)),
        Err(_) => (Bytes::new(), Some(StatusCode::PAYLOAD_TOO_LARGE)),
    };
    Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: Params::from_form(head.uri.query().unwrap_or_default().as_bytes()),
        headers: head.headers,
        body,
        fault,
    }
}
