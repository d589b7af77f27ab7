use std::sync::Mutex as StdMutex;

use cs_model::Secret;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::key::Key;
use super::*;

/// A gateway that answers by rule and keeps what it was sent.
#[derive(Debug, Default)]
struct Gateway {
    seen: StdMutex<Vec<Seen>>,
    sessions: StdMutex<u32>,
}

#[derive(Clone, Debug)]
struct Seen {
    method: String,
    headers: http::HeaderMap,
    body: Value,
}

type Answer = http::Response<Full<Bytes>>;

impl Gateway {
    async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/t/acme/mcp", listener.local_addr().unwrap());
        let gateway = Arc::new(Self::default());
        let shared = Arc::clone(&gateway);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                let service = service_fn(move |request| Arc::clone(&shared).answer(request));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), service);
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        (gateway, url)
    }

    async fn answer(
        self: Arc<Self>,
        request: http::Request<hyper::body::Incoming>,
    ) -> Result<Answer, std::convert::Infallible> {
        let (head, body) = request.into_parts();
        if head.uri.path().ends_with("/credentials/renew") {
            // Nothing takes the place of the key.
            let mut nothing = http::Response::new(Full::default());
            *nothing.status_mut() = http::StatusCode::NO_CONTENT;
            return Ok(nothing);
        }
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let seen = Seen { method: head.method.to_string(), headers: head.headers, body };
        self.seen.lock().unwrap().push(seen.clone());
        Ok(self.reply(&seen))
    }

    fn reply(&self, seen: &Seen) -> Answer {
        let named = seen.headers.get("mcp-session-id").map(|id| id.to_str().unwrap().to_owned());
        let now = *self.sessions.lock().unwrap();
        match (seen.method.as_str(), seen.body["method"].as_str().unwrap_or_default()) {
            ("POST", "initialize") => {
                let mut sessions = self.sessions.lock().unwrap();
                *sessions = sessions.saturating_add(1);
                let result = json!({ "protocolVersion": "2025-11-25" });
                let mut answer = json_answer(&json!({
                    "jsonrpc": "2.0", "id": seen.body["id"], "result": result
                }));
                let id = format!("session-{sessions}").parse().unwrap();
                answer.headers_mut().insert("mcp-session-id", id);
                answer
            }
            ("POST", "tools/list") if seen.headers.contains_key("mcp-method") => {
                let region = json!({ "type": "string", "x-mcp-header": "Region" });
                let schema = json!({ "type": "object", "properties": { "region": region } });
                let tool = json!({ "name": "look", "inputSchema": schema });
                let mut result = json!({ "tools": [tool] });
                if seen.body["params"].get("cursor").is_none() {
                    result = json!({ "tools": [], "nextCursor": "2" });
                }
                json_answer(&json!({ "jsonrpc": "2.0", "id": seen.body["id"], "result": result }))
            }
            ("POST", "denied") => {
                let error = json!({ "code": -32602, "message": "not in this session's allowlist" });
                let mut answer = json_answer(&json!({ "jsonrpc": "2.0", "error": error }));
                *answer.status_mut() = http::StatusCode::FORBIDDEN;
                answer.headers_mut().insert("countersign-correlation", "cor_9".parse().unwrap());
                answer
            }
            ("POST", "broken") => with_type("text/event-stream", "data: {\"jsonrpc\":\"2.0\"}\n\n"),
            ("POST", _) if named.is_some_and(|id| id != format!("session-{now}")) => {
                let mut answer = Answer::default();
                *answer.status_mut() = http::StatusCode::NOT_FOUND;
                answer
            }
            ("POST", name) if name.starts_with("notifications/") => {
                let mut answer = Answer::default();
                *answer.status_mut() = http::StatusCode::ACCEPTED;
                answer
            }
            ("POST", _) => {
                let id = &seen.body["id"];
                let step = json!({ "jsonrpc": "2.0", "method": "notifications/progress" });
                let done = json!({ "jsonrpc": "2.0", "id": id, "result": { "done": true } });
                let stream = format!(": wait\n\ndata: {step}\n\ndata: {done}\n\n");
                with_type("text/event-stream", &stream)
            }
            _ => {
                let mut answer = Answer::default();
                *answer.status_mut() = http::StatusCode::METHOD_NOT_ALLOWED;
                answer
            }
        }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn json_answer(body: &Value) -> Answer {
    with_type("application/json", &body.to_string())
}

fn with_type(content_type: &str, body: &str) -> Answer {
    let answer = Answer::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    let (mut head, body) = answer.into_parts();
    head.headers.insert("content-type", content_type.parse().unwrap());
    Answer::from_parts(head, body)
}

/// What comes out of a bridge into which these lines went in, to their end.
async fn bridged(url: &str, lines: &[Value]) -> Vec<Value> {
    let secret = Secret::from_text(format!("css_{}", "k".repeat(43)));
    let key = Key { id: "csk_0123456789abcdefghijkl".to_owned(), secret };
    let endpoint = Endpoint::new(url, Some(Keys::of(key)), &TlsFiles::default()).unwrap();
    let (out, messages) = mpsc::channel(64);
    let bridge = Arc::new(Bridge::new(endpoint, Some("triage".to_owned()), out));
    let (mut output, mut lines_out) = (Vec::new(), messages);
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let feed = async {
        read(input.as_bytes(), &bridge).await.unwrap();
        bridge.finish().await;
        bridge.end_session().await;
        drop(bridge);
    };
    let collect = async {
        while let Some(message) = lines_out.recv().await {
            output.push(serde_json::from_slice(&message).unwrap());
        }
    };
    tokio::join!(feed, collect);
    output
}

fn request(id: u32, method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method })
}

