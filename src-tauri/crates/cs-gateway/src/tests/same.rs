//! What makes two calls the same, and what is asked again between one step of a call and the next.

use std::time::Duration;

use cs_model::document::ToolDoc;
use cs_model::event::EventKind;
use cs_model::state::SessionEnd;
use cs_model::{Grant, ToolName};
use serde_json::json;

use super::client::legacy_call;
use super::world::{OTHER, Stage, WORKER, definition, tool};

const SHORT: Duration = Duration::from_millis(40);

/// Attacks S06, O08: what one agent has before a person is not before them for another, nor for
/// another tool, whatever the arguments are.
#[tokio::test]
async fn s06_o08_the_same_arguments_of_another_agent_or_tool_are_another_call() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    stage.enforce(|document| {
        let acme = &mut document.tenants[0];
        let text = definition("move_file");
        acme.tools.push(ToolDoc {
            id: tool(1800),
            name: ToolName::parse("move_file").unwrap(),
            fingerprint: cs_model::Digest::of(text.as_bytes()),
            definition: text,
            ..acme.tools[1].clone()
        });
        acme.tasks[0].tools.insert(tool(1800));
        acme.roles[0].grants.insert(tool(1800), Grant::Token);
    });
    let (one, other) =
        (stage.client(WORKER).initialize().await, stage.client(OTHER).initialize().await);
    let write = |id, name| legacy_call(id, name, &json!({ "path": "a" }));
    one.post(&write(1, "write_file")).await;
    other.post(&write(1, "write_file")).await;
    one.post(&write(2, "move_file")).await;
    let requests = stage.journal.requests(3).await;
    stage.journal.approve(&requests[0], 1);
    for (client, name) in [(&other, "write_file"), (&one, "move_file")] {
        assert_ne!(client.post(&write(3, name)).await.text(), "done", "{name}");
    }
    assert_eq!(stage.journal.calls(), []);
    assert_eq!(one.post(&write(4, "write_file")).await.text(), "done");
}

/// Attacks O08: what was approved for a session that is over is not there for the next one.
#[tokio::test]
async fn o08_the_same_call_of_the_next_session_is_another_call() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    let client = stage.client(WORKER).initialize().await;
    let write = |id| legacy_call(id, "write_file", &json!({ "path": "a" }));
    client.post(&write(1)).await;
    let request = stage.journal.requests(1).await.remove(0);
    stage.journal.approve(&request, 1);
    let id = stage.gateway.sessions()[0].id;
    stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap();
    let next = stage.client(WORKER).initialize().await;
    assert_ne!(next.post(&write(2)).await.text(), "done");
    let requests = stage.journal.requests(2).await;
    assert_ne!(requests[0].session, requests[1].session);
    assert_eq!(stage.journal.calls(), []);
}

/// Attacks S04: writing a call down takes time, and what is taken away meanwhile is not called.
#[tokio::test]
async fn s04_a_call_that_is_not_allowed_any_more_once_it_is_on_record_is_not_made() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    stage.journal.audit_is_slow.send_replace(true);
    let call = client.open("POST", &legacy_call(2, "read_file", &json!({}))).await;
    while stage.gateway.calls_last_minute() == 0 {
        tokio::task::yield_now().await;
    }
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    stage.journal.audit_is_slow.send_replace(false);
    assert_eq!(call.end().await.error_code(), -32602);
    assert_eq!(stage.journal.calls(), []);
    assert_eq!(stage.journal.reasons(EventKind::ExecutionFinished), ["tool_disabled"]);
}
