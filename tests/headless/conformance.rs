//! The official conformance suites, directly against a server that has everything, and through the
//! gateway with authentication on: check for check, the gateway makes no difference but for those
//! that are listed here, each with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use countersign_tests::agent::Agent;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::place::{Place, peers};

/// One suite: what it is called here, its program, what it is asked to run, and how many of its
/// checks succeed directly at least.
struct Run {
    name: &'static str,
    program: &'static str,
    words: &'static [&'static str],
    succeed: usize,
}

const CURRENT: &str = "@modelcontextprotocol/conformance";

const RUNS: [Run; 3] = [
    Run {
        name: "2025-11-25",
        program: CURRENT,
        words: &["--requirements", "2025-11-25"],
        succeed: 81,
    },
    Run {
        name: "2026-07-28",
        program: CURRENT,
        words: &["--requirements", "2026-07-28"],
        succeed: 196,
    },
    Run {
        name: "0.1.16",
        program: "conformance-released",
        words: &["--suite", "all"],
        succeed: 44,
    },
];

/// A check that does not come out as it does directly.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Difference<'t> {
    run: &'t str,
    scenario: &'t str,
    check: &'t str,
    /// How often it came out how, such as `SUCCESS`, or nothing where it was not run.
    direct: &'t str,
    passed: &'t str,
}

