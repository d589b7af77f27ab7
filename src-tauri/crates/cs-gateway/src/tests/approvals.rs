//! Calls that wait for a person.

use std::time::Duration;

use cs_model::Grant;
use cs_model::event::EventKind;
use cs_model::state::{CredentialState, SessionEnd};
use cs_trust::operation;
use serde_json::{Value, json};

use super::client::{Client, body, call_body, legacy_call, meta};
use super::world::{Behaviour, OTHER, Stage, WORKER, operator_key, tool};
use crate::ports::{NewApproval, Ruling};

const SHORT: Duration = Duration::from_millis(40);

fn write(text: &str) -> Value {
    json!({ "path": "a", "text": text })
}

async fn one_request(stage: &Stage) -> NewApproval {
    stage.journal.requests(1).await.remove(0)
}

/// A call with an operation token that somebody handed over.
async fn call_with_token(client: &Client, token: &str, arguments: &Value) -> super::client::Reply {
    let mut meta = meta();
    meta["dev.countersign/operation-token"] = token.into();
    let params = json!({ "name": "write_file", "arguments": arguments, "_meta": meta });
    let client = client.modern("tools/call").header("mcp-name", "write_file");
    client.post(&body("tools/call", params)).await
}

#[tokio::test]
async fn a_call_waits_for_a_person_and_is_made_once_when_they_sign() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    stage.journal.forget();
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params":
        { "name": "write_file", "arguments": { "b": 1, "a": "\u{e9}" },
          "_meta": { "progressToken": 9 } } });
    let mut waiting = client.open("POST", &call.to_string()).await;
    waiting.until("notifications/progress").await;
    let request = one_request(&stage).await;
    assert_eq!(request.arguments, "{\"a\":\"\u{e9}\",\"b\":1}");
    assert_eq!(stage.journal.calls(), []);
    stage.journal.approve(&request, 1);
    let reply = waiting.end().await;
    assert_eq!(reply.text(), "done");
    let waits = &reply.messages()[0]["params"];
    assert_eq!(waits["progressToken"], 9);
    let says = waits["message"].as_str().unwrap();
    assert_eq!(says, format!("Waiting for a person to decide on request {}", request.id));
    assert_eq!(stage.journal.calls()[0].arguments, Some(request.arguments));
    assert_eq!(
        stage.journal.steps(),
        [
            "decision",
            "approval.requested",
            "decision",
            "token.redeemed",
            "execution.started",
            "called upstream",
            "execution.finished"
        ]
    );
    assert_eq!(
        stage.journal.reasons(EventKind::Decision),
        ["needs_countersignature", "countersigned"]
    );
}

#[tokio::test]
async fn a_denied_call_is_not_made_and_its_agent_hears_the_reason() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let waiting = client.open("POST", &legacy_call(2, "write_file", &write("x"))).await;
    let request = one_request(&stage).await;
    stage.journal.rule(request.id, Ruling::Denied { reason: "not\u{202e} today".into() });
    let reply = waiting.end().await.json();
    assert_eq!(reply["result"]["isError"], true);
    let text = reply["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(text, "An operator denied this call: not\\u{202e} today");
    assert_eq!(stage.journal.calls(), []);
}

/// Attacks O18: no decision is a no.
#[tokio::test]
async fn o18_a_call_that_nobody_decides_on_is_not_made() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER).initialize().await;
    let reply = client.post(&legacy_call(2, "write_file", &write("x"))).await;
    let request = one_request(&stage).await;
    assert_eq!(reply.json()["result"]["isError"], true);
    assert!(reply.text().contains(&request.id.to_string()), "{}", reply.text());
    stage.journal.rule(request.id, Ruling::Expired);
    let again = client.post(&legacy_call(3, "write_file", &write("x"))).await;
    assert!(again.text().contains("Nobody decided in time"), "{}", again.text());
    assert_eq!(stage.journal.calls(), []);
}

#[tokio::test]
async fn an_older_client_that_comes_back_with_the_same_call_finds_it_approved_once() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER).initialize().await;
    let call = |id| legacy_call(id, "write_file", &write("x"));
    client.post(&call(2)).await;
    client.post(&call(3)).await;
    let request = one_request(&stage).await;
    stage.journal.approve(&request, 1);
    let reordered = r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":
        {"name":"write_file","arguments":{ "text":"\u0078", "path" : "a" }}}"#;
    assert_eq!(client.post(reordered).await.text(), "done");
    client.post(&call(5)).await;
    assert_eq!(stage.journal.requests(2).await.len(), 2, "the next one needs its own approval");
    assert_eq!(stage.journal.calls().len(), 1);
}

