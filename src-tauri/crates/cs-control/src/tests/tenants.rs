//! What an operator asks in one tenant's name reaches nothing of another's.

use std::collections::BTreeSet;
use std::time::Duration;

use cs_trust::ca::Authority;
use serde_json::{Value, json};

use super::approvals::Waiting;
use super::place::{PASSPHRASE, Place};
use super::providers::{provider, settings};
use crate::commands::TABLE;

/// Commands that name nothing inside a tenant but the tenant itself, or are about none.
const NAME_NOTHING: &[&str] = &[
    "agent_list",
    "alert_acknowledge",
    "alert_list",
    "alert_metric",
    "alert_rule_set",
    "alert_rules",
    "alert_show",
    "apply",
    "approval_list",
    "approval_stats",
    "approval_week",
    "audit_export",
    "audit_page",
    "audit_show",
    "audit_verify",
    "authn_overview",
    "authority_add",
    "authority_rotate",
    "authority_show",
    "console_enrol",
    "console_list",
    "console_revoke",
    "credential_calendar",
    "credential_list",
    "credential_posture",
    "export",
    "first_run",
    "housekeeping_resume",
    "housekeeping_show",
    "issuer_rotate",
    "issuer_set",
    "issuer_show",
    "lifecycle_set",
    "lifecycle_show",
    "lock",
    "matrix",
    "matrix_export",
    "matrix_save",
    "operator_create",
    "operator_key_rotate",
    "operator_group_add",
    "operator_group_create",
    "operator_group_drop",
    "operator_group_list",
    "operator_group_remove",
    "operator_list",
    "operator_passphrase_set",
    "operator_recover",
    "operator_remove",
    "operator_role_set",
    "overview",
    "provider_create",
    "provider_discover",
    "provider_list",
    "reference_matrix",
    "registry_accept",
    "revocation_list",
    "role_create",
    "server_create",
    "server_create_from",
    "server_list",
    "server_probe",
    "secrets_audit",
    "secrets_erase",
    "secrets_move",
    "secrets_show",
    "secrets_stay",
    "series_list",
    "serving_set",
    "serving_show",
    "session_list",
    "starter_load",
    "starter_remove",
    "status",
    "task_list",
    "template_fill",
    "template_list",
    "template_remove",
    "template_set",
    "tenant_create",
    "tenant_list",
    "tenant_revoke",
    "tenant_secret_list",
    "tenant_secret_set",
    "tenant_set_standing",
    "touch",
    "unlock",
    "webhook_remove",
    "webhook_set",
    "webhook_show",
    "webhook_test",
];

/// One of each kind of thing.
#[derive(Clone)]
struct Things {
    agent: Value,
    approval: Value,
    authority: Value,
    credential: Value,
    /// A revocation list of an authority.
    crl: Value,
    provider: Value,
    role: Value,
    server: Value,
    series: Value,
    session: Value,
    task: Value,
    tool: Value,
}

impl Things {
    /// Things of the same kinds that nobody has.
    fn unknown(&self) -> Self {
        let other = |id: &Value| {
            let text = id.as_str().unwrap();
            let (kind, digits) = text.split_once('_').unwrap();
            let other = if digits.starts_with('0') { '1' } else { '0' };
            // What stands further in says of what version an id is; its beginning says nothing.
            let rest: String = digits.chars().skip(1).collect();
            json!(format!("{kind}_{other}{rest}"))
        };
        Self {
            agent: other(&self.agent),
            approval: other(&self.approval),
            authority: other(&self.authority),
            credential: other(&self.credential),
            crl: self.crl.clone(),
            provider: other(&self.provider),
            role: other(&self.role),
            server: other(&self.server),
            series: other(&self.series),
            session: other(&self.session),
            task: other(&self.task),
            tool: other(&self.tool),
        }
    }
}

