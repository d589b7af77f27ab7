//! Prompts, resources, templates and completions of the reference server, governed like tools.

use countersign_tests::agent::Agent;
use serde_json::{Value, json};

use crate::place::{self, Place};

const ARCHITECTURE: &str = "demo://resource/static/document/architecture.md";
const FEATURES: &str = "demo://resource/static/document/features.md";
const TEXT: &str = "demo://resource/dynamic/text/{resourceId}";
const BLOB: &str = "demo://resource/dynamic/blob/{resourceId}";

/// Puts the reference server behind the gateway, grants some of what it has, and gives an agent
/// that works on a task which lists more than that.
async fn furnished(place: &Place) -> Agent {
    let server = place::peers("node_modules/.bin/mcp-server-everything");
    let server = server.to_str().expect("a path");
    place.ask(&["server", "add", "all", "--command", "node", "--arg", server]).await;
    let marked = |kind: &str, name: &str| format!("all/{kind}:{name}");
    for (name, grant) in [
        (marked("prompt", "args-prompt"), "allow"),
        (marked("prompt", "completable-prompt"), "token"),
        (marked("resource", ARCHITECTURE), "allow"),
        (marked("template", TEXT), "allow"),
        (marked("template", BLOB), "token"),
    ] {
        place.ask(&["grant", "set", "executor", &name, grant]).await;
    }
    let all = [
        "all/echo".to_owned(),
        marked("prompt", "args-prompt"),
        marked("prompt", "completable-prompt"),
        marked("prompt", "simple-prompt"),
        marked("resource", ARCHITECTURE),
        marked("resource", FEATURES),
        marked("template", TEXT),
        marked("template", BLOB),
    ];
    let listed: Vec<_> = all.iter().flat_map(|name| ["--tool", name.as_str()]).collect();
    place.ask(&[&["task", "create", "look"][..], &listed].concat()).await;
    place.ask(&["agent", "update", "executor-1", "--role", "executor", "--task", "look"]).await;
    let key = place.ask(&["credential", "issue", "executor-1", "--kind", "api-key"]).await;
    let word = |name: &str| key[name].as_str().expect("a word").to_owned();
    let endpoint = format!("{}/t/acme/task/look/mcp", place.url());
    Agent::new(&endpoint, &word("key_id"), &word("secret"))
}

fn names(answer: &Value, plural: &str, key: &str) -> Vec<String> {
    let all = answer["result"][plural].as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|it| it[key].as_str()).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn x07_the_reference_server_gives_what_is_granted_and_nothing_beside_it() {
    let place = Place::starter().await;
    let agent = furnished(&place).await;
    let ask = async |method: &str, params: Value| agent.request(method, params).await.1;

    let can = ask("server/discover", json!({})).await["result"]["capabilities"].clone();
    for name in ["completions", "prompts", "resources", "tools"] {
        assert!(can[name].is_object(), "{can}");
    }
    let prompts = ask("prompts/list", json!({})).await;
    assert_eq!(names(&prompts, "prompts", "name"), ["args-prompt", "completable-prompt"]);
    let resources = ask("resources/list", json!({})).await;
    assert_eq!(names(&resources, "resources", "uri"), [ARCHITECTURE]);
    let templates = ask("resources/templates/list", json!({})).await;
    assert_eq!(names(&templates, "resourceTemplates", "uriTemplate"), [BLOB, TEXT]);
    assert_eq!(agent.tools().await, [""; 0]);

    let got = json!({ "name": "args-prompt", "arguments": { "city": "Utrecht" } });
    let got = ask("prompts/get", got).await;
    assert!(got["result"]["messages"][0].to_string().contains("Utrecht"), "{got}");
    let read = ask("resources/read", json!({ "uri": ARCHITECTURE })).await;
    assert_eq!(read["result"]["contents"][0]["uri"], ARCHITECTURE, "{read}");
    assert_eq!(read["result"]["cacheScope"], "private");
    let made = "demo://resource/dynamic/text/7";
    let read = ask("resources/read", json!({ "uri": made })).await;
    assert_eq!(read["result"]["contents"][0]["uri"], made, "{read}");
    let of = json!({ "type": "ref/resource", "uri": TEXT });
    let asked = json!({ "ref": of, "argument": { "name": "resourceId", "value": "1" } });
    let completed = ask("completion/complete", asked).await;
    assert_eq!(completed["result"]["completion"]["values"], json!(["1"]), "{completed}");

    let of = json!({ "type": "ref/prompt", "name": "completable-prompt" });
    for (method, params) in [
        ("resources/read", json!({ "uri": FEATURES })),
        ("resources/read", json!({ "uri": "demo://resource/dynamic/text/../../static/x" })),
        ("resources/read", json!({ "uri": "demo://resource/dynamic/text/1%2F2" })),
        ("prompts/get", json!({ "name": "simple-prompt" })),
        ("prompts/get", json!({ "name": "args-prompt", "arguments": {} })),
        ("completion/complete", json!({ "ref": of, "argument": { "name": "name", "value": "" } })),
    ] {
        let refused = ask(method, params).await;
        assert_eq!(refused["error"]["code"], -32602, "{method} {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_for_the_read_of_one_uri_and_the_registry_survives_a_round_trip() {
    let place = Place::starter().await;
    let agent = furnished(&place).await;
    let blob = "demo://resource/dynamic/blob/3";
    let name = format!("template:{BLOB}");
    let person = place.approve(&name);
    let (read, ()) = tokio::join!(agent.request("resources/read", json!({ "uri": blob })), person);
    assert_eq!(read.1["result"]["contents"][0]["uri"], blob, "{}", read.1);

    let listed = place.ask(&["tool", "list", "--kind", "template"]).await;
    let found: Vec<_> = listed.as_array().into_iter().flatten().map(|it| &it["name"]).collect();
    assert_eq!(found, [BLOB, TEXT]);
}
