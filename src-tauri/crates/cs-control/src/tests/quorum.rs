//! Calls that take several operators, or certain ones, to be signed.

use std::sync::Arc;
use std::time::Duration;

use cs_gateway::ports::{Meanwhile, Ruling};
use cs_model::op_token::OperationClaims;
use cs_model::state::OperatorRole;
use serde_json::{Value, json};

use super::approvals::Waiting;
use super::place::{PASSPHRASE, Place, somebody};
use crate::actor::Actor;
use crate::{alerts, lifecycle};

const LOCAL: Actor = Actor::Local { uid: Some(0) };
const GRACE: &str = "grace and her compiler";
const LINUS: &str = "linus and his penguin";

/// A call of the executor that waits, with two more approvers around, and a rule for its tool.
async fn under(rule: Value) -> Waiting {
    let it = Waiting::new().await;
    // What is asked for in one tenant is nothing to others, wherever they stand in the list.
    for name in ["aaa", "zzz"] {
        it.place.ask("tenant_create", json!({ "name": name })).await;
    }
    for (name, passphrase) in [("Grace", GRACE), ("Linus", LINUS)] {
        let args = json!({ "name": name, "role": "approver", "passphrase": passphrase });
        it.place.ask("operator_create", args).await;
    }
    ask_for(&it, rule).await;
    it
}

async fn ask_for(it: &Waiting, rule: Value) {
    let args = json!({ "tenant": it.request.tenant, "tool": it.request.tool, "signing": rule });
    it.place.ask("tool_set_signing", args).await;
}

async fn operator(place: &Place, name: &str) -> Value {
    let all = place.ask("operator_list", json!({})).await;
    all.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()["id"].clone()
}

/// Makes the group finance, with these operators in it.
async fn finance(place: &Place, members: &[&str]) {
    place.ask("operator_group_create", json!({ "name": "finance" })).await;
    for name in members {
        let args = json!({ "group": "finance", "operator": operator(place, name).await });
        place.ask("operator_group_add", args).await;
    }
}

fn by(it: &Waiting, passphrase: &str) -> Value {
    let mut args = it.approve();
    args["passphrase"] = json!(passphrase);
    args
}

fn with(mut args: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        args[name] = value.clone();
    }
    args
}

async fn sign(it: &Waiting, args: Value) -> Value {
    it.place.ask_as(LOCAL, "approval_approve", args).await
}

async fn refuse(it: &Waiting, args: Value) -> Value {
    it.place.refused(LOCAL, "approval_approve", args).await
}

async fn signed(it: &Waiting) -> Vec<OperationClaims> {
    let Ruling::Approved { tokens } = it.ruling().await else { panic!("not approved") };
    let operators = Arc::clone(&it.place.control.core().unwrap().world.borrow().operators);
    let key = |id| operators.get(&id).map(|it| it.public_key);
    let claims = |token: &String| cs_trust::operation::verify(token, key).unwrap().claims().clone();
    tokens.iter().map(claims).collect()
}

