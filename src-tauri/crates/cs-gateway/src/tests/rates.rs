//! How often agents may call.

use std::time::Duration;

use cs_model::Rate;
use cs_model::event::EventKind;
use serde_json::json;

use super::client::{INITIALIZE, Reply, legacy_call};
use super::world::{OTHER, Stage, WORKER};

fn rate(calls: u32, secs: u32) -> Option<Rate> {
    Some(Rate::new(calls, secs).unwrap())
}

/// What a call came to: `done`, or the status and when to come back.
fn outcome(reply: &Reply) -> String {
    match (reply.status, reply.header("retry-after")) {
        (200, None) if reply.text() == "done" => "done".to_owned(),
        (status, wait) => format!("{status} {}", wait.unwrap_or("-")),
    }
}

#[tokio::test]
async fn k16_an_agent_calls_no_more_often_than_it_may_and_nobody_else_waits_for_it() {
    let stage = Stage::new().await;
    let limited = || {
        stage.enforce(|document| document.tenants[0].agents[0].rate = rate(3, 60));
    };
    limited();
    let client = stage.client(WORKER);
    for _ in 0..3 {
        assert_eq!(outcome(&client.call("read_file", json!({})).await), "done");
    }
    stage.journal.forget();
    let refused = client.call("read_file", json!({})).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((60..=62).contains(&wait), "{wait}");
    assert_eq!(refused.error_code(), -32600);
    assert_eq!(stage.journal.calls().len(), 3, "nothing was sent");
    let events = stage.journal.events();
    let event = events.iter().find(|it| it.kind == EventKind::Decision).unwrap();
    assert_eq!(event.reason.as_deref(), Some("agent_rate"));
    assert_eq!(event.detail.as_deref(), Some("at most 3 calls in 60 s"));
    assert_eq!(event.correlation.unwrap().to_string(), correlation(&refused));
    let live = stage.gateway.sessions();
    assert!(live.iter().all(|it| it.anomalies == 0), "it asked for nothing that is not its own");

    assert_eq!(outcome(&stage.client(OTHER).call("read_file", json!({})).await), "done");
    // Another policy, and another limit, do not begin anew.
    limited();
    assert_eq!(client.call("read_file", json!({})).await.status, 429);
    stage.enforce(|document| document.tenants[0].agents[0].rate = rate(4, 60));
    assert_eq!(outcome(&client.call("read_file", json!({})).await), "done");
    assert_eq!(client.call("read_file", json!({})).await.status, 429);
    stage.journal.pass(Duration::from_secs(wait));
    assert_eq!(outcome(&client.call("read_file", json!({})).await), "done");
}

fn correlation(reply: &Reply) -> String {
    reply.json()["error"]["data"]["correlation"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn k16_a_tool_is_called_by_each_agent_no_more_often_than_it_may() {
    let stage = Stage::new().await;
    stage.enforce(|document| document.tenants[0].tools[0].rate = rate(1, 60));
    let (client, other) = (stage.client(WORKER), stage.client(OTHER));
    assert_eq!(outcome(&client.call("read_file", json!({})).await), "done");
    assert_eq!(client.call("read_file", json!({})).await.status, 429);
    assert_eq!(stage.journal.reasons(EventKind::Decision).last().unwrap(), "tool_rate");
    assert_eq!(outcome(&other.call("read_file", json!({})).await), "done", "each has its own");
    assert_eq!(other.call("read_file", json!({})).await.status, 429);
}

#[tokio::test]
async fn k16_what_is_denied_is_not_counted_and_tells_nothing_of_how_often() {
    let stage = Stage::new().await;
    stage.enforce(|document| {
        let acme = &mut document.tenants[0];
        acme.agents[0].rate = rate(1, 60);
        acme.tools.iter_mut().for_each(|tool| tool.rate = rate(1, 60));
    });
    let client = stage.client(WORKER);
    let denied = || async {
        let reply = client.call("access_secrets", json!({})).await;
        (reply.status, reply.error_code(), reply.header("retry-after").map(str::to_owned))
    };
    for _ in 0..3 {
        assert_eq!(denied().await, (200, -32602, None));
    }
    assert_eq!(outcome(&client.call("read_file", json!({})).await), "done");
    assert_eq!(client.call("read_file", json!({})).await.status, 429);
    assert_eq!(denied().await, (200, -32602, None), "as before");
}

#[tokio::test]
async fn k16_a_call_that_waits_for_a_person_is_counted_once_and_before_anybody_is_asked() {
    let stage = Stage::with(|it| it.limits.hold = Duration::from_millis(40)).await;
    stage.enforce(|document| document.tenants[0].agents[0].rate = rate(1, 600));
    let client = stage.client(WORKER).initialize().await;
    let write = |id, path: &str| legacy_call(id, "write_file", &json!({ "path": path }));
    let held = client.post(&write(1, "a")).await;
    assert!(held.body.contains("apr_"), "{}", held.body);
    let again = client.post(&write(2, "a")).await;
    assert!(again.body.contains("apr_"), "the same call: {}", again.body);
    let other = client.post(&write(3, "b")).await;
    assert_eq!(other.status, 429, "{}", other.body);
    let requests = stage.journal.requests_now();
    assert_eq!(requests.len(), 1, "nobody was asked about the other");
    stage.journal.approve(&requests[0], 1);
    assert_eq!(client.post(&write(4, "a")).await.text(), "done");
    assert_eq!(client.post(&write(5, "a")).await.status, 429, "once more is another call");
    assert_eq!(stage.journal.calls().len(), 1);
}

/// K16: what a key makes the gateway remember is bounded, and it is told of without filling the
/// log.
#[tokio::test]
async fn k16_a_key_that_floods_is_turned_away_and_its_nonces_are_not_remembered() {
    let stage = Stage::with(|config| {
        config.limits.nonces = 3;
        config.limits.nonce_time = Duration::from_secs(10);
    })
    .await;
    let client = stage.client(WORKER);
    for _ in 0..3 {
        assert_eq!(client.post(INITIALIZE).await.status, 200);
    }
    let remembered = stage.journal.nonces();
    stage.journal.forget();
    for _ in 0..20 {
        let reply = client.post(INITIALIZE).await;
        assert_eq!(reply.status, 429, "{}", reply.body);
        assert!(reply.header("retry-after").is_some());
    }
    assert_eq!(stage.journal.nonces(), remembered);
    assert_eq!(stage.journal.steps(), ["request.refused"], "told once");
    assert_eq!(stage.journal.reasons(EventKind::RequestRefused), ["credential_rate"]);
    assert_eq!(stage.client(OTHER).post(INITIALIZE).await.status, 200);
    stage.journal.pass(Duration::from_secs(11));
    assert_eq!(client.post(INITIALIZE).await.status, 200);
}

/// K16: whoever cannot sign does not use up what somebody else has.
#[tokio::test]
async fn k16_a_wrong_signature_does_not_count_against_the_key() {
    let stage = Stage::with(|config| config.limits.nonces = 1).await;
    let client = stage.client(WORKER);
    let body = INITIALIZE.as_bytes();
    for _ in 0..5 {
        let mut signed = client.signature("POST", body);
        signed[1].1 = signed[1].1.replace("=:", "=:AAAA");
        let bytes = client.bytes("POST", &signed, body);
        assert_eq!(super::client::raw(stage.gateway.address(), &bytes).await.status, 401);
    }
    assert_eq!(client.post(INITIALIZE).await.status, 200);
}
