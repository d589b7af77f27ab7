//! A tenant's credentials in pages, and what is told before they are revoked or replaced.

use std::time::Duration;

use serde_json::{Value, json};

use super::place::{PASSPHRASE, Place};
use super::traffic::{Caller, LOCAL};
use crate::housekeeper;

const HOUR: Duration = Duration::from_secs(3600);

impl Place {
    async fn own(&self, command: &str, more: Value) -> Value {
        let tenant = self.ask_as(LOCAL, "tenant_list", json!({})).await[0]["id"].clone();
        let mut args = json!({ "tenant": tenant });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask_as(LOCAL, command, args).await
    }

    async fn page(&self, filter: Value, more: Value) -> Value {
        let mut args = json!({ "filter": filter, "order": "next", "limit": 100 });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.own("credential_page", args).await
    }

    /// The stage of each credential, by what it is recognised by.
    async fn stage(&self, key_id: &str) -> Value {
        let page = self.page(json!({ "text": key_id.to_uppercase() }), json!({})).await;
        assert_eq!(page["total"], 1, "{page}");
        page["rows"][0]["stage"].clone()
    }

    async fn key(&self, agent: &str, lifetime_secs: u64) -> Value {
        let agent = self.agent_as_local(agent).await;
        let issue = json!({ "agent": agent, "kind": "api_key", "lifetime_secs": lifetime_secs });
        self.own("credential_issue", issue).await
    }

    async fn agent_as_local(&self, name: &str) -> Value {
        let agents = self.own("agent_list", json!({})).await;
        agents.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()["id"].clone()
    }
}

