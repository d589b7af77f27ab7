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

/// A fresh agent of the starter that may write with a signature.
async fn executor(place: &Place) -> std::sync::Arc<Agent> {
    let key = place.ask(&["credential", "issue", "executor-1", "--tenant", "acme"]).await;
    let (id, secret) = (key["key_id"].as_str(), key["secret"].as_str());
    let agent = Agent::new(&place.endpoint(), id.expect("an id"), secret.expect("a secret"));
    std::sync::Arc::new(agent)
}

/// Has so many calls wait, and gives them with the session that they are of.
async fn several(
    place: &Place,
    agent: &std::sync::Arc<Agent>,
    count: usize,
) -> (Vec<tokio::task::JoinHandle<Value>>, String) {
    let mut calls = Vec::new();
    for number in 0..count {
        let agent = std::sync::Arc::clone(agent);
        let arguments = json!({"path": format!("{number}.txt"), "content": "x"});
        calls.push(tokio::spawn(async move { agent.call("write_file", arguments).await }));
        for _ in 0..300 {
            let all = place.ask(&["approval", "list"]).await;
            if all.as_array().is_some_and(|all| all.len() > number) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let all = place.ask(&["approval", "list"]).await;
    assert_eq!(all.as_array().map(Vec::len), Some(count), "{all}");
    (calls, all[0]["session"].as_str().expect("a session").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn o16_all_calls_of_a_session_are_denied_at_once_and_the_figures_tell() {
    let place = Place::starter().await;
    let agent = executor(&place).await;
    let (calls, session) = several(&place, &agent, 3).await;
    let deny = ["approval", "deny-all", &session, "--reason", "Not today."];
    let done = place.ask(&deny).await;
    assert_eq!(done, json!({ "denied": 3, "session_ended": false }));
    for call in calls {
        let answer = call.await.expect("an answer").to_string();
        assert!(answer.contains("Not today."), "{answer}");
    }
    let told = place.ask_in_vain(&deny).await;
    assert!(told.contains("no call of this session waits"), "{told}");

    let stats = place.ask(&["approval", "stats", "--days", "1"]).await;
    assert_eq!(
        (&stats["all"]["asked"], &stats["all"]["denied"]),
        (&json!(3), &json!(3)),
        "{stats}"
    );
    assert_eq!(stats["lines"][0]["name"], "write_file");
    let by = place.ask(&["approval", "stats", "--by", "agent", "--tenant", "acme"]).await;
    assert_eq!(by["lines"][0]["name"], "executor-1", "{by}");

    let (calls, session) = several(&place, &agent, 1).await;
    let end = ["approval", "deny-all", &session, "--reason", "Enough.", "--end-session"];
    assert_eq!(place.ask(&end).await, json!({ "denied": 1, "session_ended": true }));
    for call in calls {
        call.await.expect("an answer");
    }
    let keys = place.ask(&["credential", "list", "--tenant", "acme"]).await.to_string();
    assert!(keys.contains("\"suspended\""), "the key that opened it: {keys}");
}

#[tokio::test(flavor = "multi_thread")]
async fn o16_a_paused_agent_has_nothing_waiting_and_calls_nothing_until_it_is_resumed() {
    let place = Place::starter().await;
    let agent = executor(&place).await;
    let (calls, _) = several(&place, &agent, 2).await;
    let pause = ["agent", "pause", "executor-1", "--reason", "It asks too much."];
    assert_eq!(place.ask(&pause).await["standing"], "suspended");
    assert_eq!(place.ask(&["approval", "list"]).await, json!([]), "what waited is taken back");
    for call in calls {
        let answer = call.await.expect("an answer");
        assert!(answer.pointer("/result/isError").or(answer.get("error")).is_some(), "{answer}");
    }
    let read = |agent: std::sync::Arc<Agent>| async move {
        agent.call("read_file", json!({"path": "notes/welcome.md"})).await.to_string()
    };
    let refused = read(std::sync::Arc::clone(&agent)).await;
    assert!(!refused.contains("Welcome"), "{refused}");
    let withdrawn = place.ask(&["approval", "list", "--state", "withdrawn"]).await;
    assert_eq!(withdrawn.as_array().map(Vec::len), Some(2), "{withdrawn}");
    place.ask(&["agent", "activate", "executor-1"]).await;
    let agent = executor(&place).await;
    let answer = read(agent).await;
    assert!(answer.contains("Welcome"), "{answer}");
}
