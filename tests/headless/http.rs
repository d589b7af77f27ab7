//! A real Streamable HTTP server behind the gateway, in clear on loopback and over TLS.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::place::{self, Place};
use crate::{call, text};

/// The server on the official SDK, writing down what reaches it.
pub(crate) struct Peer {
    url: String,
    record: PathBuf,
    _folder: TempDir,
    _process: Child,
}

impl Peer {
    pub(crate) async fn start(args: &[&OsStr]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let record = folder.path().join("record");
        let mut process = Command::new("node")
            .arg(place::peers("http-server.mjs"))
            .arg("--record")
            .arg(&record)
            .args(args)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server runs");
        let out = process.stdout.take().expect("its output");
        let line = BufReader::new(out).lines().next_line().await.expect("a line").expect("one");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let url = ready["url"].as_str().expect("an address").to_owned();
        Self { url, record, _folder: folder, _process: process }
    }

    /// Its endpoint.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All requests that reached it.
    fn seen(&self) -> Vec<Value> {
        let record = std::fs::read_to_string(&self.record).unwrap_or_default();
        record.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The names of the tools that were called, in order.
    fn called(&self) -> Vec<Value> {
        let seen = self.seen();
        let calls = seen.iter().filter(|it| it["body"]["method"] == "tools/call");
        calls.map(|it| it["body"]["params"]["name"].clone()).collect()
    }
}

/// Puts the server behind the gateway: `echo` is allowed, `count` needs a person, `steps` is not
/// granted. Gives a key of the agent that may.
async fn put_behind(place: &Place, peer: &Peer) -> PathBuf {
    place.ask(&["server", "add", "peer", "--url", &peer.url]).await;
    place.ask(&["grant", "set", "executor", "peer/echo", "allow"]).await;
    place.ask(&["grant", "set", "executor", "peer/count", "token"]).await;
    let all = ["--tool", "peer/echo", "--tool", "peer/count", "--tool", "peer/steps"];
    place.ask(&[&["task", "create", "peer"][..], &all].concat()).await;
    place.ask(&["agent", "update", "executor-1", "--role", "executor", "--task", "peer"]).await;
    place.key("executor-1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_http_server_gets_the_calls_that_may_be_made_each_once_and_nothing_of_the_agent() {
    let place = Place::starter().await;
    let peer = Peer::start(&[]).await;
    let key = put_behind(&place, &peer).await;
    let calls = json!([
        {"name": "echo", "arguments": {"text": "over HTTP"}},
        {"name": "steps", "arguments": {"steps": 3}},
        {"name": "echo", "arguments": {"text": 7}},
        {"name": "count", "arguments": {}},
    ]);
    let agent = place.agent_on("peer", "agent-sdk.mjs", "legacy", &key, calls);
    let (report, ()) = tokio::join!(agent, place.approve("count"));
    assert!(report.contains(&json!({"listed": ["count", "echo"]})), "{report:?}");
    assert!(text(call(&report, "echo")).contains("over HTTP"), "{report:?}");
    let refused = text(call(&report, "steps"));
    assert!(refused.contains("is not in this session's allowlist"), "{refused}");
    let unfit = report.iter().filter(|it| it["call"] == "echo").nth(1).map(text);
    assert!(unfit.is_some_and(|it| it.contains("input schema at `/text`")), "{report:?}");
    assert_eq!(call(&report, "count")["result"]["content"][0]["text"], "1", "{report:?}");
    assert_eq!(peer.called(), ["echo", "count"]);
    for request in peer.seen() {
        for ours in ["authorization", "signature", "signature-input", "content-digest", "cookie"] {
            assert!(request["headers"].get(ours).is_none(), "{ours}: {request}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_servers_of_either_era_meet() {
    for spoken in ["legacy", "modern"] {
        let place = Place::starter().await;
        let peer = Peer::start(&["--era".as_ref(), spoken.as_ref()]).await;
        let key = put_behind(&place, &peer).await;
        for era in ["legacy", "2026-07-28"] {
            let text = format!("{era} to {spoken}, é");
            let calls = json!([
                {"name": "echo", "arguments": {"text": text}},
                {"name": "echo", "arguments": {"text": 7}},
            ]);
            let report = place.agent_on("peer", "agent-client.mjs", era, &key, calls).await;
            let echoed = &call(&report, "echo")["result"];
            assert_eq!(echoed["content"][0]["text"], text, "{report:?}");
        }
        let seen = peer.seen();
        let said = |name: &str| {
            let calls = seen.iter().filter(|it| it["body"]["method"] == "tools/call");
            calls.map(|it| it["headers"][name].clone()).collect::<Vec<_>>()
        };
        if spoken == "modern" {
            assert_eq!(said("mcp-protocol-version"), ["2026-07-28"; 2]);
            assert_eq!(said("mcp-method"), ["tools/call"; 2]);
            assert_eq!(said("mcp-name"), ["echo"; 2]);
            let param = said("mcp-param-text");
            let coded = |it: &Value| it.as_str().is_some_and(|it| it.starts_with("=?base64?"));
            assert!(param.iter().all(coded), "{param:?}");
            assert!(seen.iter().all(|it| it["headers"].get("mcp-session-id").is_none()));
        } else {
            assert_eq!(said("mcp-protocol-version"), ["2025-11-25"; 2]);
            assert_eq!(said("mcp-name"), [Value::Null, Value::Null]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_over_tls_is_believed_only_with_a_certificate_that_the_machine_trusts() {
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = KeyPair::generate().expect("a key");
    let ca = CertifiedIssuer::self_signed(params, ca).expect("an authority");
    let authority = file("ca.pem", ca.pem());
    let key = KeyPair::generate().expect("a key");
    let names = vec!["127.0.0.1".to_owned()];
    let leaf = CertificateParams::new(names).expect("names").signed_by(&key, &ca);
    let leaf = file("leaf.pem", leaf.expect("a certificate").pem());
    let key = file("key.pem", key.serialize_pem());
    let tls = ["--tls-cert".as_ref(), leaf.as_os_str(), "--tls-key".as_ref(), key.as_os_str()];
    let peer = Peer::start(&tls).await;
    assert!(peer.url.starts_with("https://"), "{}", peer.url);

    let trusting_the_system = Place::starter().await;
    let add = ["server", "add", "peer", "--url", &peer.url];
    let told = trusting_the_system.ask_in_vain(&add).await;
    assert!(told.to_lowercase().contains("certificate"), "{told}");
    assert!(peer.seen().is_empty(), "nothing is said to a server that is not believed");

    let place = Place::starter_trusting(&authority).await;
    let key = put_behind(&place, &peer).await;
    let calls = json!([{"name": "echo", "arguments": {"text": "over TLS"}}]);
    let report = place.agent_on("peer", "agent-sdk.mjs", "legacy", &key, calls).await;
    assert!(text(call(&report, "echo")).contains("over TLS"), "{report:?}");
    assert_eq!(peer.called(), ["echo"]);
}
