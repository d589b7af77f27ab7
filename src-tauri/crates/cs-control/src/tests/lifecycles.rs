//! How long credentials live, tenant by tenant: enforced where they come to be, and only looser
//! with an owner's passphrase.

use std::time::Duration;

use cs_model::state::OperatorRole;
use serde_json::{Value, json};

use super::place::{PASSPHRASE, Place, somebody};
use super::providers::{provider, settings};
use crate::actor::Actor;

const LOCAL: Actor = Actor::Local { uid: Some(1000) };
const DAY: u64 = 86_400;

async fn set(place: &Place, lifecycle: Value) -> Value {
    let args = json!({ "tenant": place.tenant().await, "lifecycle": lifecycle });
    place.ask("lifecycle_set", args).await
}

/// The arguments of every way in which a credential comes to be, but for how long it lasts.
async fn ways(place: &Place) -> Vec<(&'static str, Value)> {
    let tenant = place.tenant().await;
    let agent = place.agent("reader-1").await["id"].clone();
    let login = provider(place, "login", &settings()).await;
    let issuer = json!({ "tenant": tenant, "enabled": true, "token_secs": 600 });
    place.ask("issuer_set", issuer).await;
    let of = |more: Value| {
        let mut args = json!({ "tenant": tenant, "agent": agent });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        args
    };
    vec![
        ("credential_issue", of(json!({ "kind": "api_key" }))),
        ("certificate_issue", of(json!({}))),
        ("client_register", of(json!({ "method": "client_secret" }))),
        ("credential_register", of(json!({ "provider": login["id"], "subject": "robin" }))),
    ]
}

async fn life(place: &Place, answer: &Value) -> u64 {
    let ends: cs_model::Timestamp = serde_json::from_value(answer["expires"].clone()).unwrap();
    ends.since(place.options.clock.now()).as_secs()
}

