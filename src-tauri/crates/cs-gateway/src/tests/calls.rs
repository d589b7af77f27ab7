//! One call: what passes, what does not, what goes out and in which order things are written.

use cs_model::event::{Decision, EventKind, Outcome};
use cs_model::{Digest, Kind};
use cs_policy::{Act, Met, Verdict};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::client::{body, call_body, legacy_call, meta};
use super::world::{Behaviour, OTHER, Stage, WORKER, agent, definition, key_of};
use crate::line::{Line, Ticket};
use crate::proxy::{self, Body};
use crate::trail::Trail;
use crate::wire::{Call, Era, Id, Meta};
use crate::{authz, settle, tool};

#[tokio::test]
async fn an_allowed_call_is_recorded_before_it_is_made_and_its_outcome_before_the_answer() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    stage.journal.forget();
    let reply = client.post(&legacy_call(2, "read_file", &json!({ "path": "a" }))).await;
    assert_eq!(reply.text(), "done");
    assert_eq!(stage.journal.steps(), ["decision", "called upstream", "execution.finished"]);
    // The decision is the record of who was let in, too.
    let decided = stage.journal.events().remove(0);
    assert_eq!((decided.agent, decided.proof.as_deref()), (Some(agent(WORKER)), Some("api_key")));
    assert!(decided.credential.is_some() && decided.session.is_some() && decided.client.is_some());
    let finished = stage.journal.events().pop().unwrap();
    assert_eq!(finished.outcome, Some(Outcome::Answered));
    assert_eq!(
        Some(finished.correlation.unwrap().to_string().as_str()),
        reply.header("countersign-correlation")
    );
}

#[tokio::test]
async fn a_result_comes_back_as_the_server_wrote_it() {
    let stage = Stage::new().await;
    let result = r#"{"content":[],"structuredContent":{"n":12345678901234567890123,"b":1.0}}"#;
    stage.journal.behave(Behaviour::Answer(result.to_owned()));
    let client = stage.client(WORKER).initialize().await;
    let legacy = client.post(&legacy_call(2, "read_file", &json!({}))).await;
    assert_eq!(legacy.body, format!("{{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{result}}}"));
    let modern = stage.client(WORKER).call("read_file", json!({})).await;
    let inner = result.strip_prefix('{').unwrap();
    assert!(modern.body.contains(&format!("{{\"resultType\":\"complete\",{inner}")));
}

#[tokio::test]
async fn arguments_go_out_as_they_were_written_and_nothing_is_put_in_their_place() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let written = r#"{ "n" : 12345678901234567890123, "b":1.0 , "a":"\u0041" }"#;
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":"read_file",
        "arguments":{written}}}}}"#
    );
    assert_eq!(client.post(&call).await.status, 200);
    let bare = body("tools/call", json!({ "name": "read_file" }));
    assert_eq!(client.post(&bare).await.status, 200);
    let sent: Vec<_> = stage.journal.calls().into_iter().map(|call| call.arguments).collect();
    assert_eq!(sent, [Some(written.to_owned()), None]);
}

/// Attacks S01 and O3: in the role but not in the task, in the task but not in the role, in
/// neither, and not there at all.
#[tokio::test]
async fn s01_what_is_not_allowed_and_what_does_not_exist_look_the_same() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let cases = [
        ("web_fetch", "not_in_task"),
        ("access_secrets", "not_granted"),
        ("no_such_tool", "tool_unknown"),
    ];
    let mut answers = Vec::new();
    for (tool, reason) in cases {
        stage.journal.forget();
        let reply = client.call(tool, json!({})).await;
        assert_eq!((reply.status, reply.error_code()), (200, -32602), "{tool}");
        let events = stage.journal.events();
        let denied: Vec<_> =
            events.iter().filter(|it| it.decision == Some(Decision::Deny)).collect();
        assert_eq!(denied.len(), 1, "{tool}");
        assert_eq!(denied[0].reason.as_deref(), Some(reason), "{tool}");
        assert_eq!(denied[0].tool_name.as_deref(), Some(tool), "{tool}");
        let correlation = reply.header("countersign-correlation").unwrap().to_owned();
        let names: Vec<_> = reply.headers.iter().map(|(name, _)| name.clone()).collect();
        answers.push((reply.body.replace(tool, "X").replace(&correlation, "C"), names));
    }
    assert!(answers.windows(2).all(|pair| pair[0].0 == pair[1].0), "{answers:?}");
    assert!(answers.windows(2).all(|pair| pair[0].1 == pair[1].1), "{answers:?}");
    assert_eq!(stage.journal.calls(), []);
    assert_eq!(stage.gateway.sessions()[0].anomalies, 3);
}

