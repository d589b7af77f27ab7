//! Where secrets are kept, and moving them.

use std::time::Duration;

use cs_model::state::OperatorRole;
use cs_model::{CorrelationId, Secret, Timestamp, event};
use cs_registry::secret_place::{self, Moving, SecretPlace};
use cs_secrets::{SealedFile, SecretStore as _};
use serde_json::{Value, json};

use super::place::{PASSPHRASE, Place, somebody};
use crate::actor::Actor;
use crate::moving;

async fn move_to(place: &Place, to: &str) -> Value {
    place.ask("secrets_move", json!({ "to": to, "owner": PASSPHRASE })).await
}

/// An installation with a secret of each kind.
async fn furnished() -> Place {
    let place = Place::with_starter().await;
    let tenant = place.tenant().await;
    place.ask("issuer_set", json!({ "tenant": tenant, "enabled": true, "token_secs": 600 })).await;
    place.ask("issuer_rotate", json!({ "tenant": tenant })).await;
    let args = json!({
        "name": "Grace", "role": "approver", "passphrase": "tulip anvil ferry moss",
    });
    place.ask("operator_create", args).await;
    let key = format!("whsec_{}", "aGk7".repeat(8));
    place.ask("webhook_set", json!({ "url": "https://example.org/", "key": key })).await;
    let agent = place.agent("reader-1").await["id"].clone();
    let args = json!({ "tenant": tenant, "agent": agent });
    place.ask("certificate_issue", args).await;
    place.ask("authority_rotate", json!({ "tenant": tenant })).await;
    place
}

/// What has to be found wherever the secrets are.
async fn is_whole(place: &Place) {
    let tenant = place.tenant().await;
    place.ask("issuer_rotate", json!({ "tenant": tenant })).await;
    let args = json!({ "tenant": tenant, "agent": place.agent("reader-1").await["id"] });
    place.ask("certificate_issue", args).await;
    let args = json!({ "passphrase": "tulip anvil ferry moss" });
    place.ask_as(Actor::Local { uid: None }, "unlock", args).await;
    place.ask_as(Actor::Local { uid: None }, "unlock", json!({ "passphrase": PASSPHRASE })).await;
}

#[tokio::test]
async fn every_secret_of_an_installation_is_known_by_name() {
    let place = furnished().await;
    let core = place.control.core().unwrap();
    crate::anchor::keep(&core).await.unwrap();
    let known = moving::names(&mut core.registry.read().await.unwrap()).await.unwrap();
    let kept = place.options.memory.names();
    let unknown: Vec<_> =
        kept.iter().filter(|it| !known.iter().any(|known| known.name == **it)).collect();
    assert!(unknown.is_empty(), "a move would lose {unknown:?}");
    assert!(kept.len() > 8, "{kept:?}");
}

