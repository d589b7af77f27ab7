//! What holds although something fails, happens at the same moment, or is changed meanwhile.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cs_gateway::ports::{NewApproval, Redemption, Ruling, Spend};
use cs_model::event;
use cs_model::state::OperatorRole;
use cs_model::{ApprovalId, CorrelationId, Digest, Secret};
use cs_registry::operator;
use cs_secrets::{SecretError, SecretStore};
use serde_json::{Value, json};

use super::approvals::Waiting;
use super::place::{PASSPHRASE, Place};
use crate::actor::Actor;
use crate::{alerts, lifecycle};

const LOCAL: Actor = Actor::Local { uid: Some(0) };
const BOBS: &str = "bob and his builders";
const NEXT: &str = "something else entirely";

async fn with_bob(role: &str) -> (Place, Value) {
    let place = Place::with_starter().await;
    let args = json!({ "name": "Bob", "role": role, "passphrase": BOBS });
    let bob = place.ask("operator_create", args).await["id"].clone();
    (place, bob)
}

/// A store that gives out what it has and takes nothing.
#[derive(Debug)]
struct ReadOnly(Arc<dyn SecretStore>);

#[async_trait]
impl SecretStore for ReadOnly {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        self.0.get(name).await
    }

    async fn put(&self, name: &str, secret: &Secret) -> Result<(), SecretError> {
        // The key that is put aside before the registry names it is taken.
        match name.ends_with("/next") {
            true => self.0.put(name, secret).await,
            false => Err(SecretError::Absent(None)),
        }
    }

    async fn delete(&self, _: &str) -> Result<(), SecretError> {
        Err(SecretError::Absent(None))
    }
}

/// Attacks D07: whoever is not to be there any more is out, whatever the secret store says.
#[tokio::test]
async fn d07_whoever_is_removed_or_recovered_is_locked_out_also_when_the_secret_store_fails() {
    for (command, more) in [("operator_remove", json!({})), ("operator_recover", json!(NEXT))] {
        let (place, bob) = with_bob("owner").await;
        place.ask("unlock", json!({ "passphrase": BOBS })).await;
        assert_ne!(place.control.console(), Actor::Nobody);
        let core = place.control.core().unwrap();
        {
            let alone = core.switch.alone().await;
            alone.replace(Arc::new(ReadOnly(alone.store())));
        }
        let mut args = json!({ "operator": bob, "owner": PASSPHRASE });
        if more.is_string() {
            args["passphrase"] = more;
        }
        place.ask_as(LOCAL, command, args).await;
        assert_eq!(place.control.console(), Actor::Nobody, "{command}");
        let again = json!({ "passphrase": BOBS });
        assert_eq!(place.refused(LOCAL, "unlock", again).await["code"], "wrong_passphrase");
    }
}

/// Trying a passphrase takes its time. What is true after that counts.
#[tokio::test]
async fn o15_an_unlock_that_began_before_a_demotion_or_a_removal_brings_nothing_back() {
    for removed in [false, true] {
        let (place, bob) = with_bob("owner").await;
        place.ask("lock", json!({})).await;
        let core = place.control.core().unwrap();
        let alone = core.hold().await.unwrap();
        let control = place.control.clone();
        let unlocking = tokio::spawn(async move {
            control.dispatch(&LOCAL, "unlock", json!({ "passphrase": BOBS })).await
        });
        // It has tried the passphrase once it waits for whoever changes something.
        let bob = bob.as_str().unwrap().parse().unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(!unlocking.is_finished());
        let correlation = CorrelationId::from_random([7; 16]);
        let system = event::Actor::System;
        let mut edit = core.edit_alone_as(alone, system, correlation).await.unwrap();
        let at = edit.at();
        match removed {
            true => operator::remove(edit.db(), bob, at).await.unwrap(),
            false => operator::set_role(edit.db(), bob, OperatorRole::Auditor).await.unwrap(),
        }
        edit.record().await.unwrap();
        lifecycle::lock_out(&place.control, bob, "test").await.unwrap();
        let unlocked = unlocking.await.unwrap();
        assert_eq!(unlocked.is_err(), removed, "{unlocked:?}");
        let now = match place.control.console() {
            Actor::Operator { role, .. } => Some(role),
            Actor::Local { .. } | Actor::Nobody => None,
        };
        assert_eq!(now, (!removed).then_some(OperatorRole::Auditor));
    }
}