#[tokio::test]
async fn a_call_waits_for_the_second_signature_and_shows_the_first() {
    let it = under(json!({ "approvers": 2 })).await;
    let desk = Arc::clone(&it.ports.desk);
    let (tenant, id) = (it.request.tenant, it.request.id);
    let waiting =
        tokio::spawn(async move { desk.decided(tenant, id, Meanwhile::Waits).await.unwrap() });
    let view = it.place.ask("approval_approve", it.approve()).await;
    assert_eq!(view["row"]["state"], "pending");
    assert_eq!((&view["row"]["signed"], &view["row"]["approvers"]), (&json!(1), &json!(2)));
    assert_eq!((&view["signing"]["signed"], &view["signing"]["needed"]), (&json!(1), &json!(1)));
    assert_eq!(view["signing"]["signatures"][0]["operator_name"], "Ada");
    let objection = view["signing"]["you"]["objection"].as_str().unwrap();
    assert!(objection.contains("takes another operator"), "{objection}");
    let grace = operator(&it.place, "Grace").await.as_str().unwrap().parse().unwrap();
    let grace = Actor::Operator { id: grace, role: OperatorRole::Approver };
    let hers = it.place.ask_as(grace, "approval_show", it.of()).await;
    assert_eq!(hers["signing"]["you"]["objection"], Value::Null, "she has not signed it");
    assert_eq!(it.ruling().await, Ruling::Pending);
    assert!(!waiting.is_finished());
    let row = &it.place.ask("approval_list", json!({})).await[0];
    assert_eq!((&row["signed"], &row["approvers"]), (&json!(1), &json!(2)));

    let view = sign(&it, by(&it, GRACE)).await;
    assert_eq!((&view["row"]["state"], &view["decided_by"]), (&json!("approved"), &json!("Grace")));
    assert_eq!(view["signing"]["needed"], 0);
    let Ruling::Approved { tokens } = waiting.await.unwrap() else { panic!("not approved") };
    assert_eq!(tokens.len(), 2);
    let claims = signed(&it).await;
    assert_ne!(claims[0].iss, claims[1].iss);
    assert_ne!(claims[0].jti, claims[1].jti);
    assert!(claims.iter().all(|claims| claims.args == it.request.arguments_digest));
    let log = it.place.log(&["approval.signed", "approval.approved"]).await;
    let told: Vec<_> = log.iter().map(|row| (&row["kind"], &row["who"])).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&(&json!("approval.signed"), &json!("Ada"))), "{told:?}");
    assert!(told.contains(&(&json!("approval.approved"), &json!("Grace"))), "{told:?}");
}

#[tokio::test]
async fn o15_one_person_does_not_sign_both_of_two() {
    let it = under(json!({ "approvers": 2 })).await;
    it.place.ask("approval_approve", it.approve()).await;
    for args in [it.approve(), by(&it, PASSPHRASE)] {
        let again = it.place.refused(it.place.control.console(), "approval_approve", args).await;
        assert_eq!(again["code"], "conflict");
    }
    assert_eq!(it.ruling().await, Ruling::Pending);
}

#[tokio::test]
async fn a_denial_settles_a_call_whatever_was_signed() {
    let it = under(json!({ "approvers": 3 })).await;
    sign(&it, by(&it, PASSPHRASE)).await;
    sign(&it, by(&it, GRACE)).await;
    let deny = with(it.of(), &json!({ "reason": "No.", "passphrase": LINUS }));
    let view = it.place.ask_as(LOCAL, "approval_deny", deny).await;
    assert_eq!((&view["row"]["state"], &view["decided_by"]), (&json!("denied"), &json!("Linus")));
    assert_eq!(view["signing"]["signed"], 0);
    assert_eq!(view["signing"]["signatures"][0]["fault"], "the call was not approved");
    assert_eq!(it.ruling().await, Ruling::Denied { reason: "No.".to_owned() });
    assert_eq!(refuse(&it, by(&it, LINUS)).await["code"], "conflict");
}

#[tokio::test]
async fn a_signature_that_ended_or_whose_operator_may_sign_no_more_has_to_be_given_again() {
    let it = under(json!({ "approvers": 2 })).await;
    sign(&it, by(&it, PASSPHRASE)).await;
    it.place.clock.advance(Duration::from_secs(300));
    let view = sign(&it, by(&it, GRACE)).await;
    assert_eq!(view["row"]["state"], "pending", "the first one had ended");
    let fault = view["signing"]["signatures"][0]["fault"].as_str().unwrap();
    assert!(fault.contains("given again"), "{fault}");
    let args = json!({ "operator": operator(&it.place, "Grace").await });
    it.place.ask("operator_remove", args).await;
    let view = sign(&it, by(&it, LINUS)).await;
    assert_eq!(view["row"]["state"], "pending", "the second one is of nobody now");
    let view = sign(&it, by(&it, PASSPHRASE)).await;
    assert_eq!(view["row"]["state"], "approved");
    assert_eq!(signed(&it).await.len(), 2);
}

