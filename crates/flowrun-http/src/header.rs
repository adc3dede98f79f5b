//! What headers mean to the guard: which are the client's own, which carry a credential, which may
//! cross an origin.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Set by the client from the request itself; written by hand they could split or redirect it (N3).
const OWN: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

/// Words by which services name the headers that carry their credentials.
const CREDENTIAL_WORDS: [&str; 10] = [
    "apikey",
    "auth",
    "authorization",
    "cookie",
    "credential",
    "key",
    "password",
    "secret",
    "signature",
    "token",
];

/// Says what is wanted, not who asks: all that a redirect may take to another origin.
const CROSSING: [HeaderName; 4] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_TYPE, header::USER_AGENT];

/// The header by which a service recognises a repetition.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Whether only the client may set the header (N3).
pub(crate) fn is_own(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    OWN.contains(&name.as_str()) || name.starts_with("proxy-")
}

/// Whether the header carries a credential, by its name or because somebody marked its value.
pub(crate) fn is_credential(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive() || names_credential(name.as_str())
}

/// Whether a header of that name carries a credential; wrong only towards caution.
pub(crate) fn names_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name != IDEMPOTENCY_KEY.as_str() && name.split(['-', '_']).any(|word| CREDENTIAL_WORDS.contains(&word))
}

/// Leaves what may cross an origin.
pub(crate) fn keep_crossing(headers: &mut HeaderMap) {
    let kept = CROSSING.into_iter().filter_map(|name| headers.remove(&name).map(|value| (name, value)));
    *headers = kept.collect();
}

/// Drops what described a body that is no longer sent (RFC 9110, 15.4).
pub(crate) fn drop_content(headers: &mut HeaderMap) {
    let described: Vec<_> =
        headers.keys().filter(|name| name.as_str().starts_with("content-")).cloned().collect();
    described.iter().for_each(|name| drop(headers.remove(name)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_could_split_or_move_a_request_are_the_clients_n3() {
        for name in ["Host", "content-length", "TE", "Upgrade", "Proxy-Authorization", "proxy-anything"] {
            assert!(is_own(name), "{name}");
        }
        for name in ["Accept", "Authorization", "X-Host", "Proxied"] {
            assert!(!is_own(name), "{name}");
        }
    }

    #[test]
    fn the_headers_services_use_for_credentials_are_recognised() {
        for name in [
            "Authorization",
            "Cookie",
            "X-Api-Key",
            "apikey",
            "X-Shopify-Access-Token",
            "Ocp-Apim-Subscription-Key",
            "X_Auth_Token",
            "X-Hub-Signature",
        ] {
            assert!(names_credential(name), "{name}");
        }
        for name in ["Accept", "Idempotency-Key", "X-Keyboard", "Content-Type", "X-Request-Id"] {
            assert!(!names_credential(name), "{name}");
        }
    }
}
