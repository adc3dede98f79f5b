//! Where a redirect goes, and what goes along (RFC 9110, 15.4).
//!
//! Across an origin the author's headers stay behind, a body stays behind too, and a credential does
//! not cross at all. Addresses are judged elsewhere, for every hop alike.

use bytes::Bytes;
use flowrun_step::{Exposure, Request, StepError};
use http::{HeaderMap, Method, StatusCode, header};
use url::Url;

use crate::client::fault::refused;
use crate::header::{drop_content, keep_crossing};

/// The request a reply redirects to, if it does.
///
/// # Errors
/// `Refused` when the redirect would take a credential or a body to another origin, or leaves HTTP.
pub(crate) fn next(
    request: &Request,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Request>, StepError> {
    let (Some(url), Some(method)) = (target(&request.url, headers), method_after(&request.method, status))
    else {
        return Ok(None);
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused(
            format!("{} redirects to an address that is not HTTP", request.host()),
            "ask the service, or set `redirects: 0` to see its reply",
        ));
    }
    let mut next = Request { method, url, ..request.clone() };
    if next.method != request.method {
        next.body = Bytes::new();
        drop_content(&mut next.headers);
    }
    if next.url.origin() != request.url.origin() {
        cross(request, &mut next)?;
    }
    Ok(Some(next))
}

fn cross(request: &Request, next: &mut Request) -> Result<(), StepError> {
    let (from, to) = (request.host(), next.host());
    if request.exposure == Exposure::Credential {
        return Err(refused(
            format!("{from} redirects to {to}, and a credential never goes to another origin"),
            "write the address it redirects to, if that host may have the credential",
        ));
    }
    let is_upgrade = request.url.scheme() == "http" && next.url.scheme() == "https" && from == to;
    if !next.body.is_empty() && !is_upgrade {
        return Err(refused(
            format!("{from} redirects to {to}, and a body never goes to another origin"),
            "write the address it redirects to",
        ));
    }
    keep_crossing(&mut next.headers);
    Ok(())
}

fn target(base: &Url, headers: &HeaderMap) -> Option<Url> {
    let location = std::str::from_utf8(headers.get(header::LOCATION)?.as_bytes()).ok()?;
    base.join(location).ok()
}

/// The method of the next request, where the status is a redirect that is followed.
fn method_after(method: &Method, status: StatusCode) -> Option<Method> {
    match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if *method == Method::POST => Some(Method::GET),
        StatusCode::SEE_OTHER if *method != Method::HEAD => Some(Method::GET),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => Some(method.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://api.example.com/a/b?x=1";

    /// Method and body of a request, the reply's status and location → the next request, or why not.
    fn check(start: (&str, &str), reply: (u16, &str), expected: Result<Option<(&str, &str, &str)>, &str>) {
        let mut request = Request::new(start.0.parse().unwrap(), BASE.parse().unwrap());
        request.body = Bytes::from(start.1.to_owned());
        let headers = HeaderMap::from_iter([(header::LOCATION, reply.1.parse().unwrap())]);
        let next = next(&request, StatusCode::from_u16(reply.0).unwrap(), &headers);
        let found = next
            .as_ref()
            .map(|next| next.as_ref().map(|next| (next.method.as_str(), next.url.as_str(), body(next))))
            .map_err(ToString::to_string);
        assert_eq!(found, expected.map_err(str::to_owned), "{start:?} {reply:?}");
    }

    fn body(request: &Request) -> &str {
        std::str::from_utf8(&request.body).unwrap()
    }

    #[test]
    fn a_redirect_changes_the_method_as_rfc_9110_15_4_says() {
        let to = "https://api.example.com/c";
        for (method, status, next) in [
            ("GET", 301, "GET"),
            ("GET", 302, "GET"),
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("PUT", 302, "PUT"),
            ("POST", 303, "GET"),
            ("DELETE", 303, "GET"),
            ("HEAD", 303, "HEAD"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
            ("GET", 308, "GET"),
        ] {
            check((method, ""), (status, "/c"), Ok(Some((next, to, ""))));
        }
    }

    #[test]
    fn a_body_goes_along_only_where_the_method_does() {
        let to = "https://api.example.com/c";
        check(("POST", "body"), (307, "/c"), Ok(Some(("POST", to, "body"))));
        check(("POST", "body"), (303, "/c"), Ok(Some(("GET", to, ""))));
        check(("POST", "body"), (301, "/c"), Ok(Some(("GET", to, ""))));
    }

    #[test]
    fn other_statuses_and_unreadable_locations_are_replies_not_redirects() {
        for status in [200, 201, 300, 304, 305, 400] {
            check(("GET", ""), (status, "/c"), Ok(None));
        }
        check(("GET", ""), (302, "https://[::zz]/"), Ok(None));
    }

    #[test]
    fn a_relative_location_is_joined_to_the_url() {
        check(("GET", ""), (302, "?y=2"), Ok(Some(("GET", "https://api.example.com/a/b?y=2", ""))));
        check(("GET", ""), (302, "//other.example/z"), Ok(Some(("GET", "https://other.example/z", ""))));
    }

    #[test]
    fn a_body_never_goes_to_another_origin() {
        let refusal = "api.example.com redirects to evil.example, and a body never goes to another origin";
        check(("POST", "body"), (307, "https://evil.example/"), Err(refusal));
        let other_port =
            "api.example.com redirects to api.example.com, and a body never goes to another origin";
        check(("POST", "body"), (308, "https://api.example.com:8443/"), Err(other_port));
        check(("POST", "body"), (303, "https://ok.example/"), Ok(Some(("GET", "https://ok.example/", ""))));
    }

    #[test]
    fn a_redirect_out_of_http_is_refused() {
        let refusal = "api.example.com redirects to an address that is not HTTP";
        check(("GET", ""), (302, "file:///etc/passwd"), Err(refusal));
        check(("GET", ""), (302, "javascript:alert(1)"), Err(refusal));
    }

    #[test]
    fn a_body_follows_its_own_host_to_https() {
        let mut request = Request::new(Method::POST, "http://api.example.com/a".parse().unwrap());
        request.body = Bytes::from_static(b"body");
        let headers =
            HeaderMap::from_iter([(header::LOCATION, "https://api.example.com/a".parse().unwrap())]);
        let next = next(&request, StatusCode::PERMANENT_REDIRECT, &headers).unwrap().unwrap();
        assert_eq!(body(&next), "body");
    }
}