/// Every way to name something, in the name of a tenant that does not have it. What is not named
/// there is the tenant's own.
fn attempts(
    tenant: &Value,
    own: &Things,
    it: &Things,
    version: &Value,
) -> Vec<(&'static str, Value)> {
    let times = |mut args: Value| {
        args["expected_secs"] = json!(60);
        args["longest_secs"] = json!(600);
        args
    };
    let print = json!("0".repeat(64));
    let cell = |tool: &Value, role: &Value| {
        let change = json!({ "tool": tool, "role": role, "grant": "allow" });
        json!({ "changes": [change], "base_version": version })
    };
    let page = |filter: Value| json!({ "filter": filter, "order": "next", "limit": 9 });
    let attempts = vec![
        ("role_remove", json!({ "role": it.role })),
        ("matrix_set", cell(&it.tool, &own.role)),
        ("matrix_set", cell(&own.tool, &it.role)),
        ("matrix_cell", json!({ "role": it.role, "tool": own.tool })),
        ("matrix_cell", json!({ "role": own.role, "tool": it.tool })),
        ("tool_describe", json!({ "tool": it.tool, "scopes": [] })),
        ("tool_set_enabled", json!({ "tools": [it.tool], "enabled": false })),
        ("task_create", times(json!({ "name": "x", "tools": [it.tool] }))),
        ("task_update", times(json!({ "task": it.task, "tools": [] }))),
        ("task_update", times(json!({ "task": own.task, "tools": [it.tool] }))),
        ("task_remove", json!({ "task": it.task })),
        ("agent_create", json!({ "name": "x", "roles": [it.role], "tasks": [] })),
        ("agent_create", json!({ "name": "x", "roles": [], "tasks": [it.task] })),
        ("agent_update", json!({ "agent": it.agent, "roles": [], "tasks": [] })),
        ("agent_update", json!({ "agent": own.agent, "roles": [it.role], "tasks": [] })),
        ("agent_update", json!({ "agent": own.agent, "roles": [], "tasks": [it.task] })),
        ("agent_set_standing", json!({ "agent": it.agent, "standing": "suspended" })),
        ("agent_remove", json!({ "agent": it.agent })),
        ("agent_revoke", json!({ "agent": it.agent, "reason": "x" })),
        ("credential_issue", json!({ "agent": it.agent, "kind": "api_key" })),
        ("credential_issue", json!({ "agent": own.agent, "kind": "api_key", "tasks": [it.task] })),
        ("credential_issue", json!({ "agent": own.agent, "kind": "api_key", "task": it.task })),
        (
            "credential_register",
            json!({ "agent": it.agent, "provider": own.provider, "subject": "x" }),
        ),
        (
            "credential_register",
            json!({ "agent": own.agent, "provider": it.provider, "subject": "x" }),
        ),
        ("credential_revoke", json!({ "credential": it.credential })),
        ("credential_page", page(json!({ "agent": it.agent }))),
        ("credential_page", page(json!({ "credential": it.credential }))),
        ("revoke_preview", json!({ "agent": it.agent })),
        ("revoke_preview", json!({ "credential": it.credential })),
        ("rotate_preview", json!({ "agent": it.agent })),
        ("rotate_preview", json!({ "credential": it.credential })),
        ("credential_rotate_all", json!({ "agent": it.agent, "most": 1 })),
        ("credential_rotate", json!({ "credential": it.credential })),
        ("credential_rollback", json!({ "credential": it.credential })),
        ("credential_release", json!({ "credential": it.credential })),
        ("certificate_issue", json!({ "agent": it.agent })),
        (
            "certificate_register",
            json!({ "agent": own.agent, "authority": it.authority, "fingerprint": print }),
        ),
        (
            "certificate_register",
            json!({ "agent": it.agent, "authority": own.authority, "fingerprint": print }),
        ),
        ("client_register", json!({ "agent": it.agent, "method": "client_secret" })),
        ("authority_list_update", json!({ "authority": it.authority, "crl": own.crl })),
        ("authority_remove", json!({ "authority": it.authority })),
        ("provider_update", json!({ "provider": it.provider, "enabled": false })),
        ("provider_remove", json!({ "provider": it.provider })),
        ("provider_test", json!({ "provider": it.provider, "token": "x" })),
        ("provider_refresh", json!({ "provider": it.provider })),
        (
            "revocation_add",
            json!({ "what": { "kind": "certificate", "authority": it.authority, "serial": "7f01" },
                    "reason": "x" }),
        ),
        ("server_detail", json!({ "server": it.server })),
        ("server_discover", json!({ "server": it.server })),
        ("server_accept", json!({ "server": it.server, "tools": [] })),
        ("server_set_enabled", json!({ "server": it.server, "enabled": false })),
        ("server_restart", json!({ "server": it.server })),
        ("server_remove", json!({ "server": it.server })),
        ("server_settings_set", json!({ "server": it.server, "settings": {} })),
        ("approval_show", json!({ "approval": it.approval })),
        (
            "approval_approve",
            json!({ "approval": it.approval, "shown": print, "passphrase": PASSPHRASE }),
        ),
        (
            "approval_deny",
            json!({ "approval": it.approval, "reason": "x", "passphrase": PASSPHRASE }),
        ),
        (
            "approval_issue",
            json!({ "session": it.session, "tool": own.tool, "arguments": "{}",
                    "passphrase": PASSPHRASE }),
        ),
        (
            "approval_issue",
            json!({ "session": own.session, "tool": it.tool, "arguments": "{}",
                    "passphrase": PASSPHRASE }),
        ),
        ("series_revoke", json!({ "series": it.series })),
        (
            "series_sign",
            json!({ "approval": it.approval, "shown": print, "calls": 1, "secs": 60,
                    "passphrase": PASSPHRASE }),
        ),
        (
            "series_sign",
            json!({ "session": it.session, "tool": it.tool, "calls": 1, "secs": 60,
                    "any_arguments": true, "passphrase": PASSPHRASE }),
        ),
        ("session_end", json!({ "session": it.session })),
        ("agent_set_rate", json!({ "agent": it.agent })),
        ("tool_set_rate", json!({ "tool": it.tool })),
        ("agent_set_waiting", json!({ "agent": it.agent })),
        ("agent_pause", json!({ "agent": it.agent })),
        ("approval_deny_all", json!({ "session": it.session, "reason": "x" })),
        ("agent_set_responsible", json!({ "agent": it.agent })),
        ("tool_set_effects", json!({ "tool": it.tool, "effects": {} })),
        ("tool_set_signing", json!({ "tool": it.tool, "signing": {} })),
        ("server_set_passes", json!({ "server": it.server, "passes": [] })),
        ("policy_explain", json!({ "agent": it.agent, "tool": own.tool })),
        ("policy_explain", json!({ "agent": own.agent, "tool": it.tool })),
        ("policy_explain", json!({ "agent": own.agent, "task": it.task, "tool": own.tool })),
        ("policy_explain", json!({ "agent": own.agent, "tool": own.tool, "session": it.session })),
    ];
    let with_tenant = |(command, mut args): (&'static str, Value)| {
        args["tenant"] = tenant.clone();
        (command, args)
    };
    attempts.into_iter().map(with_tenant).collect()
}