#[tokio::test]
async fn a_denial_is_told_once_to_a_client_that_had_left_before_somebody_is_asked_again() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER).initialize().await;
    client.post(&legacy_call(2, "write_file", &write("x"))).await;
    let request = one_request(&stage).await;
    stage.journal.rule(request.id, Ruling::Denied { reason: "no".into() });
    let told = client.post(&legacy_call(3, "write_file", &write("x"))).await;
    assert!(told.text().contains("denied this call: no"), "{}", told.text());
    assert_eq!(stage.journal.requests(1).await.len(), 1);
    client.post(&legacy_call(4, "write_file", &write("x"))).await;
    assert_eq!(stage.journal.requests(2).await.len(), 2);
}

#[tokio::test]
async fn what_ended_without_a_word_for_its_client_is_put_before_a_person_anew() {
    for ruling in [Ruling::Executed, Ruling::Withdrawn] {
        let stage = Stage::with(|it| it.limits.hold = SHORT).await;
        let client = stage.client(WORKER).initialize().await;
        client.post(&legacy_call(2, "write_file", &write("x"))).await;
        let request = one_request(&stage).await;
        stage.journal.rule(request.id, ruling);
        let again = client.post(&legacy_call(3, "write_file", &write("x"))).await;
        let requests = stage.journal.requests(2).await;
        assert!(again.text().contains(&requests[1].id.to_string()), "{}", again.text());
    }
}

#[tokio::test]
async fn a_newer_client_is_asked_to_come_back_and_its_last_round_makes_the_call() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER);
    let first = client.call("write_file", write("x")).await.json();
    assert_eq!(first["result"]["resultType"], "input_required");
    assert!(first["result"]["inputRequests"].is_null());
    let again = |state: &Value| {
        let params = json!({ "name": "write_file", "arguments": write("x"),
            "requestState": state, "inputResponses": {}, "_meta": meta() });
        let client = client.modern("tools/call").header("mcp-name", "write_file");
        async move { client.post(&body("tools/call", params)).await.json() }
    };
    let second = again(&first["result"]["requestState"]).await;
    assert_eq!(second["result"]["resultType"], "input_required");
    let request = one_request(&stage).await;
    stage.journal.approve(&request, 1);
    let third = again(&second["result"]["requestState"]).await;
    assert_eq!(third["result"]["resultType"], "complete");
    assert_eq!(third["result"]["content"][0]["text"], "done");
    let replayed = again(&second["result"]["requestState"]).await;
    assert_eq!(replayed["result"]["isError"], true);
    assert_eq!(stage.journal.calls().len(), 1);
}

#[tokio::test]
async fn the_rounds_of_a_newer_client_come_to_an_end() {
    let stage = Stage::with(|it| {
        it.limits.hold = Duration::from_millis(5);
        it.limits.rounds = 2;
    })
    .await;
    let client = stage.client(WORKER).modern("tools/call").header("mcp-name", "write_file");
    let mut state = None;
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let mut params = json!({ "name": "write_file", "arguments": {}, "_meta": meta() });
        if let Some(state) = state.take() {
            params["requestState"] = state;
        }
        let reply = client.post(&body("tools/call", params)).await.json();
        kinds.push(reply["result"]["resultType"].as_str().unwrap().to_owned());
        state = reply["result"].get("requestState").cloned();
    }
    assert_eq!(kinds, ["input_required", "input_required", "complete"]);
}