#[tokio::test]
async fn t26_a_name_that_no_tool_can_have_is_not_repeated() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let name = "a\r\nSet-Cookie: x";
    let reply = client.post(&legacy_call(2, name, &json!({}))).await;
    assert_eq!(reply.error_code(), -32602);
    assert!(!reply.body.contains("Set-Cookie") && reply.header("set-cookie").is_none());
    let event = stage.journal.events().pop().unwrap();
    assert_eq!(event.tool_name.as_deref(), Some("a\\u{d}\\u{a}Set-Cookie: x"));
}

#[tokio::test]
async fn what_is_listed_is_what_can_be_called_with_the_definitions_that_were_accepted() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let reply = client.post(&body("tools/list", json!({}))).await;
    let listed = format!("{},{}", definition("read_file"), definition("write_file"));
    assert_eq!(
        reply.body,
        format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{\"tools\":[{listed}]}}}}")
    );
    let modern = stage.client(WORKER).modern("tools/list");
    let reply = modern.post(&body("tools/list", json!({ "_meta": meta() }))).await.json();
    assert_eq!(reply["result"]["resultType"], "complete");
    assert_eq!(reply["result"]["ttlMs"], 0);
    assert_eq!(reply["result"]["cacheScope"], "private");
    assert_eq!(reply["result"]["tools"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn tools_of_two_servers_carry_the_name_of_their_server() {
    let stage = Stage::new().await;
    stage.enforce(|document| {
        let acme = &mut document.tenants[0];
        let second = super::world::server(1900);
        acme.servers.push(cs_model::document::ServerDoc {
            id: second,
            name: "web".parse().unwrap(),
            enabled: true,
            passes: cs_model::Passes::default(),
        });
        acme.tools[1].server = second;
    });
    let client = stage.client(WORKER).initialize().await;
    let reply = client.post(&body("tools/list", json!({}))).await.json();
    let names: Vec<_> = reply["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["files__read_file", "web__write_file"]);
    let reply = client.post(&legacy_call(2, "files__read_file", &json!({}))).await;
    assert_eq!(reply.text(), "done");
    assert_eq!(stage.journal.calls()[0].tool, "read_file");
    let plain = client.post(&legacy_call(3, "read_file", &json!({}))).await;
    assert_eq!(plain.error_code(), -32602);
}

/// Attacks P08: two agents use one id at the same time, and one agent uses an id twice.
#[tokio::test]
async fn p08_each_caller_has_its_own_ids_and_uses_each_once_at_a_time() {
    let stage = Stage::new().await;
    let [one, two] = [stage.client(WORKER), stage.client(OTHER)];
    stage.journal.behave(Behaviour::Hang);
    let first = one.open_call(&call_body("read_file", json!({ "of": 1 })), "read_file").await;
    stage.journal.reached(1).await;
    let twice = one.call("read_file", json!({ "of": 2 })).await;
    assert_eq!((twice.status, twice.error_code()), (400, -32600));
    stage.journal.behave(Behaviour::Answer("{\"content\":[]}".to_owned()));
    let other = two.call("read_file", json!({ "of": 3 })).await;
    assert_eq!(other.json()["id"], 1);
    assert_eq!(stage.journal.calls().len(), 2);
    drop(first);
}

#[tokio::test]
async fn p07_a_notification_never_calls_a_tool_and_never_cancels_for_others() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let smuggled = r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read_file"}}"#;
    assert_eq!(client.post(smuggled).await.status, 400);
    assert_eq!(stage.journal.calls(), []);

    stage.journal.behave(Behaviour::Hang);
    let mut call = client.open("POST", &legacy_call(5, "read_file", &json!({}))).await;
    stage.journal.reached(1).await;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#;
    let other = stage.client(OTHER).initialize().await;
    assert_eq!(other.post(cancel).await.status, 202);
    assert_eq!(stage.journal.reasons(EventKind::ExecutionFinished), [""; 0]);
    assert_eq!(client.post(cancel).await.status, 202);
    call.until("\r\n\r\n").await;
    assert_eq!(stage.journal.reasons(EventKind::ExecutionFinished), ["cancelled"]);
}

#[tokio::test]
async fn p19_progress_of_the_server_reaches_the_client_under_its_own_token() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Progress);
    let client = stage.client(WORKER).initialize().await;
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params":
        { "name": "read_file", "_meta": { "progressToken": "mine" } } });
    let reply = client.post(&call.to_string()).await;
    let messages = reply.messages();
    assert_eq!(messages.len(), 2, "what does not increase is dropped: {messages:?}");
    let params = &messages[0]["params"];
    assert_eq!(*params, json!({ "progressToken": "mine", "progress": 1, "total": 2 }));
    assert_eq!(messages[1]["id"], 2);
}

