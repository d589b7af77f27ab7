//! Access tokens of a real identity provider: real clients find it from the endpoint's address
//! alone, and what speaks against a token counts on the next request.

use countersign_tests::agent::Agent;
use http::StatusCode;
use serde_json::{Value, json};

use crate::place::Place;
use crate::provider::Provider;
use crate::{call, text};

#[tokio::test(flavor = "multi_thread")]
async fn real_clients_get_from_the_address_to_a_countersigned_call() {
    let place = Place::starter().await;
    let provider = Provider::start(&place, &["executor"]).await;
    provider.introduce(&place).await;
    let clients = [
        ("agent-oauth.mjs", "legacy", "bot"),
        ("agent-oauth.mjs", "2026-07-28", "signer"),
        ("agent.py", "legacy", "signer"),
        ("agent.py", "auto", "bot"),
    ];
    for (count, (script, mode, client)) in clients.into_iter().enumerate() {
        let note = json!({"path": "log.txt", "content": format!("{count}\n"), "append": true});
        let calls = json!([
            {"name": "read_file", "arguments": {"path": "notes/welcome.md"}},
            {"name": "access_secrets", "arguments": {"name": "x"}},
            {"name": "write_file", "arguments": note},
        ]);
        let who = provider.client(client);
        let agent = place.agent_by_token(script, mode, &who, calls);
        let person = place.approve("write_file");
        let (report, ()) = tokio::join!(agent, person);
        let said = text(call(&report, "read_file"));
        assert!(said.contains("Welcome"), "{script} {mode} {client}: {report:?}");
        let refused = text(call(&report, "access_secrets"));
        let expected = "Tool 'access_secrets' is not in this session's allowlist";
        assert!(refused.contains(expected), "{script} {mode} {client}: {refused}");
        let written = place.file("log.txt").lines().count();
        assert_eq!(written, count + 1, "{script} {mode} {client}: {report:?}");
    }
}

/// What the endpoint answers to a request for its tools with this token.
async fn listed(place: &Place, token: &str) -> (StatusCode, Value) {
    Agent::with_token(&place.endpoint(), token).request("tools/list", json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn j15_j21_rotation_refuses_nobody_and_a_revocation_counts_at_once() {
    let place = Place::starter().await;
    let mut provider = Provider::start(&place, &["executor"]).await;
    provider.introduce(&place).await;
    let first = provider.token(&place, "mcp:connect").await;
    assert_eq!(listed(&place, &first).await.0, StatusCode::OK);
    provider.tell("rotate").await;
    let second = provider.token(&place, "mcp:connect").await;
    for token in [&first, &second] {
        let (status, answer) = listed(&place, token).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    place.ask(&["agent", "revoke", "executor-1", "--reason", "its host was taken over"]).await;
    for token in [&first, &second] {
        let (status, answer) = listed(&place, token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
        assert!(answer["result"].is_null(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn j14_j30_scopes_and_roles_narrow_what_the_registry_grants() {
    let place = Place::starter().await;
    let mut provider = Provider::start(&place, &["reader"]).await;
    provider.introduce(&place).await;
    let token = provider.token(&place, "mcp:connect").await;
    let (status, answer) = listed(&place, &token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "`reader` is not assigned to it: {answer}");

    place
        .ask(&[
            "agent",
            "update",
            "executor-1",
            "--role",
            "executor",
            "--role",
            "reader",
            "--task",
            "workbench",
        ])
        .await;
    let agent = Agent::with_token(&place.endpoint(), &token);
    let tools = agent.tools().await;
    assert!(!tools.contains(&"write_file".to_owned()), "`reader` may not: {tools:?}");

    let scopeless = provider.token(&place, "files:write").await;
    let (status, answer) = listed(&place, &scopeless).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
}
