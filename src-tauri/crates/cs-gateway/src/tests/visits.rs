//! Servers of an older revision that want people to visit an address before they serve a call.

use std::sync::Arc;

use cs_model::event::EventKind;
use cs_model::{Pass, Passes};
use serde_json::{Value, json};

use super::client::{Client, MODERN, Reply, body, legacy_call};
use super::real::{TOOL, before};
use super::world::{Journal, WORKER};
use crate::Gateway;

/// A server that wants an address visited before it does anything, once for each thing to do.
const SERVER: &str = r#"
import json, sys
tool = json.loads(sys.argv[1])
known = set()
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    answer = {"jsonrpc": "2.0", "id": asked["id"]}
    if asked["method"] == "initialize":
        answer["result"] = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                            "serverInfo": {"name": "shy", "version": "1"}}
    elif asked["method"] == "tools/list":
        answer["result"] = {"tools": [tool]}
    else:
        given = asked["params"]["arguments"]
        if given["what"] in known:
            answer["result"] = {"content": [{"type": "text", "text": "served"}]}
        else:
            known.add(given["what"])
            url = given.get("url", "https://consent.example/" + given["what"])
            visit = {"mode": "url", "elicitationId": "theirs-1", "url": url, "message": "Go there"}
            answer["error"] = {"code": -32042, "message": "not yet",
                               "data": {"elicitations": [visit]}}
    print(json.dumps(answer), flush=True)
"#;

async fn gateway(passes: Passes) -> (Gateway, Arc<Journal>, Client) {
    let changed = |it: &mut cs_model::document::Document| it.tenants[0].servers[0].passes = passes;
    let (gateway, journal) = before(SERVER, TOOL, changed).await;
    let client = Client::new(gateway.address(), WORKER, journal.clone());
    (gateway, journal, client)
}

fn elicitation() -> Passes {
    Passes::of([Pass::Elicitation])
}

/// A call of a client of the newer era that can do this, with more beside it.
async fn newer(client: &Client, capabilities: &Value, arguments: &Value, more: Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    let mut params = json!({ "name": "read_file", "arguments": arguments, "_meta": meta });
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    let client = client.modern("tools/call").header("mcp-name", "read_file");
    client.post(&body("tools/call", params)).await.json()
}

/// A client of the older era that can do this.
async fn older(client: &Client, capabilities: Value) -> Client {
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities,
        "clientInfo": { "name": "c", "version": "1" } });
    let reply = client.post(&body("initialize", params)).await;
    let session = reply.header("mcp-session-id").expect("a session id").to_owned();
    client.clone().header("mcp-session-id", &session).header("mcp-protocol-version", "2025-11-25")
}

fn visiting() -> Value {
    json!({ "elicitation": { "url": {} } })
}

#[tokio::test]
async fn x10_a_newer_client_is_sent_to_the_address_and_the_call_is_made_when_somebody_went_there() {
    let (gateway, journal, client) = gateway(elicitation()).await;
    for (what, action) in [("a", "accept"), ("b", "decline"), ("c", "cancel")] {
        let arguments = json!({ "what": what });
        let first = newer(&client, &visiting(), &arguments, json!({})).await;
        assert_eq!(first["result"]["resultType"], "input_required", "{first}");
        let asked = first["result"]["inputRequests"].as_object().unwrap();
        let (key, asked) = asked.iter().next().unwrap();
        assert_eq!(asked["method"], "elicitation/create");
        let url = format!("https://consent.example/{what}");
        let visit = json!({ "mode": "url", "url": url, "message": "Go there" });
        assert_eq!(asked["params"], visit, "without what only the older era knows it by");
        let back = json!({ "requestState": first["result"]["requestState"],
            "inputResponses": { key: { "action": action } } });
        let done = newer(&client, &visiting(), &arguments, back).await;
        if action == "accept" {
            assert_eq!(done["result"]["content"][0]["text"], "served", "{done}");
        } else {
            assert_eq!(done["error"]["code"], -32603, "{done}");
        }
    }
    assert_eq!(journal.reasons(EventKind::ServerAsked), ["asks_url_put"; 3]);
    gateway.stop().await;
}

#[tokio::test]
async fn x10_an_older_client_is_asked_on_its_stream_to_send_somebody_to_the_address() {
    let (gateway, journal, client) = gateway(elicitation()).await;
    let client = older(&client, visiting()).await;
    for (what, action) in [("a", "accept"), ("b", "decline")] {
        let call = legacy_call(7, "read_file", &json!({ "what": what }));
        let mut stream = client.open("POST", &call).await;
        let seen = stream.until("elicitation/create").await;
        let line = seen.lines().find(|line| line.contains("elicitation/create")).unwrap();
        let asked: Value = serde_json::from_str(line.trim_start_matches("data: ")).unwrap();
        assert_eq!(asked["params"]["url"], format!("https://consent.example/{what}"));
        assert_eq!(asked["params"]["elicitationId"], "theirs-1");
        let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "action": action } });
        assert_eq!(client.post(&answer.to_string()).await.status, 202);
        let done = stream.end().await;
        if action == "accept" {
            assert_eq!(done.text(), "served");
        } else {
            assert_eq!(done.error_code(), -32603, "{}", done.body);
        }
    }
    assert_eq!(journal.reasons(EventKind::ServerAsked), ["asks_url_put"; 2]);
    gateway.stop().await;
}

#[tokio::test]
async fn x10_nobody_is_sent_anywhere_with_the_switch_off_or_by_a_client_that_cannot() {
    let form = json!({ "elicitation": {} });
    for (passes, able) in [(Passes::default(), visiting()), (elicitation(), form)] {
        let (gateway, journal, client) = gateway(passes).await;
        let lacks = newer(&client, &able, &json!({ "what": "a" }), json!({})).await;
        assert_eq!(lacks["error"]["code"], -32021, "{lacks}");
        assert_eq!(lacks["error"]["data"]["requiredCapabilities"], visiting());
        let client = older(&client, able).await;
        let told: Reply = client.post(&legacy_call(7, "read_file", &json!({ "what": "b" }))).await;
        assert_eq!(told.json()["result"]["isError"], true, "{}", told.body);
        assert!(!told.body.contains("consent.example"), "{}", told.body);
        assert_eq!(journal.reasons(EventKind::ServerAsked), [""; 0]);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn x10_an_address_that_nobody_should_open_is_not_shown() {
    let (gateway, journal, client) = gateway(elicitation()).await;
    for url in ["javascript:alert(1)", "http://consent.example/", "https://a@evil.example/"] {
        let arguments = json!({ "what": url, "url": url });
        let told = newer(&client, &visiting(), &arguments, json!({})).await;
        assert_eq!(told["error"]["code"], -32603, "{told}");
        assert!(!told.to_string().contains("example"), "{told}");
    }
    assert_eq!(journal.reasons(EventKind::ServerAsked), ["asks_url_refused"; 3]);
    gateway.stop().await;
}
