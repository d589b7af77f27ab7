//! Calls that are signed for before they are made, and what is left of them whatever happens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use countersign_tests::Agent;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::place::Place;

/// How many calls come with one token at once.
const ATTEMPTS: usize = 10_000;

/// How many connections they come on.
const CLIENTS: usize = 100;

/// How often the gateway is killed, and how many calls are under way each time.
const KILLS: u32 = 16;
const UNDER_WAY: u32 = 5;

struct Executor {
    key: (String, String),
}

impl Executor {
    async fn of(place: &Place) -> Self {
        let key = place.ask(&["credential", "issue", "executor-1", "--tenant", "acme"]).await;
        let text = |name: &str| key[name].as_str().expect("a text").to_owned();
        Self { key: (text("key_id"), text("secret")) }
    }

    /// The agent, at the gateway as it is reached now.
    fn at(&self, place: &Place) -> Arc<Agent> {
        Arc::new(Agent::new(&place.endpoint(), &self.key.0, &self.key.1))
    }
}

/// What adds one line to the file of this name.
fn note(name: &str) -> Value {
    json!({ "path": format!("{name}.txt"), "content": "made\n", "append": true })
}

/// An operation token for that call of the executor.
async fn issued(place: &Place, name: &str) -> String {
    let file = place.path().join(format!("{name}.json"));
    std::fs::write(&file, note(name).to_string()).expect("a file");
    let file = file.to_str().expect("a path");
    let words = ["approval", "issue", "--tenant", "acme", "--agent", "executor-1"];
    let what = ["--tool", "write_file", "--arguments", file, "--for", "300"];
    let issued = place.ask(&[&words[..], &what].concat()).await;
    issued["token"].as_str().expect("a token").to_owned()
}

fn times_made(place: &Place, name: &str) -> usize {
    place.file(&format!("{name}.txt")).lines().count()
}

/// Every event of the log, as it was sealed.
async fn events(place: &Place) -> Vec<Value> {
    let entries = place.lines(&["audit", "export"]).await;
    let body = |entry: &Value| entry["body"].as_str().map(serde_json::from_str);
    entries.iter().filter_map(body).map(|event| event.expect("an event")).collect()
}

fn is_error(answer: &Value) -> bool {
    answer.get("error").is_some() || answer["result"]["isError"] == true
}

