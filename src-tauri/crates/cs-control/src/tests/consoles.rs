//! Consoles on other machines, over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cs_gateway::ports::Clock;
use cs_model::Secret;
use cs_trust::console::ConsoleIdentity;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::approvals::Waiting;
use super::doors::{config, raw};
use super::place::{PASSPHRASE, Place};
use crate::actor::Actor;
use crate::consoles::{self, AttachError, attach};
use crate::failure::{ErrorCode, Failure};
use crate::lifecycle;
use crate::socket::{Client, SocketError};

pub(super) const LOCAL: Actor = Actor::Local { uid: Some(0) };
pub(super) const GRACE: &str = "grace and her compiler";
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Has a gateway let consoles in, with Grace, who is an approver, around.
pub(super) async fn open(place: &Place) -> SocketAddr {
    place.control.start_gateway("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut settings = place.ask("serving_show", json!({})).await["wanted"].clone();
    settings["consoles"] = json!("127.0.0.1:0");
    settings["listen"] = json!("127.0.0.1:0");
    let view = place.ask("serving_set", json!({ "settings": settings })).await;
    let args = json!({ "name": "Grace", "role": "approver", "passphrase": GRACE });
    place.ask("operator_create", args).await;
    view["consoles"]["listen"].as_str().unwrap().parse().unwrap()
}

pub(super) async fn operator(place: &Place, name: &str) -> Value {
    let all = place.ask_as(LOCAL, "operator_list", json!({})).await;
    all.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()["id"].clone()
}

pub(super) async fn enrol(place: &Place, name: &str) -> (Value, ConsoleIdentity) {
    let args = json!({ "operator": operator(place, name).await, "name": "laptop", "days": 30,
                       "owner": PASSPHRASE });
    let made = place.ask_as(LOCAL, "console_enrol", args).await;
    let code = Secret::from_text(made["code"].as_str().unwrap().to_owned());
    let identity = consoles::open(made["file"].as_str().unwrap(), &code).unwrap();
    (made["console"]["id"].clone(), identity)
}

pub(super) fn clock(place: &Place) -> Arc<dyn Clock> {
    Arc::clone(&place.clock) as Arc<dyn Clock>
}

pub(super) async fn join(place: &Place, name: &str) -> (Value, Client) {
    let (id, identity) = enrol(place, name).await;
    (id, attach(&identity, clock(place)).await.unwrap())
}

pub(super) async fn ask(client: &Client, command: &str, args: Value) -> Result<Value, Failure> {
    timeout(PATIENCE, client.ask(command, args)).await.expect("in time").expect("an answer")
}

pub(super) async fn unlock(client: &Client, passphrase: &str) -> Result<Value, Failure> {
    ask(client, "unlock", json!({ "passphrase": passphrase })).await
}

/// Waits until the other side has ended the connection, and gives why.
pub(super) async fn cut_off(client: &Client) -> SocketError {
    let ended = async {
        loop {
            if let Err(error) = client.ask("ping", Value::Null).await {
                return error;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, ended).await.expect("it is cut off")
}

pub(super) async fn refused(place: &Place, identity: &ConsoleIdentity) -> String {
    match attach(identity, clock(place)).await {
        Err(AttachError::Refused(failure)) => failure.message,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn reasons(place: &Place) -> Vec<Value> {
    let log = place.log_as(LOCAL, &["console.refused"]).await;
    log.iter().map(|row| row["reason"].clone()).collect()
}

#[tokio::test]
async fn a_console_elsewhere_works_as_its_operator_once_they_have_unlocked_it() {
    let place = Place::with_starter().await;
    open(&place).await;
    let (id, client) = join(&place, "Grace").await;
    let status = ask(&client, "status", json!({})).await.unwrap();
    assert_eq!(status["operator"], Value::Null);
    for command in ["tenant_list", "audit_verify", "approval_list", "console_list"] {
        let refused = ask(&client, command, json!({})).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Locked, "{command}");
    }
    let status = unlock(&client, GRACE).await.unwrap();
    assert_eq!(status["operator"]["name"], "Grace");
    assert_eq!(ask(&client, "tenant_list", json!({})).await.unwrap()[0]["name"], "acme");
    let edit = ask(&client, "tenant_create", json!({ "name": "other" })).await.unwrap_err();
    assert_eq!(edit.code, ErrorCode::Forbidden, "an approver stays one");
    let own = place.ask("status", json!({})).await;
    assert_eq!(own["operator"]["name"], "Ada", "the gateway's own console is another seat");

    let listed = place.ask("console_list", json!({})).await;
    assert_eq!((&listed[0]["id"], &listed[0]["operator_name"]), (&id, &json!("Grace")));
    assert_eq!((&listed[0]["state"], &listed[0]["unlocked"]), (&json!("in_force"), &json!(true)));
    assert_eq!(listed[0]["connected"].as_array().unwrap().len(), 1);
    let log = place.log(&["console.attached", "operator.unlocked"]).await;
    assert!(log.iter().all(|row| row["who"] == "Grace" || row["client"].is_null()), "{log:?}");
    drop(client);
    let gone = async {
        while place.log(&["console.left"]).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("that it left is on record");
    let locked = &place.log(&["operator.locked"]).await[0];
    assert_eq!((&locked["who"], &locked["reason"]), (&json!("Grace"), &json!("left")));
}

/// Attacks D07, O15: the certificate is one operator's, and nobody else's passphrase opens it.
#[tokio::test]
async fn o15_another_operators_passphrase_does_not_unlock_and_guessing_slows_down() {
    let place = Place::with_starter().await;
    open(&place).await;
    let (_, identity) = enrol(&place, "Grace").await;
    let client = attach(&identity, clock(&place)).await.unwrap();
    let refused = unlock(&client, PASSPHRASE).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongPassphrase, "Ada is an owner, but not here");
    let of = json!({ "operator": operator(&place, "Grace").await, "owner": PASSPHRASE });
    assert!(ask(&client, "operator_remove", of).await.is_err());
    for _ in 0..3 {
        unlock(&client, "wrong passphrase").await.unwrap_err();
    }
    // Connecting anew forgives nothing, and nobody else has to wait for it.
    drop(client);
    let client = attach(&identity, clock(&place)).await.unwrap();
    unlock(&client, "wrong passphrase").await.unwrap_err();
    let late = unlock(&client, GRACE).await.unwrap_err();
    assert!(late.message.contains("too many wrong passphrases"), "{}", late.message);
    place.ask("lock", json!({})).await;
    let own = json!({ "passphrase": PASSPHRASE });
    place.ask_as(Actor::Nobody, "unlock", own).await;
    place.clock.advance(Duration::from_secs(2));
    assert_eq!(unlock(&client, GRACE).await.unwrap()["operator"]["name"], "Grace");
    let wrong = place.log(&["operator.unlock_failed"]).await;
    assert!(wrong.iter().all(|row| row["who"] == "Grace"), "{wrong:?}");
}

/// Attacks D11: nobody sits in front of it any more.
#[tokio::test]
async fn d11_a_console_elsewhere_locks_when_nothing_happens() {
    let place = Place::with_starter().await;
    open(&place).await;
    let (_, client) = join(&place, "Grace").await;
    unlock(&client, GRACE).await.unwrap();
    place.clock.advance(Duration::from_secs(599));
    ask(&client, "touch", json!({})).await.unwrap();
    place.clock.advance(Duration::from_secs(599));
    ask(&client, "tenant_list", json!({})).await.unwrap();
    place.clock.advance(Duration::from_secs(1));
    let refused = ask(&client, "tenant_list", json!({})).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Locked);
    lifecycle::tick(place.control.inner(), false).await.unwrap();
    let locked = place.log_as(LOCAL, &["operator.locked"]).await;
    assert!(locked.iter().any(|row| row["who"] == "Grace" && row["reason"] == "idle"));
}

/// Attacks D07: what is open on the network opens nothing without a certificate that is in force.
#[tokio::test]
async fn d07_a_console_that_was_revoked_is_cut_off_and_not_let_in_again() {
    let place = Place::with_starter().await;
    open(&place).await;
    let (id, identity) = enrol(&place, "Grace").await;
    let client = attach(&identity, clock(&place)).await.unwrap();
    unlock(&client, GRACE).await.unwrap();
    let (_, other) = join(&place, "Grace").await;
    let mut changes = client.follow().await.unwrap();
    place.ask("console_revoke", json!({ "console": id })).await;
    cut_off(&client).await;
    let told = timeout(PATIENCE, async { while changes.recv().await.is_ok() {} });
    drop(client);
    told.await.expect("the stream ends");
    let why = refused(&place, &identity).await;
    assert!(why.contains("was revoked"), "{why}");
    assert_eq!(reasons(&place).await, ["console_revoked"]);
    let listed = place.ask("console_list", json!({})).await;
    let (revoked, stays): (Vec<_>, Vec<_>) =
        listed.as_array().unwrap().iter().partition(|it| it["id"] == id);
    assert_eq!((&revoked[0]["state"], &revoked[0]["connected"]), (&json!("revoked"), &json!([])));
    assert_eq!(stays[0]["state"], "in_force");
    assert_eq!(stays[0]["connected"].as_array().unwrap().len(), 1);
    assert_eq!(stays[0]["unlocked"], false, "nobody unlocked that one");
    other.ask("ping", Value::Null).await.unwrap().unwrap();
    let log = place.log(&["admin.changed"]).await;
    assert!(log[0]["summary"].as_str().unwrap().contains("revoked console `laptop`"), "{log:?}");
}

#[tokio::test]
async fn d07_a_console_whose_operator_was_removed_is_cut_off_and_not_let_in_again() {
    let place = Place::with_starter().await;
    open(&place).await;
    let (_, identity) = enrol(&place, "Grace").await;
    let client = attach(&identity, clock(&place)).await.unwrap();
    unlock(&client, GRACE).await.unwrap();
    let of = json!({ "operator": operator(&place, "Grace").await });
    place.ask("operator_remove", of).await;
    cut_off(&client).await;
    let why = refused(&place, &identity).await;
    assert!(why.contains("revoked"), "{why}");
}

#[tokio::test]
async fn d07_a_console_whose_certificate_has_ended_is_cut_off_and_not_let_in_again() {
    let place = Place::with_starter().await;
    open(&place).await;
    let (_, identity) = enrol(&place, "Grace").await;
    let client = attach(&identity, clock(&place)).await.unwrap();
    place.clock.advance(Duration::from_secs(30 * 24 * 60 * 60 + 1));
    lifecycle::tick(place.control.inner(), false).await.unwrap();
    cut_off(&client).await;
    match attach(&identity, clock(&place)).await {
        Err(AttachError::Unreachable { .. } | AttachError::Refused(_)) => {}
        other => panic!("{other:?}"),
    }
    let listed = place.ask_as(LOCAL, "console_list", json!({})).await;
    assert_eq!(listed[0]["state"], "expired");
}

/// Attacks O01, O15: two consoles, one request.
#[tokio::test]
async fn o01_of_two_decisions_on_two_consoles_one_counts_and_the_other_is_told_whose() {
    let it = Waiting::new().await;
    open(&it.place).await;
    let (_, grace) = join(&it.place, "Grace").await;
    unlock(&grace, GRACE).await.unwrap();
    let mut changes = grace.follow().await.unwrap();
    let approve = it.approve();
    let deny = json!({ "tenant": it.request.tenant, "approval": it.request.id, "reason": "No." });
    let (here, there) = tokio::join!(
        it.place.control.dispatch(&LOCAL, "approval_deny", deny),
        ask(&grace, "approval_approve", approve),
    );
    let told = match (&here, &there) {
        (Ok(_), Err(failure)) => (failure, "somebody on the command line has denied this call"),
        (Err(failure), Ok(_)) => (failure, "Grace has approved this call already"),
        other => panic!("{other:?}"),
    };
    assert_eq!(told.0.code, ErrorCode::Conflict);
    assert!(told.0.message.contains(told.1), "{}", told.0.message);
    let heard = async {
        loop {
            if changes.recv().await.unwrap().topic == crate::Topic::Approvals {
                return;
            }
        }
    };
    timeout(PATIENCE, heard).await.expect("the other console hears of it at once");
}

#[tokio::test]
async fn o15_two_operators_on_two_consoles_make_a_quorum() {
    let it = Waiting::new().await;
    open(&it.place).await;
    let rule = json!({ "tenant": it.request.tenant, "tool": it.request.tool,
                       "signing": { "approvers": 2 } });
    it.place.ask("tool_set_signing", rule).await;
    let (_, ada) = join(&it.place, "Ada").await;
    let (_, grace) = join(&it.place, "Grace").await;
    unlock(&ada, PASSPHRASE).await.unwrap();
    unlock(&grace, GRACE).await.unwrap();
    let first = ask(&ada, "approval_approve", it.approve()).await.unwrap();
    assert_eq!(
        (&first["row"]["state"], &first["signing"]["needed"]),
        (&json!("pending"), &json!(1))
    );
    let second = ask(&grace, "approval_approve", it.approve()).await.unwrap();
    assert_eq!(second["row"]["state"], "approved");
    assert_eq!(second["decided_by"], "Grace");
}

/// What was begun is done to its end, also when whoever asked is cut off in the middle.
#[tokio::test]
async fn a_console_that_is_cut_off_while_it_decides_leaves_a_decision_or_none() {
    let it = Waiting::new().await;
    let address = open(&it.place).await;
    let (_, identity) = enrol(&it.place, "Grace").await;
    let mut stream = raw(&it.place, address, config(&it.place, &identity)).await;
    let lines = [
        json!({ "id": 1, "command": "unlock", "args": { "passphrase": GRACE } }),
        json!({ "id": 2, "command": "approval_approve", "args": it.approve() }),
    ];
    stream.write_all(format!("{}\n", lines[0]).as_bytes()).await.unwrap();
    let mut some = [0; 16];
    timeout(PATIENCE, stream.read(&mut some)).await.unwrap().unwrap();
    stream.write_all(format!("{}\n", lines[1]).as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    let settled = async {
        while it.place.log_as(LOCAL, &["console.left"]).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, settled).await.expect("it left");
    let view = it.place.ask("approval_show", it.of()).await;
    let signed = view["signing"]["signatures"].as_array().unwrap().len();
    let approved = it.place.log(&["approval.approved"]).await.len();
    assert!(signed == approved && signed <= 1, "{signed} {approved}");
    assert_eq!(view["row"]["state"] == "approved", approved == 1);
}

/// A console is not sent to an address that is nobody's.
#[tokio::test]
async fn whoever_lets_consoles_in_everywhere_says_where_they_reach_it() {
    let place = Place::with_starter().await;
    open(&place).await;
    let mut settings = place.ask("serving_show", json!({})).await["wanted"].clone();
    settings["consoles"] = json!("0.0.0.0:0");
    place.ask("serving_set", json!({ "settings": settings })).await;
    let mut args = json!({ "operator": operator(&place, "Grace").await, "name": "laptop",
                           "days": 30, "owner": PASSPHRASE });
    let refused = place.refused(LOCAL, "console_enrol", args.clone()).await;
    assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid"), &json!("address")));
    args["address"] = json!("gateway.example:7412");
    place.ask_as(LOCAL, "console_enrol", args).await;
}

#[tokio::test]
async fn consoles_are_let_in_where_that_is_set_and_enrolled_by_owners_alone() {
    let place = Place::with_starter().await;
    let operator = operator(&place, "Ada").await;
    let args = json!({ "operator": operator, "name": "laptop", "days": 30 });
    let nowhere = place.refused(place.control.console(), "console_enrol", args.clone()).await;
    assert_eq!(nowhere["field"], "address");
    open(&place).await;
    let refused = place.refused(LOCAL, "console_enrol", args.clone()).await;
    assert_eq!(refused["field"], "owner", "being the user of this system is not enough");
    for (field, value) in [
        ("days", json!(0)),
        ("days", json!(91)),
        ("name", json!(" ")),
        ("name", json!("lap\u{202e}top")),
        ("address", json!("http://x")),
    ] {
        let mut wrong = args.clone();
        wrong[field] = value;
        let refused = place.refused(place.control.console(), "console_enrol", wrong).await;
        assert_eq!(refused["field"], field);
    }
    let (_, client) = join(&place, "Grace").await;
    unlock(&client, GRACE).await.unwrap();
    let refused = ask(&client, "console_enrol", args).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    let (_, client) = join(&place, "Ada").await;
    unlock(&client, PASSPHRASE).await.unwrap();
    for command in ["first_run", "matrix_save"] {
        let refused = ask(&client, command, json!({})).await.unwrap_err();
        assert!(refused.message.contains("the gateway's own machine"), "{}", refused.message);
    }
    // Where nobody is let in any more, nobody stays.
    let mut settings = place.ask("serving_show", json!({})).await["wanted"].clone();
    settings.as_object_mut().unwrap().remove("consoles");
    let view = place.ask("serving_set", json!({ "settings": settings })).await;
    assert_eq!(view["consoles"]["listen"], Value::Null);
    cut_off(&client).await;
}