#[tokio::test]
async fn o12_what_a_rule_has_come_to_ask_for_is_asked_of_the_signatures_that_are_there() {
    for (more, says) in [("presence", "without the passphrase"), ("reason", "without a reason")] {
        let it = under(json!({ "approvers": 2 })).await;
        it.place.ask("approval_approve", it.approve()).await;
        ask_for(&it, json!({ "approvers": 2, more: true })).await;
        let view = it.place.ask("approval_show", it.of()).await;
        assert_eq!(view["signing"]["signed"], 0);
        let fault = view["signing"]["signatures"][0]["fault"].as_str().unwrap();
        assert!(fault.contains(says), "{fault}");
        let whole = |passphrase| with(by(&it, passphrase), &json!({ "reason": "Agreed." }));
        it.place.clock.advance(Duration::from_secs(1));
        assert_eq!(sign(&it, whole(GRACE)).await["row"]["state"], "pending");
        it.place.clock.advance(Duration::from_secs(1));
        assert_eq!(sign(&it, whole(LINUS)).await["row"]["state"], "approved");
        assert_eq!(signed(&it).await.len(), 2);
        // Once it is over, the record still tells which signatures it was made with.
        it.place.clock.advance(Duration::from_secs(400));
        lifecycle::tick(it.place.control.inner(), false).await.unwrap();
        let view = it.place.ask("approval_show", it.of()).await;
        assert_eq!(
            (&view["row"]["state"], &view["signing"]["signed"]),
            (&json!("expired"), &json!(2))
        );
        assert_eq!(view["signing"]["signatures"][0]["operator_name"], "Ada");
        assert_eq!(view["signing"]["signatures"][0]["fault"], "it had ended");
    }
}

#[tokio::test]
async fn whoever_has_signed_may_still_break_the_glass() {
    let it = under(json!({ "approvers": 2 })).await;
    it.place.ask("approval_approve", it.approve()).await;
    let glass = json!({ "break_glass": true, "reason": "The plant is on fire." });
    let view = sign(&it, with(by(&it, PASSPHRASE), &glass)).await;
    assert_eq!(view["row"]["state"], "approved");
    assert!(signed(&it).await[0].brk);
}

#[tokio::test]
async fn o15_only_operators_of_the_group_sign_and_whoever_answers_for_the_agent_does_not() {
    let it = under(json!({})).await;
    finance(&it.place, &["Grace"]).await;
    ask_for(&it, json!({ "group": "finance" })).await;
    let refused = refuse(&it, by(&it, LINUS)).await;
    assert_eq!(refused["code"], "conflict");
    assert!(refused["message"].as_str().unwrap().contains("group `finance`"), "{refused}");
    let view = it.place.ask("approval_show", it.of()).await;
    assert!(view["signing"]["you"]["objection"].as_str().unwrap().contains("group `finance`"));
    assert_eq!(view["signing"]["you"]["may_break_glass"], true);

    let linus = operator(&it.place, "Linus").await;
    let args = json!({ "group": "finance", "operator": linus });
    it.place.ask("operator_group_add", args).await;
    ask_for(&it, json!({ "group": "finance", "bar_responsible": true })).await;
    let args = json!({ "tenant": it.request.tenant, "agent": it.request.agent,
                       "operator": operator(&it.place, "Linus").await });
    let agent = it.place.ask("agent_set_responsible", args).await;
    assert_eq!(agent["responsible"]["name"], "Linus");
    let refused = refuse(&it, by(&it, LINUS)).await;
    assert!(refused["message"].as_str().unwrap().contains("answers for the agent"), "{refused}");
    assert_eq!(it.ruling().await, Ruling::Pending);
    assert_eq!(sign(&it, by(&it, GRACE)).await["row"]["state"], "approved");
}