async fn first(place: &Place, command: &str, tenant: &Value) -> Value {
    place.ask(command, json!({ "tenant": tenant })).await[0]["id"].clone()
}

async fn authority(place: &Place, tenant: &Value) -> (Value, Value) {
    let made = Authority::create("partner", place.options.clock.now(), [8; 16]).unwrap().0;
    let now = place.options.clock.now();
    let crl = made.crl(&[], 1, now, now.after(Duration::from_secs(3600))).unwrap();
    let args = json!({ "tenant": tenant, "name": "partner", "pem": made.certificate_pem(),
                       "crl": &crl, "prefix": "spiffe://partner.example/" });
    let id = place.ask("authority_add", args).await["id"].clone();
    (id, json!(crl))
}

/// A second tenant with one of most things.
async fn second(place: &Place, theirs: &Things) -> (Value, Things) {
    let tenant = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    place.ask("role_create", json!({ "tenant": tenant, "name": "reader" })).await;
    let matrix = place.ask("matrix", json!({ "tenant": tenant })).await;
    let role = matrix["roles"][0]["id"].clone();
    let task = json!({ "tenant": tenant, "name": "workbench", "tools": [], "expected_secs": 60,
                       "longest_secs": 600 });
    let task = place.ask("task_create", task).await["id"].clone();
    let agent = json!({ "tenant": tenant, "name": "reader-1", "roles": [role], "tasks": [task] });
    let agent = place.ask("agent_create", agent).await["id"].clone();
    let login =
        json!({ "tenant": tenant, "name": "login", "settings": settings(), "enabled": true });
    let provider = place.ask("provider_create", login).await["id"].clone();
    let (authority, crl) = authority(place, &tenant).await;
    let issuer = json!({ "tenant": tenant, "enabled": true, "token_secs": 600 });
    place.ask("issuer_set", issuer).await;
    let own = Things { agent, authority, crl, provider, role, task, ..theirs.unknown() };
    (tenant, own)
}

