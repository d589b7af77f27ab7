mod broken;

use std::collections::BTreeMap;
use std::convert::Infallible;

use cs_model::upstream::{Setting, Transport};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::upstream::tests::{call, server, target, tenant, text, upstreams};
use crate::upstream::{HealthState, UpstreamLimits, Upstreams};

/// A server whose tools misbehave in one way each, and what it has heard.
#[derive(Clone)]
struct Site {
    modern: bool,
    /// The status of what it says to what it does not know.
    strange: u16,
    heard: Arc<Mutex<Vec<(Method, HeaderMap, Value)>>>,
}

impl Default for Site {
    fn default() -> Self {
        Self { modern: false, strange: 400, heard: Arc::default() }
    }
}

/// What some servers say before anybody has introduced themselves.
const STRANGE: &str =
    r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"not initialized"},"id":null}"#;

const TOOLS: &[&str] = &[
    "json", "events", "redirect", "slow", "gone", "failure", "refused", "endpoint", "cut",
    "other_id", "plain", "ping",
];

impl Site {
    async fn open() -> (Self, Transport) {
        Self::default().serving().await
    }

    async fn serving(self) -> (Self, Transport) {
        let site = self;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let this = site.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let this = this.clone();
                let service = service_fn(move |request| this.clone().serve(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        let token = Setting::Secret { secret: "token".to_owned() };
        let headers = BTreeMap::from([("x-api-key".to_owned(), token)]);
        (site, Transport::Http { url, headers })
    }

    /// What a server of the newest revision says to a request that is not of it.
    fn refuse(&self, body: &Value) -> Option<String> {
        let method = body["method"].as_str().unwrap();
        let meta = &body["params"]["_meta"];
        let last = self.heard(method).pop().unwrap();
        let repeated = |name: &str| last.get(name).and_then(|it| it.to_str().ok());
        let right = method != "initialize"
            && meta["io.modelcontextprotocol/protocolVersion"] == MODERN
            && repeated("mcp-protocol-version") == Some(MODERN)
            && repeated("mcp-method") == Some(method)
            && repeated("mcp-name") == body["params"]["name"].as_str()
            && last.get("mcp-session-id").is_none();
        (!right).then(|| {
            let error = json!({"code": -32020, "message": "not of this revision"});
            json!({"jsonrpc": "2.0", "id": body["id"], "error": error}).to_string()
        })
    }

    fn heard(&self, method: &str) -> Vec<HeaderMap> {
        let heard = self.heard.lock().unwrap();
        let named = heard.iter().filter(|(_, _, body)| body["method"] == method);
        named.map(|(_, headers, _)| headers.clone()).collect()
    }

    async fn serve(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let log = (head.method.clone(), head.headers, body.clone());
        self.heard.lock().unwrap().push(log);
        if head.method != Method::POST {
            return Ok(answer(405, "text/plain", ""));
        }
        let result = |result: Value| {
            json!({"jsonrpc": "2.0", "id": body["id"], "result": result}).to_string()
        };
        let method = body["method"].as_str().unwrap_or_default();
        if self.modern && body.get("id").is_some() {
            if let Some(refused) = self.refuse(&body) {
                return Ok(answer(400, "application/json", &refused));
            }
            if method == "server/discover" {
                let said = json!({"supportedVersions": [MODERN], "resultType": "complete",
                    "capabilities": {"tools": {"listChanged": true}}});
                return Ok(answer(200, "application/json", &result(said)));
            }
            if method == "subscriptions/listen" {
                return std::future::pending().await;
            }
        }
        Ok(match method {
            "server/discover" => answer(self.strange, "application/json", STRANGE),
            "initialize" => {
                let said = json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                    "serverInfo": {"name": "site", "version": "1"}});
                let mut response = answer(200, "application/json", &result(said));
                let number = self.heard("initialize").len().to_string();
                response.headers_mut().insert(SESSION, HeaderValue::from_str(&number).unwrap());
                response
            }
            "tools/list" => {
                let tools: Vec<Value> = TOOLS
                    .iter()
                    .map(|name| json!({"name": name, "inputSchema": {"type": "object"}}))
                    .collect();
                answer(200, "application/json", &result(json!({ "tools": tools })))
            }
            "tools/call" => {
                let done = result(json!({"content": [{"type": "text", "text": "done"}]}));
                misbehave(body["params"]["name"].as_str().unwrap(), &done).await
            }
            _ => answer(202, "", ""),
        })
    }
}

