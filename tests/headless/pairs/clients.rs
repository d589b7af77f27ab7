//! The real clients, and how each is made to speak with a server through the gateway: over the bridge
//! with a key, over HTTP with an access token that it gets itself at the gateway's own issuer, or with
//! one that it is given.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use countersign_tests::programs::built;
use reqwest::Client as Http;
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, ClientCredentialsConfig, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use tokio::process::Command;

use super::servers::{Call, Server};
use crate::place::{self, Place};

/// How many milliseconds an answer may take: many of them are at work on few processors.
const PATIENCE: u64 = 120_000;

/// How a client comes to the gateway.
#[derive(Clone, Copy)]
enum Way {
    /// A script, over `countersign connect`, which signs for it.
    Bridge { script: &'static str, mode: &'static str },
    /// A script that gets its own access token.
    OwnToken { script: &'static str, mode: &'static str },
    /// A script that is given an access token.
    Given { script: &'static str },
    /// The Inspector's command line, one start for each question, in this era.
    Inspector { era: &'static str },
    /// `mcp-remote`, which gets its own access token, behind an agent on standard input and output.
    Remote { protocol: &'static [&'static str] },
    /// The Rust SDK, which gets its own access token.
    Rust { newest: bool },
}

/// A client in one of its eras, and the name of its agent.
pub(super) struct Client {
    pub(super) name: &'static str,
    pub(super) shown: &'static str,
    way: Way,
}

const fn client(name: &'static str, shown: &'static str, way: Way) -> Client {
    Client { name, shown, way }
}

/// Every client in each era that it speaks.
pub(super) const CLIENTS: &[Client] = &[
    client(
        "ts-sdk",
        "TypeScript sdk 1.32, older",
        Way::Bridge { script: "agent-sdk.mjs", mode: "legacy" },
    ),
    client(
        "ts-client",
        "TypeScript client 2.4, older",
        Way::Bridge { script: "agent-client.mjs", mode: "legacy" },
    ),
    client(
        "ts-client-newer",
        "TypeScript client 2.4, newer",
        Way::OwnToken { script: "agent-oauth.mjs", mode: "2026-07-28" },
    ),
    client("python", "Python mcp 2.3, older", Way::Bridge { script: "agent.py", mode: "legacy" }),
    client(
        "python-newer",
        "Python mcp 2.3, newer",
        Way::OwnToken { script: "agent.py", mode: "auto" },
    ),
    client("fastmcp", "fastmcp 4.1, newer", Way::Given { script: "agent-fastmcp.py" }),
    client("rmcp", "rmcp 3.9, older", Way::Rust { newest: false }),
    client("rmcp-newer", "rmcp 3.9, newer", Way::Rust { newest: true }),
    client("inspector", "Inspector 2.12, older", Way::Inspector { era: "legacy" }),
    client("inspector-newer", "Inspector 2.12, newer", Way::Inspector { era: "modern" }),
    client("mcp-remote", "mcp-remote 0.15, older", Way::Remote { protocol: &[] }),
    client(
        "mcp-remote-newer",
        "mcp-remote 0.15, newer",
        Way::Remote { protocol: &["--protocol", "auto"] },
    ),
];

/// What one client needs to get to one server.
struct Visit<'p> {
    place: &'p Place,
    server: &'p Server,
    client: &'p Client,
    url: String,
    calls: Vec<Call>,
}

impl Client {
    /// Makes all calls that a server's agents are to make. Answers with its report, as the agents'
    /// scripts print it.
    pub(super) async fn speak(&self, place: &Place, server: &Server) -> Vec<Value> {
        let url = format!("{}/t/acme/task/{}/mcp", place.url(), server.name);
        let calls = server.calls(self.name);
        let visit = Visit { place, server, client: self, url, calls };
        match self.way {
            Way::Bridge { script, mode } => visit.over_the_bridge(script, mode).await,
            Way::OwnToken { script, mode } => {
                let own = visit.registered().await;
                let plan = json!({"url": visit.url, "issuer": own["issuer"], "scope": "mcp:connect",
                                  "client": own["client_id"], "secret": own["secret"], "mode": mode});
                visit.run(script, plan).await
            }
            Way::Given { script } => {
                let token = visit.token().await;
                visit.run(script, json!({"url": visit.url, "token": token})).await
            }
            Way::Inspector { era } => visit.inspect(era).await,
            Way::Remote { protocol } => visit.through_remote(protocol).await,
            Way::Rust { newest } => visit.in_rust(newest).await,
        }
    }
}