#[tokio::test]
async fn p19_a_flood_of_progress_is_thinned_out() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Flood);
    let client = stage.client(WORKER).initialize().await;
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params":
        { "name": "read_file", "_meta": { "progressToken": 1 } } });
    let began = tokio::time::Instant::now();
    let messages = client.post(&call.to_string()).await.messages();
    let paces = began.elapsed().as_millis() / 50;
    assert_eq!(messages.last().unwrap()["id"], 2);
    assert!((2..=paces + 18).contains(&u128::try_from(messages.len()).unwrap()), "{messages:?}");
}

/// Attacks P18: what is a trap to some language is data here, and goes out as it was written.
#[tokio::test]
async fn p18_arguments_that_are_named_like_parts_of_a_language_are_data() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).initialize().await;
    let written =
        r#"{"__proto__":{"admin":true},"constructor":{"prototype":{"a":1}},"toString":1}"#;
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":"read_file",
        "arguments":{written}}}}}"#
    );
    assert_eq!(client.post(&call).await.text(), "done");
    assert_eq!(stage.journal.calls()[0].arguments.as_deref(), Some(written));
}

#[tokio::test]
async fn the_era_of_the_client_decides_what_leaving_means() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Hang);
    let modern = stage.client(WORKER);
    let call = modern.open_call(&call_body("read_file", json!({})), "read_file").await;
    stage.journal.reached(1).await;
    drop(call);
    while stage.journal.reasons(EventKind::ExecutionFinished).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.journal.reasons(EventKind::ExecutionFinished), ["client_left"]);
    let outcome = stage.journal.events().pop().unwrap().outcome;
    assert_eq!(outcome, Some(Outcome::Unknown));
}

#[tokio::test]
async fn an_error_of_the_server_comes_back_with_its_code_and_a_correlation() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Error(-32042, "over there".to_owned()));
    let modern = stage.client(WORKER).call("read_file", json!({})).await;
    assert_eq!(modern.error_code(), -32602, "the newer era keeps that code for itself");
    let data = &modern.json()["error"]["data"];
    assert_eq!(data["correlation"].as_str(), modern.header("countersign-correlation"));
    assert!(modern.body.contains("\"server\":{\"n\":1.0}"));
    let client = stage.client(WORKER).initialize().await;
    let legacy = client.post(&legacy_call(2, "read_file", &json!({}))).await;
    assert_eq!(legacy.error_code(), -32042);
}

#[tokio::test]
async fn h11_a_result_of_a_kind_that_nobody_asked_for_is_refused() {
    let stage = Stage::new().await;
    stage.journal.behave(Behaviour::Answer("{\"resultType\":\"task\",\"taskId\":\"t\"}".into()));
    let reply = stage.client(WORKER).call("read_file", json!({})).await;
    assert_eq!(reply.error_code(), -32603);
}

/// Attacks H15: answers to questions that nobody asked, and questions that nobody may ask.
#[tokio::test]
async fn h15_nobody_answers_or_asks_for_more_than_the_call_has() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER).modern("tools/call").header("mcp-name", "read_file");
    let params = json!({ "name": "read_file", "arguments": {}, "_meta": meta(),
        "inputResponses": { "never-asked": { "action": "accept", "content": { "a": 1 } } } });
    assert_eq!(client.post(&body("tools/call", params)).await.text(), "done");
    assert_eq!(stage.journal.calls()[0].arguments.as_deref(), Some("{}"), "nothing went along");

    let asking = json!({ "resultType": "input_required", "requestState": "x",
        "inputRequests": { "a": { "method": "sampling/createMessage", "params": {} } } });
    stage.journal.behave(Behaviour::Answer(asking.to_string()));
    for reply in [
        stage.client(WORKER).call("read_file", json!({})).await,
        stage
            .client(WORKER)
            .initialize()
            .await
            .post(&legacy_call(2, "read_file", &json!({})))
            .await,
    ] {
        assert_eq!(reply.error_code(), -32603, "{}", reply.body);
        assert!(!reply.body.contains("sampling"), "{}", reply.body);
    }
}

