//! Changes of what is enforced.

use std::time::Instant;

use cs_model::Grant;
use serde_json::{Value, json};

use super::place::Place;

fn names(of: &Value) -> Vec<&str> {
    of.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_starter_has_the_matrix_that_was_promised() {
    let place = Place::with_starter().await;
    let matrix = place.matrix().await;
    assert_eq!(names(&matrix["roles"]), ["reader", "analyst", "executor", "admin"]);
    let mut rows: Vec<(&str, Value)> = names(&matrix["tools"])
        .into_iter()
        .zip(matrix["cells"].as_array().unwrap().iter().cloned())
        .collect();
    rows.sort_by_key(|(name, _)| *name);
    let (a, d, t) = ("allow", "deny", "token");
    let expected = [
        ("access_secrets", json!([d, d, d, t])),
        ("execute_code", json!([d, d, t, a])),
        ("modify_mcp_config", json!([d, d, d, t])),
        ("read_file", json!([a, a, a, a])),
        ("search_database", json!([a, a, a, a])),
        ("send_email", json!([d, d, t, a])),
        ("web_fetch", json!([d, a, a, a])),
        ("write_file", json!([d, d, t, a])),
    ];
    assert_eq!(rows, expected);
    let tasks = place.ask("task_list", json!({ "tenant": place.tenant().await })).await;
    assert_eq!(tasks[0]["tools"].as_array().unwrap().len(), 8);
    for role in ["reader", "analyst", "executor", "admin"] {
        let agent = place.agent(&format!("{role}-1")).await;
        assert_eq!(
            (names(&agent["roles"]), names(&agent["tasks"])),
            (vec![role], vec!["workbench"])
        );
    }
}

#[tokio::test]
async fn the_starter_goes_without_trace_and_its_events_stay() {
    let place = Place::with_starter().await;
    let before = place.ask("audit_verify", json!({})).await["events"].as_u64().unwrap();
    place.ask("starter_remove", json!({})).await;
    assert_eq!(place.ask("tenant_list", json!({})).await, json!([]));
    assert_eq!(place.ask("export", json!({})).await["text"], "tenants: {}\n");
    let after = place.ask("audit_verify", json!({})).await;
    assert!(after["events"].as_u64().unwrap() > before && after["whole"] == true);
    let console = place.control.console();
    assert_eq!(place.refused(console, "starter_remove", json!({})).await["code"], "not_found");
    place.ask("starter_load", json!({})).await;
}

fn change(matrix: &Value, role: usize, tool: usize, grant: Grant) -> Value {
    json!({ "role": matrix["roles"][role]["id"], "tool": matrix["tools"][tool]["id"],
            "grant": grant })
}

#[expect(clippy::disallowed_methods, reason = "the time that a change takes is measured")]
fn begin() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "a figure for whoever reads the test's output")]
fn tell(begun: Instant) {
    println!("a changed cell was enforced after {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_changed_cell_is_enforced_before_the_command_answers() {
    let place = Place::with_starter().await;
    let matrix = place.matrix().await;
    let (tenant, base) = (place.tenant().await, matrix["policy_version"].as_u64().unwrap());
    let world = place.control.core().unwrap().world.subscribe();
    let changes = [change(&matrix, 0, 0, Grant::Token)];
    let args = json!({ "tenant": tenant, "changes": changes, "base_version": base });
    let begun = begin();
    let enforced = place.ask("matrix_set", args.clone()).await;
    tell(begun);
    assert_eq!(enforced["policy_version"], base + 1);
    assert_eq!(world.borrow().policy.version(), base + 1);
    assert_eq!(place.matrix().await["cells"][0][0], "token");

    let stale = place.refused(place.control.console(), "matrix_set", args).await;
    assert_eq!(stale["code"], "stale");
    let log = place.log(&["admin.changed", "policy.enforced"]).await;
    assert!(log[0]["summary"].as_str().unwrap().contains("took effect"));
    assert!(log[1]["summary"].as_str().unwrap().contains("reader"), "{}", log[1]);
    assert_eq!(log[1]["policy_version"], base + 1);
}

#[tokio::test]
async fn a_cell_can_grant_for_some_arguments_and_less_for_others() {
    let place = Place::with_starter().await;
    let (matrix, tenant) = (place.matrix().await, place.tenant().await);
    let row = names(&matrix["tools"]).iter().position(|it| *it == "web_fetch").unwrap();
    let cell = async |grant: Grant, schema: &str, otherwise: &str| {
        let mut change = change(&place.matrix().await, 1, row, grant);
        change["condition"] = json!({ "schema": schema, "otherwise": otherwise });
        json!({ "tenant": tenant, "changes": [change],
                "base_version": place.matrix().await["policy_version"] })
    };
    let local = r#"{"properties":{"url":{"pattern":"^http://127[.]"}}}"#;
    let args = cell(Grant::Allow, local, "token").await;
    place.ask("matrix_set", args).await;
    let exact = r#"{"properties":{"url":{"pattern":"^http://127[.]","type":"string"}},"required":["url"],"type":"object"}"#;
    let shown = place.matrix().await;
    assert_eq!(
        shown["conditions"][0]["condition"],
        json!({ "schema": exact, "otherwise": "token" })
    );
    assert_eq!(shown["conditions"][0]["tool"], matrix["tools"][row]["id"]);
    let log = place.log(&["admin.changed"]).await;
    assert!(log[0]["summary"].as_str().unwrap().contains("satisfy"), "{}", log[0]["summary"]);
    let at = json!({ "tenant": tenant, "role": matrix["roles"][1]["id"],
                     "tool": matrix["tools"][row]["id"] });
    assert_eq!(place.ask("matrix_cell", at).await["condition"]["otherwise"], "token");

    let text = place.ask("export", json!({})).await["text"].clone();
    assert!(text.as_str().unwrap().contains("otherwise: token"), "{text}");
    let again = place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(again["changes"], json!([]));
    let elsewhere = Place::new().await;
    elsewhere.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(elsewhere.ask("export", json!({})).await["text"], text);

    for (grant, schema, otherwise) in [
        (Grant::Allow, local, "allow"),
        (Grant::Deny, local, "deny"),
        (Grant::Allow, "{\"type\":", "deny"),
        (Grant::Allow, "{}", "deny"),
    ] {
        let args = cell(grant, schema, otherwise).await;
        let refused = place.refused(place.control.console(), "matrix_set", args).await;
        assert_eq!(refused["code"], "invalid", "{schema} {otherwise}");
    }
    let free = [change(&place.matrix().await, 1, row, Grant::Allow)];
    let base = place.matrix().await["policy_version"].clone();
    let args = json!({ "tenant": tenant, "changes": free, "base_version": base });
    place.ask("matrix_set", args).await;
    assert_eq!(place.matrix().await["conditions"], json!([]));
}

#[tokio::test]
async fn a_change_that_changes_nothing_makes_no_version() {
    let place = Place::with_starter().await;
    let matrix = place.matrix().await;
    let base = matrix["policy_version"].clone();
    let grant = serde_json::from_value(matrix["cells"][0][0].clone()).unwrap();
    let changes = [change(&matrix, 0, 0, grant)];
    let args = json!({ "tenant": place.tenant().await, "changes": changes, "base_version": base });
    assert_eq!(place.ask("matrix_set", args).await["policy_version"], base);
    assert_eq!(place.matrix().await["policy_version"], base);
}

#[tokio::test]
async fn a_cell_of_another_tenant_cannot_be_changed() {
    let place = Place::with_starter().await;
    let matrix = place.matrix().await;
    let other = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    let base = place.ask("status", json!({})).await["policy_version"].clone();
    let changes = [change(&matrix, 0, 0, Grant::Allow)];
    let args = json!({ "tenant": other, "changes": changes, "base_version": base });
    let refused = place.refused(place.control.console(), "matrix_set", args).await;
    assert_eq!(refused["code"], "not_found");
    assert_eq!(place.ask("status", json!({})).await["policy_version"], base);
}

#[tokio::test]
async fn the_side_panel_says_who_can_call_a_tool_and_through_which_task() {
    let place = Place::with_starter().await;
    let matrix = place.matrix().await;
    let at = names(&matrix["tools"]).iter().position(|it| *it == "send_email").unwrap();
    let args = json!({ "tenant": place.tenant().await, "role": matrix["roles"][2]["id"],
                       "tool": matrix["tools"][at]["id"] });
    let cell = place.ask("matrix_cell", args).await;
    assert_eq!(cell["grant"], "token");
    assert_eq!(cell["callers"][0]["agent_name"], "executor-1");
    assert_eq!(cell["callers"][0]["grant"], "token");
}
