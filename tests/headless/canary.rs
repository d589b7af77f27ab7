//! Secrets that went through a running gateway, looked for wherever it could have left them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use countersign_tests::Agent;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::place::{Place, command, without_passphrase};

/// What callers write into places in which no secret belongs, or for once where it does.
const HEADER: &str = "eyJhbGciOiJFZERTQSJ9.eyJjYW5hcnkiOiJJbi1BLVRva2VuLTlRNHoifQ.Q2FuYXJ5U2ln";
const QUERY: &str = "canary-in-the-query-7Q4zK";
const BASIC: &str = "Y2FuYXJ5OmluLWJhc2ljLTNYOHY5UTRa";
const COOKIE: &str = "canary-in-a-cookie-2W9xP";
const USERINFO: &str = "canary-in-the-address-5T1mR";
const ARGUMENT: &str = "canary-in-an-argument-8H3bN";
const UPSTREAM: &str = "canary-for-a-server-4K7dL";
const WRONG: &str = "canary that is no passphrase 6J2c";

fn coded(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for three in bytes.chunks_exact(3) {
        let word = three.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        text.extend([18, 12, 6, 0].map(|by| char::from(alphabet[word >> by & 63])));
    }
    text
}

/// A secret in each form in which it may have been left behind. In base64 it looks another way
/// at each of three places, and its ends mix with what is beside it.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const OF_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let hex = |upper: bool| {
        let byte = |it: u8| if upper { format!("{it:02X}") } else { format!("{it:02x}") };
        secret.bytes().map(byte).collect::<String>()
    };
    let percent: String = secret.bytes().map(|it| format!("%{it:02X}")).collect();
    let mut all = vec![secret.to_owned(), hex(true), hex(false), percent, secret.replace(' ', "+")];
    for skipped in 0..3 {
        all.extend([STANDARD, OF_URLS].map(|it| coded(&secret.as_bytes()[skipped..], it)));
    }
    all.into_iter().map(String::into_bytes).collect()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

/// Looks for secrets in what was left behind.
fn assert_none(place: &str, bytes: &[u8], secrets: &[(&str, String)]) {
    for (name, secret) in secrets {
        for form in forms(secret) {
            let inside = bytes.windows(form.len()).any(|it| it == form);
            assert!(!inside, "{name} is in {place} as {}", String::from_utf8_lossy(&form));
        }
    }
}

/// Sends requests that carry secrets where none belongs, as one who knows no better does.
async fn careless(place: &Place) {
    let endpoint = place.endpoint();
    let with_user = endpoint.replace("http://", &format!("http://agent:{USERINFO}@"));
    let query = format!("{endpoint}?access_token={QUERY}");
    let headers: [(&str, Vec<String>); 5] = [
        (&endpoint, vec![format!("Authorization: Bearer {HEADER}")]),
        (&endpoint, vec![format!("Authorization: Basic {BASIC}")]),
        (&endpoint, vec![format!("Cookie: session={COOKIE}"), format!("X-Api-Key: {COOKIE}")]),
        (&query, Vec::new()),
        (&with_user, Vec::new()),
    ];
    for (url, headers) in headers {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--max-time", "20", "--output", "/dev/null", "--write-out"]);
        curl.args(["%{http_code}", "--header", "Content-Type: application/json"]);
        for header in headers {
            curl.args(["--header", &header]);
        }
        let done = curl.args(["--data", "{}", url]).output().await.expect("curl runs");
        let status = String::from_utf8_lossy(&done.stdout);
        assert!(status.starts_with('4'), "{url}: {status}");
    }
}