/// Attacks S07, S06: another tenant's things are as unknown as what does not exist, whatever is
/// asked of them, and nothing of them changes.
#[tokio::test]
async fn s06_s07_no_command_reaches_what_another_tenant_has() {
    let waiting = Waiting::new().await;
    let place = &waiting.place;
    let acme = place.tenant().await;
    let login = provider(place, "login", &settings()).await;
    let matrix = place.matrix().await;
    let agent = place.agent("executor-1").await;
    let (outside, crl) = authority(place, &acme).await;
    let ahead = json!({ "tenant": acme, "session": waiting.request.session,
        "tool": waiting.request.tool, "calls": 3, "secs": 60, "any_arguments": true,
        "passphrase": PASSPHRASE });
    let series = place.ask("series_sign", ahead).await;
    let theirs = Things {
        agent: agent["id"].clone(),
        approval: json!(waiting.request.id),
        authority: outside,
        credential: json!(waiting.request.credential),
        crl,
        provider: login["id"].clone(),
        role: matrix["roles"][0]["id"].clone(),
        server: first(place, "server_list", &acme).await,
        series: series["id"].clone(),
        session: json!(waiting.request.session),
        task: agent["tasks"][0]["id"].clone(),
        tool: json!(waiting.request.tool),
    };
    let (zeta, own) = second(place, &theirs).await;
    let state = async || {
        let tenant = json!({ "tenant": acme });
        let live = json!({ "tenant": acme, "live_only": false });
        (
            place.ask("export", json!({})).await["text"].clone(),
            place.ask("credential_list", tenant.clone()).await,
            place.ask("authority_show", tenant.clone()).await,
            place.ask("revocation_list", tenant).await,
            place.ask("session_list", live).await,
            place
                .ask("approval_show", json!({ "tenant": acme, "approval": theirs.approval }))
                .await["row"]["state"]
                .clone(),
        )
    };
    let before = state().await;
    let version = place.ask("matrix", json!({ "tenant": zeta })).await["policy_version"].clone();
    let console = place.control.console();
    let foreign = attempts(&zeta, &own, &theirs, &version);
    let unknown = attempts(&zeta, &own, &theirs.unknown(), &version);
    let (mut tried, mut reached) = (BTreeSet::new(), Vec::new());
    for ((command, args), (_, nowhere)) in foreign.into_iter().zip(unknown) {
        let mut refusals = Vec::new();
        for args in [&args, &nowhere] {
            let told = place.control.dispatch(&console, command, args.clone()).await;
            let mut told = told.unwrap_or_else(|refused| serde_json::to_value(refused).unwrap());
            told.as_object_mut().map(|told| told.remove("correlation"));
            refusals.push(told);
        }
        // Not there, and told in the words for what does not exist.
        if refusals[0]["code"] != "not_found" || refusals[0] != refusals[1] {
            reached.push(format!("{command} {args}: {}", refusals[0]));
        }
        tried.insert(command);
    }
    assert!(reached.is_empty(), "reached in another tenant:\n{}", reached.join("\n"));
    assert_eq!(state().await, before);
    let left: Vec<&str> = TABLE
        .iter()
        .map(|entry| entry.name)
        .filter(|name| !tried.contains(name) && !NAME_NOTHING.contains(name))
        .collect();
    assert!(left.is_empty(), "commands that nobody tried: {left:?}");
}
