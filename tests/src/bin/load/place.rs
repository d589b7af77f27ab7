//! The real gateway: `countersign serve` on a home of its own, in front of a server of each era.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use cs_model::Secret;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::issuer::Issuer;
use crate::server::Era;
use crate::wire::{Errand, Proof, Wire};

/// The passphrase of the one operator.
pub(crate) const PASSPHRASE: &str = "lantern oyster gravel quilt";

/// A program that was built with this one.
pub(crate) fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("this program is a file");
    let program = this.with_file_name(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{} is not built", program.display());
    program
}

/// A program that was started and has said where it is. It ends with this.
pub(crate) struct Started {
    pub(crate) address: String,
    process: Child,
}

impl Started {
    /// Starts this program in another role.
    pub(crate) async fn role(words: &[&str]) -> Self {
        let (line, process) = started(Command::new(program("countersign-load")).args(words)).await;
        Self { address: line, process }
    }

    /// How much time of a processor it has used.
    pub(crate) fn cpu(&self) -> Duration {
        cpu(&self.process)
    }
}

/// How much time of a processor a process has used, in its own code and in the system's.
fn cpu(process: &Child) -> Duration {
    let id = process.id().expect("it runs");
    let stat = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat"))
        .expect("Linux says what a process has used");
    // The name, which may have anything in it, ends with the last bracket.
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|it| it.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}

async fn started(command: &mut Command) -> (String, Child) {
    let mut process =
        command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("a program starts");
    let out = process.stdout.take().expect("its output");
    let mut lines = BufReader::new(out).lines();
    let line = lines.next_line().await.expect("a line").expect("it says where it is");
    (line, process)
}

/// A home, and the gateway that serves from it.
pub(crate) struct Place {
    folder: TempDir,
    serve: Option<Child>,
    /// An address and a port.
    pub(crate) address: String,
}

impl Place {
    /// A home where an agent of each era, `modern` and `legacy`, may call both tools of its server.
    pub(crate) async fn made(issuer: &Issuer, servers: &[(Era, &Started)]) -> Self {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("passphrase"), format!("{PASSPHRASE}\n"))
            .expect("a file");
        let mut place = Self { folder, serve: None, address: String::new() };
        place.ask(&["init", "--starter", "--operator", "Ada", "--secrets", "file"]).await;
        place.serve().await;
        let uri = issuer.uri();
        place
            .ask(
                &[
                    &["provider", "add", "load", "--issuer", uri, "--jwks-uri", uri][..],
                    &["--private-network", "yes"],
                ]
                .concat(),
            )
            .await;
        for (era, server) in servers {
            let (era, url) = (era.word(), format!("http://{}/mcp", server.address));
            place.ask(&["server", "add", era, "--url", &url]).await;
            let tools = ["small", "large"].map(|tool| format!("{era}/{tool}"));
            for tool in &tools {
                place.ask(&["grant", "set", "executor", tool, "allow"]).await;
            }
            let [small, large] = &tools;
            place.ask(&["task", "create", era, "--tool", small, "--tool", large]).await;
            place.ask(&["agent", "create", era, "--role", "executor", "--task", era]).await;
            let subject = ["--provider", "load", "--subject", era];
            place.ask(&[&["credential", "register", era][..], &subject].concat()).await;
        }
        place
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program("countersign"));
        command.arg("--home").arg(self.home()).arg("--json").stdin(Stdio::null());
        command.arg("--passphrase-file").arg(self.folder.path().join("passphrase"));
        command
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn registry(&self) -> PathBuf {
        self.home().join("registry.db")
    }

    /// Runs the command line, and gives what it printed.
    pub(crate) async fn ask(&self, words: &[&str]) -> Value {
        let done = self.command().args(words).output().await.expect("it runs");
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{words:?}: {told}");
        serde_json::from_slice(&done.stdout).unwrap_or(Value::Null)
    }

    /// Starts the gateway.
    pub(crate) async fn serve(&mut self) {
        let mut command = self.command();
        let (line, process) = started(command.args(["serve", "--listen", "127.0.0.1:0"])).await;
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        let url = ready.get("gateway").and_then(Value::as_str).expect("an address");
        self.address = url.trim_start_matches("http://").to_owned();
        self.serve = Some(process);
    }

    /// Ends the gateway, in good order.
    pub(crate) async fn end(&mut self) {
        let mut serve = self.serve.take().expect("it serves");
        let id = serve.id().expect("it runs").to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().await.expect("kill runs");
        assert!(told.success(), "it cannot be told to end");
        let ended = tokio::time::timeout(Duration::from_secs(60), serve.wait()).await;
        assert!(ended.expect("it ends").expect("it ends").success(), "it did not end well");
    }

    /// How much time of a processor the gateway has used.
    pub(crate) fn cpu(&self) -> Duration {
        cpu(self.serve.as_ref().expect("it serves"))
    }

    /// How much memory the gateway's process has in use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.serve.as_ref().and_then(Child::id).expect("it serves");
        let status =
            std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("status"))
                .expect("Linux says how much memory a process has");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a number");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1024
    }

    pub(crate) fn endpoint(&self, era: Era) -> String {
        format!("http://{}{}", self.address, path(era))
    }

    /// What an agent of an era does at the gateway, with an access token.
    pub(crate) async fn by_token(&self, issuer: &Issuer, era: Era) -> Errand {
        let token = issuer.token(era.word(), &self.endpoint(era));
        let errand = Errand::new(&self.address, &path(era), era, Proof::Token(token));
        in_session(errand).await
    }

    /// What it does there with a key that signs each request.
    pub(crate) async fn by_key(&self, era: Era) -> Errand {
        let key = self.ask(&["credential", "issue", era.word()]).await;
        let word = |name: &str| key.get(name).and_then(Value::as_str).expect("a word").to_owned();
        let proof = Proof::Key { id: word("key_id"), secret: Secret::from_text(word("secret")) };
        in_session(Errand::new(&self.address, &path(era), era, proof)).await
    }
}

fn path(era: Era) -> String {
    format!("/t/acme/task/{}/mcp", era.word())
}

/// The same in a session, which the older era has on the wire.
async fn in_session(mut errand: Errand) -> Errand {
    if errand.era == Era::Legacy {
        let session = Wire::open(&errand).await.initialize(&errand).await;
        errand.session = Some(session);
    }
    errand
}
