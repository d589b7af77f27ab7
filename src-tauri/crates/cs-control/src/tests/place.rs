//! An installation to try things on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cs_gateway::ports::Clock;
use cs_model::state::OperatorRole;
use cs_model::{OperatorId, Secret, Timestamp};
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::control::Control;
use crate::options::{FirstRun, Options};
use crate::view::status::SecretKeeping;

pub(super) const PASSPHRASE: &str = "correct horse battery";

/// A clock that only moves when it is told to.
#[derive(Debug)]
pub(super) struct Hands(AtomicI64);

impl Hands {
    pub(super) fn advance(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Somebody sets the clock back.
    pub(super) fn back(&self, span: Duration) {
        self.0.fetch_sub(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(super) struct Place {
    pub(super) control: Control,
    pub(super) clock: Arc<Hands>,
    pub(super) options: Options,
    pub(super) home: PathBuf,
    pub(super) _folder: tempfile::TempDir,
}

/// A stdio server with the eight tools of the sample server.
const SAMPLE: &str = r##"#!/usr/bin/env python3
import json, sys
NAMES = ["read_file", "search_database", "web_fetch", "write_file", "send_email", "execute_code",
         "access_secrets", "modify_mcp_config"]
TOOLS = [{"name": n, "description": "Does " + n, "inputSchema": {"type": "object"},
          "annotations": {"readOnlyHint": n == "read_file", "openWorldHint": False}} for n in NAMES]
for line in sys.stdin:
    m = json.loads(line)
    if "id" not in m:
        continue
    if m["method"] == "initialize":
        r = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
             "serverInfo": {"name": "sample", "version": "1"}}
    elif m["method"] == "tools/list":
        r = {"tools": TOOLS}
    else:
        r = {}
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": r}), flush=True)
"##;

pub(super) fn first(starter: bool) -> FirstRun {
    FirstRun {
        vault: None,
        name: "Ada".to_owned(),
        passphrase: Secret::from_text(PASSPHRASE.to_owned()),
        keeping: None,
        starter,
    }
}

fn sample(folder: &Path) -> PathBuf {
    let path = folder.join("sample.py");
    fs::write(&path, SAMPLE).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    path
}

impl Place {
    /// A new installation, unlocked by its owner.
    pub(super) async fn new() -> Self {
        Self::with(false, SecretKeeping::Memory).await
    }

    /// The same with the starter.
    pub(super) async fn with_starter() -> Self {
        Self::with(true, SecretKeeping::Memory).await
    }

    pub(super) async fn with(starter: bool, keeping: SecretKeeping) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hands(AtomicI64::new(1_785_231_000_000)));
        let options = Options {
            keeping,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Options::new("a test", sample(folder.path()))
        };
        let home = folder.path().join("home");
        let control = Control::create(&home, options.clone(), first(starter)).await.unwrap();
        Self { control, clock, options, home, _folder: folder }
    }

    /// The same home, opened by the next process.
    pub(super) async fn reopen(mut self) -> Self {
        self.control.shutdown().await.unwrap();
        let (control, _) = (self.control, ());
        drop(control);
        self.control = open_again(&self.home, &self.options).await;
        self
    }

    pub(super) async fn ask(&self, command: &str, args: Value) -> Value {
        self.ask_as(self.control.console(), command, args).await
    }

    pub(super) async fn ask_as(&self, actor: Actor, command: &str, args: Value) -> Value {
        match self.control.dispatch(&actor, command, args).await {
            Ok(answer) => answer,
            Err(failure) => panic!("{command}: {failure:?}"),
        }
    }

    /// The code and the message of a refusal.
    pub(super) async fn refused(&self, actor: Actor, command: &str, args: Value) -> Value {
        match self.control.dispatch(&actor, command, args).await {
            Ok(answer) => panic!("{command} was done: {answer}"),
            Err(failure) => serde_json::to_value(failure).unwrap(),
        }
    }

    pub(super) async fn tenant(&self) -> Value {
        self.ask("tenant_list", json!({})).await[0]["id"].clone()
    }

    pub(super) async fn matrix(&self) -> Value {
        self.ask("matrix", json!({ "tenant": self.tenant().await })).await
    }

    pub(super) async fn agent(&self, name: &str) -> Value {
        let agents = self.ask("agent_list", json!({ "tenant": self.tenant().await })).await;
        let found = agents.as_array().unwrap().iter().find(|it| it["name"] == name);
        found.unwrap().clone()
    }

    /// What the log says last, newest first.
    pub(super) async fn log(&self, kinds: &[&str]) -> Vec<Value> {
        self.log_as(self.control.console(), kinds).await
    }

    /// The same, for somebody else than who is in front of the console.
    pub(super) async fn log_as(&self, actor: Actor, kinds: &[&str]) -> Vec<Value> {
        let args = json!({ "filter": { "kinds": kinds }, "limit": 50 });
        self.ask_as(actor, "audit_page", args).await["rows"].as_array().unwrap().clone()
    }
}

/// The last holder of a home may need a moment to let go of it.
async fn open_again(home: &Path, options: &Options) -> Control {
    for _ in 0..100 {
        match Control::open(home, options.clone()).await {
            Ok(control) => return control,
            Err(crate::ControlError::InUse { .. }) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the home is still in use")
}

pub(super) fn somebody(role: OperatorRole) -> Actor {
    Actor::Operator { id: OperatorId::from_random([9; 16]), role }
}
