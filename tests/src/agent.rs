//! An agent that signs its requests, or has an access token, over a plain connection. It speaks the newer, stateless era
//! of the protocol, one request at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use cs_model::{Digest, Secret, Timestamp};
use cs_trust::request::{Outgoing, sign};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

const PROTOCOL: &str = "2026-07-28";

/// What an agent proves itself by.
#[derive(Debug)]
enum Proof {
    Key {
        id: String,
        secret: Secret,
    },
    Token(String),
    /// Whatever these headers say.
    Headers(Vec<(String, String)>),
}

/// An agent.
#[derive(Debug)]
pub struct Agent {
    http: Client<HttpConnector, Full<Bytes>>,
    endpoint: Uri,
    proof: Proof,
    sent: AtomicU64,
}

impl Agent {
    /// An agent that calls this endpoint with this key.
    ///
    /// # Panics
    ///
    /// When the endpoint is no address.
    pub fn new(endpoint: &str, key_id: &str, secret: &str) -> Self {
        let secret = Secret::from_text(secret.to_owned());
        Self::with(endpoint, Proof::Key { id: key_id.to_owned(), secret })
    }

    /// An agent that calls this endpoint with this access token.
    ///
    /// # Panics
    ///
    /// When the endpoint is no address.
    pub fn with_token(endpoint: &str, token: &str) -> Self {
        Self::with(endpoint, Proof::Token(token.to_owned()))
    }

    /// An agent that calls this endpoint with these headers and nothing else to prove itself by.
    ///
    /// # Panics
    ///
    /// When the endpoint is no address.
    pub fn with_headers(endpoint: &str, headers: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::with(endpoint, Proof::Headers(headers.iter().map(owned).collect()))
    }

    fn with(endpoint: &str, proof: Proof) -> Self {
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            endpoint: endpoint.parse().expect("an endpoint"),
            proof,
            sent: AtomicU64::new(0),
        }
    }

    /// The names of the tools that it is shown.
    ///
    /// # Panics
    ///
    /// When there is no list.
    pub async fn tools(&self) -> Vec<String> {
        let (status, answer) = self.request("tools/list", json!({})).await;
        let tools = answer["result"]["tools"].as_array().cloned();
        let tools = tools.unwrap_or_else(|| panic!("no list of tools: {status} {answer}"));
        tools.iter().filter_map(|it| it["name"].as_str()).map(str::to_owned).collect()
    }

    /// Calls a tool and gives the whole answer.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.request("tools/call", json!({"name": tool, "arguments": arguments})).await.1
    }

    /// Calls a tool with an operation token that was handed over, and gives the whole answer.
    pub async fn call_with(&self, tool: &str, arguments: Value, token: &str) -> Value {
        let meta = json!({ "dev.countersign/operation-token": token });
        let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
        self.request("tools/call", params).await.1
    }

    /// Sends one request.
    ///
    /// # Panics
    ///
    /// When nothing answers, or not in JSON.
    pub async fn request(&self, method: &str, params: Value) -> (StatusCode, Value) {
        self.request_able(method, params, json!({})).await
    }

    /// Sends one request as a client with these capabilities.
    ///
    /// # Panics
    ///
    /// When nothing answers, or not in JSON.
    pub async fn request_able(
        &self,
        method: &str,
        params: Value,
        capabilities: Value,
    ) -> (StatusCode, Value) {
        let answer = self.request_in_vain(method, params, capabilities).await;
        answer.expect("the gateway answers")
    }

    /// Sends one request to a gateway that may end before it answers: nothing then.
    pub async fn request_in_vain(
        &self,
        method: &str,
        mut params: Value,
        capabilities: Value,
    ) -> Option<(StatusCode, Value)> {
        let meta = &mut params["_meta"];
        meta["io.modelcontextprotocol/protocolVersion"] = json!(PROTOCOL);
        meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "agent", "version": "1" });
        meta["io.modelcontextprotocol/clientCapabilities"] = capabilities;
        let name = ["name", "uri", "taskId"].into_iter().find_map(|it| params[it].as_str());
        let name = name.map(str::to_owned);
        let id = self.sent.fetch_add(1, Ordering::Relaxed);
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let mut request = match &self.proof {
            Proof::Key { id: key, secret } => self.signed(body.to_string(), key, secret, id),
            Proof::Token(token) => {
                let bearer = format!("Bearer {token}");
                self.posted(body.to_string(), &[("authorization".to_owned(), bearer)])
            }
            Proof::Headers(headers) => self.posted(body.to_string(), headers),
        };
        let headers = request.headers_mut();
        headers.insert("mcp-protocol-version", PROTOCOL.parse().expect("a header"));
        headers.insert("mcp-method", method.parse().expect("a header"));
        if let Some(name) = name {
            headers.insert("mcp-name", name.parse().expect("a header"));
        }
        let answer = self.http.request(request).await.ok()?;
        let status = answer.status();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        let text = String::from_utf8(body.to_vec()).ok()?;
        Some((status, message(&text, id)?))
    }

    fn signed(&self, body: String, key_id: &str, secret: &Secret, id: u64) -> Request<Full<Bytes>> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let nonce = format!("{:032x}-{id:08x}", now.as_nanos());
        let created = Timestamp::from_secs(i64::try_from(now.as_secs()).expect("before long"));
        let request = Outgoing {
            method: "POST",
            authority: self.endpoint.authority().expect("a host").as_str(),
            path: self.endpoint.path(),
            body_digest: Digest::of(body.as_bytes()),
        };
        let signed = sign(&request, key_id, secret, created, &nonce).expect("a key");
        Request::post(self.endpoint.clone())
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("content-digest", signed.content_digest)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature)
            .body(Full::new(body.into()))
            .expect("a request")
    }

    fn posted(&self, body: String, proof: &[(String, String)]) -> Request<Full<Bytes>> {
        let request = Request::post(self.endpoint.clone())
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        let with = |request: http::request::Builder, (name, value): &(String, String)| {
            request.header(name, value)
        };
        proof.iter().fold(request, with).body(Full::new(body.into())).expect("a request")
    }
}

/// The answer to a request, alone or at the end of a stream of events.
fn message(text: &str, id: u64) -> Option<Value> {
    if let Ok(answer) = serde_json::from_str(text) {
        return Some(answer);
    }
    text.lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .find(|it| it["id"] == json!(id))
}
