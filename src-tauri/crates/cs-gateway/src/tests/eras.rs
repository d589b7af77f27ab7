//! The two protocol eras on one endpoint, and what happens between them.

use serde_json::{Value, json};

use super::client::{Client, MODERN, body, call_body, legacy_call, meta};
use super::world::{Stage, WORKER};

fn versioned(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

async fn outcome(client: &Client, method: &str, meta: Value) -> (u16, i64, Value) {
    let params = if meta.is_null() { json!({}) } else { json!({ "_meta": meta }) };
    let reply = client.post(&body(method, params)).await;
    (reply.status, reply.error_code(), reply.json())
}

/// Attacks H07, and the outcomes that the conformance suite asserts.
#[tokio::test]
async fn h07_versions_in_headers_and_bodies_have_to_agree() {
    let stage = Stage::new().await;
    let plain = stage.client(WORKER).header("mcp-method", "tools/list");
    let headed = |version: &str| plain.clone().header("mcp-protocol-version", version);

    let (status, code, _) = outcome(&plain, "tools/list", meta()).await;
    assert_eq!((status, code), (400, -32020), "no header");
    let (status, code, _) = outcome(&headed("2025-06-18"), "tools/list", meta()).await;
    assert_eq!((status, code), (400, -32020), "an older header");
    let (status, code, _) = outcome(&headed(MODERN), "tools/list", versioned("1900-01-01")).await;
    assert_eq!((status, code), (400, -32020), "an unknown version in the body");
    let (status, code, _) = outcome(&headed(MODERN), "tools/list", Value::Null).await;
    assert_eq!((status, code), (400, -32602), "no `_meta`");
    let bare = json!({ "io.modelcontextprotocol/protocolVersion": MODERN });
    let (status, code, reply) = outcome(&headed(MODERN), "tools/list", bare).await;
    assert_eq!((status, code), (400, -32602), "no capabilities");
    assert_eq!(reply["id"], 1);
    let (status, code, reply) =
        outcome(&headed("1900-01-01"), "tools/list", versioned("1900-01-01")).await;
    assert_eq!((status, code), (400, -32022), "an unknown version in both");
    assert_eq!(reply["error"]["data"]["supported"], json!([MODERN]));
    assert_eq!(reply["error"]["data"]["requested"], "1900-01-01");
    let twice = headed(MODERN).header("mcp-protocol-version", MODERN);
    let (status, code, _) = outcome(&twice, "tools/list", meta()).await;
    assert_eq!((status, code), (400, -32020), "two headers");
    assert_eq!(stage.gateway.sessions().len(), 0);
}

#[tokio::test]
async fn p15_what_is_not_in_the_table_of_an_era_is_not_done() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let modern = [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "tools/Call",
        "x/y",
        "rpc.discover",
        "__proto__",
        "resources/Read",
        "prompts/set",
        "completion",
    ];
    for method in modern {
        let (status, code, reply) = outcome(&client.modern(method), method, meta()).await;
        assert_eq!((status, code, &reply["id"]), (404, -32601, &json!(1)), "{method}");
    }
    let session = client.initialize().await;
    for method in ["server/discover", "subscriptions/listen", "resources/Read", "tools/Call"] {
        let (status, code, _) = outcome(&session, method, Value::Null).await;
        assert_eq!((status, code), (200, -32601), "{method}");
    }
    assert_eq!(stage.journal.calls(), []);
}

