//! One signature for a bounded series of calls, with a real agent and the command line.

use std::path::Path;
use std::sync::Arc;

use countersign_tests::Agent;
use serde_json::{Value, json};

use crate::place::Place;

/// The starter, serving, and the executor.
async fn scene() -> (Place, Arc<Agent>) {
    let place = Place::starter().await;
    let key = place.ask(&["credential", "issue", "executor-1", "--tenant", "acme"]).await;
    let (id, secret) = (key["key_id"].as_str(), key["secret"].as_str());
    let agent = Agent::new(&place.endpoint(), id.expect("an id"), secret.expect("a secret"));
    (place, Arc::new(agent))
}

fn write(agent: &Arc<Agent>, path: &str) -> tokio::task::JoinHandle<Value> {
    let agent = Arc::clone(agent);
    let arguments = json!({ "path": path, "content": "x" });
    tokio::spawn(async move { agent.call("write_file", arguments).await })
}

fn is_made(answer: &Value) -> bool {
    answer["result"]["isError"] != true && answer["result"]["content"].is_array()
}

async fn sign(place: &Place, request: &str, schema: &Path) -> Value {
    let schema = schema.to_str().expect("a path");
    let words = ["approval", "series", "sign", "--request", request, "--calls", "3", "--minutes"];
    place.ask(&[&words[..], &["5", "--schema", schema]].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn o17_one_signature_pays_for_so_many_calls_like_the_one_that_waited_and_for_no_others() {
    let (place, agent) = scene().await;
    let schema = place.path().join("schema.json");
    std::fs::write(
        &schema,
        r#"{"properties":{"content":{"const":"x"},"path":{"pattern":"^report-[0-9].txt$"}}}"#,
    )
    .expect("a file");
    let first = write(&agent, "first.txt");
    let id = place.waiting("write_file").await;
    let series = sign(&place, &id, &schema).await;
    assert_eq!((&series["calls"], &series["used"]), (&json!(3), &json!(0)), "{series}");
    let answer = first.await.expect("an answer");
    assert!(is_made(&answer), "the call that waited is approved with it: {answer}");

    for number in 1..=2 {
        let answer = agent
            .call("write_file", json!({ "path": format!("report-{number}.txt"), "content": "x" }))
            .await;
        assert!(is_made(&answer), "{answer}");
    }
    let listed = place.ask(&["approval", "series", "list"]).await;
    assert_eq!(listed[0]["used"], 2, "{listed}");

    let other = write(&agent, "elsewhere.txt");
    let id = place.waiting("write_file").await;
    let view = place.ask(&["approval", "show", &id]).await;
    assert!(view["arguments"].as_str().expect("arguments").contains("elsewhere.txt"));
    let listed = place.ask(&["approval", "series", "list"]).await;
    assert_eq!(listed[0]["used"], 2, "other arguments burn nothing: {listed}");
    place.ask(&["approval", "approve", &id]).await;
    assert!(is_made(&other.await.expect("an answer")));

    place.ask(&["tool", "effects", "write_file", "--tenant", "acme", "--destroys", "on"]).await;
    let marked = write(&agent, "report-3.txt");
    let id = place.waiting("write_file").await;
    place.ask(&["approval", "deny", &id, "--reason", "no more"]).await;
    assert!(!is_made(&marked.await.expect("an answer")));
    let all = place.ask(&["approval", "series", "list", "--all"]).await;
    assert_eq!((&all[0]["running"], &all[0]["used"]), (&json!(false), &json!(2)), "{all}");
    let in_vain = place
        .ask_in_vain(&["approval", "series", "revoke", series["id"].as_str().expect("an id")])
        .await;
    assert!(in_vain.contains("over already"), "{in_vain}");

    let redeemed = place.lines(&["audit", "list", "--kind", "token.redeemed"]).await;
    let of_series = |it: &&Value| it["reason"] == "in_series";
    assert_eq!(redeemed.iter().filter(of_series).count(), 2, "{redeemed:?}");
    let ended = place.reasons("series.ended").await;
    assert_eq!(ended, ["series_destroys"]);
    assert_eq!(place.ask(&["audit", "verify"]).await["whole"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn o17_a_series_that_was_taken_back_pays_for_nothing_from_the_next_call_on() {
    let (place, agent) = scene().await;
    let first = write(&agent, "same.txt");
    let id = place.waiting("write_file").await;
    let words = ["approval", "series", "sign", "--request", &id, "--calls", "9", "--minutes", "1"];
    let series = place.ask(&words).await;
    assert!(is_made(&first.await.expect("an answer")));
    let again = agent.call("write_file", json!({ "path": "same.txt", "content": "x" })).await;
    assert!(is_made(&again), "exactly the same once more: {again}");
    place.ask(&["approval", "series", "revoke", series["id"].as_str().expect("an id")]).await;
    let held = write(&agent, "same.txt");
    let id = place.waiting("write_file").await;
    place.ask(&["approval", "deny", &id, "--reason", "taken back"]).await;
    assert!(!is_made(&held.await.expect("an answer")));
}
