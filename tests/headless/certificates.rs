//! Agents with certificates: `curl` and `openssl` in front of a gateway that serves TLS.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::call;
use crate::place::Place;

pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"curl","version":"1"}}}"#;

/// A gateway that serves TLS, with an agent's certificate in a folder.
pub(crate) struct Scene {
    pub(crate) place: Place,
    folder: PathBuf,
    fingerprint: String,
}

/// How a client fared: whether there was an answer, its status and what it printed.
pub(crate) struct Fared {
    pub(crate) code: i32,
    pub(crate) said: String,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::serving(&["--tls", "--name", "localhost"]).await
    }

    pub(crate) async fn serving(how: &[&str]) -> Self {
        let place = Place::serving(how).await;
        let folder = place.folder("certificates");
        let to = folder.to_str().expect("a path");
        let words = ["certificate", "issue", "executor-1", "--tenant", "acme", "--save", to];
        let issued = place.ask(&words).await;
        assert_eq!(issued["key"], Value::Null, "what is saved is not shown");
        let fingerprint = issued["fingerprint"].as_str().expect("a fingerprint").to_owned();
        Self { place, folder, fingerprint }
    }

    /// By TLS, however it served when it started.
    fn endpoint(&self) -> String {
        let url = self.place.url().replace("http://127.0.0.1:", "https://localhost:");
        format!("{url}/t/acme/task/workbench/mcp")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Lets `curl` send a message. The status stands on the last line of what it says.
    pub(crate) async fn curl(&self, more: &[&str], message: &str) -> Fared {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--write-out",
            "\n%{http_code}",
        ])
        .arg("--cacert")
        .arg(self.path("countersign.pem"))
        .args(["--header", "Content-Type: application/json"])
        .args(["--header", "Accept: application/json, text/event-stream"])
        .args(more)
        .args(["--data", message])
        .arg(self.endpoint());
        fared(&mut curl).await
    }

    /// The same with a certificate and its key.
    pub(crate) async fn curl_as(&self, name: &str, more: &[&str], message: &str) -> Fared {
        let [pem, key] = ["pem", "key"].map(|end| self.path(&format!("{name}.{end}")));
        let [pem, key] = [&pem, &key].map(|path| path.to_str().expect("a path"));
        self.curl(&[&["--cert", pem, "--key", key], more].concat(), message).await
    }

    pub(crate) async fn openssl(&self, words: &[&str]) {
        let mut openssl = Command::new("openssl");
        let done = fared(openssl.current_dir(&self.folder).args(words)).await;
        assert_eq!(done.code, 0, "{words:?}: {}", done.said);
    }

    /// Has a certificate issued to another agent, with its key beside it. Gives its name here.
    pub(crate) async fn issue(&self, agent: &str) -> String {
        let folder = self.path("others");
        std::fs::create_dir(&folder).expect("a folder");
        let to = folder.to_str().expect("a path");
        self.place.ask(&["certificate", "issue", agent, "--tenant", "acme", "--save", to]).await;
        format!("others/{agent}")
    }

    /// Makes a certificate that nobody vouches for.
    pub(crate) async fn self_signed(&self, name: &str) {
        let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
        let [pem, key] = ["pem", "key"].map(|end| format!("{name}.{end}"));
        let own = ["-nodes", "-keyout", &key, "-out", &pem, "-subj", "/CN=localhost"];
        self.openssl(&[&new[..], &own, &["-days", "1"]].concat()).await;
    }

    pub(crate) async fn revoke(&self) {
        let words = ["certificate", "revoke", &self.fingerprint, "--tenant", "acme"];
        assert_eq!(self.place.ask(&words).await["state"], "revoked");
    }

    /// Waits until a refusal with this reason is on record: that of a handshake is written down
    /// after it has failed.
    pub(crate) async fn hears(&self, reason: &str) {
        for _ in 0..100 {
            if self.reasons().await.iter().any(|it| it == reason) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{reason} is not on record: {:?}", self.reasons().await);
    }

    /// The reasons of the refusals on record, newest first.
    async fn reasons(&self) -> Vec<String> {
        self.place.reasons("authn.failed").await
    }
}

