//! A client that signs its requests and reads answers byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cs_model::Digest;
use cs_trust::request::{self, Outgoing};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{Journal, key_id, secret};

pub(super) const MODERN: &str = "2026-07-28";
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// An answer, as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Every message in the answer: of a stream, or the one there is.
    pub(super) fn messages(&self) -> Vec<Value> {
        let is_stream = self.header("content-type") == Some("text/event-stream");
        if !is_stream {
            return vec![serde_json::from_str(&self.body).unwrap_or(Value::Null)];
        }
        let lines = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The last message: the response.
    pub(super) fn json(&self) -> Value {
        self.messages().pop().unwrap_or(Value::Null)
    }

    pub(super) fn error_code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or(0)
    }

    /// The text of a tool's result.
    pub(super) fn text(&self) -> String {
        self.json()["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned()
    }
}

/// An answer that is still coming.
pub(super) struct Open {
    stream: TcpStream,
    seen: Vec<u8>,
}

impl Open {
    /// Reads until the text is there, and gives all that came.
    pub(super) async fn until(&mut self, text: &str) -> String {
        let reading = async {
            while !String::from_utf8_lossy(&self.seen).contains(text) {
                if self.stream.read_buf(&mut self.seen).await.unwrap_or(0) == 0 {
                    break;
                }
            }
        };
        let timely = tokio::time::timeout(PATIENCE, reading).await.is_ok();
        let seen = String::from_utf8_lossy(&self.seen).into_owned();
        assert!(timely && seen.contains(text), "never saw {text} in: {seen}");
        seen
    }

    /// Reads to the end.
    pub(super) async fn end(mut self) -> Reply {
        let reading = self.stream.read_to_end(&mut self.seen);
        tokio::time::timeout(PATIENCE, reading).await.expect("an end").ok();
        parse(&self.seen)
    }
}

/// Sends bytes as they are and reads to the end.
pub(super) async fn raw(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    Open { stream, seen: Vec::new() }.end().await
}

/// The same from another address of this machine.
pub(super) async fn raw_from(from: [u8; 4], address: SocketAddr, bytes: &[u8]) -> Reply {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    Open { stream, seen: Vec::new() }.end().await
}

pub(super) fn parse(bytes: &[u8]) -> Reply {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Reply::default() };
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let chunked = headers.iter().any(|(name, _)| name == "transfer-encoding");
    let body = if chunked { unchunk(body) } else { body.to_owned() };
    Reply { status, headers, body }
}

fn unchunk(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        body.push_str(after.get(..size).unwrap_or(after));
        rest = after.get(size + 2..).unwrap_or_default();
    }
    body
}

/// A client with the key of one agent.
#[derive(Clone)]
pub(super) struct Client {
    address: SocketAddr,
    number: u128,
    journal: Arc<Journal>,
    pub(super) path: String,
    pub(super) extra: Vec<(String, String)>,
}

static NONCES: AtomicU64 = AtomicU64::new(0);

/// A nonce that no test has used.
pub(super) fn nonce() -> String {
    format!("nonce-of-the-test-{:012}", NONCES.fetch_add(1, Ordering::SeqCst))
}

impl Client {
    pub(super) fn new(address: SocketAddr, number: u128, journal: Arc<Journal>) -> Self {
        let tenant = if number >= 2000 { "globex" } else { "acme" };
        let path = format!("/t/{tenant}/task/workbench/mcp");
        Self { address, number, journal, path, extra: Vec::new() }
    }

    pub(super) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.extra.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The headers that sign a request.
    pub(super) fn signature(&self, method: &str, body: &[u8]) -> Vec<(String, String)> {
        self.signature_with(method, body, self.journal.time().millis() / 1000, &nonce())
    }

    pub(super) fn signature_with(
        &self,
        method: &str,
        body: &[u8],
        created: i64,
        nonce: &str,
    ) -> Vec<(String, String)> {
        let outgoing = Outgoing {
            method,
            authority: &self.host(),
            path: &self.path,
            body_digest: Digest::of(body),
        };
        let created = cs_model::Timestamp::from_secs(created);
        let id = key_id(self.number);
        let signed = request::sign(&outgoing, &id, &secret(self.number), created, nonce).unwrap();
        vec![
            ("signature-input".to_owned(), signed.signature_input),
            ("signature".to_owned(), signed.signature),
            ("content-digest".to_owned(), signed.content_digest),
        ]
    }

    /// A request as bytes.
    pub(super) fn bytes(&self, method: &str, signed: &[(String, String)], body: &[u8]) -> Vec<u8> {
        let mut head = format!("{method} {} HTTP/1.1\r\nhost: {}\r\n", self.path, self.host());
        if method == "POST" {
            head.push_str("content-type: application/json\r\n");
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        if !self.extra.iter().any(|(name, _)| name == "accept") {
            head.push_str("accept: application/json, text/event-stream\r\n");
        }
        for (name, value) in self.extra.iter().chain(signed) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }

    /// Sends a request and leaves the answer to come.
    pub(super) async fn open(&self, method: &str, body: &str) -> Open {
        let signed = self.signature(method, body.as_bytes());
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&self.bytes(method, &signed, body.as_bytes())).await.unwrap();
        Open { stream, seen: Vec::new() }
    }

    /// Sends a request and reads its answer.
    pub(super) async fn send(&self, method: &str, body: &str) -> Reply {
        self.open(method, body).await.end().await
    }

    pub(super) async fn post(&self, body: &str) -> Reply {
        self.send("POST", body).await
    }

    /// A message of the newer era, with its headers.
    pub(super) fn modern(&self, method: &str) -> Self {
        self.clone().header("mcp-protocol-version", MODERN).header("mcp-method", method)
    }

    /// A tool call of the newer era.
    pub(super) async fn call(&self, tool: &str, arguments: Value) -> Reply {
        let client = self.modern("tools/call").header("mcp-name", tool);
        client.post(&call_body(tool, arguments)).await
    }

    /// The same, with the answer left to come.
    pub(super) async fn open_call(&self, body: &str, tool: &str) -> Open {
        self.modern("tools/call").header("mcp-name", tool).open("POST", body).await
    }

    /// Opens a session of the older era and gives a client that uses it.
    pub(super) async fn initialize(&self) -> Self {
        let reply = self.post(INITIALIZE).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let session = reply.header("mcp-session-id").expect("a session id").to_owned();
        self.clone().header("mcp-session-id", &session).header("mcp-protocol-version", "2025-11-25")
    }
}

pub(super) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":
    {"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;

/// `_meta` of the newer era.
pub(super) fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

pub(super) fn body(method: &str, params: Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

pub(super) fn call_body(tool: &str, arguments: Value) -> String {
    body("tools/call", json!({ "name": tool, "arguments": arguments, "_meta": meta() }))
}

/// A tool call of the older era.
pub(super) fn legacy_call(id: u32, tool: &str, arguments: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments } })
    .to_string()
}