/// Attacks X07: what is not granted is out of reach, whatever it is and in either era.
#[tokio::test]
async fn x07_nothing_that_is_not_granted_is_reached() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let session = client.initialize().await;
    let file = json!({ "uri": "file:///etc/passwd" });
    let prompt = json!({ "name": "x", "arguments": { "path": "../../etc/passwd" } });
    let of = json!({ "type": "ref/resource", "uri": "file:///{p}" });
    let completion = json!({ "ref": of, "argument": { "name": "p", "value": "etc" } });
    let asked = [
        ("resources/read", file.clone(), Some("file:///etc/passwd"), -32002),
        ("prompts/get", prompt, Some("x"), -32602),
        ("completion/complete", completion, None, -32002),
    ];
    for (method, mut params, name, code) in asked {
        let reply = session.post(&body(method, params.clone())).await;
        assert_eq!((reply.status, reply.error_code()), (200, code), "{method}");
        params["_meta"] = meta();
        let named = client.modern(method);
        let named = name.map_or(named.clone(), |name| named.header("mcp-name", name));
        let reply = named.post(&body(method, params)).await;
        assert_eq!((reply.status, reply.error_code()), (200, -32602), "{method}");
    }
    for (method, plural) in [
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let reply = session.post(&body(method, json!({}))).await;
        assert_eq!(reply.json()["result"], json!({ plural: [] }), "{method}");
    }
    let beside = [
        ("resources/subscribe", file.clone(), -32002),
        // Of what nobody watches, nobody is told either way.
        ("resources/unsubscribe", file.clone(), 0),
        ("sampling/createMessage", json!({}), -32601),
        ("elicitation/create", json!({}), -32601),
        ("roots/list", json!({}), -32601),
    ];
    for (method, mut params, code) in beside {
        let reply = session.post(&body(method, params.clone())).await;
        assert_eq!((reply.status, reply.error_code()), (200, code), "{method}");
        params["_meta"] = meta();
        let reply = client.modern(method).post(&body(method, params)).await;
        assert_eq!((reply.status, reply.error_code()), (404, -32601), "{method}");
    }
    let steps = stage.journal.steps();
    assert!(!steps.iter().any(|it| it.ends_with("upstream")), "{steps:?}");
    // Who wishes to hear of a resource hears that they will not.
    let wishes = json!({ "resourceSubscriptions": ["file:///etc/passwd"] });
    let params = json!({ "notifications": wishes, "_meta": meta() });
    let listening = client.modern("subscriptions/listen");
    let mut stream = listening.open("POST", &body("subscriptions/listen", params)).await;
    let seen = stream.until("acknowledged").await;
    assert!(!seen.contains("resourceSubscriptions") && !seen.contains("passwd"), "{seen}");
}

/// Attacks H01 to H04: the headers that repeat the body have to say the same.
#[tokio::test]
async fn h01_h02_h03_h04_headers_that_repeat_the_body_say_what_it_says() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).header("mcp-protocol-version", MODERN);
    let text = call_body("read_file", json!({}));
    type Headers<'h> = &'h [(&'h str, &'h str)];
    let cases: &[(&str, Headers<'_>, bool)] = &[
        ("as it should be", &[("mcp-method", "tools/call"), ("mcp-name", "read_file")], true),
        ("names have no case", &[("MCP-Method", "tools/call"), ("MCP-NAME", "read_file")], true),
        ("blanks around", &[("mcp-method", "tools/call"), ("mcp-name", "  read_file ")], true),
        ("coded", &[("mcp-method", "tools/call"), ("mcp-name", "=?base64?cmVhZF9maWxl?=")], true),
        ("another tool", &[("mcp-method", "tools/call"), ("mcp-name", "web_fetch")], false),
        ("another method", &[("mcp-method", "tools/list"), ("mcp-name", "read_file")], false),
        ("no name", &[("mcp-method", "tools/call")], false),
        ("no method", &[("mcp-name", "read_file")], false),
        ("empty", &[("mcp-method", "tools/call"), ("mcp-name", "")], false),
        ("case", &[("mcp-method", "tools/call"), ("mcp-name", "READ_FILE")], false),
        (
            "two names",
            &[("mcp-method", "tools/call"), ("mcp-name", "read_file"), ("mcp-name", "x")],
            false,
        ),
        (
            "unpadded",
            &[("mcp-method", "tools/call"), ("mcp-name", "=?base64?cmVhZF9maWw?=")],
            false,
        ),
        (
            "loose bits",
            &[("mcp-method", "tools/call"), ("mcp-name", "=?base64?cmVhZF9maWxl=?=")],
            false,
        ),
        ("marker", &[("mcp-method", "tools/call"), ("mcp-name", "=?BASE64?cmVhZF9maWxl?=")], false),
        (
            "nested",
            &[
                ("mcp-method", "tools/call"),
                ("mcp-name", "=?base64?PT9iYXNlNjQ/Y21WaFpGOW1hV3hsPz0=?="),
            ],
            false,
        ),
    ];
    for (name, headers, passes) in cases {
        let mut sender = client.clone();
        for (header, value) in *headers {
            sender = sender.header(header, value);
        }
        let reply = sender.post(&text).await;
        if *passes {
            assert_eq!(reply.text(), "done", "{name}: {}", reply.body);
        } else {
            assert_eq!((reply.status, reply.error_code()), (400, -32020), "{name}");
        }
    }
    assert_eq!(stage.journal.calls().len(), 4);
}

