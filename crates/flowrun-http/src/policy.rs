//! Which addresses a house may call (N7).
//!
//! Public addresses always, refused ones never; private ones as the operator says. A [`Reach`] is the
//! policy for one hop: it knows the port, and whether the hop comes from a public address.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::address::{Kind, kind, unwrapped};

/// Which addresses a house may call.
///
/// # Example
/// ```
/// use flowrun_http::NetworkPolicy;
/// let policy = NetworkPolicy::public_only().allow("10.20.0.5:8443")?.allow("fd12:3456::/32")?;
/// # Ok::<(), flowrun_http::BadAddress>(())
/// ```
#[derive(Debug, Clone)]
pub struct NetworkPolicy {
    private: Private,
}

#[derive(Debug, Clone)]
enum Private {
    Any,
    Listed(Vec<Allowed>),
}

#[derive(Debug, Clone)]
struct Allowed {
    range: IpNet,
    port: Option<u16>,
}

/// A text that names no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no address: write 10.20.0.5, 10.20.0.5:8443 or 10.20.0.0/16")]
pub struct BadAddress {
    /// The text as it was given.
    pub text: String,
}

impl NetworkPolicy {
    /// Public addresses alone: for services, whose authors are not their operators.
    #[must_use]
    pub fn public_only() -> Self {
        Self { private: Private::Listed(Vec::new()) }
    }

    /// Private addresses too: for a command line, whose author sits at the machine.
    #[must_use]
    pub fn cli() -> Self {
        Self { private: Private::Any }
    }

    /// Allows a private address, an address and port, or a range as well.
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn allow(mut self, text: &str) -> Result<Self, BadAddress> {
        let allowed = Allowed::parse(text).ok_or_else(|| BadAddress { text: text.to_owned() })?;
        if let Private::Listed(listed) = &mut self.private {
            listed.push(allowed);
        }
        Ok(self)
    }

    /// What may be dialled at that port by a hop nobody sent us to.
    pub(crate) fn reach(&self, port: u16) -> Reach {
        match &self.private {
            Private::Any => Reach::Any,
            Private::Listed(listed) => {
                let fits = |allowed: &&Allowed| allowed.port.is_none_or(|only| only == port);
                Reach::Listed(listed.iter().filter(fits).map(|allowed| allowed.range).collect())
            }
        }
    }
}

impl Default for NetworkPolicy {
    fn default() -> Self {
        Self::public_only()
    }
}

impl Allowed {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Some(Self { range: address.ip().into(), port: Some(address.port()) });
        }
        let range = text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse()).ok()?;
        Some(Self { range, port: None })
    }
}

/// What one hop may dial, besides public addresses. Equal reaches may share connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Reach {
    /// Any private address.
    Any,
    /// These ranges; none at all after a public address (N7: no hop goes from public to private).
    Listed(Vec<IpNet>),
}

impl Reach {
    /// Public addresses alone.
    pub(crate) const PUBLIC: Self = Self::Listed(Vec::new());

    /// Whether the address may be dialled.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        match kind(address) {
            Kind::Refused => false,
            Kind::Public => true,
            Kind::Private => match self {
                Self::Any => true,
                Self::Listed(ranges) => ranges.iter().any(|range| range.contains(&unwrapped(address))),
            },
        }
    }

    /// What a redirect may dial, given where it came from: an address we cannot name counts as public.
    pub(crate) fn after(self, from: Option<IpAddr>) -> Self {
        match from.map(kind) {
            Some(Kind::Private) => self,
            _ => Self::PUBLIC,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: &NetworkPolicy, target: &str, expected: bool) {
        let target: SocketAddr = target.parse().unwrap();
        assert_eq!(policy.reach(target.port()).permits(target.ip()), expected, "{target}");
    }

    #[test]
    fn a_service_calls_only_the_private_addresses_its_operator_listed_n7() {
        let policy = NetworkPolicy::public_only()
            .allow("10.20.0.5:8443")
            .and_then(|policy| policy.allow("192.168.7.0/24"))
            .and_then(|policy| policy.allow("fd12::1"))
            .unwrap();
        for (target, expected) in [
            ("1.1.1.1:443", true),
            ("10.20.0.5:8443", true),
            ("10.20.0.5:443", false),
            ("10.20.0.6:8443", false),
            ("192.168.7.9:1", true),
            ("192.168.8.9:1", false),
            ("[::ffff:192.168.7.9]:1", true),
            ("[fd12::1]:80", true),
            ("[fd12::2]:80", false),
            ("127.0.0.1:80", false),
        ] {
            check(&policy, target, expected);
        }
    }

    #[test]
    fn a_command_line_calls_private_addresses_but_never_refused_ones_n7() {
        for (target, expected) in [
            ("127.0.0.1:80", true),
            ("10.0.0.1:80", true),
            ("169.254.169.254:80", false),
            ("1.1.1.1:80", true),
        ] {
            check(&NetworkPolicy::cli(), target, expected);
        }
    }

    #[test]
    fn listing_a_metadata_service_does_not_open_it_n7() {
        let policy = NetworkPolicy::public_only().allow("169.254.169.254").unwrap();
        check(&policy, "169.254.169.254:80", false);
    }

    #[test]
    fn no_hop_goes_from_public_to_private_command_line_included_n7() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let public: IpAddr = "1.1.1.1".parse().unwrap();
        assert!(!Reach::Any.after(Some(public)).permits(loopback));
        assert!(!Reach::Any.after(None).permits(loopback));
        assert!(Reach::Any.after(Some(loopback)).permits(loopback));
        assert!(Reach::Any.after(Some(public)).permits(public));
    }

    #[test]
    fn a_text_that_is_no_address_is_refused() {
        for text in ["", "localhost", "10.0.0.5:99999", "10.0.0.0/33", "example.com:443"] {
            assert_eq!(NetworkPolicy::public_only().allow(text).unwrap_err().text, text);
        }
    }
}