#[tokio::test]
async fn secrets_move_and_are_erased_where_they_were() {
    let place = furnished().await;
    let memory = std::sync::Arc::clone(&place.options.memory);
    let moved = move_to(&place, "file").await;
    assert_eq!((&moved["store"], &moved["moving"]), (&json!("file"), &Value::Null), "{moved}");
    assert!(memory.names().is_empty(), "{:?}", memory.names());
    is_whole(&place).await;
    let told = place.log(&["admin.changed"]).await;
    let told: Vec<&str> = told.iter().filter_map(|it| it["summary"].as_str()).collect();
    assert!(told.iter().any(|it| it.contains("to the file of sealed secrets")), "{told:?}");

    let place = place.reopen().await;
    let local = Actor::Local { uid: None };
    place.ask_as(local, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(place.ask("status", json!({})).await["secret_store"], "file");
    is_whole(&place).await;
    let again = json!({ "to": "file", "owner": PASSPHRASE });
    let again = place.refused(place.control.console(), "secrets_move", again).await;
    assert_eq!(again["code"], "conflict", "{again}");
    move_to(&place, "memory").await;
    assert!(!place.home.join("secrets.age").exists());
    is_whole(&place).await;
}

#[tokio::test]
async fn moving_secrets_takes_an_owners_passphrase_and_a_place_that_can_be() {
    let place = Place::new().await;
    let args = |owner: &str| json!({ "to": "file", "owner": owner });
    let local = Actor::Local { uid: None };
    let wrong = place.refused(local, "secrets_move", args("not the passphrase")).await;
    assert_eq!(wrong["code"], "wrong_passphrase", "{wrong}");
    let approver = somebody(OperatorRole::Approver);
    let refused = place.refused(approver, "secrets_move", args(PASSPHRASE)).await;
    assert_eq!(refused["code"], "forbidden", "{refused}");
    for (to, vault) in [("vault", Value::Null), ("file", at("http://127.0.0.1:1"))] {
        let mut args = json!({ "to": to, "owner": PASSPHRASE });
        if !vault.is_null() {
            args["vault"] = vault;
        }
        let refused = place.refused(local, "secrets_move", args).await;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid"), &json!("vault")));
    }
    let far = json!({ "to": "vault", "vault": at("http://vault.example"), "owner": PASSPHRASE });
    let far = place.refused(local, "secrets_move", far).await;
    assert_eq!((&far["code"], &far["field"]), (&json!("invalid"), &json!("vault")), "{far}");
    assert_eq!(place.ask("secrets_show", json!({})).await["moving"], Value::Null);
}

fn at(address: &str) -> Value {
    let login = json!({ "method": "approle", "role": "r", "file": "/nowhere/secret-id" });
    json!({ "address": address, "login": login })
}

/// Says that a move had come this far when the process ended.
async fn interrupted(place: &Place, copied: bool, store: &str) {
    let core = place.control.core().unwrap();
    let correlation = CorrelationId::from_random([7; 16]);
    let mut edit = core.edit_as(event::Actor::System, correlation).await.unwrap();
    let other = SecretPlace { store: store.to_owned(), place: None };
    let moving = Moving { copied, other, began: Timestamp::from_secs(1_785_231_000) };
    secret_place::keep_moving(edit.db(), &moving).await.unwrap();
    edit.keep().await.unwrap();
}

/// A store that is gone for good must not be in the way for ever.
#[tokio::test]
async fn a_move_that_nobody_can_end_properly_any_more_is_left_behind_on_record() {
    let place = Place::new().await;
    let console = || place.control.console();
    let secret = place.home.with_file_name("secret-id");
    std::fs::write(&secret, "an id").unwrap();
    let vault = json!({
        "address": "http://127.0.0.1:1", "mount": "secret", "path": "countersign",
        "login": { "with": "approle", "mount": "approle", "role_id": "gone", "secret_id_file": secret },
    });
    let gone = SecretPlace { store: "vault".to_owned(), place: Some(vault.to_string()) };
    for (copied, command, says) in [
        (false, "secrets_stay", "gave up moving the secrets to Vault"),
        (true, "secrets_erase", "left the secrets that are in Vault"),
    ] {
        let core = place.control.core().unwrap();
        let correlation = CorrelationId::from_random([7; 16]);
        let mut edit = core.edit_as(event::Actor::System, correlation).await.unwrap();
        let began = Timestamp::from_secs(1_785_231_000);
        let moving = Moving { copied, other: gone.clone(), began };
        secret_place::keep_moving(edit.db(), &moving).await.unwrap();
        edit.keep().await.unwrap();

        let refused = place.refused(console(), command, json!({ "owner": PASSPHRASE })).await;
        assert_eq!(refused["code"], "unavailable", "{refused}");
        let wrong = json!({ "leave": true, "owner": "not the passphrase" });
        let refused = place.refused(console(), command, wrong).await;
        assert_eq!(refused["code"], "wrong_passphrase", "{refused}");
        let other = if copied { "secrets_stay" } else { "secrets_erase" };
        let left = json!({ "leave": true, "owner": PASSPHRASE });
        let refused = place.refused(console(), other, left.clone()).await;
        assert_eq!(refused["code"], "conflict", "{refused}");

        let shown = place.ask(command, left).await;
        assert_eq!(shown["moving"], Value::Null, "{shown}");
        let log = place.log(&["admin.changed"]).await;
        let told = log.iter().filter_map(|it| it["summary"].as_str()).any(|it| it.contains(says));
        assert!(told, "{log:?}");
    }
}

/// What counts may be what looks left over, where the registry is an older copy: nobody erases it
/// but an owner who says so, and not where it knows of more than the registry.
#[tokio::test]
async fn b02_what_a_move_left_is_erased_by_an_owner_alone_and_not_when_it_is_ahead() {
    let place = Place::new().await;
    let memory = std::sync::Arc::clone(&place.options.memory);
    let core = place.control.core().unwrap();
    crate::anchor::keep(&core).await.unwrap();
    let (master, anchor) =
        (memory.get("master").await.unwrap(), memory.get("anchor").await.unwrap());
    drop(core);
    move_to(&place, "file").await;
    memory.put("master", &master).await.unwrap();
    interrupted(&place, true, "memory").await;
    let place = place.reopen().await;
    let local = Actor::Local { uid: None };
    place.ask_as(local, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(memory.names(), ["master"], "no start and no unlocking erases anything");

    let mut ahead: Value = serde_json::from_slice(anchor.expose()).unwrap();
    ahead["seq"] = json!(ahead["seq"].as_u64().unwrap() + 1_000);
    memory.put("anchor", &Secret::new(ahead.to_string().into_bytes())).await.unwrap();
    let erase = json!({ "to": "file", "owner": PASSPHRASE });
    let refused = place.refused(place.control.console(), "secrets_move", erase.clone()).await;
    assert!(refused["message"].as_str().unwrap().contains("an older copy"), "{refused}");
    assert_eq!(memory.names(), ["anchor", "master"]);

    memory.put("anchor", &anchor).await.unwrap();
    let moved = place.ask("secrets_move", erase).await;
    assert_eq!(moved["moving"], Value::Null);
    assert!(memory.names().is_empty(), "{:?}", memory.names());
    let told = place.log(&["admin.changed"]).await;
    let told: Vec<&str> = told.iter().filter_map(|it| it["summary"].as_str()).collect();
    assert!(told.iter().any(|it| it.contains("were left in memory")), "{told:?}");
}

#[tokio::test]
async fn nothing_is_moved_or_erased_while_a_key_that_has_to_be_there_is_not() {
    let place = furnished().await;
    let memory = std::sync::Arc::clone(&place.options.memory);
    let all = place.ask("operator_list", json!({})).await;
    let of = |name: &str| {
        let found = all.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
        format!("operator/{}", found["id"].as_str().unwrap())
    };
    let kept = memory.get(&of("Grace")).await.unwrap();
    memory.delete(&of("Grace")).await.unwrap();
    let before = memory.names();
    let args = json!({ "to": "file", "owner": PASSPHRASE });
    let refused = place.refused(place.control.console(), "secrets_move", args).await;
    assert_eq!(refused["code"], "unavailable", "{refused}");
    assert_eq!(memory.names(), before);
    assert_eq!(place.ask("secrets_show", json!({})).await["store"], "memory");

    memory.put(&of("Grace"), &kept).await.unwrap();
    let moved = move_to(&place, "file").await;
    assert_eq!((&moved["store"], &moved["moving"]), (&json!("file"), &Value::Null), "{moved}");
    is_whole(&place).await;
}

/// One operator's lost key is that operator's trouble.
#[tokio::test]
async fn an_operators_lost_key_keeps_nobody_else_out() {
    let place = Place::new().await;
    let args = json!({ "name": "Aaron", "role": "owner", "passphrase": "tulip anvil ferry moss" });
    let aaron = place.ask("operator_create", args).await["id"].clone();
    let name = format!("operator/{}", aaron.as_str().unwrap());
    place.options.memory.delete(&name).await.unwrap();
    let local = Actor::Local { uid: None };
    place.ask_as(local, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    let lost = json!({ "passphrase": "tulip anvil ferry moss" });
    assert_eq!(place.refused(local, "unlock", lost).await["code"], "wrong_passphrase");
    let again = json!({ "operator": aaron, "passphrase": "another one that nobody has" });
    place.ask("operator_recover", again).await;
    let again = json!({ "passphrase": "another one that nobody has" });
    place.ask_as(local, "unlock", again).await;
}

#[tokio::test]
async fn what_a_role_of_vault_has_to_be_allowed_is_known_before_anything_is_moved_there() {
    let place = Place::new().await;
    let instance = place.control.core().unwrap().registry.instance().id;
    let usual = place.ask("secrets_show", json!({})).await["policy"].clone();
    let path = format!("path \"secret/data/countersign/{instance}/*\"");
    assert!(usual.as_str().unwrap().contains(&path), "{usual}");
    let asked = place.ask("secrets_show", json!({ "mount": "kv", "path": "a/b" })).await;
    let path = format!("path \"kv/metadata/a/b/{instance}/*\"");
    assert!(asked["policy"].as_str().unwrap().contains(&path), "{asked}");
    for wrong in [json!({ "mount": "kv/*" }), json!({ "path": "a\" {}" })] {
        let refused = place.refused(place.control.console(), "secrets_show", wrong).await;
        assert_eq!(refused["code"], "invalid");
    }
}

#[tokio::test]
async fn a_move_that_was_interrupted_is_gone_on_with_or_given_up() {
    let place = Place::new().await;
    let path = place.home.join("secrets.age");
    for gives_up in [true, false] {
        let passphrase = Secret::from_text(PASSPHRASE.to_owned());
        let half = SealedFile::create(&path, &passphrase).await.unwrap();
        half.put("master", &Secret::new(vec![1; 32])).await.unwrap();
        interrupted(&place, false, "file").await;
        let shown = place.ask("secrets_show", json!({})).await;
        assert_eq!(
            (&shown["store"], &shown["moving"]["other"]),
            (&json!("memory"), &json!("file"))
        );
        if gives_up {
            place.ask("secrets_stay", json!({ "owner": PASSPHRASE })).await;
            assert!(!path.exists());
            let again = json!({ "owner": PASSPHRASE });
            let again = place.refused(place.control.console(), "secrets_stay", again).await;
            assert_eq!(again["code"], "conflict");
        } else {
            move_to(&place, "file").await;
        }
    }
    let place = place.reopen().await;
    let local = Actor::Local { uid: None };
    place.ask_as(local, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(place.ask("secrets_show", json!({})).await["store"], "file");
}

#[tokio::test]
async fn a_secret_that_stands_in_the_home_is_found_and_named_without_being_told() {
    let place = furnished().await;
    let (tenant, agent) = (place.tenant().await, place.agent("reader-1").await["id"].clone());
    let issued = place
        .ask("credential_issue", json!({ "tenant": tenant, "agent": agent, "kind": "api_key" }))
        .await;
    let args = json!({ "tenant": tenant, "name": "upstream", "value": "a long upstream secret" });
    place.ask("tenant_secret_set", args).await;
    let clean = place.ask("secrets_audit", json!({})).await;
    assert_eq!(clean["found"], json!([]), "{clean}");
    assert!(clean["secrets"].as_u64().unwrap() > 10, "{clean}");
    assert!(clean["files"].as_u64().unwrap() > 1, "{clean}");

    let secret = issued["secret"].as_str().unwrap();
    std::fs::create_dir_all(place.home.join("exports")).unwrap();
    std::fs::write(place.home.join("exports/dump"), format!("...{secret}...")).unwrap();
    let aside = place.home.with_file_name("aside.log");
    std::fs::write(&aside, "token=a long upstream secret").unwrap();
    let found = place.ask("secrets_audit", json!({ "also": [aside] })).await;
    let all = found["found"].as_array().unwrap();
    let whats: Vec<&str> = all.iter().map(|it| it["what"].as_str().unwrap()).collect();
    let key = format!("API key {}", issued["key_id"].as_str().unwrap());
    assert_eq!(whats, [key.as_str(), "secret `upstream` of `acme`"], "{found}");
    assert!(!found.to_string().contains(secret), "{found}");
    let refused = json!({ "also": ["aside.log"] });
    let refused = place.refused(place.control.console(), "secrets_audit", refused).await;
    assert_eq!(refused["field"], "also", "{refused}");
}

#[tokio::test]
async fn whoever_waits_for_the_secret_store_keeps_no_call_from_its_record() {
    let place = furnished().await;
    let (core, tenant) = (place.control.core().unwrap(), place.tenant().await);
    let agent = place.agent("reader-1").await["id"].clone();
    let keys = place.ask("issuer_show", json!({ "tenant": tenant })).await["keys"].clone();
    let text = place.ask("export", json!({})).await["text"].as_str().unwrap().to_owned();
    let other = text.replace("  acme:", "  other: {issuer: {enabled: true}}\n  acme:");
    assert_ne!(text, other);
    let key = format!("whsec_{}", "aGk8".repeat(8));
    let revoked = json!({
        "kind": "key", "key_id": keys[0]["key_id"],
        "issuer": place.ask("issuer_show", json!({ "tenant": tenant })).await["issuer"],
    });
    for (command, args) in [
        ("issuer_rotate", json!({ "tenant": tenant })),
        ("revocation_add", json!({ "tenant": tenant, "what": revoked, "reason": "lost" })),
        ("issuer_set", json!({ "tenant": tenant, "enabled": false, "token_secs": 600 })),
        ("issuer_set", json!({ "tenant": tenant, "enabled": true, "token_secs": 600 })),
        ("webhook_set", json!({ "url": "https://example.org/", "key": key })),
        ("certificate_issue", json!({ "tenant": tenant, "agent": agent })),
        ("authority_rotate", json!({ "tenant": tenant })),
        ("apply", json!({ "text": other, "dry_run": false })),
    ] {
        let no_use = core.switch.alone().await;
        let control = place.control.clone();
        let asked = tokio::spawn(async move {
            control
                .dispatch(&control.console(), command, args)
                .await
                .map_err(|it| format!("{it:?}"))
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        let event = event::Event::new(event::EventKind::AuthnSucceeded, core.now());
        let kept = core.registry.record(vec![event]);
        let kept = tokio::time::timeout(Duration::from_secs(10), kept).await;
        assert!(matches!(kept, Ok(Ok(()))), "{command} keeps everybody waiting");
        drop(no_use);
        asked.await.unwrap().unwrap_or_else(|error| panic!("{command}: {error}"));
    }
}
