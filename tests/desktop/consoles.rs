//! Two consoles on one gateway: the app that has it, and another one that joined it.

use std::sync::Arc;
use std::time::Duration;

use countersign_tests::{App, Session};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::journey::{approve, button, connect_agent, field, first_run};
use crate::pictures;

const ADA: &str = "correct horse battery staple, twice";
const GRACE: &str = "grace and her compiler";
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens a waiting call in the approval window.
async fn decide(app: &App, row: &Value) {
    app.turn_to("main").await;
    let which = json!({ "tenant": row["tenant"], "approval": row["id"] });
    app.invoke("open_approval_window", which).await.unwrap();
}

async fn waiting(app: &App) -> Value {
    app.turn_to("main").await;
    app.until("a call waits", async || {
        let rows = app.invoke("approval_list", json!({ "states": ["pending"] })).await.ok()?;
        rows.get(0).cloned()
    })
    .await
}

#[tokio::test]
async fn o15_two_operators_in_two_consoles_sign_one_call_and_it_is_made_once() {
    let session = Session::start(1920, 1080).await;
    let home = session.path("registry");
    let own = App::start(&session, &home, &["--listen", "127.0.0.1:0"]).await;
    first_run(&own).await;
    let agent = Arc::new(connect_agent(&own, "scribe", "executor").await);

    // Ada lets another console in, and enrols one for Grace.
    own.turn_to("main").await;
    let mut settings = own.invoke("serving_show", json!({})).await.unwrap()["wanted"].clone();
    settings["consoles"] = json!("127.0.0.1:0");
    let serving = own.invoke("serving_set", json!({ "settings": settings })).await.unwrap();
    let address = serving["consoles"]["listen"].as_str().unwrap().to_owned();
    let grace = json!({ "name": "Grace", "role": "approver", "passphrase": GRACE });
    let grace = own.invoke("operator_create", grace).await.unwrap()["id"].clone();
    let args = json!({ "operator": grace, "name": "laptop", "days": 30 });
    let made = own.invoke("console_enrol", args).await.unwrap();
    let tenants = own.invoke("tenant_list", json!({})).await.unwrap();
    let tenant = tenants[0]["id"].clone();
    let matrix = own.invoke("matrix", json!({ "tenant": tenant })).await.unwrap();
    let tools = matrix["tools"].as_array().unwrap();
    let tool = tools.iter().find(|it| it["name"] == "write_file").unwrap()["id"].clone();
    let rule = json!({ "tenant": tenant, "tool": tool, "signing": { "approvers": 2 } });
    own.invoke("tool_set_signing", rule).await.unwrap();

    // Grace joins on a machine of her own: another session, another keychain.
    let elsewhere = Session::start(1280, 900).await;
    let file = elsewhere.path("console.json");
    std::fs::write(&file, made["file"].as_str().unwrap()).unwrap();
    let home = elsewhere.path("registry");
    let other = App::start(&elsewhere, &home, &["--console", file.to_str().unwrap()]).await;
    other.turn_to("main").await;
    other.sees("Join another console’s gateway").await;
    pictures::of_page(&other, "console-join").await;
    other.fill(&field("Code"), "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA").await;
    other.click(&button("Join")).await;
    other.sees("the code does not open this file").await;
    other.fill(&field("Code"), made["code"].as_str().unwrap()).await;
    other.click(&button("Join")).await;
    other.sees("Unlock the console").await;
    other.sees("attached to").await;
    other.sees(&address).await;
    let wrong = other.invoke("unlock", json!({ "passphrase": ADA })).await.unwrap_err();
    assert_eq!(wrong["code"], "wrong_passphrase", "it is the console of Grace alone");
    other.invoke("unlock", json!({ "passphrase": GRACE })).await.unwrap();
    other.sees("Grace").await;
    let refused = other.invoke("tenant_create", json!({ "name": "x" })).await.unwrap_err();
    assert_eq!(refused["code"], "forbidden");

    // A call waits; each console shows it, and each of them signs.
    let caller = Arc::clone(&agent);
    let note = json!({ "path": "note.txt", "content": "once", "append": true });
    let call = tokio::spawn(async move { caller.call("write_file", note).await });
    let row = waiting(&own).await;
    let there = waiting(&other).await;
    assert_eq!(row["id"], there["id"]);
    decide(&own, &row).await;
    approve(&own).await;
    own.sees("1 of 2 signed").await;
    decide(&other, &there).await;
    // What the one signed, the other sees by itself.
    other.turn_to("approval").await;
    other.sees("1 of 2 signed").await;
    pictures::of_page(&other, "console-second-signature").await;
    approve(&other).await;
    let answer = match timeout(PATIENCE, call).await {
        Ok(answer) => answer.unwrap(),
        Err(_) => panic!("the call is not let go: {}", other.text().await),
    };
    assert_ne!(answer["result"]["isError"], json!(true), "{answer}");
    let written = std::fs::read_to_string(session.path("registry/workbench/note.txt")).unwrap();
    assert_eq!(written, "once");
    own.turn_to("approval").await;
    own.sees("Grace").await;

    // Both windows show the log; the gateway goes on without the other console, and says so there
    // when it is revoked.
    own.turn_to("main").await;
    let chain = own.invoke("audit_verify", json!({})).await.unwrap();
    assert_eq!(chain["whole"], json!(true), "{chain}");
    let console = made["console"]["id"].clone();
    own.invoke("console_revoke", json!({ "console": console })).await.unwrap();
    other.turn_to("main").await;
    other.sees("No connection to the gateway").await;
    pictures::of_page(&other, "console-lost").await;
    other.close().await;
    own.close().await;
}
