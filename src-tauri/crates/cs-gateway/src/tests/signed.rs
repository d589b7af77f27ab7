//! Calls that need a signature, and those who have only half of what it takes.

use std::time::Duration;

use cs_model::event::EventKind;
use cs_model::{Digest, OperationTokenId};
use cs_trust::{OperatorKey, operation};
use serde_json::json;

use super::client::{Reply, body, legacy_call, meta};
use super::world::{Stage, WORKER, operator_key};
use crate::ports::Ruling;

const SHORT: Duration = Duration::from_millis(40);

/// Attacks O07: whoever can write to the registry can say that a call was approved, and cannot
/// sign it.
#[tokio::test]
async fn o07_an_approval_without_the_operators_signature_pays_for_nothing() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER).initialize().await;
    let call = |id| legacy_call(id, "write_file", &json!({ "path": "a" }));
    client.post(&call(2)).await;
    let request = stage.journal.requests(1).await.remove(0);
    let claims = stage.journal.claims(&request, 1);
    let stranger = OperatorKey::from_seed([43; 32]).unwrap();
    let right = operation::mint(&claims, &operator_key()).unwrap();
    let mut other = claims.clone();
    other.args = Digest::of(b"another call");
    let forged = [
        operation::mint(&claims, &stranger).unwrap(),
        operation::mint(&other, &operator_key()).unwrap(),
        format!("{}.{}", right.rsplit_once('.').unwrap().0, "A".repeat(86)),
        "approved".to_owned(),
        String::new(),
    ];
    for (number, token) in (3..).zip(forged) {
        stage.journal.rule(request.id, Ruling::Approved { tokens: vec![token] });
        let reply = client.post(&call(number)).await.json();
        assert_eq!(reply["result"]["isError"], true, "{number}: {reply}");
        assert_eq!(stage.journal.calls(), [], "{number}");
    }
    assert_eq!(stage.journal.reasons(EventKind::TokenRefused).len(), 5);
    stage.journal.rule(request.id, Ruling::Approved { tokens: vec![right] });
    assert_eq!(client.post(&call(9)).await.text(), "done");
}

/// Attacks O13: the token that pays for a call is seen by nobody.
#[tokio::test]
async fn o13_a_token_goes_neither_to_the_agent_nor_to_the_server_nor_into_the_log() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER).initialize().await;
    let call = |id| legacy_call(id, "write_file", &json!({ "path": "a" }));
    let held = client.post(&call(2)).await;
    let request = stage.journal.requests(1).await.remove(0);
    let token = stage.journal.approve(&request, 1);
    let paid = client.post(&call(3)).await;
    assert_eq!(paid.text(), "done");
    let handed = operation::mint(&stage.journal.claims(&request, 2), &operator_key()).unwrap();
    let mut meta = meta();
    meta["dev.countersign/operation-token"] = json!(handed);
    let params = json!({ "name": "write_file", "arguments": { "path": "b" }, "_meta": meta });
    let client = stage.client(WORKER).modern("tools/call").header("mcp-name", "write_file");
    let refused = client.post(&body("tools/call", params)).await;
    assert_eq!(refused.json()["result"]["isError"], true, "{}", refused.body);

    let text = |reply: &Reply| format!("{:?} {}", reply.headers, reply.body);
    let seen = [
        text(&held),
        text(&paid),
        text(&refused),
        format!("{:?}", stage.journal.calls()),
        serde_json::to_string(&stage.journal.events()).unwrap(),
    ];
    for token in [&token, &handed] {
        for part in token.split('.') {
            assert!(seen.iter().all(|it| !it.contains(part)), "{part} in {seen:?}");
        }
    }
}

/// Attacks O14: whoever tries tokens of which only the id is wrong, or nothing is right, learns
/// nothing by the answer.
#[tokio::test]
async fn o14_every_token_that_does_not_pay_has_the_same_answer() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER);
    client.call("write_file", json!({ "path": "a" })).await;
    let request = stage.journal.requests(1).await.remove(0);
    let claims = stage.journal.claims(&request, 1);
    let mint = |claims| operation::mint(&claims, &operator_key()).unwrap();
    let spent = mint(claims.clone());
    let mut guessed = claims.clone();
    guessed.jti = OperationTokenId::from_random([7; 16]);
    (guessed.iat, guessed.exp) = (guessed.iat - 300, guessed.exp - 300);
    let stranger = OperatorKey::from_seed([43; 32]).unwrap();
    let foreign = operation::mint(&claims, &stranger).unwrap();
    let mut answers = Vec::new();
    for (number, token) in [&spent, &spent, &mint(guessed), &foreign, "x.y.z"].iter().enumerate() {
        let mut meta = meta();
        meta["dev.countersign/operation-token"] = json!(token);
        let params = json!({ "name": "write_file", "arguments": { "path": "a" }, "_meta": meta });
        let client = client.modern("tools/call").header("mcp-name", "write_file");
        let reply = client.post(&body("tools/call", params)).await;
        if number == 0 {
            assert_eq!(reply.text(), "done");
            continue;
        }
        let correlation = reply.header("countersign-correlation").unwrap().to_owned();
        answers.push((reply.status, reply.body.replace(&correlation, "C")));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(stage.journal.calls().len(), 1);
}

/// Attacks X06: what a tool says of itself changes nothing of what it takes to call it.
#[tokio::test]
async fn x06_a_tool_that_claims_to_be_harmless_is_held_and_refused_like_any_other() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    stage.enforce(|document| {
        for tool in &mut document.tenants[0].tools {
            let claims = json!({ "name": tool.name.as_str(), "inputSchema": { "type": "object" },
                "annotations": { "readOnlyHint": true, "destructiveHint": false,
                                 "openWorldHint": false, "idempotentHint": true } });
            tool.definition = claims.to_string();
            tool.fingerprint = Digest::of(tool.definition.as_bytes());
        }
    });
    let client = stage.client(WORKER).initialize().await;
    let held = client.post(&legacy_call(2, "write_file", &json!({}))).await.json();
    assert_eq!(held["result"]["isError"], true, "{held}");
    assert_eq!(stage.journal.requests_now().len(), 1);
    let refused = client.post(&legacy_call(3, "access_secrets", &json!({}))).await;
    assert_eq!(refused.error_code(), -32602);
    assert_eq!(stage.journal.calls(), []);
}
