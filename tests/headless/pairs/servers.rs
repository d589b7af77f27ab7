//! The real servers, how they are put behind the gateway, and what is asked of each.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use countersign_tests::programs::repository;
use serde_json::{Value, json};

use super::clients::CLIENTS;
use crate::http::Peer;
use crate::place::{self, Place};

/// What no server has.
pub(super) const UNKNOWN: &str = "no_such_tool";

/// A call, and what its answer has to say. `CLIENT` stands for the name of who makes it.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) tool: String,
    pub(super) arguments: Value,
    pub(super) says: String,
}

impl Call {
    pub(super) fn new(tool: &str, arguments: Value, says: &str) -> Self {
        Self { tool: tool.to_owned(), arguments, says: says.to_owned() }
    }

    /// The same call as this client makes it.
    pub(super) fn by(&self, client: &str) -> Self {
        let named = |text: &str| text.replace("CLIENT", client);
        let arguments = named(&self.arguments.to_string());
        let arguments = serde_json::from_str(&arguments).expect("JSON");
        Self { tool: self.tool.clone(), arguments, says: named(&self.says) }
    }

    /// As the agents' plans have it.
    pub(super) fn planned(&self) -> Value {
        json!({"name": self.tool, "arguments": self.arguments})
    }
}

/// A server, which is also the name of the only task that its tools are for.
pub(super) struct Server {
    pub(super) name: &'static str,
    /// What its agents may do.
    pub(super) allowed: Call,
    /// What exists, is on the task's list, and is not granted: its own or another server's.
    pub(super) refused: &'static str,
    /// What a person has to sign for.
    pub(super) held: Call,
}

impl Server {
    /// What every client is to call, in order.
    pub(super) fn calls(&self, client: &str) -> Vec<Call> {
        let vain = [self.refused, UNKNOWN].map(|tool| Call::new(tool, json!({}), ""));
        [vec![self.allowed.clone()], vain.to_vec(), vec![self.held.by(client)]].concat()
    }

    /// Registers it, by these words, with its grants and its task; `more` are tools that are
    /// granted and not on the task's list.
    pub(super) async fn put_behind(&self, place: &Place, words: &[&str], more: &[&str]) {
        let own = ["--tenant", "acme"];
        add(place, &[&["server", "add", self.name][..], words, &own].concat()).await;
        let tool = |name: &str| format!("{}/{name}", self.name);
        let (allowed, held) = (tool(&self.allowed.tool), tool(&self.held.tool));
        for (name, grant) in [(&allowed, "allow"), (&held, "token")] {
            place.ask(&["grant", "set", "pairs", name, grant, "--tenant", "acme"]).await;
        }
        for name in more {
            place.ask(&["grant", "set", "pairs", &tool(name), "allow", "--tenant", "acme"]).await;
        }
        let create = ["task", "create", self.name, "--tool", &allowed, "--tool", &held];
        let refused = tool(self.refused);
        let listed = ["--tool", refused.as_str()];
        let listed = if self.is_own(place).await { &listed[..] } else { &[] };
        place.ask(&[&create[..], listed, &own].concat()).await;
    }

    /// Whether the refused tool is one of its own.
    async fn is_own(&self, place: &Place) -> bool {
        let shown = place.ask(&["server", "show", self.name, "--tenant", "acme"]).await;
        let tools = shown["tools"].as_array().expect("its tools");
        tools.iter().any(|tool| tool["name"] == self.refused)
    }
}

/// Adds a server. A busy machine may take longer to start a program than the gateway waits.
async fn add(place: &Place, words: &[&str]) {
    for _ in 0..5 {
        let done = place::command(place.path()).args(words).output().await.expect("it runs");
        if done.status.success() {
            return;
        }
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(told.contains("did not answer in time"), "{words:?}: {told}");
    }
    panic!("it does not start: {words:?}");
}

/// An agent for each client, which may declare the task of each server.
pub(super) async fn agents(place: &Place, servers: &[Arc<Server>]) {
    let tasks: Vec<&str> = servers.iter().flat_map(|server| ["--task", server.name]).collect();
    for client in CLIENTS {
        let create = ["agent", "create", client.name, "--tenant", "acme", "--role", "pairs"];
        place.ask(&[&create[..], &tasks].concat()).await;
    }
    place.ask(&["issuer", "set", "--enable", "--tenant", "acme"]).await;
}

/// A program of the Python peers, of the given environment.
fn python(environment: &str) -> String {
    let program = repository("target/peers").join(environment).join("bin/python");
    assert!(program.exists(), "{} is not there: cargo xtask setup", program.display());
    program.to_str().expect("a path").to_owned()
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path").to_owned()
}

/// The words for a server of npm, with its arguments.
pub(super) fn node(package: &str, args: &[&str]) -> Vec<String> {
    let program = format!("node_modules/@modelcontextprotocol/{package}/dist/index.js");
    started("node", &[&[&*text(&place::peers(&program))], args].concat())
}

fn started(program: &str, args: &[&str]) -> Vec<String> {
    let words = ["--command".to_owned(), program.to_owned()];
    words.into_iter().chain(args.iter().map(|arg| format!("--arg={arg}"))).collect()
}

/// A repository with one commit.
fn a_repository(place: &Place) -> PathBuf {
    let folder = place.folder("repository");
    let who = ["-c", "user.name=peer", "-c", "user.email=peer@example.com"];
    let commit = ["commit", "--quiet", "--allow-empty", "--message", "the first commit"];
    for words in [&["init", "--quiet"][..], &[&who[..], &commit].concat()] {
        let done = Command::new("git").arg("-C").arg(&folder).args(words).status();
        assert!(done.expect("git runs").success(), "{words:?}");
    }
    folder
}