/// Attacks O15: guesses at the same time are not all the first one.
#[tokio::test]
async fn o15_guesses_at_the_same_time_are_answered_one_after_the_other() {
    let place = Place::new().await;
    place.ask("lock", json!({})).await;
    let guess = |number: usize| {
        let control = place.control.clone();
        tokio::spawn(async move {
            let args = json!({ "passphrase": format!("a wrong passphrase {number}") });
            control.dispatch(&LOCAL, "unlock", args).await.unwrap_err()
        })
    };
    let guesses: Vec<_> = (0..12).map(guess).collect();
    for guess in guesses {
        guess.await.unwrap();
    }
    let tried = place.log_as(LOCAL, &["operator.unlock_failed"]).await.len();
    assert_eq!(tried, 5, "the others had to wait");
}

/// Attacks D11: whatever runs as the user of this system keeps no console unlocked.
#[tokio::test]
async fn d11_only_whoever_is_in_front_of_the_console_keeps_it_unlocked() {
    let place = Place::new().await;
    for (actor, stays) in [(LOCAL, false), (place.control.console(), true)] {
        place.ask_as(LOCAL, "unlock", json!({ "passphrase": PASSPHRASE })).await;
        place.clock.advance(Duration::from_secs(599));
        place.ask_as(actor, "touch", json!({})).await;
        place.clock.advance(Duration::from_secs(2));
        assert_eq!(place.control.console() != Actor::Nobody, stays);
    }
}

