//! A real identity provider of a test's own.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::place::{Place, peers};

/// `oidc-provider`, which issues tokens for the endpoint of the starter's task.
pub(crate) struct Provider {
    ready: Value,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _running: Child,
}

impl Provider {
    /// Starts one. `bot` and `signer` act in these roles.
    pub(crate) async fn start(place: &Place, roles: &[&str]) -> Self {
        let plan = json!({
            "resources": [place.endpoint()],
            "roles": {"bot": roles, "signer": roles},
        });
        let mut running = Command::new("node")
            .arg(peers("provider.mjs"))
            .arg(plan.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the provider starts");
        let commands = running.stdin.take().expect("its input");
        let mut answers = BufReader::new(running.stdout.take().expect("its output")).lines();
        let line = answers.next_line().await.expect("a line").expect("one");
        let ready = serde_json::from_str(&line).expect("JSON");
        Self { ready, commands, answers, _running: running }
    }

    /// Has it do something, and gives its answer.
    pub(crate) async fn tell(&mut self, command: &str) -> Value {
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await.expect("it listens");
        let line = self.answers.next_line().await.expect("a line").expect("one");
        serde_json::from_str(&line).expect("JSON")
    }

    /// An access token of `bot` with these scopes, joined by `+`.
    pub(crate) async fn token(&mut self, place: &Place, scopes: &str) -> String {
        let answer = self.tell(&format!("token {} {scopes}", place.endpoint())).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Its `iss`.
    pub(crate) fn issuer(&self) -> &str {
        self.ready["issuer"].as_str().expect("an issuer")
    }

    /// What the client `bot`, or `signer`, proves itself by.
    pub(crate) fn client(&self, name: &str) -> Value {
        let mut who = json!({"issuer": self.issuer(), "client": name, "scope": "mcp:connect"});
        match name {
            "signer" => who["key"] = self.ready["key"].clone(),
            _ => who["secret"] = self.ready["secrets"][name].clone(),
        }
        who
    }

    /// Makes it a provider of the tenant, and its clients the agent `executor-1`.
    pub(crate) async fn introduce(&self, place: &Place) {
        let keys = format!("{}/jwks", self.issuer());
        let rules = [
            &["provider", "add", "corp", "--issuer", self.issuer(), "--jwks-uri", &keys][..],
            &["--private-network", "yes", "--agent-claim", "client_id"],
            &["--roles-claim", "mcp_role"],
        ];
        place.ask(&rules.concat()).await;
        for subject in ["bot", "signer"] {
            let words = ["credential", "register", "executor-1", "--provider", "corp"];
            place.ask(&[&words[..], &["--subject", subject]].concat()).await;
        }
    }
}
