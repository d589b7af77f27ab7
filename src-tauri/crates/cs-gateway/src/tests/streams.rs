//! Streams on which clients hear that their tools changed.

use std::time::Duration;

use cs_model::state::{CredentialState, SessionEnd};
use serde_json::json;

use super::client::{Client, Open, body, legacy_call, meta};
use super::world::{STRANGER, Stage, WORKER, server, tenant};
use crate::upstream::{Change, What};

const CHANGED: &str = "notifications/tools/list_changed";

async fn listen(client: &Client, wishes: serde_json::Value) -> Open {
    let params = json!({ "notifications": wishes, "_meta": meta() });
    let client = client.modern("subscriptions/listen");
    client.open("POST", &body("subscriptions/listen", params)).await
}

#[tokio::test]
async fn an_older_client_hears_on_its_get_stream_that_its_tools_narrowed() {
    let stage = Stage::with(|it| it.limits.keep_alive = Duration::from_millis(10)).await;
    let client = stage.client(WORKER).initialize().await;
    let mut stream = client.open("GET", "").await;
    stream.until("keep-alive").await;
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    let seen = stream.until(CHANGED).await;
    assert!(seen.contains("content-type: text/event-stream"), "{seen}");
    assert!(seen.contains("x-accel-buffering: no"), "{seen}");
}

#[tokio::test]
async fn a_newer_client_hears_what_it_asked_for_and_nothing_else() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let wishes = json!({ "toolsListChanged": true, "promptsListChanged": true });
    let mut stream = listen(&client, wishes.clone()).await;
    stream.until("acknowledged").await;
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    stream.until(CHANGED).await;
    let id = stage.gateway.sessions()[0].id;
    stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap();
    let messages = stream.end().await.messages();
    let subscription = json!({ "io.modelcontextprotocol/subscriptionId": 1 });
    assert_eq!(messages.len(), 3, "{messages:?}");
    let honoured = json!({ "toolsListChanged": true, "promptsListChanged": true });
    assert_eq!(messages[0]["params"]["notifications"], honoured);
    assert_eq!(messages[0]["params"]["_meta"], subscription);
    assert_eq!(messages[1]["params"]["_meta"], subscription);
    assert_eq!(messages[2]["id"], 1);
    assert_eq!(messages[2]["result"], json!({ "resultType": "complete", "_meta": subscription }));
}

/// Attacks S06, H15: a change is told to whom it concerns, and who asked for it.
#[tokio::test]
async fn s06_h15_a_change_at_a_server_reaches_its_own_tenant_and_those_who_asked_for_it() {
    let stage = Stage::new().await;
    let mut all = listen(&stage.client(WORKER), json!({ "promptsListChanged": true })).await;
    let mut stranger = listen(&stage.client(STRANGER), json!({ "promptsListChanged": true })).await;
    all.until("acknowledged").await;
    stranger.until("acknowledged").await;
    for what in [What::Tools, What::Resources, What::Prompts] {
        let (tenant, server) = (tenant(1), server(1000));
        stage.journal.news.send(Change { tenant, server, what }).unwrap();
    }
    let seen = all.until("notifications/prompts/list_changed").await;
    assert!(!seen.contains("notifications/tools") && !seen.contains("notifications/resources"));
    stage.change_key(STRANGER, |key| key.state = CredentialState::Revoked);
    assert!(!stranger.end().await.body.contains("list_changed"));
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_told() {
    let stage = Stage::with(|it| it.limits.keep_alive = Duration::from_millis(10)).await;
    let mut stream = listen(&stage.client(WORKER), json!({})).await;
    stream.until("acknowledged").await;
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    stage.change_key(WORKER, |key| key.state = CredentialState::Revoked);
    let reply = stream.end().await;
    assert!(!reply.body.contains(CHANGED), "{}", reply.body);
}

/// Attacks S11: no event after a revocation.
#[tokio::test]
async fn s11_a_stream_closes_when_its_credential_does_not_stand_any_more() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let mut get = client.open("GET", "").await;
    get.until("keep-alive").await;
    let mut listened = listen(&stage.client(WORKER), json!({ "toolsListChanged": true })).await;
    listened.until("acknowledged").await;
    stage.change_key(WORKER, |key| key.state = CredentialState::Suspended);
    assert!(!get.end().await.body.contains(CHANGED));
    assert!(listened.end().await.body.contains("\"resultType\":\"complete\""));
}

#[tokio::test]
async fn a_newer_get_stream_takes_the_place_of_the_older_one() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let mut first = client.open("GET", "").await;
    first.until("keep-alive").await;
    let mut second = client.open("GET", "").await;
    second.until("keep-alive").await;
    first.end().await;
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    second.until(CHANGED).await;
}

#[tokio::test]
async fn the_newer_era_has_no_get_and_no_delete() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).header("mcp-protocol-version", super::client::MODERN);
    for method in ["GET", "DELETE"] {
        let reply = client.send(method, "").await;
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), Some("POST, GET, DELETE"));
    }
    let nameless = stage.client(WORKER).send("GET", "").await;
    assert_eq!(nameless.status, 400);
}

#[tokio::test]
async fn a_call_under_way_ends_with_its_session() {
    let stage = Stage::new().await;
    stage.journal.behave(super::world::Behaviour::Hang);
    let client = stage.client(WORKER).initialize().await;
    let call = client.open("POST", &legacy_call(2, "read_file", &json!({}))).await;
    stage.journal.reached(1).await;
    let id = stage.gateway.sessions()[0].id;
    stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap();
    assert_eq!(call.end().await.error_code(), -32603);
}
