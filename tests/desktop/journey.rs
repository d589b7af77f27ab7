//! The main job, end to end, in the real window with the real gateway: from an empty home to a
//! countersigned call.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_tests::{Agent, App, Session};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::pictures;

const PASSPHRASE: &str = "correct horse battery staple, twice";
const PATIENCE: Duration = Duration::from_secs(30);

/// A field, by its label.
pub(crate) fn field(label: &str) -> String {
    format!("//*[@id = //label[starts-with(normalize-space(.), '{label}')]/@for]")
}

/// A button, by what it says.
pub(crate) fn button(text: &str) -> String {
    format!(
        "//button[normalize-space(.) = '{text}' and not(@disabled) and not(@aria-disabled = 'true') and not(@data-disabled)]"
    )
}

/// A box to tick, by its label.
fn tick(label: &str) -> String {
    format!("//label[starts-with(normalize-space(.), '{label}')]")
}

async fn go(app: &App, place: &str) {
    app.script("location.hash = arguments[0]", vec![json!(place)]).await;
}

/// Makes the registry with the starter, as a new user would.
pub(crate) async fn first_run(app: &App) {
    app.turn_to("main").await;
    app.sees("Set up this console").await;
    app.fill(&field("Your name"), "Ada").await;
    app.fill(&field("Passphrase"), PASSPHRASE).await;
    app.fill(&field("Passphrase again"), PASSPHRASE).await;
    app.click(&button("Set up")).await;
    // It comes to rest on the starter's overview.
    app.until("the console is set up", async || {
        let tenants = app.invoke("tenant_list", json!({})).await.unwrap_or_default();
        let place = app.script("return location.hash", vec![]).await;
        (tenants[0]["name"] == "acme" && place == json!("#/t/acme/overview")).then_some(())
    })
    .await;
    app.sees("Overview").await;
}

/// Creates an agent and issues it a key, and gives the agent that uses it.
pub(crate) async fn connect_agent(app: &App, name: &str, role: &str) -> Agent {
    go(app, "#/t/acme/agents?new=1").await;
    app.fill(&field("Name"), name).await;
    app.click(&tick(role)).await;
    app.click(&tick("workbench")).await;
    app.click(&button("Create")).await;
    app.click(&button("Issue a key")).await;
    app.click(&button("Issue the key")).await;
    app.sees("shown only now").await;
    let shown = "return [...document.querySelectorAll('dl.facts dt')].reduce((all, it) => \
        ({ ...all, [it.textContent]: it.nextElementSibling.querySelector('code')?.textContent }), {})";
    let facts = app.script(shown, vec![]).await;
    let fact = |name: &str| facts[name].as_str().unwrap_or_else(|| panic!("{name}: {facts}"));
    let agent = Agent::new(fact("Endpoint"), fact("Key id"), fact("Secret"));
    app.click(&tick("I have stored the secret")).await;
    app.click("//section//button[normalize-space(.) = 'Close']").await;
    agent
}

/// Sets a cell of the matrix and waits until it is enforced.
async fn set_cell(app: &App, tool: &str, role: &str, key: &str, word: &str) {
    go(app, "#/t/acme/matrix").await;
    let column = "count(//*[@role='columnheader'][starts-with(normalize-space(.), ROLE)]\
        /preceding-sibling::*[@role='columnheader']) + 1";
    let column = column.replace("ROLE", &format!("'{role}'"));
    let row = format!("//*[@role='row'][*[@role='rowheader'][contains(., '{tool}')]]");
    let cell = format!("{row}//*[@role='gridcell'][@aria-colindex = {column}]");
    app.click(&cell).await;
    app.find("//*[@role='grid']").await.send_keys(key).await.unwrap();
    app.find(&format!("{cell}[@aria-label = '{word}']")).await;
}

/// Approves the call that the approval window shows.
pub(crate) async fn approve(app: &App) {
    app.turn_to("approval").await;
    let whole = "const all = document.querySelector('[aria-label=\"The whole call\"]'); \
        all?.scrollTo(0, all.scrollHeight); return Boolean(all)";
    app.until("the call is shown", async || {
        (app.script(whole, vec![]).await == json!(true)).then_some(())
    })
    .await;
    app.click(&button("Approve and sign")).await;
}

