//! What a caller is answered who waited for a run: what a step said, else the outputs.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use flowrun::engine::host::View;
use flowrun::engine::journal::{Answer, Standing};
use flowrun::machine::Body;
use http::header::{CONNECTION, CONTENT_LENGTH, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::problem::Problem;

/// What the connection is kept in order with, and what would set a cookie for the server's own name.
const NOT_A_FLOWS: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, SET_COOKIE, TRANSFER_ENCODING];

/// The answer, if there is one yet.
pub(super) fn of(view: View) -> Option<Response> {
    match (view.answer, view.standing) {
        (Some(answer), _) => Some(said(answer)),
        (None, Standing::Done { outputs }) => Some(Json(outputs).into_response()),
        (None, standing) if standing.is_over() => Some(Problem::Failed.into_response()),
        _ => None,
    }
}

fn said(answer: Answer) -> Response {
    let mut response = match answer.body {
        Body::Json(value) => Json(value).into_response(),
        Body::Text(text) => text.into_response(),
        _ => ().into_response(),
    };
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && !NOT_A_FLOWS.contains(&name)
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
