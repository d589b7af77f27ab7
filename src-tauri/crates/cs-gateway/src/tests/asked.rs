//! Servers that ask something back, and what comes of it in either era.

use cs_model::event::EventKind;
use cs_model::state::SessionEnd;
use cs_model::{Pass, Passes};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::client::{Client, Open, body, legacy_call};
use super::world::{Behaviour, OTHER, Stage, WORKER};
use crate::ports::Ruling;
use crate::upstream::{Asked, Asks, Ear, Question, ReplyBody, Told, ToolCall};

const FORM: &str = r#"{"message":"Who?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}}"#;

const PASSWORD: &str =
    r#"{"message":"?","requestedSchema":{"type":"object","properties":{"password":{}}}}"#;

fn said(what: &str) -> ReplyBody {
    let result = json!({ "content": [{ "type": "text", "text": what }] });
    ReplyBody::Result(RawValue::from_string(result.to_string()).unwrap())
}

/// What a server of the older era does that asks something.
pub(super) async fn ask(call: &ToolCall<'_>, ear: &Ear, method: &str, params: &str) -> ReplyBody {
    let params = RawValue::from_string(params.to_owned()).unwrap();
    let question = Question::read(method, Some(&params)).unwrap();
    if !call.talk.abilities.cover(&question) {
        ear.send(Told::Turned(question.kind.code())).await.unwrap();
        tokio::task::yield_now().await;
        return said("nobody to ask");
    }
    let (sender, answer) = oneshot::channel();
    ear.send(Told::Asked(Asked { question, answer: sender })).await.unwrap();
    match answer.await {
        Ok(Ok(answer)) => said(&answer),
        Ok(Err(why)) => said(&format!("error {}", why.code)),
        Err(_) => said("given up"),
    }
}

/// What a server of the newer era does that asks something: once, without end, or for a password,
/// as the arguments say.
pub(super) fn round(call: &ToolCall<'_>) -> ReplyBody {
    let says = |word| call.arguments.is_some_and(|it| it.contains(word));
    if says("endless") {
        return ReplyBody::Asks(Asks { questions: Vec::new(), state: None });
    }
    let form = if says("password") { PASSWORD } else { FORM };
    let params = RawValue::from_string(form.to_owned()).unwrap();
    let question = Question::read("elicitation/create", Some(&params)).unwrap();
    match call.inputs {
        None if !call.talk.abilities.cover(&question) => said("nobody to ask"),
        None => {
            let questions = vec![("who".to_owned(), question)];
            ReplyBody::Asks(Asks { questions, state: Some("theirs".to_owned()) })
        }
        Some(inputs) => {
            let responses = inputs.responses.as_deref().unwrap_or_default();
            said(&format!("{responses} {}", inputs.state.as_deref().unwrap_or_default()))
        }
    }
}

/// A stage whose server asks for a form, and may.
async fn asking(behaviour: Behaviour) -> Stage {
    let stage = Stage::new().await;
    stage.enforce(|it| it.tenants[0].servers[0].passes = Passes::of([Pass::Elicitation]));
    stage.journal.behave(behaviour);
    stage
}

fn form() -> Behaviour {
    Behaviour::Asks("elicitation/create", FORM.to_owned())
}

fn able() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": super::client::MODERN,
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
    })
}

/// A client of the older era that can show forms.
async fn older(stage: &Stage, number: u128) -> Client {
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": { "elicitation": {} },
        "clientInfo": { "name": "c", "version": "1" } });
    let client = stage.client(number);
    let reply = client.post(&body("initialize", params)).await;
    let session = reply.header("mcp-session-id").expect("a session id").to_owned();
    client.header("mcp-session-id", &session).header("mcp-protocol-version", "2025-11-25")
}

/// A call of a client of the newer era that can show forms.
async fn newer(client: &Client, tool: &str, arguments: Value, more: Value) -> Value {
    let mut params = json!({ "name": tool, "arguments": arguments, "_meta": able() });
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    let client = client.modern("tools/call").header("mcp-name", tool);
    client.post(&body("tools/call", params)).await.json()
}

