//! A home of a test's own with `countersign serve` on it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use countersign_tests::programs::{built, repository};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// A running gateway on a starter registry, with its secrets in a sealed file.
pub(crate) struct Place {
    folder: TempDir,
    url: String,
    serve: Option<Child>,
}

/// A file of the real servers and clients.
pub(crate) fn peers(file: &str) -> PathBuf {
    let path = repository("tests/peers").join(file);
    assert!(path.exists(), "{} is not there: cargo xtask setup", path.display());
    path.canonicalize().expect("a path")
}

impl Place {
    /// The registry, and nothing that serves from it.
    pub(crate) async fn made() -> Self {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("passphrase"), "lantern oyster gravel quilt\n")
            .expect("a passphrase");
        let made = command(folder.path())
            .args(["init", "--starter", "--operator", "Ada", "--secrets", "file"])
            .output()
            .await
            .expect("init runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder, url: String::new(), serve: None }
    }

    pub(crate) async fn starter() -> Self {
        Self::start(&[], &[]).await
    }

    /// One whose gateway sees the clock that is written in this file.
    pub(crate) async fn with_clock(file: &Path) -> Self {
        let (preload, clock) = ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE");
        // How long something takes is measured as ever.
        let rest = [("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
        let rest = rest.map(|(name, value)| (name, Path::new(value)));
        let seen = [(preload, clock_library()), (clock, file)];
        Self::start(&[], &[seen, rest].concat()).await
    }

    /// One whose gateway serves as these words say.
    pub(crate) async fn serving(how: &[&str]) -> Self {
        Self::start(how, &[]).await
    }

    /// One whose gateway trusts this certificate authority and no other.
    pub(crate) async fn starter_trusting(authority: &Path) -> Self {
        Self::start(&[], &[("SSL_CERT_FILE", authority)]).await
    }

    async fn start(how: &[&str], environment: &[(&str, &Path)]) -> Self {
        Self::start_as(how, |serve, _| {
            serve.envs(environment.iter().copied());
        })
        .await
    }

    /// One that writes what it has to say, as much as it can be made to, and its temporary files
    /// beside its home.
    pub(crate) async fn watched() -> Self {
        Self::start_as(&[], |serve, folder| {
            let log = std::fs::File::create(folder.join("serve.log")).expect("a file");
            let temporary = folder.join("temporary");
            std::fs::create_dir(&temporary).expect("a folder");
            serve.stderr(log).env("TMPDIR", temporary);
            serve.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        })
        .await
    }

    async fn start_as(how: &[&str], change: impl FnOnce(&mut Command, &Path)) -> Self {
        let mut place = Self::made().await;
        place.begin(how, change).await;
        place
    }

    async fn begin(&mut self, how: &[&str], change: impl FnOnce(&mut Command, &Path)) {
        let mut serve = command(self.path());
        change(&mut serve, self.path());
        let mut serve = serve
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(how)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("serve runs");
        let out = serve.stdout.take().expect("its output");
        let line = BufReader::new(out).lines().next_line().await.expect("a line").expect("one");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        ready["gateway"].as_str().expect("an address").clone_into(&mut self.url);
        self.serve = Some(serve);
    }

    /// Has the gateway end in good order, and starts one anew on what it left behind. It is
    /// elsewhere then.
    pub(crate) async fn again(&mut self) {
        self.end().await;
        let ended = self.serve.as_mut().expect("it serves").wait();
        tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends").expect("so");
        self.begin(&[], |_, _| {}).await;
    }

    /// Ends the gateway as the machine's end would, with no word to it (`SIGKILL`).
    pub(crate) async fn kill(&mut self) {
        self.serve.as_mut().expect("it serves").kill().await.expect("it ends");
    }

    /// Starts a gateway on what a killed one left behind. It is elsewhere then.
    pub(crate) async fn rise(&mut self) {
        self.begin(&[], |_, _| {}).await;
    }

    /// The folder that has the home and what belongs to it.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The number of the process that serves.
    pub(crate) fn serve(&self) -> u32 {
        self.serve.as_ref().and_then(Child::id).expect("it serves")
    }

    /// The endpoint of the starter's task.
    pub(crate) fn endpoint(&self) -> String {
        format!("{}/t/acme/task/workbench/mcp", self.url)
    }

    /// Where the gateway is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Has the gateway end, in good order.
    pub(crate) async fn end(&self) {
        let id = self.serve().to_string();
        let ended = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(ended.expect("kill runs").success());
        for _ in 0..300 {
            if !self.path().join("home/control.sock").exists() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it does not end");
    }

    /// Runs the command line and gives what it printed, which has to be JSON.
    pub(crate) async fn ask(&self, words: &[&str]) -> Value {
        let done = command(self.folder.path()).args(words).output().await.expect("it runs");
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{words:?}: {told}");
        serde_json::from_slice(&done.stdout).unwrap_or(Value::Null)
    }

    /// Runs the command line, which has to refuse, and gives what it said.
    pub(crate) async fn ask_in_vain(&self, words: &[&str]) -> String {
        let done = command(self.folder.path()).args(words).output().await.expect("it runs");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        let out = String::from_utf8_lossy(&done.stdout);
        assert!(!done.status.success(), "{words:?}: {out}");
        format!("{told}{out}")
    }

    /// The same for what prints one JSON value a line.
    pub(crate) async fn lines(&self, words: &[&str]) -> Vec<Value> {
        let done = command(self.folder.path()).args(words).output().await.expect("it runs");
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        let said = String::from_utf8_lossy(&done.stdout);
        said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The reasons of the events of a kind, newest first.
    pub(crate) async fn reasons(&self, kind: &str) -> Vec<String> {
        let rows = self.lines(&["audit", "list", "--kind", kind]).await;
        rows.iter().filter_map(|row| row["reason"].as_str().map(str::to_owned)).collect()
    }

    /// Gives the tenant a secret.
    pub(crate) async fn secret(&self, name: &str, value: &str) {
        let mut set = command(self.folder.path());
        let mut set =
            set.args(["secret", "set", name]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let set = set.as_mut().expect("it runs");
        let mut input = set.stdin.take().expect("its input");
        input.write_all(value.as_bytes()).await.expect("it reads");
        drop(input);
        assert!(set.wait().await.expect("it ends").success());
    }

    /// A fresh key of an agent, in a file.
    pub(crate) async fn key(&self, agent: &str) -> PathBuf {
        let key = self.ask(&["credential", "issue", agent, "--tenant", "acme"]).await;
        let id = key["key_id"].as_str().expect("an id");
        let path = self.folder.path().join(id);
        let text = json!({"key_id": id, "secret": key["secret"]}).to_string();
        std::fs::write(&path, text).expect("a key file");
        path
    }

    /// Lets an agent make calls for the starter's task. Answers with its report.
    pub(crate) async fn agent(
        &self,
        script: &str,
        mode: &str,
        key: &Path,
        calls: Value,
    ) -> Vec<Value> {
        self.agent_on("workbench", script, mode, key, calls).await
    }

    pub(crate) async fn agent_on(
        &self,
        task: &str,
        script: &str,
        mode: &str,
        key: &Path,
        calls: Value,
    ) -> Vec<Value> {
        let url = format!("{}/t/acme/task/{task}/mcp", self.url);
        self.agent_connecting(script, mode, json!(["--url", url, "--key-file", key]), calls).await
    }

    /// Lets an agent make calls over the bridge, which gets these arguments.
    pub(crate) async fn agent_connecting(
        &self,
        script: &str,
        mode: &str,
        args: Value,
        calls: Value,
    ) -> Vec<Value> {
        let mut plan = bridged(mode, &args, &calls);
        plan["timeout_ms"] = json!(60_000);
        run(script, plan).await
    }

    /// The same by a client with its own settings, in which nobody changed anything.
    pub(crate) async fn agent_as_it_is(
        &self,
        script: &str,
        mode: &str,
        key: &Path,
        calls: Value,
    ) -> Vec<Value> {
        let args = json!(["--url", self.endpoint(), "--key-file", key]);
        let mut plan = bridged(mode, &args, &calls);
        plan["as_it_is"] = json!(true);
        run(script, plan).await
    }

    /// Lets an agent that gets its own access token make calls for the starter's task. `who` says
    /// by what it proves itself to its provider.
    pub(crate) async fn agent_by_token(
        &self,
        script: &str,
        mode: &str,
        who: &Value,
        calls: Value,
    ) -> Vec<Value> {
        let mut plan = who.clone();
        plan["url"] = json!(self.endpoint());
        plan["mode"] = json!(mode);
        plan["timeout_ms"] = json!(60_000);
        plan["calls"] = calls;
        run(script, plan).await
    }

    /// Waits until a call of this tool waits for a person, and approves it.
    pub(crate) async fn approve(&self, tool: &str) {
        let passphrase = self.folder.path().join("passphrase");
        let passphrase = passphrase.to_str().expect("a path");
        let id = self.waiting(tool).await;
        self.ask(&["approval", "approve", &id, "--passphrase-file", passphrase]).await;
    }

    /// Waits until a call of this tool waits for a person, and gives the id of its request.
    pub(crate) async fn waiting(&self, tool: &str) -> String {
        for _ in 0..300 {
            let waiting = self.ask(&["approval", "list"]).await;
            let found = waiting.as_array().and_then(|all| {
                all.iter().find(|it| it["tool"] == tool && it["state"] == "pending").cloned()
            });
            if let Some(request) = found {
                return request["id"].as_str().expect("an id").to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no call of {tool} came to wait");
    }

    /// A file of the sample server's folder.
    pub(crate) fn file(&self, name: &str) -> String {
        let path = self.folder.path().join("home/workbench").join(name);
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// A new folder beside the home.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir(&path).expect("a folder");
        path
    }
}

/// The command line on the home of this folder, with the passphrase of its owner.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = without_passphrase(folder);
    command.arg("--passphrase-file").arg(folder.join("passphrase"));
    command
}

/// The same without a passphrase.
pub(crate) fn without_passphrase(folder: &Path) -> Command {
    let mut command = Command::new(built("countersign"));
    command.arg("--home").arg(folder.join("home")).arg("--json").stdin(Stdio::null());
    command
}

/// The plan of an agent that comes over the bridge.
fn bridged(mode: &str, args: &Value, calls: &Value) -> Value {
    let args = [vec![json!("connect")], args.as_array().cloned().unwrap_or_default()].concat();
    json!({ "command": built("countersign"), "args": args, "mode": mode, "calls": calls })
}

/// Python with the packages of the peers.
pub(crate) fn python() -> Command {
    Command::new(repository("target/peers/python/bin/python"))
}

/// What lets a program see another clock than the machine's.
fn clock_library() -> &'static Path {
    let found = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    ];
    let found = found.into_iter().map(Path::new).find(|it| it.exists());
    found.expect("libfaketime is not there: cargo xtask setup")
}

/// Runs an agent's script with its plan and gives its report.
pub(crate) async fn run(script: &str, plan: Value) -> Vec<Value> {
    let mut agent = if script.ends_with(".py") { python() } else { Command::new("node") };
    agent.arg(peers(script)).arg(plan.to_string()).kill_on_drop(true);
    let done = tokio::time::timeout(Duration::from_secs(240), agent.output());
    let done = done.await.expect("the agent ends").expect("the agent runs");
    let said = String::from_utf8_lossy(&done.stdout);
    let report = said.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    report.collect()
}
