//! A person who takes longer than a client waits for one answer.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::place::Place;

/// How long the person takes: more than the 60 seconds after which the TypeScript clients give up
/// a request, and than the 50 for which the gateway holds one.
const HUMAN_TIME: Duration = Duration::from_secs(70);

/// A client, the era that it is told to speak, and how often it makes the call: in the older
/// era it is told after 50 seconds that a person has still to decide, and makes it again.
const CLIENTS: [(&str, &str, usize); 5] = [
    ("agent-sdk.mjs", "legacy", 2),
    ("agent-client.mjs", "legacy", 2),
    ("agent-client.mjs", "2026-07-28", 1),
    ("agent.py", "legacy", 2),
    ("agent.py", "auto", 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn real_clients_as_they_are_complete_a_call_that_a_person_takes_seventy_seconds_to_sign() {
    let place = Place::starter().await;
    let mut keys = Vec::new();
    for _ in CLIENTS {
        keys.push(place.key("executor-1").await);
    }
    let agent = async |number: usize| {
        let (script, mode, times) = CLIENTS[number];
        let file = format!("{number}.txt");
        let note = json!({"path": file, "content": "made\n", "append": true});
        let calls = vec![json!({"name": "write_file", "arguments": note}); times];
        let report = place.agent_as_it_is(script, mode, &keys[number], json!(calls)).await;
        (script, mode, report, place.file(&file))
    };
    let agents = join_all((0..CLIENTS.len()).map(agent));
    let person = async {
        let since = Instant::now();
        let waiting = waiting(&place, CLIENTS.len()).await;
        tokio::time::sleep(HUMAN_TIME.saturating_sub(since.elapsed())).await;
        for id in waiting {
            place.ask(&["approval", "approve", &id]).await;
        }
    };
    let (reports, ()) = tokio::join!(agents, person);
    for (script, mode, report, made) in reports {
        let calls: Vec<_> = report.iter().filter(|line| line.get("call").is_some()).collect();
        let last = calls.last().unwrap_or_else(|| panic!("{script} {mode}: {report:?}"));
        let is_done = last["result"].is_object() && last["result"]["isError"] != true;
        assert!(is_done, "{script} {mode}: {report:?}");
        assert_eq!(made, "made\n", "{script} {mode}: {report:?}");
        if let [first, _] = calls.as_slice() {
            assert_eq!(first["result"]["isError"], true, "{script} {mode}: {first}");
            let told = first["result"].to_string();
            assert!(told.contains("is waiting"), "{script} {mode}: {told}");
        }
    }
    assert_eq!(place.ask(&["audit", "verify"]).await["whole"], true);
}

/// The requests that wait, once there are so many.
async fn waiting(place: &Place, many: usize) -> Vec<String> {
    for _ in 0..300 {
        let all = place.ask(&["approval", "list"]).await;
        let ids = all.as_array().into_iter().flatten().filter_map(|it| it["id"].as_str());
        let ids: Vec<String> = ids.map(str::to_owned).collect();
        if ids.len() == many {
            return ids;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not so many calls came to wait: {}", Value::from(many))
}
