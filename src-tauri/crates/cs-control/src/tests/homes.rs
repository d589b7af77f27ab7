//! Homes: how they begin, open, lock and are steered.

use std::time::Duration;

use cs_model::Secret;
use serde_json::json;

use super::place::{PASSPHRASE, Place, first};
use crate::actor::Actor;
use crate::control::Control;
use crate::failure::ControlError;
use crate::lifecycle;
use crate::options::FirstRun;
use crate::socket;
use crate::view::status::SecretKeeping;

#[tokio::test]
async fn a_new_installation_is_unlocked_by_its_first_owner_and_locks() {
    let place = Place::new().await;
    let status = place.ask("status", json!({})).await;
    assert_eq!(status["phase"], "ready");
    assert_eq!(status["operator"]["name"], "Ada");
    place.ask("tenant_create", json!({ "name": "acme" })).await;
    place.ask("lock", json!({})).await;
    let refused = place.refused(place.control.console(), "tenant_list", json!({})).await;
    assert_eq!(refused["code"], "locked");
    let wrong = json!({ "passphrase": "correct horse batterx" });
    let refused = place.refused(Actor::Nobody, "unlock", wrong).await;
    assert_eq!(refused["code"], "wrong_passphrase");
    place.ask("unlock", json!({ "passphrase": PASSPHRASE })).await;
    let chain = place.ask("audit_verify", json!({})).await;
    assert_eq!(chain["whole"], true);
    let kinds = ["operator.locked", "operator.unlocked", "operator.unlock_failed"];
    let log = place.log(&kinds).await;
    let told: Vec<_> = log.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(told, ["operator.unlocked", "operator.unlock_failed", "operator.locked"]);
}

#[tokio::test]
async fn the_console_locks_itself_after_ten_idle_minutes_and_says_so() {
    let place = Place::new().await;
    place.clock.advance(Duration::from_secs(599));
    place.ask("touch", json!({})).await;
    place.clock.advance(Duration::from_secs(599));
    assert_ne!(place.control.console(), Actor::Nobody);
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(place.control.console(), Actor::Nobody);
    lifecycle::tick(place.control.inner(), true).await.unwrap();
    place.ask("unlock", json!({ "passphrase": PASSPHRASE })).await;
    let log = place.log(&["operator.locked"]).await;
    assert_eq!((log.len(), &log[0]["reason"]), (1, &json!("idle")));
}

#[tokio::test]
async fn many_wrong_passphrases_slow_the_next_one_down() {
    let place = Place::new().await;
    let wrong = || json!({ "passphrase": "not the passphrase" });
    for _ in 0..5 {
        place.refused(Actor::Nobody, "unlock", wrong()).await;
    }
    let right = json!({ "passphrase": PASSPHRASE });
    let refused = place.refused(Actor::Nobody, "unlock", right.clone()).await;
    assert!(refused["message"].as_str().unwrap().contains("too many"), "{refused}");
    place.clock.advance(Duration::from_secs(1));
    place.ask("unlock", right).await;
}