/// The request that stands on an open stream.
async fn question(stream: &mut Open) -> Value {
    let seen = stream.until("elicitation/create").await;
    let line = seen.lines().find(|line| line.contains("elicitation/create")).unwrap();
    serde_json::from_str(line.trim_start_matches("data: ")).unwrap()
}

fn answer(id: &Value) -> String {
    let result = json!({ "action": "accept", "content": { "name": "Ada" } });
    json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string()
}

#[tokio::test]
async fn h15_s06_an_older_client_answers_once_what_its_call_asks_and_nobody_else_does() {
    for behaviour in [form(), Behaviour::Rounds] {
        let stage = asking(behaviour).await;
        let (client, other) = (older(&stage, WORKER).await, older(&stage, OTHER).await);
        let mut stream = client.open("POST", &legacy_call(7, "read_file", &json!({}))).await;
        let asked = question(&mut stream).await;
        assert_eq!(asked["params"]["message"], "Who?");
        let id = asked["id"].clone();
        assert_eq!(other.post(&answer(&id)).await.status, 400, "another session's");
        assert_eq!(client.post(&answer(&json!("ask-x"))).await.status, 400, "never asked");
        let session = client.extra.iter().find(|(name, _)| name == "mcp-session-id").unwrap();
        let newest = stage.client(WORKER).header("mcp-session-id", &session.1);
        let newest = newest.header("mcp-protocol-version", super::client::MODERN);
        assert_eq!(newest.post(&answer(&id)).await.status, 400, "of another era");
        assert_eq!(client.post(&answer(&id)).await.status, 202);
        let messages = stream.end().await.messages();
        let text = messages.last().unwrap()["result"]["content"][0]["text"].to_string();
        assert!(text.contains("Ada"), "{text}");
        assert_eq!(client.post(&answer(&id)).await.status, 400, "twice");
        assert_eq!(stage.journal.reasons(EventKind::ServerAsked), ["asks_form_put"]);
    }
}

