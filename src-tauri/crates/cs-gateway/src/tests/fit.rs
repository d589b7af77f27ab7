//! Arguments are held against the pinned definition, after the allowlist and before all else.

use cs_model::Digest;
use cs_model::event::EventKind;
use serde_json::{Value, json};

use super::client::{body, call_body, legacy_call, meta};
use super::world::{ACME, Stage, WORKER, tool};

/// A stage on which the tools of acme take what the schema says.
async fn with_schema(schema: Value) -> Stage {
    let stage = Stage::new().await;
    stage.enforce(|document| {
        for tool in document.tenants.iter_mut().flat_map(|it| &mut it.tools) {
            tool.definition =
                json!({ "name": tool.name.as_str(), "inputSchema": schema }).to_string();
            tool.fingerprint = Digest::of(tool.definition.as_bytes());
        }
    });
    stage
}

fn with_path() -> Value {
    json!({
        "type": "object",
        "properties": { "path": { "type": "string", "x-mcp-header": "Path" } },
        "required": ["path"],
        "additionalProperties": false,
    })
}

#[tokio::test]
async fn p16_arguments_that_do_not_fit_are_refused_before_anything_is_done() {
    let stage = with_schema(with_path()).await;
    let client = stage.client(WORKER).initialize().await;
    for (tool, arguments) in [
        ("read_file", json!({ "path": 1 })),
        ("read_file", json!({})),
        ("write_file", json!({ "path": "a", "mode": "x" })),
    ] {
        stage.journal.forget();
        let reply = client.post(&legacy_call(2, tool, &arguments)).await;
        assert_eq!((reply.status, reply.error_code()), (200, -32602), "{}", reply.body);
        let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("do not fit the tool's input schema at `/"), "{message}");
        assert_eq!(stage.journal.reasons(EventKind::RequestRefused), ["arguments"]);
        let steps = stage.journal.steps();
        assert!(!steps.iter().any(|it| it == "called upstream" || it == "decision"), "{steps:?}");
    }
    let reply = client.post(&legacy_call(3, "read_file", &json!({ "path": "a" }))).await;
    assert_eq!(reply.text(), "done");
}

#[tokio::test]
async fn p16_what_does_not_fit_tells_nothing_of_a_tool_that_is_not_there() {
    let stage = with_schema(with_path()).await;
    let client = stage.client(WORKER).initialize().await;
    let mut answers = Vec::new();
    for tool in ["access_secrets", "web_fetch", "no_such_tool"] {
        let reply = client.post(&legacy_call(2, tool, &json!({ "path": 1 }))).await;
        let mut answer = reply.json();
        answer["error"]["data"] = Value::Null;
        answers.push(answer.to_string().replace(tool, "x"));
    }
    assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
    assert!(answers[0].contains("allowlist"), "{}", answers[0]);
}

#[tokio::test]
async fn p17_h06_a_tool_whose_schema_is_refused_is_not_there_and_the_log_says_why() {
    for schema in [
        json!({ "$ref": "http://169.254.169.254/x" }),
        json!({ "properties": { "a": { "type": "number", "x-mcp-header": "A" } } }),
    ] {
        let stage = with_schema(schema).await;
        let client = stage.client(WORKER).initialize().await;
        let listed = client.post(&body("tools/list", json!({}))).await.json();
        assert_eq!(listed["result"]["tools"], json!([]));
        stage.journal.forget();
        let reply = client.post(&legacy_call(2, "read_file", &json!({}))).await;
        assert!(reply.body.contains("allowlist"), "{}", reply.body);
        let events = stage.journal.events();
        let denied = events.iter().find(|it| it.kind == EventKind::Decision).unwrap();
        assert_eq!(denied.reason.as_deref(), Some("definition_refused"));
        assert!(denied.detail.as_deref().unwrap().starts_with("its definition is refused"));
        assert_eq!(denied.tool, Some(tool(ACME * 1000)));
        assert_eq!(stage.journal.calls(), []);
    }
}

#[tokio::test]
async fn h05_a_header_that_repeats_an_argument_has_to_say_the_same() {
    let stage = with_schema(with_path()).await;
    let client = stage.client(WORKER).modern("tools/call").header("mcp-name", "read_file");
    let text = call_body("read_file", json!({ "path": "B" }));
    let wrong = [
        client.clone(),
        client.clone().header("mcp-param-path", "A"),
        client.clone().header("mcp-param-path", "B").header("mcp-param-path", "B"),
    ];
    for client in wrong {
        stage.journal.forget();
        let reply = client.post(&text).await;
        assert_eq!((reply.status, reply.error_code()), (400, -32020), "{}", reply.body);
        assert_eq!(stage.journal.reasons(EventKind::RequestRefused), ["header_mismatch"]);
        assert_eq!(stage.journal.calls(), []);
    }
    let right = client.clone().header("mcp-param-path", "B").header("mcp-param-other", "x");
    assert_eq!(right.post(&text).await.text(), "done");
    // A tool that is not there is not there whatever the headers say.
    let hidden = stage.client(WORKER).modern("tools/call").header("mcp-name", "access_secrets");
    let params = json!({ "name": "access_secrets", "arguments": { "path": "B" }, "_meta": meta() });
    let reply = hidden.post(&body("tools/call", params)).await;
    assert!(reply.body.contains("allowlist"), "{}", reply.body);
}