/// Attacks H14: what a client carries belongs to one caller, tool and arguments, and to a time.
#[tokio::test]
async fn h14_s06_a_request_state_opens_only_where_it_was_given() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER);
    let first = client.call("write_file", write("x")).await.json();
    let state = first["result"]["requestState"].as_str().unwrap().to_owned();
    let with = |number: u128, tool: &'static str, arguments: Value, state: String| {
        let params = json!({ "name": tool, "arguments": arguments,
            "requestState": state, "_meta": meta() });
        let client = stage.client(number).modern("tools/call").header("mcp-name", tool);
        async move { client.post(&body("tools/call", params)).await.error_code() }
    };
    let mut tampered = state.clone();
    tampered.replace_range(20..21, if &state[20..21] == "A" { "B" } else { "A" });
    assert_eq!(with(OTHER, "write_file", write("x"), state.clone()).await, -32602);
    assert_eq!(with(WORKER, "write_file", write("y"), state.clone()).await, -32602);
    assert_eq!(with(WORKER, "write_file", write("x"), tampered).await, -32602);
    assert_eq!(with(WORKER, "write_file", write("x"), "v1.".to_owned()).await, -32602);
    stage.journal.pass(Duration::from_secs(15 * 60));
    assert_eq!(with(WORKER, "write_file", write("x"), state).await, -32602);
    let reasons = stage.journal.reasons(EventKind::RequestRefused);
    assert_eq!(reasons, ["request_state"; 5]);
}

/// Attacks O01: one signature, one call, however many ask for it.
#[tokio::test]
async fn o01_an_approval_pays_for_one_of_many_identical_calls() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let mut waiting = Vec::new();
    for id in 0..8 {
        waiting.push(client.open("POST", &legacy_call(id, "write_file", &write("x"))).await);
    }
    let request = one_request(&stage).await;
    for open in &mut waiting {
        open.until("keep-alive").await;
    }
    stage.journal.approve(&request, 1);
    let mut done = 0;
    for open in waiting {
        done += usize::from(open.end().await.text() == "done");
    }
    assert_eq!(done, 1);
    assert_eq!(stage.journal.calls().len(), 1);
    assert_eq!(stage.journal.requests(1).await.len(), 1);
}

#[tokio::test]
async fn a_token_that_an_operator_handed_over_pays_for_its_call_once() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER);
    client.call("write_file", write("x")).await;
    let request = one_request(&stage).await;
    let token = operation::mint(&stage.journal.claims(&request, 1), &operator_key()).unwrap();
    assert_eq!(call_with_token(&client, &token, &write("x")).await.text(), "done");
    let again = call_with_token(&client, &token, &write("x")).await.json();
    assert_eq!(again["result"]["isError"], true);
    assert_eq!(stage.journal.calls().len(), 1);
    assert_eq!(stage.journal.reasons(EventKind::TokenRefused), ["spent"]);
    let sent = stage.journal.calls()[0].arguments.clone().unwrap();
    assert!(!sent.contains(&token), "the token goes no further");
}

/// Attacks O04 and O08: a token is for one call, and an attempt with it elsewhere does not burn it.
#[tokio::test]
async fn o04_o08_o09_a_token_fits_one_call_and_is_not_burnt_by_another() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER);
    client.call("write_file", write("x")).await;
    let request = one_request(&stage).await;
    let claims = stage.journal.claims(&request, 1);
    let mint = |claims| operation::mint(&claims, &operator_key()).unwrap();
    let token = mint(claims.clone());
    stage.journal.forget();

    let mut elsewhere = claims.clone();
    elsewhere.aud = "countersign:other".to_owned();
    let stranger = cs_trust::OperatorKey::from_seed([43; 32]).unwrap();
    let cases = [
        (client.clone(), token.clone(), write("y"), "args_mismatch"),
        (stage.client(OTHER), token.clone(), write("x"), "agent_mismatch"),
        (client.clone(), mint(elsewhere), write("x"), "gateway_mismatch"),
        (
            client.clone(),
            operation::mint(&claims, &stranger).unwrap(),
            write("x"),
            "token_signature_invalid",
        ),
        (client.clone(), "a.b.c".to_owned(), write("x"), "token_malformed"),
    ];
    for (client, token, arguments, reason) in cases {
        let reply = call_with_token(&client, &token, &arguments).await.json();
        assert_eq!(reply["result"]["isError"], true, "{reason}");
        assert_eq!(stage.journal.reasons(EventKind::TokenRefused).pop().unwrap(), reason);
    }
    assert_eq!(stage.journal.calls(), []);
    stage.journal.pass(Duration::from_secs(119));
    assert_eq!(call_with_token(&client, &token, &write("x")).await.text(), "done");

    let mut late = claims;
    late.jti = super::world::token(2);
    stage.journal.pass(Duration::from_secs(1));
    let reply = call_with_token(&client, &mint(late), &write("x")).await.json();
    assert_eq!(reply["result"]["isError"], true, "it ends at that second");
    assert_eq!(stage.journal.reasons(EventKind::TokenRefused).pop().unwrap(), "expired");
}