#[tokio::test]
async fn o12_presence_is_a_passphrase_with_this_approval_and_not_an_unlocked_console() {
    let it = under(json!({ "presence": true, "reason": true })).await;
    let console = it.place.control.console();
    let why = json!({ "reason": "Agreed on the phone." });
    let refused = it.place.refused(console, "approval_approve", with(it.approve(), &why)).await;
    assert_eq!((&refused["code"], &refused["field"]), (&json!("invalid"), &json!("passphrase")));
    let refused = it.place.refused(console, "approval_approve", by(&it, PASSPHRASE)).await;
    assert_eq!(refused["field"], "reason");
    for wrong in ["", "  ", &"x".repeat(501)] {
        let args = with(by(&it, PASSPHRASE), &json!({ "reason": wrong }));
        let refused = it.place.refused(console, "approval_approve", args).await;
        assert_eq!(refused["field"], "reason");
    }
    let view = it.place.ask("approval_approve", with(by(&it, PASSPHRASE), &why)).await;
    assert_eq!(view["signing"]["signatures"][0]["reason"], "Agreed on the phone.");
    assert_eq!(view["signing"]["signatures"][0]["presence"], true);
    let claims = signed(&it).await.remove(0);
    assert!(claims.prs && !claims.brk);
    assert_eq!(claims.rsn, Some(cs_model::Digest::of(b"Agreed on the phone.")));
    let log = it.place.log(&["approval.approved"]).await;
    let event = it.place.ask("audit_show", json!({ "seq": log[0]["seq"] })).await;
    assert!(event.to_string().contains("Agreed on the phone."), "{event}");
}

#[tokio::test]
async fn o15_an_owner_breaks_the_glass_with_passphrase_and_reason_and_an_alert_is_raised() {
    let it = under(json!({ "approvers": 3 })).await;
    finance(&it.place, &["Grace", "Linus"]).await;
    ask_for(&it, json!({ "approvers": 3, "group": "finance" })).await;
    sign(&it, by(&it, LINUS)).await;
    let glass = json!({ "break_glass": true, "reason": "The plant is on fire." });
    let refused = refuse(&it, with(by(&it, GRACE), &glass)).await;
    assert!(refused["message"].as_str().unwrap().contains("only an owner"), "{refused}");
    let console = it.place.control.console();
    let refused = it.place.refused(console, "approval_approve", with(it.approve(), &glass)).await;
    assert_eq!(refused["field"], "passphrase");
    let silent = with(by(&it, PASSPHRASE), &json!({ "break_glass": true }));
    assert_eq!(refuse(&it, silent).await["field"], "reason");
    assert_eq!(it.ruling().await, Ruling::Pending);

    let view = sign(&it, with(by(&it, PASSPHRASE), &glass)).await;
    assert_eq!(
        (&view["row"]["state"], &view["row"]["broke_glass"]),
        (&json!("approved"), &json!(true))
    );
    let of_ada = view["signing"]["signatures"].as_array().unwrap();
    let of_ada = of_ada.iter().find(|it| it["operator_name"] == "Ada").unwrap();
    assert_eq!((&of_ada["breaks_glass"], &of_ada["fault"]), (&json!(true), &Value::Null));
    let claims = signed(&it).await;
    assert!(claims[0].brk && claims[0].prs && claims[0].rsn.is_some());
    let log = it.place.log(&["approval.broke_glass"]).await;
    let summary = log[0]["summary"].as_str().unwrap();
    assert!(summary.contains("Ada broke the glass") && summary.contains("on fire"), "{summary}");
    let core = it.place.control.core().unwrap();
    alerts::evaluate(&core).await.unwrap();
    let raised = it.place.ask("alert_list", json!({})).await;
    let raised = raised.as_array().unwrap().iter().find(|it| it["rule"] == "glass_broken");
    assert!(raised.unwrap()["sentence"].as_str().unwrap().contains("send_email"), "{raised:?}");
}

#[tokio::test]
async fn the_glass_is_not_broken_where_one_signature_is_enough_or_the_owner_is_barred() {
    let it = under(json!({})).await;
    let glass = json!({ "break_glass": true, "reason": "Just so." });
    let refused = refuse(&it, with(by(&it, PASSPHRASE), &glass)).await;
    assert!(refused["message"].as_str().unwrap().contains("as usual"), "{refused}");
    ask_for(&it, json!({ "approvers": 2, "bar_responsible": true })).await;
    let args = json!({ "tenant": it.request.tenant, "agent": it.request.agent,
                       "operator": operator(&it.place, "Ada").await });
    it.place.ask("agent_set_responsible", args).await;
    let refused = refuse(&it, with(by(&it, PASSPHRASE), &glass)).await;
    assert!(refused["message"].as_str().unwrap().contains("answers for the agent"), "{refused}");
    assert_eq!(it.ruling().await, Ruling::Pending);
}

