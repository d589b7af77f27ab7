//! The reference matrix, and who proved who they are.

use cs_model::event::{Event, EventKind};
use cs_model::state::OperatorRole;
use serde_json::{Value, json};

use super::place::{Place, somebody};
use super::providers::{ISSUER, provider, registration, settings};

async fn describe(place: &Place, tool: &Value, scopes: &[&str], system: Option<&str>) {
    let args = json!({ "tenant": place.tenant().await, "tool": tool, "scopes": scopes,
                       "data_system": system });
    place.ask("tool_describe", args).await;
}

async fn tool(place: &Place, name: &str) -> Value {
    let matrix = place.matrix().await;
    let tools = matrix["tools"].as_array().unwrap();
    tools.iter().find(|it| it["name"] == name).unwrap()["id"].clone()
}

#[tokio::test]
async fn a_tool_says_which_scopes_it_takes_and_what_is_behind_it() {
    let place = Place::with_starter().await;
    let read = tool(&place, "read_file").await;
    describe(&place, &read, &["files:read", "a", "a"], Some("Archive, \"old\"")).await;
    let tenant = place.tenant().await;
    let reference = place.ask("reference_matrix", json!({ "tenant": tenant })).await;
    let rows = reference["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4 * 8);
    let row = rows.iter().find(|it| it["tool"] == read && it["role_name"] == "reader").unwrap();
    assert_eq!((&row["grant"], &row["scopes"]), (&json!("allow"), &json!(["a", "files:read"])));
    assert_eq!(row["data_system"], "Archive, \"old\"");
    {
        let world = place.control.core().unwrap().world.subscribe();
        let world = world.borrow();
        let tenant = world.policy.tenant_named("acme").unwrap();
        let tool = tenant.tools().find(|it| it.name.as_str() == "read_file").unwrap();
        assert_eq!(tool.scopes.len(), 2, "the gateway holds tokens against it");
    }
    let console = place.control.console();
    let cases = [
        (json!(["two words"]), Value::Null, "scopes"),
        (json!([""]), Value::Null, "scopes"),
        (json!([]), json!(""), "data_system"),
        (json!([]), json!(" x"), "data_system"),
        (json!([]), json!("a\u{202e}b"), "data_system"),
        (json!([]), json!("x".repeat(201)), "data_system"),
    ];
    for (scopes, system, field) in cases {
        let args =
            json!({ "tenant": tenant, "tool": read, "scopes": scopes, "data_system": system });
        assert_eq!(place.refused(console, "tool_describe", args).await["field"], field);
    }
    let other = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    let args = json!({ "tenant": other, "tool": read, "scopes": [] });
    assert_eq!(place.refused(console, "tool_describe", args).await["code"], "not_found");
}

#[tokio::test]
async fn a_cell_with_a_condition_and_a_tool_that_asks_are_shown_as_that() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let matrix = place.matrix().await;
    let read = tool(&place, "read_file").await;
    let reader = matrix["roles"].as_array().unwrap().iter().find(|it| it["name"] == "reader");
    let condition = json!({ "schema": "{ \"maxProperties\": 1 }", "otherwise": "token" });
    let change = json!({ "role": reader.unwrap()["id"], "tool": read, "grant": "allow",
                         "condition": condition });
    let base = &matrix["policy_version"];
    let args = json!({ "tenant": tenant, "changes": [change], "base_version": base });
    place.ask("matrix_set", args).await;
    let args = json!({ "tenant": tenant, "tool": read, "scopes": [], "introspect": true });
    place.ask("tool_describe", args).await;

    let reference = place.ask("reference_matrix", json!({ "tenant": tenant })).await;
    let rows = reference["rows"].as_array().unwrap();
    let row = |role: &str| rows.iter().find(|it| it["tool"] == read && it["role_name"] == role);
    let expected =
        json!({ "schema": "{\"maxProperties\":1,\"type\":\"object\"}", "otherwise": "token" });
    let found = row("reader").unwrap();
    assert_eq!((&found["grant"], &found["condition"]), (&json!("allow"), &expected));
    assert_eq!(row("analyst").unwrap()["condition"], Value::Null);
    assert!(rows.iter().all(|it| it["introspect"] == json!(it["tool"] == read)));

    let table = place.ask("matrix_export", json!({ "tenant": tenant, "format": "csv" })).await;
    let line = r#""read_file","yes","reader","allow","{""maxProperties"":1,""type"":""object""}","token","","yes","#;
    assert!(table["text"].as_str().unwrap().contains(line), "{table}");
}

