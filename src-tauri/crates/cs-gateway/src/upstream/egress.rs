//! Where connections may go. What is checked is the address that is connected to, not the name.

mod reach;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

pub(crate) use self::reach::Reach;

/// Makes TCP connections to acceptable addresses.
#[derive(Clone, Debug)]
pub(crate) struct Tcp {
    /// How long it may take.
    pub(crate) patience: Duration,
    /// Which addresses are acceptable.
    pub(crate) reach: Reach,
}

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { patience, reach } = *self;
        Box::pin(async move {
            let late = || io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time");
            timeout(patience, connect(&uri, reach)).await.map_err(|_| late())?
        })
    }
}

async fn connect(uri: &Uri, reach: Reach) -> io::Result<TokioIo<TcpStream>> {
    let secure = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let found = tokio::net::lookup_host((host, port)).await?;
    let allowed: Vec<SocketAddr> = found.filter(|it| reach.allows(it.ip(), secure)).collect();
    if allowed.is_empty() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, reach.objection(secure)));
    }
    let stream = TcpStream::connect(allowed.as_slice()).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(stream))
}
