//! The archived server for PostgreSQL. Its one tool says that it only reads; whoever ends its
//! transaction writes. What it says of itself opens nothing here.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::clients::CLIENTS;
use super::servers::{self, Call, Server};
use super::{call, meet};
use crate::place::Place;

const READ: &str = "SELECT name FROM people";

/// The user that PostgreSQL runs as where it would else be root, which it refuses to be.
const NOBODY: u32 = 65_534;

/// A PostgreSQL of the test's own.
struct Database {
    programs: PathBuf,
    port: u16,
    folder: TempDir,
    _process: Child,
}

/// Where its programs are: where Debian has them.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|it| it.path().join("bin")).collect();
    found.retain(|folder| folder.join("initdb").exists() && folder.join("psql").exists());
    found.sort();
    found.pop().expect("PostgreSQL is not there: cargo xtask setup")
}

fn as_somebody(program: &Path) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("this process").uid() == 0
}

impl Database {
    async fn start() -> Self {
        let programs = programs();
        // Where that user can go, too.
        let folder = TempDir::new_in("/tmp").expect("a folder");
        let (data, password) = (folder.path().join("data"), folder.path().join("password"));
        fs::write(&password, "lantern").expect("a file");
        if is_root() {
            for path in [folder.path(), password.as_path()] {
                chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
            }
        }
        let mut made = as_somebody(&programs.join("initdb"));
        made.args(["--username=peer", "--auth=scram-sha-256", "--no-sync", "--locale=C"]);
        made.args(["--encoding=UTF8"]).arg("--pwfile").arg(password).arg("--pgdata").arg(&data);
        assert!(made.current_dir(folder.path()).status().await.expect("initdb runs").success());
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
        let port = port.expect("an address").port();
        let mut process = as_somebody(&programs.join("postgres"));
        process.arg("-D").arg(&data).args(["-p", &port.to_string()]).stderr(Stdio::null());
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"] {
            process.args(["-c", setting]);
        }
        let process = process.current_dir(folder.path()).spawn().expect("it runs");
        let database = Self { programs, port, folder, _process: process };
        for _ in 0..100 {
            if database.ask("SELECT 1").await == Some("1".to_owned()) {
                return database;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("PostgreSQL does not answer");
    }

    fn url(&self) -> String {
        format!("postgresql://peer:lantern@127.0.0.1:{}/postgres", self.port)
    }

    /// What it answers to a statement, unless it refuses or is not there yet.
    async fn ask(&self, sql: &str) -> Option<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--tuples-only", "--no-align", &self.url(), "--command", sql]);
        let done = psql.stdin(Stdio::null()).output().await.expect("psql runs");
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
    }

    /// Which tables there are.
    async fn tables(&self) -> String {
        let all = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
        self.ask(all).await.expect("an answer")
    }
}

/// A statement that ends the transaction in which it may only read, and then writes.
fn write() -> Value {
    json!([{"name": "query",
            "arguments": {"sql": format!("{READ}; COMMIT; CREATE TABLE written (n int)")}}])
}

/// One statement may be made, letter by letter; a person has to sign for every other.
async fn put_behind(place: &Place, server: &Server, url: &str) {
    place.ask(&["role", "create", "pairs", "--tenant", "acme"]).await;
    let words = servers::node("server-postgres", &[url]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let probe = place.ask(&[&["server", "probe"][..], &words].concat()).await;
    let found = probe.as_array().and_then(|all| all.iter().find(|it| it["name"] == "query"));
    let found = found.unwrap_or_else(|| panic!("{probe}"));
    assert_eq!(found["description"], "Run a read-only SQL query", "{probe}");
    assert_eq!(found["suggested"], "token", "{probe}");
    server.put_behind(place, &words, &[]).await;
    let when = json!({"properties": {"sql": {"const": READ}}, "required": ["sql"]}).to_string();
    let set = ["grant", "set", "pairs", "postgres/query", "allow", "--tenant", "acme"];
    place.ask(&[&set[..], &["--when", &when, "--otherwise", "token"]].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_says_that_it_reads_is_not_believed_whoever_calls_it() {
    let place = Arc::new(Place::starter().await);
    let database = Database::start().await;
    let made = "CREATE TABLE people AS SELECT 'Ada' AS name";
    assert!(database.ask(made).await.is_some());
    // It only reads tables, and writes a file.
    let copy = format!("COPY people TO '{}'", database.folder.path().join("CLIENT").display());
    let server = Arc::new(Server {
        name: "postgres",
        allowed: Call::new("query", json!({"sql": READ}), "Ada"),
        refused: "write_file",
        held: Call::new("query", json!({"sql": copy}), "[]"),
    });
    put_behind(&place, &server, &database.url()).await;
    servers::agents(&place, &[Arc::clone(&server)]).await;

    // What a person does not sign for is not done, whatever the tool says of itself.
    let key = place.key("ts-sdk").await;
    let agent = place.agent_on("postgres", "agent-sdk.mjs", "legacy", &key, write());
    let person = async {
        let id = place.waiting("query").await;
        assert_eq!(database.tables().await, "people", "nothing is done while it waits");
        place.ask(&["approval", "deny", &id, "--reason", "it writes"]).await;
    };
    let (report, ()) = tokio::join!(agent, person);
    let told = call(&report, "query").expect("a call");
    assert_eq!(told["result"]["isError"], true, "{told}");
    assert_eq!(database.tables().await, "people");

    // It was a lie: with a signature it writes.
    let agent = place.agent_on("postgres", "agent-sdk.mjs", "legacy", &key, write());
    let (report, ()) = tokio::join!(agent, place.approve("query"));
    assert_eq!(database.tables().await, "people\nwritten", "{report:?}");

    meet(&place, &[server]).await;
    for client in CLIENTS {
        let copied = fs::read_to_string(database.folder.path().join(client.name));
        assert_eq!(copied.expect("it was written"), "Ada\n", "{}", client.name);
    }
}
