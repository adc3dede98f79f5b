//! The few words a browser shows at the end: no script, no style, nothing from outside, nothing kept (N5, T24).

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};
use http_body_util::Full;

use crate::integrations::ALL_SET;

/// A page with a heading and a sentence. Both are our own words: nothing that a request brought is ever shown.
pub(super) fn of(status: StatusCode, heading: &'static str, sentence: &'static str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>flowrun</title>\n\
         <h1>{heading}</h1>\n<p>{sentence}</p>\n</html>\n"
    );
    guarded(status, html)
}

/// The page on which an authorization ends.
pub(super) fn ending(query: Option<&str>) -> Response<Full<Bytes>> {
    match query {
        Some("authorized") => of(StatusCode::OK, ALL_SET, "You may close this page."),
        _ => of(
            StatusCode::OK,
            "Nothing was authorised",
            "The terminal says why, and what to do next. You may close this page.",
        ),
    }
}

/// Sends the browser on to a clean address.
pub(super) fn redirect(to: &str) -> Response<Full<Bytes>> {
    let mut response = guarded(StatusCode::SEE_OTHER, String::new());
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}

fn guarded(status: StatusCode, html: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
