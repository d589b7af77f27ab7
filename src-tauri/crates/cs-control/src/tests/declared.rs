//! The registry as a file, there and back.

use serde_json::json;

use super::place::Place;
use super::providers::{ISSUER, provider, registration, settings};

#[tokio::test]
async fn what_is_exported_and_applied_again_changes_nothing() {
    let place = Place::with_starter().await;
    let text = place.ask("export", json!({})).await["text"].clone();
    let applied = place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(applied["changes"], json!([]));
    assert_eq!(applied["policy_version"], 1);
}

#[tokio::test]
async fn a_file_makes_the_same_registry_elsewhere() {
    let from = Place::with_starter().await;
    let text = from.ask("export", json!({})).await["text"].clone();
    let to = Place::new().await;
    let dry = to.ask("apply", json!({ "text": text, "dry_run": true })).await;
    assert_eq!((&dry["applied"], &dry["policy_version"]), (&json!(false), &json!(0)));
    assert!(!dry["changes"].as_array().unwrap().is_empty());
    assert_eq!(to.ask("tenant_list", json!({})).await, json!([]));
    let applied = to.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(applied["changes"], dry["changes"]);
    assert_eq!(to.ask("export", json!({})).await["text"], text);
}

#[tokio::test]
async fn a_file_with_one_mistake_changes_nothing() {
    let place = Place::with_starter().await;
    let text = place.ask("export", json!({})).await["text"].as_str().unwrap().to_owned();
    let wrong = text.replace("- executor", "- exekutor");
    assert_ne!(wrong, text);
    let args = json!({ "text": wrong, "dry_run": false });
    let refused = place.refused(place.control.console(), "apply", args).await;
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("did you mean `executor`?"), "{message}");
    assert_eq!(place.ask("export", json!({})).await["text"], text);
}

#[tokio::test]
async fn what_the_file_does_not_have_is_removed() {
    let place = Place::with_starter().await;
    let text = "tenants:\n  acme:\n    roles:\n      reader: {}\n";
    let applied = place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(applied["applied"], true);
    let matrix = place.matrix().await;
    assert_eq!(matrix["roles"].as_array().unwrap().len(), 1);
    assert_eq!(matrix["tools"], json!([]));
    let agents = place.ask("agent_list", json!({ "tenant": place.tenant().await })).await;
    assert_eq!(agents, json!([]));
}

#[tokio::test]
async fn providers_and_scopes_are_written_down_and_read_back_whole() {
    let from = Place::with_starter().await;
    let tenant = from.tenant().await;
    let secret = json!({ "tenant": tenant, "name": "idp", "value": "hunter2 hunter2" });
    from.ask("tenant_secret_set", secret).await;
    let mut full = settings();
    full["preset"] = json!("keycloak");
    full["algorithms"] = json!(["ES256", "RS256"]);
    full["audiences"] = json!(["api://a: b", "#x", "1e3", "no"]);
    full["types"] = json!("at+jwt_or_jwt");
    full["claims"] = json!({ "agent": "azp", "roles": "realm_access.roles",
        "tenant": { "claim": "tid", "value": "~" }, "task": "task" });
    full["introspection"] = json!({ "endpoint": "https://login.example/i", "client_id": "gw",
        "secret": "idp", "when": "token_tools", "cache_secs": 5 });
    full["private_network"] = json!(true);
    provider(&from, "login", &full).await;
    let matrix = from.matrix().await;
    let describe = json!({ "tenant": tenant, "tool": matrix["tools"][0]["id"],
        "scopes": ["files:read", "yes"], "data_system": "the: archive # 1",
        "introspect": true });
    from.ask("tool_describe", describe).await;
    let marked = json!({ "tenant": tenant, "tool": matrix["tools"][0]["id"],
        "effects": { "sends_out": true } });
    from.ask("tool_set_effects", marked).await;
    let text = from.ask("export", json!({})).await["text"].clone();
    assert!(text.as_str().unwrap().contains("sends_out: true"));
    assert!(!text.as_str().unwrap().contains("hunter2"));
    let again = from.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(again["changes"], json!([]));
    let to = Place::new().await;
    to.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(to.ask("export", json!({})).await["text"], text);
    let list = to.ask("provider_list", json!({ "tenant": to.tenant().await })).await;
    let before = from.ask("provider_list", json!({ "tenant": tenant })).await;
    assert_eq!(list[0]["settings"], before[0]["settings"]);
}