/// Attacks A05 and B06.
#[tokio::test(flavor = "multi_thread")]
async fn a05_b06_no_secret_is_left_in_a_file_a_log_an_export_or_the_process_itself() {
    let place = Place::watched().await;
    let key = place.ask(&["credential", "issue", "executor-1", "--tenant", "acme"]).await;
    let text = |name: &str| key[name].as_str().expect("text").to_owned();
    let agent = Arc::new(Agent::new(&place.endpoint(), &text("key_id"), &text("secret")));
    let secrets = [
        ("the key", text("secret")),
        ("the passphrase", "lantern oyster gravel quilt".to_owned()),
        ("a wrong passphrase", WRONG.to_owned()),
        ("a server's secret", UPSTREAM.to_owned()),
        ("a token", HEADER.to_owned()),
        ("a token's payload", HEADER.split('.').nth(1).expect("a part").to_owned()),
        ("a token's signature", HEADER.split('.').nth(2).expect("a part").to_owned()),
        ("a token in the query", QUERY.to_owned()),
        ("a password", BASIC.to_owned()),
        ("a cookie", COOKIE.to_owned()),
        ("a user in the address", USERINFO.to_owned()),
        ("an argument", ARGUMENT.to_owned()),
    ];

    let mut set = command(place.path());
    set.args(["secret", "set", "mail", "--tenant", "acme"]).stdin(Stdio::piped());
    let mut set = set.stdout(Stdio::null()).spawn().expect("it runs");
    let mut input = set.stdin.take().expect("its input");
    input.write_all(UPSTREAM.as_bytes()).await.expect("it reads");
    drop(input);
    assert!(set.wait().await.expect("it ends").success());
    careless(&place).await;
    agent.call("read_file", json!({"path": ARGUMENT})).await;
    agent.call("access_secrets", json!({"name": ARGUMENT})).await;
    let caller = Arc::clone(&agent);
    let note = json!({"path": "a.txt", "content": "once"});
    let waiting = tokio::spawn(async move { caller.call("write_file", note).await });
    std::fs::write(place.path().join("wrong"), WRONG).expect("a file");
    let wrong = place.path().join("wrong");
    let id = place.waiting("write_file").await;
    let wrong = wrong.to_str().expect("a path");
    let words = ["approval", "approve", &id, "--passphrase-file", wrong];
    let mut asked = without_passphrase(place.path());
    assert!(!asked.args(words).output().await.expect("it runs").status.success());
    place.approve("write_file").await;
    waiting.await.expect("an answer");

    // It was all heard of, and is on record.
    let reasons = |log: &[Value]| -> Vec<String> {
        log.iter().filter_map(|it| it["reason"].as_str()).map(str::to_owned).collect()
    };
    let log = place.lines(&["audit", "list", "--limit", "500"]).await;
    assert!(log.len() > 20 && reasons(&log).len() > 4, "{log:?}");
    let exported = place.path().join("log.jsonl");
    place.ask(&["audit", "export", "--output", exported.to_str().expect("a path")]).await;
    let checked = place.ask(&["audit", "verify", exported.to_str().expect("a path")]).await;
    assert_eq!(checked["whole"], true, "{checked}");
    for words in [&["export"][..], &["credential", "list", "--tenant", "acme"], &["status"]] {
        let shown = place.ask(words).await.to_string();
        assert_none(&words.join(" "), shown.as_bytes(), &secrets);
    }
    let process = PathBuf::from(format!("/proc/{}", place.serve()));
    for name in ["cmdline", "environ"] {
        // To others of the same user the process is closed altogether.
        let held = std::fs::read(process.join(name)).unwrap_or_default();
        assert_none(name, &held, &secrets);
    }
    let before: Vec<_> = files(place.path());
    for name in ["registry.db", "registry.db-wal", "serve.log", "log.jsonl"] {
        assert!(before.iter().any(|it| it.ends_with(name)), "{name}: {before:?}");
    }
    // While it runs, and as it is left.
    for running in [true, false] {
        if !running {
            place.end().await;
        }
        for file in files(place.path()) {
            if ["passphrase", "wrong"].iter().any(|it| file.ends_with(it)) {
                continue;
            }
            let held = std::fs::read(&file).unwrap_or_default();
            assert_none(&file.display().to_string(), &held, &secrets);
        }
    }
}
