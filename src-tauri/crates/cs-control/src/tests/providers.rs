//! Identity providers, and the agents that are subjects of them.

use cs_model::state::CredentialState;
use cs_model::{AgentId, ProviderId, TenantId};
use serde_json::{Value, json};

use super::place::Place;

pub(super) const ISSUER: &str = "https://login.example/acme";

pub(super) fn settings() -> Value {
    json!({ "issuer": ISSUER, "jwks_uri": "https://login.example/keys" })
}

/// A provider of the sample tenant.
pub(super) async fn provider(place: &Place, name: &str, settings: &Value) -> Value {
    let args = json!({ "tenant": place.tenant().await, "name": name, "settings": settings,
                       "enabled": true });
    place.ask("provider_create", args).await
}

/// The arguments that register an agent of the sample tenant as a subject.
pub(super) async fn registration(place: &Place, provider: &Value, subject: &str) -> Value {
    json!({ "tenant": place.tenant().await, "agent": place.agent("reader-1").await["id"],
            "provider": provider["id"], "subject": subject })
}

fn id<T: std::str::FromStr>(value: &Value) -> T
where
    T::Err: std::fmt::Debug,
{
    value.as_str().unwrap().parse().unwrap()
}

/// Whether the gateway accepts tokens of an issuer.
fn is_known(place: &Place, tenant: &Value, issuer: &str) -> bool {
    let world = place.control.core().unwrap().world.subscribe();
    world.borrow().providers.get(id::<TenantId>(tenant), issuer).is_some()
}

/// The state in which the gateway knows a subject.
pub(super) fn subject(place: &Place, provider: &Value, subject: &str) -> Option<CredentialState> {
    let world = place.control.core().unwrap().world.subscribe();
    let world = world.borrow();
    let provider: ProviderId = id(&provider["id"]);
    world.credentials.subject(provider, subject).map(|it| it.state)
}

#[tokio::test]
async fn a_provider_is_added_changed_and_removed_and_each_is_in_force_at_once() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let made = provider(&place, "login", &settings()).await;
    assert_eq!((&made["settings"]["longest_secs"], &made["subjects"]), (&json!(3600), &json!(0)));
    assert_eq!(made["status"]["standing"], "unused");
    assert!(is_known(&place, &tenant, ISSUER));
    let of = |rest: Value| {
        let mut args = json!({ "tenant": tenant, "provider": made["id"] });
        args.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        args
    };
    let renamed = place.ask("provider_update", of(json!({ "name": "sso" }))).await;
    assert_eq!((&renamed["name"], &renamed["settings"]), (&json!("sso"), &made["settings"]));
    let off = place.ask("provider_update", of(json!({ "enabled": false }))).await;
    assert_eq!(off["enabled"], false);
    assert!(!is_known(&place, &tenant, ISSUER));
    place.ask("provider_update", of(json!({ "enabled": true }))).await;
    let mut other = settings();
    other["issuer"] = json!("https://login.example/other");
    place.ask("provider_update", of(json!({ "settings": other }))).await;
    assert!(!is_known(&place, &tenant, ISSUER));
    assert!(is_known(&place, &tenant, "https://login.example/other"));
    place.ask("provider_remove", of(json!({}))).await;
    assert!(!is_known(&place, &tenant, "https://login.example/other"));
    assert_eq!(place.ask("provider_list", json!({ "tenant": tenant })).await, json!([]));
    let log = place.log(&["policy.enforced"]).await;
    let told: Vec<_> = log.iter().map(|row| row["summary"].as_str().unwrap()).collect();
    assert!(told[0].contains("removed identity provider `sso`"), "{told:?}");
}

#[tokio::test]
async fn settings_that_could_never_be_meant_are_refused_with_their_field() {
    let place = Place::with_starter().await;
    let console = place.control.console();
    let tenant = place.tenant().await;
    let cases = [
        ("issuer", json!("http://login.example"), "settings.issuer"),
        ("algorithms", json!([]), "settings.algorithms"),
        ("algorithms", json!(["HS256"]), "settings.algorithms[0]"),
        ("scopes", json!(["two words"]), "settings.scopes"),
        ("longest_secs", json!(1), "settings.longest_secs"),
        ("surprise", json!(1), "settings.surprise"),
    ];
    for (member, value, field) in cases {
        let mut settings = settings();
        settings[member] = value;
        let args = json!({ "tenant": tenant, "name": "x", "settings": settings, "enabled": true });
        let refused = place.refused(console, "provider_create", args).await;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid"), &json!(field)));
    }
    let mut asking = settings();
    asking["introspection"] = json!({ "endpoint": "https://login.example/introspect",
        "client_id": "gateway", "secret": "idp", "when": "always" });
    let args = json!({ "tenant": tenant, "name": "x", "settings": asking, "enabled": true });
    let refused = place.refused(console, "provider_create", args.clone()).await;
    assert_eq!(refused["field"], "settings.introspection.secret");
    let secret = json!({ "tenant": tenant, "name": "idp", "value": "hunter2 hunter2" });
    place.ask("tenant_secret_set", secret).await;
    place.ask("provider_create", args.clone()).await;
    let again = place.refused(console, "provider_create", args).await;
    assert_eq!(again["code"], "conflict", "a token names its issuer and nothing else");
}

