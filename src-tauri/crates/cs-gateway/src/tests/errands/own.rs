//! Calls that wait for a person while their clients ask how they fare.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cs_model::Pass;
use cs_model::Passes;
use cs_model::event::EventKind;
use cs_model::state::SessionEnd;
use serde_json::{Value, json};

use super::super::client::{Client, PATIENCE};
use super::super::world::{Behaviour, OTHER, STRANGER, Stage, WORKER};
use super::{Stands, able, about, ask, call, id_of, plain, until};
use crate::ports::{NewApproval, Ruling};

fn write() -> Value {
    json!({ "text": "x", "path": "a" })
}

/// A call that waits for a person: its task, and the request.
async fn waiting(stage: &Stage, client: &Client) -> (String, NewApproval) {
    let created = call(client, "write_file", &write(), &json!({})).await;
    (id_of(&created), stage.journal.requests(1).await.remove(0))
}

#[tokio::test]
async fn a_call_that_needs_a_person_is_a_task_and_is_made_once_when_they_sign() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let created = call(&client, "write_file", &write(), &json!({})).await;
    let id = id_of(&created);
    let request = stage.journal.requests(1).await.remove(0);
    let result = &created["result"];
    assert_eq!(result["status"], "working");
    assert!(result["ttlMs"].as_u64().unwrap() >= 900_000, "{result}");
    assert!(result["pollIntervalMs"].is_u64() && result["createdAt"].is_string(), "{result}");
    assert!(result["statusMessage"].as_str().unwrap().contains(&request.id.to_string()));
    let got = ask(&client, "tasks/get", &id).await;
    assert_eq!(
        (&got["result"]["resultType"], &got["result"]["taskId"]),
        (&json!("complete"), &json!(id))
    );
    assert_eq!(got["result"]["status"], "working");
    assert_eq!(stage.journal.calls(), [], "nobody has signed");
    stage.journal.forget();
    stage.journal.approve(&request, 1);
    let done = until(&client, &id, "completed").await;
    assert_eq!(done["result"]["content"][0]["text"], "done");
    assert_eq!(done["result"]["vendor"], 1.0);
    let calls = stage.journal.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].arguments.as_deref(), Some(r#"{"path":"a","text":"x"}"#));
    let steps = stage.journal.steps();
    let own = steps.iter().filter(|it| !it.starts_with("authn"));
    let own: Vec<_> = own.map(String::as_str).collect();
    let order = ["token.redeemed", "execution.started", "called upstream", "execution.finished"];
    let at = own.iter().position(|it| *it == "token.redeemed").unwrap();
    assert_eq!(own[at..at + 4], order);
    until(&client, &id, "completed").await;
    assert_eq!(stage.journal.calls().len(), 1);
    assert!(stage.journal.reasons(EventKind::Decision).contains(&"task_inquiry".to_owned()));
}

#[tokio::test]
async fn o18_a_task_that_is_denied_or_not_decided_ends_without_a_call() {
    for (ruling, says) in [
        (Ruling::Denied { reason: "not today".into() }, "denied this call: not today"),
        (Ruling::Expired, "Nobody decided in time"),
        (Ruling::Unknown, "its outcome is not known"),
    ] {
        let stage = Stage::new().await;
        let client = stage.client(WORKER);
        let (id, request) = waiting(&stage, &client).await;
        stage.journal.rule(request.id, ruling);
        let done = until(&client, &id, "completed").await;
        assert_eq!(done["result"]["isError"], true);
        let text = done["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains(says), "{text}");
        assert_eq!(stage.journal.calls(), []);
    }
}

#[tokio::test]
async fn o10_a_task_that_its_client_gives_up_is_taken_back() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let (id, request) = waiting(&stage, &client).await;
    let noted = ask(&client, "tasks/cancel", &id).await;
    assert_eq!(noted["result"]["resultType"], "complete", "{noted}");
    assert_eq!(noted["result"]["taskId"], Value::Null);
    until(&client, &id, "cancelled").await;
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Withdrawn);
    assert_eq!(stage.journal.reasons(EventKind::ApprovalWithdrawn), ["cancelled"]);
    let again = ask(&client, "tasks/cancel", &id).await;
    assert_eq!(again["result"]["resultType"], "complete", "{again}");
    // A signature that comes too late pays for nothing.
    stage.journal.approve(&request, 1);
    until(&client, &id, "cancelled").await;
    assert_eq!(stage.journal.calls(), []);
}

