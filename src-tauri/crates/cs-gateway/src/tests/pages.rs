//! What a server shows to people: with its switch on, and with it off.

use cs_model::document::TenantDoc;
use cs_model::{Digest, Grant, Kind, Pass, Passes, ToolName};
use serde_json::{Value, json};

use super::client::{Client, Reply, body, meta};
use super::world::{ACME, Behaviour, Stage, WORKER, tool};

const PAGE: &str = "ui://app/main";
const OTHER_PAGE: &str = "ui://app/other";
const DEFINITION: &str = r#"{"name":"read_file","_meta":{"ui":{"resourceUri":"ui://app/main"},"vendor":1.0},"inputSchema":{"type":"object"}}"#;

/// Gives acme a tool that says what page goes with it, that page, and one that nobody granted.
fn furnish(acme: &mut TenantDoc, passes: bool) {
    acme.servers[0].passes = if passes { Passes::of([Pass::Ui]) } else { Passes::default() };
    DEFINITION.clone_into(&mut acme.tools[0].definition);
    acme.tools[0].fingerprint = Digest::of(DEFINITION.as_bytes());
    for (at, uri) in (600..).zip([PAGE, OTHER_PAGE]) {
        let id = tool(ACME * 1000 + at);
        let definition = format!(r#"{{"uri":"{uri}","name":"n"}}"#);
        acme.tools.push(cs_model::document::ToolDoc {
            id,
            kind: Kind::Resource,
            name: ToolName::of(Kind::Resource, uri).unwrap(),
            fingerprint: Digest::of(definition.as_bytes()),
            definition,
            ..acme.tools[0].clone()
        });
        acme.tasks[0].tools.insert(id);
        if uri == PAGE {
            acme.roles[0].grants.insert(id, Grant::Allow);
        }
    }
}

/// Asks in both eras. What comes of it has to be the same, but for its shape.
async fn ask(eras: &(Client, Client), method: &str, params: Value) -> [Reply; 2] {
    let (old, new) = eras;
    let older = old.post(&body(method, params.clone())).await;
    let mut client = new.modern(method);
    if let Some(uri) = params["uri"].as_str() {
        client = client.header("mcp-name", uri);
    }
    let mut params = params;
    params["_meta"] = meta();
    [older, client.post(&body(method, params)).await]
}

/// Whether pages are seen and read.
async fn seen(eras: &(Client, Client)) -> Vec<bool> {
    let mut seen = Vec::new();
    for reply in ask(eras, "tools/list", json!({})).await {
        assert!(reply.body.contains(r#""vendor":1.0"#), "{}", reply.body);
        seen.push(reply.body.contains("resourceUri"));
    }
    for reply in ask(eras, "resources/list", json!({})).await {
        assert!(!reply.body.contains(OTHER_PAGE), "nobody granted it: {}", reply.body);
        seen.push(reply.body.contains(PAGE));
    }
    for reply in ask(eras, "resources/read", json!({ "uri": OTHER_PAGE })).await {
        assert_ne!(reply.error_code(), 0, "nobody granted it: {}", reply.body);
    }
    for reply in ask(eras, "resources/read", json!({ "uri": PAGE })).await {
        let read = reply.json()["result"]["contents"][0]["text"] == "<b>";
        assert_eq!(read, reply.error_code() == 0, "{}", reply.body);
        seen.push(read);
    }
    seen
}

#[tokio::test]
async fn x09_pages_of_a_server_pass_by_its_switch_and_by_their_own_grants() {
    for passes in [false, true] {
        let stage = Stage::new().await;
        stage.enforce(|it| furnish(&mut it.tenants[0], passes));
        let page = r#"{"contents":[{"uri":"ui://app/main","text":"<b>"}]}"#;
        stage.journal.behave(Behaviour::Answer(page.to_owned()));
        let new = stage.client(WORKER);
        let eras = (new.initialize().await, new);
        assert_eq!(seen(&eras).await, [passes; 6]);
        assert_eq!(stage.journal.calls().len(), if passes { 2 } else { 0 });
        stage.enforce(|it| furnish(&mut it.tenants[0], false));
        assert_eq!(seen(&eras).await, [false; 6], "the switch counts on the next request");
    }
}