/// Attacks P13: what no person can be shown exactly, no person can sign for.
#[tokio::test]
async fn p13_arguments_that_readers_disagree_about_are_not_put_before_a_person() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    for number in
        ["9007199254740993", "123456789012345678901234567890", "0.1e-400", "1.00000000000000001"]
    {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":"write_file",
            "arguments":{{"amount":{number}}}}}}}"#
        );
        let reply = client.post(&call).await;
        assert_eq!(reply.error_code(), -32602, "{number}");
        assert!(reply.body.contains("signed for"), "{}", reply.body);
    }
    assert_eq!(stage.journal.requests(0).await.len(), 0);
}

/// Attacks S04: what a person has not decided yet is taken back when the policy narrows.
#[tokio::test]
async fn s04_a_held_call_is_refused_when_it_would_not_be_allowed_any_more() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let waiting = client.open("POST", &legacy_call(2, "write_file", &write("x"))).await;
    let request = one_request(&stage).await;
    stage.enforce(|it| {
        it.tenants[0].roles[0].grants.insert(tool(1001), Grant::Deny);
    });
    let reply = waiting.end().await;
    assert_eq!(reply.error_code(), -32602);
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Withdrawn);
    let why = stage.journal.reasons(EventKind::ApprovalWithdrawn);
    assert_eq!(why, ["not_allowed_any_more"]);
    // It asked for nothing that it was not to have when it asked.
    assert_eq!(stage.gateway.sessions()[0].anomalies, 0);
}

#[tokio::test]
async fn s04_o10_a_held_call_is_refused_when_its_session_or_its_credential_ends() {
    for by_key in [false, true] {
        let stage = Stage::new().await;
        let client = stage.client(WORKER).initialize().await;
        let waiting = client.open("POST", &legacy_call(2, "write_file", &write("x"))).await;
        let request = one_request(&stage).await;
        if by_key {
            stage.change_key(WORKER, |key| key.state = CredentialState::Revoked);
        } else {
            let id = stage.gateway.sessions()[0].id;
            assert!(stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap());
        }
        assert_eq!(waiting.end().await.error_code(), -32602);
        assert_eq!(stage.journal.ruling_of(request.id), Ruling::Withdrawn);
        let withdrawn = stage.journal.reasons(EventKind::ApprovalWithdrawn);
        assert_eq!(withdrawn.len(), 1, "{withdrawn:?}");
        stage.journal.approve(&request, 1);
        assert_eq!(stage.journal.calls(), []);
    }
}

/// Attacks X02: the definition that is pinned now is the one that was signed for.
#[tokio::test]
async fn x02_an_approval_does_not_outlive_the_definition_that_was_shown() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER).initialize().await;
    client.post(&legacy_call(2, "write_file", &write("x"))).await;
    let request = one_request(&stage).await;
    stage.journal.approve(&request, 1);
    stage.enforce(|it| {
        it.tenants[0].tools[1].fingerprint = cs_model::Digest::of(b"another");
    });
    let reply = client.post(&legacy_call(3, "write_file", &write("x"))).await;
    assert_eq!(reply.error_code(), -32602);
    assert_eq!(stage.journal.calls(), []);
}

/// Attacks O16: an agent cannot bury a person under requests.
#[tokio::test]
async fn o16_five_calls_of_a_session_may_wait_at_a_time() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER).initialize().await;
    for number in 0..5 {
        client.post(&legacy_call(number, "write_file", &write(&number.to_string()))).await;
    }
    let sixth = client.post(&legacy_call(9, "write_file", &write("9"))).await;
    assert!(sixth.text().contains("Too many calls"), "{}", sixth.text());
    let known = client.post(&legacy_call(9, "write_file", &write("3"))).await;
    assert!(known.text().contains("is waiting"), "{}", known.text());
    let requests = stage.journal.requests(5).await;
    assert_eq!(requests.len(), 5);
    stage.journal.rule(requests[0].id, Ruling::Denied { reason: "no".into() });
    client.post(&legacy_call(9, "write_file", &write("9"))).await;
    assert_eq!(stage.journal.requests(6).await.len(), 6);
}