#[tokio::test]
async fn o10_a_task_that_is_given_up_in_the_moment_of_its_approval_never_runs_its_call() {
    let stage = Stage::new().await;
    let (id, request) = waiting(&stage, &stage.client(WORKER)).await;
    stage.gateway.stop().await;
    stage.journal.approve(&request, 1);
    let stage = Stage::after(Arc::clone(&stage.journal), |_| {}).await;
    let noted = ask(&stage.client(WORKER), "tasks/cancel", &id).await;
    assert_eq!(noted["result"]["resultType"], "complete", "{noted}");
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Withdrawn, "once it is noted");
    until(&stage.client(WORKER), &id, "cancelled").await;
    assert_eq!(stage.journal.reasons(EventKind::ApprovalWithdrawn), ["cancelled"]);
    let stage = restarted(&stage).await;
    until(&stage.client(WORKER), &id, "cancelled").await;
    assert_eq!(stage.journal.calls(), []);
}

#[tokio::test]
async fn o10_a_task_that_ended_without_its_call_does_not_run_it_after_a_restart() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let (id, request) = waiting(&stage, &client).await;
    stage.journal.ledger_is_down.store(true, Ordering::SeqCst);
    stage.journal.approve(&request, 1);
    until(&client, &id, "failed").await;
    assert_eq!(stage.journal.reasons(EventKind::ApprovalWithdrawn), ["task_ended"]);
    stage.journal.ledger_is_down.store(false, Ordering::SeqCst);
    let stage = restarted(&stage).await;
    until(&stage.client(WORKER), &id, "cancelled").await;
    assert_eq!(stage.journal.calls(), []);
}

#[tokio::test]
async fn s06_a_task_of_somebody_else_is_one_that_never_was() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let (id, request) = waiting(&stage, &client).await;
    let control = plain(ask(&client, "tasks/get", "tsk_AQID").await);
    assert_eq!(control["error"]["code"], -32602, "{control}");
    let mut tampered = id.clone();
    let last = tampered.pop().unwrap();
    tampered.push(if last == 'A' { 'B' } else { 'A' });
    for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
        for (who, id) in
            [(OTHER, &id), (STRANGER, &id), (WORKER, &tampered), (WORKER, &request.id.to_string())]
        {
            let mut params = json!({ "taskId": id, "_meta": able(&json!({})) });
            if method == "tasks/update" {
                params["inputResponses"] = json!({});
            }
            let told = about(&stage.client(who), method, params).await;
            assert_eq!(plain(told), control, "{method} by {who}");
        }
    }
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Pending, "nobody took it back");
    let session = stage.gateway.sessions().iter().find(|it| it.waiting > 0).unwrap().id;
    stage.gateway.end_session(session, SessionEnd::Client).await.unwrap();
    let told = ask(&client, "tasks/get", &id).await;
    assert_eq!(plain(told), control, "its session is over");
    assert_eq!(stage.journal.ruling_of(request.id), Ruling::Withdrawn);
    let reasons = stage.journal.reasons(EventKind::RequestRefused);
    assert!(reasons.iter().all(|it| it == "task_handle_unknown"), "{reasons:?}");
}

#[tokio::test]
async fn o08_a_task_is_judged_anew_before_its_call_is_made() {
    for change in [
        (|it| it.tools[1].enabled = false) as fn(&mut cs_model::document::TenantDoc),
        |it| it.agents[0].roles.clear(),
        |it| it.agents[0].standing = cs_model::state::Standing::Suspended,
        |it| it.tools[1].fingerprint = cs_model::Digest::of(b"another"),
        |it| it.servers[0].enabled = false,
    ] {
        let stage = Stage::new().await;
        let client = stage.client(WORKER);
        let (id, request) = waiting(&stage, &client).await;
        stage.enforce(|it| change(&mut it.tenants[0]));
        stage.journal.approve(&request, 1);
        let told = ask(&client, "tasks/get", &id).await;
        assert_ne!(told["error"], Value::Null, "{told}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(stage.journal.calls(), []);
        assert!(!stage.journal.steps().contains(&"token.redeemed".to_owned()));
    }
}

#[tokio::test]
async fn the_same_call_twice_is_one_request_and_is_made_once() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let (first, request) = waiting(&stage, &client).await;
    let second = id_of(&call(&client, "write_file", &write(), &json!({})).await);
    assert_eq!(stage.journal.requests_now().len(), 1);
    stage.journal.approve(&request, 1);
    for id in [&first, &second] {
        let done = until(&client, id, "completed").await;
        assert_eq!(done["result"]["content"][0]["text"], "done");
    }
    assert_eq!(stage.journal.calls().len(), 1);
}

