//! One connection of an agent: HTTP/1.1 that is kept, one request after the other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use cs_model::{Digest, Secret, Timestamp};
use cs_trust::request::{Outgoing, sign};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::server::Era;

/// What an agent proves itself by.
#[derive(Debug)]
pub(crate) enum Proof {
    /// A key that signs each request.
    Key { id: String, secret: Secret },
    /// An access token.
    Token(String),
}

/// Where the requests go, from whom, and what they ask for. Shared by all connections.
#[derive(Debug)]
pub(crate) struct Errand {
    /// An address and a port.
    pub(crate) to: String,
    /// The endpoint's path.
    pub(crate) path: String,
    pub(crate) era: Era,
    pub(crate) proof: Proof,
    /// The tool that is called; none to list the tools.
    pub(crate) tool: Option<&'static str>,
    /// The `Mcp-Session-Id` of the older era.
    pub(crate) session: Option<String>,
    sent: AtomicU64,
}

impl Errand {
    pub(crate) fn new(to: &str, path: &str, era: Era, proof: Proof) -> Self {
        Self {
            to: to.to_owned(),
            path: path.to_owned(),
            era,
            proof,
            tool: None,
            session: None,
            sent: AtomicU64::new(1),
        }
    }

    /// How many requests were sent, or are about to be.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn calling(self, tool: &'static str) -> Self {
        Self { tool: Some(tool), ..self }
    }

    fn body(&self, id: u64) -> String {
        let meta = match self.era {
            Era::Legacy => "",
            Era::Modern => {
                "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
                 \"io.modelcontextprotocol/clientInfo\":{\"name\":\"load\",\"version\":\"1\"},\
                 \"io.modelcontextprotocol/clientCapabilities\":{}}"
            }
        };
        let comma = if meta.is_empty() { "" } else { "," };
        match self.tool {
            Some(tool) => format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":\
                 {{\"name\":\"{tool}\",\"arguments\":{{\"about\":\"the docks\"}}{comma}{meta}}}}}"
            ),
            None => format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/list\",\"params\":{{{meta}}}}}"
            ),
        }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).expect("a header");
            headers.insert(HeaderName::from_static(name), value);
        };
        set("host", &self.to);
        set("content-type", "application/json");
        set("accept", "application/json, text/event-stream");
        let method = if self.tool.is_some() { "tools/call" } else { "tools/list" };
        match self.era {
            Era::Legacy => set("mcp-protocol-version", "2025-11-25"),
            Era::Modern => {
                set("mcp-protocol-version", "2026-07-28");
                set("mcp-method", method);
                if let Some(tool) = self.tool {
                    set("mcp-name", tool);
                }
            }
        }
        if let Some(session) = &self.session {
            set("mcp-session-id", session);
        }
        if let Proof::Token(token) = &self.proof {
            set("authorization", &format!("Bearer {token}"));
        }
        headers
    }

    /// Signs a request, where the agent has a key.
    fn sign(&self, headers: &mut HeaderMap, body: &str, id: u64) {
        let Proof::Key { id: key_id, secret } = &self.proof else { return };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let created = Timestamp::from_secs(i64::try_from(now.as_secs()).expect("before long"));
        let nonce = format!("{:x}-{id:016x}", now.as_nanos());
        let request = Outgoing {
            method: "POST",
            authority: &self.to,
            path: &self.path,
            body_digest: Digest::of(body.as_bytes()),
        };
        let signed = sign(&request, key_id, secret, created, &nonce).expect("a key");
        let mut set = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).expect("a header");
            headers.insert(HeaderName::from_static(name), value);
        };
        set("content-digest", &signed.content_digest);
        set("signature-input", &signed.signature_input);
        set("signature", &signed.signature);
    }
}

/// One connection.
pub(crate) struct Wire {
    send: SendRequest<Full<Bytes>>,
    headers: HeaderMap,
    uri: Uri,
}

impl Wire {
    pub(crate) async fn open(errand: &Errand) -> Self {
        let stream = TcpStream::connect(&errand.to).await.expect("somebody listens");
        stream.set_nodelay(true).expect("a socket");
        let (send, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(async move { drop(connection.await) });
        let uri = errand.path.parse().expect("a path");
        Self { send, headers: errand.headers(), uri }
    }

    /// The next requests are another agent's.
    pub(crate) fn is_of(&mut self, errand: &Errand) {
        self.headers = errand.headers();
    }

    /// Asks once. Gives the status and the answer.
    pub(crate) async fn ask(&mut self, errand: &Errand) -> (StatusCode, Bytes) {
        let id = errand.sent.fetch_add(1, Ordering::Relaxed);
        let text = errand.body(id);
        let (status, _, body) = self.post(errand, text, id).await;
        (status, body)
    }

    async fn post(
        &mut self,
        errand: &Errand,
        text: String,
        id: u64,
    ) -> (StatusCode, HeaderMap, Bytes) {
        let mut headers = self.headers.clone();
        errand.sign(&mut headers, &text, id);
        let mut request = Request::new(Full::new(Bytes::from(text)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        self.send.ready().await.expect("the connection stands");
        let answer = self.send.send_request(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        (parts.status, parts.headers, body)
    }

    /// Opens a session of the older era, and gives its id.
    pub(crate) async fn initialize(&mut self, errand: &Errand) -> String {
        let text = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":\
                    {\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\
                    \"clientInfo\":{\"name\":\"load\",\"version\":\"1\"}}}";
        self.headers.remove("mcp-protocol-version");
        let (status, headers, body) = self.post(errand, text.to_owned(), 0).await;
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        let id = headers.get("mcp-session-id").expect("a session");
        id.to_str().expect("text").to_owned()
    }
}

/// Whether an answer is what was asked for.
pub(crate) fn is_good(status: StatusCode, body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body.get(..body.len().min(100)).unwrap_or_default());
    status == StatusCode::OK && text.contains("\"result\":{")
}
