//! Requests to a real gateway, signed by the hands of the clock.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use cs_model::{Digest, Secret};
use cs_trust::request::{Outgoing, sign};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::place::Place;
use crate::actor::Actor;

pub(super) const LOCAL: Actor = Actor::Local { uid: None };

const PATH: &str = "/t/acme/task/workbench/mcp";

/// An agent with a key.
pub(super) struct Caller {
    address: SocketAddr,
    pub(super) key_id: String,
    secret: String,
    pub(super) credential: Value,
    sent: AtomicU64,
}

impl Caller {
    /// Starts the gateway, if it does not run, and gives an agent of the starter a key.
    pub(super) async fn new(place: &Place, agent: &str) -> Self {
        let address = place.control.start_gateway("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let tenant = place.ask_as(LOCAL, "tenant_list", json!({})).await[0]["id"].clone();
        let agents = place.ask_as(LOCAL, "agent_list", json!({ "tenant": tenant })).await;
        let agent = agents.as_array().unwrap().iter().find(|it| it["name"] == agent).unwrap();
        let issue = json!({ "tenant": tenant, "agent": agent["id"], "kind": "api_key" });
        let key = place.ask_as(LOCAL, "credential_issue", issue).await;
        Self {
            address,
            key_id: key["key_id"].as_str().unwrap().to_owned(),
            secret: key["secret"].as_str().unwrap().to_owned(),
            credential: key["credential"].clone(),
            sent: AtomicU64::new(0),
        }
    }

    /// The same with a secret that is not the right one.
    pub(super) fn mistaken(mut self) -> Self {
        self.secret = self.secret.chars().rev().collect::<String>();
        self
    }

    /// The same with the key that was handed over.
    pub(super) fn with(&self, key: &Value) -> Self {
        Self {
            address: self.address,
            key_id: key["key_id"].as_str().unwrap().to_owned(),
            secret: key["secret"].as_str().unwrap().to_owned(),
            credential: key["credential"].clone(),
            sent: AtomicU64::new(0),
        }
    }

    /// Asks for the key that takes the place of this one.
    pub(super) async fn renew(&self, place: &Place) -> (u16, Value) {
        const PATH: &str = "/t/acme/credentials/renew";
        let authority = self.address.to_string();
        let request = Outgoing {
            method: "POST",
            authority: &authority,
            path: PATH,
            body_digest: Digest::of(b""),
        };
        let id = self.sent.fetch_add(1, Ordering::Relaxed);
        let secret = Secret::from_text(self.secret.clone());
        let nonce = format!("{id:032}");
        let signed = sign(&request, &self.key_id, &secret, place.control.now(), &nonce).unwrap();
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ncontent-length: \
             0\r\ncontent-digest: {}\r\nsignature-input: {}\r\nsignature: {}\r\n\r\n",
            signed.content_digest, signed.signature_input, signed.signature
        );
        let (status, answer) = exchange(self.address, &head).await;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Calls a tool. Answers with the status and the rest.
    pub(super) async fn call(&self, place: &Place, tool: &str) -> (u16, String) {
        let params = json!({ "name": tool, "arguments": {}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "agent", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        }});
        let id = self.sent.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        let body = body.to_string();
        let authority = self.address.to_string();
        let request = Outgoing {
            method: "POST",
            authority: &authority,
            path: PATH,
            body_digest: Digest::of(body.as_bytes()),
        };
        let nonce = format!("{id:032}");
        let secret = Secret::from_text(self.secret.clone());
        let signed = sign(&request, &self.key_id, &secret, place.control.now(), &nonce).unwrap();
        let proof = format!(
            "content-digest: {}\r\nsignature-input: {}\r\nsignature: {}\r\nmcp-name: {tool}\r\n",
            signed.content_digest, signed.signature_input, signed.signature
        );
        post(self.address, &proof, &body).await
    }
}

/// Sends a request with a bearer token.
pub(super) async fn with_token(address: SocketAddr, token: &str) -> (u16, String) {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
    post(address, &format!("authorization: Bearer {token}\r\n"), &body.to_string()).await
}

async fn post(address: SocketAddr, headers: &str, body: &str) -> (u16, String) {
    let method = if body.contains("tools/call") { "tools/call" } else { "tools/list" };
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: \
         application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: \
         {}\r\nmcp-protocol-version: 2026-07-28\r\nmcp-method: {method}\r\n{headers}\r\n",
        body.len()
    );
    exchange(address, &format!("{head}{body}")).await
}

async fn exchange(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
    (status.unwrap_or_else(|| panic!("no status: {answer}")), answer)
}
