//! What kind of address an IP address is (N7).
//!
//! Addresses that carry another inside them (v4-mapped and -compatible, NAT64, 6to4, Teredo) are
//! judged by what they carry. Everything that is neither private nor reachable from the whole
//! internet is refused: the tables are IANA's special-purpose registries, not a list of known attacks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address reaches; the lesser is the more dangerous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Never dialled: link-local, multicast, reserved, the metadata services of clouds.
    Refused,
    /// Of this machine or this network.
    Private,
    /// Of the internet.
    Public,
}

/// A range as base address and prefix length.
type Range4 = (Ipv4Addr, u32);
type Range6 = (Ipv6Addr, u32);

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const fn v6(a: u16, b: u16, c: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)
}

const REFUSED_4: [Range4; 11] = [
    (v4(0, 0, 0, 0), 8),
    (v4(100, 100, 100, 200), 32),
    (v4(168, 63, 129, 16), 32),
    (v4(169, 254, 0, 0), 16),
    // Protocol assignments; holds 192.0.0.192, a metadata service.
    (v4(192, 0, 0, 0), 24),
    (v4(192, 0, 2, 0), 24),
    (v4(192, 88, 99, 0), 24),
    (v4(198, 51, 100, 0), 24),
    (v4(203, 0, 113, 0), 24),
    (v4(224, 0, 0, 0), 4),
    (v4(240, 0, 0, 0), 4),
];

const PRIVATE_4: [Range4; 6] = [
    (v4(10, 0, 0, 0), 8),
    (v4(100, 64, 0, 0), 10),
    (v4(127, 0, 0, 0), 8),
    (v4(172, 16, 0, 0), 12),
    (v4(192, 168, 0, 0), 16),
    // Benchmarking by the registry; local proxies hand it out as stand-in addresses.
    (v4(198, 18, 0, 0), 15),
];

const REFUSED_6: [Range6; 5] = [
    // Metadata services inside the private range.
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128),
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128),
    (v6(0x2001, 0, 0), 23),
    (v6(0x2001, 0xdb8, 0), 32),
    (v6(0x3fff, 0, 0), 20),
];

/// The kind of an address, looking through whatever wraps it.
pub(crate) fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_4(address),
        IpAddr::V6(address) => kind_6(address),
    }
}

/// The address that is really meant: a v4 address in its v6 clothes is undressed.
pub(crate) fn unwrapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => carried(address).map_or(IpAddr::V6(address), IpAddr::V4),
        v4 => v4,
    }
}

fn kind_4(address: Ipv4Addr) -> Kind {
    if REFUSED_4.iter().any(|range| is_within_4(address, *range)) {
        Kind::Refused
    } else if PRIVATE_4.iter().any(|range| is_within_4(address, *range)) {
        Kind::Private
    } else {
        Kind::Public
    }
}

fn kind_6(address: Ipv6Addr) -> Kind {
    if address == Ipv6Addr::LOCALHOST {
        return Kind::Private;
    }
    if let Some(server) = teredo_server(address) {
        // Both ends are reached by it: the relay that is named, and the client behind it.
        return kind_4(server).min(carried(address).map_or(Kind::Refused, kind_4));
    }
    if let Some(carried) = carried(address) {
        return kind_4(carried);
    }
    if REFUSED_6.iter().any(|range| is_within_6(address, *range)) {
        Kind::Refused
    } else if is_within_6(address, (v6(0xfc00, 0, 0), 7)) {
        Kind::Private
    } else if is_within_6(address, (v6(0x2000, 0, 0), 3)) {
        // The only block IANA gives out; link-local, multicast and the rest lie outside it.
        Kind::Public
    } else {
        Kind::Refused
    }
}

/// The v4 address a v6 address carries, by the form it has.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let last = || from_halves(g, h);
    match [a, b, c, d, e, f] {
        // Mapped (RFC 4291), translated (RFC 2765) and NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => Some(last()),
        // Compatible (RFC 4291); `::` and `::1` are not.
        [0, 0, 0, 0, 0, 0] if g != 0 || h > 1 => Some(last()),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => Some(from_halves(high, low)),
        // Teredo (RFC 4380): the client's address, inverted.
        [0x2001, 0, ..] => Some(from_halves(!g, !h)),
        _ => None,
    }
}

fn teredo_server(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x2001, 0, high, low, ..] => Some(from_halves(high, low)),
        _ => None,
    }
}

fn from_halves(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

fn is_within_4(address: Ipv4Addr, (base, prefix): Range4) -> bool {
    (u32::from(address) ^ u32::from(base)) >> (32 - prefix) == 0
}

fn is_within_6(address: Ipv6Addr, (base, prefix): Range6) -> bool {
    (u128::from(address) ^ u128::from(base)) >> (128 - prefix) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: Kind, addresses: &[&str]) {
        for text in addresses {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(kind(address), expected, "{text}");
        }
    }

    #[test]
    fn metadata_services_link_local_multicast_and_reserved_are_never_dialled_n7() {
        check(
            Kind::Refused,
            &["0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16"],
        );
        check(Kind::Refused, &["192.0.0.192", "192.0.0.170", "224.0.0.1", "239.255.255.250", "240.0.0.1"]);
        check(Kind::Refused, &["255.255.255.255", "203.0.113.9", "198.51.100.9", "192.0.2.9"]);
        check(Kind::Refused, &["::", "fe80::1", "fec0::1", "ff02::1", "fd00:ec2::254", "fd20:ce::254"]);
        check(Kind::Refused, &["2001:db8::1", "3fff::1", "100::1", "4000::1", "2001:10::1", "64:ff9b:1::1"]);
    }

    #[test]
    fn addresses_of_this_machine_and_network_are_private_n7() {
        check(Kind::Private, &["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1"]);
        check(Kind::Private, &["127.255.255.254", "100.64.0.1", "198.18.0.1", "::1", "fc00::1", "fdff::1"]);
    }

    #[test]
    fn what_anybody_can_reach_is_public() {
        check(Kind::Public, &["1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1"]);
        check(Kind::Public, &["2606:4700::1111", "2a00:1450:4001:800::200e", "191.255.255.255"]);
    }

    #[test]
    fn an_address_inside_another_is_what_counts_n7() {
        for (inner, expected) in
            [("169.254.169.254", Kind::Refused), ("127.0.0.1", Kind::Private), ("8.8.8.8", Kind::Public)]
        {
            let inner: Ipv4Addr = inner.parse().unwrap();
            let [a, b, c, d] = inner.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            check(
                expected,
                &[
                    &format!("::ffff:{inner}"),
                    &format!("::{inner}"),
                    &format!("::ffff:0:{inner}"),
                    &format!("64:ff9b::{inner}"),
                    &format!("2002:{high:x}:{low:x}::1"),
                    &format!("2001:0:808:808::{:x}:{:x}", !high, !low),
                    &format!("2001:0:{high:x}:{low:x}::f7f7:f7f7"),
                ],
            );
        }
    }
}