#[tokio::test]
async fn the_matrix_is_written_for_a_spreadsheet_and_for_an_identity_provider() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let read = tool(&place, "read_file").await;
    let mail = tool(&place, "send_email").await;
    describe(&place, &read, &["files:read"], Some("=1+1")).await;
    describe(&place, &mail, &["mail:send"], None).await;
    let login = provider(&place, "login", &settings()).await;
    let args = registration(&place, &login, "robin").await;
    place.ask("credential_register", args).await;
    let export = |format: &str| json!({ "tenant": tenant, "format": format });
    let auditor = somebody(OperatorRole::Auditor);
    let table = place.ask_as(auditor, "matrix_export", export("csv")).await;
    assert_eq!(table["file_name"], "acme-matrix.csv");
    let text = table["text"].as_str().unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + 4 * 8);
    let cell = "\"acme\",\"workbench\",\"read_file\",\"yes\",\"reader\",\"allow\",\"\",\"\",\"files:read\",\"no\",\"'=1+1\"";
    assert!(lines.contains(&cell), "{text}");

    let saved = place.ask_as(auditor, "matrix_save", export("csv")).await;
    let path = std::path::Path::new(saved["path"].as_str().unwrap());
    assert!(path.ends_with("exports/acme-matrix.csv"), "{saved}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);

    let idp = place.ask("matrix_export", export("idp")).await;
    let idp: Value = serde_json::from_str(idp["text"].as_str().unwrap()).unwrap();
    let names: Vec<_> =
        idp["scopes"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["files:read", "mail:send", "mcp:connect"]);
    assert_eq!(idp["scopes"][0]["tools"], json!(["workbench/read_file"]));
    assert_eq!(idp["scopes"][2]["required_by"], json!(["login"]));
    assert_eq!(idp["roles"].as_array().unwrap().len(), 4);
    let client = |agent: &str| {
        let clients = idp["clients"].as_array().unwrap();
        clients.iter().find(|it| it["agent"] == agent).unwrap().clone()
    };
    let reader = client("reader-1");
    assert_eq!(reader["scopes"], json!(["files:read", "mcp:connect"]));
    let registered = json!([{ "provider": "login", "issuer": ISSUER, "subject": "robin" }]);
    assert_eq!(reader["subjects"], registered);
    assert_eq!(client("executor-1")["scopes"], json!(["files:read", "mail:send"]));
    let uris: Vec<_> =
        idp["resources"].as_array().unwrap().iter().map(|it| it["uri"].clone()).collect();
    assert!(uris[1].as_str().unwrap().ends_with("/t/acme/task/workbench/mcp"), "{uris:?}");
}

#[tokio::test]
async fn authentication_is_shown_by_method_and_failures_by_reason() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let core = place.control.core().unwrap();
    let now = place.control.now();
    let event = |kind, method: &str, reason: Option<&str>| Event {
        tenant: Some(tenant.as_str().unwrap().parse().unwrap()),
        detail: Some(method.to_owned()),
        reason: reason.map(str::to_owned),
        claimed: reason.map(|_| "robin".to_owned()),
        client: Some("192.0.2.7:1".to_owned()),
        ..Event::new(kind, now)
    };
    let (yes, no) = (EventKind::AuthnSucceeded, EventKind::AuthnFailed);
    let events = vec![
        event(yes, "token", None),
        event(yes, "api_key", None),
        event(yes, "client", None),
        event(no, "token", Some("credential_unknown")),
        event(no, "api_key", Some("credential_unknown")),
        event(no, "none", Some("no_credential")),
    ];
    core.registry.record(events).await.unwrap();
    let overview = place.ask("authn_overview", json!({ "tenant": tenant })).await;
    let methods: Vec<_> = overview["methods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["method"].as_str().unwrap(), it["accepted"].clone(), it["refused"].clone()))
        .collect();
    let expected = [
        ("api_key", json!(1), json!(1)),
        ("token", json!(1), json!(1)),
        ("certificate", json!(0), json!(0)),
        ("client", json!(1), json!(0)),
        ("none", json!(0), json!(1)),
    ];
    assert_eq!(methods, expected);
    let worst = &overview["failures"][0];
    assert_eq!((&worst["reason"], &worst["count"]), (&json!("credential_unknown"), &json!(2)));
    assert_eq!(worst["sentence"], "There is no such credential");
    assert_eq!((&worst["claimed"], &worst["client"]), (&json!("robin"), &json!("192.0.2.7:1")));
    assert_eq!(overview["methods"][2]["last"], Value::Null);
}
