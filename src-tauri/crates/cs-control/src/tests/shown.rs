//! What is shown of a waiting call, and to whom.

use std::sync::Arc;
use std::time::Duration;

use cs_gateway::ports::{Meanwhile, NewApproval};
use cs_model::state::OperatorRole;
use cs_model::{ApprovalId, Digest};
use serde_json::{Value, json};

use super::approvals::Waiting;
use super::place::somebody;
use crate::actor::Actor;

#[tokio::test]
async fn a_waiting_call_is_shown_with_all_that_it_takes_to_decide() {
    let it = Waiting::new().await;
    let row = it.place.ask("approval_list", json!({})).await[0].clone();
    assert_eq!(
        (&row["agent_name"], &row["tool_name"]),
        (&json!("executor-1"), &json!("send_email"))
    );
    assert_eq!(row["held"], false);
    let view = it.place.ask("approval_show", it.of()).await;
    assert_eq!(view["arguments"], it.request.arguments.as_str());
    assert_eq!(view["roles"], json!(["executor"]));
    assert!(view["asked_because"].as_str().unwrap().starts_with("Role executor"));
    assert_eq!(it.place.ask("status", json!({})).await["waiting_approvals"], 1);
}

/// Whoever changes the policy could otherwise read along with every agent.
#[tokio::test]
async fn what_an_agent_sends_is_withheld_from_whoever_neither_decides_nor_audits() {
    let mut it = Waiting::new().await;
    it.place.ask("approval_approve", it.approve()).await;
    // The next one, which is shown with what is different from this one.
    it.place.clock.advance(Duration::from_secs(1));
    let first = it.request.clone();
    let arguments = r#"{"to":"grace@example.com"}"#.to_owned();
    it.request = NewApproval {
        id: ApprovalId::from_random([5; 16]),
        operation: Digest::of(b"another operation"),
        arguments_digest: Digest::of(arguments.as_bytes()),
        arguments,
        requested: it.place.control.now(),
        ..first.clone()
    };
    it.ports.desk.file(it.request.clone(), Vec::new()).await.unwrap();
    let args = json!({ "name": "Grace", "role": "approver", "passphrase": "tulip anvil ferry" });
    let grace = it.place.ask("operator_create", args).await["id"].clone();
    let id = grace.as_str().unwrap().parse().unwrap();
    let grace = Actor::Operator { id, role: OperatorRole::Approver };
    let auditor = somebody(OperatorRole::Auditor);
    for viewer in [somebody(OperatorRole::Owner), grace, auditor] {
        let view = it.place.ask_as(viewer, "approval_show", it.of()).await;
        assert_eq!(view["arguments"], it.request.arguments.as_str(), "{viewer:?}");
        assert_eq!(view["withheld"], Value::Null);
        assert_eq!(view["previous"], first.arguments.as_str());
    }
    // Of approvers, those who may sign the call are shown what it sends.
    it.place.ask("operator_group_create", json!({ "name": "finance" })).await;
    let rule = json!({ "tenant": it.request.tenant, "tool": it.request.tool,
                       "signing": { "group": "finance" } });
    it.place.ask("tool_set_signing", rule).await;
    for (viewer, sees) in [(grace, false), (auditor, true), (somebody(OperatorRole::Owner), true)] {
        let view = it.place.ask_as(viewer, "approval_show", it.of()).await;
        assert_eq!(view["arguments"].is_string(), sees, "{viewer:?}");
        assert_eq!(view["withheld"].is_string(), !sees);
    }
    let editor = somebody(OperatorRole::PolicyEditor);
    let view = it.place.ask_as(editor, "approval_show", it.of()).await;
    assert_eq!((&view["arguments"], &view["previous"]), (&Value::Null, &Value::Null));
    assert!(view["withheld"].as_str().unwrap().contains("auditors"), "{view}");
    assert_eq!(view["row"]["tool_name"], "send_email", "that it waits is no secret");
    let sent = ["ada@example.com", "grace@example.com"];
    let log = it.place.ask_as(editor, "audit_export", json!({ "after": 0, "limit": 1000 })).await;
    for value in sent {
        assert!(!view.to_string().contains(value), "{value} is shown");
        assert!(!log.to_string().contains(value), "{value} is in the log");
    }
}

#[tokio::test]
async fn a_request_tells_what_its_agent_does_meanwhile() {
    let it = Waiting::new().await;
    let (tenant, id) = (it.request.tenant, it.request.id);
    let wait = |meanwhile| {
        let desk = Arc::clone(&it.ports.desk);
        tokio::spawn(async move { desk.decided(tenant, id, meanwhile).await.unwrap() })
    };
    let shows = async |held: bool, goes_on: bool| {
        let shown = async {
            loop {
                let row = it.place.ask("approval_list", json!({})).await[0].clone();
                if (&row["held"], &row["goes_on"]) == (&json!(held), &json!(goes_on)) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), shown).await.expect("it is shown");
    };
    shows(false, false).await;
    let asks = wait(Meanwhile::Asks);
    shows(true, true).await;
    let waits = wait(Meanwhile::Waits);
    shows(true, false).await;
    waits.abort();
    shows(true, true).await;
    asks.abort();
    shows(false, false).await;
}
