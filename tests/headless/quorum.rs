//! Calls that take the signatures of two operators, each of them on the command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use countersign_tests::Agent;
use serde_json::{Value, json};

use crate::place::{Place, without_passphrase};

const WORDS: &str = "grace and her compiler";

/// The starter, with a second operator and a tool that takes two signatures; the executor; and the
/// file with the second operator's passphrase.
async fn two() -> (Place, Arc<Agent>, PathBuf) {
    let place = Place::starter().await;
    let grace = place.path().join("grace");
    std::fs::write(&grace, format!("{WORDS}\n")).expect("a file");
    let file = grace.to_str().expect("a path");
    let words =
        ["operator", "create", "Grace", "--role", "approver", "--new-passphrase-file", file];
    place.ask(&words).await;
    let rule = ["tool", "signing", "write_file", "--tenant", "acme", "--approvers", "2"];
    place.ask(&rule).await;
    let key = place.ask(&["credential", "issue", "executor-1", "--tenant", "acme"]).await;
    let (id, secret) = (key["key_id"].as_str(), key["secret"].as_str());
    let agent = Agent::new(&place.endpoint(), id.expect("an id"), secret.expect("a secret"));
    (place, Arc::new(agent), grace)
}

fn write(agent: &Arc<Agent>, text: &str) -> tokio::task::JoinHandle<Value> {
    let agent = Arc::clone(agent);
    let arguments = json!({ "path": format!("{text}.txt"), "content": text });
    tokio::spawn(async move { agent.call("write_file", arguments).await })
}

async fn waiting(place: &Place) -> String {
    for _ in 0..600 {
        let all = place.ask(&["approval", "list"]).await;
        if let Some(id) = all[0]["id"].as_str() {
            return id.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no call came to wait")
}

/// What the command line says to an approval with the passphrase of this file.
async fn approve(home: &Path, passphrase: &Path, words: &[&str]) -> (Option<i32>, Value) {
    let mut command = without_passphrase(home);
    command.args(["approval", "approve"]).args(words).arg("--passphrase-file").arg(passphrase);
    let done = command.output().await.expect("it runs");
    let told = if done.status.success() { &done.stdout } else { &done.stderr };
    (done.status.code(), serde_json::from_slice(told).unwrap_or_default())
}

async fn events(place: &Place, kind: &str) -> usize {
    let log = place.lines(&["audit", "list", "--kind", kind]).await;
    log.iter()
        .filter(|event| event["tool"].as_str().is_some_and(|it| it.contains("write_file")))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn o15_two_operators_sign_a_call_and_it_is_made_exactly_once() {
    let (place, agent, grace) = two().await;
    let ada = place.path().join("passphrase");
    let call = write(&agent, "both");
    let id = waiting(&place).await;

    let (code, view) = approve(place.path(), &ada, &[&id]).await;
    assert_eq!((code, &view["row"]["state"]), (Some(0), &json!("pending")), "{view}");
    assert_eq!(view["signing"]["needed"], 1);
    let (code, told) = approve(place.path(), &ada, &[&id]).await;
    assert_eq!((code, &told["code"]), (Some(1), &json!("conflict")), "{told}");
    assert!(!call.is_finished());
    assert_eq!(events(&place, "execution.started").await, 0);

    let (code, view) = approve(place.path(), &grace, &[&id]).await;
    assert_eq!((code, &view["decided_by"]), (Some(0), &json!("Grace")), "{view}");
    let answer = call.await.expect("an answer");
    assert_ne!(answer["result"]["isError"], true, "{answer}");
    assert_eq!(events(&place, "execution.started").await, 1);
    assert_eq!(events(&place, "token.redeemed").await, 2, "one of each operator");
    let (code, told) = approve(place.path(), &grace, &[&id]).await;
    assert_eq!((code, &told["code"]), (Some(1), &json!("conflict")), "{told}");
    assert_eq!(place.ask(&["audit", "verify"]).await["whole"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn o15_with_one_signature_of_two_a_call_is_never_made_but_by_an_owner_who_breaks_the_glass() {
    let (place, agent, grace) = two().await;
    let ada = place.path().join("passphrase");
    let call = write(&agent, "one");
    let id = waiting(&place).await;
    let glass = [id.as_str(), "--break-glass", "--reason", "The plant is on fire."];
    let (code, told) = approve(place.path(), &grace, &glass).await;
    assert_eq!((code, &told["code"]), (Some(1), &json!("conflict")), "{told}");
    let (code, view) = approve(place.path(), &grace, &[&id]).await;
    assert_eq!((code, &view["row"]["state"]), (Some(0), &json!("pending")), "{view}");
    place.ask(&["approval", "deny", &id, "--reason", "not alone"]).await;
    let answer = call.await.expect("an answer");
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert_eq!(events(&place, "execution.started").await, 0);

    let call = write(&agent, "glass");
    let id = waiting(&place).await;
    let glass = [id.as_str(), "--break-glass", "--reason", "The plant is on fire."];
    let (code, view) = approve(place.path(), &ada, &glass).await;
    assert_eq!((code, &view["row"]["broke_glass"]), (Some(0), &json!(true)), "{view}");
    let answer = call.await.expect("an answer");
    assert_ne!(answer["result"]["isError"], true, "{answer}");
    assert_eq!(events(&place, "execution.started").await, 1);
    assert_eq!(events(&place, "approval.broke_glass").await, 1);
    for _ in 0..600 {
        let alerts = place.ask(&["alert", "list"]).await;
        if alerts.as_array().is_some_and(|all| all.iter().any(|it| it["rule"] == "glass_broken")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no alert was raised")
}
