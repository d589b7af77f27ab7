//! Series of approvals, from the operator's side and from the gateway's.

use std::sync::Arc;
use std::time::Duration;

use cs_gateway::ports::{NewApproval, Ruling, SeriesUse, Spend};
use cs_model::series::SeriesClaims;
use cs_model::state::OperatorRole;
use cs_model::{ApprovalId, Digest, OperationTokenId, SeriesId};
use serde_json::{Value, json};

use super::approvals::Waiting;
use super::place::{PASSPHRASE, somebody};
use crate::actor::Actor;
use crate::{lifecycle, lifecycle::tick};

const LOCAL: Actor = Actor::Local { uid: Some(0) };

fn wanted(it: &Waiting, more: &Value) -> Value {
    let mut args = it.approve();
    (args["calls"], args["secs"]) = (json!(3), json!(300));
    for (name, value) in more.as_object().unwrap() {
        args[name] = value.clone();
    }
    args
}

async fn sign(it: &Waiting, more: &Value) -> Value {
    it.place.ask("series_sign", wanted(it, more)).await
}

async fn refuse(it: &Waiting, more: &Value) -> Value {
    it.place.refused(it.place.control.console(), "series_sign", wanted(it, more)).await
}

/// What the gateway is given to look at.
async fn running(it: &Waiting) -> Vec<SeriesClaims> {
    let (tenant, session, tool) = (it.request.tenant, it.request.session, it.request.tool);
    let running = it.ports.series.running(tenant, session, tool).await.unwrap();
    let operators = Arc::clone(&it.place.control.core().unwrap().world.borrow().operators);
    let key = |id| operators.get(&id).map(|it| it.public_key);
    let claims = running.iter().map(|series| {
        let claims = cs_trust::series::verify(&series.token, key).unwrap().claims().clone();
        assert_eq!(claims.schema, Digest::of(series.schema.as_bytes()));
        assert_eq!(claims.jti, series.id);
        claims
    });
    claims.collect()
}

fn spending(it: &Waiting, series: SeriesId, number: u8) -> SeriesUse {
    let now = it.place.control.now();
    SeriesUse {
        series,
        token: OperationTokenId::from_random([number; 16]),
        tenant: it.request.tenant,
        session: it.request.session,
        operation: Digest::of(&[number]),
        calls: 3,
        expires: now.after(Duration::from_secs(300)),
        at: now,
    }
}

#[tokio::test]
async fn a_waiting_call_is_approved_with_a_series_of_exactly_its_arguments() {
    let it = Waiting::new().await;
    let view = sign(&it, &json!({ "reason": "Every hour the same." })).await;
    assert_eq!(
        (&view["calls"], &view["used"], &view["running"]),
        (&json!(3), &json!(0), &json!(true))
    );
    assert_eq!(
        view["schema"],
        r#"{"additionalProperties":false,"properties":{"to":{"const":"ada@example.com"}},"required":["to"],"type":"object"}"#
    );
    assert!(
        matches!(it.ruling().await, Ruling::Approved { .. }),
        "the call that waits is approved"
    );
    let claims = running(&it).await.remove(0);
    let core = it.place.control.core().unwrap();
    assert_eq!((claims.n, claims.exp - claims.iat), (3, 300));
    assert_eq!((claims.sid, claims.tool), (it.request.session, it.request.tool));
    assert_eq!((claims.tool_fpr, claims.sub), (it.request.fingerprint, it.request.agent));
    assert_eq!(claims.aud, lifecycle::audience(&core));
    assert_eq!(claims.rsn, Some(Digest::of(b"Every hour the same.")));
    let log = it.place.log(&["series.signed", "approval.approved"]).await;
    let kinds: Vec<_> = log.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    assert!(log.iter().all(|row| row["who"] == "Ada"), "{log:?}");
}

#[tokio::test]
async fn o17_a_call_that_somebody_decided_begins_no_series() {
    let it = Waiting::new().await;
    let mut deny = it.of();
    deny["reason"] = json!("No.");
    it.place.ask("approval_deny", deny).await;
    assert_eq!(refuse(&it, &json!({})).await["code"], "conflict");
    assert!(running(&it).await.is_empty());
    assert_eq!(it.ruling().await, Ruling::Denied { reason: "No.".to_owned() });
}

