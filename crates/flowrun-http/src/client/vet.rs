//! What a hop must fulfil before anything of it is sent: scheme, credential, address (N3, N7).

use std::net::IpAddr;

use flowrun_step::{Exposure, Request, StepError};
use url::{Host, Url};

use crate::client::fault::{out_of_reach, refused};
use crate::header::is_own;
use crate::policy::Reach;
use crate::resolve::Forbidden;

/// Refuses a hop before anything of it is sent. With pinned names no address is an answer.
///
/// # Errors
/// `Refused`, with the rule.
pub(crate) fn vet(request: &Request, reach: &Reach, is_pinned: bool) -> Result<(), StepError> {
    let (url, host) = (&request.url, request.host());
    if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
        return Err(refused("the URL is neither http nor https".to_owned(), "write https://…"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let reason = format!("the URL of {host} has a user or password in it");
        return Err(refused(reason, "use `integration`, or an Authorization header with a secret"));
    }
    if request.exposure == Exposure::Credential && url.scheme() == "http" && !is_loopback(url) {
        let reason = format!("a credential never goes to {host} over plain http");
        return Err(refused(reason, "write https://…"));
    }
    match literal(url) {
        Some(_) if is_pinned => Err(out_of_reach(host, Forbidden::Name)),
        Some(address) if !reach.permits(address) => Err(out_of_reach(host, Forbidden::Address)),
        _ => Ok(()),
    }
}

/// Refuses headers that only the client may set, whoever made the request.
///
/// # Errors
/// `Refused`, with the header's name.
pub(crate) fn vet_headers(request: &Request) -> Result<(), StepError> {
    match request.headers.keys().find(|name| is_own(name.as_str())) {
        Some(name) => {
            Err(refused(format!("the header {name} is set by flowrun itself"), "leave the header out"))
        }
        None => Ok(()),
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
