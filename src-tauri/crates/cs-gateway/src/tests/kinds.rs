//! Prompts, resources, templates and completions: the same gates in both eras.

use cs_model::document::{TenantDoc, ToolDoc};
use cs_model::event::{Decision, EventKind};
use cs_model::{Condition, Digest, Grant, Kind, ToolName};
use serde_json::{Value, json};

use super::client::{Client, Reply, body, meta};
use super::world::{ACME, Behaviour, Stage, WORKER, role, task, tool};

pub(super) const NOTES: &str = "file:///data/notes";
const ANY: &str = "file:///data/{name}";
const LOGS: &str = "file:///data/log-{name}";
pub(super) const KEYS: &str = "file:///data/keys";

/// What acme has besides its tools, and what its role grants. The task lists all of it.
const THINGS: [(Kind, &str, Option<Grant>); 6] = [
    (Kind::Prompt, "greet", Some(Grant::Allow)),
    (Kind::Prompt, "confess", Some(Grant::Token)),
    (Kind::Resource, NOTES, Some(Grant::Allow)),
    (Kind::Resource, KEYS, None),
    (Kind::Template, ANY, Some(Grant::Allow)),
    (Kind::Template, LOGS, Some(Grant::Token)),
];

fn definition(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Prompt => {
            format!(r#"{{"name":"{name}","x":1.0,"arguments":[{{"name":"who","required":true}}]}}"#)
        }
        Kind::Resource => format!(r#"{{"uri":"{name}","name":"n","x":1.0}}"#),
        Kind::Template => format!(r#"{{"uriTemplate":"{name}","name":"n","x":1.0}}"#),
        Kind::Tool => super::world::definition(name),
    }
}

pub(super) fn furnish(acme: &mut TenantDoc) {
    for (at, (kind, name, grant)) in (500..).zip(THINGS) {
        let id = tool(ACME * 1000 + at);
        let definition = definition(kind, name);
        acme.tools.push(ToolDoc {
            id,
            kind,
            name: ToolName::of(kind, name).unwrap(),
            fingerprint: Digest::of(definition.as_bytes()),
            definition,
            ..acme.tools[0].clone()
        });
        acme.tasks[0].tools.insert(id);
        acme.roles[0].grants.extend(grant.map(|grant| (id, grant)));
    }
    assert_eq!((acme.roles[0].id, acme.tasks[0].id), (role(1000), task(1000)));
}

pub(super) async fn stage() -> Stage {
    let stage = Stage::with(|config| {
        config.limits.hold = std::time::Duration::from_millis(40);
        config.limits.rounds = 0;
    })
    .await;
    stage.enforce(|document| furnish(&mut document.tenants[0]));
    stage
}

/// Asks in the newer era.
async fn modern(client: &Client, method: &str, mut params: Value) -> Reply {
    let name = params["name"].as_str().or(params["uri"].as_str()).map(str::to_owned);
    params["_meta"] = meta();
    let mut client = client.modern(method);
    if let Some(name) = name {
        client = client.header("mcp-name", &name);
    }
    client.post(&body(method, params)).await
}

pub(super) async fn legacy(client: &Client, method: &str, params: Value) -> Reply {
    client.post(&body(method, params)).await
}

fn names(reply: &Reply, plural: &str, key: &str) -> Vec<String> {
    let all = reply.json()["result"][plural].as_array().cloned().unwrap_or_default();
    all.iter().map(|it| it[key].as_str().unwrap().to_owned()).collect()
}

const LISTS: [(&str, &str, &str, &[&str]); 4] = [
    ("prompts/list", "prompts", "name", &["confess", "greet"]),
    ("resources/list", "resources", "uri", &[NOTES]),
    ("resources/templates/list", "resourceTemplates", "uriTemplate", &[LOGS, ANY]),
    ("tools/list", "tools", "name", &["read_file", "write_file"]),
];

#[tokio::test]
async fn x07_each_list_has_what_is_granted_and_nothing_else_in_both_eras() {
    let stage = stage().await;
    let old = stage.client(WORKER).initialize().await;
    let new = stage.client(WORKER);
    for (method, plural, key, expected) in LISTS {
        let reply = legacy(&old, method, json!({})).await;
        assert_eq!(names(&reply, plural, key), expected, "{}", reply.body);
        assert_eq!(reply.json()["result"].as_object().unwrap().len(), 1);
        let reply = modern(&new, method, json!({})).await;
        assert_eq!(names(&reply, plural, key), expected, "{}", reply.body);
        let result = &reply.json()["result"];
        assert_eq!((&result["cacheScope"], &result["ttlMs"]), (&json!("private"), &json!(0)));
        assert!(reply.body.contains(r#""x":1.0"#) || plural == "tools", "byte for byte");
        let page = modern(&new, method, json!({ "cursor": "next" })).await;
        assert_eq!(page.error_code(), -32602, "there is one page");
    }
    assert_eq!(stage.journal.calls(), [], "no server was asked");
}

#[tokio::test]
async fn what_a_session_can_never_see_is_no_capability_of_the_gateway() {
    let stage = stage().await;
    let client = stage.client(WORKER);
    let found = modern(&client, "server/discover", json!({})).await.json();
    let told = json!({ "listChanged": true });
    let watched = json!({ "listChanged": true, "subscribe": true });
    let all = json!({ "tools": told, "prompts": told, "resources": watched, "completions": {},
        "logging": {} });
    let mut newer = all.clone();
    newer["extensions"] = json!({ "io.modelcontextprotocol/tasks": {} });
    assert_eq!(found["result"]["capabilities"], newer);
    let reading = client.clone().at("/t/acme/task/reading/mcp");
    let found = modern(&reading, "server/discover", json!({})).await.json();
    let few = json!({ "tools": told, "logging": {}, "extensions": newer["extensions"] });
    assert_eq!(found["result"]["capabilities"], few);
    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "c", "version": "1" } });
    let reply = client.post(&body("initialize", hello)).await.json();
    assert_eq!(reply["result"]["capabilities"], all);
}

#[tokio::test]
async fn a_prompt_and_a_resource_are_asked_for_once_and_put_on_record() {
    let stage = stage().await;
    let client = stage.client(WORKER);
    stage.journal.behave(Behaviour::Answer(r#"{"messages":[],"description":"d"}"#.to_owned()));
    let got =
        modern(&client, "prompts/get", json!({ "name": "greet", "arguments": { "who": "x" } }));
    assert_eq!(got.await.json()["result"]["resultType"], "complete");
    stage.journal.behave(Behaviour::Answer(
        r#"{"contents":[{"uri":"u","text":"t"}],"ttlMs":60000,"cacheScope":"public"}"#.to_owned(),
    ));
    for uri in [NOTES, "file:///data/other"] {
        let read = modern(&client, "resources/read", json!({ "uri": uri })).await.json();
        let result = &read["result"];
        assert_eq!((&result["cacheScope"], &result["ttlMs"]), (&json!("private"), &json!(0)));
        assert_eq!(result["contents"][0]["text"], "t");
    }
    let sent: Vec<_> =
        stage.journal.calls().into_iter().map(|it| (it.tool, it.arguments.unwrap())).collect();
    let uri = |uri: &str| json!({ "uri": uri }).to_string();
    assert_eq!(
        sent,
        [
            ("greet".to_owned(), r#"{"who":"x"}"#.to_owned()),
            (NOTES.to_owned(), uri(NOTES)),
            (ANY.to_owned(), uri("file:///data/other")),
        ]
    );
    let decided = stage.journal.events().into_iter().filter(|it| it.kind == EventKind::Decision);
    let named: Vec<_> = decided.map(|it| (it.decision.unwrap(), it.tool_name.unwrap())).collect();
    assert_eq!(
        named,
        ["prompt:greet", "resource:file:///data/notes", "resource:file:///data/other"]
            .map(|name| (Decision::Allow, name.to_owned()))
    );
    let digests: std::collections::BTreeSet<_> =
        stage.journal.events().into_iter().filter_map(|it| it.arguments).collect();
    assert_eq!(digests.len(), 3, "each URI is bound into its record");
}

#[tokio::test]
async fn x07_what_is_not_granted_is_refused_like_what_is_not_there() {
    let stage = stage().await;
    let old = stage.client(WORKER).initialize().await;
    let new = stage.client(WORKER);
    let cases = [
        ("resources/read", json!({ "uri": KEYS }), -32002),
        ("resources/read", json!({ "uri": "file:///etc/passwd" }), -32002),
        ("resources/read", json!({ "uri": "file:///data/../etc/passwd" }), -32002),
        ("resources/read", json!({ "uri": "file:///data/%2e%2e%2fetc" }), -32002),
        ("resources/read", json!({ "uri": "file:///data/a/b" }), -32002),
        ("resources/read", json!({ "uri": "ui://app" }), -32002),
        ("resources/read", json!({ "uri": ANY }), -32002),
        ("prompts/get", json!({ "name": "other" }), -32602),
        ("prompts/get", json!({ "name": "read_file" }), -32602),
        ("tools/call", json!({ "name": "prompt:greet" }), -32602),
        ("tools/call", json!({ "name": "greet" }), -32602),
        ("tools/call", json!({ "name": format!("resource:{NOTES}") }), -32602),
    ];
    for (method, params, code) in cases {
        assert_eq!(legacy(&old, method, params.clone()).await.error_code(), code, "{params}");
        let reply = modern(&new, method, params.clone()).await;
        assert_eq!((reply.status, reply.error_code()), (200, -32602), "{params}");
    }
    let shape = |reply: Reply, uri: &str| {
        let mut error = reply.json()["error"].clone();
        error["data"]["correlation"] = Value::Null;
        error.to_string().replace(uri, "URI")
    };
    let (there, not) = (KEYS, "file:///data/xx/yy");
    assert_eq!(
        shape(modern(&new, "resources/read", json!({ "uri": there })).await, there),
        shape(modern(&new, "resources/read", json!({ "uri": not })).await, not),
    );
    let unknown = modern(&new, "resources/read", json!({ "uri": not })).await.json();
    assert_eq!(unknown["error"]["data"]["uri"], not);
    let odd = legacy(&old, "resources/read", json!({ "uri": "file:///\u{202e}" })).await.json();
    assert_eq!(odd["error"]["code"], -32002);
    assert_eq!(odd["error"]["data"].get("uri"), None, "what is no URI is not repeated");
    assert_eq!(stage.journal.calls(), []);
}

fn complete(kind: &str, key: &str, of: &str, argument: &str) -> Value {
    json!({ "ref": { "type": kind, key: of }, "argument": { "name": argument, "value": "a" } })
}

#[tokio::test]
async fn x07_a_completion_is_judged_as_what_it_is_for() {
    let stage = stage().await;
    let old = stage.client(WORKER).initialize().await;
    let new = stage.client(WORKER);
    stage.journal.behave(Behaviour::Answer(r#"{"completion":{"values":["ab"]}}"#.to_owned()));
    let cases = [
        (complete("ref/prompt", "name", "greet", "who"), 0),
        (complete("ref/resource", "uri", ANY, "name"), 0),
        (complete("ref/prompt", "name", "greet", "whom"), -32602),
        (complete("ref/resource", "uri", ANY, "path"), -32602),
        (complete("ref/prompt", "name", "confess", "who"), -32602),
        (complete("ref/prompt", "name", "other", "who"), -32602),
        (complete("ref/prompt", "name", "read_file", "who"), -32602),
        (complete("ref/prompt", "name", "resource:x", "who"), -32602),
    ];
    for (params, code) in cases {
        for reply in [
            legacy(&old, "completion/complete", params.clone()).await,
            modern(&new, "completion/complete", params.clone()).await,
        ] {
            assert_eq!(reply.error_code(), code, "{params}: {}", reply.body);
        }
    }
    let held = complete("ref/resource", "uri", LOGS, "name");
    assert_eq!(legacy(&old, "completion/complete", held.clone()).await.error_code(), -32002);
    assert_eq!(modern(&new, "completion/complete", held).await.error_code(), -32602);
    assert_eq!(stage.journal.reasons(EventKind::ApprovalRequested), [""; 0]);
    assert!(stage.journal.reasons(EventKind::Decision).contains(&"completion_held".to_owned()));
    let sent = stage.journal.calls();
    assert_eq!(sent.len(), 4);
    assert_eq!(sent[0].arguments.as_deref(), Some(r#"{"argument":{"name":"who","value":"a"}}"#));
}

/// Attacks X07, X18: a condition speaks of what is done. What is only asked about meets none.
#[tokio::test]
async fn x07_x18_a_completion_meets_no_condition() {
    let stage = stage().await;
    stage.enforce(|document| {
        let acme = &mut document.tenants[0];
        furnish(acme);
        let greet = acme.tools.iter().find(|it| it.name.as_str() == "greet").unwrap().id;
        let schema = r#"{"properties":{"who":{"const":"ada"}}}"#.to_owned();
        acme.roles[0].conditions.insert(greet, Condition { schema, otherwise: Grant::Deny });
    });
    let client = stage.client(WORKER);
    stage.journal.behave(Behaviour::Answer(r#"{"completion":{"values":["ab"]}}"#.to_owned()));
    let asked = complete("ref/prompt", "name", "greet", "who");
    let reply = modern(&client, "completion/complete", asked).await;
    assert_eq!(reply.error_code(), -32602, "{}", reply.body);
    stage.journal.behave(Behaviour::Answer(r#"{"messages":[]}"#.to_owned()));
    let got = |who: &'static str| {
        modern(&client, "prompts/get", json!({ "name": "greet", "arguments": { "who": who } }))
    };
    assert_eq!(got("eve").await.error_code(), -32602);
    assert_eq!(got("ada").await.error_code(), 0);
    assert_eq!(stage.journal.calls().len(), 1);
}

#[tokio::test]
async fn a_read_that_needs_a_signature_is_bound_to_its_uri_and_made_once() {
    let stage = stage().await;
    let client = stage.client(WORKER).initialize().await;
    let read = |uri: &'static str| legacy(&client, "resources/read", json!({ "uri": uri }));
    let one = read("file:///data/log-1").await;
    assert_eq!(one.error_code(), -31_000, "{}", one.body);
    let request = stage.journal.requests(1).await.remove(0);
    let said = one.json()["error"].clone();
    assert_eq!(said["data"]["approval"], request.id.to_string());
    assert!(said["message"].as_str().unwrap().contains(&request.id.to_string()));
    assert_eq!(request.arguments, r#"{"uri":"file:///data/log-1"}"#);
    assert_eq!(request.listed, "resource:file:///data/log-1");
    stage.journal.approve(&request, 1);
    stage.journal.behave(Behaviour::Answer(r#"{"contents":[]}"#.to_owned()));
    let other = read("file:///data/log-2").await;
    assert_eq!(other.error_code(), -31_000, "the signature is for another URI");
    let first = read("file:///data/log-1").await;
    assert_eq!(first.json()["result"], json!({ "contents": [] }), "{}", first.body);
    assert_eq!(read("file:///data/log-1").await.error_code(), -31_000, "it was for one read");
    let sent: Vec<_> = stage.journal.calls().into_iter().filter_map(|it| it.arguments).collect();
    assert_eq!(sent, [r#"{"uri":"file:///data/log-1"}"#]);
}

#[tokio::test]
async fn h05_names_in_headers_say_what_the_body_says_for_every_kind() {
    let stage = stage().await;
    let client = stage.client(WORKER);
    stage.journal.behave(Behaviour::Answer(r#"{"contents":[]}"#.to_owned()));
    for (method, named, other) in [
        ("resources/read", json!({ "uri": NOTES }), KEYS),
        ("prompts/get", json!({ "name": "greet", "arguments": { "who": "x" } }), "confess"),
    ] {
        let mut params = named;
        params["_meta"] = meta();
        let said = |name: Option<&str>| {
            let client = client.modern(method);
            let client = name.map_or(client.clone(), |name| client.header("mcp-name", name));
            let text = body(method, params.clone());
            async move { client.post(&text).await }
        };
        assert_eq!(said(Some(other)).await.error_code(), -32020, "{method}");
        assert_eq!(said(None).await.error_code(), -32020, "{method}");
    }
    assert_eq!(stage.journal.calls(), []);
}

#[tokio::test]
async fn x07_params_that_are_not_known_are_refused() {
    let stage = stage().await;
    let client = stage.client(WORKER).initialize().await;
    let of = json!({ "type": "ref/prompt", "name": "greet" });
    let argument = json!({ "name": "who", "value": "" });
    for (method, params) in [
        ("resources/read", json!({ "uri": NOTES, "range": "0-1" })),
        ("resources/read", json!({ "uri": [NOTES] })),
        ("resources/read", json!({})),
        ("prompts/get", json!({ "name": "greet", "uri": NOTES })),
        ("prompts/get", json!({ "name": "greet", "arguments": ["x"] })),
        ("completion/complete", json!({ "ref": of })),
        ("completion/complete", json!({ "ref": of, "argument": { "name": "who", "value": 1 } })),
        ("completion/complete", json!({ "ref": of, "argument": argument, "more": 1 })),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/tool", "name": "x" }, "argument": argument }),
        ),
        ("completion/complete", json!({ "ref": of, "argument": argument, "context": { "x": {} } })),
        ("completion/complete", json!({ "ref": of, "argument": argument, "context": [] })),
    ] {
        assert_eq!(legacy(&client, method, params.clone()).await.error_code(), -32602, "{params}");
    }
    for params in
        [json!({ "name": "greet" }), json!({ "name": "greet", "arguments": { "who": 1 } })]
    {
        assert_eq!(legacy(&client, "prompts/get", params.clone()).await.error_code(), -32602);
    }
    assert_eq!(stage.journal.calls(), []);
}

#[tokio::test]
async fn errors_of_a_server_are_told_in_the_words_of_the_era() {
    let stage = stage().await;
    let old = stage.client(WORKER).initialize().await;
    let new = stage.client(WORKER);
    stage.journal.behave(Behaviour::Error(-32002, "not found".to_owned()));
    let params = json!({ "uri": NOTES });
    assert_eq!(legacy(&old, "resources/read", params.clone()).await.error_code(), -32002);
    assert_eq!(modern(&new, "resources/read", params).await.error_code(), -32602);
}