#[tokio::test]
async fn groups_are_kept_by_owners_and_not_removed_while_a_tool_asks_for_them() {
    let it = under(json!({})).await;
    let place = &it.place;
    let unknown = json!({ "tenant": it.request.tenant, "tool": it.request.tool,
                          "signing": { "group": "finance" } });
    let console = place.control.console();
    let refused = place.refused(console, "tool_set_signing", unknown).await;
    assert_eq!(refused["field"], "signing");
    finance(place, &["Grace"]).await;
    ask_for(&it, json!({ "group": "finance" })).await;
    let refused =
        place.refused(console, "operator_group_remove", json!({ "group": "finance" })).await;
    assert!(refused["message"].as_str().unwrap().contains("workbench/send_email"), "{refused}");
    let listed = place.ask("operator_group_list", json!({})).await;
    assert_eq!(listed[0]["members"][0]["name"], "Grace");
    assert_eq!(listed[0]["tools"], json!(["acme: workbench/send_email"]));
    let editor = somebody(OperatorRole::PolicyEditor);
    let refused = place.refused(editor, "operator_group_create", json!({ "name": "night" })).await;
    assert_eq!(refused["code"], "forbidden");
    let grace = json!({ "group": "finance", "operator": operator(place, "Grace").await });
    assert_eq!(place.ask("operator_group_drop", grace).await["members"], json!([]));
    let refused = refuse(&it, by(&it, GRACE)).await;
    assert_eq!(refused["code"], "conflict", "out of the group at once");
    ask_for(&it, json!({})).await;
    place.ask("operator_group_remove", json!({ "group": "finance" })).await;
    assert_eq!(place.ask("operator_group_list", json!({})).await, json!([]));
    let log = place.log(&["admin.changed"]).await;
    for said in [
        "made operator group `finance`",
        "put operator `Grace` into group `finance`",
        "took operator `Grace` out of group `finance`",
        "removed operator group `finance`",
    ] {
        let told = |it: &&Value| it["summary"].as_str().unwrap().contains(said);
        assert_eq!(log.iter().filter(told).count(), 1, "{said}");
    }
}

