//! `web_fetch`: pages from this very machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tool::Failed;
use crate::{Bench, settings};

/// The most bytes of a page.
const MOST: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    url: String,
}

#[derive(Serialize)]
pub(crate) struct Page {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    text: String,
}

/// Fetches a page.
pub(crate) async fn fetch(bench: &Bench, asked: Arguments) -> Result<Page, Failed> {
    let (uri, address) = target(&asked.url)?;
    let patience = Duration::from_secs(settings::read(bench).await?.fetch_seconds.into());
    let fetched = timeout(patience, get(&uri, address)).await;
    fetched.unwrap_or_else(|_| Err(Failed::because("the page did not come in time")))
}

/// Where a URL leads, if that is a loopback address. The name is not looked up: what is checked
/// is what is connected to.
fn target(url: &str) -> Result<(Uri, SocketAddr), Failed> {
    let uri: Uri = url.parse().map_err(|_| Failed::because("this is not a URL"))?;
    if uri.scheme_str() != Some("http") {
        return Err(Failed::because("only `http` can be fetched"));
    }
    let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    if authority.contains('@') {
        return Err(Failed::because("a URL with a user in it is not fetched"));
    }
    let host = uri.host().unwrap_or_default();
    let ip = match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(ip) => ip,
        Err(_) if host.eq_ignore_ascii_case("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Err(_) => return Err(Failed::because("only this machine can be fetched from")),
    };
    if !ip.is_loopback() {
        return Err(Failed::because("only this machine can be fetched from"));
    }
    Ok((uri.clone(), SocketAddr::new(ip, uri.port_u16().unwrap_or(80))))
}

async fn get(uri: &Uri, address: SocketAddr) -> Result<Page, Failed> {
    let unreachable = || Failed::because("nothing answers there");
    let stream = TcpStream::connect(address).await.map_err(|_| unreachable())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| unreachable())?;
    let connection = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let request = Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, "countersign-workbench")
        .body(Empty::<Bytes>::new())
        .map_err(|_| Failed::because("this is not a URL"))?;
    let answer = sender.send_request(request).await.map_err(|_| unreachable())?;
    let status = answer.status().as_u16();
    let content_type = answer.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|it| it.to_str().ok()).map(str::to_owned);
    let body = Limited::new(answer.into_body(), MOST).collect().await;
    connection.abort();
    let body = body.map_err(|_| Failed::because("the page is larger than 1 MiB or broke off"))?;
    match String::from_utf8(body.to_bytes().into()) {
        Ok(text) => Ok(Page { status, content_type, text }),
        Err(_) => Err(Failed::because("the page is not text")),
    }
}
