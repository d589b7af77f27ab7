//! The built-in issuer: its settings, its keys and its clients.

use std::time::Duration;

use cs_gateway::world::OwnIssuer;
use cs_model::TenantId;
use cs_model::state::OperatorRole;
use cs_trust::token::IssuerKey;
use serde_json::{Value, json};

use super::place::{Place, somebody};
use crate::issuer::{forget_retired, seed_name};

async fn set(place: &Place, enabled: bool, token_secs: u64) -> Value {
    let args = json!({ "tenant": place.tenant().await, "enabled": enabled,
                       "token_secs": token_secs });
    place.ask("issuer_set", args).await
}

/// The sample tenant, whether the console is locked or not.
fn tenant_id(place: &Place) -> TenantId {
    place.control.core().unwrap().document().tenants[0].id
}

/// What the gateway knows of the sample tenant's issuer.
fn own(place: &Place) -> Option<OwnIssuer> {
    let world = place.control.core().unwrap().world.subscribe();
    let world = world.borrow();
    world.issuers.of(tenant_id(place)).map(|it| OwnIssuer::clone(it))
}

fn states(view: &Value) -> Vec<&str> {
    view["keys"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect()
}

fn ids(view: &Value) -> Vec<String> {
    let keys = view["keys"].as_array().unwrap().iter();
    keys.map(|it| it["key_id"].as_str().unwrap().to_owned()).collect()
}

/// Whether the secret store has the seed of a key, and it is that key's.
async fn has_seed(place: &Place, key_id: &str) -> bool {
    let core = place.control.core().unwrap();
    match core.store.get(&seed_name(tenant_id(place), key_id)).await {
        Ok(seed) => IssuerKey::open(&seed).unwrap().id() == key_id,
        Err(_) => false,
    }
}

async fn register(place: &Place, rest: Value) -> Value {
    let mut args =
        json!({ "tenant": place.tenant().await, "agent": place.agent("reader-1").await["id"] });
    args.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    args
}

#[tokio::test]
async fn an_issuer_has_keys_while_it_is_enabled_and_new_ones_when_it_is_again() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let before = place.ask("issuer_show", json!({ "tenant": tenant })).await;
    assert_eq!((&before["enabled"], &before["token_secs"]), (&json!(false), &json!(600)));
    assert!(own(&place).is_none());

    let on = set(&place, true, 300).await;
    assert_eq!((&on["enabled"], &on["token_secs"]), (&json!(true), &json!(300)));
    assert_eq!(states(&on), ["signing", "next"]);
    assert!(on["issuer"].as_str().unwrap().ends_with("/t/acme/as"), "{on}");
    let known = own(&place).unwrap();
    let first = ids(&on);
    assert_eq!((known.signing.as_str(), known.token_secs), (first[0].as_str(), 300));
    assert_eq!(known.keys.len(), 2);
    for key in &first {
        assert!(has_seed(&place, key).await);
    }
    let shown = format!("{known:?}");
    // Ids and keys are random text, in which a word may stand by chance, and a mark does not.
    assert!(!shown.contains("seed:") && !shown.contains("\"d\""), "{shown}");

    let same = set(&place, true, 900).await;
    assert_eq!(ids(&same), first, "a longer life is no reason for other keys");
    let off = set(&place, false, 900).await;
    assert_eq!(states(&off), [""; 0]);
    assert!(own(&place).is_none());
    for key in &first {
        assert!(!has_seed(&place, key).await, "the seed of a key that is gone is gone");
    }
    let again = set(&place, true, 900).await;
    assert!(ids(&again).iter().all(|id| !first.contains(id)), "no token of before comes back");

    for secs in [0, 299, 901, 1_u64 << 40] {
        let args = json!({ "tenant": tenant, "enabled": true, "token_secs": secs });
        let refused = place.refused(place.control.console(), "issuer_set", args).await;
        assert_eq!(refused["field"], "token_secs", "{refused}");
    }
    let args = json!({ "tenant": tenant, "enabled": false, "token_secs": 600 });
    let refused = place.refused(somebody(OperatorRole::Auditor), "issuer_set", args).await;
    assert_eq!(refused["code"], "forbidden");
    let log = place.log(&["admin.changed"]).await;
    let told: Vec<_> = log.iter().map(|row| row["summary"].as_str().unwrap()).collect();
    assert!(told.iter().any(|it| it.contains("issues tokens now")), "{told:?}");
}