#[tokio::test]
async fn a_subject_is_one_agent_at_a_time_and_can_be_registered_again() {
    let place = Place::with_starter().await;
    let console = place.control.console();
    let login = provider(&place, "login", &settings()).await;
    let args = registration(&place, &login, "robin").await;
    let made = place.ask("credential_register", args.clone()).await;
    assert_eq!(made["proof"]["kind"], "external");
    assert_eq!(
        (&made["proof"]["provider_name"], &made["proof"]["subject"]),
        (&json!("login"), &json!("robin"))
    );
    assert_eq!((&made["networks"], &made["tasks"]), (&json!([]), &Value::Null));
    assert_eq!(subject(&place, &login, "robin"), Some(CredentialState::Active));
    assert_eq!(subject(&place, &login, "Robin"), None);
    let taken = place.refused(console, "credential_register", args.clone()).await;
    assert_eq!(taken["code"], "conflict");
    let of = json!({ "tenant": args["tenant"], "credential": made["id"] });
    place.ask("credential_revoke", of).await;
    assert_eq!(subject(&place, &login, "robin"), Some(CredentialState::Revoked));
    place.clock.advance(std::time::Duration::from_secs(1));
    let next = place.ask("credential_register", args.clone()).await;
    assert_ne!(next["id"], made["id"]);
    assert_eq!(subject(&place, &login, "robin"), Some(CredentialState::Active));
    for bad in ["", "ro\u{202e}bin", &"x".repeat(256)] {
        let mut args = args.clone();
        args["subject"] = json!(bad);
        assert_eq!(place.refused(console, "credential_register", args).await["field"], "subject");
    }
    let mut moved = settings();
    moved["issuer"] = json!("https://elsewhere.example");
    let update = json!({ "tenant": args["tenant"], "provider": login["id"], "settings": moved });
    let refused = place.refused(console, "provider_update", update).await;
    assert_eq!(refused["code"], "conflict", "a subject is somebody else at another issuer");
    let list = place.ask("provider_list", json!({ "tenant": args["tenant"] })).await;
    assert_eq!(list[0]["subjects"], 1);
}

#[tokio::test]
async fn a_credential_is_bound_to_networks_and_tasks_of_its_own() {
    let place = Place::with_starter().await;
    let (console, agent) = (place.control.console(), place.agent("reader-1").await);
    let tenant = place.tenant().await;
    let task = &agent["tasks"][0]["id"];
    let issue = |more: Value| {
        let mut args = json!({ "tenant": tenant, "agent": agent["id"], "kind": "api_key" });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    };
    let bound = issue(json!({ "tasks": [task], "networks": ["10.0.0.0/8", "192.0.2.7"] }));
    let key = place.ask("credential_issue", bound).await;
    let all = place.ask("credential_list", json!({ "tenant": tenant })).await;
    assert_eq!(all[0]["networks"], json!(["10.0.0.0/8", "192.0.2.7/32"]));
    assert_eq!(all[0]["tasks"][0]["name"], "workbench");
    assert_eq!(all[0]["proof"], json!({ "kind": "api_key" }));
    {
        let world = place.control.core().unwrap().world.subscribe();
        let world = world.borrow();
        let holder = world.credentials.key(key["key_id"].as_str().unwrap()).unwrap();
        assert!(holder.may_come_from("10.1.2.3".parse().unwrap()));
        assert!(!holder.may_come_from("192.0.2.8".parse().unwrap()));
        assert_eq!(holder.tasks.as_ref().unwrap().len(), 1);
        assert_eq!(holder.agent, id::<AgentId>(&agent["id"]));
    }
    let none = format!("tsk_{:032x}", 1);
    let cases = [
        (json!({ "networks": ["10.0.0.7/8"] }), "invalid", json!("networks")),
        (json!({ "networks": ["anywhere"] }), "invalid", json!("networks")),
        (json!({ "tasks": [] }), "invalid", json!("tasks")),
        (json!({ "tasks": [none] }), "not_found", Value::Null),
        (json!({ "kind": "external" }), "invalid", json!("kind")),
    ];
    for (more, code, field) in cases {
        let refused = place.refused(console, "credential_issue", issue(more)).await;
        assert_eq!((&refused["code"], &refused["field"]), (&json!(code), &field));
    }
}

#[tokio::test]
async fn s07_the_providers_and_agents_of_another_tenant_do_not_exist() {
    let place = Place::with_starter().await;
    let console = place.control.console();
    let login = provider(&place, "login", &settings()).await;
    let other = place.ask("tenant_create", json!({ "name": "zeta" })).await["id"].clone();
    let own = json!({ "tenant": other, "name": "login", "settings": settings(), "enabled": true });
    let own = place.ask("provider_create", own).await;
    assert_ne!(own["id"], login["id"], "another tenant has its own provider of the same issuer");
    let args = json!({ "tenant": other, "provider": login["id"] });
    for command in ["provider_update", "provider_remove"] {
        let refused = place.refused(console, command, args.clone()).await;
        assert_eq!(refused["code"], "not_found", "{command}");
    }
    let mut foreign = registration(&place, &login, "robin").await;
    foreign["provider"] = own["id"].clone();
    let refused = place.refused(console, "credential_register", foreign).await;
    assert_eq!(refused["code"], "not_found", "a provider of another tenant");
    let mut foreign = registration(&place, &login, "robin").await;
    foreign["tenant"] = other.clone();
    foreign["provider"] = own["id"].clone();
    let refused = place.refused(console, "credential_register", foreign).await;
    assert_eq!(refused["code"], "not_found", "an agent of another tenant");
    let list = place.ask("provider_list", json!({ "tenant": place.tenant().await })).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
}
