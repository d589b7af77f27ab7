//! An agent behind `countersign connect` through the replacement of its key, and the command line
//! that replaces it.

use std::path::Path;
use std::process::Stdio;

use countersign_tests::programs::built;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::place::Place;

/// A client of the older era on the bridge.
struct Bridged {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    sent: u64,
}

impl Bridged {
    fn start(place: &Place, key: &Path) -> Self {
        let mut child = Command::new(built("countersign"))
            .args(["connect", "--url", &place.endpoint(), "--key-file"])
            .arg(key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("connect runs");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { _child: child, input, output, sent: 0 }
    }

    async fn say(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.expect("it listens");
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let id = self.sent;
        let asked = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.say(&asked).await;
        loop {
            let line = self.output.next_line().await.expect("a line").expect("one");
            let answer: Value = serde_json::from_str(&line).expect("JSON");
            if answer["id"] == id {
                return answer;
            }
        }
    }

    async fn open(&mut self) {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
                             "clientInfo": { "name": "agent", "version": "1" } });
        let opened = self.ask("initialize", params).await;
        assert!(opened["result"].is_object(), "{opened}");
        self.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    }

    async fn call(&mut self) {
        let params = json!({ "name": "read_file", "arguments": { "path": "welcome.txt" } });
        let answer = self.ask("tools/call", params).await;
        assert!(answer["result"]["content"].is_array(), "{answer}");
    }
}

fn key_id(file: &Path) -> String {
    let text = std::fs::read_to_string(file).expect("a key file");
    let key: Value = serde_json::from_str(&text).expect("JSON");
    key["key_id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn k14_a_client_goes_on_through_the_replacement_of_its_key_without_a_failed_call() {
    let place = Place::starter().await;
    let key = place.key("reader-1").await;
    let copy = place.path().join("copy.key");
    std::fs::copy(&key, &copy).expect("a copy");
    let old = key_id(&key);
    let mut before = Bridged::start(&place, &key);
    before.open().await;
    before.call().await;
    place.ask(&["credential", "rotate", &old, "--tenant", "acme"]).await;
    before.call().await;
    assert_eq!(key_id(&key), old, "what is open goes on with the key that opened it");

    let mut after = Bridged::start(&place, &key);
    after.open().await;
    after.call().await;
    let new = key_id(&key);
    assert_ne!(new, old);
    before.call().await;
    let told = place.lines(&["audit", "list", "--kind", "credential.delivered"]).await;
    assert_eq!(told.len(), 1);

    // Another copy of the agent has the old key alone, and gets no other than this one was given.
    let mut late = Bridged::start(&place, &copy);
    late.open().await;
    late.call().await;
    assert_eq!(key_id(&copy), old, "it was used already");

    // The old one ends at once: what still has it opens its session anew with the new one.
    place.ask(&["credential", "rotate", &old, "--now", "--tenant", "acme"]).await;
    before.call().await;
    after.call().await;
    let listed = place.ask(&["credential", "list", "--tenant", "acme"]).await;
    let state = |id: &str| {
        let all = listed.as_array().expect("a list");
        all.iter().find(|it| it["key_id"] == id).map(|it| it["state"].clone())
    };
    assert_eq!((state(&old), state(&new)), (Some(json!("revoked")), Some(json!("active"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_replaces_takes_back_and_says_how_long_credentials_live() {
    let place = Place::starter().await;
    for agent in ["reader-1", "analyst-1"] {
        place.key(agent).await;
    }
    let lifecycle = ["credential", "lifecycle"];
    let of = |words: &[&'static str]| [&lifecycle[..], words, &["--tenant", "acme"]].concat();
    let set = place.ask(&of(&["set", "--lifetime", "1d", "--overlap", "1h"])).await;
    assert_eq!((&set["longest_secs"], &set["overlap_secs"]), (&json!(86_400), &json!(3600)));
    let set = place.ask(&of(&["set", "--overlap", "usual"])).await;
    assert_eq!(set["set"], json!({ "lifetime_secs": 86_400 }), "the rest stays");
    let issue = ["credential", "issue", "reader-1", "--tenant", "acme", "--lifetime", "2d"];
    let in_vain = place.ask_in_vain(&issue).await;
    assert!(in_vain.contains("86400") && in_vain.contains("172800"), "{in_vain}");

    let all = ["credential", "rotate", "--all", "--tenant", "acme"];
    let done = place.ask(&all).await;
    assert_eq!((&done["rotated"], &done["left"]), (&json!(2), &json!(0)));
    let listed = place.ask(&["credential", "list", "--tenant", "acme"]).await;
    let waits = listed.as_array().expect("a list").iter().find(|it| it["waits"] == true);
    let replaced = waits.expect("one that waits")["replaces"].as_str().expect("an id").to_owned();
    let back = place.ask(&["credential", "rollback", &replaced, "--tenant", "acme"]).await;
    assert_eq!(
        (&back["old"]["state"], &back["new"]["state"]),
        (&json!("active"), &json!("revoked"))
    );
    let kept = place.ask(&["credential", "housekeeping", "show"]).await;
    assert_eq!(kept["why"], Value::Null);
    let in_vain = place.ask_in_vain(&["credential", "housekeeping", "resume"]).await;
    assert!(in_vain.contains("does not stand still"), "{in_vain}");
    assert_eq!(place.ask(&["audit", "verify"]).await["whole"], true);
}
