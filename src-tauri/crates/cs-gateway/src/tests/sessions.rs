//! Sessions: one agent, one task, a list that only shrinks, an end.

use std::time::Duration;

use cs_model::Grant;
use cs_model::event::EventKind;
use cs_model::state::SessionEnd;
use serde_json::json;

use super::client::{Client, INITIALIZE, Reply, body, legacy_call, meta};
use super::world::{OTHER, STRANGER, Stage, WORKER, task, tool};

async fn tools(client: &Client) -> Vec<String> {
    let reply = client.post(&body("tools/list", json!({}))).await.json();
    let tools = reply["result"]["tools"].as_array().unwrap().clone();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_session_is_opened_on_record_and_bound_to_its_task() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    assert_eq!(stage.journal.steps(), ["session.opened"]);
    let opened = stage.journal.events().remove(0);
    assert_eq!(opened.proof.as_deref(), Some("api_key"));
    let session = stage.gateway.sessions().remove(0);
    assert_eq!(session.task, Some(task(1000)));
    assert_eq!(session.tools, 2);
    let lasts = session.ends.since(session.opened);
    assert_eq!(lasts, Duration::from_secs(1800), "the task's longest, not an hour");
    assert_eq!(tools(&client).await, ["read_file", "write_file"]);
}

#[tokio::test]
async fn without_a_task_there_is_nothing_to_call() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).at("/t/acme/mcp").initialize().await;
    assert_eq!(tools(&client).await, [""; 0]);
    let reply = client.post(&legacy_call(2, "read_file", &json!({}))).await;
    assert_eq!(reply.error_code(), -32602);
    assert_eq!(stage.journal.reasons(EventKind::Decision), ["task_missing"]);
    let named = stage.client(WORKER).header("countersign-task", "workbench").at("/t/acme/mcp");
    assert_eq!(tools(&named.initialize().await).await.len(), 2, "and it can still be declared");
}

#[tokio::test]
async fn a_task_is_declared_by_address_header_or_meta_and_all_agree() {
    let stage = Stage::new().await;
    let plain = stage.client(WORKER).at("/t/acme/mcp");
    let mut declared = meta();
    declared["dev.countersign/task"] = "reading".into();
    let list = body("tools/list", json!({ "_meta": declared }));
    let reply = plain.modern("tools/list").post(&list).await.json();
    assert_eq!(reply["result"]["tools"].as_array().unwrap().len(), 1);

    for conflicting in [
        plain.modern("tools/list").header("countersign-task", "workbench"),
        plain.modern("tools/list").at("/t/acme/task/workbench/mcp"),
    ] {
        assert_eq!(conflicting.post(&list).await.status, 403);
        assert_eq!(stage.journal.reasons(EventKind::Decision).pop().unwrap(), "task_conflict");
    }
    let twice = plain.header("countersign-task", "reading").header("countersign-task", "reading");
    assert_eq!(twice.post(INITIALIZE).await.status, 400);
}

/// Attacks S02: a live session keeps its task, whichever way another one is declared.
#[tokio::test]
async fn s02_another_task_under_a_live_session_is_refused() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let session = client.initialize().await;
    let elsewhere = client.clone().at("/t/acme/task/reading/mcp");
    assert_eq!(elsewhere.post(INITIALIZE).await.status, 403);
    assert_eq!(elsewhere.call("read_file", json!({})).await.status, 403);
    let moved = session.clone().at("/t/acme/task/reading/mcp");
    assert_eq!(moved.post(&body("tools/list", json!({}))).await.status, 403);
    let header = session.clone().header("countersign-task", "reading");
    assert_eq!(header.post(&body("tools/list", json!({}))).await.status, 403);
    assert_eq!(stage.journal.reasons(EventKind::Decision), ["task_conflict"; 4]);
    assert_eq!(stage.gateway.sessions().len(), 1);
    assert_eq!(tools(&session).await.len(), 2, "the session is as it was");
    assert_eq!(session.send("DELETE", "").await.status, 204);
    assert_eq!(elsewhere.post(INITIALIZE).await.status, 200);
}

#[tokio::test]
async fn a_task_that_is_unknown_not_assigned_or_not_in_the_key_is_refused_alike() {
    let stage = Stage::new().await;
    let bodies = |reply: &Reply| {
        let correlation = reply.header("countersign-correlation").unwrap();
        (reply.status, reply.body.replace(correlation, "C"))
    };
    let client = stage.client(WORKER);
    let unknown = client.clone().at("/t/acme/task/nothing/mcp").post(INITIALIZE).await;
    let assigned = client.clone().at("/t/acme/task/forbidden/mcp").post(INITIALIZE).await;
    stage.change_key(WORKER, |key| key.tasks = Some([task(1001)].into()));
    let bound = client.post(INITIALIZE).await;
    assert_eq!(bodies(&unknown).0, 403);
    assert_eq!(bodies(&unknown), bodies(&assigned));
    assert_eq!(bodies(&unknown), bodies(&bound));
    assert_eq!(
        stage.journal.reasons(EventKind::Decision),
        ["task_unknown", "task_not_assigned", "task_not_in_credential"]
    );
    let reading = client.at("/t/acme/task/reading/mcp");
    assert_eq!(reading.post(INITIALIZE).await.status, 200);
}