#[tokio::test]
async fn o17_a_series_has_bounds_and_a_schema_that_somebody_meant() {
    let it = Waiting::new().await;
    for (more, field) in [
        (json!({ "calls": 0 }), "calls"),
        (json!({ "calls": 100 }), "calls"),
        (json!({ "secs": 0 }), "secs"),
        (json!({ "secs": 901 }), "secs"),
        (json!({ "schema": "{}" }), "schema"),
        (json!({ "schema": "{\"type\":\"object\"}" }), "schema"),
        (json!({ "schema": "[]" }), "schema"),
        (json!({ "schema": format!("{{\"title\":\"{}\"}}", "x".repeat(16 * 1024)) }), "schema"),
    ] {
        let refused = refuse(&it, &more).await;
        assert_eq!(
            (&refused["code"], &refused["field"]),
            (&json!("invalid"), &json!(field)),
            "{more}"
        );
    }
    let stale = refuse(&it, &json!({ "shown": Digest::of(b"other") })).await;
    assert_eq!(stale["code"], "stale");
    assert_eq!(it.ruling().await, Ruling::Pending, "nothing was approved meanwhile");
    assert!(running(&it).await.is_empty());
    let meant = json!({ "any_arguments": true, "calls": 99, "secs": 900 });
    assert_eq!(sign(&it, &meant).await["calls"], 99);
}

#[tokio::test]
async fn o17_no_series_is_signed_for_what_is_signed_call_by_call() {
    let it = Waiting::new().await;
    let (tenant, tool) = (it.request.tenant, it.request.tool);
    let set = async |command: &str, member: &str, value: Value| {
        let mut args = json!({ "tenant": tenant, "tool": tool });
        args[member] = value;
        it.place.ask(command, args).await;
    };
    for effects in [json!({ "sends_out": true }), json!({ "destroys": true })] {
        set("tool_set_effects", "effects", effects).await;
        assert_eq!(refuse(&it, &json!({})).await["code"], "conflict");
        let view = it.place.ask("approval_show", it.of()).await;
        assert!(view["signing"]["no_series"].as_str().unwrap().contains("marked"), "{view}");
    }
    set("tool_set_effects", "effects", json!({})).await;
    for rule in [json!({ "approvers": 2 }), json!({ "presence": true }), json!({ "reason": true })]
    {
        set("tool_set_signing", "signing", rule.clone()).await;
        let brought = json!({ "passphrase": PASSPHRASE, "reason": "Because." });
        assert_eq!(refuse(&it, &brought).await["code"], "conflict", "{rule}");
    }
    set("tool_set_signing", "signing", json!({})).await;
    assert_eq!(it.place.ask("approval_show", it.of()).await["signing"]["no_series"], Value::Null);
    // What waited was taken back when less came to be asked for: it is asked for anew.
    let id = ApprovalId::from_random([5; 16]);
    let request = NewApproval { id, ..it.request.clone() };
    assert_eq!(it.ports.desk.file(request.clone(), Vec::new()).await.unwrap(), Some(id));
    let it = Waiting { request, ..it };
    sign(&it, &json!({})).await;
    let args = json!({ "tenant": tenant, "tool": tool, "effects": { "destroys": true } });
    it.place.ask("tool_set_effects", args).await;
    let fault = it.place.ask("series_list", json!({})).await[0]["fault"].clone();
    assert!(fault.as_str().unwrap().contains("able to destroy"), "{fault}");
}

#[tokio::test]
async fn o17_o15_only_whoever_may_sign_the_call_signs_a_series_of_it() {
    let it = Waiting::new().await;
    for role in [OperatorRole::Auditor, OperatorRole::PolicyEditor] {
        for (command, args) in [
            ("series_sign", wanted(&it, &json!({}))),
            (
                "series_revoke",
                json!({ "tenant": it.request.tenant, "series": SeriesId::from_random([1; 16]) }),
            ),
        ] {
            assert_eq!(it.place.refused(somebody(role), command, args).await["code"], "forbidden");
        }
    }
    let local = it.place.refused(LOCAL, "series_sign", wanted(&it, &json!({}))).await;
    assert_eq!((&local["code"], &local["field"]), (&json!("invalid"), &json!("passphrase")));
    it.place.ask("operator_group_create", json!({ "name": "finance" })).await;
    let rule = json!({ "tenant": it.request.tenant, "tool": it.request.tool,
                       "signing": { "group": "finance" } });
    it.place.ask("tool_set_signing", rule).await;
    assert_eq!(refuse(&it, &json!({})).await["code"], "conflict", "an owner of no group");
    assert!(running(&it).await.is_empty());
}