/// What another gateway finds that starts on what this one left behind.
async fn restarted(stage: &Stage) -> Stage {
    stage.gateway.stop().await;
    Stage::after(Arc::clone(&stage.journal), |_| {}).await
}

#[tokio::test]
async fn o02_a_task_that_waits_goes_on_after_a_restart_and_is_made_once() {
    let stage = Stage::new().await;
    let (id, request) = waiting(&stage, &stage.client(WORKER)).await;
    let stage = restarted(&stage).await;
    let client = stage.client(WORKER);
    let told = ask(&client, "tasks/get", &id).await;
    assert_eq!(told["result"]["status"], "working", "{told}");
    let other = ask(&stage.client(OTHER), "tasks/get", &id).await;
    assert_eq!(other["error"]["code"], -32602, "{other}");
    stage.journal.approve(&request, 1);
    let done = until(&client, &id, "completed").await;
    assert_eq!(done["result"]["content"][0]["text"], "done");
    let stage = restarted(&stage).await;
    let done = until(&stage.client(WORKER), &id, "completed").await;
    let text = done["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("was executed"), "{text}");
    assert_eq!(stage.journal.calls().len(), 1, "never a second time");
}

#[tokio::test]
async fn o02_a_task_that_was_signed_for_while_nobody_served_is_made_once_when_its_client_asks() {
    let stage = Stage::new().await;
    let (id, request) = waiting(&stage, &stage.client(WORKER)).await;
    stage.gateway.stop().await;
    stage.journal.approve(&request, 1);
    let stage = Stage::after(Arc::clone(&stage.journal), |_| {}).await;
    let client = stage.client(WORKER);
    assert_eq!(stage.journal.calls(), [], "nobody asked");
    let asks = || ask(&client, "tasks/get", &id);
    tokio::join!(asks(), asks(), asks(), asks());
    let done = until(&client, &id, "completed").await;
    assert_eq!(done["result"]["content"][0]["text"], "done");
    assert_eq!(stage.journal.calls().len(), 1);
}

#[tokio::test]
async fn o02_a_task_is_after_a_restart_what_is_on_record_of_its_request() {
    for (ruling, status, says) in [
        (Ruling::Unknown, "completed", "its outcome is not known"),
        (Ruling::Denied { reason: "no".into() }, "completed", "denied"),
        (Ruling::Expired, "completed", "in time"),
        (Ruling::Withdrawn, "cancelled", ""),
    ] {
        let stage = Stage::new().await;
        let (id, request) = waiting(&stage, &stage.client(WORKER)).await;
        stage.gateway.stop().await;
        stage.journal.rule(request.id, ruling);
        let stage = Stage::after(Arc::clone(&stage.journal), |_| {}).await;
        let told = until(&stage.client(WORKER), &id, status).await;
        assert!(told["result"].to_string().contains(says), "{told}");
        assert_eq!(stage.journal.calls(), []);
    }
}

#[tokio::test]
async fn what_a_server_says_no_to_fails_the_task() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Error(-32099, "no".to_owned()));
    let client = stage.client(WORKER);
    let (id, request) = waiting(&stage, &client).await;
    stage.journal.approve(&request, 1);
    let failed = until(&client, &id, "failed").await;
    assert_eq!(failed["error"]["code"], -32602, "{failed}");
    assert_eq!(failed["error"]["message"], "no");
}

#[tokio::test]
async fn o10_a_task_that_is_under_way_is_given_up_with_its_outcome_unknown() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Hang);
    let client = stage.client(WORKER);
    let (id, request) = waiting(&stage, &client).await;
    stage.journal.approve(&request, 1);
    stage.journal.reached(1).await;
    ask(&client, "tasks/cancel", &id).await;
    until(&client, &id, "cancelled").await;
    assert_eq!(stage.journal.reasons(EventKind::ExecutionFinished), ["cancelled"]);
}

