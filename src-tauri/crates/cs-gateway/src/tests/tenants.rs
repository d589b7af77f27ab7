//! What one tenant's agents have on the wire is worth nothing in another tenant. Both have the
//! same names in them.

use std::time::Duration;

use cs_model::event::EventKind;
use serde_json::{Value, json};

use super::client::{Client, Reply, body, legacy_call, meta};
use super::world::{ACME, GLOBEX, STRANGER, Stage, WORKER, tenant};

const SHORT: Duration = Duration::from_millis(30);

fn write() -> Value {
    json!({ "path": "a", "text": "x" })
}

/// A client of one tenant with the session id of another's.
fn with_session(client: &Client, id: &str) -> Client {
    client.clone().header("mcp-session-id", id).header("mcp-protocol-version", "2025-11-25")
}

fn session_of(client: &Client) -> String {
    let found = client.extra.iter().find(|(name, _)| name == "mcp-session-id");
    found.unwrap().1.clone()
}

/// What an answer says, but for what ties it to the log.
fn said(reply: &Reply) -> (u16, String) {
    let correlation = reply.header("countersign-correlation").unwrap_or("none");
    (reply.status, reply.body.replace(correlation, "C"))
}

/// Attacks S05, S06, S07.
#[tokio::test]
async fn s06_s07_a_session_id_of_another_tenant_is_as_unknown_as_one_that_nobody_has() {
    let stage = Stage::new().await;
    let acme = stage.client(WORKER).initialize().await;
    let theirs = session_of(&acme);
    let nobodys: String = theirs.chars().rev().collect();
    let stranger = stage.client(STRANGER);
    let list = r#"{"jsonrpc":"2.0","id":5,"method":"tools/list"}"#;
    let call = legacy_call(5, "read_file", &json!({}));
    let ping = r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#;
    let attempts = [
        ("POST", list),
        ("POST", &call),
        ("POST", ping),
        ("POST", cancel),
        ("GET", ""),
        ("DELETE", ""),
    ];
    for (method, text) in attempts {
        let foreign = with_session(&stranger, &theirs).send(method, text).await;
        let unknown = with_session(&stranger, &nobodys).send(method, text).await;
        assert_eq!(foreign.status, 404, "{method} {text}");
        assert_eq!(said(&foreign), said(&unknown), "{method} {text}");
        // Nor does it help to come to the other tenant's door.
        let door = with_session(&stranger, &theirs).at("/t/acme/task/workbench/mcp");
        assert_eq!(door.send(method, text).await.status, 401, "{method} {text}");
    }
    assert_eq!(acme.post(&legacy_call(6, "read_file", &json!({}))).await.text(), "done");
    assert!(stage.journal.calls().iter().all(|call| call.tenant == tenant(ACME)));
}

/// Attacks S06, S07: requests are taken back in their own session only, whatever their ids are.
#[tokio::test]
async fn s06_s07_nobody_takes_back_a_call_of_another_tenant() {
    let stage = Stage::new().await;
    let acme = stage.client(WORKER).initialize().await;
    let stranger = stage.client(STRANGER).initialize().await;
    let waiting = acme.open("POST", &legacy_call(2, "write_file", &write())).await;
    let request = stage.journal.requests(1).await.remove(0);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#;
    assert_eq!(stranger.post(cancel).await.status, 202);
    stage.journal.approve(&request, 1);
    assert_eq!(waiting.end().await.text(), "done");
}

/// Attacks S06, S07, O04: the same call of two tenants is two calls.
#[tokio::test]
async fn s06_s07_an_approval_of_one_tenant_lets_nothing_through_in_another() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let acme = stage.client(WORKER).initialize().await;
    let stranger = stage.client(STRANGER).initialize().await;
    acme.post(&legacy_call(2, "write_file", &write())).await;
    let request = stage.journal.requests(1).await.remove(0);
    let token = stage.journal.approve(&request, 1);
    let waits = stranger.post(&legacy_call(2, "write_file", &write())).await;
    assert_eq!(waits.json()["result"]["isError"], true);
    assert_eq!(stage.journal.requests(2).await[1].tenant, tenant(GLOBEX));

    // Nor does the signature itself, in the hands of the other tenant's agent.
    let handed = json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {
        "name": "write_file", "arguments": write(),
        "_meta": { "dev.countersign/operation-token": token } } });
    let reply = stranger.post(&handed.to_string()).await;
    assert_ne!(reply.text(), "done");
    assert!(stage.journal.calls().is_empty());
    assert_eq!(acme.post(&legacy_call(4, "write_file", &write())).await.text(), "done");
    assert_eq!(stage.journal.calls().len(), 1);
}

