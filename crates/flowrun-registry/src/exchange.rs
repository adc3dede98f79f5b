//! The protocol's way out: an OAuth exchange over the plain [`Outbound`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flowrun_oauth::{BoxFuture, Exchange, ExchangeError, ExchangeErrorKind};
use flowrun_step::{CallEffect, Effect, Exposure, Outbound, Request, StepError};
use url::Url;

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
