//! Withdrawals: of tokens, of an agent, of a whole tenant.

use std::time::Duration;

use cs_gateway::world::Named;
use cs_model::TenantId;
use cs_model::state::CredentialState;
use serde_json::{Value, json};

use super::approvals::Waiting;
use super::place::Place;
use super::providers::{ISSUER, provider, registration, settings, subject};

/// Why the gateway refuses a token of `robin` that was issued now, if it does.
fn refused(place: &Place, tenant: &Value) -> Option<&'static str> {
    let tenant: TenantId = tenant.as_str().unwrap().parse().unwrap();
    let issued = place.control.now();
    let key_id = Some("k1");
    let token = Named { issuer: ISSUER, id: "t1", key_id, subject: "robin", issued };
    let world = place.control.core().unwrap().world.subscribe();
    world.borrow().revocations.of(tenant, token)
}

#[tokio::test]
async fn j15_a_revocation_of_each_kind_is_in_force_before_the_command_answers() {
    let kinds = [
        (json!({ "kind": "token", "issuer": ISSUER, "id": "t1" }), "token_revoked"),
        (json!({ "kind": "key", "issuer": ISSUER, "key_id": "k1" }), "issuer_key_revoked"),
        (json!({ "kind": "subject", "issuer": ISSUER, "subject": "robin" }), "subject_revoked"),
        (json!({ "kind": "issuer", "issuer": ISSUER }), "issuer_revoked"),
    ];
    for (mut what, code) in kinds {
        let place = Place::with_starter().await;
        let tenant = place.tenant().await;
        provider(&place, "login", &settings()).await;
        if code == "subject_revoked" || code == "issuer_revoked" {
            what["until"] = json!(place.control.now());
        }
        assert_eq!(refused(&place, &tenant), None);
        let args = json!({ "tenant": tenant, "what": what, "reason": " stolen " });
        let made = place.ask("revocation_add", args.clone()).await;
        assert_eq!(refused(&place, &tenant), Some(code));
        assert_eq!((&made["what"], &made["reason"]), (&what, &json!("stolen")));
        assert_eq!(place.ask("revocation_add", args).await["id"], made["id"], "once is enough");
        let list = place.ask("revocation_list", json!({ "tenant": tenant })).await;
        assert_eq!(list, json!([made]));
        let log = place.log(&["admin.changed"]).await;
        let told = log[0]["summary"].as_str().unwrap();
        assert!(told.contains(made["sentence"].as_str().unwrap()), "{told}");
        assert!(told.ends_with(": stolen"), "{told}");

        // A day later no token that it was about can be alive; a stolen key is as good as ever.
        place.clock.advance(Duration::from_secs(86_400 + 121));
        let place = place.reopen().await;
        let still = refused(&place, &tenant);
        assert_eq!(still, (code == "issuer_key_revoked").then_some(code));
    }
}

#[tokio::test]
async fn a_revocation_that_could_only_be_a_slip_is_refused() {
    let place = Place::with_starter().await;
    let (console, tenant) = (place.control.console(), place.tenant().await);
    provider(&place, "login", &settings()).await;
    let later = place.control.now().after(Duration::from_secs(61));
    let token = |id: &str| json!({ "kind": "token", "issuer": ISSUER, "id": id });
    let cases = [
        (json!({ "kind": "token", "issuer": format!("{ISSUER}/"), "id": "t" }), "x", "what"),
        (json!({ "kind": "issuer", "issuer": ISSUER, "until": later }), "x", "what"),
        (token(""), "x", "what"),
        (token("a\u{202e}b"), "x", "what"),
        (token("t"), "  ", "reason"),
        (token("t"), &"x".repeat(501), "reason"),
    ];
    for (what, reason, field) in cases {
        let args = json!({ "tenant": tenant, "what": what, "reason": reason });
        assert_eq!(place.refused(console, "revocation_add", args).await["field"], field);
    }
    assert_eq!(place.ask("revocation_list", json!({ "tenant": tenant })).await, json!([]));
}

