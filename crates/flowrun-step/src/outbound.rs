//! The only way out of a step: one request, one reply.
//!
//! `flowrun-http` implements [`Outbound`] plainly and guards it; the registry wraps it with a
//! credential. Neither repeats a request on its own account: retrying is the machine's business, and
//! the one replay after a refresh belongs to the same attempt.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::{BoxFuture, Effect, IntegrationName, StepError, Tenant};

/// Whether a request carries something that must not leave its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exposure {
    /// Nothing secret: redirects may cross origins within the network policy.
    #[default]
    Plain,
    /// A credential or a secret is attached: https only (http to loopback), and no redirect across an origin.
    Credential,
}

/// Who asks for a request: for whoever watches or stands in for a way out; it is never sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asker {
    /// The step as reports call it: its id, or its path; empty for a request of no step.
    pub step: String,
    /// The key of the step's call: the same on all its attempts, and on no other call of the run.
    pub key: String,
    /// Which attempt of the call this is, counting from 1.
    pub attempt: u32,
    /// Whose run it is.
    pub tenant: Tenant,
    /// The integration whose credential goes along.
    pub integration: Option<IntegrationName>,
    /// How long the step has left when the attempt begins: no request need wait longer to be sent.
    pub left: Option<Duration>,
}

/// One HTTP request, complete but for what an integration adds.
///
/// # Example
/// ```
/// use flowrun_step::Request;
/// let request = Request::new(http::Method::GET, "https://api.example.com/me".parse()?);
/// assert_eq!(request.host(), "api.example.com");
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to; it may hold secrets in its query and is never logged whole.
    pub url: Url,
    /// The headers, without what the client itself sets.
    pub headers: HeaderMap,
    /// The body, empty for none.
    pub body: Bytes,
    /// The time for this one exchange, redirects and body included.
    pub timeout: Duration,
    /// The largest reply body taken, in bytes after decompression.
    pub max_bytes: u64,
    /// How many redirects may be followed.
    pub redirects: u8,
    /// What repeating it would mean.
    pub effect: Effect,
    /// Whether a secret rides along.
    pub exposure: Exposure,
    /// Who asks.
    pub asker: Asker,
}

impl Request {
    /// A request with the house's defaults: 30 s, 1 MiB, no redirects, safe for safe methods only.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        let effect = if method.is_safe() { Effect::Safe } else { Effect::Unsafe };
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(30),
            max_bytes: 1024 * 1024,
            redirects: 0,
            effect,
            exposure: Exposure::Plain,
            asker: Asker::default(),
        }
    }

    /// The host, which is all that errors and logs may show of the URL.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

impl fmt::Debug for Request {
    /// Shows method and host only: the rest may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &self.host())
            .finish_non_exhaustive()
    }
}

/// What came back, whatever its status.
#[derive(Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed, within the request's `max_bytes`.
    pub body: Bytes,
    /// Where the reply came from, after redirects.
    pub url: Url,
}

impl fmt::Debug for Reply {
    /// Shows status and size only: a body may hold what must not be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A way out: makes one exchange, classified, never repeated.
pub trait Outbound: Send + Sync {
    /// Sends the request and gives the reply, whatever its status.
    ///
    /// # Errors
    /// `Connect`, `Timeout`, `TooLarge`, `Refused`, and for an integration `Integration`.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>>;
}

impl<T: Outbound + ?Sized> Outbound for Arc<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        (**self).send(request)
    }
}
