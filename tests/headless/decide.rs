//! Deciding on a call from the command line.

use std::time::Duration;

use countersign_tests::Agent;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::place::{Place, command, without_passphrase};

/// A call of the executor that waits, and its id.
async fn waiting(place: &Place, agent: &std::sync::Arc<Agent>, text: &str) -> String {
    let (agent, text) = (std::sync::Arc::clone(agent), text.to_owned());
    let arguments = json!({"path": "a.txt", "content": text});
    tokio::spawn(async move { agent.call("write_file", arguments).await });
    for _ in 0..300 {
        let all = place.ask(&["approval", "list"]).await;
        if let Some(id) = all[0]["id"].as_str() {
            return id.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no call came to wait")
}

async fn decided(mut command: Command, words: &[&str]) -> (Option<i32>, Value) {
    let done = command.args(words).output().await.expect("it runs");
    let told = if done.status.success() { &done.stdout } else { &done.stderr };
    (done.status.code(), serde_json::from_slice(told).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn o15_a_call_is_denied_by_the_command_line_or_in_the_name_of_whose_passphrase_comes_with_it()
{
    let place = Place::starter().await;
    let key = place.ask(&["credential", "issue", "executor-1", "--tenant", "acme"]).await;
    let (id, secret) = (key["key_id"].as_str(), key["secret"].as_str());
    let agent = Agent::new(&place.endpoint(), id.expect("an id"), secret.expect("a secret"));
    let agent = std::sync::Arc::new(agent);

    let first = waiting(&place, &agent, "one").await;
    let deny = |id: &str| ["approval", "deny", id, "--reason", "not now"].map(str::to_owned);
    let words = deny(&first);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (code, view) = decided(without_passphrase(place.path()), &words).await;
    assert_eq!((code, &view["decided_by"]), (Some(0), &json!("command line")), "{view}");

    let second = waiting(&place, &agent, "two").await;
    let words = deny(&second);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    std::fs::write(place.path().join("wrong"), "not the passphrase\n").expect("a file");
    let mut wrong = without_passphrase(place.path());
    wrong.arg("--passphrase-file").arg(place.path().join("wrong"));
    let (code, told) = decided(wrong, &words).await;
    assert_eq!((code, &told["code"]), (Some(1), &json!("wrong_passphrase")), "{told}");
    let (code, view) = decided(command(place.path()), &words).await;
    assert_eq!((code, &view["decided_by"]), (Some(0), &json!("Ada")), "{view}");
}