#[tokio::test]
async fn o10_a_newer_client_that_leaves_takes_its_call_back_and_an_older_one_does_not() {
    let stage = Stage::new().await;
    let modern = stage.client(WORKER);
    let mut waiting = modern.open_call(&call_body("write_file", write("x")), "write_file").await;
    waiting.until("keep-alive").await;
    let request = one_request(&stage).await;
    drop(waiting);
    while stage.journal.ruling_of(request.id) == Ruling::Pending {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Withdrawn);
    let mut anew = modern.open_call(&call_body("write_file", write("x")), "write_file").await;
    anew.until("keep-alive").await;
    assert_ne!(stage.journal.requests(2).await[1].id, request.id, "somebody is asked anew");
    drop(anew);

    let legacy = stage.client(OTHER).initialize().await;
    let mut waiting = legacy.open("POST", &legacy_call(2, "write_file", &write("y"))).await;
    waiting.until("keep-alive").await;
    let request = stage.journal.requests(3).await.remove(2);
    drop(waiting);
    // The id is free again once the gateway has noticed.
    while legacy.post(&legacy_call(2, "read_file", &json!({}))).await.status != 200 {}
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Pending, "it was not taken back");
    stage.journal.approve(&request, 1);
    assert_eq!(stage.journal.calls().len(), 1, "nobody is there to have it made");
    let back = legacy.post(&legacy_call(3, "write_file", &write("y"))).await;
    assert_eq!(back.text(), "done");
    let mut third = legacy.open("POST", &legacy_call(4, "write_file", &write("y"))).await;
    third.until("keep-alive").await;
    assert_eq!(stage.journal.requests(4).await.len(), 4, "it paid for one call");
}

#[tokio::test]
async fn what_is_signed_after_a_newer_client_was_told_of_the_request_is_there_for_the_same_call() {
    let stage = Stage::with(|it| (it.limits.hold, it.limits.rounds) = (SHORT, 0)).await;
    let client = stage.client(WORKER);
    let told = client.call("write_file", write("x")).await;
    let request = one_request(&stage).await;
    assert!(told.text().contains(&request.id.to_string()), "{}", told.text());
    stage.journal.approve(&request, 1);
    assert_eq!(client.call("write_file", write("x")).await.text(), "done");
    client.call("write_file", write("x")).await;
    assert_eq!(stage.journal.requests(2).await.len(), 2, "it paid for one call");
    assert_eq!(stage.journal.calls().len(), 1);
}

#[tokio::test]
async fn o10_an_older_client_takes_its_call_back_by_saying_so() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let mut waiting = client.open("POST", &legacy_call(2, "write_file", &write("x"))).await;
    waiting.until("keep-alive").await;
    let request = one_request(&stage).await;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#;
    assert_eq!(client.post(cancel).await.status, 202);
    waiting.end().await;
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Withdrawn);
    assert_eq!(stage.journal.reasons(EventKind::ApprovalWithdrawn), ["cancelled"]);
    let mut anew = client.open("POST", &legacy_call(3, "write_file", &write("x"))).await;
    anew.until("keep-alive").await;
    assert_eq!(stage.journal.requests(2).await.len(), 2, "somebody is asked anew");
    assert_eq!(stage.journal.calls(), []);
}

/// Attacks O20: what failed after the token was spent is not tried again with it.
#[tokio::test]
async fn o20_a_call_that_fails_after_it_was_paid_for_needs_a_new_approval() {
    let stage = Stage::with(|it| it.limits.hold = Duration::from_secs(5)).await;
    stage.journal.behave(Behaviour::Lost);
    let client = stage.client(WORKER).initialize().await;
    let waiting = client.open("POST", &legacy_call(2, "write_file", &write("x"))).await;
    let request = one_request(&stage).await;
    stage.journal.approve(&request, 1);
    let reply = waiting.end().await;
    assert_eq!(reply.error_code(), -32603);
    assert!(!reply.body.contains("css_canary"), "what the server says stays here");
    let waiting = client.open("POST", &legacy_call(3, "write_file", &write("x"))).await;
    let requests = stage.journal.requests(2).await;
    assert_ne!(requests[0].id, requests[1].id);
    drop(waiting);
    assert_eq!(stage.journal.calls().len(), 1);
}
