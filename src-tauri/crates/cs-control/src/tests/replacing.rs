//! What is not replaced, not taken back, and what is on record of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::place::Place;
use super::rotation::replaced;
use super::traffic::{Caller, LOCAL};

const HOUR: Duration = Duration::from_secs(3600);

impl Place {
    /// Sees something of one credential refused, and nothing done.
    async fn refuses(&self, command: &str, credential: &Value, more: Value) -> Value {
        let mut args = json!({ "tenant": self.acme_id().await, "credential": credential });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let changes = ["credential.rotated", "credential.retired"];
        let before = self.log_as(LOCAL, &changes).await;
        let refused = self.refused(LOCAL, command, args).await;
        assert_eq!(self.log_as(LOCAL, &changes).await, before);
        refused
    }
}

#[tokio::test]
async fn only_an_api_key_that_may_be_used_is_replaced() {
    let place = Place::with_starter().await;
    let revoked = Caller::new(&place, "reader-1").await;
    place.tell("credential_revoke", &revoked.credential, json!({})).await;
    let old = Caller::new(&place, "reader-1").await;
    place.clock.advance(72 * HOUR);
    for over in [&revoked, &old] {
        for now in [false, true] {
            let refused =
                place.refuses("credential_rotate", &over.credential, json!({ "now": now })).await;
            assert_eq!(refused["code"], "conflict", "{refused}");
        }
    }
    let agent = place.credential(&old.credential).await["agent"].clone();
    let tenant = place.acme_id().await;
    let issue = json!({ "tenant": tenant, "agent": agent });
    place.ask_as(LOCAL, "certificate_issue", issue).await;
    let all = place.ask_as(LOCAL, "credential_list", json!({ "tenant": tenant })).await;
    let of_kind = |it: &&Value| it["kind"] == "certificate";
    let certificate = all.as_array().unwrap().iter().find(of_kind).unwrap()["id"].clone();
    let refused = place.refuses("credential_rotate", &certificate, json!({})).await;
    assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid"), &json!("credential")));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_over_or_replaced_again_is_not_gone_back_to() {
    let place = Place::with_starter().await;
    let (first, second) = replaced(&place).await;
    assert_eq!(second.call(&place, "read_file").await.0, 200);
    let second_id = second.credential.clone();
    place.tell("credential_rotate", &second_id, json!({})).await;
    let again = place.refuses("credential_rollback", &first.credential, json!({})).await;
    assert_eq!(again["code"], "conflict", "{again}");
    assert_eq!(second.call(&place, "read_file").await.0, 200);

    let (old, new) = replaced(&place).await;
    assert_eq!(new.call(&place, "read_file").await.0, 200);
    place.tell("credential_revoke", &old.credential, json!({})).await;
    let refused = place.refuses("credential_rollback", &old.credential, json!({})).await;
    assert!(refused["message"].as_str().unwrap().contains("is over"), "{refused}");
    assert_eq!(new.call(&place, "read_file").await.0, 200, "what is good stays");
    let refused = place.refuses("credential_rotate", &old.credential, json!({ "now": true })).await;
    assert!(refused["message"].as_str().unwrap().contains("revoked already"), "{refused}");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn replacing_all_is_on_record_at_its_beginning_and_its_end() {
    let place = Place::with_starter().await;
    for agent in ["reader-1", "analyst-1", "executor-1"] {
        Caller::new(&place, agent).await;
    }
    let all = json!({ "tenant": place.acme_id().await, "most": 1 });
    let said = async |what: &str| {
        let log = place.log_as(LOCAL, &["admin.changed"]).await;
        log.iter().filter(|it| it["summary"].as_str().unwrap().contains(what)).count()
    };
    for (left, ends) in [(2, 0), (1, 0), (0, 1)] {
        let done = place.ask_as(LOCAL, "credential_rotate_all", all.clone()).await;
        assert_eq!(done["left"], left);
        place.clock.advance(Duration::from_secs(1));
        assert_eq!(said("began to replace all API keys").await, 1);
        assert_eq!(said("every API key is being replaced").await, ends);
    }
    place.control.shutdown().await.unwrap();
}