#[tokio::test]
async fn h14_a_newer_client_brings_the_answer_back_once_and_the_call_goes_on() {
    for behaviour in [form(), Behaviour::Rounds] {
        let stage = asking(behaviour.clone()).await;
        let client = stage.client(WORKER);
        let first = newer(&client, "read_file", json!({ "path": "a" }), json!({})).await;
        assert_eq!(first["result"]["resultType"], "input_required", "{first}");
        let requests = first["result"]["inputRequests"].as_object().unwrap();
        let key = requests.keys().next().unwrap();
        assert_eq!(requests[key]["params"]["message"], "Who?");
        let back = json!({ "requestState": first["result"]["requestState"],
            "inputResponses": { key: { "action": "accept", "content": { "name": "Ada" } },
                "never_asked": { "action": "accept" } } });
        let again = |number: u128, arguments: Value, back: Value| {
            let client = stage.client(number);
            async move { newer(&client, "read_file", arguments, back).await }
        };
        let path = |of: &str| json!({ "path": of });
        let wrong = again(OTHER, path("a"), back.clone()).await;
        assert_eq!(wrong["error"]["code"], -32602, "another caller: {wrong}");
        let wrong = again(WORKER, path("b"), back.clone()).await;
        assert_eq!(wrong["error"]["code"], -32602, "other arguments: {wrong}");
        let wrong = newer(&client, "write_file", path("a"), back.clone()).await;
        assert_eq!(wrong["error"]["code"], -32602, "another tool: {wrong}");
        let done = again(WORKER, path("a"), back.clone()).await;
        let text = done["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("Ada") && !text.contains("never_asked"), "{text}");
        assert_eq!(text.contains("theirs"), matches!(behaviour, Behaviour::Rounds));
        let replayed = again(WORKER, path("a"), back).await;
        assert_eq!(replayed["error"]["code"], -32602, "a second time: {replayed}");
    }
}

#[tokio::test]
async fn h15_answers_that_come_with_a_call_are_used_only_where_its_server_asks_for_them() {
    let stage = asking(Behaviour::Rounds).await;
    let client = stage.client(WORKER);
    let accept = json!({ "action": "accept", "content": { "name": "Ada" } });
    let call = |responses: Value| {
        newer(&client, "read_file", json!({}), json!({ "inputResponses": responses }))
    };
    let done = call(json!({ "who": accept, "never_asked": accept })).await;
    let text = done["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("Ada") && !text.contains("never_asked"), "{text}");
    for responses in [json!({}), json!({ "whom": accept }), json!({ "who": { "action": "x" } })] {
        let asked = call(responses.clone()).await;
        assert_eq!(asked["result"]["resultType"], "input_required", "{responses}: {asked}");
    }
    let reasons = stage.journal.reasons(EventKind::ServerAsked);
    let put = "asks_form_put";
    assert_eq!(reasons, ["asks_form_brought", put, put, put]);
    stage.enforce(|it| it.tenants[0].servers[0].passes = Passes::default());
    let switched_off = call(json!({ "who": accept })).await;
    assert_eq!(switched_off["result"]["content"][0]["text"], "nobody to ask", "{switched_off}");
}

#[tokio::test]
async fn o19_a_call_that_was_signed_for_is_paid_once_however_often_its_server_asks() {
    let stage = asking(Behaviour::Rounds).await;
    let client = stage.client(WORKER);
    let write = json!({ "path": "a", "text": "x" });
    let calling = newer(&client, "write_file", write.clone(), json!({}));
    let approving = async {
        let request = stage.journal.requests(1).await[0].clone();
        stage.journal.approve(&request, 1);
        request
    };
    let (first, request) = tokio::join!(calling, approving);
    assert_eq!(first["result"]["resultType"], "input_required", "{first}");
    let back = json!({ "requestState": first["result"]["requestState"],
        "inputResponses": { "who": { "action": "accept", "content": { "name": "Ada" } } } });
    let done = newer(&client, "write_file", write, back).await;
    assert!(done["result"]["content"][0]["text"].as_str().unwrap().contains("Ada"), "{done}");
    assert_eq!(stage.journal.requests_now().len(), 1, "nobody is asked a second time");
    assert!(matches!(
        stage.journal.ruling_of(request.id),
        Ruling::Executed | Ruling::Approved { .. }
    ));
    let redeemed = stage.journal.events();
    let redeemed = redeemed.iter().filter(|it| it.kind == EventKind::TokenRedeemed);
    assert_eq!(redeemed.count(), 1);
}

#[tokio::test]
async fn o19_a_client_that_comes_back_is_judged_again() {
    let stage = asking(form()).await;
    let client = stage.client(WORKER);
    let first = newer(&client, "read_file", json!({}), json!({})).await;
    let back = json!({ "requestState": first["result"]["requestState"],
        "inputResponses": { "input": { "action": "accept", "content": {} } } });
    stage.enforce(|it| it.tenants[0].tools[0].enabled = false);
    let denied = newer(&client, "read_file", json!({}), back).await;
    assert!(denied["error"]["message"].as_str().unwrap().contains("allowlist"), "{denied}");
    let ends = stage.journal.reasons(EventKind::ExecutionFinished);
    assert_eq!(ends, ["not_allowed_any_more"], "the parked call is over, too");
}

#[tokio::test]
async fn a_parked_call_ends_with_its_session() {
    let stage = asking(form()).await;
    let client = stage.client(WORKER);
    newer(&client, "read_file", json!({}), json!({})).await;
    let id = stage.gateway.sessions()[0].id;
    stage.gateway.end_session(id, SessionEnd::Operator).await.unwrap();
    let ended = async {
        while stage.journal.reasons(EventKind::ExecutionFinished).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::client::PATIENCE, ended).await.expect("it ends");
    assert_eq!(stage.journal.reasons(EventKind::ExecutionFinished), ["session_over"]);
}

/// Attacks S09: what waits for its client takes room, and no session has more than a little of it.
#[tokio::test]
async fn s09_a_session_has_no_more_calls_parked_than_it_may() {
    let stage = asking(form()).await;
    let call = |number: u128, at: u32| {
        let client = stage.client(number);
        async move { newer(&client, "read_file", json!({ "at": at }), json!({})).await }
    };
    for at in 0..8 {
        let parked = call(WORKER, at).await;
        assert_eq!(parked["result"]["resultType"], "input_required", "{at}: {parked}");
    }
    let more = call(WORKER, 8).await;
    assert_ne!(more["result"]["resultType"], "input_required", "{more}");
    let ends = stage.journal.reasons(EventKind::ExecutionFinished);
    assert_eq!(ends, ["too_many_parked"]);
    let others = call(OTHER, 0).await;
    assert_eq!(others["result"]["resultType"], "input_required", "{others}");
}

#[tokio::test]
async fn x10_a_server_asks_nobody_unless_its_switch_is_on_and_the_client_can() {
    let stage = asking(form()).await;
    let plain = stage.client(WORKER).call("read_file", json!({})).await;
    assert_eq!(plain.text(), "nobody to ask", "the client cannot");
    stage.enforce(|it| it.tenants[0].servers[0].passes = Passes::default());
    let switched_off = newer(&stage.client(WORKER), "read_file", json!({}), json!({})).await;
    assert_eq!(switched_off["result"]["content"][0]["text"], "nobody to ask", "{switched_off}");
    let reasons = stage.journal.reasons(EventKind::ServerAsked);
    assert_eq!(reasons, ["asks_form_refused", "asks_form_refused"]);
}

#[tokio::test]
async fn x10_a_form_for_a_password_is_refused_whatever_the_switch_says() {
    let stage = asking(Behaviour::Asks("elicitation/create", PASSWORD.to_owned())).await;
    let told = newer(&stage.client(WORKER), "read_file", json!({}), json!({})).await;
    assert_eq!(told["result"]["content"][0]["text"], "error -32602", "{told}");
    stage.journal.behave(Behaviour::Rounds);
    let password = json!({ "for": "password" });
    let told = newer(&stage.client(WORKER), "read_file", password.clone(), json!({})).await;
    assert_eq!(told["error"]["code"], -32603, "{told}");
    let older = older(&stage, WORKER).await;
    let told = older.post(&legacy_call(3, "read_file", &password)).await;
    assert_eq!(told.error_code(), -32603, "{}", told.body);
    assert_eq!(stage.journal.reasons(EventKind::ServerAsked), ["asks_form_refused"; 3]);
}

/// Attacks X10: whoever is asked without end is asked a few times.
#[tokio::test]
async fn x10_a_server_that_asks_without_end_is_given_up() {
    let stage = Stage::with(|it| it.limits.again = std::time::Duration::from_millis(1)).await;
    stage.journal.behave(Behaviour::Rounds);
    let endless = json!({ "asks": "endless" });
    let told = newer(&stage.client(WORKER), "read_file", endless, json!({})).await;
    assert_eq!(told["error"]["code"], -32603, "{told}");
    assert_eq!(stage.journal.calls().len(), 10);
}

/// Attacks H15: what comes with the way back to a person is no answer to what nobody has asked yet.
#[tokio::test]
async fn h15_answers_that_come_with_an_approval_are_to_no_question() {
    let stage = Stage::with(|it| it.limits.hold = std::time::Duration::from_millis(40)).await;
    stage.enforce(|it| it.tenants[0].servers[0].passes = Passes::of([Pass::Elicitation]));
    stage.journal.behave(Behaviour::Rounds);
    let client = stage.client(WORKER);
    let write = json!({ "path": "a", "text": "x" });
    let first = newer(&client, "write_file", write.clone(), json!({})).await;
    assert_eq!(first["result"]["resultType"], "input_required", "{first}");
    let request = stage.journal.requests(1).await.remove(0);
    stage.journal.approve(&request, 1);
    let accept = json!({ "action": "accept", "content": { "name": "Eve" } });
    let back = json!({ "requestState": first["result"]["requestState"],
        "inputResponses": { "who": accept } });
    let asked = newer(&client, "write_file", write, back).await;
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    assert!(asked["result"]["inputRequests"]["who"].is_object(), "{asked}");
    assert_eq!(stage.journal.reasons(EventKind::ServerAsked), ["asks_form_put"]);
}

#[tokio::test]
async fn what_is_set_in_the_older_era_and_what_it_hears() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let set = |level: &str| {
        let text = body("logging/setLevel", json!({ "level": level }));
        let client = client.clone();
        async move { client.post(&text).await }
    };
    assert_eq!(set("warning").await.json()["result"], json!({}));
    assert_eq!(set("loud").await.error_code(), -32602);
}