fn opening() -> [Value; 2] {
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    [request(0, "initialize"), ready]
}

#[tokio::test]
async fn every_request_is_signed_and_the_session_is_kept_and_ended() {
    let (gateway, url) = Gateway::start().await;
    let [open, ready] = opening();
    let out = bridged(&url, &[open, ready, request(1, "tools/list")]).await;
    assert_eq!(out[0]["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(out[1]["method"], "notifications/progress");
    assert_eq!(out[2]["result"]["done"], true);

    let seen = gateway.seen();
    for one in &seen {
        assert!(one.headers["signature-input"].to_str().unwrap().contains("csk_01"), "{one:?}");
        assert_eq!(one.headers["countersign-task"], "triage");
        assert!(one.headers.contains_key("content-digest"));
    }
    let list = seen.iter().find(|one| one.body["method"] == "tools/list").unwrap();
    assert_eq!(list.headers["mcp-session-id"], "session-1");
    assert_eq!(list.headers["mcp-protocol-version"], "2025-11-25");
    let last = seen.last().unwrap();
    assert_eq!(
        (last.method.as_str(), &last.headers["mcp-session-id"]),
        ("DELETE", &"session-1".parse().unwrap())
    );
}

#[tokio::test]
async fn a_refusal_is_an_error_of_that_request_with_its_correlation_id() {
    let (_gateway, url) = Gateway::start().await;
    let out = bridged(&url, &[request(5, "denied")]).await;
    assert_eq!(out[0]["id"], 5);
    assert_eq!(out[0]["error"]["code"], -32602);
    assert_eq!(out[0]["error"]["data"]["correlation"], "cor_9");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_is_not_asked_for_again() {
    let (gateway, url) = Gateway::start().await;
    let out = bridged(&url, &[request(5, "broken")]).await;
    let error = out.iter().find(|message| message["id"] == 5).unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("before the answer"));
    assert_eq!(gateway.seen().len(), 1);
}

#[tokio::test]
async fn a_session_that_the_gateway_forgot_is_opened_anew_without_the_client_noticing() {
    let (gateway, url) = Gateway::start().await;
    let [open, ready] = opening();
    // Between these two the gateway has had another session opened, and knows only that one.
    let other = request(0, "initialize");
    let stale = Endpoint::new(
        &url,
        Some(Keys::of(Key {
            id: "csk_0123456789abcdefghijkl".to_owned(),
            secret: Secret::from_text(format!("css_{}", "k".repeat(43))),
        })),
        &TlsFiles::default(),
    );
    let (out, mut messages) = mpsc::channel(64);
    let bridge = Arc::new(Bridge::new(stale.unwrap(), None, out));
    bridge.take(Bytes::from(open.to_string())).await;
    bridge.take(Bytes::from(ready.to_string())).await;
    *gateway.sessions.lock().unwrap() = 2;
    bridge.take(Bytes::from(request(7, "tools/list").to_string())).await;
    bridge.finish().await;
    bridge.end_session().await;
    drop(bridge);
    let mut got = Vec::new();
    while let Some(message) = messages.recv().await {
        got.push(serde_json::from_slice::<Value>(&message).unwrap());
    }
    let answered: Vec<&Value> = got.iter().map(|message| &message["id"]).collect();
    assert_eq!(answered, [&json!(0), &Value::Null, &json!(7)], "one answer to each request");
    let opened = gateway.seen().iter().filter(|one| one.body["method"] == other["method"]).count();
    assert_eq!(opened, 2);
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_an_error_of_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/t/acme/mcp", listener.local_addr().unwrap());
    drop(listener);
    let out = bridged(&url, &[request(1, "tools/list")]).await;
    assert!(out[0]["error"]["message"].as_str().unwrap().contains("is it running?"), "{out:?}");
}

#[tokio::test]
async fn a_line_that_is_far_too_long_is_refused_and_the_next_is_served() {
    let (_gateway, url) = Gateway::start().await;
    let long = json!({ "jsonrpc": "2.0", "id": 1, "method": "x".repeat(MOST) });
    let out = bridged(&url, &[long, request(2, "tools/list")]).await;
    assert_eq!(out[0]["id"], Value::Null);
    assert!(out.iter().any(|message| message["id"] == 2 && message["result"]["done"] == true));
}

#[tokio::test]
async fn h05_arguments_that_a_tool_wants_in_headers_are_there_though_the_client_has_none() {
    let (gateway, url) = Gateway::start().await;
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
    let call = |id: u32, region: &str| {
        let arguments = json!({ "region": region });
        let params = json!({ "name": "look", "arguments": arguments, "_meta": meta });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
    };
    let out = bridged(&url, &[call(1, "eu"), call(2, "süd")]).await;
    assert!(out.iter().all(|message| message["id"] != "countersign-tools"), "{out:?}");
    let seen = gateway.seen();
    let calls = seen.iter().filter(|one| one.body["method"] == "tools/call");
    let mut said: Vec<_> = calls.map(|one| one.headers["mcp-param-region"].clone()).collect();
    said.sort();
    assert_eq!(said, ["=?base64?c8O8ZA==?=", "eu"]);
    let lists = seen.iter().filter(|one| one.body["method"] == "tools/list");
    assert!(lists.clone().all(|one| one.body["params"]["_meta"] == meta), "{seen:?}");
}
