//! The people who use the console come, change and go.

use std::sync::Arc;

use cs_model::Secret;
use cs_secrets::SecretStore as _;
use serde_json::{Value, json};

use super::place::{PASSPHRASE, Place};
use crate::actor::Actor;
use crate::view::status::SecretKeeping;

const LOCAL: Actor = Actor::Local { uid: Some(1000) };
const BOBS: &str = "another passphrase";
const NEXT: &str = "something else entirely";

async fn with_bob(role: &str) -> (Place, Value) {
    let place = Place::new().await;
    let args = json!({ "name": "Bob", "role": role, "passphrase": BOBS });
    let bob = place.ask("operator_create", args).await["id"].clone();
    (place, bob)
}

async fn opens(place: &Place, passphrase: &str) -> bool {
    let phrase = Secret::from_text(passphrase.to_owned());
    place.control.authenticate(&phrase).await.is_ok()
}

async fn only(place: &Place, name: &str) -> Value {
    let all = place.ask("operator_list", json!({})).await;
    all.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap().clone()
}

/// Attacks O15: whatever runs as the user of this system can reach the console's socket. It makes
/// itself no operator who could sign its calls, and lets nobody in.
#[tokio::test]
async fn o15_being_the_user_of_this_system_makes_nobody_an_operator() {
    let (place, bob) = with_bob("approver").await;
    let cases = [
        ("operator_create", json!({ "name": "Eve", "role": "owner", "passphrase": NEXT })),
        ("operator_recover", json!({ "operator": bob, "passphrase": NEXT })),
        ("operator_role_set", json!({ "operator": bob, "role": "owner" })),
        ("operator_remove", json!({ "operator": bob })),
    ];
    for (command, mut args) in cases {
        let refused = place.refused(LOCAL, command, args.clone()).await;
        assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid"), &json!("owner")));
        args["owner"] = json!("not a passphrase");
        assert_eq!(place.refused(LOCAL, command, args.clone()).await["code"], "wrong_passphrase");
        args["owner"] = json!(BOBS);
        assert_eq!(place.refused(LOCAL, command, args).await["code"], "forbidden", "{command}");
    }
    assert!(!opens(&place, NEXT).await);
    assert_eq!(only(&place, "Bob").await["role"], "approver");

    let args = json!({ "name": "Eve", "role": "auditor", "passphrase": NEXT, "owner": PASSPHRASE });
    place.ask_as(LOCAL, "operator_create", args).await;
    assert!(opens(&place, NEXT).await);
    let log = place.log(&["admin.changed"]).await;
    let said = |it: &Value| it["summary"].as_str().unwrap().to_owned();
    let last = log.iter().map(said).find(|it| it.contains("added operator `Eve`")).unwrap();
    assert!(last.starts_with("Ada "), "it is on record as the owner's: {last}");
}

#[tokio::test]
async fn an_operator_changes_their_own_passphrase_and_nobody_elses() {
    let (place, _) = with_bob("auditor").await;
    let key = only(&place, "Bob").await["key"].clone();
    let args = |before: &str, next: &str| json!({ "passphrase": before, "next": next });
    let console = place.control.console();
    let change = "operator_passphrase_set";
    // Ada is at the console.
    let refused = place.refused(console, change, args(BOBS, NEXT)).await;
    assert_eq!(refused["field"], "passphrase");
    let refused = place.refused(LOCAL, change, args("not a passphrase", NEXT)).await;
    assert_eq!(refused["code"], "wrong_passphrase");
    assert_eq!(place.refused(LOCAL, change, args(BOBS, "short")).await["field"], "next");
    assert_eq!(place.refused(LOCAL, change, args(BOBS, PASSPHRASE)).await["field"], "next");

    place.ask_as(LOCAL, change, args(BOBS, NEXT)).await;
    assert!(opens(&place, NEXT).await && !opens(&place, BOBS).await);
    let bob = only(&place, "Bob").await;
    assert_eq!((&bob["key"], &bob["past_keys"]), (&key, &json!([])), "the key is the same");
}

/// Whoever tries another's passphrase by asking for it as their own has to wait like everybody.
#[tokio::test]
async fn o15_asking_for_a_passphrase_that_is_taken_counts_as_trying_it() {
    let (place, _) = with_bob("auditor").await;
    let args = json!({ "passphrase": BOBS, "next": PASSPHRASE });
    for _ in 0..5 {
        let refused = place.refused(LOCAL, "operator_passphrase_set", args.clone()).await;
        assert_eq!(refused["field"], "next");
    }
    let refused = place.refused(LOCAL, "operator_passphrase_set", args).await;
    assert!(refused["message"].as_str().unwrap().contains("try again in"), "{refused}");
    let failed = place.log(&["operator.unlock_failed"]).await;
    assert!(failed.len() == 5 && failed.iter().all(|it| it["reason"] == "passphrase_taken"));
}