/// Attacks S06, S07, H14: what a client brings back opens in the tenant where it was given.
#[tokio::test]
async fn s06_s07_the_state_of_a_round_opens_nothing_in_another_tenant() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let first = stage.client(WORKER).call("write_file", write()).await.json();
    let state = first["result"]["requestState"].as_str().unwrap().to_owned();
    let request = stage.journal.requests(1).await.remove(0);
    stage.journal.approve(&request, 1);
    let params = json!({ "name": "write_file", "arguments": write(), "requestState": state,
                         "_meta": meta() });
    let again = body("tools/call", params);
    let client =
        |number| stage.client(number).modern("tools/call").header("mcp-name", "write_file");
    let foreign = client(STRANGER).post(&again).await;
    assert_eq!(foreign.error_code(), -32602, "{}", foreign.body);
    assert!(stage.journal.calls().is_empty());
    assert_eq!(client(WORKER).post(&again).await.text(), "done");
}

/// Attacks S07: what happens in one tenant is not told in another.
#[tokio::test]
async fn s07_streams_tell_nothing_of_another_tenant() {
    let stage = Stage::with(|it| it.limits.keep_alive = Duration::from_millis(10)).await;
    let acme = stage.client(WORKER).initialize().await;
    let stranger = stage.client(STRANGER).initialize().await;
    let mut told = acme.open("GET", "").await;
    let mut silent = stranger.open("GET", "").await;
    told.until("keep-alive").await;
    silent.until("keep-alive").await;
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    told.until("notifications/tools/list_changed").await;
    // What is said next in the other stream comes after anything that this change could have caused.
    stage.enforce(|it| {
        it.tenants[0].tools[0].enabled = false;
        it.tenants[1].tools[0].enabled = false;
    });
    let seen = silent.until("notifications/tools/list_changed").await;
    assert_eq!(seen.matches("list_changed").count(), 1, "{seen}");
}

/// Attacks S07: the log of a tenant has what its own agents did, and who came to its door.
#[tokio::test]
async fn s07_every_event_is_of_the_tenant_whose_agent_acted() {
    let stage = Stage::new().await;
    stage.client(STRANGER).call("read_file", json!({})).await;
    stage.client(STRANGER).call("access_secrets", json!({})).await;
    let events = stage.journal.events();
    assert!(events.iter().any(|event| event.kind == EventKind::Decision));
    for event in &events {
        assert_eq!(event.tenant, Some(tenant(GLOBEX)), "{:?}", event.kind);
    }
    for call in stage.journal.calls() {
        assert_eq!(call.tenant, tenant(GLOBEX), "and so is the server that is called");
    }
}

/// Attacks S07: what anybody can read without a credential names one tenant.
#[tokio::test]
async fn s07_documents_of_one_tenant_name_no_other() {
    let stage = Stage::new().await;
    for (own, other) in [("acme", "globex"), ("globex", "acme")] {
        for path in [format!("t/{own}/mcp"), format!("t/{own}/task/workbench/mcp")] {
            let path = format!("/.well-known/oauth-protected-resource/{path}");
            let reply = stage.client(WORKER).at(&path).send("GET", "").await;
            assert!(!reply.body.contains(other), "{}", reply.body);
        }
        let challenge = stage.client(WORKER).at(&format!("/t/{own}/mcp"));
        let text = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let bytes = challenge.bytes("POST", &[], text.as_bytes());
        let reply = super::client::raw(stage.gateway.address(), &bytes).await;
        let header = reply.header("www-authenticate").unwrap_or_default();
        assert!(!header.contains(other) && !reply.body.contains(other), "{header}");
    }
}
