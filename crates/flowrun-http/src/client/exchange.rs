//! One exchange: hops until a reply, each guarded, all within one time limit.

use std::net::IpAddr;
use std::time::Duration;

use bytes::BytesMut;
use flowrun_step::{Exposure, Reply, Request, StepError};
use http::{HeaderMap, HeaderValue, Method, header};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::client::fault::{refused, too_slow, unanswered};
use crate::client::vet::{vet, vet_headers};
use crate::client::{Client, hop};
use crate::header::is_credential;
use crate::policy::Reach;

/// No exchange is worth a longer wait, and a larger number could not be added to the time.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A reply whose body is still to be read.
struct Head {
    response: reqwest::Response,
    peer: Option<IpAddr>,
    started: Instant,
}

impl Client {
    /// Waits until the service takes a call, makes it, and learns from the reply when it takes the next.
    pub(crate) async fn exchange(&self, request: Request) -> Result<Reply, StepError> {
        vet_headers(&request)?;
        let turn = self.paces.turn(&request).await?;
        let origin = request.url.origin();
        let reply = self.follow(request).await?;
        if let Some(turn) = turn.filter(|_| reply.url.origin() == origin) {
            turn.learn(reply.status, &reply.headers);
        }
        Ok(reply)
    }

    async fn follow(&self, mut request: Request) -> Result<Reply, StepError> {
        let limit = request.timeout.min(LONGEST);
        let deadline = Instant::now() + limit;
        if request.headers.iter().any(|(name, value)| is_credential(name, value)) {
            request.exposure = Exposure::Credential;
        }
        let mut reach = self.policy.reach(port(&request.url));
        let mut hops = 0;
        loop {
            vet(&request, &reach, self.lines.are_pinned())?;
            let one = timeout_at(deadline, self.hop(&request, &reach, hops));
            match one.await.map_err(|_| too_slow(&request, limit))?? {
                Hop::Ended(reply) => return Ok(reply),
                Hop::Redirected { next, peer } => {
                    hops += 1;
                    reach = self.policy.reach(port(&next.url)).after(peer);
                    request = *next;
                }
            }
        }
    }

    async fn hop(&self, request: &Request, reach: &Reach, hops: u8) -> Result<Hop, StepError> {
        let head = self.ask(request, reach, hops > 0).await?;
        if request.redirects > 0 {
            let (status, headers) = (head.response.status(), head.response.headers());
            if let Some(next) = hop::next(request, status, headers)? {
                if hops == request.redirects {
                    return Err(refused(
                        format!("{} redirects more than {hops} times", request.host()),
                        "raise `redirects`, or write the address it redirects to",
                    ));
                }
                record(request, &head, 0);
                return Ok(Hop::Redirected { next: Box::new(next), peer: head.peer });
            }
        }
        read(request, head).await.map(Hop::Ended)
    }

    async fn ask(&self, request: &Request, reach: &Reach, has_hopped: bool) -> Result<Head, StepError> {
        let pool = self.lines.pool(request.url.scheme() == "https", reach)?;
        let mut asked = reqwest::Request::new(request.method.clone(), request.url.clone());
        *asked.headers_mut() = request.headers.clone();
        if !request.body.is_empty() {
            *asked.body_mut() = Some(request.body.clone().into());
        } else if takes_body(&request.method) {
            asked.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let started = Instant::now();
        let response = pool.execute(asked).await.map_err(|error| unanswered(error, request, has_hopped))?;
        let peer = response.remote_addr().map(|address| address.ip());
        Ok(Head { response, peer, started })
    }
}

/// What a hop led to.
enum Hop {
    Ended(Reply),
    Redirected { next: Box<Request>, peer: Option<IpAddr> },
}

/// Reads the body, counting what it is once it is decompressed.
async fn read(request: &Request, mut head: Head) -> Result<Reply, StepError> {
    let limit = request.max_bytes;
    let mut body = BytesMut::new();
    while let Some(chunk) = head.response.chunk().await.map_err(|error| unanswered(error, request, true))? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(StepError::TooLarge { host: request.host().to_owned(), limit });
        }
        body.extend_from_slice(&chunk);
    }
    record(request, &head, body.len());
    let headers = std::mem::take(head.response.headers_mut());
    vet_encoding(request, &headers, &body)?;
    Ok(Reply { status: head.response.status(), headers, body: body.freeze(), url: request.url.clone() })
}

/// The client takes gzip off; a service that sends something else anyway is not understood.
fn vet_encoding(request: &Request, headers: &HeaderMap, body: &[u8]) -> Result<(), StepError> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(coding) if !body.is_empty() && coding != "identity" => Err(StepError::Type {
            what: format!("the reply of {} is compressed with something else than gzip", request.host()),
        }),
        _ => Ok(()),
    }
}

/// All that a log may know of an exchange.
fn record(request: &Request, head: &Head, bytes: usize) {
    tracing::debug!(
        method = request.method.as_str(),
        host = request.host(),
        status = head.response.status().as_u16(),
        ms = u64::try_from(head.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        bytes,
        "exchange"
    );
}

/// Methods whose emptiness has to be said (RFC 9110, 8.6).
fn takes_body(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

fn port(url: &Url) -> u16 {
    url.port_or_known_default().unwrap_or(0)
}