async fn misbehave(tool: &str, done: &str) -> Response<Full<Bytes>> {
    let event = format!(": hi\r\n\r\nid: 7\r\ndata: {done}\r\n\r\n");
    match tool {
        "events" => answer(200, "text/event-stream", &event),
        "redirect" => {
            let mut response = answer(307, "", "");
            let to = HeaderValue::from_static("http://169.254.169.254/latest/meta-data/");
            response.headers_mut().insert(http::header::LOCATION, to);
            response
        }
        "slow" => std::future::pending().await,
        "gone" => answer(404, "text/plain", "no such session"),
        "failure" => answer(500, "text/plain", "a stack trace with secrets"),
        "refused" => answer(401, "text/plain", "who are you"),
        "endpoint" => answer(200, "text/event-stream", "event: endpoint\ndata: /x\n\n"),
        "cut" => answer(200, "text/event-stream", "data: {\"jsonrpc\""),
        "other_id" => answer(200, "application/json", &done.replace("\"id\":", "\"id\":9")),
        "plain" => answer(200, "text/plain", done),
        "ping" => {
            let ping = "data: {\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n\n";
            answer(200, "text/event-stream", &format!("{ping}{event}"))
        }
        _ => answer(200, "application/json; charset=utf-8", done),
    }
}

fn answer(status: u16, kind: &str, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_owned())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
    response
}

async fn made() -> (Upstreams, Site, Transport) {
    let call = Duration::from_millis(500);
    let (site, transport) = Site::open().await;
    (upstreams(UpstreamLimits { call, ..UpstreamLimits::default() }), site, transport)
}

#[tokio::test]
async fn calls_are_answered_as_json_and_as_events_within_one_session() {
    let (upstreams, site, transport) = made().await;
    for tool in ["json", "events", "ping"] {
        assert_eq!(text(call(&upstreams, &transport, tool, Some("{}")).await), "done", "{tool}");
    }
    assert_eq!(site.heard("initialize").len(), 1);
    for headers in site.heard("tools/call") {
        assert_eq!(headers["mcp-session-id"], "1");
        assert_eq!(headers["mcp-protocol-version"], "2025-06-18");
        assert_eq!(headers["x-api-key"], "hunter2-hunter2");
        assert_eq!(headers["accept"], "application/json, text/event-stream");
    }
    upstreams.stop_all().await;
    let heard = site.heard.lock().unwrap();
    let last = heard.iter().find(|(method, _, _)| method == Method::DELETE).unwrap();
    assert_eq!(last.1["mcp-session-id"], "1");
}

#[tokio::test]
async fn x13_a_server_sees_no_header_but_the_ones_that_it_should() {
    let (upstreams, site, transport) = made().await;
    text(call(&upstreams, &transport, "json", None).await);
    let allowed = [
        "accept",
        "content-length",
        "content-type",
        "host",
        "mcp-protocol-version",
        "mcp-session-id",
        "x-api-key",
    ];
    // The first question is of the newest revision, and has its headers.
    let asked = site.heard.lock().unwrap().remove(0);
    assert_eq!(asked.2["method"], "server/discover");
    assert!(asked.1.keys().all(|it| allowed.contains(&it.as_str()) || it == "mcp-method"));
    for (_, headers, _) in site.heard.lock().unwrap().iter() {
        assert!(headers.keys().all(|name| allowed.contains(&name.as_str())), "{headers:?}");
    }
}

#[tokio::test]
async fn x11_answers_that_break_the_protocol_are_refused() {
    for tool in ["redirect", "endpoint", "other_id", "plain"] {
        let (upstreams, _site, transport) = made().await;
        let refused = call(&upstreams, &transport, tool, None).await;
        assert!(matches!(refused, Err(UpstreamError::Rejected(_))), "{tool}: {refused:?}");
    }
}

#[tokio::test]
async fn whether_a_call_may_have_been_made_is_told_apart() {
    let (upstreams, site, transport) = made().await;
    for tool in ["failure", "cut"] {
        let lost = call(&upstreams, &transport, tool, None).await;
        assert!(matches!(lost, Err(UpstreamError::Lost(_))), "{tool}: {lost:?}");
    }
    let refused = call(&upstreams, &transport, "refused", None).await;
    assert!(matches!(refused, Err(UpstreamError::NotSent(_))), "{refused:?}");
    let slow = call(&upstreams, &transport, "slow", None).await;
    assert!(matches!(slow, Err(UpstreamError::TimedOut)), "{slow:?}");
    assert_eq!(site.heard("tools/call").len(), 4, "a call was sent twice");
}

#[tokio::test]
async fn a_session_that_the_server_ended_is_opened_anew_but_the_call_is_not_repeated() {
    let (upstreams, site, transport) = made().await;
    let gone = call(&upstreams, &transport, "gone", None).await;
    assert!(matches!(gone, Err(UpstreamError::NotSent(_))), "{gone:?}");
    assert_eq!(text(call(&upstreams, &transport, "json", None).await), "done");
    assert_eq!(site.heard("tools/call").len(), 2);
    assert_eq!(site.heard("tools/call")[1]["mcp-session-id"], "2");
    assert_eq!(upstreams.health(tenant(1), server()).state, HealthState::Ready);
}