impl Visit<'_> {
    /// Runs a script on this plan with what all plans have.
    async fn run(&self, script: &str, mut plan: Value) -> Vec<Value> {
        plan["timeout_ms"] = json!(PATIENCE);
        plan["calls"] = self.calls.iter().map(Call::planned).collect();
        place::run(script, plan).await
    }

    async fn over_the_bridge(&self, script: &str, mode: &str) -> Vec<Value> {
        let key = self.folder().join("key.json");
        let saved = key.to_str().expect("a path");
        let issue = ["credential", "issue", self.client.name, "--tenant", "acme"];
        self.place.ask(&[&issue[..], &["--save", saved]].concat()).await;
        let args = json!(["connect", "--url", self.url, "--key-file", key]);
        let plan = json!({"command": built("countersign"), "args": args, "mode": mode});
        self.run(script, plan).await
    }

    /// A folder of this visit alone.
    fn folder(&self) -> PathBuf {
        self.place.folder(&format!("{}-{}", self.client.name, self.server.name))
    }

    /// A client of the gateway's own issuer, for this visit alone.
    async fn registered(&self) -> Value {
        let issue = ["credential", "issue", self.client.name, "--tenant", "acme"];
        let more = ["--kind", "client", "--only-task", self.server.name];
        self.place.ask(&[&issue[..], &more].concat()).await
    }

    /// An access token for this visit alone.
    async fn token(&self) -> String {
        let own = self.registered().await;
        let word = |name: &str| own[name].as_str().expect("text").to_owned();
        let form = format!("grant_type=client_credentials&resource={}", self.url);
        let asked = Http::new()
            .post(word("token_endpoint"))
            .basic_auth(word("client_id"), Some(word("secret")))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = asked.send().await.expect("an answer").text().await.expect("text");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// `mcp-remote` as the server of an agent that knows nothing of HTTP.
    async fn through_remote(&self, protocol: &[&str]) -> Vec<Value> {
        let own = self.registered().await;
        let program = place::peers("node_modules/mcp-remote/dist/proxy.js");
        let program = program.to_str().expect("a path");
        let who = json!({"client_id": own["client_id"], "client_secret": own["secret"]});
        let (who, endpoint) = (who.to_string(), own["token_endpoint"].as_str().expect("text"));
        // It looks for an issuer's authorization codes unless it is told where tokens are issued.
        let words = [program, &self.url, "--silent", "--client-credentials"];
        let more = ["--token-endpoint", endpoint, "--resource", &self.url];
        let last = ["--static-oauth-client-info", &who];
        let args = [&words[..], &more, &last, protocol].concat();
        let home = self.folder();
        let env = json!({"HOME": home, "MCP_REMOTE_CONFIG_DIR": home});
        self.run("agent-sdk.mjs", json!({"command": "node", "args": args, "env": env})).await
    }

    async fn inspect(&self, era: &str) -> Vec<Value> {
        let (token, home) = (self.token().await, self.folder());
        let words = ["--cli", "--quiet", "--format", "json", "--transport", "http"];
        let start = async |question: &[&str]| -> Output {
            let mut inspector = Command::new("node");
            inspector
                .arg(place::peers("node_modules/.bin/mcp-inspector"))
                .args(words)
                .args(["--server-url", &self.url, "--protocol-era", era])
                .args(["--connect-timeout", &PATIENCE.to_string()])
                .args(["--header", &format!("Authorization: Bearer {token}")])
                .args(question)
                .env("HOME", &home)
                .env("MCP_INSPECTOR_SECRET_STORE", "memory")
                .stdin(Stdio::null())
                .kill_on_drop(true);
            let done = tokio::time::timeout(Duration::from_millis(PATIENCE), inspector.output());
            done.await.expect("it ends").expect("it runs")
        };
        let list = start(&["--method", "tools/list"]).await;
        let told = String::from_utf8_lossy(&list.stderr);
        let list: Value = serde_json::from_slice(&list.stdout).unwrap_or_else(|_| panic!("{told}"));
        let tools = list["result"]["tools"].as_array().unwrap_or_else(|| panic!("{list}"));
        let names: Vec<&Value> = tools.iter().map(|tool| &tool["name"]).collect();
        let mut report = vec![json!({"listed": names})];
        for call in &self.calls {
            let arguments = call.arguments.to_string();
            let named = ["--method", "tools/call", "--tool-name", &call.tool];
            let done = start(&[&named[..], &["--tool-args-json", &arguments]].concat()).await;
            let said = if done.status.success() { done.stdout } else { done.stderr };
            let mut line: Value = serde_json::from_slice(&said)
                .unwrap_or_else(|_| json!({"told": String::from_utf8_lossy(&said)}));
            line["call"] = json!(call.tool);
            report.push(line);
        }
        report
    }

    async fn in_rust(&self, newest: bool) -> Vec<Value> {
        let own = self.registered().await;
        let word = |name: &str| own[name].as_str().expect("text").to_owned();
        let mut state = OAuthState::new(self.url.as_str(), None).await.expect("a state");
        let secret = ClientCredentialsConfig::ClientSecret {
            client_id: word("client_id"),
            client_secret: word("secret"),
            scopes: vec!["mcp:connect".to_owned()],
            resource: Some(self.url.clone()),
        };
        state.authenticate_client_credentials(secret).await.expect("a token");
        let manager = state.into_authorization_manager().expect("authorized");
        let http = AuthClient::new(Http::new(), manager);
        let config = StreamableHttpClientTransportConfig::with_uri(self.url.as_str());
        let transport = StreamableHttpClientTransport::with_client(http, config);
        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
        let mode = if newest {
            ClientLifecycleMode::Discover { preferred_versions }
        } else {
            ClientLifecycleMode::Initialize
        };
        let session = ().serve_with_lifecycle(transport, mode).await.expect("a session");
        let tools = session.list_all_tools().await.expect("a list");
        let names: Vec<String> = tools.iter().map(|tool| tool.name.to_string()).collect();
        let mut report = vec![json!({"listed": names})];
        for call in &self.calls {
            let arguments = call.arguments.as_object().expect("an object").clone();
            let params = CallToolRequestParams::new(call.tool.clone()).with_arguments(arguments);
            report.push(match session.call_tool(params).await {
                Ok(result) => json!({"call": call.tool, "result": result}),
                Err(ServiceError::McpError(told)) => json!({"call": call.tool, "error": told}),
                Err(other) => json!({"call": call.tool, "told": other.to_string()}),
            });
        }
        session.cancel().await.expect("it ends");
        report
    }
}
