//! Who calls: the other end of the connection, or whom a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::HeaderMap;
use ipnet::IpNet;

/// What a proxy adds; where one is there and no proxy is trusted, nobody knows who calls.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) address: Option<IpAddr>,
    /// Whether it is certainly a program of this machine.
    pub(crate) is_here: bool,
}

impl Peer {
    /// The caller of a request.
    pub(crate) fn of(request: &Request, trusted: &[IpNet]) -> Self {
        let connected = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(&address.to_canonical()));
        let through = connected.filter(is_trusted).map(|_| named(request.headers()));
        match through {
            Some(named) => {
                // The last that no trusted proxy wrote down of itself; what stands before it anybody may have written.
                let address = named.into_iter().rev().find(|address| !is_trusted(address)).or(connected);
                Self { address, is_here: false }
            }
            None => {
                let is_forwarded = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
                let is_near = connected.is_some_and(|address| address.to_canonical().is_loopback());
                Self { address: connected, is_here: is_near && !is_forwarded }
            }
        }
    }
}

/// The addresses that proxies wrote down, up to the first from the end that is none.
fn named(headers: &HeaderMap) -> Vec<IpAddr> {
    let all = headers.get_all("x-forwarded-for").iter().filter_map(|header| header.to_str().ok());
    let texts: Vec<&str> = all.flat_map(|header| header.split(',')).map(str::trim).collect();
    let mut read: Vec<IpAddr> = texts.iter().rev().map_while(|text| text.parse().ok()).collect();
    read.reverse();
    read
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn check(connected: &str, forwarded: &[&str], expected: (&str, bool)) {
        let mut request = Request::new(Body::empty());
        let address = SocketAddr::new(connected.parse().unwrap(), 1);
        request.extensions_mut().insert(ConnectInfo(address));
        for header in forwarded {
            request.headers_mut().append("x-forwarded-for", header.parse().unwrap());
        }
        let peer = Peer::of(&request, &["10.0.0.0/8".parse().unwrap()]);
        assert_eq!((peer.address.unwrap().to_string().as_str(), peer.is_here), expected, "{forwarded:?}");
    }

    #[test]
    fn only_a_trusted_proxy_says_for_whom_it_calls_r16() {
        check("203.0.113.9", &["192.0.2.1"], ("203.0.113.9", false));
        check("10.0.0.2", &["192.0.2.1"], ("192.0.2.1", false));
        check("10.0.0.2", &["127.0.0.1, 192.0.2.1", "10.0.0.3"], ("192.0.2.1", false));
        check("10.0.0.2", &["192.0.2.1, nonsense"], ("10.0.0.2", false));
        check("10.0.0.2", &["127.0.0.1"], ("127.0.0.1", false));
    }

    /// A proxy on this machine that nobody declared must not lend its place to whoever is behind it.
    #[test]
    fn a_call_of_this_machine_is_one_that_nobody_passed_on() {
        check("127.0.0.1", &[], ("127.0.0.1", true));
        check("127.0.0.1", &["192.0.2.1"], ("127.0.0.1", false));
        check("192.0.2.1", &[], ("192.0.2.1", false));
    }
}