#[tokio::test]
async fn what_was_made_is_there_after_a_restart() {
    let place = Place::with_starter().await.reopen().await;
    assert_eq!(place.ask("status", json!({})).await["phase"], "ready");
    assert_eq!(place.control.console(), Actor::Nobody);
    place.ask("unlock", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(place.matrix().await["tools"].as_array().unwrap().len(), 8);
    assert_eq!(place.ask("status", json!({})).await["policy_version"], 1);
}

#[tokio::test]
async fn a_home_whose_master_key_is_gone_does_not_open_and_gets_no_new_one() {
    let place = Place::new().await;
    place.control.shutdown().await.unwrap();
    let Place { control, mut options, home, _folder, .. } = place;
    drop(control);
    options.memory = std::sync::Arc::default();
    let refused = loop {
        match Control::open(&home, options.clone()).await {
            Err(ControlError::InUse { .. }) => tokio::task::yield_now().await,
            other => break other.unwrap_err(),
        }
    };
    assert!(refused.to_string().contains("has no secret `master`"), "{refused}");
    assert!(cs_secrets::SecretStore::get(&*options.memory, "master").await.is_err());
}

#[tokio::test]
async fn b05_a_master_key_that_is_another_one_opens_nothing() {
    let place = Place::with_starter().await;
    place.control.shutdown().await.unwrap();
    let Place { control, options, home, _folder, .. } = place;
    drop(control);
    let other = Secret::new(vec![7; 32]);
    cs_secrets::SecretStore::put(&*options.memory, "master", &other).await.unwrap();
    let refused = loop {
        match Control::open(&home, options.clone()).await {
            Err(ControlError::InUse { .. }) => tokio::task::yield_now().await,
            other => break other.unwrap_err(),
        }
    };
    assert!(refused.to_string().contains("is not the one that this registry"), "{refused}");
}

#[tokio::test]
async fn sealed_secrets_open_with_the_passphrase_and_not_before() {
    let place = Place::with(false, SecretKeeping::File).await.reopen().await;
    let local = Actor::Local { uid: None };
    let status = place.ask("status", json!({})).await;
    assert_eq!(status["secret_store"], "file");
    assert!(status["gateway"]["problem"].as_str().unwrap().contains("sealed"), "{status}");
    let listen = "127.0.0.1:0".parse().unwrap();
    assert!(place.control.start_gateway(listen).await.is_err());
    place.ask_as(local, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    place.control.start_gateway(listen).await.unwrap();
    let status = place.ask("status", json!({})).await;
    assert_eq!(status["gateway"]["state"], "serving");
    place.control.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_first_run_that_cannot_be_right_leaves_nothing_behind() {
    let place = Place::new().await;
    let home = place.home.with_file_name("other");
    let control = Control::open(&home, place.options.clone()).await.unwrap();
    let args = json!({ "name": "Ada", "passphrase": "short", "starter": false });
    let refused = control.dispatch(&Actor::Nobody, "first_run", args).await.unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("passphrase"));
    let status = control.dispatch(&Actor::Nobody, "status", json!({})).await.unwrap();
    assert_eq!(status["phase"], "first_run");
    let left: Vec<_> =
        std::fs::read_dir(&home).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[tokio::test]
async fn a_home_is_made_once() {
    let place = Place::new().await;
    let again = first(false);
    let FirstRun { name, .. } = &again;
    let args = json!({ "name": name, "passphrase": PASSPHRASE, "starter": false });
    let refused = place.refused(Actor::Nobody, "first_run", args).await;
    assert_eq!(refused["code"], "conflict");
}

#[cfg(unix)]
#[tokio::test]
async fn d07_the_control_socket_answers_its_owner_and_nobody_else_can_reach_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new().await;
    assert!(socket::Client::connect(&place.home).await.unwrap().is_none());
    let server = socket::Server::start(&place.control).await.unwrap();
    let path = place.home.join("control.sock");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let home = std::fs::metadata(&place.home).unwrap().permissions().mode() & 0o777;
    assert_eq!(home, 0o700);
    let client = socket::Client::connect(&place.home).await.unwrap().unwrap();
    let made = client.ask("tenant_create", json!({ "name": "acme" })).await.unwrap().unwrap();
    assert_eq!(made["name"], "acme");
    let again = client.ask("tenant_create", json!({ "name": "acme" })).await.unwrap();
    assert_eq!(again.unwrap_err().code, crate::ErrorCode::Conflict);
    server.stop().await;
    assert!(socket::Client::connect(&place.home).await.unwrap().is_none());
}

#[tokio::test]
async fn a_passphrase_says_who_asks() {
    let place = Place::new().await;
    let args = json!({ "name": "Bob", "role": "auditor", "passphrase": "another passphrase" });
    place.ask("operator_create", args).await;
    let passphrase = Secret::from_text("another passphrase".to_owned());
    let bob = place.control.authenticate(&passphrase).await.unwrap();
    place.ask_as(bob, "tenant_list", json!({})).await;
    let refused = place.refused(bob, "tenant_create", json!({ "name": "acme" })).await;
    assert_eq!(refused["code"], "forbidden");
    let same = json!({ "name": "Eve", "role": "auditor", "passphrase": PASSPHRASE });
    let refused = place.refused(place.control.console(), "operator_create", same).await;
    assert_eq!(refused["field"], "passphrase");
}

#[tokio::test]
async fn the_last_owner_stays() {
    let place = Place::new().await;
    let ada = place.ask("operator_list", json!({})).await[0]["id"].clone();
    let console = place.control.console();
    let refused = place.refused(console, "operator_remove", json!({ "operator": ada })).await;
    assert_eq!(refused["code"], "conflict");
    let args = json!({ "name": "Bob", "role": "owner", "passphrase": "another passphrase" });
    place.ask("operator_create", args).await;
    place.ask("operator_remove", json!({ "operator": ada })).await;
    assert_eq!(place.control.console(), Actor::Nobody);
    let refused = place.refused(Actor::Nobody, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(refused["code"], "wrong_passphrase");
}