pub(crate) async fn fared(command: &mut Command) -> Fared {
    let command = command.stdin(Stdio::null()).kill_on_drop(true);
    let done = command.output().await.expect("the program runs");
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Fared { code: done.status.code().unwrap_or(-1), said }
}

impl Fared {
    pub(crate) fn status(&self) -> &str {
        self.said.lines().rev().find(|line| line.len() == 3).unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_curl_is_let_in_by_its_certificate_until_that_is_revoked() {
    let scene = Scene::new().await;
    let opened = scene.curl_as("executor-1", &[], INITIALIZE).await;
    assert_eq!(opened.status(), "200", "{}", opened.said);
    assert!(opened.said.contains("serverInfo"), "{}", opened.said);

    let call = json!({
        "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": {
            "name": "read_file",
            "arguments": { "path": "notes/welcome.md" },
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    });
    let headers = [
        ["--header", "MCP-Protocol-Version: 2026-07-28"],
        ["--header", "Mcp-Method: tools/call"],
        ["--header", "Mcp-Name: read_file"],
    ];
    let read = scene.curl_as("executor-1", &headers.concat(), &call.to_string()).await;
    assert!(read.said.contains("Welcome"), "{}", read.said);

    let bare = scene.curl(&[], INITIALIZE).await;
    assert_eq!(bare.status(), "401", "{}", bare.said);
    let old = scene.curl_as("executor-1", &["--tls-max", "1.2"], INITIALIZE).await;
    assert_ne!(old.code, 0, "TLS 1.2 is not spoken: {}", old.said);

    scene.revoke().await;
    let mut refused = scene.curl_as("executor-1", &[], INITIALIZE).await;
    assert_ne!(refused.status(), "200", "{}", refused.said);
    // The authority's next list is signed a moment later; from then on there is no handshake.
    for _ in 0..100 {
        if refused.code != 0 {
            break;
        }
        assert_eq!(refused.status(), "401", "{}", refused.said);
        tokio::time::sleep(Duration::from_millis(50)).await;
        refused = scene.curl_as("executor-1", &[], INITIALIZE).await;
    }
    assert_ne!(refused.code, 0, "{}", refused.said);
    scene.hears("certificate_revoked").await;
    let chain = scene.place.ask(&["audit", "verify"]).await;
    assert_eq!(chain["whole"], true, "{chain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_m05_certificates_that_openssl_makes_open_nothing() {
    let scene = Scene::new().await;
    let issued = scene.place.ask(&["certificate", "authority", "--tenant", "acme"]).await;
    let prefix = issued["speaks_for"].as_str().expect("a prefix").to_owned();
    let san = format!("subjectAltName=URI:{prefix}agent/executor-1");
    let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let own = ["-keyout", "forged.key", "-out", "forged.pem", "-subj", "/CN=acme", "-days", "1"];
    let shape = ["-addext", &san, "-addext", "extendedKeyUsage=clientAuth"];
    let leaf = ["-addext", "basicConstraints=critical,CA:FALSE"];
    let usage = ["-addext", "keyUsage=critical,digitalSignature"];
    scene.openssl(&[&new[..], &own, &shape, &leaf, &usage].concat()).await;
    let refused = scene.curl_as("forged", &[], INITIALIZE).await;
    assert_ne!(refused.code, 0, "{}", refused.said);

    // A key of the agent's own: nothing but the key is taken from the request.
    let request = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let names = ["-nodes", "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=admin"];
    let asks = ["-addext", "basicConstraints=critical,CA:TRUE"];
    scene.openssl(&[&request[..], &names, &asks].concat()).await;
    let csr = scene.path("own.csr");
    let csr = csr.to_str().expect("a path");
    let words = ["certificate", "issue", "executor-1", "--tenant", "acme", "--csr", csr];
    let issued = scene.place.ask(&words).await;
    let pem = issued["certificate"].as_str().expect("a certificate");
    std::fs::write(scene.path("own.pem"), pem).expect("a file");
    let opened = scene.curl_as("own", &[], INITIALIZE).await;
    assert_eq!(opened.status(), "200", "{}", opened.said);
}

/// `openssl s_client` on an open connection.
struct Talk {
    _client: Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Talk {
    fn open(scene: &Scene, more: &[&str]) -> Self {
        let address = scene.place.url().trim_start_matches("https://").to_owned();
        let mut client = Command::new("openssl")
            .current_dir(&scene.folder)
            .args(["s_client", "-quiet", "-ign_eof", "-CAfile", "countersign.pem"])
            .args(["-verify_return_error", "-connect", &address])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("openssl runs");
        let to = client.stdin.take().expect("its input");
        let from = client.stdout.take().expect("its output");
        Self { _client: client, to, from }
    }

    /// Sends the message and gives the status of the answer.
    async fn ask(&mut self, scene: &Scene) -> String {
        let host = scene.place.url().trim_start_matches("https://");
        let request = format!(
            "POST /t/acme/task/workbench/mcp HTTP/1.1\r\nHost: {host}\r\n\
             Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
             Content-Length: {}\r\n\r\n{INITIALIZE}",
            INITIALIZE.len()
        );
        self.to.write_all(request.as_bytes()).await.expect("it listens");
        self.to.flush().await.expect("it listens");
        let mut seen = Vec::new();
        let reading = async {
            // Each of the answers is one JSON object.
            while !seen.ends_with(b"}") {
                assert!(
                    self.from.read_buf(&mut seen).await.expect("an answer") > 0,
                    "it broke off"
                );
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reading).await.expect("an answer in time");
        let seen = String::from_utf8_lossy(&seen).into_owned();
        seen.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_openssl_is_refused_on_the_next_request_of_a_connection_that_is_open() {
    let scene = Scene::new().await;
    let mut talk = Talk::open(&scene, &["-cert", "executor-1.pem", "-key", "executor-1.key"]);
    for _ in 0..2 {
        let status = talk.ask(&scene).await;
        assert_eq!(status, "200", "{:?}", scene.reasons().await);
    }
    scene.revoke().await;
    assert_eq!(talk.ask(&scene).await, "401");
    let reason = scene.reasons().await.remove(0);
    assert!(["credential_revoked", "certificate_revoked"].contains(&reason.as_str()), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_openssl_gets_no_session_that_it_could_resume() {
    let scene = Scene::new().await;
    let session = scene.path("session");
    let session = session.to_str().expect("a path");
    let own = ["-cert", "executor-1.pem", "-key", "executor-1.key", "-sess_out", session];
    let mut talk = Talk::open(&scene, &own);
    assert_eq!(talk.ask(&scene).await, "200");
    drop(talk);
    // Without a ticket there is nothing to write down, and so nothing to come back with.
    assert!(!Path::new(session).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_an_sdk_client_comes_in_over_the_bridge_by_certificate_or_by_key_and_no_stranger_does()
{
    let scene = Scene::new().await;
    let calls = json!([{"name": "read_file", "arguments": {"path": "notes/welcome.md"}}]);
    let (url, authority) = (scene.place.endpoint(), scene.path("countersign.pem"));
    let certificate = ["executor-1.pem", "executor-1.key"].map(|name| scene.path(name));
    let by_certificate = json!([
        "--url",
        url,
        "--ca-file",
        authority,
        "--cert-file",
        certificate[0],
        "--cert-key-file",
        certificate[1],
    ]);
    let key = scene.place.key("executor-1").await;
    let by_key = json!(["--url", url, "--ca-file", authority, "--key-file", key]);
    for (args, mode) in [(by_certificate, "2026-07-28"), (by_key, "legacy")] {
        let report =
            scene.place.agent_connecting("agent-client.mjs", mode, args, calls.clone()).await;
        let answer = &call(&report, "read_file")["result"];
        assert!(answer["content"][0]["text"].is_string(), "{report:?}");
    }
    // A gateway that nobody vouches for is told nothing.
    let before = scene.place.lines(&["audit", "list"]).await.len();
    let doubted = json!(["--url", url, "--key-file", key]);
    let report = scene.place.agent_connecting("agent-client.mjs", "legacy", doubted, calls).await;
    let failed = report.iter().find(|line| line.get("failed").is_some());
    assert!(failed.is_some_and(|it| it.to_string().contains("could not reach")), "{report:?}");
    assert_eq!(scene.place.lines(&["audit", "list"]).await.len(), before);
}
