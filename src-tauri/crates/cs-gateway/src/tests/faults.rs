//! What cannot be recorded is not done.

use std::sync::atomic::Ordering;

use cs_model::event::{EventKind, Outcome};
use serde_json::json;

use super::client::{INITIALIZE, legacy_call, raw};
use super::world::{Behaviour, Stage, WORKER};

#[tokio::test]
async fn a01_a_call_that_cannot_be_recorded_is_not_made() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    stage.journal.audit_is_down.store(true, Ordering::SeqCst);
    let reply = client.post(&legacy_call(2, "read_file", &json!({}))).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert_eq!(reply.json()["id"], 2);
    assert_eq!(stage.journal.calls(), []);
    stage.journal.audit_is_down.store(false, Ordering::SeqCst);
    let reply = client.post(&legacy_call(3, "read_file", &json!({}))).await;
    assert_eq!(reply.text(), "done", "it recovers by itself");
}

#[tokio::test]
async fn a01_nothing_is_answered_that_is_not_on_record() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    stage.journal.audit_is_down.store(true, Ordering::SeqCst);
    assert_eq!(client.post(INITIALIZE).await.status, 503, "a session");
    let unsigned = client.bytes("POST", &[], INITIALIZE.as_bytes());
    assert_eq!(raw(stage.gateway.address(), &unsigned).await.status, 503, "a refusal");
    assert_eq!(stage.gateway.sessions().len(), 0);
}

#[tokio::test]
async fn a01_a_token_that_cannot_be_spent_pays_for_nothing() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let waiting = client.open("POST", &legacy_call(2, "write_file", &json!({}))).await;
    let request = stage.journal.requests(1).await.remove(0);
    stage.journal.ledger_is_down.store(true, Ordering::SeqCst);
    stage.journal.approve(&request, 1);
    assert_eq!(waiting.end().await.error_code(), -32603);
    assert_eq!(stage.journal.calls(), []);
}

#[tokio::test]
async fn a02_an_outcome_that_cannot_be_recorded_is_not_answered_as_if_it_were() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    stage.journal.behave(Behaviour::Hang);
    let waiting = client.open("POST", &legacy_call(2, "read_file", &json!({}))).await;
    stage.journal.reached(1).await;
    stage.journal.audit_is_down.store(true, Ordering::SeqCst);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#;
    assert_eq!(client.post(cancel).await.status, 503);
    assert_eq!(waiting.end().await.status, 503);
}

#[tokio::test]
async fn who_leaves_before_the_record_is_written_is_on_record_all_the_same() {
    let stage = Stage::new().await;
    stage.journal.audit_is_slow.send_replace(true);
    let client = stage.client(WORKER);
    let mut stream = tokio::net::TcpStream::connect(stage.gateway.address()).await.unwrap();
    let bytes = client.bytes("POST", &[], INITIALIZE.as_bytes());
    tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes).await.unwrap();
    drop(stream);
    // Long enough for the gateway to read the request and to see that its client has left.
    for _ in 0..2000 {
        tokio::task::yield_now().await;
    }
    stage.journal.audit_is_slow.send_replace(false);
    let written = async {
        while stage.journal.reasons(EventKind::AuthnFailed).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), written).await.unwrap();
}

#[tokio::test]
async fn a_failure_behind_the_gateway_is_told_without_its_details() {
    let cases = [
        (Behaviour::Lost, Outcome::Unknown, "upstream_lost"),
        (Behaviour::Drift, Outcome::Failed, "definition_drift"),
    ];
    for (behaviour, outcome, reason) in cases {
        let stage = Stage::new().await;
        stage.journal.behave(behaviour);
        let reply = stage.client(WORKER).call("read_file", json!({})).await;
        assert_eq!((reply.status, reply.error_code()), (200, -32603));
        assert!(!reply.body.contains("css_canary"), "{}", reply.body);
        let finished = stage.journal.events().pop().unwrap();
        assert_eq!(finished.kind, EventKind::ExecutionFinished);
        assert_eq!((finished.outcome, finished.reason.as_deref()), (Some(outcome), Some(reason)));
        let drifts = stage.journal.reasons(EventKind::ToolDrift).len();
        assert_eq!(drifts, usize::from(reason == "definition_drift"));
    }
}

#[tokio::test]
async fn t28_every_answer_carries_the_correlation_of_its_events_and_is_not_stored() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let replies = [
        client.post(INITIALIZE).await,
        client.call("read_file", json!({})).await,
        client.call("nothing", json!({})).await,
        client.clone().at("/nowhere").post("{}").await,
        client.clone().at("/t/acme/mcp/x.css").send("GET", "").await,
        client.clone().at("/.well-known/oauth-protected-resource/t/acme/mcp").send("GET", "").await,
        client.send("GET", "").await,
        client.send("PUT", "").await,
        client.post("{").await,
        raw(stage.gateway.address(), b"GET / HTTP/1.1\r\n\r\n").await,
    ];
    for reply in replies {
        let correlation = reply.header("countersign-correlation").unwrap().to_owned();
        let known = stage.journal.events().into_iter().filter_map(|event| event.correlation);
        assert!(known.map(|it| it.to_string()).any(|it| it == correlation), "{}", reply.body);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        if reply.json()["error"].is_object() {
            assert_eq!(reply.json()["error"]["data"]["correlation"], correlation);
        }
    }
}

#[tokio::test]
async fn a_gateway_that_stops_tells_those_who_wait_and_takes_nobody_new() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let mut waiting = client.open("POST", &legacy_call(2, "write_file", &json!({}))).await;
    waiting.until("keep-alive").await;
    stage.gateway.stop().await;
    let reply = waiting.end().await;
    assert!(reply.body.contains("stopping"), "{}", reply.body);
    assert!(tokio::net::TcpStream::connect(stage.gateway.address()).await.is_err());
    let last = stage.journal.events().pop().unwrap().kind;
    assert_eq!(last, EventKind::GatewayStopped);
}

#[tokio::test]
async fn d08_it_listens_on_no_address_that_others_can_reach() {
    let listen = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
    let stage = Stage::new().await;
    let config = crate::Config::new(listen, "countersign:test".to_owned());
    let (_, world) = tokio::sync::watch::channel(std::sync::Arc::default());
    let journal = &stage.journal;
    let ports = crate::ports::Ports {
        clock: journal.clone(),
        random: journal.clone(),
        audit: journal.clone(),
        nonces: journal.clone(),
        sessions: journal.clone(),
        desk: journal.clone(),
        series: journal.clone(),
        ledger: journal.clone(),
        secrets: journal.clone(),
        renewals: journal.clone(),
        revocations: journal.clone(),
    };
    let refused = crate::Gateway::start(config, ports, world).await.unwrap_err();
    assert!(matches!(refused, crate::StartError::NotLoopback { .. }));
}
