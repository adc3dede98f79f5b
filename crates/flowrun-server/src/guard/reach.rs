//! The names this server answers for, and the origins it takes requests from. Both are configured, never a header's.

use std::net::SocketAddr;

use axum::extract::Request;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use url::Url;

use super::Peer;
use crate::problem::Problem;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// How a server is reached.
#[derive(Debug)]
pub(crate) struct Reach {
    /// Hosts with their ports, in small letters.
    hosts: Vec<String>,
    origins: Vec<String>,
    trusted: Vec<IpNet>,
}

impl Reach {
    /// That of a server that is bound here and known to the world by this URL.
    pub(crate) fn new(bound: SocketAddr, public: Option<&Url>, trusted: &[IpNet]) -> Self {
        let port = bound.port();
        let mut hosts: Vec<String> =
            ["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}")).into();
        hosts.push(bound.to_string());
        let mut origins: Vec<String> = hosts.iter().map(|host| format!("http://{host}")).collect();
        if let Some(public) = public {
            origins.push(public.origin().ascii_serialization());
            let host = public.host_str().unwrap_or_default();
            // Browsers leave a scheme's own port out; others may write it.
            hosts.extend(public.port_or_known_default().map(|port| format!("{host}:{port}")));
            hosts.extend(public.port().is_none().then(|| host.to_owned()));
        }
        Self { hosts, origins, trusted: trusted.to_vec() }
    }

    /// Refuses a request that is meant for another host, whose name was made to lead here (DNS rebinding).
    pub(super) fn host(&self, request: &Request) -> Result<(), Problem> {
        let is_ours = |host: &str| self.hosts.contains(&host.to_ascii_lowercase());
        let mut named = request.headers().get_all(HOST).iter();
        let (first, second) = (named.next(), named.next());
        let is_named = first.and_then(|host| host.to_str().ok()).is_some_and(is_ours) && second.is_none();
        let is_asked = request.uri().authority().is_none_or(|authority| is_ours(authority.as_str()));
        if is_named && is_asked { Ok(()) } else { Err(Problem::Misdirected) }
    }

    /// Refuses what a browser sends for a page of somebody else. Programs say neither header.
    pub(super) fn origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let is_same = |site: &str| matches!(site, "same-origin" | "none");
        let is_ours = |origin: &str| self.origins.iter().any(|own| own == origin);
        let all = |name: HeaderName, holds: &dyn Fn(&str) -> bool| {
            headers.get_all(name).iter().all(|value| value.to_str().is_ok_and(holds))
        };
        if all(FETCH_SITE, &is_same) && all(ORIGIN, &is_ours) { Ok(()) } else { Err(Problem::ForeignOrigin) }
    }

    /// Who calls.
    pub(super) fn peer(&self, request: &Request) -> Peer {
        Peer::of(request, &self.trusted)
    }
}
