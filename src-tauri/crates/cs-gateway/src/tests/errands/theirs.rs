//! Tasks of the servers behind the gateway.

use cs_model::event::EventKind;
use cs_model::{Pass, Passes};
use serde_json::{Value, json};

use super::super::client::{PATIENCE, legacy_call};
use super::super::world::{Behaviour, OTHER, STRANGER, Stage, WORKER};
use super::{Stands, able, about, ask, call, id_of, plain, until};

const FORM: &str = r#"{"message":"Who?","requestedSchema":{"type":"object"}}"#;

/// A task that a server answered a call with.
async fn begun(stage: &Stage) -> String {
    stage.journal.behave(Behaviour::Errand);
    let created = call(&stage.client(WORKER), "read_file", &json!({}), &json!({})).await;
    assert_eq!(created["result"]["status"], "working");
    assert_eq!(created["result"]["ttlMs"], 60_000);
    id_of(&created)
}

async fn updated(stage: &Stage, id: &str, responses: Value) -> Value {
    let capabilities = json!({ "elicitation": {} });
    let params = json!({ "taskId": id, "inputResponses": responses, "_meta": able(&capabilities) });
    about(&stage.client(WORKER), "tasks/update", params).await
}

async fn got(stage: &Stage, id: &str) -> Value {
    let params = json!({ "taskId": id, "_meta": able(&json!({ "elicitation": {} })) });
    about(&stage.client(WORKER), "tasks/get", params).await
}

#[tokio::test]
async fn a_task_of_a_server_is_handed_on_under_another_name() {
    let stage = Stage::new().await;
    let id = begun(&stage).await;
    assert!(!id.contains("theirs"), "{id}");
    assert_eq!(stage.journal.reasons(EventKind::ExecutionFinished), ["task"]);
    let client = stage.client(WORKER);
    assert_eq!(ask(&client, "tasks/get", &id).await["result"]["status"], "working");
    stage.journal.errands.set("theirs-0", Stands::Done("at last"));
    let done = until(&client, &id, "completed").await;
    assert_eq!(done["taskId"], id.as_str());
    assert_eq!(done["result"]["content"][0]["text"], "at last");
    stage.journal.errands.set("theirs-0", Stands::Failed);
    assert_eq!(until(&client, &id, "failed").await["error"]["code"], -32603);
    let noted = ask(&client, "tasks/cancel", &id).await;
    assert_eq!(noted["result"]["resultType"], "complete");
    until(&client, &id, "cancelled").await;
    assert_eq!(stage.journal.calls().len(), 1);
    let inquiries = stage.journal.reasons(EventKind::Decision);
    assert!(inquiries.iter().filter(|it| *it == "task_inquiry").count() >= 5);
}

#[tokio::test]
async fn s06_a_servers_task_of_somebody_else_is_one_that_never_was() {
    let stage = Stage::new().await;
    let id = begun(&stage).await;
    let control = plain(ask(&stage.client(WORKER), "tasks/get", "theirs-0").await);
    assert_eq!(control["error"]["code"], -32602, "the server's own name means nothing: {control}");
    stage.journal.forget();
    for who in [OTHER, STRANGER] {
        for method in ["tasks/get", "tasks/cancel"] {
            assert_eq!(plain(ask(&stage.client(who), method, &id).await), control, "{method}");
        }
    }
    let steps = stage.journal.steps();
    assert!(!steps.iter().any(|it| it == "looked at it" || it == "gave it up"), "{steps:?}");
}

#[tokio::test]
async fn o19_a_servers_task_is_judged_at_every_inquiry() {
    let stage = Stage::new().await;
    let id = begun(&stage).await;
    let unknown = plain(ask(&stage.client(WORKER), "tasks/get", "tsk_AQID").await);
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    stage.journal.forget();
    for method in ["tasks/get", "tasks/cancel"] {
        let told = plain(ask(&stage.client(WORKER), method, &id).await);
        assert_eq!(told, unknown, "{method}");
    }
    assert_eq!(plain(updated(&stage, &id, json!({})).await), unknown);
    let steps = stage.journal.steps();
    assert!(!steps.iter().any(|it| it == "looked at it" || it == "gave it up"), "{steps:?}");
    assert_eq!(stage.journal.reasons(EventKind::Decision), ["tool_disabled"; 3]);
    assert_eq!(stage.gateway.sessions()[0].anomalies, 0, "to ask how it fares is no attempt");
}