/// Attacks S03: a session never grows.
#[tokio::test]
async fn s03_what_is_granted_later_is_for_the_next_session() {
    let stage = Stage::new().await;
    let session = stage.client(WORKER).initialize().await;
    stage.enforce(|it| {
        let acme = &mut it.tenants[0];
        acme.tasks[0].tools.insert(tool(1003));
        acme.roles[0].grants.insert(tool(1001), Grant::Allow);
        acme.roles[0].grants.insert(tool(1002), Grant::Allow);
    });
    assert_eq!(tools(&session).await, ["read_file", "write_file"]);
    let reply = session.post(&legacy_call(2, "web_fetch", &json!({}))).await;
    assert_eq!(reply.error_code(), -32602);
    assert_eq!(stage.journal.reasons(EventKind::Decision), ["opened_before"]);
    assert_eq!(stage.journal.calls(), []);
    session.send("DELETE", "").await;
    let next = stage.client(WORKER).initialize().await;
    assert_eq!(tools(&next).await.len(), 4);
}

#[tokio::test]
async fn s04_what_is_taken_away_is_gone_on_the_very_next_request() {
    let stage = Stage::new().await;
    let session = stage.client(WORKER).initialize().await;
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    assert_eq!(tools(&session).await, ["write_file"]);
    let reply = session.post(&legacy_call(2, "read_file", &json!({}))).await;
    assert_eq!(reply.error_code(), -32602);
    assert_eq!(stage.journal.reasons(EventKind::Decision), ["tool_disabled"]);
}

/// Attacks S05: an id of the wire proves nothing, and tells nothing.
#[tokio::test]
async fn s05_a_session_id_is_worth_nothing_to_anybody_else() {
    let stage = Stage::new().await;
    let session_of = |client: &Client| {
        let found = client.extra.iter().find(|(name, _)| name == "mcp-session-id");
        found.unwrap().1.clone()
    };
    let before = session_of(&stage.client(WORKER).initialize().await);
    let owner = stage.client(WORKER).initialize().await;
    let id = session_of(&owner);
    assert!(id.len() >= 43 && id.bytes().all(|byte| byte.is_ascii_graphic()));
    let answer = |reply: Reply| {
        let correlation = reply.header("countersign-correlation").unwrap().to_owned();
        let names: Vec<_> = reply.headers.iter().map(|(name, _)| name.clone()).collect();
        (reply.status, reply.body.replace(&correlation, "C"), names)
    };
    let list = body("tools/list", json!({}));
    let mut answers = Vec::new();
    for (number, id) in [
        (OTHER, id.clone()),
        (STRANGER, id.clone()),
        (WORKER, "chosen-by-the-client".to_owned()),
        (WORKER, before),
    ] {
        let client = stage.client(number).header("mcp-session-id", &id);
        answers.push(answer(client.post(&list).await));
        let stream = client.clone().header("mcp-protocol-version", "2025-11-25");
        assert_eq!(stream.send("GET", "").await.status, 404, "nor its stream");
        assert_eq!(stream.send("DELETE", "").await.status, 404, "nor does it end for them");
    }
    assert_eq!(tools(&owner).await.len(), 2, "it is what it was");
    assert_eq!(answers[0].0, 404);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(owner.send("DELETE", "").await.status, 204);
    assert_eq!(answer(owner.post(&list).await), answers[0]);
    let unnamed = stage.client(WORKER).post(&list).await;
    assert_eq!(unnamed.status, 400);
}