#[tokio::test]
async fn k13_no_credential_of_any_kind_outlives_what_its_tenant_says() {
    let place = Place::with_starter().await;
    let ways = ways(&place).await;
    let usual = place.ask("lifecycle_show", json!({ "tenant": place.tenant().await })).await;
    assert_eq!(
        (&usual["usual_secs"], &usual["longest_secs"]),
        (&json!(259_200), &json!(7_776_000))
    );
    assert_eq!(usual["set"], json!({}));
    let view = set(&place, json!({ "lifetime_secs": 7200, "overlap_secs": 600 })).await;
    assert_eq!((&view["longest_secs"], &view["rotate_secs"]), (&json!(7200), &json!(4800)));
    for (command, mut args) in ways {
        args["lifetime_secs"] = json!(7201);
        let refused = place.refused(place.control.console(), command, args.clone()).await;
        assert_eq!(refused["field"], "lifetime_secs", "{command}: {refused}");
        let said = refused["message"].as_str().unwrap();
        assert!(said.contains("7200") && said.contains("7201"), "{command}: {said}");
        args.as_object_mut().unwrap().remove("lifetime_secs");
        let made = place.ask(command, args).await;
        assert_eq!(life(&place, &made).await, 7200, "{command}");
    }
    let all = place.ask("credential_list", json!({ "tenant": place.tenant().await })).await;
    let ours = all.as_array().unwrap().iter().filter(|it| it["expires"] != all[0]["expires"]);
    assert!(ours.count() < all.as_array().unwrap().len(), "those of before keep their end");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_a_tenant_says_is_held_to_the_maxima_and_comes_back_with_the_registry() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let wrong = [
        (json!({ "lifetime_secs": 90 * DAY + 1 }), "lifetime_secs"),
        (json!({ "overlap_secs": 7 * DAY + 1 }), "overlap_secs"),
        (json!({ "overlap_secs": 3 * DAY }), "overlap_secs"),
        (json!({ "rotate_secs": 90 * DAY }), "rotate_secs"),
        (json!({ "alert_unused_secs": 15 * DAY + 1 }), "alert_unused_secs"),
        (json!({ "revoke_unused_secs": 30 * DAY + 1 }), "revoke_unused_secs"),
        (json!({ "revoke_unused_secs": DAY, "alert_unused_secs": 2 * DAY }), "alert_unused_secs"),
    ];
    for (lifecycle, field) in wrong {
        let args = json!({ "tenant": tenant, "lifecycle": lifecycle });
        let refused = place.refused(place.control.console(), "lifecycle_set", args).await;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid"), &json!(field)));
    }
    let auditor = somebody(OperatorRole::Auditor);
    let args = json!({ "tenant": tenant, "lifecycle": {} });
    let refused = place.refused(auditor, "lifecycle_set", args).await;
    assert_eq!(refused["code"], "forbidden");
    let wanted = json!({ "lifetime_secs": DAY, "alert_unused_secs": 7 * DAY });
    set(&place, wanted.clone()).await;
    let place = place.reopen().await;
    let shown = place.ask_as(LOCAL, "lifecycle_show", json!({ "tenant": tenant })).await;
    assert_eq!(shown["set"], wanted);
    let text = place.ask_as(LOCAL, "export", json!({})).await["text"].clone();
    assert!(text.as_str().unwrap().contains("lifetime_secs: 86400"), "{text}");
    let same = json!({ "text": text, "dry_run": true });
    assert_eq!(place.ask_as(LOCAL, "apply", same).await["changes"], json!([]));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn letting_credentials_live_longer_takes_an_owners_passphrase_at_every_door() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let args = |lifecycle: Value| json!({ "tenant": tenant, "lifecycle": lifecycle });
    let tight = json!({ "lifetime_secs": DAY });
    place.ask_as(LOCAL, "lifecycle_set", args(tight)).await;
    let looser = [json!({}), json!({ "lifetime_secs": DAY + 1 })];
    for lifecycle in &looser {
        let refused = place.refused(LOCAL, "lifecycle_set", args(lifecycle.clone())).await;
        assert_eq!(refused["field"], "owner", "{lifecycle}");
    }
    let text = place.ask_as(LOCAL, "export", json!({})).await["text"].clone();
    let file = text.as_str().unwrap().replace("lifetime_secs: 86400", "lifetime_secs: 172800");
    let refused = place.refused(LOCAL, "apply", json!({ "text": file, "dry_run": false })).await;
    assert_eq!(refused["field"], "owner");
    let wrong = file.replace("172800", "7776001");
    let refused = place.refused(LOCAL, "apply", json!({ "text": wrong, "dry_run": false })).await;
    assert!(refused["message"].as_str().unwrap().contains("lifecycle: `lifetime_secs`"));
    let mut with = args(looser[1].clone());
    with["owner"] = json!(PASSPHRASE);
    let view = place.ask_as(LOCAL, "lifecycle_set", with).await;
    assert_eq!(view["longest_secs"], json!(DAY + 1));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_alert_about_what_nobody_uses_comes_when_the_tenant_says() {
    let place = Place::with_starter().await;
    let core = place.control.core().unwrap();
    set(&place, json!({ "alert_unused_secs": DAY })).await;
    let raised = async || {
        crate::alerts::look(&core, true).await.unwrap();
        let all = place.ask_as(LOCAL, "alert_list", json!({})).await;
        let all =
            all["rows"].as_array().cloned().unwrap_or_else(|| all.as_array().unwrap().clone());
        all.into_iter().filter(|it| it["rule"] == "credential_unused").collect::<Vec<_>>()
    };
    let agent = place.agent("reader-1").await["id"].clone();
    let key = json!({ "tenant": place.tenant().await, "agent": agent, "kind": "api_key" });
    place.ask("credential_issue", key).await;
    place.clock.advance(Duration::from_secs(DAY) - Duration::from_millis(1));
    assert_eq!(raised().await.len(), 0);
    place.clock.advance(Duration::from_millis(1));
    let found = raised().await;
    assert!(!found.is_empty());
    assert!(found[0]["sentence"].as_str().unwrap().contains("within 24 hours of its issue"));
    place.control.shutdown().await.unwrap();
}
