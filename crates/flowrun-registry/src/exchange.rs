//! The protocol's way out: an OAuth exchange over the plain [`Outbound`], and what is to be known of it afterwards.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use flowrun_oauth::{BoxFuture, Exchange, ExchangeError, ExchangeErrorKind, Grant, TokenError};
use flowrun_step::{CallEffect, Effect, Exposure, Outbound, Request, StepError};
use http::header;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use url::Url;

use crate::World;
use crate::record::{Record, Times};

/// The time for one exchange; the locks around it wait longer.
const LIMIT: Duration = Duration::from_secs(20);

/// The largest token reply that is read (OA-33).
const MOST: u64 = 1024 * 1024;

/// One exchange with a token endpoint: no redirect (OA-28), no repetition, capped, with a deadline.
pub(crate) struct TokenExchange(pub(crate) Arc<dyn Outbound>);

impl Exchange for TokenExchange {
    fn exchange<'a>(
        &'a self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, ExchangeError>> {
        Box::pin(async move {
            let reply = self.0.send(outgoing(request)?).await.map_err(|error| failed(&error))?;
            let mut response = http::Response::new(reply.body.to_vec());
            *response.status_mut() = reply.status;
            *response.headers_mut() = reply.headers;
            Ok(response)
        })
    }
}

fn outgoing(request: http::Request<Vec<u8>>) -> Result<Request, ExchangeError> {
    let (parts, body) = request.into_parts();
    let url = Url::parse(&parts.uri.to_string())
        .map_err(|_| ExchangeError::new(ExchangeErrorKind::Refused, "the endpoint is no URL"))?;
    Ok(Request {
        headers: parts.headers,
        body: Bytes::from(body),
        timeout: LIMIT,
        max_bytes: MOST,
        redirects: 0,
        effect: Effect::Unsafe,
        exposure: Exposure::Credential,
        ..Request::new(parts.method, url)
    })
}

/// How far the request came; where nobody can say, it may have arrived (OA-45).
fn failed(error: &StepError) -> ExchangeError {
    let kind = match error {
        StepError::Refused { .. } => ExchangeErrorKind::Refused,
        StepError::TooLarge { .. } => ExchangeErrorKind::TooLarge,
        _ if error.effect() == CallEffect::None => ExchangeErrorKind::Unreachable,
        StepError::Timeout { .. } => ExchangeErrorKind::TimedOut,
        _ => ExchangeErrorKind::ReplyLost,
    };
    // A step error shows hosts only; its causes may show more.
    ExchangeError::new(kind, error.to_string())
}

/// What a token endpoint answered, when, and what its clock showed.
pub(crate) struct Exchanged {
    pub(crate) granted: Result<Grant, TokenError>,
    pub(crate) times: Times,
    provider_time: Option<Timestamp>,
}

/// A token exchange that notes when it began, and the date of the reply (RFC 9110 6.6.1).
pub(crate) struct Timed {
    exchange: TokenExchange,
    began: Timestamp,
    seen: Mutex<Option<Timestamp>>,
}

impl Timed {
    /// An exchange that begins now.
    pub(crate) fn begin(world: &World) -> Self {
        let exchange = TokenExchange(Arc::clone(&world.client));
        Self { exchange, began: world.clock.now(), seen: Mutex::default() }
    }

    /// The exchange ends now, with this.
    pub(crate) fn end(self, world: &World, granted: Result<Grant, TokenError>) -> Exchanged {
        let times = Times { began: self.began, ended: world.clock.now() };
        let provider_time = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        Exchanged { granted, times, provider_time }
    }
}

impl Exchanged {
    /// Writes down how far the two clocks are apart; a reply without a date leaves what was known before.
    pub(crate) fn compare_clocks(&self, record: &mut Record) {
        let Some(shown) = self.provider_time.map(Timestamp::as_second) else { return };
        let (began, ended) = (self.times.began.as_second(), self.times.ended.as_second());
        // A clock that is right shows a time between question and answer.
        record.provider_ahead = Some((shown - ended).max(0) + (shown - began).min(0));
    }
}

impl Exchange for Timed {
    fn exchange<'a>(
        &'a self,
        request: http::Request<Vec<u8>>,
    ) -> BoxFuture<'a, Result<http::Response<Vec<u8>>, ExchangeError>> {
        Box::pin(async move {
            let response = self.exchange.exchange(request).await?;
            let date = response.headers().get(header::DATE).and_then(|value| value.to_str().ok());
            let date = date.and_then(|text| rfc2822::parse(text).ok()).map(|date| date.timestamp());
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = date;
            Ok(response)
        })
    }
}