/// Attacks O15: whatever runs as the user of this system does not clear the way for its own calls.
#[tokio::test]
async fn o15_being_the_user_of_this_system_loosens_nothing_about_who_signs() {
    let it = under(json!({})).await;
    let place = &it.place;
    finance(place, &["Grace"]).await;
    let grace = operator(place, "Grace").await;
    let linus = operator(place, "Linus").await;
    let groups = [
        ("operator_group_create", json!({ "name": "night" })),
        ("operator_group_add", json!({ "group": "finance", "operator": linus })),
        ("operator_group_drop", json!({ "group": "finance", "operator": grace })),
        ("operator_group_remove", json!({ "group": "finance" })),
    ];
    // Asking for more is anybody's who may edit.
    let rule = |rule: Value| json!({ "tenant": it.request.tenant, "tool": it.request.tool, "signing": rule });
    let strict = json!({ "approvers": 2, "group": "finance", "reason": true, "presence": true,
                         "bar_responsible": true });
    place.ask_as(LOCAL, "tool_set_signing", rule(strict.clone())).await;
    let who = |operator: &Value| json!({ "tenant": it.request.tenant, "agent": it.request.agent, "operator": operator });
    place.ask_as(LOCAL, "agent_set_responsible", who(&linus)).await;
    let marked = |marks: Value| json!({ "tenant": it.request.tenant, "tool": it.request.tool, "effects": marks });
    let both = json!({ "sends_out": true, "destroys": true });
    place.ask_as(LOCAL, "tool_set_effects", marked(both.clone())).await;
    let text = place.ask("export", json!({})).await["text"].clone();
    let less = |from: &str, to: &str| {
        let other = text.as_str().unwrap().replace(from, to);
        assert_ne!(text.as_str().unwrap(), other);
        json!({ "text": other, "dry_run": false })
    };
    let mut loosening = vec![
        ("agent_set_responsible", who(&grace)),
        ("agent_set_responsible", who(&Value::Null)),
        ("apply", less("responsible: Linus", "responsible: Grace")),
        ("apply", less("presence: true", "presence: false")),
        ("apply", less("destroys: true", "destroys: false")),
    ];
    for member in ["sends_out", "destroys"] {
        let mut fewer = both.clone();
        fewer[member] = json!(false);
        loosening.push(("tool_set_effects", marked(fewer)));
    }
    for (member, to) in [
        ("approvers", json!(1)),
        ("group", Value::Null),
        ("reason", json!(false)),
        ("presence", json!(false)),
        ("bar_responsible", json!(false)),
    ] {
        let mut weaker = strict.clone();
        weaker[member] = to;
        loosening.push(("tool_set_signing", rule(weaker)));
    }
    for (command, mut args) in groups.into_iter().chain(loosening.clone()) {
        let refused = place.refused(LOCAL, command, args.clone()).await;
        let said = (&refused["code"], &refused["field"]);
        assert_eq!(said, (&json!("invalid"), &json!("owner")), "{command} {args}");
        args["owner"] = json!(GRACE);
        assert_eq!(place.refused(LOCAL, command, args).await["code"], "forbidden", "{command}");
    }
    assert_eq!(place.ask("export", json!({})).await["text"], text, "nothing changed");
    let finance = place.ask("operator_group_list", json!({})).await;
    assert_eq!(finance[0]["members"][0]["name"], "Grace");

    let mut weaker = loosening.pop().unwrap().1;
    weaker["owner"] = json!(PASSPHRASE);
    place.ask_as(LOCAL, "tool_set_signing", weaker).await;
    let log = place.log(&["admin.changed"]).await;
    assert_eq!(log[0]["who"], "Ada", "on record as the owner's");
    let editor = somebody(OperatorRole::PolicyEditor);
    place.ask_as(editor, "tool_set_signing", rule(json!({}))).await;
}

#[tokio::test]
async fn rules_and_who_answers_are_written_down_and_read_back() {
    let it = under(json!({})).await;
    let place = &it.place;
    finance(place, &["Grace"]).await;
    ask_for(&it, json!({ "approvers": 2, "group": "finance", "presence": true })).await;
    let args = json!({ "tenant": it.request.tenant, "agent": it.request.agent,
                       "operator": operator(place, "Grace").await });
    place.ask("agent_set_responsible", args).await;
    let text = place.ask("export", json!({})).await["text"].clone();
    let again = json!({ "text": text, "dry_run": true });
    assert_eq!(place.ask("apply", again).await["changes"], json!([]));
    let plain = text.as_str().unwrap();
    assert!(plain.contains("responsible: Grace") && plain.contains("group: finance"), "{plain}");
    ask_for(&it, json!({})).await;
    let back = place.ask("apply", json!({ "text": text, "dry_run": false })).await;
    let changes = back["changes"].to_string();
    assert!(changes.contains("signed by 2 operators of group `finance`"), "{changes}");
    assert_eq!(place.ask("export", json!({})).await["text"], text);
    let console = place.control.console();
    for (from, to) in
        [("group: finance", "group: finances"), ("responsible: Grace", "responsible: Grce")]
    {
        let wrong = json!({ "text": plain.replace(from, to), "dry_run": true });
        let refused = place.refused(console, "apply", wrong).await;
        assert_eq!(refused["code"], "invalid", "{to}");
    }
    // Whoever is removed answers for nobody any more, and the file says so.
    let args = json!({ "operator": operator(place, "Grace").await });
    place.ask("operator_remove", args).await;
    let text = place.ask("export", json!({})).await["text"].clone();
    assert!(!text.as_str().unwrap().contains("responsible: Grace"));
    let again = json!({ "text": text, "dry_run": true });
    assert_eq!(place.ask("apply", again).await["changes"], json!([]));
    lifecycle::tick(place.control.inner(), false).await.unwrap();
}
