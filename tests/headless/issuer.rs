//! The built-in token issuer: real clients get from the endpoint's address alone to a token of it and
//! to a countersigned call, each by its own proof.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use countersign_tests::agent::Agent;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::place::Place;
use crate::{call, text};

/// Makes a key for ES256: the private one, and the set with the public one.
const KEYS: &str = "\
    const { subtle } = globalThis.crypto
    const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
    const [own, open] = await Promise.all(
      [pair.privateKey, pair.publicKey].map((key) => subtle.exportKey('jwk', key)))
    const { kty, crv, x, y, d } = own
    const shown = { kty, crv, x: open.x, y: open.y, alg: 'ES256', use: 'sig', kid: 'agent' }
    console.log(JSON.stringify({ own: { kty, crv, x, y, d }, set: { keys: [shown] } }))";

/// What a program prints, which has to be JSON.
async fn said(command: &mut Command) -> Value {
    let done = command.stdin(Stdio::null()).kill_on_drop(true).output().await.expect("it runs");
    let told = String::from_utf8_lossy(&done.stderr);
    let printed = String::from_utf8_lossy(&done.stdout);
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed} {told}"))
}

/// Has the issuer issue.
async fn enable(place: &Place) -> String {
    let shown = place.ask(&["issuer", "set", "--enable", "--tenant", "acme"]).await;
    assert_eq!(shown["enabled"], true, "{shown}");
    shown["issuer"].as_str().expect("an issuer").to_owned()
}

/// Registers a client of the agent `executor-1`.
async fn register(place: &Place, words: &[&str]) -> Value {
    let usual = ["credential", "issue", "executor-1", "--tenant", "acme", "--kind", "client"];
    place.ask(&[&usual[..], words].concat()).await
}

fn calls(count: usize) -> Value {
    let note = json!({"path": "log.txt", "content": format!("{count}\n"), "append": true});
    json!([
        {"name": "read_file", "arguments": {"path": "notes/welcome.md"}},
        {"name": "access_secrets", "arguments": {"name": "x"}},
        {"name": "write_file", "arguments": note},
    ])
}

/// Lets an agent make its calls, signs for the one that a person has to sign for, and looks at what
/// came of them.
async fn works(place: &Place, script: &str, mode: &str, who: &Value, count: usize) {
    let agent = place.agent_by_token(script, mode, who, calls(count));
    let person = place.approve("write_file");
    let (report, ()) = tokio::join!(agent, person);
    let read = text(call(&report, "read_file"));
    assert!(read.contains("Welcome"), "{script} {mode}: {report:?}");
    let refused = text(call(&report, "access_secrets"));
    let expected = "Tool 'access_secrets' is not in this session's allowlist";
    assert!(refused.contains(expected), "{script} {mode}: {refused}");
    assert_eq!(place.file("log.txt").lines().count(), count + 1, "{script} {mode}: {report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn real_clients_need_no_provider_to_get_from_the_address_to_a_countersigned_call() {
    let place = Place::starter().await;
    let issuer = enable(&place).await;
    let secret = register(&place, &["--method", "secret"]).await;
    let keys = said(Command::new("node").args(["--input-type=module", "--eval", KEYS])).await;
    let path = place.path().join("keys.json");
    std::fs::write(&path, keys["set"].to_string()).expect("a file");
    let path = path.to_str().expect("a path");
    let keyed = register(&place, &["--method", "private-key-jwt", "--jwks", path]).await;
    assert_eq!(keyed["secret"], Value::Null);

    let by_secret = json!({"issuer": issuer, "client": secret["client_id"],
                           "secret": secret["secret"], "scope": "mcp:connect"});
    let by_key = json!({"issuer": issuer, "client": keyed["client_id"], "key": keys["own"],
                        "scope": "mcp:connect"});
    let clients = [
        ("agent-oauth.mjs", "legacy", &by_secret),
        ("agent-oauth.mjs", "2026-07-28", &by_key),
        ("agent.py", "legacy", &by_key),
        ("agent.py", "auto", &by_secret),
    ];
    for (count, (script, mode, who)) in clients.into_iter().enumerate() {
        works(&place, script, mode, who, count).await;
    }
    let shown = place.ask(&["issuer", "show", "--tenant", "acme"]).await;
    assert!(shown["issued_day"].as_u64().is_some_and(|it| it >= 4), "{shown}");
    assert_eq!(shown["refused_day"], 0, "{shown}");
    let log = place.lines(&["audit", "list", "--kind", "issuer.issued"]).await;
    let secret = secret["secret"].as_str().expect("a secret");
    assert!(!log.is_empty() && !json!(log).to_string().contains(secret));
    let chain = place.ask(&["audit", "verify"]).await;
    assert_eq!(chain["whole"], true, "{chain}");
}

/// Gets a token with `curl`.
async fn token(place: &Place, client: &Value) -> String {
    let user = format!("{}:{}", word(client, "client_id"), word(client, "secret"));
    let answer = said(
        Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "20", "--user", &user])
            .args(["--data-urlencode", "grant_type=client_credentials", "--data-urlencode"])
            .arg(format!("resource={}", place.endpoint()))
            .arg(word(client, "token_endpoint")),
    )
    .await;
    word(&answer, "access_token").to_owned()
}