#[tokio::test]
async fn j15_all_that_an_agent_has_is_withdrawn_in_one_operation_and_at_once() {
    let it = Waiting::new().await;
    let (place, tenant) = (&it.place, it.place.tenant().await);
    let login = provider(place, "login", &settings()).await;
    let mut args = registration(place, &login, "robin").await;
    args["agent"] = json!(it.request.agent);
    place.ask("credential_register", args.clone()).await;
    let by = registration(place, &login, "marian").await;
    place.ask("credential_register", by).await;
    let version = place.ask("status", json!({})).await["policy_version"].clone();

    let revoke = json!({ "tenant": tenant, "agent": it.request.agent, "reason": "laptop lost" });
    let done = place.ask("agent_revoke", revoke.clone()).await;
    assert_eq!((&done["credentials"], &done["sessions"]), (&json!(2), &json!(1)));
    assert_eq!(done["revocations"].as_array().unwrap().len(), 1);
    assert_eq!(subject(place, &login, "robin"), Some(CredentialState::Revoked));
    assert_eq!(refused(place, &tenant), Some("subject_revoked"));
    assert_eq!(subject(place, &login, "marian"), Some(CredentialState::Active), "another agent");
    {
        let world = place.control.core().unwrap().world.subscribe();
        let world = world.borrow();
        let holder = world.credentials.holder(it.request.credential).unwrap();
        assert_eq!(holder.state, CredentialState::Revoked);
    }
    let args = json!({ "tenant": tenant, "live_only": true });
    assert_eq!(place.ask("session_list", args).await, json!([]));
    let waiting = json!({ "tenant": tenant, "approval": it.request.id });
    assert_eq!(place.ask("approval_show", waiting).await["row"]["state"], "withdrawn");
    assert_eq!(place.ask("status", json!({})).await["policy_version"], version);
    let log = place.log(&["admin.changed"]).await;
    let told = log[0]["summary"].as_str().unwrap();
    assert!(told.contains("agent `executor-1`: laptop lost"), "{told}");
    assert_eq!(place.agent("executor-1").await["standing"], "active", "it may be let in anew");

    let again = place.ask("agent_revoke", revoke).await;
    assert_eq!((&again["credentials"], &again["sessions"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn j15_all_that_a_tenant_has_is_withdrawn_and_nothing_of_another() {
    let it = Waiting::new().await;
    let (place, tenant) = (&it.place, it.place.tenant().await);
    let login = provider(place, "login", &settings()).await;
    let args = registration(place, &login, "robin").await;
    place.ask("credential_register", args).await;
    let other = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    let own = json!({ "tenant": other, "name": "login", "settings": settings(), "enabled": true });
    let own = place.ask("provider_create", own).await;
    let owl = json!({ "tenant": other, "name": "owl", "roles": [], "tasks": [] });
    let owl = place.ask("agent_create", owl).await;
    let args = json!({ "tenant": other, "agent": owl["id"], "provider": own["id"],
                       "subject": "robin" });
    place.ask("credential_register", args).await;

    let revoke = json!({ "tenant": tenant, "reason": "breach" });
    let done = place.ask("tenant_revoke", revoke).await;
    assert_eq!((&done["credentials"], &done["sessions"]), (&json!(2), &json!(1)));
    assert_eq!(done["revocations"].as_array().unwrap().len(), 2, "the subject, and the issuer");
    assert_eq!(subject(place, &login, "robin"), Some(CredentialState::Revoked));
    assert!(refused(place, &tenant).is_some());
    let all = place.ask("credential_list", json!({ "tenant": tenant })).await;
    assert!(all.as_array().unwrap().iter().all(|it| it["state"] == "revoked"), "{all}");

    assert_eq!(refused(place, &other), None);
    assert_eq!(subject(place, &own, "robin"), Some(CredentialState::Active));
    assert_eq!(place.ask("revocation_list", json!({ "tenant": other })).await, json!([]));
}

#[tokio::test]
async fn s07_the_agents_of_another_tenant_cannot_be_withdrawn() {
    let it = Waiting::new().await;
    let place = &it.place;
    let console = place.control.console();
    let other = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    let args = json!({ "tenant": other, "agent": it.request.agent, "reason": "x" });
    assert_eq!(place.refused(console, "agent_revoke", args).await["code"], "not_found");
    let unknown = format!("tnt_{:032x}", 7);
    let args = json!({ "tenant": unknown, "reason": "x" });
    assert_eq!(place.refused(console, "tenant_revoke", args).await["code"], "not_found");
    for command in ["provider_list", "revocation_list", "authn_overview", "reference_matrix"] {
        let args = json!({ "tenant": unknown });
        assert_eq!(place.refused(console, command, args).await["code"], "not_found", "{command}");
    }
    // A revocation names an issuer of the tenant itself.
    provider(place, "login", &settings()).await;
    let what = json!({ "kind": "token", "issuer": ISSUER, "id": "t" });
    let args = json!({ "tenant": other, "what": what, "reason": "x" });
    assert_eq!(place.refused(console, "revocation_add", args).await["field"], "what");
    let all = place.ask("credential_list", json!({ "tenant": place.tenant().await })).await;
    assert_eq!(all[0]["state"], "active");
}

#[tokio::test]
async fn disabling_or_removing_a_provider_ends_the_sessions_of_its_subjects() {
    for command in ["provider_update", "provider_remove"] {
        let it = Waiting::with_subject().await;
        let (place, tenant) = (&it.place, it.place.tenant().await);
        let live = || place.ask("session_list", json!({ "tenant": tenant, "live_only": true }));
        assert_eq!(live().await.as_array().unwrap().len(), 1);
        let list = place.ask("provider_list", json!({ "tenant": tenant })).await;
        let mut args = json!({ "tenant": tenant, "provider": list[0]["id"] });
        if command == "provider_update" {
            args["enabled"] = json!(false);
        }
        place.ask(command, args).await;
        assert_eq!(live().await, json!([]), "{command}");
        let waiting = json!({ "tenant": tenant, "approval": it.request.id });
        assert_eq!(place.ask("approval_show", waiting).await["row"]["state"], "withdrawn");
    }
}
