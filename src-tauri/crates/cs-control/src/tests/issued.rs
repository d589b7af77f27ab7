//! Calls that are signed for before the agent makes them.

use std::sync::Arc;

use cs_gateway::ports::{Redemption, Ruling, Spend};
use cs_model::op_token::OperationClaims;
use cs_model::{Digest, Timestamp};
use serde_json::{Value, json};

use super::approvals::Waiting;
use super::place::{PASSPHRASE, Place, somebody};
use crate::actor::Actor;

const LOCAL: Actor = Actor::Local { uid: Some(0) };
const AHEAD: &str = r#"{"to": "grace@example.com", "subject": "Noon"}"#;

async fn tool(place: &Place, name: &str) -> Value {
    let matrix = place.ask("matrix", json!({ "tenant": place.tenant().await })).await;
    let tools = matrix["tools"].as_array().unwrap();
    tools.iter().find(|it| it["name"] == name).unwrap()["id"].clone()
}

fn ahead(it: &Waiting) -> Value {
    json!({ "tenant": it.request.tenant, "session": it.request.session, "tool": it.request.tool,
            "arguments": AHEAD })
}

fn claims(it: &Waiting, token: &Value) -> OperationClaims {
    let operators = Arc::clone(&it.place.control.core().unwrap().world.borrow().operators);
    let key = |id| operators.get(&id).map(|it| it.public_key);
    let token = token.as_str().unwrap();
    cs_trust::operation::verify(token, key).unwrap().claims().clone()
}

fn redemption(it: &Waiting, claims: &OperationClaims) -> Redemption {
    Redemption {
        token: claims.jti,
        others: Vec::new(),
        tenant: it.request.tenant,
        session: it.request.session,
        approval: None,
        expires: Timestamp::from_secs(claims.exp),
        at: it.place.control.now(),
    }
}

#[tokio::test]
async fn o01_a_call_that_was_signed_ahead_is_paid_for_once_by_its_token() {
    let it = Waiting::new().await;
    let issued = it.place.ask("approval_issue", ahead(&it)).await;
    let view = &issued["approval"];
    assert_eq!((&view["row"]["state"], &view["decided_by"]), (&json!("approved"), &json!("Ada")));
    let canonical = r#"{"subject":"Noon","to":"grace@example.com"}"#;
    assert_eq!(view["arguments"], canonical);
    let claims = claims(&it, &issued["token"]);
    assert_eq!(claims.args, Digest::of(canonical.as_bytes()));
    assert_eq!((claims.sub, claims.sid), (it.request.agent, it.request.session));
    assert_eq!((claims.tool, claims.tool_fpr), (it.request.tool, it.request.fingerprint));
    assert_eq!(claims.exp - claims.iat, 120);

    let redeem = || it.ports.ledger.redeem(redemption(&it, &claims), Vec::new());
    assert_eq!(redeem().await.unwrap(), Spend::Spent);
    assert_eq!(redeem().await.unwrap(), Spend::Refused);
    assert_eq!(it.ruling().await, Ruling::Pending, "the other call waits as before");
    let log = it.place.log(&["approval.requested", "approval.approved"]).await;
    let ahead: Vec<_> = log.iter().filter(|row| row["reason"] == "ahead").collect();
    assert_eq!(ahead.len(), 2);
    assert!(ahead.iter().all(|row| row["who"] == "Ada"), "{ahead:?}");
}

#[tokio::test]
async fn o15_nobody_signs_ahead_but_an_operator_who_may_sign() {
    let it = Waiting::new().await;
    let mut args = ahead(&it);
    let refused = it.place.refused(LOCAL, "approval_issue", args.clone()).await;
    assert_eq!(refused["field"], "passphrase");
    let auditor = somebody(cs_model::state::OperatorRole::Auditor);
    let refused = it.place.refused(auditor, "approval_issue", args.clone()).await;
    assert_eq!(refused["code"], "forbidden");
    args["passphrase"] = json!("not the passphrase");
    let refused = it.place.refused(LOCAL, "approval_issue", args.clone()).await;
    assert_eq!(refused["code"], "wrong_passphrase");
    args["passphrase"] = json!(PASSPHRASE);
    it.place.ask_as(LOCAL, "approval_issue", args).await;
}

#[tokio::test]
async fn a_token_lasts_as_long_as_is_said_and_five_minutes_at_most() {
    let it = Waiting::new().await;
    for seconds in [0, 301, u32::MAX] {
        let mut args = ahead(&it);
        args["seconds"] = json!(seconds);
        let refused = it.place.refused(it.place.control.console(), "approval_issue", args).await;
        assert_eq!(refused["field"], "seconds");
    }
    let mut args = ahead(&it);
    args["seconds"] = json!(300);
    let issued = it.place.ask("approval_issue", args).await;
    let claims = claims(&it, &issued["token"]);
    assert_eq!(claims.exp - claims.iat, 300);
}

#[tokio::test]
async fn what_could_not_be_made_or_is_signed_already_is_not_signed_ahead() {
    let it = Waiting::new().await;
    let console = it.place.control.console();
    let refuse = async |change: &dyn Fn(&mut Value)| {
        let mut args = ahead(&it);
        change(&mut args);
        it.place.refused(console, "approval_issue", args).await
    };
    let (read, config) =
        (tool(&it.place, "read_file").await, tool(&it.place, "modify_mcp_config").await);
    let of_reading = |args: &mut Value| {
        args["tool"] = read.clone();
        args["arguments"] = json!(r#"{"path": "a.txt"}"#);
    };
    let allowed = refuse(&of_reading).await;
    let message = allowed["message"].as_str().unwrap();
    assert!(message.contains("needs no signature"), "{message}");
    let denied = refuse(&|args| args["tool"] = config.clone()).await;
    assert!(denied["message"].as_str().unwrap().contains("could not be made"), "{denied}");
    for wrong in ["[]", "7", "{", r#"{"a": 1, "a": 2}"#] {
        let refused = refuse(&|args| args["arguments"] = json!(wrong)).await;
        assert_eq!(refused["field"], "arguments", "{wrong}");
    }
    it.place.ask("approval_issue", ahead(&it)).await;
    let twice = refuse(&|_| ()).await;
    assert!(twice["message"].as_str().unwrap().contains("approved already"), "{twice}");
}