/// Attacks O09: a clock that is set back gives nobody more time.
#[tokio::test]
async fn o09_a_clock_that_is_set_back_ends_what_waits_what_is_signed_and_who_is_there() {
    let it = Waiting::new().await;
    let ahead = json!({ "tenant": it.request.tenant, "session": it.request.session,
                        "tool": it.request.tool, "calls": 100, "secs": 900,
                        "schema": r#"{"properties":{"to":{"pattern":"@example.com$"}}}"# });
    it.place.ask("series_sign", ahead).await;
    it.place.clock.back(Duration::from_secs(59));
    lifecycle::tick(it.place.control.inner(), false).await.unwrap();
    assert_eq!(it.ruling().await, Ruling::Pending, "clocks are set a little all the time");
    it.place.clock.back(Duration::from_secs(3600));
    lifecycle::tick(it.place.control.inner(), false).await.unwrap();
    assert_eq!(it.place.control.console(), Actor::Nobody);
    assert_eq!(it.ruling().await, Ruling::Expired);
    it.place.ask_as(LOCAL, "unlock", json!({ "passphrase": PASSPHRASE })).await;
    let log = it.place.log(&["series.ended", "approval.expired"]).await;
    let why: Vec<_> = log.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(why, ["clock_set_back", "clock_set_back"], "{log:?}");
}

/// Attacks O09: the same for what was approved already.
#[tokio::test]
async fn o09_what_was_approved_before_the_clock_was_set_back_is_not_made_after() {
    let it = Waiting::new().await;
    it.place.clock.advance(Duration::from_secs(300));
    it.place.ask("approval_approve", it.approve()).await;
    it.place.clock.back(Duration::from_secs(200));
    assert!(matches!(it.ruling().await, Ruling::Approved { .. }));
    lifecycle::tick(it.place.control.inner(), false).await.unwrap();
    assert_eq!(it.ruling().await, Ruling::Expired);
}

/// Attacks O15: nobody lowers the bar for a call that is before somebody already, unseen.
#[tokio::test]
async fn o15_a_rule_that_is_loosened_takes_back_what_waits_and_is_an_alert() {
    let it = Waiting::new().await;
    let rule = |rule: Value| json!({ "tenant": it.request.tenant, "tool": it.request.tool, "signing": rule });
    it.place.ask("tool_set_signing", rule(json!({ "approvers": 2, "reason": true }))).await;
    assert_eq!(it.ruling().await, Ruling::Pending, "what asks for more waits on");
    it.place.ask("tool_set_signing", rule(json!({ "approvers": 2 }))).await;
    assert_eq!(it.ruling().await, Ruling::Withdrawn);
    let refused = it.place.refused(it.place.control.console(), "approval_approve", it.approve());
    assert_eq!(refused.await["code"], "conflict");
    let log = it.place.log(&["approval.withdrawn"]).await;
    assert_eq!(log[0]["reason"], "signing_changed");
    alerts::evaluate(&it.place.control.core().unwrap()).await.unwrap();
    let all = it.place.ask("alert_list", json!({})).await;
    let raised: Vec<_> =
        all.as_array().unwrap().iter().filter(|it| it["rule"] == "signing_loosened").collect();
    assert_eq!(raised.len(), 1, "{all:?}");
    let said = raised[0]["sentence"].as_str().unwrap();
    assert!(said.contains("send_email"), "{said}");
}

/// Whoever answers for an agent is barred where a tool says so: naming another one lifts that.
#[tokio::test]
async fn o15_another_who_answers_for_the_agent_takes_back_what_waits() {
    let it = Waiting::new().await;
    let ada = it.place.ask("operator_list", json!({})).await[0]["id"].clone();
    let args = json!({ "name": "Grace", "role": "approver", "passphrase": BOBS });
    let grace = it.place.ask("operator_create", args).await["id"].clone();
    let answers = |who: &Value| json!({ "tenant": it.request.tenant, "agent": it.request.agent, "operator": who });
    it.place.ask("agent_set_responsible", answers(&ada)).await;
    assert_eq!(it.ruling().await, Ruling::Pending, "nobody answered for it before");
    it.place.ask("agent_set_responsible", answers(&grace)).await;
    assert_eq!(it.ruling().await, Ruling::Withdrawn);
}

/// Attacks O08: what was shown is a call to the server as it was.
#[tokio::test]
async fn o08_a_server_of_which_something_else_may_pass_takes_back_what_waits() {
    let it = Waiting::new().await;
    let ahead = json!({ "tenant": it.request.tenant, "session": it.request.session,
                        "tool": it.request.tool, "calls": 9, "secs": 900,
                        "schema": r#"{"properties":{"to":{"pattern":"@example.com$"}}}"# });
    it.place.ask("series_sign", ahead).await;
    let passes = json!(["elicitation"]);
    let args =
        json!({ "tenant": it.request.tenant, "server": it.request.server, "passes": passes });
    it.place.ask("server_set_passes", args).await;
    assert_eq!(it.ruling().await, Ruling::Withdrawn);
    let log = it.place.log(&["series.ended", "approval.withdrawn"]).await;
    let why: Vec<_> = log.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(why, ["server_changed", "server_changed"]);
}

/// The same of one that a file has reached in another way.
#[tokio::test]
async fn o08_a_server_that_is_reached_in_another_way_takes_back_what_waits() {
    let it = Waiting::new().await;
    let text = it.place.ask("export", json!({})).await["text"].as_str().unwrap().to_owned();
    let other =
        text.replacen("          - --root\n", "          - --again\n          - --root\n", 1);
    assert_ne!(other, text, "{text}");
    it.place.ask("apply", json!({ "text": other, "dry_run": false })).await;
    assert_eq!(it.ruling().await, Ruling::Withdrawn);
}

/// Attacks O17: an agent that is stopped, or of which all is denied, does not go on in a series.
#[tokio::test]
async fn o17_pausing_an_agent_and_denying_all_of_a_session_end_its_series() {
    let it = Waiting::new().await;
    let ahead = json!({ "tenant": it.request.tenant, "session": it.request.session,
                        "tool": it.request.tool, "calls": 9, "secs": 900,
                        "schema": r#"{"properties":{"to":{"pattern":"@example.com$"}}}"# });
    it.place.ask("series_sign", ahead.clone()).await;
    let deny =
        json!({ "tenant": it.request.tenant, "session": it.request.session, "reason": "No." });
    it.place.ask("approval_deny_all", deny).await;
    it.place.ask("series_sign", ahead).await;
    let pause = json!({ "tenant": it.request.tenant, "agent": it.request.agent });
    it.place.ask("agent_pause", pause).await;
    let log = it.place.log(&["series.ended"]).await;
    let why: Vec<_> = log.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(why, ["agent_suspended", "call_denied"]);
}

/// A key that was replaced signs nothing, also what it had signed before and is not decided.
#[tokio::test]
async fn o15_a_signature_of_a_replaced_key_has_to_be_given_again_and_that_is_on_record() {
    let it = Waiting::new().await;
    let args = json!({ "name": "Grace", "role": "approver", "passphrase": BOBS });
    it.place.ask("operator_create", args).await;
    let rule = json!({ "tenant": it.request.tenant, "tool": it.request.tool, "signing": { "approvers": 2 } });
    it.place.ask("tool_set_signing", rule).await;
    let mut hers = it.approve();
    hers["passphrase"] = json!(BOBS);
    it.place.ask_as(LOCAL, "approval_approve", hers.clone()).await;
    it.place.ask_as(LOCAL, "operator_key_rotate", json!({ "passphrase": BOBS })).await;
    let view = it.place.ask("approval_approve", it.approve()).await;
    assert_eq!((&view["row"]["state"], &view["signing"]["signed"]), (&json!("pending"), &json!(1)));
    let log = it.place.log(&["approval.signature_void"]).await;
    assert_eq!((log.len(), &log[0]["reason"]), (1, &json!("key_replaced")), "{log:?}");
    it.place.clock.advance(Duration::from_secs(1));
    let view = it.place.ask_as(LOCAL, "approval_approve", hers).await;
    assert_eq!(view["row"]["state"], "approved");
}

/// A passphrase that is taken says so: whoever is no owner does not find out whose by trying.
#[tokio::test]
async fn o15_whoever_is_no_owner_chooses_five_passphrases_within_an_hour() {
    let (place, _) = with_bob("approver").await;
    place.ask("unlock", json!({ "passphrase": BOBS })).await;
    let bob = place.control.console();
    let choose = |from: String, to: String| json!({ "passphrase": from, "next": to });
    let phrase = |number: usize| match number {
        0 => BOBS.to_owned(),
        more => format!("bob and his builders {more}"),
    };
    for number in 0..5 {
        let args = choose(phrase(number), phrase(number + 1));
        place.ask_as(bob, "operator_passphrase_set", args).await;
    }
    let args = choose(phrase(5), PASSPHRASE.to_owned());
    let refused = place.refused(bob, "operator_passphrase_set", args).await;
    assert_eq!(refused["code"], "conflict", "it does not say whose that is: {refused}");
    place.clock.advance(Duration::from_secs(3600));
    let args = choose(phrase(5), phrase(6));
    place.ask_as(LOCAL, "operator_passphrase_set", args).await;
}

/// Attacks X02: nobody signs for what would be refused anyway, as another definition was accepted.
#[tokio::test]
async fn x02_a_call_is_not_signed_once_its_tool_is_another_one_and_the_card_says_so() {
    let it = Waiting::new().await;
    let shown = it.place.ask("approval_show", it.of()).await;
    assert_eq!(shown["tool"]["drift"], Value::Null);
    let text = it.place.ask("export", json!({})).await["text"].as_str().unwrap().to_owned();
    let other = text.replace("Does send_email", "Gladly does send_email");
    assert_ne!(other, text);
    it.place.ask("apply", json!({ "text": other, "dry_run": false })).await;
    let shown = it.place.ask("approval_show", it.of()).await;
    assert!(shown["tool"]["drift"].as_str().unwrap().contains("Gladly"), "{shown}");
    let refused = it.place.refused(it.place.control.console(), "approval_approve", it.approve());
    let refused = refused.await;
    assert!(refused["message"].as_str().unwrap().contains("another definition"), "{refused}");
    assert_eq!(it.ruling().await, Ruling::Pending, "nothing was signed");
}

/// Attacks O03: whoever is asked anew is told that the same may have been done.
#[tokio::test]
async fn o03_a_call_that_may_have_been_made_before_says_so_on_its_card() {
    let it = Waiting::new().await;
    it.place.ask("approval_approve", it.approve()).await;
    let Ruling::Approved { tokens } = it.ruling().await else { panic!("not approved") };
    let operators = Arc::clone(&it.place.control.core().unwrap().world.borrow().operators);
    let key = |id| operators.get(&id).map(|it| it.public_key);
    let claims = cs_trust::operation::verify(&tokens[0], key).unwrap().claims().clone();
    let now = it.place.control.now();
    let redemption = Redemption {
        token: claims.jti,
        others: Vec::new(),
        tenant: it.request.tenant,
        session: it.request.session,
        approval: Some(it.request.id),
        expires: now.after(Duration::from_secs(60)),
        at: now,
    };
    let spent = it.ports.ledger.redeem(redemption, Vec::new()).await.unwrap();
    assert_eq!(spent, Spend::Spent);
    it.ports.ledger.settled(claims.jti, event::Outcome::Unknown, Vec::new()).await.unwrap();
    it.place.clock.advance(Duration::from_secs(60));
    let requested = it.place.control.now();
    let again = NewApproval {
        id: ApprovalId::from_random([5; 16]),
        requested,
        decide_by: requested.after(Duration::from_secs(900)),
        ..it.request.clone()
    };
    let arguments = r#"{"to":"bob@example.com"}"#.to_owned();
    let other = NewApproval {
        id: ApprovalId::from_random([6; 16]),
        operation: Digest::of(b"another"),
        arguments_digest: Digest::of(arguments.as_bytes()),
        arguments,
        ..again.clone()
    };
    for (request, says) in [(again, true), (other, false)] {
        let args = json!({ "tenant": request.tenant, "approval": request.id });
        it.ports.desk.file(request, Vec::new()).await.unwrap();
        let shown = it.place.ask("approval_show", args).await;
        assert_eq!(shown["lost_before"].is_string(), says, "{}", shown["lost_before"]);
    }
}