fn ids(page: &Value) -> Vec<String> {
    let rows = page["rows"].as_array().unwrap();
    rows.iter().map(|it| it["credential"]["key_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_credential_is_in_the_stage_of_its_life_that_it_is_in() {
    let place = Place::with_starter().await;
    let old = Caller::new(&place, "reader-1").await;
    let long = place.key("analyst-1", 90 * 86_400).await["key_id"].as_str().unwrap().to_owned();
    assert_eq!(old.call(&place, "read_file").await.0, 200);
    assert_eq!(place.stage(&old.key_id).await, "active");
    let asked = json!({ "credential": old.credential });
    let made = place.own("credential_rotate", asked.clone()).await["new"].clone();
    let new_id = made["key_id"].as_str().unwrap().to_owned();
    assert_eq!(place.stage(&new_id).await, "waiting");
    assert_eq!(place.stage(&old.key_id).await, "active", "its successor was not fetched");
    let (_, key) = old.renew(&place).await;
    let new = old.with(&key);
    assert_eq!(new.call(&place, "read_file").await.0, 200);
    housekeeper::run(&place.control.core().unwrap()).await.unwrap();
    assert_eq!(place.stage(&old.key_id).await, "overlapping");
    assert_eq!(place.stage(&new_id).await, "active");
    place.clock.advance(24 * HOUR);
    assert_eq!(place.stage(&old.key_id).await, "expired", "the overlap is over");
    place.clock.advance(31 * HOUR);
    assert_eq!(place.stage(&new_id).await, "expiring", "the last quarter of 72 hours");
    assert_eq!(place.stage(&long).await, "active");
    place.clock.advance(15 * 24 * HOUR - 55 * HOUR - Duration::from_millis(1));
    assert_eq!(place.stage(&long).await, "active");
    place.clock.advance(Duration::from_millis(1));
    assert_eq!(place.stage(&long).await, "unused", "as long as is an alert");
    assert_eq!(place.stage(&new_id).await, "expired");
    let page = place.page(json!({ "stage": "expired" }), json!({})).await;
    assert_eq!(page["total"], 2);
    assert!(page["rows"].as_array().unwrap().iter().all(|it| it["next"].is_null()), "{page}");
    place
        .own("credential_revoke", json!({ "credential": page["rows"][0]["credential"]["id"] }))
        .await;
    let page = place.page(json!({}), json!({})).await;
    let stages: Vec<(&str, u64)> = page["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["stage"].as_str().unwrap(), it["credentials"].as_u64().unwrap()))
        .collect();
    assert_eq!(stages, [("expired", 1), ("revoked", 1), ("unused", 1)]);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_page_is_sorted_by_what_the_calendar_says_comes_next() {
    let place = Place::with_starter().await;
    let reader = Caller::new(&place, "reader-1").await;
    assert_eq!(reader.call(&place, "read_file").await.0, 200);
    for (agent, hours) in
        [("analyst-1", 2160), ("executor-1", 5), ("admin-1", 700), ("reader-1", 30)]
    {
        place.clock.advance(Duration::from_secs(61));
        let _ = place.key(agent, hours * 3600).await;
    }
    let other = Caller::new(&place, "admin-1").await;
    place.own("credential_rotate", json!({ "credential": other.credential })).await;
    place.clock.advance(HOUR);
    let page = place.page(json!({}), json!({})).await;
    let calendar = place.own("credential_calendar", json!({})).await;
    let mut first: Vec<(String, Value, Value)> = Vec::new();
    for it in calendar.as_array().unwrap() {
        let key_id = it["key_id"].as_str().unwrap().to_owned();
        if !first.iter().any(|one| one.0 == key_id) {
            first.push((key_id, it["at"].clone(), it["what"].clone()));
        }
    }
    assert_eq!(first.len(), 7, "{calendar}");
    let shown: Vec<(String, Value, Value)> = page["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let key_id = it["credential"]["key_id"].as_str().unwrap().to_owned();
            (key_id, it["next"]["at"].clone(), it["next"]["what"].clone())
        })
        .collect();
    let times =
        |all: &[(String, Value, Value)]| all.iter().map(|it| it.1.clone()).collect::<Vec<_>>();
    assert_eq!(times(&shown), times(&first));
    for one in &first {
        assert!(shown.contains(one), "{one:?} is not in {shown:?}");
    }
    let replaced = shown.iter().find(|it| it.0 == other.key_id).unwrap();
    assert_eq!(replaced.2, "expires", "what has a successor is not replaced once more");
    let turned = place.page(json!({}), json!({ "reversed": true })).await;
    assert_eq!(turned["rows"][0]["next"]["at"], times(&first)[6]);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn pages_put_together_are_the_list_and_filters_narrow_it() {
    let place = Place::with_starter().await;
    for at in 0..7_u64 {
        place.clock.advance(Duration::from_secs(1));
        let agent = if at % 2 == 0 { "reader-1" } else { "analyst-1" };
        let _ = place.key(agent, 3600 + at * 60).await;
    }
    for order in ["agent", "created", "ends", "next", "used"] {
        for reversed in [false, true] {
            let by = json!({ "order": order, "reversed": reversed });
            let whole = ids(&place.page(json!({}), by.clone()).await);
            assert_eq!(whole.len(), 7);
            let mut parts = Vec::new();
            for offset in [0, 3, 6, 9] {
                let mut of = by.clone();
                (of["offset"], of["limit"]) = (json!(offset), json!(3));
                let page = place.page(json!({}), of).await;
                assert_eq!(page["total"], 7);
                parts.extend(ids(&page));
            }
            assert_eq!(parts, whole, "{order} {reversed}");
        }
    }
    let agent = place.agent_as_local("analyst-1").await;
    let page = place.page(json!({ "agent": agent }), json!({})).await;
    assert_eq!((&page["total"], &page["rows"][0]["agent_name"]), (&json!(3), &json!("analyst-1")));
    assert_eq!(place.page(json!({ "text": " ANALYST " }), json!({})).await["total"], 3);
    assert_eq!(place.page(json!({ "kind": "certificate" }), json!({})).await["total"], 0);
    assert_eq!(place.page(json!({ "text": "100%_" }), json!({})).await["total"], 0);
    let none = place.page(json!({ "stage": "revoked" }), json!({})).await;
    assert_eq!((&none["total"], &none["stages"][0]["credentials"]), (&json!(0), &json!(7)));
    let wrong =
        json!({ "tenant": place.tenant().await, "filter": {}, "order": "next", "limit": 501 });
    let refused = place.refused(LOCAL, "credential_page", wrong).await;
    assert_eq!(refused["field"], "limit");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn who_is_cut_off_is_told_with_what_is_left_to_them() {
    let place = Place::with_starter().await;
    let reader = Caller::new(&place, "reader-1").await;
    assert_eq!(reader.call(&place, "read_file").await.0, 200);
    let one = json!({ "credential": reader.credential });
    let preview = place.own("revoke_preview", one.clone()).await;
    assert_eq!((&preview["credentials"], &preview["sessions"]), (&json!(1), &json!(1)));
    let agent = &preview["agents"][0];
    assert_eq!((&agent["name"], &agent["left"]), (&json!("reader-1"), &json!(0)));
    let _ = place.key("reader-1", 3600).await;
    let _ = place.key("analyst-1", 3600).await;
    let preview = place.own("revoke_preview", one.clone()).await;
    assert_eq!(preview["agents"].as_array().unwrap().len(), 1);
    assert_eq!(preview["agents"][0]["left"], 1);
    let all = place.own("revoke_preview", json!({})).await;
    assert_eq!((&all["credentials"], &all["sessions"]), (&json!(3), &json!(1)));
    assert_eq!(all["agents"][1]["left"], 0, "nothing is left of a whole tenant");
    place.own("credential_revoke", one.clone()).await;
    let preview = place.own("revoke_preview", one).await;
    assert_eq!((&preview["credentials"], &preview["agents"]), (&json!(0), &json!([])));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_keys_of_one_agent_are_replaced_as_the_preview_said_and_no_others() {
    let place = Place::with_starter().await;
    for agent in ["reader-1", "reader-1", "analyst-1"] {
        let _ = place.key(agent, 7200).await;
    }
    let agent = place.agent_as_local("reader-1").await;
    let preview = place.own("rotate_preview", json!({ "agent": agent })).await;
    assert_eq!((&preview["keys"], &preview["already"]), (&json!(2), &json!(0)));
    assert_eq!(preview["agents"], json!(["reader-1"]));
    let some = json!({ "agent": agent, "most": 1 });
    let done = place.own("credential_rotate_all", some.clone()).await;
    assert_eq!((&done["rotated"], &done["left"]), (&json!(1), &json!(1)));
    let done = place.own("credential_rotate_all", some).await;
    assert_eq!((&done["rotated"], &done["left"]), (&json!(1), &json!(0)));
    let whole = place.own("rotate_preview", json!({})).await;
    assert_eq!((&whole["keys"], &whole["already"]), (&json!(1), &json!(2)), "{whole}");
    assert_eq!(whole["agents"], json!(["analyst-1"]));
    // The run of the tenant is one of its own, and begins when it is asked for.
    place.clock.advance(Duration::from_secs(1));
    let done = place.own("credential_rotate_all", json!({ "most": 9 })).await;
    assert_eq!((&done["rotated"], &done["left"]), (&json!(1), &json!(0)));
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn letting_credentials_live_longer_takes_an_owners_passphrase_at_an_unlocked_console_too() {
    let place = Place::with_starter().await;
    let console = place.control.console();
    let tenant = place.tenant().await;
    let args = |secs: u32| json!({ "tenant": tenant, "lifecycle": { "lifetime_secs": secs } });
    place.ask("lifecycle_set", args(7200)).await;
    let refused = place.refused(console, "lifecycle_set", args(7201)).await;
    assert_eq!(refused["field"], "owner");
    let mut with = args(7201);
    with["owner"] = json!("not the passphrase");
    let refused = place.refused(console, "lifecycle_set", with.clone()).await;
    assert_eq!(refused["code"], "wrong_passphrase");
    assert_eq!(
        place.ask("lifecycle_show", json!({ "tenant": tenant })).await["longest_secs"],
        7200
    );
    place.clock.advance(HOUR);
    with["owner"] = json!(PASSPHRASE);
    assert_eq!(place.ask_as(LOCAL, "lifecycle_set", with).await["longest_secs"], 7201);
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_status_tells_that_housekeeping_stands_still() {
    let place = Place::with_starter().await;
    let core = place.control.core().unwrap();
    housekeeper::run(&core).await.unwrap();
    assert_eq!(place.ask_as(LOCAL, "status", json!({})).await["halted"], Value::Null);
    place.clock.back(2 * HOUR);
    housekeeper::run(&core).await.unwrap();
    let halted = place.ask_as(LOCAL, "status", json!({})).await["halted"].clone();
    assert!(halted["why"].as_str().unwrap().starts_with("back by 7200 s"), "{halted}");
    place.ask_as(LOCAL, "housekeeping_resume", json!({})).await;
    assert_eq!(place.ask_as(LOCAL, "status", json!({})).await["halted"], Value::Null);
    place.control.shutdown().await.unwrap();
}