/// What branches that repository has.
pub(super) fn branches(place: &Place) -> String {
    let folder = place.path().join("repository");
    let done = Command::new("git").arg("-C").arg(folder).args(["branch", "--list"]).output();
    String::from_utf8_lossy(&done.expect("git runs").stdout).into_owned()
}

/// Puts all of them behind the gateway. Those that speak HTTP run as long as what comes second.
pub(super) async fn all(place: &Place) -> (Vec<Arc<Server>>, [Peer; 2]) {
    place.ask(&["role", "create", "pairs", "--tenant", "acme"]).await;
    let files = place.folder("files");
    std::fs::write(files.join("a.txt"), "from the file server").expect("a file");
    let memory = place.path().join("memory.jsonl");
    let known = json!({"type": "entity", "name": "Ada", "entityType": "person",
                       "observations": ["wrote the first program"]});
    std::fs::write(&memory, format!("{known}\n")).expect("a file");
    let (repository, database) = (a_repository(place), place.path().join("data.db"));
    let peers = [
        Peer::start(&["--era".as_ref(), "legacy".as_ref()]).await,
        Peer::start(&["--era".as_ref(), "modern".as_ref()]).await,
    ];

    let remembered = format!("MEMORY_FILE_PATH={}", memory.display());
    let remembers = ["--env".to_owned(), remembered];
    let git = ["-m", "mcp_server_git", "--repository", &text(&repository)];
    // It cannot be started as a module.
    let start = "import mcp_server_sqlite; mcp_server_sqlite.main()";
    let data = ["-c", start, "--db-path", &text(&database)];
    // The second has the older generation of the protocol's package, which some servers need.
    let (python, older) = (python("python"), python("python-mcp-1"));
    let table =
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE clients (name)')";
    let made = Command::new(&older).args(["-c", table]).arg(&database).status();
    assert!(made.expect("Python runs").success());
    let url = |peer: &Peer| vec!["--url".to_owned(), peer.url().to_owned()];
    let ways: [(Server, Vec<String>, &[&str]); 8] = [
        (everything(), node("server-everything", &["stdio"]), &["get-tiny-image"]),
        (filesystem(&files), node("server-filesystem", &[&text(&files)]), &["list_directory"]),
        (memories(), [node("server-memory", &[]), remembers.to_vec()].concat(), &["read_graph"]),
        (git_of(&repository), started(&python, &git), &["git_status"]),
        (time(), started(&python, &["-m", "mcp_server_time"]), &[]),
        (sqlite(), started(&older, &data), &["list_tables"]),
        (counter("http-older"), url(&peers[0]), &[]),
        (counter("http-newer"), url(&peers[1]), &[]),
    ];
    let mut servers = Vec::new();
    for (server, words, more) in ways {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        server.put_behind(place, &words, more).await;
        servers.push(Arc::new(server));
    }
    agents(place, &servers).await;
    (servers, peers)
}

/// It has a tool that says it only reads, and gives away its whole environment.
fn everything() -> Server {
    Server {
        name: "everything",
        allowed: Call::new("echo", json!({"message": "hello, é"}), "Echo: hello, é"),
        refused: "get-env",
        held: Call::new("get-sum", json!({"a": 2, "b": 3}), "The sum of 2 and 3 is 5."),
    }
}

fn filesystem(files: &Path) -> Server {
    let note = json!({"path": files.join("CLIENT"), "content": "by CLIENT"});
    let path = json!({"path": files.join("a.txt")});
    Server {
        name: "filesystem",
        allowed: Call::new("read_text_file", path, "from the file server"),
        refused: "move_file",
        held: Call::new("write_file", note, "Successfully wrote"),
    }
}

fn memories() -> Server {
    let entity = json!({"name": "CLIENT", "entityType": "client", "observations": ["it calls"]});
    let query = json!({"query": "program"});
    Server {
        name: "memory",
        allowed: Call::new("search_nodes", query, "wrote the first program"),
        refused: "delete_entities",
        held: Call::new("create_entities", json!({"entities": [entity]}), "CLIENT"),
    }
}

fn git_of(repository: &Path) -> Server {
    let branch = json!({"repo_path": repository, "branch_name": "CLIENT"});
    Server {
        name: "git",
        allowed: Call::new("git_log", json!({"repo_path": repository}), "the first commit"),
        refused: "git_commit",
        held: Call::new("git_create_branch", branch, "Created branch 'CLIENT'"),
    }
}

/// It has two tools only: what is refused is another server's.
fn time() -> Server {
    let noon = json!({"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"});
    Server {
        name: "time",
        allowed: Call::new("convert_time", noon, "21:00"),
        refused: "git_log",
        held: Call::new("get_current_time", json!({"timezone": "Europe/Lisbon"}), "Europe/Lisbon"),
    }
}

fn sqlite() -> Server {
    let read = json!({"query": "SELECT 'ones' || ' ' || 'read' AS said"});
    let write = json!({"query": "INSERT INTO clients VALUES ('CLIENT')"});
    Server {
        name: "sqlite",
        allowed: Call::new("read_query", read, "ones read"),
        refused: "create_table",
        held: Call::new("write_query", write, "affected_rows"),
    }
}

/// The server on the official SDK over HTTP.
fn counter(name: &'static str) -> Server {
    Server {
        name,
        allowed: Call::new("echo", json!({"text": "over HTTP, é"}), "over HTTP, é"),
        refused: "steps",
        held: Call::new("count", json!({}), "\"text\":\""),
    }
}
