//! What a provider publishes about itself: RFC 8414, and OpenID Connect Discovery (OA-68, OA-69).
//!
//! It is read once, when a provider is described, and becomes plain [`Settings`] that are kept: nothing is fetched
//! again behind anybody's back. The document must name the very issuer it was asked of, because whoever can
//! answer in an issuer's place (a Host header is enough with some servers) would otherwise say where the client
//! secret goes.

use http::{Method, Request, header};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    exchange::{Exchange, ExchangeError},
    keep::harmless,
    provider::{Problem, checked_endpoint, is_loopback},
    settings::{AuthStyle, Pkce, Settings},
};

/// Why a provider's metadata cannot be used. Nothing is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The text is no issuer identifier (RFC 8414 2).
    #[error("the {0}")]
    NotAnIssuer(Problem),
    /// The issuer did not answer.
    #[error("the metadata at {host} cannot be read")]
    NoReply {
        /// The issuer's host.
        host: String,
        /// What the way out saw.
        source: ExchangeError,
    },
    /// There is no document at either of the two places where it could be.
    #[error("{host} has no metadata: it answered {status}")]
    NoMetadata {
        /// The issuer's host.
        host: String,
        /// The last status.
        status: u16,
    },
    /// What is there is no JSON object.
    #[error("what {host} has for metadata is no JSON object")]
    Unreadable {
        /// The issuer's host.
        host: String,
    },
    /// The document belongs to another issuer (RFC 8414 3.3).
    #[error("the metadata is that of `{found}`, not of `{asked}`")]
    OtherIssuer {
        /// The issuer that was asked.
        asked: String,
        /// The issuer in the document, capped and stripped of control characters.
        found: String,
    },
    /// An endpoint in the document cannot be used.
    #[error("the metadata's {0}")]
    Endpoint(Problem),
    /// The client can prove itself in none of the ways the document lists.
    #[error("the provider takes none of client_secret_basic, client_secret_post and none, but {0}")]
    NoAuthStyle(String),
}

impl DiscoveryError {
    /// What to do next, in a sentence for the operator.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotAnIssuer(_) => "write it as the provider's documentation does: https://id.example.com",
            Self::NoReply { .. } => "check the address, and try again",
            Self::NoMetadata { .. } | Self::Unreadable { .. } => {
                "check the issuer, or give --authorize-url and --token-url instead"
            }
            Self::OtherIssuer { .. } => {
                "write the issuer letter by letter as the provider's documentation does; if that is what you wrote, \
                 somebody else answers in its place"
            }
            Self::Endpoint(_) | Self::NoAuthStyle(_) => "give --authorize-url and --token-url instead",
        }
    }
}

/// Reads what an issuer publishes about itself, and makes settings of it.
///
/// # Errors
/// A [`DiscoveryError`] when there is nothing to read, or nothing that may be believed.
///
/// # Example
/// ```
/// # use flowrun_oauth::{Exchange, Provider, discover};
/// # async fn known(way_out: &dyn Exchange) -> Result<Provider, Box<dyn std::error::Error>> {
/// let settings = discover(way_out, "https://id.example.com").await?;
/// assert_eq!(settings.issuer.as_deref(), Some("https://id.example.com"));
/// # Ok(Provider::new(settings)?)
/// # }
/// ```
pub async fn discover(exchange: &dyn Exchange, issuer: &str) -> Result<Settings, DiscoveryError> {
    let url = checked_endpoint("issuer", issuer).map_err(DiscoveryError::NotAnIssuer)?;
    if url.query().is_some() {
        let (wrong, fix) = ("has a query".to_owned(), "remove everything from the `?` on".to_owned());
        return Err(DiscoveryError::NotAnIssuer(Problem { field: "issuer", wrong, fix }));
    }
    let document = fetch(exchange, &url).await?;
    match document.get("issuer").and_then(Value::as_str) {
        // RFC 8414 3.3: identical, code point by code point.
        Some(found) if found == issuer => described(&document, issuer, &url),
        found => Err(DiscoveryError::OtherIssuer {
            asked: issuer.to_owned(),
            found: harmless(found.unwrap_or("nobody"), &[]),
        }),
    }
}

