//! Streams on which clients hear that their tools changed.

use std::time::Duration;

use cs_model::state::{CredentialState, SessionEnd};
use serde_json::json;

use super::client::{Client, Open, body, legacy_call, meta};
use super::world::{OTHER, STRANGER, Stage, WORKER, server, tenant};
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
    // The first is a server of the tenant of which the session can call nothing.
    let said = [What::Prompts, What::Tools, What::Resources, What::Prompts];
    for (from, what) in [1999, 1000, 1000, 1000].into_iter().zip(said) {
        let (tenant, server) = (tenant(1), server(from));
        stage.journal.news.send(Change { tenant, server, what }).unwrap();
    }
    let prompts = "notifications/prompts/list_changed";
    let seen = all.until(prompts).await;
    assert!(!seen.contains("notifications/tools") && !seen.contains("notifications/resources"));
    let id = stage.gateway.sessions().into_iter().find(|it| it.tenant == tenant(1)).unwrap().id;
    stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap();
    assert_eq!(all.end().await.body.matches(prompts).count(), 1);
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

/// Attacks S11: nor after its time is up, which nobody has to say.
#[tokio::test]
async fn s11_a_stream_closes_when_the_time_of_its_credential_is_up() {
    let stage = Stage::with(|it| {
        it.limits.keep_alive = Duration::from_millis(10);
        it.limits.sweep = Duration::from_secs(3600);
    })
    .await;
    let soon = stage.journal.time().after(Duration::from_secs(60));
    stage.change_key(WORKER, |key| key.expires = soon);
    let mut listened = listen(&stage.client(WORKER), json!({ "toolsListChanged": true })).await;
    listened.until("acknowledged").await;
    stage.journal.pass(Duration::from_secs(60));
    assert!(listened.end().await.body.contains("\"resultType\":\"complete\""));
}

/// Attacks P20: what was told before is told to nobody a second time, whatever they say that they
/// heard last.
#[tokio::test]
async fn p20_nothing_is_told_again_to_whoever_says_what_they_heard_last() {
    let stage = Stage::with(|it| it.limits.keep_alive = Duration::from_millis(10)).await;
    let owner = stage.client(WORKER).initialize().await;
    let mut stream = owner.open("GET", "").await;
    stream.until("keep-alive").await;
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    let told = stream.until(CHANGED).await;
    assert!(!told.contains("\nid:"), "no event has a name by which to ask for it: {told}");
    let other = stage.client(OTHER).initialize().await;
    for client in [&owner, &other] {
        for id in ["0", "1", "ask-x", "\"; DROP"] {
            let mut again = client.clone().header("last-event-id", id).open("GET", "").await;
            again.until("keep-alive").await;
            // Another one takes its place.
            client.open("GET", "").await.until("keep-alive").await;
            let seen = again.end().await.body;
            assert!(!seen.contains("data:"), "{id}: {seen}");
        }
    }
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
