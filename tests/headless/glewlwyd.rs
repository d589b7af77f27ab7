//! Glewlwyd as the identity provider: its issuer has a path, its metadata stands behind that path
//! alone, and it takes signed tokens back.

use countersign_tests::agent::Agent;
use http::StatusCode;
use serde_json::{Value, json};

use crate::place::Place;
use crate::provider::{Provider, register};
use crate::{call, text};

/// Adds it by its issuer alone: all else it says itself.
async fn discovered(place: &Place, provider: &Provider, more: &[&str]) {
    let words = ["provider", "add", "corp", "--issuer", provider.issuer()];
    let rules = ["--private-network", "yes", "--agent-claim", "client_id"];
    place.ask(&[&words[..], &rules, more].concat()).await;
    register(place, "bot").await;
}

async fn read(place: &Place, tool: &str, token: &str) -> (StatusCode, Value) {
    let arguments = match tool {
        "read_file" => json!({"path": "notes/welcome.md"}),
        _ => json!({"query": "SELECT 1"}),
    };
    let agent = Agent::with_token(&place.endpoint(), token);
    agent.request("tools/call", json!({"name": tool, "arguments": arguments})).await
}

/// Demands that a token is refused, and for this reason.
async fn refused(place: &Place, token: &str, reason: &str) {
    let agent = Agent::with_token(&place.endpoint(), token);
    let (code, answer) = agent.request("tools/list", json!({})).await;
    assert_eq!(code, StatusCode::UNAUTHORIZED, "{reason}: {answer}");
    let reasons = place.reasons("authn.failed").await;
    assert_eq!(reasons.first().map(String::as_str), Some(reason));
}

#[tokio::test(flavor = "multi_thread")]
async fn j24_an_issuer_with_a_path_is_found_where_openid_connect_has_it() {
    let place = Place::starter().await;
    let provider = Provider::glewlwyd(&place).await;
    let words = ["provider", "discover", provider.issuer(), "--private-network"];
    let found = place.ask(&words).await;
    let issuer = provider.issuer();
    assert_eq!(found["settings"]["issuer"], issuer, "{found}");
    assert_eq!(found["settings"]["jwks_uri"], format!("{issuer}/jwks"), "{found}");
    // What stands between host and path belongs to nobody, and a look-alike is another issuer.
    let slash = format!("{issuer}/");
    let told = place.ask_in_vain(&["provider", "discover", &slash, "--private-network"]).await;
    assert!(told.contains("another issuer"), "{told}");

    discovered(&place, &provider, &[]).await;
    for (script, mode) in [("agent-oauth.mjs", "legacy"), ("agent.py", "auto")] {
        let calls = json!([{"name": "read_file", "arguments": {"path": "notes/welcome.md"}}]);
        let who = provider.client("bot");
        let report = place.agent_by_token(script, mode, &who, calls).await;
        let said = text(call(&report, "read_file"));
        assert!(said.contains("Welcome"), "{script} {mode}: {report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn j18_what_the_provider_took_back_is_refused_by_the_next_call_of_a_tool_that_asks() {
    let place = Place::starter().await;
    let mut provider = Provider::glewlwyd(&place).await;
    place.secret("idp", provider.secret("bot")).await;
    let endpoint = format!("{}/introspect", provider.issuer());
    let asking = ["--introspection", &endpoint, "--introspection-client", "bot"];
    discovered(&place, &provider, &[&asking[..], &["--introspection-secret", "idp"]].concat())
        .await;
    let describe =
        |introspect: &'static str| ["tool", "describe", "read_file", "--introspect", introspect];
    place.ask(&describe("yes")).await;
    let token = provider.token(&place, "mcp:connect").await;
    let (code, answer) = read(&place, "read_file", &token).await;
    assert!(code == StatusCode::OK && answer.to_string().contains("Welcome"), "{answer}");

    provider.tell(&format!("revoke {token}")).await;
    let (code, answer) = read(&place, "read_file", &token).await;
    assert_eq!(code, StatusCode::UNAUTHORIZED, "{answer}");
    let reasons = place.reasons("decision").await;
    assert_eq!(reasons.first().map(String::as_str), Some("token_inactive"));
    // Nobody asks for the sake of the others: there it counts when the token ends.
    assert_eq!(read(&place, "search_database", &token).await.0, StatusCode::OK);
    place.ask(&describe("no")).await;
    assert_eq!(read(&place, "read_file", &token).await.0, StatusCode::OK);

    place.ask(&describe("yes")).await;
    let token = provider.token(&place, "mcp:connect").await;
    provider.kill().await;
    let (code, answer) = read(&place, "read_file", &token).await;
    assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    let reasons = place.reasons("decision").await;
    assert_eq!(reasons.first().map(String::as_str), Some("introspection_failed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn j07_j11_j21_its_tokens_are_held_to_audience_tenant_and_keys() {
    let place = Place::starter().await;
    let mut provider = Provider::glewlwyd(&place).await;
    discovered(&place, &provider, &["--tenant-claim", "client_id=bot"]).await;
    let token = provider.token(&place, "mcp:connect").await;
    assert_eq!(read(&place, "read_file", &token).await.0, StatusCode::OK);
    // Without a resource its audience is the name of the scope.
    let aimless = provider.token_by("token - mcp:connect").await;
    refused(&place, &aimless, "jwt_audience_wrong").await;

    provider.tell("rotate").await;
    let second = provider.token(&place, "mcp:connect").await;
    for token in [&token, &second] {
        assert_eq!(read(&place, "read_file", token).await.0, StatusCode::OK);
    }
    provider.tell("drop").await;
    place.ask(&["provider", "refresh", "corp"]).await;
    refused(&place, &second, "jwt_key_unknown").await;
    let third = provider.token(&place, "mcp:connect").await;
    assert_eq!(read(&place, "read_file", &third).await.0, StatusCode::OK);

    let update = ["provider", "update", "corp", "--tenant-claim", "client_id=somebody-else"];
    place.ask(&update).await;
    refused(&place, &third, "tenant_claim_wrong").await;
    // It says nothing of roles: where they are demanded nobody gets in.
    let update =
        ["provider", "update", "corp", "--tenant-claim", "none", "--roles-claim", "mcp_role"];
    place.ask(&update).await;
    refused(&place, &third, "role_claim_missing").await;
}
