//! Tenants, roles, tasks, agents, credentials, servers, sessions, the log.

use std::time::Duration;

use serde_json::{Value, json};

use super::place::Place;

#[tokio::test]
async fn roles_tasks_and_agents_are_made_changed_and_removed() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    place.ask("role_create", json!({ "tenant": tenant, "name": "night" })).await;
    let matrix = place.matrix().await;
    let (role, tool) = (&matrix["roles"][4]["id"], &matrix["tools"][0]["id"]);
    let task = json!({ "tenant": tenant, "name": "backup", "tools": [tool],
                       "expected_secs": 60, "longest_secs": 600 });
    let task = place.ask("task_create", task).await;
    let agent = json!({ "tenant": tenant, "name": "owl", "roles": [role], "tasks": [task["id"]] });
    let agent = place.ask("agent_create", agent).await;
    assert_eq!(agent["roles"][0]["name"], "night");
    let update = json!({ "tenant": tenant, "task": task["id"], "tools": [],
                         "expected_secs": 1, "longest_secs": 2 });
    assert_eq!(place.ask("task_update", update).await["agents"][0]["name"], "owl");
    let update =
        json!({ "tenant": tenant, "agent": agent["id"], "roles": [], "tasks": [task["id"]] });
    assert_eq!(place.ask("agent_update", update).await["roles"], json!([]));
    let standing = json!({ "tenant": tenant, "agent": agent["id"], "standing": "suspended" });
    assert_eq!(place.ask("agent_set_standing", standing).await["standing"], "suspended");
    place.ask("agent_remove", json!({ "tenant": tenant, "agent": agent["id"] })).await;
    place.ask("task_remove", json!({ "tenant": tenant, "task": task["id"] })).await;
    place.ask("role_remove", json!({ "tenant": tenant, "role": role })).await;
    assert_eq!(place.matrix().await["roles"].as_array().unwrap().len(), 4);
    let standing = json!({ "tenant": tenant, "standing": "suspended" });
    assert_eq!(place.ask("tenant_set_standing", standing).await["standing"], "suspended");
}

#[tokio::test]
async fn a_task_that_could_never_end_in_time_is_refused() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    for (expected, longest, field) in [
        (0, 60, "expected_secs"),
        (61, 60, "expected_secs"),
        (1, 3601, "longest_secs"),
        (0, 0, "longest_secs"),
    ] {
        let task = json!({ "tenant": tenant, "name": "x", "tools": [],
                           "expected_secs": expected, "longest_secs": longest });
        let refused = place.refused(place.control.console(), "task_create", task).await;
        assert_eq!(refused["field"], field);
    }
}

async fn issue(place: &Place, agent: &str) -> Value {
    let agent = place.agent(agent).await["id"].clone();
    let args = json!({ "tenant": place.tenant().await, "agent": agent, "kind": "api_key" });
    place.ask("credential_issue", args).await
}