#[tokio::test]
async fn the_passphrase_of_the_sealed_file_changes_with_its_owners() {
    let place = Place::with(false, SecretKeeping::File).await;
    let args = json!({ "passphrase": PASSPHRASE, "next": NEXT });
    place.ask("operator_passphrase_set", args).await;
    let place = place.reopen().await;
    let refused = place.refused(Actor::Nobody, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(refused["code"], "wrong_passphrase");
    place.ask_as(Actor::Nobody, "unlock", json!({ "passphrase": NEXT })).await;
    assert_ne!(place.control.console(), Actor::Nobody);
}

#[tokio::test]
async fn a_rotated_key_signs_from_then_on_and_the_last_one_is_kept() {
    let place = Place::new().await;
    let before = only(&place, "Ada").await;
    let rotated = place.ask("operator_key_rotate", json!({ "passphrase": PASSPHRASE })).await;
    assert_ne!(rotated["key"], before["key"]);
    let past = &rotated["past_keys"];
    assert_eq!(past.as_array().unwrap().len(), 1);
    assert_eq!((&past[0]["key"], &past[0]["why"]), (&before["key"], &json!("rotated")));
    let unlocked = place.control.seat().operator(place.control.now()).unwrap().0;
    let signs = cs_model::Digest::of(&unlocked.key.public_key());
    assert_eq!(rotated["key"], json!(signs), "the console signs with it");
    let core = place.control.core().unwrap();
    let verified_with = core.world.borrow().operators[&unlocked.id].public_key;
    drop(core);
    assert_eq!(verified_with, unlocked.key.public_key());
    let place = place.reopen().await;
    place.ask_as(Actor::Nobody, "unlock", json!({ "passphrase": PASSPHRASE })).await;
}

#[tokio::test]
async fn whatever_ends_while_a_key_is_replaced_one_of_the_two_opens() {
    let place = Place::new().await;
    let ada = only(&place, "Ada").await["id"].as_str().unwrap().to_owned();
    let (own, next) = (format!("operator/{ada}"), format!("operator/{ada}/next"));
    let store = Arc::clone(&place.options.memory);
    let first = store.get(&own).await.unwrap();

    // It ended before the registry had the next key: what was put beside the first is of no use.
    place.ask("operator_key_rotate", json!({ "passphrase": PASSPHRASE })).await;
    let second = store.get(&own).await.unwrap();
    store.put(&next, &first).await.unwrap();
    assert!(opens(&place, PASSPHRASE).await);
    store.delete(&next).await.unwrap();

    // It ended after that: the next key takes its place when it is first needed.
    store.put(&own, &first).await.unwrap();
    store.put(&next, &second).await.unwrap();
    assert!(opens(&place, PASSPHRASE).await);
    assert_eq!(store.get(&own).await.unwrap().expose(), second.expose());
    store.get(&next).await.unwrap_err();

    // The registry knows neither.
    store.put(&own, &first).await.unwrap();
    let refused = place.refused(Actor::Nobody, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(refused["code"], "unavailable");
}

#[tokio::test]
async fn another_owner_lets_in_who_lost_their_passphrase() {
    let (place, bob) = with_bob("approver").await;
    let key = only(&place, "Bob").await["key"].clone();
    let args = json!({ "operator": bob, "passphrase": NEXT });
    place.ask("operator_recover", args).await;
    assert!(opens(&place, NEXT).await && !opens(&place, BOBS).await);
    let found = only(&place, "Bob").await;
    assert_eq!(found["past_keys"][0]["key"], key);
    assert_eq!(found["past_keys"][0]["why"], "recovered");
    assert_eq!(found["role"], "approver", "nothing else changed");

    let ada = only(&place, "Ada").await["id"].clone();
    let args = json!({ "operator": ada, "passphrase": "yet another passphrase" });
    let refused = place.refused(place.control.console(), "operator_recover", args).await;
    assert_eq!(refused["code"], "conflict", "nobody lets themselves in");
}

#[tokio::test]
async fn whoever_gets_another_key_from_an_owner_is_locked_out_with_the_one_that_was() {
    let (place, bob) = with_bob("approver").await;
    place.ask("unlock", json!({ "passphrase": BOBS })).await;
    assert_ne!(place.control.console(), Actor::Nobody);
    let args = json!({ "operator": bob, "passphrase": NEXT, "owner": PASSPHRASE });
    place.ask_as(LOCAL, "operator_recover", args).await;
    assert_eq!(place.control.console(), Actor::Nobody);
}

/// Whoever makes another key elsewhere is not in front of the console for that.
#[tokio::test]
async fn o12_a_key_that_is_replaced_elsewhere_changes_nobody_in_front_of_the_console() {
    let (place, bob) = with_bob("approver").await;
    let before = place.control.console();
    place.ask_as(LOCAL, "operator_key_rotate", json!({ "passphrase": BOBS })).await;
    assert_eq!(place.control.console(), before);
    let unlocked = place.control.seat().operator(place.control.now()).unwrap().0;
    assert_ne!(json!(unlocked.id), bob);
    let signs = json!(cs_model::Digest::of(&unlocked.key.public_key()));
    assert_eq!(only(&place, "Ada").await["key"], signs, "she signs with her own");
}

#[tokio::test]
async fn whoever_was_removed_is_nobody_and_no_other_owner() {
    let (place, bob) = with_bob("owner").await;
    place.ask("operator_remove", json!({ "operator": bob })).await;
    let listed = place.ask("operator_list", json!({})).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let console = place.control.console();
    for (command, args) in [
        ("operator_role_set", json!({ "operator": bob, "role": "owner" })),
        ("operator_recover", json!({ "operator": bob, "passphrase": NEXT })),
        ("operator_remove", json!({ "operator": bob })),
    ] {
        assert_eq!(place.refused(console, command, args).await["code"], "not_found", "{command}");
    }
    let ada = listed[0]["id"].clone();
    let args = json!({ "operator": ada, "role": "approver" });
    let refused = place.refused(console, "operator_role_set", args).await;
    assert_eq!(refused["code"], "conflict", "she is the last owner");
    assert!(!opens(&place, BOBS).await);
}

#[tokio::test]
async fn what_becomes_of_operators_is_on_record() {
    let (place, bob) = with_bob("auditor").await;
    let to = json!({ "operator": bob, "role": "approver" });
    place.ask("operator_role_set", to.clone()).await;
    place.ask("operator_role_set", to).await;
    for weak in ["", "short"] {
        let args = json!({ "operator": bob, "passphrase": weak });
        let refused = place.refused(place.control.console(), "operator_recover", args).await;
        assert_eq!(refused["field"], "passphrase");
    }
    place.ask("operator_recover", json!({ "operator": bob, "passphrase": NEXT })).await;
    place.ask_as(LOCAL, "operator_key_rotate", json!({ "passphrase": NEXT })).await;
    place.ask("operator_remove", json!({ "operator": bob })).await;
    let mut log = place.log(&["admin.changed"]).await;
    log.reverse();
    let said: Vec<_> = log.iter().map(|it| it["summary"].as_str().unwrap()).collect();
    let wanted = [
        "added operator `Bob`",
        "made operator `Bob` approver instead of auditor",
        "gave operator `Bob`, who lost their passphrase, another key",
        "operator `Bob` made another signing key",
        "removed operator `Bob`",
    ];
    let found = said.iter().filter(|it| it.contains("`Bob`")).collect::<Vec<_>>();
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for (found, wanted) in found.into_iter().zip(wanted) {
        assert!(found.contains(wanted), "{found}");
    }
}

#[tokio::test]
async fn a_role_holds_from_the_next_command_on() {
    let (place, bob) = with_bob("owner").await;
    let ada = only(&place, "Ada").await["id"].clone();
    let to = |operator: &Value, role: &str| json!({ "operator": operator, "role": role });
    place.ask("operator_role_set", to(&bob, "auditor")).await;
    let refused = place.refused(place.control.console(), "operator_role_set", to(&ada, "approver"));
    assert_eq!(refused.await["code"], "conflict", "she is the last owner");
    place.ask("operator_role_set", to(&bob, "owner")).await;
    place.ask("operator_role_set", to(&ada, "approver")).await;
    assert_eq!(
        place.control.console(),
        Actor::Nobody,
        "what she had unlocked as an owner is locked"
    );
    place.ask_as(Actor::Nobody, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    let refused =
        place.refused(place.control.console(), "tenant_create", json!({ "name": "acme" }));
    assert_eq!(refused.await["code"], "forbidden");
}
