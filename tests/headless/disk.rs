//! A running gateway on a disk that fills up and is made free again, and a home on one that is
//! read-only.
//!
//! The disk is a small one of its own, inside a namespace; a shell in there does what it is told.
//! The folder of the sample server is on another disk, so that a call that was made would show.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use countersign_tests::Agent;
use countersign_tests::programs::built;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Makes the disk, then carries out one line after the other, and says after each how it ended.
const SHELL: &str = r#"
    umask 077
    mount -t tmpfs -o size=16m,mode=700 none "$HOME_OF_IT" || exit 77
    mkdir "$HOME_OF_IT/workbench" && mount --bind "$SANDBOX" "$HOME_OF_IT/workbench" || exit 77
    echo ready
    while IFS= read -r line; do
        eval "$line"
        printf '\n--- %s\n' "$?"
    done
"#;

struct Disk {
    folder: TempDir,
    commands: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
    _shell: Child,
}

/// What a line of the shell came to.
struct Done {
    status: i32,
    told: String,
}

impl Disk {
    /// The disk with a starter registry on it; nothing where there are no namespaces.
    async fn with_starter() -> Option<Self> {
        let folder = TempDir::new().expect("a folder");
        for name in ["home", "sandbox"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        std::fs::write(folder.path().join("passphrase"), "lantern oyster gravel quilt\n")
            .expect("a passphrase");
        let mut shell = Command::new("unshare")
            .args(["--map-root-user", "--mount", "--pid", "--fork", "--kill-child"])
            .args(["sh", "-c", SHELL])
            .env("HOME_OF_IT", folder.path().join("home"))
            .env("SANDBOX", folder.path().join("sandbox"))
            .env("P", folder.path().join("passphrase"))
            .env("OUT", folder.path().join("out"))
            .env("PROGRAM", built("countersign"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let commands = shell.stdin.take().expect("its input");
        let mut told = BufReader::new(shell.stdout.take().expect("its output")).lines();
        let ready = told.next_line().await.expect("text");
        ready.filter(|line| line == "ready")?;
        let mut disk = Self { folder, commands, told, _shell: shell };
        let made = disk.cli("init --starter --operator Ada --secrets file").await;
        assert_eq!(made.status, 0, "{}", made.told);
        Some(disk)
    }

    async fn run(&mut self, line: &str) -> Done {
        self.commands.write_all(format!("{line}\n").as_bytes()).await.expect("the shell reads");
        let mut told = String::new();
        loop {
            let line = self.told.next_line().await.expect("text").expect("the shell goes on");
            match line.strip_prefix("--- ").map(str::parse) {
                Some(Ok(status)) => return Done { status, told },
                Some(Err(_)) | None => told += &format!("{line}\n"),
            }
        }
    }

    async fn cli(&mut self, words: &str) -> Done {
        let line = format!(
            "\"$PROGRAM\" --home \"$HOME_OF_IT\" --json --passphrase-file \"$P\" {words} 2>&1"
        );
        self.run(&line).await
    }

    async fn ask(&mut self, words: &str) -> Value {
        let Done { status, told } = self.cli(words).await;
        assert_eq!(status, 0, "{words}: {told}");
        let line = told.lines().find(|line| !line.is_empty()).expect("a line");
        serde_json::from_str(line).unwrap_or_else(|_| panic!("{words}: {told}"))
    }

    /// Starts the gateway. Answers with where it listens.
    async fn serve(&mut self) -> String {
        let line = "\"$PROGRAM\" --home \"$HOME_OF_IT\" --json --passphrase-file \"$P\" serve \
                    --listen 127.0.0.1:0 >\"$OUT\" 2>&1 </dev/null & serve=$!";
        self.run(line).await;
        let out = self.folder.path().join("out");
        let started = Instant::now();
        loop {
            let told = std::fs::read_to_string(&out).unwrap_or_default();
            let ready: Option<Value> =
                told.lines().find_map(|line| serde_json::from_str(line).ok());
            if let Some(url) = ready.as_ref().and_then(|it| it["gateway"].as_str()) {
                return url.to_owned();
            }
            assert!(started.elapsed() < Duration::from_secs(30), "not ready: {told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// An agent with a fresh key.
    async fn agent(&mut self, url: &str) -> Agent {
        let key = self.ask("credential issue admin-1 --tenant acme").await;
        let (id, secret) = (key["key_id"].as_str(), key["secret"].as_str());
        let endpoint = format!("{url}/t/acme/task/workbench/mcp");
        Agent::new(&endpoint, id.expect("an id"), secret.expect("a secret"))
    }

    /// Waits until the gateway is in this state. Answers with the status, and how long it took.
    async fn until(&mut self, state: &str) -> (Value, Duration) {
        let started = Instant::now();
        loop {
            let status = self.ask("status").await;
            if status["gateway"]["state"] == state {
                return (status, started.elapsed());
            }
            assert!(started.elapsed() < Duration::from_secs(10), "not {state}: {status}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn sandbox(&self) -> PathBuf {
        self.folder.path().join("sandbox")
    }
}

fn note(number: usize) -> Value {
    json!({"name": "write_file", "arguments": {"path": format!("{number}.txt"), "content": "x"}})
}

/// How many of the calls were made.
fn made(sandbox: &Path) -> usize {
    (0..100).filter(|number| sandbox.join(format!("{number}.txt")).exists()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_a_full_disk_refuses_every_call_says_so_and_is_recovered_from_without_a_restart() {
    let Some(mut disk) = Disk::with_starter().await else {
        eprintln!("left out: a full disk, because `unshare` cannot make one here");
        return;
    };
    let url = disk.serve().await;
    let agent = disk.agent(&url).await;
    let (status, answer) = agent.request("tools/call", note(0)).await;
    assert_eq!((status.as_u16(), made(&disk.sandbox())), (200, 1), "{answer}");

    disk.run("dd if=/dev/zero of=\"$HOME_OF_IT/filler\" bs=4k 2>/dev/null").await;
    let mut number = 0;
    let refused = loop {
        number += 1;
        assert!(number < 50, "the disk is full and calls are still made");
        let (status, answer) = agent.request("tools/call", note(number)).await;
        // What still fitted was recorded, and so it was made.
        if status.as_u16() != 200 {
            assert_eq!(status.as_u16(), 503, "{answer}");
            break answer;
        }
    };
    assert!(
        refused["error"]["data"]["correlation"].as_str().is_some_and(|it| it.starts_with("cor_")),
        "{refused}"
    );
    let told = refused["error"]["message"].as_str().expect("a message");
    assert!(told.contains("cannot record the request, so it was not done"), "{refused}");
    let (status, _) = agent.request("tools/call", note(number + 1)).await;
    assert_eq!((status.as_u16(), made(&disk.sandbox())), (503, number), "nothing was forwarded");

    let (status, _) = disk.until("refusing").await;
    let problem = status["gateway"]["problem"].as_str().expect("a problem");
    for part in ["is full", "every call is refused", "make room", "goes on by itself"] {
        assert!(problem.contains(part), "{problem}");
    }
    let change = disk.cli("tenant create beta").await;
    assert_eq!(change.status, 1, "{}", change.told);
    assert!(change.told.contains("full, so nothing was changed"), "{}", change.told);

    disk.run("rm \"$HOME_OF_IT/filler\"").await;
    let (_, took) = disk.until("serving").await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (status, answer) = agent.request("tools/call", note(number + 2)).await;
    assert_eq!((status.as_u16(), made(&disk.sandbox())), (200, number + 1), "{answer}");
    assert_eq!(disk.run("kill -0 $serve").await.status, 0, "the same process goes on");
    let chain = disk.ask("audit verify").await;
    assert_eq!(chain["whole"], true, "{chain}");
    let log = disk.cli("audit list --limit 500").await.told;
    let kinds = |kind: &str| log.lines().filter(|it| it.contains(&format!("\"{kind}\""))).count();
    assert_eq!(kinds("execution.finished"), number + 1, "what was made is on record: {log}");
    assert_eq!(kinds("registry.recovered"), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_a_home_that_is_read_only_is_not_served_from_and_is_whole_afterwards() {
    let Some(mut disk) = Disk::with_starter().await else {
        eprintln!("left out: a read-only disk, because `unshare` cannot make one here");
        return;
    };
    let before = disk.ask("audit verify").await;
    assert_eq!(disk.run("mount -o remount,ro \"$HOME_OF_IT\"").await.status, 0);
    for words in ["serve --listen 127.0.0.1:0", "tenant create beta"] {
        let refused = disk.cli(words).await;
        assert_eq!(refused.status, 1, "{words}: {}", refused.told);
        for part in ["cannot be written to", "check who owns it"] {
            assert!(refused.told.contains(part), "{words}: {}", refused.told);
        }
    }
    assert_eq!(disk.run("mount -o remount,rw \"$HOME_OF_IT\"").await.status, 0);
    let after = disk.ask("audit verify").await;
    let ends = |chain: &Value| chain["verified_to"].as_u64().expect("a number");
    assert!(after["whole"] == true && ends(&after) >= ends(&before), "{before} {after}");
    assert_eq!(disk.ask("tenant list").await.as_array().map(Vec::len), Some(1));
    let url = disk.serve().await;
    let agent = disk.agent(&url).await;
    let (status, answer) = agent.request("tools/call", note(0)).await;
    assert_eq!(status.as_u16(), 200, "{answer}");
}
