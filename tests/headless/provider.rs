//! A real identity provider of a test's own.

use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::place::{Place, peers, python};

/// An identity provider which issues tokens for the endpoint of the starter's task.
pub(crate) struct Provider {
    ready: Value,
    plan: Value,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    running: Child,
    _folder: Option<TempDir>,
}

impl Provider {
    /// Starts `oidc-provider`. `bot` and `signer` act in these roles.
    pub(crate) async fn start(place: &Place, roles: &[&str]) -> Self {
        Self::with(place, roles, json!({})).await
    }

    /// The same with more in its plan.
    pub(crate) async fn with(place: &Place, roles: &[&str], more: Value) -> Self {
        let mut plan = json!({
            "resources": [place.endpoint()],
            "roles": {"bot": roles, "signer": roles, "bound": roles},
        });
        plan.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        let node = Command::new("node");
        Self::run(node, "provider.mjs", plan, None).await
    }

    /// Starts Glewlwyd, whose tokens say nothing of roles.
    pub(crate) async fn glewlwyd(place: &Place) -> Self {
        let folder = TempDir::new().expect("a folder");
        let plan = json!({"folder": folder.path(), "resources": [place.endpoint()]});
        Self::run(python(), "glewlwyd.py", plan, Some(folder)).await
    }

    async fn run(mut program: Command, script: &str, plan: Value, folder: Option<TempDir>) -> Self {
        let mut running = program
            .arg(peers(script))
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
        Self { ready, plan, commands, answers, running, _folder: folder }
    }

    /// Ends it at once, in the middle of whatever it does.
    pub(crate) async fn kill(&mut self) {
        self.running.kill().await.expect("it ends");
    }

    /// Starts it anew where it was, with the keys that it had.
    pub(crate) async fn again(&mut self) {
        let mut plan = self.plan.clone();
        plan["state"] = self.ready["state"].clone();
        *self = Self::run(Command::new("node"), "provider.mjs", plan, None).await;
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
        self.token_by(&format!("token {} {scopes}", place.endpoint())).await
    }

    /// The access token that it answers a command with.
    pub(crate) async fn token_by(&mut self, command: &str) -> String {
        let answer = self.tell(command).await;
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Its `iss`.
    pub(crate) fn issuer(&self) -> &str {
        self.ready["issuer"].as_str().expect("an issuer")
    }

    /// The secret of a client.
    pub(crate) fn secret(&self, client: &str) -> &str {
        self.ready["secrets"][client].as_str().expect("a secret")
    }

    /// The private key of `signer`, as PEM.
    pub(crate) fn pem(&self) -> &str {
        self.ready["pem"].as_str().expect("a key")
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
        self.introduce_with(place, &[]).await;
    }

    /// The same with further rules for its tokens.
    pub(crate) async fn introduce_with(&self, place: &Place, more: &[&str]) {
        let keys = format!("{}/jwks", self.issuer());
        let rules = [
            &["provider", "add", "corp", "--issuer", self.issuer(), "--jwks-uri", &keys][..],
            &["--private-network", "yes", "--agent-claim", "client_id"],
            &["--roles-claim", "mcp_role"],
            more,
        ];
        place.ask(&rules.concat()).await;
        for subject in ["bot", "signer", "bound"] {
            register(place, subject).await;
        }
    }
}

/// Makes a client of the provider the agent `executor-1`.
pub(crate) async fn register(place: &Place, subject: &str) {
    let words = ["credential", "register", "executor-1", "--provider", "corp"];
    place.ask(&[&words[..], &["--subject", subject]].concat()).await;
}

/// The provider as the console sees it.
pub(crate) async fn status(place: &Place) -> Value {
    place.ask(&["provider", "list"]).await[0]["status"].clone()
}