#[tokio::test]
async fn h15_a_task_asks_its_client_by_keys_of_its_own_and_takes_fitting_answers() {
    for behaviour in [Behaviour::Rounds, Behaviour::Errand] {
        let stage = Stage::new().await;
        stage.enforce(|it| it.tenants[0].servers[0].passes = Passes::of([Pass::Elicitation]));
        stage.journal.behave(behaviour.clone());
        let client = stage.client(WORKER);
        let created = call(&client, "write_file", &write(), &json!({ "elicitation": {} })).await;
        let id = id_of(&created);
        let request = stage.journal.requests(1).await.remove(0);
        stage.journal.approve(&request, 1);
        if matches!(behaviour, Behaviour::Errand) {
            stage.journal.reached(1).await;
            let form = r#"{"message":"Who?","requestedSchema":{"type":"object"}}"#;
            stage.journal.errands.set("theirs-0", Stands::Asks("elicitation/create", form));
        }
        let asks = until(&client, &id, "input_required").await;
        let questions = asks["inputRequests"].as_object().unwrap();
        let key = questions.keys().next().unwrap().clone();
        assert_eq!(questions[&key]["params"]["message"], "Who?");
        let update = |responses: Value| {
            let params = json!({ "taskId": id, "inputResponses": responses,
                "_meta": able(&json!({})) });
            about(&client, "tasks/update", params)
        };
        let accepted = json!({ "action": "accept", "content": { "name": "Ada" } });
        for wrong in [json!({ "who": accepted }), json!({ &key: 3 }), json!({})] {
            assert_eq!(update(wrong).await["result"]["resultType"], "complete");
            assert_eq!(ask(&client, "tasks/get", &id).await["result"]["status"], "input_required");
        }
        update(json!({ &key: accepted, "other": accepted })).await;
        let done = until(&client, &id, "completed").await.to_string();
        if matches!(behaviour, Behaviour::Rounds) {
            assert!(done.contains("Ada") && !done.contains("other"), "{done}");
        } else {
            let answered = r#"{"who":{"action":"accept","content":{"name":"Ada"}}}"#;
            assert_eq!(stage.journal.errands.told(), [answered]);
        }
        assert_eq!(stage.journal.calls().len(), if done.contains("theirs") { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_client_that_cannot_do_with_a_task_waits_as_before() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let waits = client.call("write_file", write());
    let signs = async {
        let request = stage.journal.requests(1).await.remove(0);
        stage.journal.approve(&request, 1);
    };
    let (reply, ()) = tokio::join!(waits, signs);
    assert_eq!(reply.text(), "done");
    let older = client.initialize().await;
    let text = super::super::client::legacy_call(4, "read_file", &json!({}));
    assert_eq!(tokio::time::timeout(PATIENCE, older.post(&text)).await.unwrap().text(), "done");
}

#[tokio::test]
async fn s06_a_stream_tells_where_own_tasks_stand_and_of_no_others() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let (id, request) = waiting(&stage, &client).await;
    let listen = |who: u128| {
        let params = json!({ "notifications": { "taskIds": [id, "tsk_AQID"] },
            "_meta": able(&json!({})) });
        let client = stage.client(who).modern("subscriptions/listen");
        let text = super::super::client::body("subscriptions/listen", params);
        async move { client.open("POST", &text).await }
    };
    let (mut stream, mut other) = (listen(WORKER).await, listen(OTHER).await);
    let begins = stream.until("\"status\":\"working\"").await;
    assert!(begins.contains(&format!("\"taskIds\":[\"{id}\"]")), "{begins}");
    other.until("\"notifications\":{}}}").await;
    stage.journal.approve(&request, 1);
    let told = stream.until("\"status\":\"completed\"").await;
    assert!(told.contains("notifications/tasks") && told.contains("done"), "{told}");
    assert!(told.contains("io.modelcontextprotocol/subscriptionId"));
    let params =
        json!({ "notifications": { "taskIds": [id] }, "_meta": super::super::client::meta() });
    let text = super::super::client::body("subscriptions/listen", params);
    let refused = client.modern("subscriptions/listen").post(&text).await;
    assert_eq!(refused.error_code(), -32021);
}

#[tokio::test]
async fn o19_a_stream_tells_nothing_of_a_task_whose_call_would_not_be_allowed_any_more() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let (id, request) = waiting(&stage, &client).await;
    let params = json!({ "notifications": { "taskIds": [id] }, "_meta": able(&json!({})) });
    let text = super::super::client::body("subscriptions/listen", params);
    let mut stream = client.modern("subscriptions/listen").open("POST", &text).await;
    stream.until("\"status\":\"working\"").await;
    stage.enforce(|it| it.tenants[0].tools[1].enabled = false);
    while stage.journal.ruling_of(request.id) == Ruling::Pending {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    stage.gateway.stop().await;
    let told = stream.end().await.body;
    assert_eq!(told.matches("notifications/tasks").count(), 1, "{told}");
}