#[tokio::test]
async fn a_provider_in_a_file_is_held_to_the_same_rules() {
    let place = Place::with_starter().await;
    let login = provider(&place, "login", &settings()).await;
    let args = registration(&place, &login, "robin").await;
    place.ask("credential_register", args).await;
    let text = place.ask("export", json!({})).await["text"].as_str().unwrap().to_owned();
    let console = place.control.console();
    let cases = [
        (text.replace(ISSUER, "http://login.example"), "settings.issuer"),
        (text.replace(ISSUER, "https://elsewhere.example"), "somebody else at another issuer"),
        (text.replace("longest_secs:", "longest_sec:"), "did you mean `longest_secs`"),
        (
            text.replace("longest_token_secs: 900", "longest_token_secs: 3601"),
            "settings.longest_token_secs",
        ),
        (text.replace("- mcp:connect", "- mcp connect"), "settings.scopes"),
    ];
    for (wrong, expected) in cases {
        assert_ne!(wrong, text);
        let args = json!({ "text": wrong, "dry_run": false });
        let refused = place.refused(console, "apply", args).await;
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
    let unknown = text.replace("longest_secs:", "longest_sec:");
    let args = json!({ "text": unknown, "dry_run": false });
    let message = place.refused(console, "apply", args).await["message"].clone();
    assert!(message.as_str().unwrap().contains("line "), "{message}");
    assert_eq!(place.ask("export", json!({})).await["text"], text.as_str());
}

/// A registry with a thing of each kind. JSON is YAML.
fn furnished() -> serde_json::Value {
    let thing = |definition: serde_json::Value| json!({ "definition": definition.to_string() });
    let template = "files/template:file:///data/{name}";
    json!({ "tenants": { "acme": {
        "servers": { "files": { "transport": { "kind": "http", "url": "http://127.0.0.1:9/" } } },
        "tools": {
            "files/greet": thing(json!({ "name": "greet", "inputSchema": { "type": "object" } })),
            "files/prompt:greet": thing(json!({ "name": "greet" })),
            "files/resource:file:///a%20b": thing(json!({ "uri": "file:///a%20b", "name": "a" })),
            template: thing(json!({ "uriTemplate": "file:///data/{name}", "name": "b" })),
        },
        "roles": { "reader": { "files/prompt:greet": "allow", template: "token" } },
        "tasks": { "look": {
            "tools": ["files/resource:file:///a%20b", template],
            "expected_secs": 60, "longest_secs": 600,
        } },
    } } })
}

#[tokio::test]
async fn things_of_every_kind_are_written_down_and_read_back_whole() {
    let place = Place::new().await;
    let text = furnished().to_string();
    let applied = place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    let changes = applied["changes"].to_string();
    assert!(changes.contains("files/resource:file:///a%20b"), "{changes}");
    let tenant = place.tenant().await;
    let matrix = place.ask("matrix", json!({ "tenant": tenant })).await;
    let kinds: Vec<_> = matrix["tools"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["tool", "prompt", "resource", "template"]);
    assert_eq!(matrix["cells"], json!([["deny"], ["allow"], ["deny"], ["token"]]));
    let exported = place.ask("export", json!({})).await["text"].clone();
    let again = place.ask("apply", json!({ "text": exported, "dry_run": false })).await;
    assert_eq!(again["changes"], json!([]));
}

#[tokio::test]
async fn x03_a_thing_that_is_not_what_it_is_called_or_stands_for_another_is_refused() {
    let place = Place::new().await;
    let mut second = furnished();
    let acme = &mut second["tenants"]["acme"];
    acme["servers"]["mail"] = acme["servers"]["files"].clone();
    let mut twin = acme["tools"]["files/resource:file:///a%20b"].clone();
    twin["enabled"] = json!(true);
    acme["tools"]["files/resource:file:///a%20b"] = twin.clone();
    acme["tools"]["mail/resource:file:///a%20b"] = twin;
    let text = furnished().to_string();
    for (wrong, says) in [
        (text.replace("files/resource:file:///a%20b", "files/resource:/a"), "a URI begins"),
        (text.replace("files/prompt:greet", "files/prompt:other"), "prompt's name"),
        (text.replace("files/prompt:greet", "files/promt:greet"), "a tool's name"),
        (second.to_string(), "enable one of them"),
    ] {
        let args = json!({ "text": wrong, "dry_run": false });
        let refused = place.refused(place.control.console(), "apply", args).await;
        assert!(refused["message"].as_str().unwrap().contains(says), "{says}: {refused}");
    }
    assert_eq!(place.ask("tenant_list", json!({})).await, json!([]));
}
