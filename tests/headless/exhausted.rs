//! A gateway for which the system has no descriptors left.

use std::time::Duration;

use countersign_tests::Agent;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::place::Place;

fn descriptors(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count)
}

async fn agent(place: &Place) -> Agent {
    let key = std::fs::read(place.key("executor-1").await).expect("a key");
    let key: Value = serde_json::from_slice(&key).expect("JSON");
    let part = |name: &str| key[name].as_str().expect("text").to_owned();
    Agent::new(&place.endpoint(), &part("key_id"), &part("secret"))
}

async fn reads(agent: &Agent) -> bool {
    agent
        .call("read_file", json!({"path": "notes/welcome.md"}))
        .await
        .to_string()
        .contains("Welcome")
}

/// Attacks F06: when nothing is left, nobody new is let in and those who are in are served; as soon
/// as there are descriptors again everybody is, by the same process.
#[tokio::test(flavor = "multi_thread")]
async fn f06_a_gateway_without_descriptors_serves_who_is_in_and_everybody_once_there_are_some() {
    let place = Place::starter().await;
    let (inside, outside) = (agent(&place).await, agent(&place).await);
    assert!(reads(&inside).await);
    let process = place.serve();
    let most = descriptors(process) + 24;
    let limit = format!("--nofile={most}:{most}");
    let limited = Command::new("prlimit").args(["--pid", &process.to_string(), &limit]).status();
    assert!(limited.await.expect("prlimit runs").success());
    let address = place.url().trim_start_matches("http://").to_owned();
    let mut held = Vec::new();
    for _ in 0..100 {
        // Whom the gateway does not take in waits with the system.
        held.push(TcpStream::connect(&address).await.expect("a connection"));
    }
    for tries in 0.. {
        if descriptors(process) >= most {
            break;
        }
        assert!(tries < 600, "only {} of {most} are taken", descriptors(process));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..20 {
        assert!(reads(&inside).await, "who is in is served");
    }
    drop(held);
    let served = tokio::time::timeout(Duration::from_secs(60), reads(&outside)).await;
    assert_eq!(served, Ok(true), "nobody is taken in any more");
    assert_eq!(place.serve(), process);
    let chain = place.ask(&["audit", "verify"]).await;
    assert_eq!(chain["whole"], true, "{chain}");
    place.end().await;
}
