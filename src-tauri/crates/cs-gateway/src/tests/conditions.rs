//! Cells that grant for some arguments only.

use cs_model::event::EventKind;
use cs_model::{Condition, Grant};
use serde_json::{Value, json};

use super::client::Client;
use super::world::{Stage, WORKER, tool};

const AT_MOST: &str = r#"{"properties":{"amount":{"maximum":100,"type":"number"}},"required":["amount"],"type":"object"}"#;

fn under(stage: &Stage, otherwise: Grant, schema: &str) {
    stage.enforce(|document| {
        let acme = &mut document.tenants[0];
        let condition = Condition { schema: schema.to_owned(), otherwise };
        acme.roles[0].conditions.insert(tool(1000), condition);
    });
}

async fn pays(client: &Client, arguments: Value) -> Option<i64> {
    let reply = client.call("read_file", arguments).await;
    (reply.text() != "done").then(|| reply.error_code())
}

#[tokio::test]
async fn x18_a_cell_grants_for_the_arguments_that_satisfy_its_condition_and_for_no_others() {
    let stage = Stage::new().await;
    under(&stage, Grant::Deny, AT_MOST);
    let client = stage.client(WORKER);
    for fine in [json!({ "amount": 100 }), json!({ "amount": -1.5, "to": "x" })] {
        assert_eq!(pays(&client, fine).await, None);
    }
    let made = stage.journal.calls().len();
    for wrong in [
        json!({ "amount": 100.01 }),
        json!({ "amount": "1" }),
        json!({ "amount": [1] }),
        json!({ "amount": null }),
        json!({ "Amount": 1 }),
        json!({}),
    ] {
        stage.journal.forget();
        assert_eq!(pays(&client, wrong.clone()).await, Some(-32602), "{wrong}");
        assert_eq!(stage.journal.reasons(EventKind::Decision), ["condition_unmet"], "{wrong}");
        let said = client.call("read_file", wrong).await;
        assert!(said.body.contains("may not be called with these arguments"), "{}", said.body);
    }
    assert_eq!(stage.journal.calls().len(), made);
}

#[tokio::test]
async fn x18_what_does_not_satisfy_a_condition_can_be_put_before_a_person() {
    let stage =
        Stage::with(|config| config.limits.hold = std::time::Duration::from_millis(50)).await;
    under(&stage, Grant::Token, AT_MOST);
    let client = stage.client(WORKER).initialize().await;
    let ask =
        |id, amount| super::client::legacy_call(id, "read_file", &json!({ "amount": amount }));
    assert_eq!(client.post(&ask(1, 7)).await.text(), "done");
    let held = client.post(&ask(2, 700)).await;
    assert!(held.body.contains("apr_"), "{}", held.body);
    assert_eq!(stage.journal.calls().len(), 1);
    assert_eq!(stage.journal.reasons(EventKind::ApprovalRequested).len(), 1);
}

#[tokio::test]
async fn s03_s04_a_condition_that_is_set_holds_at_once_and_one_that_is_lifted_for_the_next_session()
{
    let stage = Stage::new().await;
    let client = stage.client(WORKER);
    assert_eq!(pays(&client, json!({ "amount": 500 })).await, None);
    under(&stage, Grant::Deny, AT_MOST);
    assert_eq!(pays(&client, json!({ "amount": 500 })).await, Some(-32602));
    assert_eq!(pays(&client, json!({ "amount": 5 })).await, None);
    stage.enforce(|_| {});
    assert_eq!(pays(&client, json!({ "amount": 500 })).await, None, "it was so when it opened");

    let stage = Stage::new().await;
    under(&stage, Grant::Deny, AT_MOST);
    let client = stage.client(WORKER);
    assert_eq!(pays(&client, json!({ "amount": 500 })).await, Some(-32602));
    stage.enforce(|_| {});
    assert_eq!(pays(&client, json!({ "amount": 500 })).await, Some(-32602), "frozen");
    assert_eq!(pays(&client, json!({ "amount": 5 })).await, None);
}

#[tokio::test]
async fn p17_a_condition_that_cannot_be_held_against_arguments_is_met_by_none() {
    let stage = Stage::new().await;
    for schema in ["{\"$ref\":\"https://evil.example/schema\"}", "not json", "{\"type\":7}"] {
        assert!(crate::examine_condition(schema).is_err(), "{schema}");
        under(&stage, Grant::Deny, schema);
        let client = stage.client(WORKER);
        assert_eq!(pays(&client, json!({ "amount": 1 })).await, Some(-32602), "{schema}");
    }
    assert!(crate::examine_condition(AT_MOST).is_ok());
}
