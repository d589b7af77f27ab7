//! Real agents and real servers around a gateway without a window: the command line sets it up,
//! three clients go through `countersign connect`, and what they were told is compared.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "code of tests: it stops at what it did not expect"
)]

mod ahead;
mod canary;
mod certificates;
mod conformance;
mod consoles;
mod decide;
mod disk;
mod errands;
mod exhausted;
mod glewlwyd;
mod home;
mod http;
mod issuer;
mod kinds;
mod local;
mod mtls;
mod oidc;
mod outside;
mod pairs;
mod patience;
mod place;
mod provider;
mod quorum;
mod rmcp;
mod rotation;
mod series;
mod tokens;
mod vault;
mod webhook;

use place::Place;
use serde_json::{Value, json};

/// What an agent reported of a call.
fn call<'r>(report: &'r [Value], name: &str) -> &'r Value {
    report.iter().find(|line| line["call"] == name).unwrap_or_else(|| panic!("{name}: {report:?}"))
}

fn text(result: &Value) -> String {
    result.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_real_client_sees_its_tools_is_refused_and_waits_for_a_person() {
    let place = Place::starter().await;
    let clients = [
        ("agent-sdk.mjs", "legacy"),
        ("agent-client.mjs", "legacy"),
        ("agent-client.mjs", "2026-07-28"),
        ("agent.py", "legacy"),
        ("agent.py", "auto"),
    ];
    for (count, (script, mode)) in clients.into_iter().enumerate() {
        let key = place.key("executor-1").await;
        let note = json!({"path": "log.txt", "content": format!("{count}\n"), "append": true});
        let calls = json!([
            {"name": "read_file", "arguments": {"path": "notes/welcome.md"}},
            {"name": "access_secrets", "arguments": {"name": "x"}},
            {"name": "write_file", "arguments": note},
        ]);
        let agent = place.agent(script, mode, &key, calls);
        let person = place.approve("write_file");
        let (report, ()) = tokio::join!(agent, person);
        let listed = report.iter().find(|line| line.get("listed").is_some()).expect("a list");
        let listed = listed["listed"].as_array().expect("names");
        assert_eq!(listed.len(), 6, "{script} {mode}: {listed:?}");
        assert!(!listed.contains(&json!("access_secrets")), "{script} {mode}");
        assert!(
            text(call(&report, "read_file")).contains("Welcome"),
            "{script} {mode}: {report:?}"
        );
        let refused = text(call(&report, "access_secrets"));
        let expected = "Tool 'access_secrets' is not in this session's allowlist";
        assert!(refused.contains(expected), "{script} {mode}: {refused}");
        let written = place.file("log.txt");
        assert_eq!(written.lines().count(), count + 1, "{script} {mode}: {report:?}");
    }
    let chain = place.ask(&["audit", "verify"]).await;
    assert_eq!(chain["whole"], true, "{chain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_is_put_behind_the_gateway_and_a_narrowed_cell_refuses_the_next_call() {
    let place = Place::starter().await;
    let folder = place.folder("shared");
    std::fs::write(folder.join("a.txt"), "from the file server").expect("a file");
    let server = place::peers("node_modules/@modelcontextprotocol/server-filesystem/dist/index.js");
    let server = format!("--arg={}", server.display());
    let root = format!("--arg={}", folder.display());
    place.ask(&["server", "add", "files", "--command", "node", &server, &root]).await;
    place.ask(&["grant", "set", "executor", "files/read_text_file", "allow"]).await;
    let both = ["--tool", "files/read_text_file", "--tool", "workbench/read_file"];
    place.ask(&[&["task", "create", "files"][..], &both].concat()).await;
    place.ask(&["agent", "update", "executor-1", "--role", "executor", "--task", "files"]).await;
    let key = place.key("executor-1").await;
    let path = folder.join("a.txt");
    let calls = json!([{"name": "files__read_text_file", "arguments": {"path": path}}]);
    let report = place.agent_on("files", "agent-sdk.mjs", "legacy", &key, calls.clone()).await;
    let listed = json!({"listed": ["files__read_text_file", "workbench__read_file"]});
    assert!(report.contains(&listed), "{report:?}");
    let answer = text(call(&report, "files__read_text_file"));
    assert!(answer.contains("from the file server"), "{answer}");

    place.ask(&["grant", "set", "executor", "files/read_text_file", "deny"]).await;
    let report = place.agent_on("files", "agent-sdk.mjs", "legacy", &key, calls).await;
    let answer = text(call(&report, "files__read_text_file"));
    assert!(answer.contains("is not in this session's allowlist"), "{answer}");
}