#[tokio::test]
async fn j21_a_key_is_published_before_it_signs_and_stays_until_its_last_token_has_ended() {
    let place = Place::with_starter().await;
    let tenant = json!({ "tenant": place.tenant().await });
    let refused = place.refused(place.control.console(), "issuer_rotate", tenant.clone()).await;
    assert_eq!(refused["code"], "conflict");
    let first = ids(&set(&place, true, 900).await);
    let rotated = place.ask("issuer_rotate", tenant.clone()).await;
    assert_eq!(states(&rotated), ["retiring", "signing", "next"]);
    assert_eq!(&ids(&rotated)[..2], first);
    let known = own(&place).unwrap();
    assert_eq!(known.signing, first[1]);
    assert!(known.keys.has(&first[0]), "what it signed is still good");

    let core = place.control.core().unwrap();
    place.clock.advance(Duration::from_secs(900));
    forget_retired(&core).await.unwrap();
    assert!(own(&place).unwrap().keys.has(&first[0]), "its last token just ended");
    place.clock.advance(Duration::from_secs(60));
    forget_retired(&core).await.unwrap();
    assert!(!own(&place).unwrap().keys.has(&first[0]));
    assert!(!has_seed(&place, &first[0]).await);
    drop(core);

    let place = place.reopen().await;
    let after = place.ask_as(somebody(OperatorRole::Auditor), "issuer_show", tenant).await;
    assert_eq!(ids(&after), &ids(&rotated)[1..], "they survive a restart");
    assert_eq!(own(&place).unwrap().signing, first[1]);
}

#[tokio::test]
async fn j15_a_revoked_key_of_the_issuer_signs_no_more() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let on = set(&place, true, 600).await;
    let first = ids(&on);
    let revoke = |issuer: &Value, key: &str| {
        json!({ "tenant": tenant, "reason": "stolen",
                "what": { "kind": "key", "issuer": issuer, "key_id": key } })
    };
    place.ask("revocation_add", revoke(&on["issuer"], &first[0])).await;
    assert_eq!(own(&place).unwrap().signing, first[1]);
    let now = place.ask("issuer_show", json!({ "tenant": tenant })).await;
    let next = ids(&now)[2].clone();
    place.ask("revocation_add", revoke(&on["issuer"], &next)).await;
    let now = place.ask("issuer_show", json!({ "tenant": tenant })).await;
    assert!(!ids(&now).contains(&next) && states(&now).contains(&"next"), "{now}");

    let elsewhere = json!("http://elsewhere.example/t/acme/as");
    let args = revoke(&elsewhere, "k");
    let refused = place.refused(place.control.console(), "revocation_add", args).await;
    assert_eq!(refused["field"], "what");
}