#[tokio::test]
async fn initialize_goes_on_with_the_session_under_a_new_id() {
    let stage = Stage::new().await;
    let first = stage.client(WORKER).initialize().await;
    let second = stage.client(WORKER).initialize().await;
    assert_eq!(stage.gateway.sessions().len(), 1);
    assert_eq!(first.post(&body("tools/list", json!({}))).await.status, 404);
    assert_eq!(tools(&second).await.len(), 2);
    assert_eq!(stage.client(WORKER).call("read_file", json!({})).await.text(), "done");
    assert_eq!(stage.gateway.sessions().len(), 1, "both eras share it");
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_up_and_each_era_hears_it_in_its_own_way() {
    let stage = Stage::new().await;
    let legacy = stage.client(WORKER).initialize().await;
    let modern = stage.client(OTHER);
    modern.call("read_file", json!({})).await;
    let before: Vec<_> = stage.gateway.sessions().iter().map(|session| session.id).collect();
    stage.journal.pass(Duration::from_millis(1_799_999));
    assert_eq!(tools(&legacy).await.len(), 2);
    stage.journal.pass(Duration::from_millis(1));
    assert_eq!(legacy.post(&body("tools/list", json!({}))).await.status, 404);
    assert_eq!(modern.call("read_file", json!({})).await.text(), "done");
    let after = stage.gateway.sessions();
    assert_eq!(after.len(), 1);
    assert!(!before.contains(&after[0].id), "a new one, on record");
    let ended = stage.journal.reasons(EventKind::SessionEnded);
    assert!(!ended.is_empty() && ended.iter().all(|why| why == "expired"), "{ended:?}");
}

#[tokio::test]
async fn a_session_never_outlives_its_credential() {
    let stage = Stage::new().await;
    let soon = stage.journal.time().after(Duration::from_secs(60));
    stage.change_key(WORKER, |key| key.expires = soon);
    stage.client(WORKER).initialize().await;
    assert_eq!(stage.gateway.sessions()[0].ends, soon);
}

/// Attacks S09: whatever a task says, an hour is the most, or what the gateway has instead.
#[tokio::test]
async fn s09_a_session_lasts_no_longer_than_the_gateway_has_it() {
    let stage = Stage::with(|it| it.limits.session = Duration::from_secs(600)).await;
    stage.client(WORKER).initialize().await;
    stage.client(OTHER).at("/t/acme/mcp").initialize().await;
    for session in stage.gateway.sessions() {
        assert_eq!(session.ends.since(session.opened), Duration::from_secs(600));
    }
}

/// Attacks S09 and S10: what is over ends by itself, also when nobody comes any more.
#[tokio::test]
async fn s09_s10_a_session_ends_with_its_time_or_its_credential_though_nobody_asks() {
    for by_key in [false, true] {
        let stage = Stage::with(|it| it.limits.sweep = Duration::from_millis(10)).await;
        stage.client(WORKER).initialize().await;
        if by_key {
            stage.change_key(WORKER, |key| {
                key.state = cs_model::state::CredentialState::Suspended;
            });
        } else {
            stage.journal.pass(Duration::from_secs(1800));
        }
        let ended = async {
            while !stage.gateway.sessions().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(super::client::PATIENCE, ended).await.expect("it ends");
        let why = if by_key { "credential" } else { "expired" };
        assert_eq!(stage.journal.reasons(EventKind::SessionEnded), [why]);
    }
}

#[tokio::test]
async fn s05_a_session_that_an_operator_ended_is_over_for_both_eras() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let id = stage.gateway.sessions()[0].id;
    assert!(stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap());
    assert!(!stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap());
    assert_eq!(client.post(&body("tools/list", json!({}))).await.status, 404);
    assert_eq!(stage.journal.reasons(EventKind::SessionEnded), ["operator"]);
    assert!(!stage.journal.is_stored(id));
}

#[tokio::test]
async fn a_session_is_still_under_way_after_a_restart() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let address = stage.gateway.address();
    stage.gateway.stop().await;
    let again = Stage::after(stage.journal.clone(), |config| config.listen = address).await;
    again.enforce(|it| {
        it.tenants[0].tasks[0].tools.insert(tool(1003));
    });
    assert_eq!(tools(&client).await, ["read_file", "write_file"], "with the list it had");
    assert_eq!(again.gateway.sessions().len(), 1);
}

/// Attacks S10: however opening and revoking interleave, what is revoked is of no use.
#[tokio::test]
async fn s10_no_session_is_usable_after_its_credential_was_revoked() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let opening = {
        let client = client.clone();
        tokio::spawn(async move { client.call("read_file", json!({})).await })
    };
    stage.change_key(WORKER, |key| key.state = cs_model::state::CredentialState::Revoked);
    opening.await.unwrap();
    let calls = stage.journal.calls().len();
    assert_eq!(client.call("read_file", json!({})).await.status, 401);
    assert_eq!(stage.journal.calls().len(), calls);
}

#[tokio::test]
async fn s09_many_first_requests_at_once_open_one_session() {
    let stage = Stage::new().await;
    // They all come while the first is written down.
    stage.journal.audit_is_slow.send_replace(true);
    let calls: Vec<_> = (0..16)
        .map(|id| {
            let client = stage.client(WORKER).modern("tools/list");
            let params = json!({ "_meta": meta() });
            let list = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list",
                "params": params });
            tokio::spawn(async move { client.post(&list.to_string()).await.status })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.journal.audit_is_slow.send_replace(false);
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(stage.journal.reasons(EventKind::SessionOpened).len(), 1);
}
