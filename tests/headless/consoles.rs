//! A gateway that is worked on from other machines, by the command line there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use countersign_tests::Agent;
use countersign_tests::programs::built;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::place::Place;

const WORDS: &str = "grace and her compiler";

/// A console on another machine: its file, its code and its operator's passphrase.
struct Console {
    folder: PathBuf,
    passphrase: PathBuf,
}

impl Console {
    /// Enrols a console of an operator, as the owner.
    async fn of(place: &Place, operator: &str, passphrase: PathBuf) -> Self {
        let folder = place.folder(&format!("console of {operator}"));
        let file = folder.join("console.json");
        let file = file.to_str().expect("a path");
        let made = place.ask(&["console", "enrol", operator, "--out", file]).await;
        let code = made["code"].as_str().expect("a code");
        assert_eq!(made.get("file"), None, "the file is in its file");
        std::fs::write(folder.join("code"), code).expect("a file");
        Self { folder, passphrase }
    }

    /// Runs the command line over there. Answers with its code and what it said.
    async fn run(&self, words: &[&str]) -> (Option<i32>, Value) {
        let mut command = Command::new(built("countersign"));
        command.arg("--json").arg("--console").arg(self.folder.join("console.json"));
        command.arg("--console-code-file").arg(self.folder.join("code"));
        command.arg("--passphrase-file").arg(&self.passphrase).args(words);
        command.env_remove("DBUS_SESSION_BUS_ADDRESS");
        let done = command.output().await.expect("it runs");
        let told = if done.status.success() { &done.stdout } else { &done.stderr };
        (done.status.code(), serde_json::from_slice(told).unwrap_or_default())
    }

    async fn ask(&self, words: &[&str]) -> Value {
        let (code, told) = self.run(words).await;
        assert_eq!(code, Some(0), "{words:?}: {told}");
        told
    }
}

fn words(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, format!("{text}\n")).expect("a file");
    path
}

async fn executor(place: &Place) -> Arc<Agent> {
    let key = place.ask(&["credential", "issue", "executor-1", "--tenant", "acme"]).await;
    let (id, secret) = (key["key_id"].as_str(), key["secret"].as_str());
    Arc::new(Agent::new(&place.endpoint(), id.expect("an id"), secret.expect("a secret")))
}

#[tokio::test(flavor = "multi_thread")]
async fn o15_two_operators_sign_from_two_other_machines_and_the_call_is_made_once() {
    let place = Place::serving(&["--console-listen", "127.0.0.1:0"]).await;
    let file = words(place.path(), "grace", WORDS);
    let new = file.to_str().expect("a path");
    place
        .ask(&["operator", "create", "Grace", "--role", "approver", "--new-passphrase-file", new])
        .await;
    place.ask(&["tool", "signing", "write_file", "--tenant", "acme", "--approvers", "2"]).await;
    let ada = Console::of(&place, "Ada", place.path().join("passphrase")).await;
    let grace = Console::of(&place, "Grace", file).await;

    // Each of them sees and may do what its operator may, and no more.
    assert_eq!(ada.ask(&["tenant", "list"]).await[0]["name"], "acme");
    let (code, told) = grace.run(&["tenant", "create", "other"]).await;
    assert_eq!((code, &told["code"]), (Some(1), &json!("forbidden")), "{told}");
    let (code, told) = grace.run(&["init", "--operator", "Eve"]).await;
    assert_eq!(code, Some(1), "{told}");

    let agent = executor(&place).await;
    let arguments = json!({ "path": "two.txt", "content": "once", "append": true });
    let caller = Arc::clone(&agent);
    let call = tokio::spawn(async move { caller.call("write_file", arguments).await });
    let id = place.waiting("write_file").await;
    let first = ada.ask(&["approval", "approve", &id]).await;
    assert_eq!(
        (&first["row"]["state"], &first["signing"]["needed"]),
        (&json!("pending"), &json!(1))
    );
    let second = grace.ask(&["approval", "approve", &id]).await;
    assert_eq!(second["decided_by"], "Grace", "{second}");
    let answer = call.await.expect("an answer");
    assert_ne!(answer["result"]["isError"], true, "{answer}");
    assert_eq!(place.file("two.txt"), "once");
    let (code, told) = ada.run(&["approval", "deny", &id, "--reason", "Too late."]).await;
    assert_eq!((code, &told["code"]), (Some(1), &json!("conflict")));
    assert!(told["message"].as_str().expect("it says").contains("Grace has approved"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn d07_a_stolen_file_opens_nothing_without_its_code_nor_either_without_the_passphrase() {
    let place = Place::serving(&["--console-listen", "127.0.0.1:0"]).await;
    let console = Console::of(&place, "Ada", words(place.path(), "guess", "not this one")).await;
    let text = std::fs::read_to_string(console.folder.join("console.json")).expect("a file");
    assert!(!text.contains("PRIVATE KEY") && !text.contains("BEGIN CERTIFICATE"), "{text}");
    let (code, told) = console.run(&["tenant", "list"]).await;
    assert_eq!((code, &told["code"]), (Some(1), &json!("wrong_passphrase")), "{told}");
    let code_file = console.folder.join("code");
    let right = std::fs::read_to_string(&code_file).expect("a file");
    std::fs::write(&code_file, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA").expect("a file");
    let (code, told) = console.run(&["status"]).await;
    assert_eq!(code, Some(1));
    assert!(
        told["message"].as_str().expect("it says").contains("the code does not open"),
        "{told}"
    );
    std::fs::write(&code_file, right).expect("a file");
    assert_eq!(console.ask(&["status"]).await["phase"], "ready");

    // Revoked, it is not let in any more, and everything of it is on record.
    place.ask(&["console", "revoke", "console"]).await;
    let (code, told) = console.run(&["status"]).await;
    assert_eq!(code, Some(1));
    assert!(told["message"].as_str().expect("it says").contains("was revoked"), "{told}");
    let reasons = place.reasons("console.refused").await;
    assert_eq!(reasons, ["console_revoked"]);
    let wrong = place.lines(&["audit", "list", "--kind", "operator.unlock_failed"]).await;
    assert!(wrong[0]["client"].as_str().is_some_and(|it| it.starts_with("127.0.0.1:")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_not_there_is_said_to_be_so() {
    let place = Place::serving(&["--console-listen", "127.0.0.1:0"]).await;
    let console = Console::of(&place, "Ada", place.path().join("passphrase")).await;
    place.end().await;
    let began = tokio::time::Instant::now();
    let (code, told) = console.run(&["status"]).await;
    assert_eq!(code, Some(1));
    assert!(told["message"].as_str().expect("it says").contains("does not answer"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(30));
}
