//! Lets a browser use the real core: the console's commands over HTTP, for tests alone.
//!
//! It serves the built interface with the app's content security policy, and every command to
//! whoever can reach it. It listens on loopback, on a home that a test made, and is no part of
//! what is shipped.
//!
//! `countersign-test-bridge --home DIR --dist DIR --executable PROGRAM [--port N] [--listen as-set]`
//! prints its address once it serves.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "code of tests: it stops at what it did not expect"
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cs_control::{Change, Control, ErrorCode, Failure, Options};
use futures_util::stream::{self, StreamExt as _};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tokio::net::TcpListener;

/// The policy that the app's windows have, so that a page breaks here where it would break there.
const POLICY: &str = include_str!("../../../ui/src/app/csp.json");

type Body = UnsyncBoxBody<Bytes, Infallible>;

struct Bridge {
    control: Control,
    dist: PathBuf,
    policy: String,
}

#[tokio::main]
async fn main() {
    let given = arguments();
    let path = |name: &str| -> &str {
        given.get(name).unwrap_or_else(|| panic!("{name} is missing")).as_str()
    };
    let mut options = Options::new("the test bridge", path("--executable").into());
    options.serves = true;
    // Where it is said to listen, nobody can set it to listen elsewhere.
    if given.get("--listen").map(String::as_str) != Some("as-set") {
        options.listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    }
    let control = Control::open(Path::new(path("--home")), options).await.expect("the home opens");
    let dist = path("--dist").into();
    let bridge = Arc::new(Bridge { control, dist, policy: policy() });
    let port = given.get("--port").map_or(0, |it| it.parse().expect("a port"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("a free port");
    println!("http://{}", listener.local_addr().expect("its address"));
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let bridge = Arc::clone(&bridge);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let bridge = Arc::clone(&bridge);
                async move { Ok::<_, Infallible>(bridge.answer(request).await) }
            });
            // A browser that goes away is no failure.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The command line: names and values in turn.
fn arguments() -> HashMap<String, String> {
    let mut words = std::env::args().skip(1);
    let mut given = HashMap::new();
    while let Some(name) = words.next() {
        let value = words.next().unwrap_or_else(|| panic!("{name} needs a value"));
        given.insert(name, value);
    }
    given
}

fn policy() -> String {
    let directives: Map<String, Value> = serde_json::from_str(POLICY).expect("a policy");
    let directives =
        directives.iter().map(|(name, it)| format!("{name} {}", it.as_str().unwrap_or("")));
    directives.collect::<Vec<_>>().join("; ")
}

impl Bridge {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        match (request.method(), path.strip_prefix("/ipc/")) {
            (&Method::POST, Some(command)) => self.command(command, request).await,
            (&Method::GET, None) if path == "/events" => self.events(),
            (&Method::GET, None) => self.file(&path),
            _ => reply(StatusCode::NOT_FOUND, "text/plain", "no such thing"),
        }
    }

    async fn command(&self, command: &str, request: Request<Incoming>) -> Response<Body> {
        let body = request.into_body().collect().await.map(|it| it.to_bytes());
        let arguments = body.ok().and_then(|it| serde_json::from_slice(&it).ok());
        let Some(arguments) = arguments else {
            return reply(StatusCode::BAD_REQUEST, "text/plain", "no JSON");
        };
        let answered = self.control.dispatch(&self.control.console(), command, arguments).await;
        match answered {
            Ok(answer) => reply(StatusCode::OK, "application/json", answer.to_string()),
            Err(failure) => {
                let text = serde_json::to_string(&failure).expect("a failure is JSON");
                reply(status(&failure), "application/json", text)
            }
        }
    }

    fn events(&self) -> Response<Body> {
        let changes = stream::unfold(self.control.changes(), async |mut changes| {
            loop {
                match changes.recv().await {
                    Ok(change) => return Some((event(&change), changes)),
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return None,
                }
            }
        });
        Response::builder()
            .header("content-type", "text/event-stream")
            .header("cache-control", "no-store")
            .body(BodyExt::boxed_unsync(StreamBody::new(changes.boxed().map(Ok::<_, Infallible>))))
            .expect("a response")
    }

    /// A file of the interface; the page itself for an address that only the page knows.
    fn file(&self, path: &str) -> Response<Body> {
        let inside = path.split('/').filter(|part| !part.is_empty() && !part.starts_with('.'));
        let asked = self.dist.join(inside.collect::<PathBuf>());
        let file = if asked.is_file() { asked } else { self.dist.join("index.html") };
        let kind = match file.extension().and_then(|it| it.to_str()) {
            Some("css") => "text/css",
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript",
            Some("svg") => "image/svg+xml",
            Some(_) | None => "application/octet-stream",
        };
        let content = std::fs::read(&file).expect("the interface is built");
        let mut response = reply(StatusCode::OK, kind, content);
        let policy = self.policy.parse().expect("a header");
        response.headers_mut().insert("content-security-policy", policy);
        response
    }
}

fn event(change: &Change) -> Frame<Bytes> {
    let change = serde_json::to_string(change).expect("a change is JSON");
    Frame::data(format!("event: changed\ndata: {change}\n\n").into())
}

const fn status(failure: &Failure) -> StatusCode {
    match failure.code {
        ErrorCode::Conflict | ErrorCode::Stale => StatusCode::CONFLICT,
        ErrorCode::Forbidden | ErrorCode::Locked | ErrorCode::WrongPassphrase => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Upstream => StatusCode::BAD_GATEWAY,
    }
}

fn reply(status: StatusCode, kind: &str, body: impl Into<Bytes>) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .body(Full::new(body.into()).boxed_unsync())
        .expect("a response")
}
