//! Credentials that take the place of others, over a real gateway.

use std::time::Duration;

use serde_json::{Value, json};

use super::place::Place;
use super::traffic::{Caller, LOCAL};
use crate::{alerts, housekeeper};

const HOUR: Duration = Duration::from_secs(3600);

impl Place {
    /// Has the housekeeper look.
    pub(super) async fn keep_house(&self) {
        housekeeper::run(&self.control.core().unwrap()).await.unwrap();
    }

    pub(super) async fn acme_id(&self) -> Value {
        self.ask_as(LOCAL, "tenant_list", json!({})).await[0]["id"].clone()
    }

    /// Says something of one credential.
    pub(super) async fn tell(&self, command: &str, credential: &Value, more: Value) -> Value {
        let mut args = json!({ "tenant": self.acme_id().await, "credential": credential });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask_as(LOCAL, command, args).await
    }

    pub(super) async fn credential(&self, id: &Value) -> Value {
        let all = self.ask_as(LOCAL, "credential_list", json!({ "tenant": self.acme_id().await }));
        all.await.as_array().unwrap().iter().find(|it| it["id"] == *id).unwrap().clone()
    }

    pub(super) async fn reasons(&self, kind: &str) -> Vec<Value> {
        let rows = self.log_as(LOCAL, &[kind]).await;
        rows.iter().map(|it| it["reason"].clone()).collect()
    }
}

/// A key that is being replaced, and a caller with each.
pub(super) async fn replaced(place: &Place) -> (Caller, Caller) {
    let old = Caller::new(place, "reader-1").await;
    assert_eq!(old.renew(place).await.0, 204, "nothing takes its place yet");
    place.tell("credential_rotate", &old.credential, json!({})).await;
    let (status, key) = old.renew(place).await;
    assert_eq!(status, 200, "{key}");
    let new = old.with(&key);
    (old, new)
}

