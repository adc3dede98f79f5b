//! Everything the server can answer badly, as RFC 9457 writes it: one enum, one place that words it.
//!
//! What a caller is told holds nothing of the inside; what failed inside goes to the log where it failed.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use flowrun::lang::Diagnostic;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::token::Scope;

/// Why a request is not answered with what it asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No token, or one that is unknown, expired or revoked.
    #[error("send a token: `Authorization: Bearer fr_…`; `flowrun tokens create` makes one")]
    Unauthenticated,
    /// The token does not reach so far.
    #[error("the token has no scope `{0}`")]
    Scope(Scope),
    /// The proof of a webhook does not hold.
    #[error("the signature, its time or the secret does not hold")]
    Unproven,
    /// A browser sends it for another site.
    #[error("requests of other origins are not taken")]
    ForeignOrigin,
    /// The host that is asked for is not this one.
    #[error("this server does not answer for that host; `server.public_url` says for which it does")]
    Misdirected,
    /// There is nothing of that name.
    #[error("there is no {0}")]
    Absent(String),
    /// It was there, once.
    #[error("{0}")]
    Gone(&'static str),
    /// The path is there, and not for this method.
    #[error("this path does not take that method")]
    Method,
    /// The request is not understood.
    #[error("{0}")]
    Malformed(String),
    /// The body is of another kind.
    #[error("send the body with `Content-Type: application/json`")]
    MediaType,
    /// The body is too long.
    #[error("a body may have 1 MiB, a set of flows 4 MiB")]
    TooLarge,
    /// Flows are wrong.
    #[error("the flows do not hold; nothing was published")]
    Flows(Vec<Diagnostic>),
    /// Inputs are wrong.
    #[error("the inputs do not fit the flow")]
    Inputs(Vec<Diagnostic>),
    /// It does not fit what is there already.
    #[error("{0}")]
    Conflict(String),
    /// The flows are not those that the caller means to replace.
    #[error("the flows of the server have the revision `{0}`: somebody deployed meanwhile")]
    Revision(String),
    /// The run whose answer is waited for ended badly.
    #[error("the run ended without an answer")]
    Failed,
    /// Too much is under way.
    #[error("too much is under way")]
    Overloaded(Duration),
    /// The server closes.
    #[error("the server is shutting down")]
    Draining,
    /// Something inside failed; the log says what.
    #[error("the server cannot do this now; its log says why")]
    Unavailable,
}

/// How a problem is written.
#[derive(Debug, Serialize)]
struct Written<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    diagnostics: &'a [Diagnostic],
}

impl Problem {
    /// The status, and a word for the kind.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::Scope(_) => (StatusCode::FORBIDDEN, "scope"),
            Self::Unproven => (StatusCode::UNAUTHORIZED, "unproven"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign-origin"),
            Self::Misdirected => (StatusCode::MISDIRECTED_REQUEST, "misdirected"),
            Self::Absent(_) => (StatusCode::NOT_FOUND, "absent"),
            Self::Gone(_) => (StatusCode::GONE, "gone"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Flows(_) => (StatusCode::UNPROCESSABLE_ENTITY, "flows"),
            Self::Inputs(_) => (StatusCode::UNPROCESSABLE_ENTITY, "inputs"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::Revision(_) => (StatusCode::PRECONDITION_FAILED, "revision"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
            Self::Overloaded(_) => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Self::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind().0
    }

    fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Flows(diagnostics) | Self::Inputs(diagnostics) => diagnostics,
            _ => &[],
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, kind) = self.kind();
        let written = Written {
            kind: format!("urn:flowrun:problem:{kind}"),
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.to_string(),
            diagnostics: self.diagnostics(),
        };
        let mut response = (status, Json(written)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::Overloaded(wait) = self {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use flowrun::lang::Code;

    use super::*;

    async fn check(problem: Problem, expected: Expect) {
        let response = problem.into_response();
        let said = format!("{} {:?}\n", response.status(), response.headers());
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        expected.assert_eq(&(said + std::str::from_utf8(&body).unwrap()));
    }

    #[tokio::test]
    async fn a_problem_says_its_kind_its_status_and_what_to_do() {
        check(Problem::Unauthenticated, expect![[r#"
            401 Unauthorized {"content-type": "application/problem+json", "www-authenticate": "Bearer"}
            {"type":"urn:flowrun:problem:unauthenticated","title":"Unauthorized","status":401,"detail":"send a token: `Authorization: Bearer fr_…`; `flowrun tokens create` makes one"}"#]]).await;
        check(Problem::Overloaded(Duration::from_secs(3)), expect![[r#"
            503 Service Unavailable {"content-type": "application/problem+json", "retry-after": "3"}
            {"type":"urn:flowrun:problem:overloaded","title":"Service Unavailable","status":503,"detail":"too much is under way"}"#]]).await;
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_flow_comes_with_its_diagnostics() {
        let wrong = Diagnostic::error(Code::ALL[0], "it is wrong").help("make it right");
        check(Problem::Flows(vec![wrong]), expect![[r#"
            422 Unprocessable Entity {"content-type": "application/problem+json"}
            {"type":"urn:flowrun:problem:flows","title":"Unprocessable Entity","status":422,"detail":"the flows do not hold; nothing was published","diagnostics":[{"code":"F001","severity":"error","message":"it is wrong","place":null,"causes":[],"help":"make it right"}]}"#]]).await;
    }
}
