//! What holds for every command.

use std::collections::BTreeSet;

use cs_model::state::OperatorRole;
use serde_json::json;

use super::place::{Place, somebody};
use crate::actor::{Actor, Permission};
use crate::commands::TABLE;

/// The commands that change nothing of what is enforced or decided.
const LOOKS: &[&str] = &[
    "agent_list",
    "alert_list",
    "alert_metric",
    "alert_rules",
    "alert_show",
    "approval_list",
    "approval_show",
    "approval_stats",
    "approval_week",
    "audit_export",
    "audit_page",
    "audit_show",
    "audit_verify",
    "authn_overview",
    "authority_show",
    "console_list",
    "credential_calendar",
    "credential_list",
    "credential_page",
    "credential_posture",
    "export",
    "housekeeping_show",
    "issuer_show",
    "lifecycle_show",
    "matrix",
    "matrix_cell",
    "matrix_export",
    "matrix_save",
    "operator_group_list",
    "operator_list",
    "overview",
    "policy_explain",
    "provider_list",
    "reference_matrix",
    "revocation_list",
    "revoke_preview",
    "rotate_preview",
    "secrets_show",
    "series_list",
    "server_detail",
    "server_list",
    "serving_show",
    "session_list",
    "task_list",
    "template_list",
    "tenant_list",
    "tenant_secret_list",
    "webhook_show",
];

/// What can be asked of a locked console.
const KNOCKS: &[&str] = &["first_run", "lock", "status", "touch", "unlock"];

/// What every operator can do about themselves, with their passphrase.
const ONESELF: &[&str] = &["operator_key_rotate", "operator_passphrase_set"];

#[test]
fn every_command_has_a_name_of_its_own_and_the_permission_that_it_needs() {
    let mut names = BTreeSet::new();
    for entry in TABLE {
        assert!(names.insert(entry.name), "{} is there twice", entry.name);
        let expected = match entry.name {
            name if LOOKS.contains(&name) || ONESELF.contains(&name) => Permission::Look,
            name if KNOCKS.contains(&name) => Permission::Knock,
            "agent_pause" | "alert_acknowledge" | "approval_approve" | "approval_deny"
            | "approval_deny_all" | "approval_issue" | "series_revoke" | "series_sign" => {
                Permission::Decide
            }
            "console_enrol"
            | "console_revoke"
            | "operator_create"
            | "operator_group_add"
            | "operator_group_create"
            | "operator_group_drop"
            | "operator_group_remove"
            | "operator_recover"
            | "operator_remove"
            | "operator_role_set"
            | "registry_accept"
            | "secrets_audit"
            | "secrets_erase"
            | "secrets_move"
            | "secrets_stay"
            | "serving_set"
            | "webhook_remove"
            | "webhook_set"
            | "webhook_test" => Permission::Own,
            _ => Permission::Edit,
        };
        assert_eq!(entry.needs, expected, "{}", entry.name);
    }
}

#[tokio::test]
async fn an_auditor_is_refused_whatever_changes_something() {
    let place = Place::new().await;
    let auditor = somebody(OperatorRole::Auditor);
    for entry in TABLE {
        if [LOOKS, KNOCKS, ONESELF].concat().contains(&entry.name) {
            continue;
        }
        let refused = place.refused(auditor, entry.name, json!({})).await;
        assert_eq!(refused["code"], "forbidden", "{}", entry.name);
    }
}

#[tokio::test]
async fn a_locked_console_is_refused_everything_but_the_door() {
    let place = Place::new().await;
    for entry in TABLE.iter().filter(|entry| !KNOCKS.contains(&entry.name)) {
        let refused = place.refused(Actor::Nobody, entry.name, json!({})).await;
        assert_eq!(refused["code"], "locked", "{}", entry.name);
    }
}

#[tokio::test]
async fn d04_arguments_that_are_not_exactly_those_of_the_command_are_refused() {
    let place = Place::new().await;
    let owner = place.control.console();
    let cases = [
        ("an array for an object", "tenant_create", json!(["acme"])),
        ("a text", "tenant_create", json!("acme")),
        ("a member too many", "tenant_create", json!({ "name": "acme", "admin": true })),
        ("a member too few", "tenant_create", json!({})),
        ("another type", "tenant_create", json!({ "name": 7 })),
        ("a path for a name", "tenant_create", json!({ "name": "../acme" })),
        ("another kind of id", "matrix", json!({ "tenant": format!("agt_{:032x}", 1) })),
        ("a member for nothing", "lock", json!({ "now": true })),
    ];
    for (what, command, args) in cases {
        let refused = place.refused(owner, command, args).await;
        assert_eq!(refused["code"], "invalid", "{what}");
    }
    let refused = place.refused(owner, "tenant_create", json!({ "name": 7 })).await;
    assert_eq!(refused["field"], "name");
    let unknown = place.refused(owner, "shell", json!({})).await;
    assert_eq!(unknown["code"], "not_found");
    assert_eq!(place.ask("tenant_list", json!({})).await, json!([]));
}

#[test]
fn the_consoles_types_have_every_command() {
    let types = crate::bindings::typescript();
    for entry in TABLE {
        assert!(types.contains(&format!("\n  {}: {{ args: ", entry.name)), "{}", entry.name);
    }
    assert!(types.contains("export type AgentId = Brand<'agt'>"));
}
