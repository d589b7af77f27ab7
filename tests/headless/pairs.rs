//! Every real server with every real client, through one gateway. Each pair is asked the same: is
//! what is listed the allowlist, is an allowed call answered, does a tool that is not granted look
//! like one that is not there, and is a call answered once a person has signed for it, and not
//! before?

mod clients;
mod postgres;
mod servers;

use std::any::Any;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde_json::{Value, json};

use crate::place::{self, Place};
use clients::{CLIENTS, Client};
use servers::Server;

/// How many pairs are at work at once.
const AT_ONCE: usize = 5;

/// What is asked of each pair.
const QUESTIONS: [&str; 4] = ["list", "allow", "refuse", "sign"];

/// What one client told of one server.
struct Pair {
    client: &'static Client,
    server: Arc<Server>,
    /// What it reported, or why there is no report.
    report: Result<Vec<Value>, String>,
}

/// Lets every client meet every server, and signs for each call that comes to wait.
async fn meet(place: &Arc<Place>, servers: &[Arc<Server>]) -> Vec<Pair> {
    let over = Arc::new(AtomicBool::new(false));
    let person = tokio::spawn(sign(Arc::clone(place), Arc::clone(&over)));
    let all = servers.iter().flat_map(|server| CLIENTS.iter().map(move |client| (client, server)));
    let all: Vec<_> = all.map(|(client, server)| (client, Arc::clone(server))).collect();
    let pairs: Vec<Pair> = stream::iter(all)
        .map(async |(client, server)| {
            let report = AssertUnwindSafe(client.speak(place, &server)).catch_unwind().await;
            Pair { client, server, report: report.map_err(|told| what(&*told)) }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    over.store(true, Ordering::Relaxed);
    let signed = person.await.expect("a person");
    conclude(servers, &pairs, &signed);
    pairs
}

/// What was told of a failure.
fn what(told: &(dyn Any + Send)) -> String {
    let text = told.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| told.downcast_ref::<&str>().copied()).unwrap_or("it failed").to_owned()
}

/// Signs for whatever waits, through the command line, and gives what was signed.
async fn sign(place: Arc<Place>, over: Arc<AtomicBool>) -> Vec<Value> {
    let mut signed: Vec<Value> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let waiting = place.ask(&["approval", "list", "--tenant", "acme"]).await;
        for request in waiting.as_array().into_iter().flatten() {
            let id = request["id"].as_str().expect("an id");
            let mut approve = place::command(place.path());
            let done = approve.args(["approval", "approve", id]).output().await;
            if done.is_ok_and(|it| it.status.success()) {
                signed.push(request.clone());
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    signed
}

/// Shows the table and demands that every cell is as it has to be.
fn conclude(servers: &[Arc<Server>], pairs: &[Pair], signed: &[Value]) {
    let mut rows = vec![row("", servers.iter().map(|it| it.name.to_owned()))];
    let mut failures = Vec::new();
    for client in CLIENTS {
        let mut cells = Vec::new();
        for server in servers {
            let of = |it: &&Pair| it.client.name == client.name && it.server.name == server.name;
            let pair = pairs.iter().find(of).expect("every pair has met");
            let answers = judge(pair, signed);
            let mut wrong = Vec::new();
            for (question, answer) in QUESTIONS.into_iter().zip(answers) {
                if let Err(told) = answer {
                    wrong.push(question);
                    failures.push(format!("{} {} {question}: {told}", client.name, server.name));
                }
            }
            cells.push(if wrong.is_empty() { "ok".to_owned() } else { wrong.join("!") });
        }
        rows.push(row(client.shown, cells.into_iter()));
    }
    // Not through the test's own output, which is shown of failures only.
    writeln!(std::io::stderr(), "\n{}\n", rows.join("\n")).expect("standard error");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(pairs.len(), servers.len() * CLIENTS.len());
    assert_eq!(signed.len(), pairs.len(), "one signature for each pair: {signed:?}");
}

fn row(first: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| format!("{cell:<12}")).collect();
    format!("{first:<30}{}", cells.concat())
}

type Answer = Result<(), String>;

fn judge(pair: &Pair, signed: &[Value]) -> [Answer; 4] {
    let Pair { client, server, report } = pair;
    let report = match report {
        Ok(report) => report,
        Err(told) => return [(); 4].map(|()| Err(told.clone())),
    };
    [
        listed(server, report),
        call(report, &server.allowed.tool).and_then(|it| allowed(client, server, it)),
        refused(server, report),
        countersigned(client, server, report, signed),
    ]
}

fn listed(server: &Server, report: &[Value]) -> Answer {
    let names = report.iter().find_map(|line| line["listed"].as_array());
    let names = names.ok_or_else(|| format!("no list: {report:?}"))?;
    let found: BTreeSet<&str> = names.iter().filter_map(Value::as_str).collect();
    let expected = BTreeSet::from([&*server.allowed.tool, &*server.held.tool]);
    if found == expected && names.len() == expected.len() {
        return Ok(());
    }
    Err(format!("{names:?} instead of {expected:?}"))
}

/// What was reported of the first call of a tool.
fn call<'r>(report: &'r [Value], tool: &str) -> Result<&'r Value, String> {
    let found = report.iter().find(|line| line["call"] == tool);
    found.ok_or_else(|| format!("no call: {report:?}"))
}

