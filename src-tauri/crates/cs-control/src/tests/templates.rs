//! Templates of servers: one definition, and of each tenant its own settings and secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::place::Place;
use crate::actor::Actor;

/// A stdio server whose one tool is named after its first argument and the tenant's secret.
const SERVER: &str = r##"#!/usr/bin/env python3
import json, os, sys
name = "%s-%s" % (sys.argv[1], os.environ["TOKEN"])
for line in sys.stdin:
    m = json.loads(line)
    if "id" not in m:
        continue
    if m["method"] == "initialize":
        r = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
             "serverInfo": {"name": "any", "version": "1"}}
    elif m["method"] == "tools/list":
        r = {"tools": [{"name": name, "description": "", "inputSchema": {"type": "object"}}]}
    else:
        r = {}
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": r}), flush=True)
"##;

struct Two {
    place: Place,
    tenants: [Value; 2],
}

impl Two {
    async fn open() -> Self {
        let place = Place::new().await;
        let program = place.home.join("../server.py");
        fs::write(&program, SERVER).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut tenants = Vec::new();
        for name in ["acme", "zenith"] {
            let tenant = place.ask("tenant_create", json!({ "name": name })).await["id"].clone();
            let secret = json!({ "tenant": tenant, "name": "token", "value": format!("{name}s") });
            place.ask("tenant_secret_set", secret).await;
            tenants.push(tenant);
        }
        Self { place, tenants: tenants.try_into().unwrap() }
    }

    fn transport(&self, args: &Value) -> Value {
        let program = self.place.home.join("../server.py");
        let env = json!({ "TOKEN": { "secret": "token" } });
        json!({ "kind": "stdio", "command": program, "args": args, "env": env })
    }

    async fn set(&self, args: &Value) -> Value {
        let template = json!({ "name": "wiki", "transport": self.transport(args) });
        self.place.ask("template_set", template).await
    }

    async fn add(&self, tenant: &Value, space: &str) -> Value {
        let args = json!({ "tenant": tenant, "name": "wiki", "template": "wiki",
                           "settings": { "space": space }, "tools": [] });
        self.place.ask("server_create_from", args).await["server"].clone()
    }

    async fn has(&self, server: &Value) -> Value {
        let args = json!({ "tenant": server["tenant"], "server": server["id"] });
        self.place.ask("server_discover", args).await[0]["name"].clone()
    }
}

#[tokio::test]
async fn s07_one_template_is_reached_with_each_tenants_own_settings_and_secrets() {
    let two = Two::open().await;
    let listed = two.set(&json!(["${space}"])).await;
    assert_eq!(listed[0]["places"], json!(["space"]));
    assert_eq!(listed[0]["secrets"], json!(["token"]));
    let acme = two.add(&two.tenants[0], "a").await;
    let zenith = two.add(&two.tenants[1], "z").await;
    assert_ne!(acme["id"], zenith["id"], "no child and no connection is shared");
    assert_eq!(two.has(&acme).await, "a-acmes");
    assert_eq!(two.has(&zenith).await, "z-zeniths");

    let args = json!({ "tenant": zenith["tenant"], "server": zenith["id"],
                       "settings": { "space": "q" } });
    let changed = two.place.ask("server_settings_set", args).await;
    assert_eq!(changed["origin"], json!({ "template": "wiki", "settings": { "space": "q" } }));
    assert_eq!(two.has(&zenith).await, "q-zeniths");
    assert_eq!(two.has(&acme).await, "a-acmes", "what one tenant sets is nobody else's");

    // What is changed in the template holds for all.
    two.set(&json!(["n${space}"])).await;
    assert_eq!(two.has(&acme).await, "na-acmes");
    assert_eq!(two.has(&zenith).await, "nq-zeniths");
    let listed = two.place.ask("template_list", json!({})).await;
    let users: Vec<&Value> =
        listed[0]["servers"].as_array().unwrap().iter().map(|it| &it["tenant_name"]).collect();
    assert_eq!(users, ["acme", "zenith"]);
}

#[tokio::test]
async fn s07_another_tenants_server_has_no_settings_to_change() {
    let two = Two::open().await;
    two.set(&json!(["${space}"])).await;
    let acme = two.add(&two.tenants[0], "a").await;
    let args = json!({ "tenant": two.tenants[1], "server": acme["id"],
                       "settings": { "space": "evil" } });
    let actor = Actor::Local { uid: None };
    let refused = two.place.refused(actor, "server_settings_set", args).await;
    assert_eq!(refused["code"], "not_found");
    assert_eq!(two.has(&acme).await, "a-acmes");
}

#[tokio::test]
async fn a_template_that_servers_come_from_changes_for_all_or_not_at_all() {
    let two = Two::open().await;
    two.set(&json!(["${space}"])).await;
    let acme = two.add(&two.tenants[0], "a").await;
    let actor = Actor::Local { uid: None };
    let more = json!({ "name": "wiki", "transport": two.transport(&json!(["${space}", "${x}"])) });
    let refused = two.place.refused(actor, "template_set", more).await;
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("server `wiki`: nothing is set for `x`"), "{message}");
    let refused = two.place.refused(actor, "template_remove", json!({ "name": "wiki" })).await;
    assert!(refused["message"].as_str().unwrap().contains("still come from"), "{refused}");
    assert_eq!(two.has(&acme).await, "a-acmes");

    let program = json!({ "name": "any", "transport": { "kind": "stdio", "command": "/${x}" } });
    let refused = two.place.refused(actor, "template_set", program).await;
    assert_eq!(refused["field"], "transport");
    let args = json!({ "tenant": two.tenants[0], "server": acme["id"] });
    two.place.ask("server_remove", args).await;
    assert_eq!(two.place.ask("template_remove", json!({ "name": "wiki" })).await, json!([]));
}

#[tokio::test]
async fn a_file_with_templates_is_written_and_read_back() {
    let two = Two::open().await;
    two.set(&json!(["${space}"])).await;
    let acme = two.add(&two.tenants[0], "a").await;
    let text = two.place.ask("export", json!({})).await["text"].as_str().unwrap().to_owned();
    assert!(text.contains("templates:") && text.contains("template: wiki"), "{text}");
    let apply = |text: &str| json!({ "text": text, "dry_run": false });
    let again = two.place.ask("apply", apply(&text)).await;
    assert_eq!(again["changes"], json!([]), "it says what is there");

    two.place.ask("apply", apply(&text.replace("space: a", "space: b"))).await;
    assert_eq!(two.has(&acme).await, "b-acmes");
    let actor = Actor::Local { uid: None };
    let unknown = text.replace("template: wiki", "template: other");
    let refused = two.place.refused(actor, "apply", apply(&unknown)).await;
    assert!(refused["message"].as_str().unwrap().contains("servers.wiki.from"), "{refused}");
    let both =
        text.replace("from:", "transport: { kind: http, url: 'https://x.example' }\n        from:");
    two.place.refused(actor, "apply", apply(&both)).await;
    assert_eq!(two.has(&acme).await, "b-acmes");
}