/// RFC 8414 3.1: the well-known name stands before the issuer's path; OpenID Connect puts its own behind it.
fn places(issuer: &Url) -> [Url; 2] {
    let path = issuer.path().trim_end_matches('/');
    let at = |path: String| {
        let mut place = issuer.clone();
        place.set_path(&path);
        place
    };
    [
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("{path}/.well-known/openid-configuration")),
    ]
}

async fn fetch(exchange: &dyn Exchange, issuer: &Url) -> Result<Map<String, Value>, DiscoveryError> {
    let host = || issuer.host_str().unwrap_or_default().to_owned();
    let mut status = 0;
    for place in places(issuer) {
        let reply = exchange.exchange(asking(&place)).await;
        let reply = reply.map_err(|source| DiscoveryError::NoReply { host: host(), source })?;
        if reply.status().as_u16() == 200 {
            let document = serde_json::from_slice(reply.body());
            return document.map_err(|_| DiscoveryError::Unreadable { host: host() });
        }
        status = reply.status().as_u16();
    }
    Err(DiscoveryError::NoMetadata { host: host(), status })
}

fn asking(place: &Url) -> Request<Vec<u8>> {
    let mut request = Request::new(Vec::new());
    *request.method_mut() = Method::GET;
    // A URL that was checked is a URI; one that were not would reach nobody.
    *request.uri_mut() = place.as_str().parse().unwrap_or_default();
    request.headers_mut().insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
    request
}

/// The settings that a document describes (OA-69).
fn described(document: &Map<String, Value>, issuer: &str, at: &Url) -> Result<Settings, DiscoveryError> {
    let endpoint = |name: &'static str| match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => usable(name, value.as_str().unwrap_or_default(), at).map(Some),
    };
    let token_url = match endpoint("token_endpoint")? {
        Some(url) => url,
        None => usable("token_endpoint", "", at)?,
    };
    let promises = document.get("authorization_response_iss_parameter_supported");
    Ok(Settings {
        authorize_url: endpoint("authorization_endpoint")?,
        token_url,
        revoke_url: endpoint("revocation_endpoint")?,
        introspect_url: endpoint("introspection_endpoint")?,
        device_url: endpoint("device_authorization_endpoint")?,
        auth_style: auth_style(texts(document, "token_endpoint_auth_methods_supported"))?,
        pkce: pkce(texts(document, "code_challenge_methods_supported")),
        issuer: Some(issuer.to_owned()),
        issuer_required: promises == Some(&Value::Bool(true)),
        ..Settings::default()
    })
}

/// An endpoint as any other, and on this machine only if its issuer is: a document from outside names no program here.
fn usable(field: &'static str, text: &str, issuer: &Url) -> Result<String, DiscoveryError> {
    let url = checked_endpoint(field, text).map_err(DiscoveryError::Endpoint)?;
    if is_loopback(&url) && !is_loopback(issuer) {
        let wrong = "is on this machine, and the issuer is not".to_owned();
        let fix = "ask the provider why".to_owned();
        return Err(DiscoveryError::Endpoint(Problem { field, wrong, fix }));
    }
    Ok(text.to_owned())
}

fn texts<'a>(document: &'a Map<String, Value>, name: &str) -> Option<Vec<&'a str>> {
    Some(document.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
}

/// RFC 8414 2: a list that is left out means HTTP Basic.
fn auth_style(methods: Option<Vec<&str>>) -> Result<AuthStyle, DiscoveryError> {
    let Some(methods) = methods else { return Ok(AuthStyle::Basic) };
    let known = [
        ("client_secret_basic", AuthStyle::Basic),
        ("client_secret_post", AuthStyle::Body),
        ("none", AuthStyle::None),
    ];
    let style = known.into_iter().find(|(name, _)| methods.contains(name)).map(|(_, style)| style);
    style.ok_or_else(|| DiscoveryError::NoAuthStyle(harmless(&methods.join(", "), &[])))
}

/// A provider that does not say may look or not; one that lists other methods alone would refuse ours (OA-9).
fn pkce(methods: Option<Vec<&str>>) -> Pkce {
    match methods {
        None => Pkce::Try,
        Some(methods) if methods.contains(&"S256") => Pkce::Required,
        Some(_) => Pkce::Off,
    }
}