/// The differences that are known, and why each is there. One that is not there any more fails the
/// test as one does that is new.
const KNOWN: &[(Difference<'static>, &str)] = &[];

/// How the checks came out: of each scenario, of each check, the results in their order.
type Outcome = BTreeMap<(String, String), String>;

/// Starts the server that has everything. It ends with the handle.
async fn server() -> (Child, String) {
    let mut server = Command::new("node")
        .arg(peers("every-server.mjs"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let out = server.stdout.take().expect("its output");
    let line = BufReader::new(out).lines().next_line().await.expect("a line").expect("one");
    let ready: Value = serde_json::from_str(&line).expect("JSON");
    let url = ready["url"].as_str().expect("an address").to_owned();
    (server, url)
}

/// A gateway in front of that server, with a tenant of its own in which one agent may do all.
/// Answers with the endpoint and an access token for it.
async fn gateway(place: &Place, upstream: &str) -> (String, String) {
    let of = ["--tenant", "suite"];
    place.ask(&["tenant", "create", "suite"]).await;
    place.ask(&[&["server", "add", "every", "--url", upstream][..], &of].concat()).await;
    let on = ["--elicitation", "on", "--sampling", "on", "--roots", "on"];
    place.ask(&[&["server", "pass", "every"][..], &on, &of].concat()).await;
    place.ask(&[&["role", "create", "all"][..], &of].concat()).await;
    let tools = place.ask(&[&["tool", "list"][..], &of].concat()).await;
    let tools = tools.as_array().expect("a list");
    let names: Vec<String> = tools.iter().map(address).collect();
    let mut task = vec!["task", "create", "suite", "--tenant", "suite"];
    for name in &names {
        place.ask(&[&["grant", "set", "all", name, "allow"][..], &of].concat()).await;
        task.extend(["--tool", name]);
    }
    place.ask(&task).await;
    let agent = ["agent", "create", "suite", "--role", "all", "--task", "suite"];
    place.ask(&[&agent[..], &of].concat()).await;
    place.ask(&[&["issuer", "set", "--enable"][..], &of].concat()).await;
    let words = ["credential", "issue", "suite", "--kind", "client", "--method", "secret"];
    let client = place.ask(&[&words[..], &of].concat()).await;
    let endpoint = format!("{}/t/suite/task/suite/mcp", place.url());
    let token = token(&client, &endpoint).await;
    (endpoint, token)
}

/// The name of a tool, resource, template or prompt on the command line.
fn address(tool: &Value) -> String {
    let name = tool["name"].as_str().expect("a name");
    match tool["kind"].as_str() {
        None | Some("tool") => name.to_owned(),
        Some(kind) => format!("{kind}:{name}"),
    }
}

pub(crate) async fn token(client: &Value, endpoint: &str) -> String {
    let word = |name: &str| client[name].as_str().expect("a word").to_owned();
    let user = format!("{}:{}", word("client_id"), word("secret"));
    let resource = format!("resource={endpoint}");
    let asked = Command::new("curl")
        .args(["--silent", "--max-time", "20", "--user", &user])
        .args(["--data-urlencode", "grant_type=client_credentials", "--data-urlencode", &resource])
        .arg(word("token_endpoint"))
        .output();
    let answer = asked.await.expect("it runs").stdout;
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// Runs a suite and reads how its checks came out.
async fn run(run: &Run, url: &str, token: Option<&str>, into: &Path) -> Outcome {
    let mut suite = Command::new(peers("node_modules/node/bin/node"));
    if let Some(token) = token {
        let origin = url.split("/t/").next().expect("an origin");
        suite.arg("--import").arg(peers("with-token.mjs"));
        suite.env("AGENT_TOKEN", token).env("AGENT_ORIGIN", origin);
    }
    let program = peers(&format!("node_modules/{}/dist/index.js", run.program));
    suite.arg(program).args(["server", "--url", url]).args(run.words).arg("-o").arg(into);
    let ends = suite.kill_on_drop(true).output();
    let done = tokio::time::timeout(Duration::from_secs(240), ends).await.expect("it ends");
    let said = String::from_utf8_lossy(&done.expect("it runs").stdout).into_owned();
    let outcome = outcome(into);
    assert!(outcome.len() > 25, "{} checks: {said}", outcome.len());
    outcome
}

/// Runs all suites, one after the other: they make the server tell of changes, and look who hears.
async fn run_all(url: &str, token: Option<&str>, folder: &Path) -> Vec<Outcome> {
    let mut all = Vec::new();
    for suite in &RUNS {
        let side = if token.is_some() { "passed" } else { "direct" };
        let into = folder.join(format!("{}-{side}", suite.name));
        all.push(run(suite, url, token, &into).await);
    }
    all
}

/// How the checks of a run came out. A warning and what was skipped or only noted down count, too.
fn outcome(folder: &Path) -> Outcome {
    let mut all: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        // Behind the name of the scenario stands when it began.
        let length = name.len() - "-2026-07-28T00-00-00-000Z".len();
        let text = std::fs::read_to_string(path.join("checks.json")).expect("checks");
        let checks: Vec<Value> = serde_json::from_str(&text).expect("JSON");
        for check in &checks {
            let word = |key: &str| check[key].as_str().expect("a word").to_owned();
            let scenario = name.get(..length).expect("a scenario");
            let scenario = scenario.strip_prefix("server-").unwrap_or(scenario).to_owned();
            let key = (scenario, word("id"));
            all.entry(key).or_default().push(word("status"));
        }
    }
    let joined = all.into_iter().map(|(key, mut statuses)| {
        statuses.sort();
        (key, statuses.join(" "))
    });
    joined.collect()
}

/// Where two runs of a suite differ.
fn differences<'t>(run: &'t str, direct: &'t Outcome, passed: &'t Outcome) -> Vec<Difference<'t>> {
    let of = |outcome: &'t Outcome, key| outcome.get(key).map_or("", String::as_str);
    let checks: BTreeSet<_> = direct.keys().chain(passed.keys()).collect();
    let all = checks.into_iter().map(|key| Difference {
        run,
        scenario: &key.0,
        check: &key.1,
        direct: of(direct, key),
        passed: of(passed, key),
    });
    all.filter(|it| it.direct != it.passed).collect()
}

/// What no suite looks at: a change of a resource at the server reaches whoever listens.
async fn hears_of_a_resource(endpoint: &str, token: &str) {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let uris = json!(["test://nothing", "test://watched-resource"]);
    let params = json!({ "notifications": { "resourceSubscriptions": uris }, "_meta": meta });
    let method = "subscriptions/listen";
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut listening = Command::new("curl")
        .args(["--silent", "--no-buffer", "--max-time", "30", "--data", &message.to_string()])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--header", "Content-Type: application/json"])
        .args(["--header", "Accept: application/json, text/event-stream"])
        .args(["--header", "MCP-Protocol-Version: 2026-07-28"])
        .args(["--header", &format!("Mcp-Method: {method}"), endpoint])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(listening.stdout.take().expect("its output")).lines();
    let mut until = async |text: &str| loop {
        let line = lines.next_line().await.expect("a line").expect("the stream goes on");
        if line.contains(text) {
            return line;
        }
    };
    let acknowledged = until("acknowledged").await;
    assert!(acknowledged.contains("watched-resource") && !acknowledged.contains("nothing"));
    let agent = Agent::with_token(endpoint, token);
    let touched = agent.call("touch_watched_resource", json!({})).await;
    assert_eq!(touched["result"]["content"][0]["text"], "told that it changed", "{touched}");
    let updated = until("notifications/resources/updated").await;
    assert!(updated.contains("test://watched-resource"), "{updated}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_suites_come_out_through_the_gateway_as_they_do_without_it() {
    let place = Place::starter().await;
    let (_first, upstream) = server().await;
    let (_second, behind) = server().await;
    let passed = async {
        let (endpoint, token) = gateway(&place, &behind).await;
        let passed = run_all(&endpoint, Some(&token), place.path()).await;
        hears_of_a_resource(&endpoint, &token).await;
        passed
    };
    let (direct, passed) = tokio::join!(run_all(&upstream, None, place.path()), passed);
    let mut found = Vec::new();
    for ((suite, direct), passed) in RUNS.iter().zip(&direct).zip(&passed) {
        let some: usize = direct.values().map(|it| it.matches("SUCCESS").count()).sum();
        assert!(some >= suite.succeed, "{}: {some} checks succeed directly", suite.name);
        found.extend(differences(suite.name, direct, passed));
    }
    let known: BTreeSet<_> = KNOWN.iter().map(|(difference, _)| *difference).collect();
    let new: Vec<_> = found.iter().filter(|it| !known.contains(it)).collect();
    let gone: Vec<_> = known.iter().filter(|it| !found.contains(it)).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}\nnot there any more: {gone:#?}");
    let chain = place.ask(&["audit", "verify"]).await;
    assert_eq!(chain["whole"], true, "{chain}");
}