/// Attacks X02 and O04: whatever goes wrong before, other arguments than the judged ones do not
/// leave.
#[tokio::test]
async fn what_was_judged_is_what_is_sent_or_nothing_is() {
    let stage = Stage::new().await;
    stage.client(WORKER).initialize().await;
    let gate = &stage.gateway.gate;
    let live = gate.sessions.all().remove(0);
    let judged = "{\"amount\":1}";
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
    let asked = tool::Asked {
        era: Era::Legacy,
        id: Id::Number(2),
        call: Call {
            kind: Kind::Tool,
            act: Act::Use,
            name: "read_file".into(),
            arguments: Some(raw(judged)),
            state: None,
            responses: None,
            repeated: Vec::new(),
        },
        meta: Meta::default(),
        live: live.clone(),
        warrant: key_of(&live),
        met: Met::default(),
        streams: false,
        alive: mpsc::channel(1).0,
    };
    let mut trail = Trail::new(gate.correlation().unwrap(), String::new());
    let ticket = Ticket {
        live: live.clone(),
        id: asked.id.clone(),
        token: None,
        correlation: trail.correlation,
        alive: asked.alive.clone(),
    };
    let (head, _answer) = oneshot::channel();
    let mut line = Line::new(gate.config.limits.keep_alive, ticket, head);
    let mut cancelled = live.begin(&asked.id).unwrap();
    for (arguments, sent) in [(Some("{\"amount\":9}"), 0), (None, 0), (Some(judged), 1)] {
        let digest = Digest::of(judged.as_bytes());
        let given = asked.given(digest);
        let judged = authz::judge(gate, &live, &key_of(&live), asked.wanted(), given);
        let Verdict::Allow(permit) = judged else {
            panic!("it is allowed");
        };
        let cleared = settle::on_record(gate, &asked, permit, &mut trail).await.unwrap();
        let body = Body { asked: &asked, arguments };
        let reply =
            proxy::forward(gate, cleared, body, &mut trail, &mut line, &mut cancelled).await;
        assert_eq!(reply.is_ok(), sent == 1, "{arguments:?}");
        assert_eq!(stage.journal.calls().len(), sent, "{arguments:?}");
    }
    let refused = stage.journal.reasons(EventKind::ExecutionFinished);
    assert_eq!(refused, ["arguments_changed", "arguments_changed", ""]);
}

#[tokio::test]
async fn x14_a_call_that_would_give_a_key_or_a_signature_away_is_not_made() {
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    let key = super::world::secret(WORKER);
    let key = key.expose_text().unwrap();
    assert!(key.starts_with("css_"), "the keys of the tests look like keys");
    for tool in ["read_file", "write_file"] {
        stage.journal.forget();
        let reply = client.call(tool, json!({ "path": format!("my key is {key}") })).await;
        assert_eq!(reply.error_code(), -32602, "{}", reply.body);
        assert!(reply.body.contains("take it out") && !reply.body.contains(key));
        assert_eq!(stage.journal.reasons(EventKind::Decision), ["secret_in_arguments"]);
        let told = format!("{:?}", stage.journal.events());
        assert!(!told.contains(key), "{told}");
    }
    assert!(stage.journal.calls().is_empty());
}

#[tokio::test]
async fn x09_a_link_in_a_result_is_data_and_reading_it_is_another_matter() {
    let stage = Stage::new().await;
    let link = r#"{"content":[{"type":"resource_link","uri":"file:///etc/passwd","name":"x"},{"type":"resource","resource":{"uri":"ui://app","text":"<b>"}}]}"#;
    stage.journal.behave(Behaviour::Answer(link.to_owned()));
    let client = stage.client(WORKER);
    let reply = client.call("read_file", json!({})).await;
    assert!(reply.body.contains(r#""uri":"file:///etc/passwd""#), "{}", reply.body);
    for uri in ["file:///etc/passwd", "ui://app"] {
        let asking = client.modern("resources/read").header("mcp-name", uri);
        let params = json!({ "uri": uri, "_meta": meta() });
        let reply = asking.post(&body("resources/read", params)).await;
        assert_eq!(reply.error_code(), -32602, "{uri}");
    }
    assert_eq!(stage.journal.calls().len(), 1);
}
