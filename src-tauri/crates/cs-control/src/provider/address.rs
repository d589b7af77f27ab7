//! Addresses of identity providers, and of whoever else is told something, as they may be kept.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The most bytes of an address.
const MOST: usize = 1024;

/// Whether an address may have a query: an issuer never has one (RFC 8414).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Query {
    Allowed,
    Refused,
}

/// Where a host is, as far as its name tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// A name, of which only the resolver knows.
    Named,
    /// This machine, or a private network.
    Private,
    /// Anywhere else.
    Public,
}

/// Says what is wrong with an address. What it resolves to is checked when it is connected to;
/// here only what can be seen is refused at once.
pub(crate) fn check(text: &str, query: Query, private_network: bool) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > MOST {
        return Err("an address has between 1 and 1024 characters");
    }
    let plain =
        |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`');
    if !text.bytes().all(|b| plain(b) && !matches!(b, b'{' | b'|' | b'}')) {
        return Err("an address has no spaces and only the characters of a URL");
    }
    let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err("an address begins with `https://`"),
    };
    if rest.contains('#') {
        return Err("an address has no fragment (`#`)");
    }
    if query == Query::Refused && rest.contains('?') {
        return Err("an issuer has no query (`?`)");
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("an address names no user (`@`)");
    }
    let place = place(host(authority)?)?;
    match (secure, place, private_network) {
        (true, Place::Named | Place::Public, _) | (true, Place::Private, true) => Ok(()),
        (false, Place::Named | Place::Private, true) => Ok(()),
        (true, Place::Private, false) => {
            Err("this address is on this machine or in a private network; say so with \
             `private_network` if that is meant")
        }
        (false, Place::Named | Place::Private, false) => {
            Err("an address begins with `https://`; without TLS only this machine and private \
             networks are reached, with `private_network`")
        }
        (false, Place::Public, _) => Err("an address begins with `https://`"),
    }
}

/// Whether an address names this machine itself, as far as its text tells.
pub(crate) fn is_here(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let Ok(host) = host(rest.split(['/', '?']).next().unwrap_or_default()) else { return false };
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => {
            let name = host.to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

fn host(authority: &str) -> Result<&str, &'static str> {
    let wrong = "the host or the port of the address cannot be read";
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(wrong)?;
            // An IPv6 address and nothing else stands in brackets.
            host.parse::<Ipv6Addr>().map_err(|_| wrong)?;
            match after.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if after.is_empty() => (host, None),
                None => return Err(wrong),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let sound = |port: &str| digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0);
    if port.is_some_and(|port| !sound(port)) { Err(wrong) } else { Ok(host) }
}

fn place(host: &str) -> Result<Place, &'static str> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return of_address(ip.to_canonical());
    }
    let label = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().next_back()];
        let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (1..=63).contains(&label.len()) && inner && !ends.contains(&Some(b'-'))
    };
    // `0x7f.1` and `2130706433` are addresses to some and names to others.
    let last = host.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    if host.len() > 253 || !host.split('.').all(label) || number {
        return Err("the host or the port of the address cannot be read");
    }
    let name = host.to_ascii_lowercase();
    let here = name == "localhost" || name.ends_with(".localhost");
    Ok(if here { Place::Private } else { Place::Named })
}

const NOWHERE: &str = "nobody is reached at this address";

/// Where clouds keep what a machine may know of itself, beyond the link-local addresses.
const METADATA: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)),
];

fn of_address(ip: IpAddr) -> Result<Place, &'static str> {
    let (nowhere, private) = match ip {
        IpAddr::V4(ip) => (
            ip.octets().first() == Some(&0)
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast(),
            ip.is_loopback() || ip.is_private(),
        ),
        IpAddr::V6(ip) => (
            ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local(),
            ip.is_loopback() || ip.is_unique_local(),
        ),
    };
    match (nowhere || METADATA.contains(&ip), private) {
        (true, _) => Err(NOWHERE),
        (false, true) => Ok(Place::Private),
        (false, false) => Ok(Place::Public),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_https_address_without_user_query_or_fragment() {
        for text in [
            "https://login.example",
            "https://login.example/",
            "https://login.example:8443/realms/acme",
            "https://tenant.auth0.com/",
            "https://192.0.2.7/x",
            "https://[2001:db8::1]:443/x",
        ] {
            assert_eq!(check(text, Query::Refused, false), Ok(()), "{text}");
        }
        for text in [
            "",
            "login.example",
            "HTTPS://login.example",
            "ftp://login.example",
            "file:///etc/passwd",
            "https://",
            "https:///x",
            "https://:443",
            "https://login.example:0",
            "https://login.example:65536",
            "https://login.example:+443",
            "https://login.example:",
            "https://user@login.example",
            "https://user:word@login.example",
            "https://login.example@evil.example",
            "https://login.example?x=1",
            "https://login.example/x?x=1",
            "https://login.example/#x",
            "https://login.example\\@evil.example",
            "https://login example",
            "https://login.example/\u{430}",
            "https://login.example/\n",
            "https://[::1",
            "https://[login.example]",
            "https://[::1]x",
            "https://-a.example",
            "https://a..example",
            "https://0x7f.1",
            "https://2130706433",
            "https://127.1",
        ] {
            assert!(check(text, Query::Refused, true).is_err(), "{text}");
        }
        assert_eq!(check("https://login.example/keys?p=x", Query::Allowed, false), Ok(()));
    }

    #[test]
    fn j23_what_is_private_takes_the_switch_and_what_is_nowhere_is_refused_even_so() {
        let cases: &[(&str, bool, bool)] = &[
            ("https://login.example", true, true),
            ("https://localhost:8443", false, true),
            ("https://idp.localhost", false, true),
            ("https://127.0.0.1", false, true),
            ("https://[::1]", false, true),
            ("https://10.0.0.7", false, true),
            ("https://192.168.1.1", false, true),
            ("https://172.16.0.1", false, true),
            ("https://[fd12::7]", false, true),
            ("https://[::ffff:10.0.0.7]", false, true),
            ("http://localhost:8080", false, true),
            ("http://127.0.0.1:8080", false, true),
            ("http://[::1]:8080", false, true),
            ("http://10.0.0.7", false, true),
            ("http://keycloak:8080", false, true),
            ("http://192.0.2.7", false, false),
            ("http://[2001:db8::7]", false, false),
            ("https://100.100.100.200", false, false),
            ("https://[fd00:ec2::254]", false, false),
            ("https://169.254.169.254", false, false),
            ("https://[::ffff:169.254.169.254]", false, false),
            ("https://[fe80::1]", false, false),
            ("https://0.0.0.0", false, false),
            ("https://[::]", false, false),
            ("https://224.0.0.1", false, false),
            ("https://255.255.255.255", false, false),
        ];
        for (text, openly, privately) in cases {
            assert_eq!(check(text, Query::Refused, false).is_ok(), *openly, "{text}");
            assert_eq!(check(text, Query::Refused, true).is_ok(), *privately, "{text}");
        }
    }
}
