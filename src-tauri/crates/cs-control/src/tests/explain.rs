//! Why a call passes or does not, as it is told.

use serde_json::{Value, json};

use super::approvals::Waiting;
use super::place::Place;

async fn tool(place: &Place, name: &str) -> Value {
    let matrix = place.matrix().await;
    let tools = matrix["tools"].as_array().unwrap();
    tools.iter().find(|it| it["name"] == name).unwrap()["id"].clone()
}

async fn asked(place: &Place, agent: &str, name: &str, more: Value) -> Value {
    let tenant = place.tenant().await;
    let tasks = place.ask("task_list", json!({ "tenant": tenant })).await;
    let mut args = json!({
        "tenant": tenant,
        "agent": place.agent(agent).await["id"],
        "task": tasks[0]["id"],
        "tool": tool(place, name).await,
    });
    for (key, value) in more.as_object().unwrap() {
        args[key] = value.clone();
    }
    place.ask("policy_explain", args).await
}

async fn explain(place: &Place, agent: &str, name: &str) -> Value {
    asked(place, agent, name, json!({})).await
}

async fn issue(place: &Place, agent: &str) -> Value {
    let (tenant, agent) = (place.tenant().await, place.agent(agent).await);
    let args = json!({ "tenant": tenant, "agent": agent["id"], "kind": "api_key" });
    place.ask("credential_issue", args).await
}

fn step<'v>(told: &'v Value, gate: &str) -> &'v Value {
    let steps = told["steps"].as_array().unwrap();
    steps.iter().find(|it| it["gate"] == gate).unwrap_or_else(|| panic!("{gate}: {told}"))
}

#[tokio::test]
async fn an_explanation_names_the_step_that_decides_and_why() {
    let place = Place::with_starter().await;
    let told = explain(&place, "executor-1", "write_file").await;
    assert_eq!((&told["outcome"], &told["decides"]), (&json!("deny"), &json!("credential")));
    let sentence = "Refused. `executor-1` has no credential, so nobody can prove to be it.";
    assert_eq!(told["sentence"], sentence);
    assert_eq!(step(&told, "tenant")["verdict"], "skipped");

    let issued = issue(&place, "executor-1").await;
    let cases = [
        ("read_file", "allow", "grant"),
        ("write_file", "token", "countersignature"),
        ("access_secrets", "deny", "grant"),
    ];
    for (name, outcome, decides) in cases {
        let told = explain(&place, "executor-1", name).await;
        assert_eq!((&told["outcome"], &told["decides"]), (&json!(outcome), &json!(decides)));
    }
    let told = explain(&place, "executor-1", "access_secrets").await;
    let grant = step(&told, "grant");
    assert_eq!((&grant["verdict"], &grant["reason"]), (&json!("refuses"), &json!("not_granted")));
    assert_eq!(
        grant["sentence"],
        "None of the agent's roles grants the tool. Role `executor` says deny."
    );
    assert_eq!(step(&told, "task_tools")["verdict"], "passes");
    assert_eq!(step(&told, "frozen")["verdict"], "skipped");
    let taskless = asked(&place, "executor-1", "read_file", json!({ "task": null })).await;
    assert_eq!((&taskless["decides"], &taskless["task"]), (&json!("task"), &Value::Null));

    let tenant = place.tenant().await;
    let args = json!({ "tenant": tenant, "credential": issued["credential"] });
    place.ask("credential_revoke", args).await;
    let told = explain(&place, "executor-1", "read_file").await;
    assert_eq!(step(&told, "credential")["reason"], "credential_revoked");
}