#[tokio::test]
async fn k14_old_and_new_are_both_accepted_until_the_overlap_ends_and_then_the_new_one_alone() {
    let place = Place::with_starter().await;
    let (old, new) = replaced(&place).await;
    place.keep_house().await;
    place.clock.advance(HOUR);
    assert_eq!(old.call(&place, "read_file").await.0, 200, "the new one was not used yet");
    assert_eq!(new.call(&place, "read_file").await.0, 200);
    place.keep_house().await;
    place.keep_house().await;
    assert_eq!(place.reasons("credential.overlap").await, ["successor_used"], "once");
    let view = place.credential(&old.credential).await;
    assert_eq!(view["state"], "active");
    place.clock.advance(24 * HOUR - Duration::from_millis(1));
    assert_eq!(old.call(&place, "read_file").await.0, 200);
    place.clock.advance(Duration::from_millis(1));
    // The gateway does not wait for the housekeeper.
    assert_eq!(old.call(&place, "read_file").await.0, 401);
    assert_eq!(new.call(&place, "read_file").await.0, 200);
    place.keep_house().await;
    place.keep_house().await;
    assert_eq!(place.credential(&old.credential).await["state"], "revoked");
    assert_eq!(place.reasons("credential.retired").await, ["overlap_ended"], "once");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn k13_two_copies_of_an_agent_get_one_successor_until_it_was_used_and_never_after() {
    let place = Place::with_starter().await;
    let old = Caller::new(&place, "reader-1").await;
    place.tell("credential_rotate", &old.credential, json!({})).await;
    let (one, other) = tokio::join!(old.renew(&place), old.renew(&place));
    assert_eq!((one.0, other.0), (200, 200));
    assert_eq!(one.1, other.1, "both get the same");
    assert_eq!(place.log_as(LOCAL, &["credential.delivered"]).await.len(), 2);
    let new = old.with(&one.1);
    assert_eq!(new.call(&place, "read_file").await.0, 200);
    let (status, answer) = old.renew(&place).await;
    assert_eq!(status, 403, "{answer}");
    assert!(!answer.to_string().contains("css_"));
    assert_eq!(place.reasons("request.refused").await, ["successor_in_use"]);
    assert_eq!(place.log_as(LOCAL, &["credential.delivered"]).await.len(), 2);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn k13_who_holds_a_key_that_is_over_or_anothers_gets_no_successor() {
    let place = Place::with_starter().await;
    let old = Caller::new(&place, "reader-1").await;
    let other = Caller::new(&place, "analyst-1").await;
    place.tell("credential_rotate", &old.credential, json!({})).await;
    assert_eq!(other.renew(&place).await.0, 204, "there is none of its own");
    assert_eq!(Caller::new(&place, "reader-1").await.mistaken().renew(&place).await.0, 401);
    place.tell("credential_revoke", &old.credential, json!({})).await;
    assert_eq!(old.renew(&place).await.0, 401);
    assert_eq!(place.reasons("authn.failed").await, ["credential_revoked", "signature_invalid"]);
    place.keep_house().await;
    assert_eq!(place.reasons("credential.retired").await, ["successor_not_fetched"]);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_replacement_is_taken_back_in_one_step_and_can_be_made_again() {
    let place = Place::with_starter().await;
    let (old, new) = replaced(&place).await;
    assert_eq!(new.call(&place, "read_file").await.0, 200);
    place.keep_house().await;
    let taken = place.tell("credential_rollback", &old.credential, json!({})).await;
    assert_eq!(
        (&taken["old"]["state"], &taken["new"]["state"]),
        (&json!("active"), &json!("revoked"))
    );
    assert_eq!(new.call(&place, "read_file").await.0, 401);
    place.clock.advance(30 * HOUR);
    place.keep_house().await;
    assert_eq!(old.call(&place, "read_file").await.0, 200, "it does not end with the overlap");
    let again = json!({ "tenant": place.acme_id().await, "credential": old.credential });
    let refused = place.refused(LOCAL, "credential_rollback", again.clone()).await;
    assert_eq!(refused["code"], "conflict");
    place.ask_as(LOCAL, "credential_rotate", again).await;
    let (_, key) = old.renew(&place).await;
    assert_eq!(old.with(&key).call(&place, "read_file").await.0, 200);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_old_key_ends_at_once_on_demand_and_a_secret_nobody_fetched_is_shown_once() {
    let place = Place::with_starter().await;
    let old = Caller::new(&place, "reader-1").await;
    let done = place.tell("credential_rotate", &old.credential, json!({ "now": true })).await;
    let key = json!({ "key_id": done["new"]["key_id"], "secret": done["secret"] });
    assert_eq!(old.call(&place, "read_file").await.0, 401);
    let new = old.with(&key);
    assert_eq!(new.call(&place, "read_file").await.0, 200);
    let id = done["new"]["id"].clone();
    place.tell("credential_rotate", &id, json!({})).await;
    let again = json!({ "tenant": place.acme_id().await, "credential": id });
    let refused = place.refused(LOCAL, "credential_rotate", again.clone()).await;
    assert_eq!(refused["code"], "conflict", "one successor at a time");
    let (_, key) = new.renew(&place).await;
    let done = place.tell("credential_rotate", &id, json!({ "now": true })).await;
    assert_eq!(done["secret"], Value::Null, "its holder has it already");
    assert_eq!(new.call(&place, "read_file").await.0, 401);
    assert_eq!(new.with(&key).call(&place, "read_file").await.0, 200);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn k14_a_third_generation_ends_the_first_at_once() {
    let place = Place::with_starter().await;
    let (first, second) = replaced(&place).await;
    assert_eq!(second.call(&place, "read_file").await.0, 200);
    place.keep_house().await;
    assert_eq!(first.call(&place, "read_file").await.0, 200);
    let view = place.credential(&first.credential).await;
    assert!(view["overlap_ends"].is_string());
    let second_id = second.credential.clone();
    place.tell("credential_rotate", &second_id, json!({})).await;
    assert_eq!(first.call(&place, "read_file").await.0, 401);
    assert_eq!(second.call(&place, "read_file").await.0, 200);
    assert_eq!(place.reasons("credential.retired").await, ["replaced_again"]);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn all_keys_of_a_tenant_are_replaced_in_one_run_that_can_be_left_and_taken_up_again() {
    let place = Place::with_starter().await;
    for agent in ["reader-1", "analyst-1", "executor-1"] {
        Caller::new(&place, agent).await;
    }
    let tenant = place.acme_id().await;
    let all = |most: u64| json!({ "tenant": tenant, "most": most });
    let first = place.ask_as(LOCAL, "credential_rotate_all", all(2)).await;
    assert_eq!((&first["rotated"], &first["left"]), (&json!(2), &json!(1)));
    place.clock.advance(HOUR);
    Caller::new(&place, "reader-1").await;
    let place = place.reopen().await;
    let second = place.ask_as(LOCAL, "credential_rotate_all", all(50)).await;
    assert_eq!((&second["rotated"], &second["left"]), (&json!(1), &json!(0)));
    assert_eq!(second["begun"], first["begun"], "it is the same run");
    assert_eq!(place.log_as(LOCAL, &["credential.rotated"]).await.len(), 3);
    for most in [0, 501] {
        let refused = place.refused(LOCAL, "credential_rotate_all", all(most)).await;
        assert_eq!(refused["field"], "most");
    }
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn f11_what_is_due_is_done_once_however_long_the_machine_slept() {
    let place = Place::with_starter().await;
    let old = Caller::new(&place, "reader-1").await;
    assert_eq!(old.call(&place, "read_file").await.0, 200);
    place.clock.advance(48 * HOUR - Duration::from_millis(1));
    place.keep_house().await;
    assert_eq!(place.reasons("credential.rotated").await, [Value::Null; 0]);
    place.clock.advance(Duration::from_millis(1));
    place.keep_house().await;
    place.keep_house().await;
    assert_eq!(place.reasons("credential.rotated").await, ["due"], "two thirds of its life");
    place.clock.advance(24 * 9 * HOUR);
    let place = place.reopen().await;
    place.keep_house().await;
    assert_eq!(place.reasons("credential.retired").await, ["successor_not_fetched"]);
    assert_eq!(place.reasons("credential.rotated").await, ["due"], "an ended key has no successor");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn f11_a_credential_that_nobody_used_for_thirty_days_is_revoked() {
    let place = Place::with_starter().await;
    let old = Caller::new(&place, "reader-1").await;
    let agent = place.credential(&old.credential).await["agent"].clone();
    let issue = json!({ "tenant": place.acme_id().await, "agent": agent, "kind": "api_key",
                        "lifetime_secs": 90 * 86_400 });
    let long = place.ask_as(LOCAL, "credential_issue", issue).await["credential"].clone();
    place.clock.advance(30 * 24 * HOUR - Duration::from_millis(1));
    place.keep_house().await;
    assert_eq!(place.credential(&long).await["state"], "active");
    place.clock.advance(Duration::from_millis(1));
    place.keep_house().await;
    assert_eq!(place.credential(&long).await["state"], "revoked");
    assert_eq!(place.reasons("credential.retired").await, ["credential_unused"]);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_calendar_the_posture_and_the_preview_name_what_they_are_about() {
    let place = Place::with_starter().await;
    let reader = Caller::new(&place, "reader-1").await;
    assert_eq!(reader.call(&place, "read_file").await.0, 200);
    let tenant = place.acme_id().await;
    let ask = async |command: &str| place.ask_as(LOCAL, command, json!({ "tenant": tenant })).await;
    let days = ask("credential_calendar").await;
    let what: Vec<_> = days.as_array().unwrap().iter().map(|it| it["what"].clone()).collect();
    assert_eq!(what, ["rotates", "expires"], "{days}");
    assert_eq!(days[0]["key_id"], reader.key_id);
    assert_eq!(ask("credential_posture").await["score"], 100);
    let idle = Caller::new(&place, "analyst-1").await;
    place.clock.advance(49 * HOUR);
    let posture = ask("credential_posture").await;
    assert_eq!((&posture["score"], &posture["credentials"]), (&json!(0), &json!(2)));
    let of_idle = |it: &&Value| it["key_id"] == idle.key_id;
    let fault = posture["points"].as_array().unwrap().iter().find(of_idle).unwrap().clone();
    assert_eq!(fault["what"], "ends_without_successor");
    let preview = ask("revoke_preview").await;
    let cut_off = |preview: &Value| -> Vec<Value> {
        preview["agents"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect()
    };
    assert_eq!(preview["credentials"], 2);
    assert_eq!(cut_off(&preview), ["analyst-1", "reader-1"]);
    let whose = place.credential(&idle.credential).await["agent"].clone();
    let one = json!({ "tenant": tenant, "agent": whose });
    let preview = place.ask_as(LOCAL, "revoke_preview", one.clone()).await;
    assert_eq!(cut_off(&preview), ["analyst-1"]);
    let mut revoke = one;
    revoke["reason"] = json!("lost");
    let done = place.ask_as(LOCAL, "agent_revoke", revoke).await;
    assert_eq!(done["credentials"], preview["credentials"], "what was announced is what is done");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn f02_a_clock_that_was_set_back_stops_the_housekeeper_until_a_person_has_looked() {
    let place = Place::with_starter().await;
    let old = Caller::new(&place, "reader-1").await;
    place.clock.advance(24 * 10 * HOUR);
    place.keep_house().await;
    place.clock.back(24 * 9 * HOUR);
    place.keep_house().await;
    let shown = place.ask_as(LOCAL, "housekeeping_show", json!({})).await;
    assert!(shown["why"].as_str().unwrap().starts_with("back by 777600 s"), "{shown}");
    let told = place.reasons("clock.moved").await;
    assert_eq!(told.iter().filter(|it| **it == json!("housekeeping_halted")).count(), 1);
    // What becomes due by that clock is not done.
    let before = place.reasons("credential.rotated").await.len();
    place.clock.advance(24 * 9 * HOUR + HOUR);
    place.keep_house().await;
    let agents = place.credential(&old.credential).await["agent"].clone();
    let issue = json!({ "tenant": place.acme_id().await, "agent": agents, "kind": "api_key" });
    let key = place.ask_as(LOCAL, "credential_issue", issue).await["credential"].clone();
    place.clock.advance(60 * HOUR);
    let place = place.reopen().await;
    place.keep_house().await;
    assert_eq!(place.reasons("credential.rotated").await.len(), before);
    alerts::evaluate(&place.control.core().unwrap()).await.unwrap();
    let alerts = place.ask_as(LOCAL, "alert_list", json!({})).await;
    assert!(alerts.as_array().unwrap().iter().any(|it| it["rule"] == "clock_moved"));
    let resumed = place.ask_as(LOCAL, "housekeeping_resume", json!({})).await;
    assert_eq!(resumed["why"], Value::Null);
    let refused = place.refused(LOCAL, "housekeeping_resume", json!({})).await;
    assert_eq!(refused["code"], "conflict");
    place.keep_house().await;
    assert_eq!(place.reasons("credential.rotated").await.len(), before + 1);
    assert_eq!(place.credential(&key).await["state"], "active");
    place.control.shutdown().await.unwrap();
}