#[tokio::test]
async fn a03_k17_a_key_is_shown_once_and_stands_nowhere_in_clear() {
    let place = Place::with_starter().await;
    let key = issue(&place, "reader-1").await;
    let (key_id, secret) = (key["key_id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    assert!(key_id.starts_with("csk_") && secret.starts_with("css_"));
    for configuration in key["configurations"].as_array().unwrap() {
        assert!(!configuration["text"].as_str().unwrap().contains(secret));
    }
    let world = place.control.core().unwrap().world.subscribe();
    assert!(world.borrow().credentials.key(key_id).is_some());
    drop(world);
    place.control.shutdown().await.unwrap();
    for file in std::fs::read_dir(&place.home).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_key_lasts_three_days_unless_said_otherwise_and_ninety_at_most() {
    let place = Place::with_starter().await;
    let key = issue(&place, "reader-1").await;
    let ends: cs_model::Timestamp = key["expires"].as_str().unwrap().parse().unwrap();
    let now = place.control.now();
    assert_eq!(ends.since(now), Duration::from_secs(72 * 3600));
    let agent = place.agent("reader-1").await["id"].clone();
    let tenant = place.tenant().await;
    let args = |secs: u64| {
        json!({ "tenant": tenant, "agent": agent, "kind": "api_key",
                                   "lifetime_secs": secs })
    };
    place.ask("credential_issue", args(90 * 24 * 3600)).await;
    for secs in [0, 90 * 24 * 3600 + 1] {
        let refused = place.refused(place.control.console(), "credential_issue", args(secs)).await;
        assert_eq!(refused["field"], "lifetime_secs");
    }
    place.clock.advance(Duration::from_secs(72 * 3600));
    place.ask("unlock", json!({ "passphrase": super::place::PASSPHRASE })).await;
    let all = place.ask("credential_list", json!({ "tenant": tenant })).await;
    let states: Vec<_> = all.as_array().unwrap().iter().map(|it| it["state"].clone()).collect();
    assert_eq!(states, ["active", "expired"]);
}

#[tokio::test]
async fn a_revoked_key_is_refused_from_then_on_and_for_good() {
    let place = Place::with_starter().await;
    let key = issue(&place, "reader-1").await;
    let args = json!({ "tenant": place.tenant().await, "credential": key["credential"] });
    assert_eq!(place.ask("credential_revoke", args.clone()).await["state"], "revoked");
    let world = place.control.core().unwrap().world.subscribe();
    let state = world.borrow().credentials.key(key["key_id"].as_str().unwrap()).unwrap().state;
    assert_eq!(state, cs_model::state::CredentialState::Revoked);
    assert_eq!(place.ask("credential_release", args).await["state"], "revoked");
}

#[tokio::test]
async fn a_server_is_taken_in_as_it_was_seen_or_not_at_all() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let transport = json!({ "kind": "stdio", "command": place.options.executable, "args": [],
                            "env": {} });
    let probe = json!({ "tenant": tenant, "transport": transport });
    let found = place.ask("server_probe", probe).await;
    assert_eq!(found.as_array().unwrap().len(), 8);
    assert_eq!(
        (&found[0]["suggested"], &found[1]["suggested"]),
        (&json!("allow"), &json!("token"))
    );
    let choice = |print: &Value| {
        json!({ "name": "read_file", "fingerprint": print,
                                         "enabled": true })
    };
    let create = |print: &Value| {
        json!({ "tenant": tenant, "name": "files",
                                         "transport": transport, "tools": [choice(print)] })
    };
    let other = json!("0".repeat(64));
    let refused = place.refused(place.control.console(), "server_create", create(&other)).await;
    assert_eq!(refused["code"], "stale");
    let made = place.ask("server_create", create(&found[0]["fingerprint"])).await;
    assert_eq!(made["tools"][0]["definition"], found[0]["definition"]);
    let server = made["server"]["id"].clone();
    let of = json!({ "tenant": tenant, "server": server });
    let known = place.ask("server_discover", of.clone()).await;
    assert_eq!((&known[0]["known"], &known[1]["known"]), (&json!("same"), &json!("new")));
    let accept = json!({ "tenant": tenant, "server": server, "tools": [
        { "name": "write_file", "fingerprint": known[3]["fingerprint"], "enabled": false }] });
    let accepted = place.ask("server_accept", accept).await;
    assert_eq!(accepted["server"]["enabled_tools"], 1);
    let tool = accepted["tools"][1]["id"].clone();
    let enable = json!({ "tenant": tenant, "tools": [tool], "enabled": true });
    place.ask("tool_set_enabled", enable).await;
    let disable = json!({ "tenant": tenant, "server": server, "enabled": false });
    assert_eq!(place.ask("server_set_enabled", disable).await["enabled"], false);
    assert_eq!(place.ask("server_restart", of.clone()).await["enabled_tools"], 2);
    assert_eq!(accepted["server"]["passes"], json!([]), "nothing passes unless it is said");
    let pass = json!({ "tenant": tenant, "server": server, "passes": ["roots", "elicitation"] });
    let passing = place.ask("server_set_passes", pass).await;
    assert_eq!(passing["passes"], json!(["elicitation", "roots"]));
    let text = place.ask("export", json!({})).await["text"].clone();
    assert!(text.as_str().unwrap().contains("- elicitation"), "{text}");
    let applied = place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(applied["changes"], json!([]), "what passes is written down and read back");
    let without = text.as_str().unwrap().replace("- elicitation", "- sampling");
    let applied = place.ask("apply", json!({ "text": without, "dry_run": false })).await;
    let said = applied["changes"].to_string();
    assert!(said.contains("server `files` lets pass now: roots, sampling"), "{said}");
    place.ask("server_remove", of).await;
    assert_eq!(place.ask("server_list", json!({ "tenant": tenant })).await[0]["name"], "workbench");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_refused_and_so_is_a_relative_one() {
    let place = Place::with_starter().await;
    for command in ["no-such-program-here", "./sample.py", ""] {
        let transport = json!({ "kind": "stdio", "command": command, "args": [], "env": {} });
        let args = json!({ "tenant": place.tenant().await, "transport": transport });
        let refused = place.refused(place.control.console(), "server_probe", args).await;
        assert_eq!(refused["code"], "invalid", "{command}");
    }
    let transport = json!({ "kind": "stdio", "command": "/bin/false", "args": [], "env": {} });
    let args = json!({ "tenant": place.tenant().await, "transport": transport });
    let refused = place.refused(place.control.console(), "server_probe", args).await;
    assert_eq!(refused["code"], "upstream");
}

#[tokio::test]
async fn a_tenants_secret_is_kept_sealed_and_handed_to_its_own_tenant_only() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let other = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    let set = json!({ "tenant": tenant, "name": "token", "value": "hunter2 hunter2" });
    assert_eq!(place.ask("tenant_secret_set", set.clone()).await, Value::Null);
    place.ask("tenant_secret_set", set).await;
    let list = place.ask("tenant_secret_list", json!({ "tenant": tenant })).await;
    assert_eq!(list, json!(["token"]));
    let core = place.control.core().unwrap();
    let secrets = crate::adapters::ports(&core).secrets;
    let id = |value: &Value| value.as_str().unwrap().parse().unwrap();
    let secret = secrets.tenant_secret(id(&tenant), "token").await.unwrap();
    assert_eq!(secret.expose_text(), Some("hunter2 hunter2"));
    assert!(secrets.tenant_secret(id(&other), "token").await.is_err());
}

#[tokio::test]
async fn the_log_is_read_in_pages_and_by_what_one_looks_for() {
    let place = Place::with_starter().await;
    let ask = |filter: Value, before: Value, limit: u32| {
        let mut args = json!({ "filter": filter, "limit": limit });
        if !before.is_null() {
            args["before"] = before;
        }
        place.ask("audit_page", args)
    };
    let first = ask(json!({}), Value::Null, 5).await;
    let second = ask(json!({}), first["older"].clone(), 5).await;
    let (total, newest) = (first["total"].as_u64().unwrap(), first["rows"][0]["seq"].as_u64());
    assert_eq!(newest, Some(total));
    assert_eq!(second["rows"][0]["seq"].as_u64(), Some(total - 5));
    let found = ask(json!({ "text": "EXECUTOR-1" }), Value::Null, 50).await;
    assert!(found["total"].as_u64().unwrap() > 0);
    let detail = place.ask("audit_show", json!({ "seq": total })).await;
    assert_eq!(detail["row"]["hash"], first["rows"][0]["hash"]);
    assert_eq!(detail["previous_hash"], first["rows"][1]["hash"]);
    assert!(detail["thread"].as_array().unwrap().len() > 1);
    let console = place.control.console();
    let unknown = json!({ "filter": { "kinds": ["admin.chnged"] }, "limit": 5 });
    assert_eq!(place.refused(console, "audit_page", unknown).await["field"], "kinds");
    let overview = place.ask("overview", json!({ "tenant": place.tenant().await })).await;
    assert_eq!(overview["counts"]["tools"], 8);
    assert_eq!(overview["hours"].as_array().unwrap().len(), 24);
}
