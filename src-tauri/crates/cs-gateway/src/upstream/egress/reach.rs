//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where clouds keep what a machine may know of itself, beyond the link-local addresses.
const METADATA: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)),
];

/// Which addresses may be connected to. Never a link-local or metadata one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Reach {
    /// Those of this machine and of private networks, besides the public ones with TLS.
    Private,
    /// Public ones, and only with TLS.
    Public,
    /// All with TLS, and without it this machine.
    Server,
}

impl Reach {
    /// Whether an address may be connected to.
    pub(super) fn allows(self, ip: IpAddr, secure: bool) -> bool {
        let ip = ip.to_canonical();
        let sound = match ip {
            IpAddr::V4(ip) => {
                !(ip.is_link_local()
                    || ip.is_multicast()
                    || ip.is_broadcast()
                    || ip.octets().first() == Some(&0))
            }
            IpAddr::V6(ip) => {
                let inner = embedded(ip);
                !(ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local())
                    && inner.is_none_or(|inner| self.allows(IpAddr::V4(inner), secure))
            }
        };
        let fits = match self {
            Self::Private => secure || ip.is_loopback() || is_private(ip),
            Self::Public => secure && !is_special(ip),
            Self::Server => secure || ip.is_loopback(),
        };
        sound && !METADATA.contains(&ip) && fits
    }

    /// What is wrong with an address that may not be connected to.
    pub(super) const fn objection(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Public, true) => "the address is not a public one",
            (Self::Public, false) => "without TLS nothing is reached outside private networks",
            (Self::Private | Self::Server, true) => {
                "the address is one that no server is reached at"
            }
            (Self::Private, false) => "without TLS only private addresses may be reached",
            (Self::Server, false) => "without TLS only this machine itself may be reached",
        }
    }
}

/// An address of a private network (RFC 1918, RFC 4193).
const fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

/// An address that is not one of the public Internet (RFC 6890 and its registries).
fn is_special(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_documentation()
                || matches!((a, b, c), (100, 64..=127, _) | (192, 0, 0) | (198, 18 | 19, _))
                || a >= 240
        }
        // Global unicast is 2000::/3, and of that the first blocks are for protocols. What stands
        // for an IPv4 address is judged by that address.
        IpAddr::V6(ip) => match ip.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x2002, ..] => false,
            [0x2001, second, ..] => second < 0x0200 || second == 0x0db8,
            [first, ..] => !(0x2000..=0x3fff).contains(&first) || first == 0x3fff,
        },
    }
}

/// The IPv4 address that an address of the translation prefix `64:ff9b::/96`, a 6to4 or an
/// IPv4-compatible one stands for.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.octets() {
        [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
        | [0x20, 0x02, a, b, c, d, ..] => Some(Ipv4Addr::new(a, b, c, d)),
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] if (a, b, c) != (0, 0, 0) => {
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(reach: Reach, ip: &str, secure: bool) -> bool {
        reach.allows(ip.parse().unwrap(), secure)
    }

    #[test]
    fn y06_addresses_of_the_link_and_of_clouds_are_never_reached() {
        let never = [
            "169.254.169.254",
            "169.254.1.1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "64:ff9b::a9fe:a9fe",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "192.0.0.192",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ];
        for ip in never {
            for reach in [Reach::Private, Reach::Public, Reach::Server] {
                assert!(!allows(reach, ip, true), "{ip}");
                assert!(!allows(reach, ip, false), "{ip}");
            }
        }
        for ip in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "192.0.2.1", "2001:db8::1"] {
            assert!(allows(Reach::Server, ip, true), "{ip}");
        }
    }

    #[test]
    fn y06_without_tls_only_this_machine_is_reached() {
        for (ip, allowed) in [("127.0.0.1", true), ("::1", true), ("10.0.0.1", false)] {
            assert_eq!(allows(Reach::Server, ip, false), allowed, "{ip}");
        }
    }

    #[test]
    fn j23_an_identity_provider_is_at_a_public_address_with_tls() {
        for ip in ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"] {
            assert!(allows(Reach::Public, ip, true), "{ip}");
            assert!(!allows(Reach::Public, ip, false), "{ip} without TLS");
        }
        let never = [
            "127.0.0.1",
            "::1",
            "10.0.0.1",
            "::ffff:10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "240.0.0.1",
            "fc00::1",
            "fec0::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "64:ff9b:1::1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "::a00:1",
        ];
        for ip in never {
            assert!(!allows(Reach::Public, ip, true), "{ip}");
        }
    }

    #[test]
    fn j23_one_in_a_private_network_is_reached_only_when_that_was_chosen() {
        for ip in ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd12::1"] {
            assert!(allows(Reach::Private, ip, false), "{ip}");
            assert!(allows(Reach::Private, ip, true), "{ip}");
        }
        for ip in ["1.1.1.1", "100.64.0.1", "2606:4700::1111"] {
            assert!(!allows(Reach::Private, ip, false), "{ip} without TLS");
            assert!(allows(Reach::Private, ip, true), "{ip}");
        }
    }
}