#[tokio::test]
async fn x10_what_a_servers_task_asks_passes_by_the_switch_or_ends_it() {
    let stage = Stage::new().await;
    let id = begun(&stage).await;
    stage.journal.errands.set("theirs-0", Stands::Asks("elicitation/create", FORM));
    let refused = got(&stage, &id).await;
    assert_eq!(refused["error"]["code"], -32603, "the switch is off: {refused}");
    assert_eq!(stage.journal.reasons(EventKind::ServerAsked), ["asks_form_refused"]);
    assert_eq!(got(&stage, &id).await["result"]["status"], "cancelled");
    stage.enforce(|it| it.tenants[0].servers[0].passes = Passes::of([Pass::Elicitation]));
    stage.journal.errands.set("theirs-0", Stands::Asks("elicitation/create", FORM));
    let asks = got(&stage, &id).await;
    assert_eq!(asks["result"]["status"], "input_required", "{asks}");
    assert_eq!(asks["result"]["inputRequests"]["who"]["params"]["message"], "Who?");
    let password = r#"{"message":"?","requestedSchema":{"properties":{"password":{}}}}"#;
    stage.journal.errands.set("theirs-0", Stands::Asks("elicitation/create", password));
    assert_eq!(got(&stage, &id).await["error"]["code"], -32603);
}

#[tokio::test]
async fn h15_only_answers_to_what_a_servers_task_asks_reach_it() {
    let stage = Stage::new().await;
    stage.enforce(|it| it.tenants[0].servers[0].passes = Passes::of([Pass::Elicitation]));
    let id = begun(&stage).await;
    let accepted = json!({ "action": "accept", "content": {} });
    assert_eq!(updated(&stage, &id, json!({ "who": accepted })).await["error"], Value::Null);
    assert_eq!(stage.journal.errands.told(), [""; 0], "it asks nothing");
    stage.journal.errands.set("theirs-0", Stands::Asks("elicitation/create", FORM));
    for wrong in [json!({ "x": accepted }), json!({ "who": { "action": "approve" } }), json!({})] {
        updated(&stage, &id, wrong).await;
    }
    assert_eq!(stage.journal.errands.told(), [""; 0]);
    let more = json!({ "who": accepted, "x": accepted });
    assert_eq!(updated(&stage, &id, more).await["result"]["resultType"], "complete");
    assert_eq!(stage.journal.errands.told(), [r#"{"who":{"action":"accept","content":{}}}"#]);
}

#[tokio::test]
async fn an_older_client_gets_what_comes_of_the_task() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Errand);
    let client = stage.client(WORKER).initialize().await;
    let waits = client.open("POST", &legacy_call(7, "read_file", &json!({}))).await;
    stage.journal.reached(1).await;
    stage.journal.errands.set("theirs-0", Stands::Done("at last"));
    assert_eq!(waits.end().await.text(), "at last");
    stage.journal.behave(Behaviour::Errand);
    let waits = client.open("POST", &legacy_call(8, "read_file", &json!({}))).await;
    stage.journal.reached(2).await;
    stage.journal.errands.set("theirs-1", Stands::Failed);
    assert_eq!(waits.end().await.error_code(), -32603);
}

#[tokio::test]
async fn a_task_that_nobody_waits_for_any_more_is_given_up() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Errand);
    let client = stage.client(WORKER).initialize().await;
    let waits = client.open("POST", &legacy_call(7, "read_file", &json!({}))).await;
    stage.journal.reached(1).await;
    let taken_back = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": 7 } });
    client.post(&taken_back.to_string()).await;
    let gone = async {
        while !stage.journal.steps().contains(&"gave it up".to_owned()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the server hears of it");
    drop(waits);
    let late = Stage::with(|it| it.limits.upstream.call = std::time::Duration::from_millis(300));
    let late = late.await;
    late.journal.behave(Behaviour::Errand);
    let client = late.client(WORKER).initialize().await;
    let reply = client.post(&legacy_call(7, "read_file", &json!({}))).await;
    assert!(reply.body.contains("in time"), "{}", reply.body);
    assert!(late.journal.steps().contains(&"gave it up".to_owned()));
}

#[tokio::test]
async fn x11_a_client_that_did_not_ask_for_a_task_gets_none() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Errand);
    assert_eq!(stage.client(WORKER).call("read_file", json!({})).await.text(), "at once");
}

#[tokio::test]
async fn a_servers_task_outlives_the_gateway_that_handed_it_on() {
    let stage = Stage::new().await;
    let id = begun(&stage).await;
    stage.gateway.stop().await;
    let stage = Stage::after(std::sync::Arc::clone(&stage.journal), |_| {}).await;
    stage.journal.errands.set("theirs-0", Stands::Done("at last"));
    until(&stage.client(WORKER), &id, "completed").await;
}