#[tokio::test]
async fn an_administrator_connects_an_agent_narrows_it_and_countersigns_a_call() {
    let session = Session::start(1920, 1080).await;
    let home = session.path("registry");
    let app = App::start(&session, &home, &["--listen", "127.0.0.1:0"]).await;
    first_run(&app).await;
    pictures::of_every_page(&app, "starter").await;
    let agent = Arc::new(connect_agent(&app, "scribe", "executor").await);

    // What the role and the task both have is listed and can be called.
    let tools = agent.tools().await;
    assert!(tools.iter().any(|it| it.ends_with("read_file")), "{tools:?}");
    assert!(!tools.iter().any(|it| it.ends_with("access_secrets")), "{tools:?}");
    let read = agent.call("read_file", json!({"path": "."})).await;
    assert!(went_well(&read), "{read}");

    // A cell is flipped: the very next call is refused.
    set_cell(&app, "read_file", "executor", "d", "Deny").await;
    let refused = agent.call("read_file", json!({"path": "."})).await;
    assert_eq!(refused["error"]["code"], json!(-32602), "{refused}");
    assert!(!agent.tools().await.iter().any(|it| it.ends_with("read_file")));
    set_cell(&app, "read_file", "executor", "a", "Allow").await;

    // A call that needs a signature waits, and runs once when it has one.
    let caller = Arc::clone(&agent);
    let note = json!({"path": "note.txt", "content": "once", "append": true});
    let arguments = note.clone();
    let waiting = tokio::spawn(async move { caller.call("write_file", arguments).await });
    go(&app, "#/t/acme/approvals").await;
    app.sees("write_file").await;
    pictures::of_page(&app, "approval-waiting").await;
    app.click(&button("Decide in the approval window")).await;
    approve(&app).await;
    let written = match timeout(PATIENCE, waiting).await {
        Ok(written) => written.unwrap(),
        Err(_) => panic!("the call is not let go: {}", app.text().await),
    };
    assert!(went_well(&written), "{written}");
    let file = home.join("workbench/note.txt");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "once");
    app.sees("Nothing else waits").await;
    pictures::of_page(&app, "approval-decided").await;

    // All of it is on record, in an unbroken chain.
    app.turn_to("main").await;
    let chain = app.invoke("audit_verify", json!({})).await.unwrap();
    assert_eq!(chain["whole"], json!(true), "{chain}");
    for kind in [
        "approval.requested",
        "approval.approved",
        "token.redeemed",
        "execution.started",
        "execution.finished",
    ] {
        assert_eq!(events(&app, "write_file", kind).await, 1, "{kind}");
    }
    app.close().await;
}

/// Whether a call was made, and its tool did what it was asked.
fn went_well(answer: &Value) -> bool {
    answer["result"].is_object() && answer["result"]["isError"] != json!(true)
}

/// How many events of a kind the audit log has for a tool.
async fn events(app: &App, tool: &str, kind: &str) -> usize {
    let asked = json!({"filter": {}, "limit": 200});
    let page = app.invoke("audit_page", asked).await.unwrap();
    let rows = page["rows"].as_array().unwrap();
    let found = rows
        .iter()
        .filter(|it| it["kind"] == kind && it["tool"].as_str().is_some_and(|it| it.contains(tool)));
    found.count()
}

#[tokio::test]
async fn the_keys_are_in_the_keychain_under_the_names_that_say_whose_they_are() {
    let session = Session::start(1280, 800).await;
    let home = session.path("registry");
    let app = App::start(&session, &home, &["--listen", "127.0.0.1:0"]).await;
    first_run(&app).await;
    let search = ["search", "--all", "service", "countersign"];
    let found = session.command("secret-tool").args(search).output().await.unwrap();
    let found = [found.stdout, found.stderr].concat();
    let found = String::from_utf8_lossy(&found);
    assert!(found.contains("/master"), "{found}");
    assert!(found.contains("/operator/opr_"), "{found}");
    app.close().await;
    assert_no_secret(&home, PASSPHRASE);
}

/// No file of the home has this text in it.
fn assert_no_secret(folder: &Path, secret: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_secret(&path, secret);
        } else if path.is_file() {
            let content = std::fs::read(&path).unwrap();
            let inside = content.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(!inside, "{} has a secret in it", path.display());
        }
    }
}

#[tokio::test]
async fn d11_a_locked_console_shows_and_decides_nothing_until_it_is_unlocked() {
    let session = Session::start(1280, 800).await;
    let app = App::start(&session, &session.path("registry"), &["--listen", "127.0.0.1:0"]).await;
    first_run(&app).await;
    app.invoke("lock", json!({})).await.unwrap();
    for command in ["tenant_list", "audit_verify", "approval_list"] {
        let refused = app.invoke(command, json!({})).await.unwrap_err();
        assert_eq!(refused["code"], json!("locked"), "{command}");
    }
    let wrong = app.invoke("unlock", json!({"passphrase": "not this one"})).await.unwrap_err();
    assert_eq!(wrong["code"], json!("wrong_passphrase"));
    app.invoke("unlock", json!({"passphrase": PASSPHRASE})).await.unwrap();
    app.invoke("tenant_list", json!({})).await.unwrap();
    app.close().await;
}