#[tokio::test]
async fn h08_an_older_client_is_answered_with_a_revision_that_is_spoken_here() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let cases = [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        (MODERN, "2025-11-25"),
        ("x", "2025-11-25"),
    ];
    for (requested, answered) in cases {
        let params = json!({ "protocolVersion": requested, "capabilities": {},
            "clientInfo": { "name": "c", "version": "1" } });
        let reply = client.post(&body("initialize", params)).await;
        let result = &reply.json()["result"];
        assert_eq!(result["protocolVersion"], answered, "{requested}");
        let able = json!({ "logging": {}, "tools": { "listChanged": true } });
        assert_eq!(result["capabilities"], able);
    }
    let session = client.initialize().await;
    // The revision that is assumed without the header may be named, and means no more than that.
    for (version, status) in [("2025-03-26", 200), ("2024-11-05", 400), ("x", 400)] {
        let mut old = session.clone();
        old.extra.retain(|(name, _)| name != "mcp-protocol-version");
        let reply =
            old.header("mcp-protocol-version", version).post(&body("ping", json!({}))).await;
        assert_eq!(reply.status, status, "{version}");
    }
}

#[tokio::test]
async fn h09_a_request_of_the_newer_era_takes_no_notice_of_a_session_id() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).header("mcp-session-id", "of-somebody-else");
    let reply = client.call("read_file", json!({})).await;
    assert_eq!(reply.text(), "done");
    assert_eq!(reply.header("mcp-session-id"), None);
}

#[tokio::test]
async fn discovery_needs_no_session_and_promises_what_is_kept() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).modern("server/discover");
    let reply = client.post(&body("server/discover", json!({ "_meta": meta() }))).await.json();
    let result = &reply["result"];
    assert_eq!(result["supportedVersions"], json!([MODERN]));
    assert_eq!(result["resultType"], "complete");
    let able = json!({ "logging": {}, "tools": { "listChanged": true },
        "extensions": { "io.modelcontextprotocol/tasks": {} } });
    assert_eq!(result["capabilities"], able);
    assert_eq!(
        (result["ttlMs"].as_u64(), result["cacheScope"].as_str()),
        (Some(0), Some("private"))
    );
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "countersign");
    assert_eq!(stage.gateway.sessions().len(), 0);
}

#[tokio::test]
async fn h10_what_a_client_puts_into_meta_beyond_its_own_is_dropped() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).modern("tools/call").header("mcp-name", "read_file");
    let mut meta = meta();
    meta["io.modelcontextprotocol/serverInfo"] = json!({ "name": "x" });
    meta["countersign/tenant"] = "globex".into();
    meta["baggage"] = "role=admin".into();
    let params = json!({ "name": "read_file", "arguments": {}, "_meta": meta });
    assert_eq!(client.post(&body("tools/call", params)).await.text(), "done");
    let event = stage.journal.events().pop().unwrap();
    assert_eq!(event.tenant, Some(super::world::tenant(super::world::ACME)));
}

#[tokio::test]
async fn a_notification_of_the_newer_era_is_taken_and_has_no_consequence() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).header("mcp-protocol-version", MODERN);
    let text = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(client.post(text).await.status, 202);
    assert_eq!(stage.gateway.sessions().len(), 0);
}

#[tokio::test]
async fn an_older_client_that_names_streams_first_is_answered_on_one() {
    let stage = Stage::new().await;
    let older = stage.client(WORKER).initialize().await;
    let (json, stream) = ("application/json", "text/event-stream");
    for (accept, kind) in [
        ("application/json, text/event-stream", json),
        ("text/event-stream, application/json", stream),
        ("text/event-stream; q=0.5, application/json", json),
        ("application/json;q=0.9,text/event-stream", stream),
        ("text/event-stream;q=x, application/json", json),
        ("*/*", json),
    ] {
        let mut client = older.clone();
        client.extra.retain(|(name, _)| name != "accept");
        let client = client.header("accept", accept);
        let listed = client.post(&body("tools/list", json!({}))).await;
        assert_eq!(listed.header("content-type"), Some(kind), "{accept}");
        assert_eq!(listed.json()["result"]["tools"].as_array().map(Vec::len), Some(2));
        let called = client.post(&legacy_call(9, "read_file", &json!({}))).await;
        assert_eq!((called.header("content-type"), &*called.text()), (Some(kind), "done"));
    }
}