fn word<'v>(of: &'v Value, name: &str) -> &'v str {
    of[name].as_str().unwrap_or_else(|| panic!("no {name}: {of}"))
}

async fn listed(place: &Place, token: &str) -> StatusCode {
    Agent::with_token(&place.endpoint(), token).request("tools/list", json!({})).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn j15_j21_a_rotation_refuses_nobody_and_every_ending_counts_on_the_next_request() {
    let place = Place::starter().await;
    enable(&place).await;
    let client = register(&place, &[]).await;
    let first = token(&place, &client).await;
    assert_eq!(listed(&place, &first).await, StatusCode::OK);
    let rotated = place.ask(&["issuer", "rotate", "--tenant", "acme"]).await;
    assert_eq!(rotated["keys"].as_array().map(Vec::len), Some(3), "{rotated}");
    let second = token(&place, &client).await;
    for token in [&first, &second] {
        assert_eq!(listed(&place, token).await, StatusCode::OK);
    }

    let user = format!("{}:{}", word(&client, "client_id"), word(&client, "secret"));
    let revoke = word(&client, "token_endpoint").replace("/token", "/revoke");
    let given_up = said(
        Command::new("curl")
            .args(["--silent", "--max-time", "20", "--user", &user, "--data-urlencode"])
            .args([&format!("token={first}"), &revoke]),
    )
    .await;
    assert_eq!(given_up, json!({}));
    assert_eq!(listed(&place, &first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(listed(&place, &second).await, StatusCode::OK);
    let all = place.ask(&["revocation", "list", "--tenant", "acme"]).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");

    place.ask(&["issuer", "set", "--disable", "--tenant", "acme"]).await;
    assert_eq!(listed(&place, &second).await, StatusCode::UNAUTHORIZED);
    enable(&place).await;
    assert_eq!(listed(&place, &second).await, StatusCode::UNAUTHORIZED, "it does not come back");
    let third = token(&place, &client).await;
    assert_eq!(listed(&place, &third).await, StatusCode::OK);
    place.ask(&["credential", "revoke", word(&client, "client_id"), "--tenant", "acme"]).await;
    assert_eq!(listed(&place, &third).await, StatusCode::UNAUTHORIZED);
}

/// A gateway over TLS, with the files of an agent's certificate.
async fn over_tls() -> (Place, PathBuf) {
    let place = Place::serving(&["--tls", "--name", "localhost"]).await;
    let folder = place.folder("certificates");
    let to = folder.to_str().expect("a path");
    place.ask(&["certificate", "issue", "executor-1", "--tenant", "acme", "--save", to]).await;
    (place, folder)
}

fn file(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("a path").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn j27_real_clients_prove_themselves_by_certificate_and_their_tokens_are_bound_to_it() {
    let (place, folder) = over_tls().await;
    let issuer = enable(&place).await;
    let client = register(&place, &["--method", "tls"]).await;
    assert_eq!(client["method"], "tls_client_auth");
    let [pem, key, authority] =
        ["executor-1.pem", "executor-1.key", "countersign.pem"].map(|name| file(&folder, name));
    let who = json!({
        "issuer": issuer, "client": client["client_id"], "scope": "mcp:connect",
        "tls": {"certificate": pem, "key": key, "authority": authority},
    });
    works(&place, "agent.py", "auto", &who, 0).await;

    let usual = ["--silent", "--show-error", "--max-time", "20", "--cacert", &authority];
    let own = ["--cert", &pem, "--key", &key];
    let form = [
        "grant_type=client_credentials".to_owned(),
        format!("resource={}", place.endpoint()),
        format!("client_id={}", word(&client, "client_id")),
    ];
    let mut asks = Command::new("curl");
    asks.args(usual).args(own);
    for pair in &form {
        asks.args(["--data-urlencode", pair]);
    }
    let answer = said(asks.arg(word(&client, "token_endpoint"))).await;
    let bearer = format!("Authorization: Bearer {}", word(&answer, "access_token"));
    let opens = |with: Vec<&str>| {
        let (bearer, with) = (bearer.clone(), with.join("\n"));
        let endpoint = place.endpoint();
        async move {
            let mut curl = Command::new("curl");
            curl.args(usual).args(with.lines()).args(["--output", "/dev/null", "--write-out"]);
            curl.args(["%{http_code}", "--header", &bearer]);
            curl.args(["--header", "Content-Type: application/json"]);
            curl.args(["--header", "Accept: application/json, text/event-stream", "--data"]);
            said(curl.arg(INITIALIZE).arg(endpoint)).await
        }
    };
    assert_eq!(opens(own.to_vec()).await, 200);
    assert_eq!(opens(Vec::new()).await, 401, "somebody else's hands");

    let mut bare = Command::new("curl");
    bare.args(usual);
    for pair in &form {
        bare.args(["--data-urlencode", pair]);
    }
    let refused = said(bare.arg(word(&client, "token_endpoint"))).await;
    assert_eq!(refused["error"], "invalid_client", "{refused}");
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"curl","version":"1"}}}"#;
