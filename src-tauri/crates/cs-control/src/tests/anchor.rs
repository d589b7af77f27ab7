//! Registries that are not what they were when Countersign last had them open.

use std::fs;
use std::path::Path;

use cs_model::Grant;
use cs_registry::grant::{self, Cell};
use cs_registry::{Registry, document};
use serde_json::{Value, json};

use super::place::{PASSPHRASE, Place};
use crate::actor::Actor;

const LOCAL: Actor = Actor::Local { uid: None };

/// Changes the home while nobody has it open.
async fn changed(place: Place, change: impl AsyncFnOnce(&Path)) -> Place {
    place.control.shutdown().await.unwrap();
    change(&place.home.join("registry.db")).await;
    let place = place.reopen().await;
    place.ask_as(LOCAL, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    place
}

/// Nothing is served from it, nothing changes in it, and the status says why.
async fn is_doubted(place: &Place, why: &str) {
    let status = place.ask("status", json!({})).await;
    assert_eq!(status["gateway"]["state"], "failed");
    assert!(status["doubt"].as_str().unwrap().contains(why), "{status}");
    let problem = status["gateway"]["problem"].as_str().unwrap();
    assert!(
        problem.contains(why) && problem.contains("`countersign registry accept`"),
        "{problem}"
    );
    let refused = place.control.start_gateway("127.0.0.1:0".parse().unwrap()).await.unwrap_err();
    assert!(refused.to_string().contains(why), "{refused}");
    let refused = place.refused(place.control.console(), "tenant_create", json!({"name": "x"}));
    assert!(refused.await["message"].as_str().unwrap().contains(why));
}

async fn is_accepted(place: &Place) -> Value {
    place.ask("registry_accept", json!({})).await;
    assert_eq!(place.ask("status", json!({})).await["doubt"], Value::Null);
    place.control.start_gateway("127.0.0.1:0".parse().unwrap()).await.unwrap();
    place.ask("tenant_create", json!({ "name": "x" })).await;
    let again = place.refused(place.control.console(), "registry_accept", json!({})).await;
    assert_eq!(again["code"], "conflict");
    let log = place.log(&["admin.changed"]).await;
    let said = log.iter().find(|row| row["summary"].as_str().unwrap().contains("accepted"));
    said.unwrap().clone()
}

#[tokio::test]
async fn b02_an_older_copy_of_the_registry_is_not_served_from_until_an_operator_accepts_it() {
    let place = Place::with_starter().await;
    place.control.shutdown().await.unwrap();
    let copy = fs::read(place.home.join("registry.db")).unwrap();
    let place = place.reopen().await;
    place.ask("unlock", json!({ "passphrase": PASSPHRASE })).await;
    place.ask("tenant_create", json!({ "name": "later" })).await;
    let place = changed(place, async |registry| fs::write(registry, copy).unwrap()).await;
    is_doubted(&place, "the registry is an older copy").await;
    let said = is_accepted(&place).await;
    assert!(said["summary"].as_str().unwrap().contains("older copy"), "{said}");
    let place = place.reopen().await;
    place.control.start_gateway("127.0.0.1:0".parse().unwrap()).await.unwrap();
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn b01_a_grant_that_was_changed_offline_is_found_out_and_not_enforced() {
    let place = Place::with_starter().await;
    let place = changed(place, async |path| {
        let registry = Registry::open(path).await.unwrap();
        let mut change = registry.begin().await.unwrap();
        let document = document::load(&mut change).await.unwrap();
        let tenant = &document.tenants[0];
        let role = tenant.roles.iter().find(|it| it.name.as_str() == "reader").unwrap().id;
        let tool = tenant.tools.iter().find(|it| it.name.as_str() == "access_secrets").unwrap().id;
        let cell = Cell { role, tool, grant: Grant::Allow, condition: None };
        grant::set(&mut change, tenant.id, cell).await.unwrap();
        change.commit(&[]).await.unwrap();
        registry.close().await.unwrap();
    })
    .await;
    is_doubted(&place, "was changed without a policy version").await;
    is_accepted(&place).await;
}

#[tokio::test]
async fn b02_a_registry_of_another_installation_is_not_served_from() {
    let other = Place::with_starter().await;
    other.control.shutdown().await.unwrap();
    let foreign = fs::read(other.home.join("registry.db")).unwrap();
    let place = Place::new().await;
    place.control.shutdown().await.unwrap();
    // It has the same keys: whoever can copy one file can copy two.
    let same = std::sync::Arc::clone(&place.options.memory);
    let held = cs_secrets::SecretStore::get(&*same, "anchor").await.unwrap();
    fs::write(place.home.join("registry.db"), foreign).unwrap();
    let place = place.reopen().await;
    let status = place.ask("status", json!({})).await;
    assert!(status["gateway"]["problem"].as_str().unwrap().contains("another installation"));
    place.control.shutdown().await.unwrap();
    let kept = cs_secrets::SecretStore::get(&*same, "anchor").await.unwrap();
    assert_eq!(kept.expose_text(), held.expose_text(), "what is remembered stays");
}
