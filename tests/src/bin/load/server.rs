//! The server behind both: Streamable HTTP in either era, as fast as it can be. What it looks for
//! in a request it finds without reading the whole of it: it trusts who asks.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// How many bytes an answer of the tool `small` has, and one of `large`.
const SMALL: usize = 200;
const LARGE: usize = 64 * 1024;

/// What it speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

impl Era {
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "legacy" => Self::Legacy,
            "modern" => Self::Modern,
            _ => panic!("an era is `legacy` or `modern`"),
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
    }
}

/// Prints its address, and serves until it is ended.
pub(crate) async fn run(era: Era) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let service =
            service_fn(
                move |request| async move { Ok::<_, Infallible>(answer(era, request).await) },
            );
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

pub(crate) async fn answer(era: Era, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.method() != Method::POST {
        return plain(StatusCode::METHOD_NOT_ALLOWED);
    }
    let body = request.into_body().collect().await.expect("a whole request").to_bytes();
    let text = std::str::from_utf8(&body).expect("text");
    let Some(id) = between(text, "\"id\":", [',', '}']) else { return plain(StatusCode::ACCEPTED) };
    let method = between(text, "\"method\":\"", ['"', '"']).unwrap_or_default();
    let answered = match (method, era) {
        ("tools/call", _) => called(era, id, text.contains("\"name\":\"large\"")),
        ("tools/list", Era::Legacy) => result(id, &format!("\"tools\":[{}]", tools())),
        ("tools/list", Era::Modern) => result(
            id,
            &format!(
                "\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\",\"tools\":[{}]",
                tools()
            ),
        ),
        ("initialize", Era::Legacy) => result(
            id,
            "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},\
             \"serverInfo\":{\"name\":\"load\",\"version\":\"1\"}",
        ),
        ("server/discover", Era::Modern) => result(
            id,
            "\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\
             \"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"load\",\"version\":\"1\"}",
        ),
        _ => format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\
             \"error\":{{\"code\":-32601,\"message\":\"Method not found\"}}}}"
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(answered)));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn result(id: &str, members: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{{members}}}}}")
}

/// An answer that has its size as a whole.
fn called(era: Era, id: &str, large: bool) -> String {
    let complete = if era == Era::Modern { "\"resultType\":\"complete\"," } else { "" };
    let mut text = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{{complete}\
         \"content\":[{{\"type\":\"text\",\"text\":\""
    );
    let end = "\"}]}}";
    let size = if large { LARGE } else { SMALL };
    while text.len() + end.len() < size {
        let left = size - text.len() - end.len();
        let line = "All is quiet on the western dock, and the cranes have stopped for today. ";
        text.push_str(line.get(..left.min(line.len())).unwrap_or_default());
    }
    text.push_str(end);
    text
}

fn tools() -> String {
    format!("{},{}", definition("small"), definition("large"))
}

/// The definition of a tool, as it is published.
pub(crate) fn definition(name: &str) -> String {
    format!(
        "{{\"name\":\"{name}\",\"description\":\"Says something {name}\",\
         \"inputSchema\":{{\"type\":\"object\",\
         \"properties\":{{\"about\":{{\"type\":\"string\"}}}}}}}}"
    )
}

fn between<'t>(text: &'t str, start: &str, ends: [char; 2]) -> Option<&'t str> {
    let rest = text.split_once(start)?.1;
    rest.split(ends).next()
}