#[tokio::test]
async fn a_client_is_registered_for_one_agent_with_the_proof_that_it_has() {
    let place = Place::with_starter().await;
    let console = place.control.console();
    let secret = register(&place, json!({ "method": "client_secret" })).await;
    let refused = place.refused(console, "client_register", secret.clone()).await;
    assert_eq!(refused["code"], "conflict", "its issuer is disabled: {refused}");
    set(&place, true, 600).await;

    let made = place.ask("client_register", secret).await;
    assert!(made["client_id"].as_str().unwrap().starts_with("csc_"), "{made}");
    let text = made["secret"].as_str().unwrap().to_owned();
    assert!(text.starts_with("ccs_") && text.len() == 47, "256 bit");
    assert_eq!(made["method"], "client_secret_basic");
    assert_eq!(made["scopes"], json!(["mcp:connect"]));
    let listed = place.ask("issuer_show", json!({ "tenant": place.tenant().await })).await;
    assert!(!listed.to_string().contains(&text) && listed["clients"][0]["id"] == made["id"]);

    let key = IssuerKey::from_seed(&[7; 32]).unwrap().public_jwk();
    let jwks = json!({ "keys": [key] }).to_string();
    let keyed = register(&place, json!({ "method": "private_key_jwt", "jwks": jwks })).await;
    let keyed = place.ask("client_register", keyed).await;
    assert_eq!((&keyed["method"], &keyed["secret"]), (&json!("private_key_jwt"), &Value::Null));
    let certified = register(&place, json!({ "method": "tls_client_auth" })).await;
    let certified = place.ask("client_register", certified).await;
    assert_eq!(certified["method"], "tls_client_auth");

    let private = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "d": "AA", "x": "AA" }] });
    let wrong = [
        (json!({ "method": "private_key_jwt" }), "jwks"),
        (json!({ "method": "private_key_jwt", "jwks": "{}" }), "jwks"),
        (json!({ "method": "private_key_jwt", "jwks": private.to_string() }), "jwks"),
        (json!({ "method": "client_secret", "jwks": jwks }), "jwks"),
        (json!({ "method": "client_secret", "spiffe": "spiffe://x" }), "spiffe"),
        (json!({ "method": "tls_client_auth", "spiffe": "csc" }), "spiffe"),
        (
            json!({ "method": "tls_client_auth",
                    "spiffe": "spiffe://x.example/tenant/acme/agent/admin-1" }),
            "spiffe",
        ),
        (json!({ "method": "client_secret", "lifetime_secs": 0 }), "lifetime_secs"),
        (json!({ "method": "client_secret", "tasks": [] }), "tasks"),
        (json!({ "method": "client_secret", "networks": ["10/8"] }), "networks"),
    ];
    for (rest, field) in wrong {
        let args = register(&place, rest.clone()).await;
        let refused = place.refused(console, "client_register", args).await;
        assert_eq!(refused["field"], field, "{rest}: {refused}");
    }
}

#[tokio::test]
async fn whoever_revokes_an_agent_or_a_tenant_withdraws_the_issuers_tokens_too() {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    let on = set(&place, true, 600).await;
    let client = register(&place, json!({ "method": "client_secret" })).await;
    let client = place.ask("client_register", client).await;
    let agent = place.agent("reader-1").await["id"].clone();
    let args = json!({ "tenant": tenant, "agent": agent, "reason": "taken over" });
    let revoked = place.ask("agent_revoke", args).await;
    let found = revoked["revocations"].as_array().unwrap();
    assert!(
        found.iter().any(|it| {
            it["what"]["kind"] == "subject"
                && it["what"]["issuer"] == on["issuer"]
                && it["what"]["subject"] == client["client_id"]
        }),
        "{revoked}"
    );
    let args = json!({ "tenant": tenant, "reason": "taken over" });
    let revoked = place.ask("tenant_revoke", args).await;
    let found = revoked["revocations"].as_array().unwrap();
    let all = |it: &Value| it["what"]["kind"] == "issuer" && it["what"]["issuer"] == on["issuer"];
    assert!(found.iter().any(all), "{revoked}");
}

#[tokio::test]
async fn a_file_sets_the_issuer_up_and_what_it_leaves_out_is_gone() {
    let place = Place::with_starter().await;
    set(&place, true, 450).await;
    let text = place.ask("export", json!({})).await["text"].as_str().unwrap().to_owned();
    assert!(text.contains("issuer:") && text.contains("token_secs: 450"), "{text}");
    let same = place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert_eq!(same["changes"], json!([]));

    let key = own(&place).unwrap().signing;
    let longer = text.replace("token_secs: 450", "token_secs: 800");
    place.ask("apply", json!({ "text": longer, "dry_run": false })).await;
    let known = own(&place).unwrap();
    assert_eq!((known.token_secs, known.signing), (800, key));
    let wrong = text.replace("token_secs: 450", "token_secs: 60");
    let args = json!({ "text": wrong, "dry_run": false });
    let refused = place.refused(place.control.console(), "apply", args).await;
    assert!(refused["message"].as_str().unwrap().contains("issuer"), "{refused}");

    let (before, after) = text.split_once("issuer:").unwrap();
    let off = format!("{before}issuer:{}", after.replacen("enabled: true", "enabled: false", 1));
    let dry = place.ask("apply", json!({ "text": off, "dry_run": true })).await;
    assert!(dry["changes"].to_string().contains("issues no tokens"), "{dry}");
    assert!(own(&place).is_some(), "nothing was done");
    place.ask("apply", json!({ "text": off, "dry_run": false })).await;
    assert!(own(&place).is_none());
    place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    assert!(own(&place).is_some());
}