#[tokio::test(flavor = "multi_thread")]
async fn o01_of_ten_thousand_calls_that_come_with_one_token_exactly_one_is_made() {
    let place = Place::starter().await;
    let executor = Executor::of(&place).await;
    let first = executor.at(&place);
    first.tools().await;
    let token: Arc<str> = issued(&place, "once").await.into();

    let client = |_| {
        let (agent, token) = (Arc::clone(&first), Arc::clone(&token));
        tokio::spawn(async move {
            let mut said = Vec::new();
            for _ in 0..ATTEMPTS / CLIENTS {
                said.push(agent.call_with("write_file", note("once"), &token).await);
            }
            said
        })
    };
    let said = join_all((0..CLIENTS).map(client)).await;
    let said: Vec<Value> = said.into_iter().flat_map(|it| it.expect("it ends")).collect();
    let (refused, made): (Vec<_>, Vec<_>) = said.iter().partition(|answer| is_error(answer));
    assert_eq!((made.len(), times_made(&place, "once")), (1, 1));
    // Each of the others got as far as the token.
    let other = refused.iter().find(|it| !it.to_string().contains("operation token"));
    assert_eq!((refused.len(), other), (ATTEMPTS - 1, None));
    let redeemed = place.lines(&["audit", "list", "--kind", "token.redeemed"]).await;
    assert_eq!(redeemed.len(), 1);
    // Another call has nothing of it, nor has the same one without the token a second time.
    let other = first.call_with("write_file", note("other"), &token).await;
    assert!(is_error(&other), "{other}");
    assert_eq!(times_made(&place, "other"), 0);
    assert_eq!(place.ask(&["audit", "verify"]).await["whole"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_pays_for_the_same_call_made_without_it_too_and_for_no_second_one() {
    let place = Place::starter().await;
    let agent = Executor::of(&place).await.at(&place);
    agent.tools().await;
    let token = issued(&place, "plain").await;
    let answer = agent.call("write_file", note("plain")).await;
    assert!(!is_error(&answer), "{answer}");
    let answer = agent.call_with("write_file", note("plain"), &token).await;
    assert!(is_error(&answer), "{answer}");
    assert_eq!(times_made(&place, "plain"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn b01_o03_a_gateway_that_is_killed_on_the_way_makes_no_signed_call_twice_nor_one_unsigned() {
    let mut place = Place::starter().await;
    let executor = Executor::of(&place).await;
    let mut tally = BTreeMap::<&str, u32>::new();
    for kill in 0..KILLS {
        let agent = executor.at(&place);
        agent.tools().await;
        let token = issued(&place, &format!("whole-{kill}")).await;
        let since = Instant::now();
        agent.call_with("write_file", note(&format!("whole-{kill}")), &token).await;
        // So far apart that the five are at different steps when they are cut off.
        let apart = since.elapsed() / UNDER_WAY;
        let mut calls = Vec::new();
        for call in 0..UNDER_WAY {
            let name = format!("call-{kill}-{call}");
            let token = issued(&place, &name).await;
            calls.push((name, token));
        }
        let under_way = calls.iter().zip(0..).map(|((name, token), late)| {
            let (agent, name, token) = (Arc::clone(&agent), name.clone(), token.clone());
            tokio::spawn(async move {
                tokio::time::sleep(apart * late).await;
                let meta = json!({ "dev.countersign/operation-token": token });
                let params = json!({"name": "write_file", "arguments": note(&name), "_meta": meta});
                agent.request_in_vain("tools/call", params, json!({})).await
            })
        });
        let under_way: Vec<_> = under_way.collect();
        // Each time a little later, so that over all kills every step is cut off.
        tokio::time::sleep(apart * UNDER_WAY * (kill + 4) / KILLS).await;
        place.kill().await;
        let answers = join_all(under_way).await;
        place.rise().await;

        let agent = executor.at(&place);
        for ((name, token), answer) in calls.iter().zip(answers) {
            let answer = answer.expect("it ends").map(|(_, answer)| answer);
            let before = times_made(&place, name);
            let again = agent.call_with("write_file", note(name), token).await;
            let after = times_made(&place, name);
            assert!(after <= 1, "{name} was made {after} times: {answer:?}, then {again}");
            let told = answer.as_ref().map(|it| !is_error(it));
            let how = match (told, before, is_error(&again)) {
                (Some(true), 1, true) => "answered before",
                (None, 1, true) => "made and not answered",
                (None, 0, true) => "spent and not made",
                (None, 0, false) if after == 1 => "not begun, and made by the retry",
                other => panic!("{name}: {other:?}, after {answer:?}, then {again}"),
            };
            *tally.entry(how).or_default() += 1;
        }
        assert_eq!(place.ask(&["audit", "verify"]).await["whole"], true);
    }
    eprintln!("{tally:?}");
    // Nothing was made without a signature that was spent on it, and each was spent once.
    let log = events(&place).await;
    let of = |kind: &str| {
        let mut times = BTreeMap::<&str, u32>::new();
        for event in log.iter().filter(|event| event["kind"] == kind) {
            *times.entry(event["token"].as_str().expect("its token")).or_default() += 1;
        }
        times
    };
    let paid = of("token.redeemed");
    assert!(paid.values().all(|times| *times == 1), "{paid:?}");
    // Of each it is on record how it ended, once.
    assert_eq!(of("execution.finished"), paid);
    let made = (0..KILLS).flat_map(|kill| (0..UNDER_WAY).map(move |call| (kill, call)));
    let made = made.filter(|(kill, call)| times_made(&place, &format!("call-{kill}-{call}")) == 1);
    assert!(made.count() + usize::try_from(KILLS).expect("a few") <= paid.len());
    let unknown = log.iter().filter(|event| event["outcome"] == "unknown").count();
    let lost = ["made and not answered", "spent and not made"];
    let lost: u32 = lost.iter().filter_map(|how| tally.get(how)).sum();
    assert!(unknown <= usize::try_from(lost).expect("a few"), "{unknown} unknown: {tally:?}");
}