#[tokio::test]
async fn an_explanation_follows_conditions_limits_and_what_is_switched_off() {
    let place = Place::with_starter().await;
    let (tenant, _) = (place.tenant().await, issue(&place, "reader-1").await);
    let read = tool(&place, "read_file").await;
    let matrix = place.matrix().await;
    let reader = matrix["roles"].as_array().unwrap().iter().find(|it| it["name"] == "reader");
    let schema = r#"{"properties":{"path":{"pattern":"^public/"}}}"#;
    let change = json!({ "role": reader.unwrap()["id"], "tool": read, "grant": "allow",
                         "condition": { "schema": schema, "otherwise": "token" } });
    let base = &matrix["policy_version"];
    let args = json!({ "tenant": tenant, "changes": [change], "base_version": base });
    place.ask("matrix_set", args).await;
    let outcome = |told: &Value| told["outcome"].clone();
    let with = |path: &str| json!({ "arguments": json!({ "path": path }).to_string() });
    assert_eq!(outcome(&explain(&place, "reader-1", "read_file").await), "allow");
    let fits = asked(&place, "reader-1", "read_file", with("public/a")).await;
    assert_eq!(outcome(&fits), "allow", "{fits}");
    assert_eq!(step(&fits, "arguments")["verdict"], "passes");
    let other = asked(&place, "reader-1", "read_file", with("private/a")).await;
    assert_eq!(outcome(&other), "token", "{other}");
    let sentence = step(&other, "grant")["sentence"].as_str().unwrap();
    assert!(sentence.contains("the arguments do not satisfy its condition"), "{sentence}");
    let leak = format!("css_{}", "a".repeat(43));
    let leaking = asked(&place, "reader-1", "read_file", with(&leak)).await;
    assert_eq!(step(&leaking, "arguments")["reason"], "secret_in_arguments");

    let rate = json!({ "calls": 2, "secs": 60 });
    let args = json!({ "tenant": tenant, "tool": read, "rate": rate });
    place.ask("tool_set_rate", args).await;
    let limited = explain(&place, "reader-1", "read_file").await;
    let sentence = "At most 2 calls in 60 s of this tool; 0 count now.";
    assert_eq!(step(&limited, "rate")["sentence"], sentence);

    let args = json!({ "tenant": tenant, "tools": [read], "enabled": false });
    place.ask("tool_set_enabled", args).await;
    let off = explain(&place, "reader-1", "read_file").await;
    assert_eq!((&off["decides"], outcome(&off)), (&json!("tool"), json!("deny")));
    assert_eq!(step(&off, "tool")["sentence"], "The tool is disabled.");
}

#[tokio::test]
async fn what_is_asked_has_to_be_there_and_to_be_an_object() {
    let place = Place::with_starter().await;
    let (tenant, console) = (place.tenant().await, place.control.console());
    let agent = place.agent("reader-1").await["id"].clone();
    let read = tool(&place, "read_file").await;
    for arguments in ["[]", "1", "", "{\"a\":1,\"a\":2}", "{"] {
        let args =
            json!({ "tenant": tenant, "agent": agent, "tool": read, "arguments": arguments });
        let refused = place.refused(console, "policy_explain", args).await;
        assert_eq!(refused["field"], "arguments", "{arguments}: {refused}");
    }
    let other = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    let args = json!({ "tenant": other, "agent": agent, "tool": read });
    assert_eq!(place.refused(console, "policy_explain", args).await["code"], "not_found");
}

#[tokio::test]
async fn an_agent_that_has_reached_its_number_of_waiting_calls_is_said_to_have() {
    let it = Waiting::new().await;
    let told = explain(&it.place, "executor-1", "write_file").await;
    assert_eq!((&told["outcome"], &told["decides"]), (&json!("token"), &json!("countersignature")));
    let agent = it.place.agent("executor-1").await["id"].clone();
    let most = json!({ "tenant": it.request.tenant, "agent": agent, "most": 1 });
    it.place.ask("agent_set_waiting", most).await;
    let told = explain(&it.place, "executor-1", "write_file").await;
    assert_eq!((&told["outcome"], &told["decides"]), (&json!("deny"), &json!("countersignature")));
    let said = step(&told, "countersignature");
    assert_eq!(said["reason"], "agent_too_many_waiting");
    let sentence = said["sentence"].as_str().unwrap();
    assert!(sentence.contains("has 1 calls waiting for people and may have 1"), "{sentence}");
    let passed = explain(&it.place, "executor-1", "read_file").await;
    assert_eq!(passed["outcome"], "allow", "what nobody signs for does not wait");
    let deny = json!({ "tenant": it.request.tenant, "approval": it.request.id, "reason": "No." });
    it.place.ask("approval_deny", deny).await;
    assert_eq!(explain(&it.place, "executor-1", "write_file").await["outcome"], "token");
}
