//! Where connections may go. What is checked is the address that is connected to, not the name.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

/// Where clouds keep what a machine may know of itself, beyond the link-local addresses.
const METADATA: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)),
];

/// Makes TCP connections to acceptable addresses.
#[derive(Clone, Debug)]
pub(super) struct Tcp {
    /// How long it may take.
    pub(super) patience: Duration,
}

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let patience = self.patience;
        Box::pin(async move {
            let late = || io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time");
            timeout(patience, connect(&uri)).await.map_err(|_| late())?
        })
    }
}

async fn connect(uri: &Uri) -> io::Result<TokioIo<TcpStream>> {
    let secure = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let found = tokio::net::lookup_host((host, port)).await?;
    let allowed: Vec<SocketAddr> = found.filter(|it| is_allowed(it.ip(), secure)).collect();
    if allowed.is_empty() {
        let why = if secure {
            "the address is one that no server is reached at"
        } else {
            "without TLS only this machine itself may be reached"
        };
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    let stream = TcpStream::connect(allowed.as_slice()).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}

/// Whether an address may be connected to: never a link-local or metadata one, and without TLS
/// only this machine.
fn is_allowed(ip: IpAddr, secure: bool) -> bool {
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
                && inner.is_none_or(|inner| is_allowed(IpAddr::V4(inner), secure))
        }
    };
    sound && !METADATA.contains(&ip) && (secure || ip.is_loopback())
}

/// The IPv4 address that an address of the translation prefix `64:ff9b::/96` stands for.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.octets() {
        [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => {
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn y06_addresses_of_the_link_and_of_clouds_are_never_reached() {
        let never = [
            "169.254.169.254",
            "169.254.1.1",
            "::ffff:169.254.169.254",
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
            assert!(!is_allowed(ip.parse().unwrap(), true), "{ip}");
            assert!(!is_allowed(ip.parse().unwrap(), false), "{ip}");
        }
        for ip in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "192.0.2.1", "2001:db8::1"] {
            assert!(is_allowed(ip.parse().unwrap(), true), "{ip}");
        }
    }

    #[test]
    fn y06_without_tls_only_this_machine_is_reached() {
        for (ip, allowed) in [("127.0.0.1", true), ("::1", true), ("10.0.0.1", false)] {
            assert_eq!(is_allowed(ip.parse().unwrap(), false), allowed, "{ip}");
        }
    }
}
