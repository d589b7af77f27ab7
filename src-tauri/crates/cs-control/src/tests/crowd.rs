//! Agents that ask people too much, and what an operator does about them.

use std::time::Duration;

use cs_gateway::ports::{NewApproval, Ruling};
use cs_model::state::OperatorRole;
use cs_model::{ApprovalId, Digest};
use serde_json::{Value, json};

use super::approvals::Waiting;
use super::place::{PASSPHRASE, Place, somebody};
use crate::actor::Actor;

const LOCAL: Actor = Actor::Local { uid: Some(0) };

/// Has the same session ask for more: as many calls as these, each with other arguments.
async fn more(it: &Waiting, count: u8) -> Vec<Option<ApprovalId>> {
    numbered(it, 0..count).await
}

async fn numbered(it: &Waiting, numbers: std::ops::Range<u8>) -> Vec<Option<ApprovalId>> {
    let mut filed = Vec::new();
    for number in numbers {
        let arguments = format!(r#"{{"to":"{number}@example.com"}}"#);
        let request = NewApproval {
            id: ApprovalId::from_random([number.saturating_add(40); 16]),
            operation: Digest::of(arguments.as_bytes()),
            arguments_digest: Digest::of(arguments.as_bytes()),
            arguments,
            ..it.request.clone()
        };
        filed.push(it.ports.desk.file(request, Vec::new()).await.unwrap());
    }
    filed
}

async fn ruling(it: &Waiting, id: ApprovalId) -> Ruling {
    it.ports.desk.ruling(it.request.tenant, id).await.unwrap()
}

fn agent(it: &Waiting) -> Value {
    json!({ "tenant": it.request.tenant, "agent": it.request.agent })
}

/// Attacks O16: ten calls of an agent wait at a time where nothing else is set.
#[tokio::test]
async fn o16_a_flood_of_calls_is_not_filed() {
    let it = Waiting::new().await;
    let filed = more(&it, 12).await;
    assert_eq!(filed.iter().flatten().count(), 9, "one waits already");
    let listed = it.place.ask("approval_list", json!({})).await;
    assert_eq!(listed.as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn how_many_may_wait_is_set_told_of_written_down_and_lifted() {
    let it = Waiting::new().await;
    let place = &it.place;
    let mut args = agent(&it);
    args["most"] = json!(25);
    assert_eq!(place.ask("agent_set_waiting", args).await["most_waiting"], 25);
    {
        let world = place.control.core().unwrap().world.subscribe();
        let world = world.borrow();
        let acme = world.policy.tenant_named("acme").unwrap();
        assert_eq!(acme.agent(it.request.agent).unwrap().most_waiting.unwrap().get(), 25);
    }
    let log = place.log(&["admin.changed"]).await;
    let told = log[0]["summary"].as_str().unwrap();
    assert!(told.contains("at most 25 calls of agent `executor-1` may wait for people"), "{told}");
    let text = place.ask("export", json!({})).await["text"].clone();
    assert!(text.as_str().unwrap().contains("most_waiting: 25"));
    let elsewhere = Place::new().await;
    elsewhere.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(elsewhere.agent("executor-1").await["most_waiting"], 25);
    assert_eq!(elsewhere.ask("export", json!({})).await["text"], text);
    assert_eq!(place.ask("agent_set_waiting", agent(&it)).await["most_waiting"], Value::Null);
    let console = place.control.console();
    for wrong in [json!(0), json!(501), json!(-1), json!("5")] {
        let mut args = agent(&it);
        args["most"] = wrong;
        let refused = place.refused(console, "agent_set_waiting", args).await;
        assert_eq!(refused["code"], "invalid");
    }
    let wrong = text.as_str().unwrap().replace("most_waiting: 25", "most_waiting: 0");
    let refused = place.refused(console, "apply", json!({ "text": wrong, "dry_run": true })).await;
    assert_eq!(refused["code"], "invalid");
}

/// Attacks O16, O10: pausing an agent takes back all that it has waiting, also what somebody
/// signed for and nobody waits for, and whoever decides can do it.
#[tokio::test]
async fn o16_o10_pausing_an_agent_takes_back_what_it_asked_for() {
    let it = Waiting::new().await;
    let filed = more(&it, 3).await;
    it.place.ask("approval_approve", it.approve()).await;
    assert!(matches!(it.ruling().await, Ruling::Approved { .. }));
    let auditor = somebody(OperatorRole::Auditor);
    assert_eq!(it.place.refused(auditor, "agent_pause", agent(&it)).await["code"], "forbidden");

    let approver = somebody(OperatorRole::Approver);
    let mut args = agent(&it);
    args["reason"] = json!("It asks for the same thing over and over.");
    // The actor of a change is on record by id, so it has to be one that there is.
    assert_eq!(it.place.ask_as(approver, "agent_pause", args).await["standing"], "suspended");
    assert_eq!(it.ruling().await, Ruling::Withdrawn);
    for id in filed.into_iter().flatten() {
        assert_eq!(ruling(&it, id).await, Ruling::Withdrawn);
    }
    let log = it.place.log(&["approval.withdrawn"]).await;
    assert_eq!(log.len(), 4);
    let enforced = it.place.log(&["policy.enforced"]).await;
    let summary = enforced[0]["summary"].as_str().unwrap();
    assert!(summary.contains("over and over"), "{summary}");
    let again = it.place.refused(it.place.control.console(), "agent_pause", agent(&it)).await;
    assert_eq!(again["code"], "conflict");

    let mut args = agent(&it);
    args["standing"] = json!("active");
    let refused = it.place.refused(approver, "agent_set_standing", args.clone()).await;
    assert_eq!(refused["code"], "forbidden", "letting it act again is not theirs");
    it.place.ask("agent_set_standing", args).await;
    assert_eq!(numbered(&it, 90..91).await.iter().flatten().count(), 1, "it may ask again");
}

#[tokio::test]
async fn o16_a_file_that_suspends_an_agent_takes_back_what_it_asked_for() {
    let it = Waiting::new().await;
    let text = it.place.ask("export", json!({})).await["text"].clone();
    let (before, after) = text.as_str().unwrap().split_once("executor-1:").unwrap();
    let after = after.replacen("standing: active", "standing: suspended", 1);
    let text = format!("{before}executor-1:{after}");
    it.place.ask("apply", json!({ "text": text, "dry_run": true })).await;
    assert_eq!(it.ruling().await, Ruling::Pending, "that was only a question");
    it.place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(it.place.agent("executor-1").await["standing"], "suspended");
    assert_eq!(it.ruling().await, Ruling::Withdrawn);
}

#[tokio::test]
async fn o16_all_that_a_session_has_waiting_is_denied_at_once_each_on_record() {
    let it = Waiting::new().await;
    let filed = more(&it, 4).await;
    let all = |reason: &str| json!({ "tenant": it.request.tenant, "session": it.request.session, "reason": reason });
    let console = it.place.control.console();
    let refused = it.place.refused(console, "approval_deny_all", all("  ")).await;
    assert_eq!(refused["field"], "reason");
    let auditor = somebody(OperatorRole::Auditor);
    let refused = it.place.refused(auditor, "approval_deny_all", all("No.")).await;
    assert_eq!(refused["code"], "forbidden");
    let done = it.place.ask("approval_deny_all", all("None of this is its task.")).await;
    assert_eq!(done, json!({ "denied": 5, "session_ended": false }));
    for id in filed.into_iter().flatten().chain([it.request.id]) {
        let reason = "None of this is its task.".to_owned();
        assert_eq!(ruling(&it, id).await, Ruling::Denied { reason });
    }
    let log = it.place.log(&["approval.denied"]).await;
    assert_eq!(log.len(), 5);
    assert!(log.iter().all(|it| it["who"] == "Ada"));
    let again = it.place.refused(console, "approval_deny_all", all("Again.")).await;
    assert_eq!(again["code"], "conflict", "nothing waits");
}

#[tokio::test]
async fn o16_the_session_is_ended_with_it_by_somebody_who_may() {
    let it = Waiting::new().await;
    more(&it, 1).await;
    let args = json!({ "name": "Bob", "role": "approver", "passphrase": "another passphrase" });
    it.place.ask("operator_create", args).await;
    let mut args = json!({ "tenant": it.request.tenant, "session": it.request.session,
                           "reason": "It was told what to do by a web page.", "end_session": true,
                           "passphrase": "another passphrase" });
    let refused = it.place.refused(LOCAL, "approval_deny_all", args.clone()).await;
    assert_eq!(refused["code"], "forbidden", "an approver ends no session");
    assert_eq!(it.ruling().await, Ruling::Pending, "and nothing was done by halves");
    args["passphrase"] = json!(PASSPHRASE);
    let done = it.place.ask_as(LOCAL, "approval_deny_all", args.clone()).await;
    assert_eq!(done, json!({ "denied": 2, "session_ended": true }));
    let tenant = json!({ "tenant": it.request.tenant, "live_only": true });
    assert_eq!(it.place.ask("session_list", tenant).await, json!([]));
    it.place.clock.advance(Duration::from_secs(1));
    let done = it.place.ask_as(LOCAL, "approval_deny_all", args).await;
    assert_eq!(done, json!({ "denied": 0, "session_ended": false }), "it is over");
    let log = it.place.log(&["session.ended"]).await;
    assert_eq!(log.len(), 1);
}

/// Has calls decided, each of them three seconds after it was asked.
async fn decide(it: &Waiting, numbers: std::ops::Range<u8>, approve: bool) {
    for number in numbers {
        let arguments = format!(r#"{{"to":"{number}@example.org"}}"#);
        let id = ApprovalId::from_random([number.saturating_add(100); 16]);
        let digest = Digest::of(arguments.as_bytes());
        let now = it.place.control.now();
        let request = NewApproval {
            id,
            operation: digest,
            arguments_digest: digest,
            arguments,
            requested: now,
            decide_by: now.after(Duration::from_secs(900)),
            ..it.request.clone()
        };
        it.ports.desk.file(request, Vec::new()).await.unwrap().unwrap();
        it.place.clock.advance(Duration::from_secs(3));
        let mut args = json!({ "tenant": it.request.tenant, "approval": id });
        if approve {
            args["shown"] = json!(digest);
            it.place.ask("approval_approve", args).await;
        } else {
            args["reason"] = json!("No.");
            it.place.ask("approval_deny", args).await;
        }
    }
}

fn suggested(stats: &Value) -> Option<(&str, &str, &str)> {
    let all = stats["suggestions"].as_array().unwrap();
    assert!(all.len() < 2, "{all:?}");
    let one = all.first()?;
    assert_eq!(one["role_name"], "executor");
    Some((
        one["tool_name"].as_str().unwrap(),
        one["grant"].as_str().unwrap(),
        one["sentence"].as_str().unwrap(),
    ))
}

async fn stats(it: &Waiting, by: &str, days: u32) -> Value {
    let args = json!({ "tenant": it.request.tenant, "by": by, "days": days });
    it.place.ask("approval_stats", args).await
}

#[tokio::test]
async fn figures_are_counted_and_a_clear_answer_is_a_suggestion_and_no_more() {
    let it = Waiting::new().await;
    it.place.ask("agent_pause", agent(&it)).await;
    let mut again = agent(&it);
    again["standing"] = json!("active");
    it.place.ask("agent_set_standing", again).await;
    let exported = it.place.ask("export", json!({})).await;
    decide(&it, 0..19, true).await;
    assert_eq!(suggested(&stats(&it, "tool", 7).await), None, "nineteen are too few");
    decide(&it, 19..20, true).await;
    let found = stats(&it, "tool", 7).await;
    let all = &found["all"];
    assert_eq!((&all["asked"], &all["approved"]), (&json!(21), &json!(20)));
    assert_eq!((&all["withdrawn"], &all["denied"]), (&json!(1), &json!(0)));
    assert_eq!((&all["median_seconds"], &all["p90_seconds"]), (&json!(3), &json!(3)));
    let line = &found["lines"][0];
    assert_eq!((&line["name"], &line["server_name"]), (&json!("send_email"), &json!("workbench")));
    let (tool, grant, sentence) = suggested(&found).unwrap();
    assert_eq!((tool, grant), ("send_email", "allow"));
    assert!(
        sentence.starts_with("approved 20 of 20 in the last 30 days, median 3 s"),
        "{sentence}"
    );
    assert_eq!(stats(&it, "agent", 30).await["lines"][0]["name"], "executor-1");
    assert_eq!(it.place.ask("export", json!({})).await, exported, "nothing is applied by itself");

    let marks = |marks: Value| json!({ "tenant": it.request.tenant, "tool": it.request.tool, "effects": marks });
    it.place.ask("tool_set_effects", marks(json!({ "destroys": true }))).await;
    assert_eq!(suggested(&stats(&it, "tool", 7).await), None, "what destroys stays signed");
    it.place.ask("tool_set_effects", marks(json!({}))).await;
    let rule = json!({ "tenant": it.request.tenant, "tool": it.request.tool,
                       "signing": { "approvers": 2 } });
    it.place.ask("tool_set_signing", rule).await;
    assert_eq!(suggested(&stats(&it, "tool", 7).await), None, "who asks for two wants it signed");
    let console = it.place.control.console();
    for days in [0, 366] {
        let args = json!({ "by": "tool", "days": days });
        let refused = it.place.refused(console, "approval_stats", args).await;
        assert_eq!(refused["field"], "days");
    }
}

#[tokio::test]
async fn what_is_always_denied_is_suggested_to_be_denied_until_one_is_approved() {
    let it = Waiting::new().await;
    decide(&it, 0..4, false).await;
    assert_eq!(suggested(&stats(&it, "tool", 30).await), None);
    decide(&it, 4..5, false).await;
    let found = stats(&it, "tool", 30).await;
    let (tool, grant, sentence) = suggested(&found).unwrap();
    assert_eq!((tool, grant), ("send_email", "deny"));
    assert_eq!(sentence, "denied 5 of 5 in the last 30 days: consider deny");
    decide(&it, 5..6, true).await;
    assert_eq!(suggested(&stats(&it, "tool", 30).await), None);
}