#[tokio::test]
async fn y06_addresses_that_no_server_has_are_not_reached() {
    let upstreams = upstreams(UpstreamLimits::default());
    let http = |url: &str| Transport::Http { url: url.to_owned(), headers: BTreeMap::new() };
    for url in ["http://169.254.169.254/", "https://169.254.169.254/", "http://10.0.0.1/mcp"] {
        let refused = upstreams.list_tools(target(&http(url))).await;
        assert!(matches!(refused, Err(UpstreamError::NotSent(_))), "{url}: {refused:?}");
        let problem = upstreams.health(tenant(1), server()).problem.unwrap();
        let refused = ["only this machine itself may be reached", "no server is reached at"];
        assert!(refused.iter().any(|why| problem.contains(why)), "{url}: {problem}");
    }
    for url in ["ftp://127.0.0.1/", "http://user@127.0.0.1/", "/mcp", "http://"] {
        let wrong = upstreams.list_tools(target(&http(url))).await;
        assert!(matches!(wrong, Err(UpstreamError::Misconfigured(_))), "{url}: {wrong:?}");
    }
}

#[tokio::test]
async fn headers_that_are_ours_cannot_be_set() {
    let (upstreams, _site, transport) = made().await;
    let Transport::Http { url, .. } = transport else { panic!("not by HTTP") };
    for name in [
        "Host",
        "mcp-session-id",
        "Mcp-Name",
        "mcp-param-region",
        "Transfer-Encoding",
        "proxy-authorization",
        "a b",
    ] {
        let headers = BTreeMap::from([(name.to_owned(), Setting::Text("x".to_owned()))]);
        let wrong =
            upstreams.probe(tenant(1), &Transport::Http { url: url.clone(), headers }).await;
        assert!(matches!(wrong, Err(UpstreamError::Misconfigured(_))), "{name}: {wrong:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_know_the_newest_revision_is_spoken_to_in_an_older_one() {
    for strange in [200, 202, 307, 400, 404, 406, 500] {
        let (site, transport) = Site { strange, ..Site::default() }.serving().await;
        let upstreams = upstreams(UpstreamLimits::default());
        assert_eq!(text(call(&upstreams, &transport, "json", None).await), "done", "{strange}");
        assert_eq!(site.heard("initialize").len(), 1);
        upstreams.stop_all().await;
    }
}

#[tokio::test]
async fn a_site_of_the_newest_revision_is_spoken_to_in_it() {
    let (site, transport) = Site { modern: true, ..Site::default() }.serving().await;
    let upstreams = upstreams(UpstreamLimits::default());
    for tool in ["json", "events"] {
        assert_eq!(text(call(&upstreams, &transport, tool, Some("{}")).await), "done", "{tool}");
    }
    let ping = call(&upstreams, &transport, "ping", None).await;
    assert!(matches!(ping, Err(UpstreamError::Rejected(_))), "{ping:?}");
    upstreams.stop_all().await;
    for method in ["initialize", "notifications/initialized"] {
        assert_eq!(site.heard(method).len(), 0, "{method}");
    }
    let heard = site.heard.lock().unwrap();
    assert!(heard.iter().all(|(method, _, _)| method == Method::POST), "it has no sessions");
}

#[tokio::test]
async fn h07_the_headers_of_a_call_repeat_what_its_definition_wants_repeated() {
    let (site, transport) = Site { modern: true, ..Site::default() }.serving().await;
    let upstreams = upstreams(UpstreamLimits::default());
    let fingerprint = crate::upstream::tests::pinned(&upstreams, &transport, "json").await;
    let tool = cs_model::ToolName::parse("json").unwrap();
    let region = HeaderName::from_static("mcp-param-region");
    let repeated = [(region.clone(), HeaderValue::from_static("eu"))];
    let call = crate::upstream::ToolCall {
        kind: cs_model::Kind::Tool,
        act: cs_policy::Act::Use,
        tool: &tool,
        fingerprint,
        arguments: Some(r#"{"region":"eu"}"#),
        wants_progress: false,
        trace: None,
        repeated: &repeated,
        talk: crate::upstream::tests::nobody(),
        inputs: None,
    };
    let (told, _) = tokio::sync::mpsc::channel(1);
    text(upstreams.call(target(&transport), call, told).await);
    assert_eq!(site.heard("tools/call")[0][region], "eu");
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_taken_back_by_closing_its_stream_alone() {
    let (site, transport) = Site { modern: true, ..Site::default() }.serving().await;
    let call_time = Duration::from_millis(200);
    let upstreams = upstreams(UpstreamLimits { call: call_time, ..UpstreamLimits::default() });
    let slow = call(&upstreams, &transport, "slow", None).await;
    assert!(matches!(slow, Err(UpstreamError::TimedOut)), "{slow:?}");
    text(call(&upstreams, &transport, "json", None).await);
    assert_eq!(site.heard("notifications/cancelled").len(), 0);
}