#[tokio::test]
async fn o17_a_series_is_listed_taken_back_and_pays_for_nothing_after() {
    let it = Waiting::new().await;
    let view = sign(&it, &json!({})).await;
    let id: SeriesId = view["id"].as_str().unwrap().parse().unwrap();
    let spend =
        async |number| it.ports.series.redeem(spending(&it, id, number), Vec::new()).await.unwrap();
    assert_eq!(spend(1).await, Spend::Spent);
    let listed = it.place.ask("series_list", json!({ "tenant": it.request.tenant })).await;
    assert_eq!((&listed[0]["id"], &listed[0]["used"]), (&view["id"], &json!(1)));
    assert_eq!(listed[0]["fault"], Value::Null);
    let seen = async |role| it.place.ask_as(somebody(role), "series_list", json!({})).await;
    assert_eq!(seen(OperatorRole::Auditor).await[0]["schema"], view["schema"]);
    assert_eq!(seen(OperatorRole::PolicyEditor).await[0]["schema"], Value::Null);
    let one = json!({ "tenant": it.request.tenant, "series": view["id"] });
    // To take back grants nothing: the user of this system may.
    let over = it.place.ask_as(LOCAL, "series_revoke", one.clone()).await;
    assert_eq!((&over["running"], &over["fault"]), (&json!(false), &json!("it was taken back")));
    assert_eq!(spend(2).await, Spend::Refused);
    assert!(running(&it).await.is_empty());
    let again = it.place.refused(it.place.control.console(), "series_revoke", one).await;
    assert_eq!(again["code"], "conflict");
    assert_eq!(it.place.ask("series_list", json!({})).await, json!([]));
    assert_eq!(it.place.ask("series_list", json!({ "all": true })).await[0]["used"], 1);
    let log = it.place.log(&["series.revoked"]).await;
    assert!(log[0]["summary"].as_str().unwrap().contains("1 of 3 calls were made"), "{log:?}");
}

#[tokio::test]
async fn o17_time_a_denial_and_the_end_of_the_session_end_it() {
    let it = Waiting::new().await;
    let ahead = json!({ "tenant": it.request.tenant, "session": it.request.session,
                        "tool": it.request.tool, "calls": 100, "secs": 60,
                        "schema": r#"{"properties":{"to":{"pattern":"@example.com$"}}}"# });
    it.place.ask("series_sign", ahead.clone()).await;
    assert_eq!(it.ruling().await, Ruling::Pending, "what waits goes on waiting");
    let mut deny = it.of();
    deny["reason"] = json!("Not to her.");
    it.place.ask("approval_deny", deny).await;
    assert!(running(&it).await.is_empty());
    it.place.ask("series_sign", ahead.clone()).await;
    it.place.clock.advance(Duration::from_secs(60));
    tick(it.place.control.inner(), false).await.unwrap();
    assert!(running(&it).await.is_empty());
    it.place.ask("series_sign", ahead.clone()).await;
    let end = json!({ "tenant": it.request.tenant, "session": it.request.session });
    it.place.ask("session_end", end).await;
    assert!(running(&it).await.is_empty());
    let all = it.place.ask("series_list", json!({ "all": true })).await;
    let why: Vec<_> =
        all.as_array().unwrap().iter().map(|it| it["fault"].as_str().unwrap()).collect();
    assert_eq!(why, ["the session ended", "its time was up", "a call of the tool was denied"]);
    let refused = it.place.refused(it.place.control.console(), "series_sign", ahead).await;
    assert_eq!(refused["code"], "conflict", "there is no session any more");
    let log = it.place.log(&["series.ended"]).await;
    let why: Vec<_> = log.iter().map(|it| it["reason"].as_str().unwrap()).collect();
    assert_eq!(why, ["session_ended", "expired", "call_denied"], "each end is on record, once");
}

#[tokio::test]
async fn o17_a_series_of_an_operator_with_another_key_is_shown_to_pay_for_nothing() {
    let it = Waiting::new().await;
    sign(&it, &json!({})).await;
    it.place.ask("operator_key_rotate", json!({ "passphrase": PASSPHRASE })).await;
    let fault = it.place.ask("series_list", json!({})).await[0]["fault"].clone();
    assert!(fault.as_str().unwrap().contains("another key"), "{fault}");
}