fn answered(line: &Value, says: &str) -> Answer {
    let result = &line["result"];
    let good = !result.is_null() && result["isError"] != true;
    if good && result["content"].to_string().contains(says) {
        return Ok(());
    }
    Err(line.to_string())
}

/// mcp-remote 0.15 does not repeat arguments in `Mcp-Param` headers, although the tool's schema asks
/// for it: servers have to refuse that (MCP 2026-07-28, SEP-2243), and so does the gateway.
fn allowed(client: &Client, server: &Server, line: &Value) -> Answer {
    if client.name == "mcp-remote-newer" && server.name.starts_with("http-") {
        let refused = line["error"]["code"] == -32020;
        return if refused { Ok(()) } else { Err(format!("it repeats them now: {line}")) };
    }
    answered(line, &server.allowed.says)
}

/// A refused call tells what a call of something that does not exist tells, and no more.
fn refused(server: &Server, report: &[Value]) -> Answer {
    let unnamed = |tool: &str| {
        let line = call(report, tool)?;
        let error = &line["error"];
        let said = error["message"].as_str().ok_or_else(|| line.to_string())?;
        Ok::<_, String>((error["code"].clone(), said.replace(tool, "-")))
    };
    let (forbidden, unknown) = (unnamed(server.refused)?, unnamed(servers::UNKNOWN)?);
    let in_vain = ["Tool '-' is not in this session's allowlist", "Tool '-' not found on server."];
    if forbidden == unknown && in_vain.iter().any(|it| forbidden.1.ends_with(it)) {
        return Ok(());
    }
    Err(format!("{forbidden:?} {unknown:?}"))
}

fn countersigned(client: &Client, server: &Server, report: &[Value], signed: &[Value]) -> Answer {
    let held = server.held.by(client.name);
    let of = |it: &&Value| it["agent"] == client.name && it["task"] == server.name;
    let asked: Vec<&Value> = signed.iter().filter(of).collect();
    let shown: Vec<_> = asked.iter().map(|it| (&it["tool"], &it["arguments"])).collect();
    if shown != [(&json!(held.tool), &held.arguments)] {
        return Err(format!("signed for {shown:?}: {report:?}"));
    }
    // It is the last that each makes.
    let line = report.iter().rev().find(|line| line["call"] == held.tool);
    answered(line.ok_or_else(|| format!("no call: {report:?}"))?, &held.says)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_real_server_meets_every_real_client() {
    let place = Arc::new(Place::starter().await);
    let (servers, _running) = servers::all(&place).await;
    let pairs = meet(&place, &servers).await;
    for name in ["http-older", "http-newer"] {
        let of = pairs.iter().filter(|pair| pair.server.name == name);
        let reports = of.filter_map(|pair| pair.report.as_ref().ok());
        let said = reports.filter_map(|report| call(report, "count").ok());
        let said = said.filter_map(|it| it["result"]["content"][0]["text"].as_str()?.parse().ok());
        let said: BTreeSet<usize> = said.collect();
        assert_eq!(said, (1..=CLIENTS.len()).collect(), "{name} was called once for each");
    }
    let branches = servers::branches(&place);
    for client in CLIENTS {
        assert!(branches.contains(client.name), "{branches}");
        let note = place.path().join("files").join(client.name);
        let note = std::fs::read_to_string(note).expect("it was written");
        assert_eq!(note, format!("by {}", client.name));
    }
    let chain = place.ask(&["audit", "verify"]).await;
    assert_eq!(chain["whole"], true, "{chain}");
}
