//! Calls that take the signatures of several operators, or of certain ones.

use std::sync::Arc;
use std::time::Duration;

use cs_model::document::Document;
use cs_model::event::EventKind;
use cs_model::op_token::OperationClaims;
use cs_model::state::OperatorRole;
use cs_model::{Digest, Name, Signing};
use cs_trust::{OperatorKey, operation};
use serde_json::{Value, json};

use super::client::{Client, Reply, body, legacy_call, meta};
use super::world::{Stage, WORKER, document, operator, signer, token, world_of};
use crate::ports::{NewApproval, Ruling};
use crate::world::{Signer, World};

const SHORT: Duration = Duration::from_millis(40);

/// Approvers 1 and 2 are of the group finance, 3 of none, 4 is an owner of none.
fn operators() -> Vec<(u128, Signer)> {
    let of = |number: u8, groups: &[&str]| (u128::from(number), signer(&key(number), groups));
    let mut all = vec![of(1, &["finance"]), of(2, &["finance"]), of(3, &[]), of(4, &[])];
    all[3].1.signatory.role = OperatorRole::Owner;
    all
}

fn key(number: u8) -> OperatorKey {
    OperatorKey::from_seed([100 + number; 32]).unwrap()
}

/// Has a policy and these operators in force.
fn enforce(stage: &Stage, rule: &Signing, operators: &[(u128, Signer)]) {
    let mut document: Document = document();
    let acme = &mut document.tenants[0];
    for tool in &mut acme.tools {
        tool.signing = rule.clone();
    }
    for agent in &mut acme.agents {
        agent.responsible = Some(operator(2));
    }
    let operators = operators.iter().map(|(number, it)| (operator(*number), it.clone()));
    let operators = Arc::new(operators.collect());
    stage.world.send_replace(Arc::new(World { operators, ..world_of(&document) }));
}

/// A call that waits for the signatures of a rule.
struct Waiting {
    stage: Stage,
    client: Client,
    request: NewApproval,
    calls: std::cell::Cell<u32>,
}

impl Waiting {
    async fn under(rule: &Signing) -> Self {
        let stage = Stage::with(|it| it.limits.hold = SHORT).await;
        enforce(&stage, rule, &operators());
        let client = stage.client(WORKER).initialize().await;
        client.post(&legacy_call(2, "write_file", &json!({ "path": "a" }))).await;
        let request = stage.journal.requests(1).await.remove(0);
        Self { stage, client, request, calls: 3.into() }
    }

    fn claims(&self, by: u8) -> OperationClaims {
        let claims = self.stage.journal.claims(&self.request, u128::from(by));
        OperationClaims { iss: operator(u128::from(by)), ..claims }
    }

    fn sign(&self, by: u8) -> String {
        operation::mint(&self.claims(by), &key(by)).unwrap()
    }

    fn glass(&self, by: u8) -> String {
        let rsn = Some(Digest::of(b"it burns"));
        let claims = OperationClaims { rsn, prs: true, brk: true, ..self.claims(by) };
        operation::mint(&claims, &key(by)).unwrap()
    }

    /// What comes of the call when these tokens are there for it.
    async fn come_back(&self, tokens: &[&String]) -> Reply {
        let tokens = tokens.iter().map(|it| (*it).clone()).collect();
        self.stage.journal.rule(self.request.id, Ruling::Approved { tokens });
        let number = self.calls.replace(self.calls.get() + 1);
        self.client.post(&legacy_call(number, "write_file", &json!({ "path": "a" }))).await
    }

    /// Sees the call refused for a reason, and nothing spent.
    async fn refused(&self, tokens: &[&String], reason: &str) {
        self.stage.journal.forget();
        let reply = self.come_back(tokens).await.json();
        assert_eq!(reply["result"]["isError"], true, "{reason}: {reply}");
        assert_eq!(self.stage.journal.calls(), [], "{reason}");
        assert_eq!(self.stage.journal.reasons(EventKind::TokenRefused), [reason]);
        assert!(self.stage.journal.spent.lock().unwrap().is_empty(), "{reason}");
    }

    async fn done(&self, tokens: &[&String]) {
        assert_eq!(self.come_back(tokens).await.text(), "done");
        assert_eq!(self.stage.journal.calls().len(), 1);
    }
}

fn two() -> Signing {
    Signing::by(2).unwrap()
}

fn finance() -> Signing {
    Signing { group: Some(Name::parse("finance").unwrap()), ..two() }
}

fn three_of_finance() -> Signing {
    Signing { group: finance().group, ..Signing::by(3).unwrap() }
}

#[tokio::test]
async fn two_operators_sign_and_the_call_is_made_once_with_both_tokens_spent() {
    let it = Waiting::under(&finance()).await;
    it.stage.journal.forget();
    it.done(&[&it.sign(1), &it.sign(2)]).await;
    assert_eq!(*it.stage.journal.spent.lock().unwrap(), [token(1), token(2)].into());
    let events = it.stage.journal.events();
    let redeemed = events.iter().filter(|event| event.kind == EventKind::TokenRedeemed);
    let redeemed: Vec<_> = redeemed.map(|event| event.token.unwrap()).collect();
    assert_eq!(redeemed, [token(1), token(2)]);
}

/// Attacks O15, O07: a row that says approved is not a quorum; the gateway counts for itself.
#[tokio::test]
async fn o15_o07_too_few_signatures_execute_nothing_whatever_the_registry_says() {
    let it = Waiting::under(&two()).await;
    it.refused(&[], "too_few_signatures").await;
    it.refused(&[&it.sign(1)], "too_few_signatures").await;
    it.done(&[&it.sign(1), &it.sign(3)]).await;
}

#[tokio::test]
async fn o15_one_operator_who_signs_twice_is_one_operator() {
    let it = Waiting::under(&two()).await;
    let again = OperationClaims { jti: token(77), ..it.claims(1) };
    let again = operation::mint(&again, &key(1)).unwrap();
    it.refused(&[&it.sign(1), &again], "signed_twice").await;
    it.refused(&[&it.sign(1), &it.sign(1)], "signed_twice").await;
    // Nobody lends their token's id to another.
    let shared = OperationClaims { jti: token(1), ..it.claims(3) };
    let shared = operation::mint(&shared, &key(3)).unwrap();
    it.refused(&[&it.sign(1), &shared], "signed_twice").await;
    // Nor signs in another's name.
    let lent = operation::mint(&it.claims(3), &key(1)).unwrap();
    it.refused(&[&it.sign(1), &lent], "token_signature_invalid").await;
    it.done(&[&it.sign(1), &it.sign(3)]).await;
}

/// Attacks O15, O08: whoever may not sign any more when the call is to be made has not signed.
#[tokio::test]
async fn o15_o08_what_changed_between_approval_and_execution_counts_and_burns_nothing() {
    let it = Waiting::under(&finance()).await;
    let both = [&it.sign(1), &it.sign(2)];
    let without = |number: u128| -> Vec<_> {
        operators().into_iter().filter(|(it, _)| *it != number).collect()
    };
    let changed = |change: fn(&mut Signer)| {
        let mut all = operators();
        change(&mut all[1].1);
        all
    };
    let three = three_of_finance();
    let barred = Signing { bar_responsible: true, ..finance() };
    let present = Signing { presence: true, ..finance() };
    let reasons = Signing { reason: true, ..finance() };
    for (rule, operators, reason) in [
        (&finance(), without(2), "token_operator_unknown"),
        (&finance(), changed(|it| it.signatory.groups.clear()), "approver_not_in_group"),
        (&finance(), changed(|it| it.signatory.role = OperatorRole::Auditor), "approver_role"),
        (&finance(), changed(|it| it.public_key = key(9).public_key()), "token_signature_invalid"),
        (&three, operators(), "too_few_signatures"),
        (&barred, operators(), "approver_responsible"),
        (&present, operators(), "presence_missing"),
        (&reasons, operators(), "reason_missing"),
    ] {
        enforce(&it.stage, rule, &operators);
        it.refused(&both, reason).await;
    }
    enforce(&it.stage, &finance(), &operators());
    it.done(&both).await;
}

#[tokio::test]
async fn o15_whoever_is_not_of_the_group_or_answers_for_the_agent_does_not_count() {
    let it = Waiting::under(&finance()).await;
    it.refused(&[&it.sign(1), &it.sign(3)], "approver_not_in_group").await;
    it.refused(&[&it.sign(1), &it.sign(4)], "approver_not_in_group").await;
    let it = Waiting::under(&Signing { bar_responsible: true, ..two() }).await;
    it.refused(&[&it.sign(1), &it.sign(2)], "approver_responsible").await;
    it.done(&[&it.sign(1), &it.sign(3)]).await;
}

/// Attacks O06, O08: each of the signatures has to be for this very call.
#[tokio::test]
async fn o06_o08_a_second_signature_that_is_forged_or_for_another_call_makes_no_quorum() {
    let it = Waiting::under(&two()).await;
    let other = |change: fn(&mut OperationClaims)| {
        let mut claims = it.claims(3);
        change(&mut claims);
        operation::mint(&claims, &key(3)).unwrap()
    };
    let right = it.sign(3);
    let stripped = format!("{}.{}", right.rsplit_once('.').unwrap().0, "A".repeat(86));
    for (second, reason) in [
        (other(|it| it.args = Digest::of(b"another call")), "args_mismatch"),
        (other(|it| it.sub = super::world::agent(super::world::OTHER)), "agent_mismatch"),
        (other(|it| it.tool_fpr = Digest::of(b"another definition")), "definition_mismatch"),
        (other(|it| (it.iat, it.exp) = (it.iat - 200, it.exp - 200)), "expired"),
        (stripped, "token_signature_invalid"),
        ("approved".to_owned(), "token_malformed"),
    ] {
        it.refused(&[&it.sign(1), &second], reason).await;
        it.refused(&[&second, &it.sign(1)], reason).await;
    }
    it.done(&[&it.sign(1), &right]).await;
}

/// Attacks O01: all are spent or none is.
#[tokio::test]
async fn o01_when_one_token_is_spent_already_the_others_stay_unspent() {
    let it = Waiting::under(&two()).await;
    it.stage.journal.spent.lock().unwrap().insert(token(3));
    for tokens in [[&it.sign(1), &it.sign(3)], [&it.sign(3), &it.sign(1)]] {
        let reply = it.come_back(&tokens).await.json();
        assert_eq!(reply["result"]["isError"], true, "{reply}");
    }
    let why = it.stage.journal.reasons(EventKind::TokenRefused);
    assert_eq!(why, ["approval_over", "approval_over"]);
    assert_eq!(*it.stage.journal.spent.lock().unwrap(), [token(3)].into());
    assert_eq!(it.stage.journal.calls(), []);
    it.done(&[&it.sign(1), &it.sign(2)]).await;
}

/// Attacks O12: an unlocked console is not a person who was there.
#[tokio::test]
async fn o12_a_signature_without_the_passphrase_or_a_reason_counts_only_where_neither_is_asked() {
    let rule = Signing { presence: true, reason: true, ..Signing::default() };
    let it = Waiting::under(&rule).await;
    let mint = |claims| operation::mint(&claims, &key(1)).unwrap();
    it.refused(&[&it.sign(1)], "presence_missing").await;
    it.refused(&[&mint(OperationClaims { prs: true, ..it.claims(1) })], "reason_missing").await;
    let rsn = Some(Digest::of(b"why"));
    it.refused(&[&mint(OperationClaims { rsn, ..it.claims(1) })], "presence_missing").await;
    it.done(&[&mint(OperationClaims { prs: true, rsn, ..it.claims(1) })]).await;
}

#[tokio::test]
async fn o15_only_an_owner_breaks_the_glass_present_and_with_a_reason_and_it_is_on_record() {
    let rule = Signing { bar_responsible: true, ..three_of_finance() };
    let it = Waiting::under(&rule).await;
    it.refused(&[&it.glass(1)], "break_glass_not_owner").await;
    it.refused(&[&it.glass(1), &it.glass(4)], "break_glass_not_owner").await;
    let mint = |claims| operation::mint(&claims, &key(4)).unwrap();
    let glass = OperationClaims { brk: true, ..it.claims(4) };
    it.refused(&[&mint(glass.clone())], "presence_missing").await;
    it.refused(&[&mint(OperationClaims { prs: true, ..glass })], "reason_missing").await;
    let mut owner_who_answers = operators();
    owner_who_answers[1].1.signatory.role = OperatorRole::Owner;
    enforce(&it.stage, &rule, &owner_who_answers);
    it.refused(&[&it.glass(2)], "approver_responsible").await;
    enforce(&it.stage, &rule, &operators());
    it.stage.journal.forget();
    it.done(&[&it.glass(4)]).await;
    assert_eq!(it.stage.journal.reasons(EventKind::TokenRedeemed), ["break_glass"]);
}

/// A call of the newer era, with what was handed over for it.
async fn handed_over(client: &Client, tokens: &Value) -> Reply {
    let mut meta = meta();
    meta["dev.countersign/operation-token"] = tokens.clone();
    let params = json!({ "name": "write_file", "arguments": { "path": "a" }, "_meta": meta });
    let client = client.modern("tools/call").header("mcp-name", "write_file");
    client.post(&body("tools/call", params)).await
}

#[tokio::test]
async fn tokens_that_were_handed_over_make_a_quorum_too() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    enforce(&stage, &two(), &operators());
    let client = stage.client(WORKER);
    client.call("write_file", json!({ "path": "a" })).await;
    let request = stage.journal.requests(1).await.remove(0);
    let it = Waiting { stage, client, request, calls: 3.into() };
    let (first, second) = (it.sign(1), it.sign(3));
    for too_few in [json!(first), json!([first])] {
        let reply = handed_over(&it.client, &too_few).await.json();
        assert_eq!(reply["result"]["isError"], true, "{reply}");
    }
    for no_tokens in [
        json!([]),
        json!([1]),
        json!({ "a": 1 }),
        json!([first, first, first, first, first, first]),
    ] {
        let reply = handed_over(&it.client, &no_tokens).await;
        assert_eq!(reply.status, 400, "{no_tokens}: {}", reply.body);
    }
    assert_eq!(it.stage.journal.calls(), []);
    assert_eq!(handed_over(&it.client, &json!([first, second])).await.text(), "done");
    let again = handed_over(&it.client, &json!([first, second])).await.json();
    assert_eq!(again["result"]["isError"], true, "{again}");
    assert_eq!(it.stage.journal.calls().len(), 1);
}

/// Attacks O01: however many come with the same signatures at once, one call is made.
#[tokio::test(flavor = "multi_thread")]
async fn o01_of_many_simultaneous_redemptions_of_a_quorum_exactly_one_executes() {
    let stage = Stage::with(|it| it.limits.hold = SHORT).await;
    enforce(&stage, &two(), &operators());
    let client = stage.client(WORKER);
    client.call("write_file", json!({ "path": "a" })).await;
    let request = stage.journal.requests(1).await.remove(0);
    let it = Waiting { stage, client, request, calls: 3.into() };
    let signed = [it.sign(1), it.sign(2), it.sign(3)];
    // Every pair of them would do, and they overlap.
    let pairs = [
        json!([signed[0], signed[1]]),
        json!([signed[1], signed[2]]),
        json!([signed[2], signed[0]]),
    ];
    let attempts = (0..60).map(|number: usize| {
        let (client, tokens) = (it.stage.client(WORKER), pairs[number % 3].clone());
        tokio::spawn(async move { handed_over(&client, &tokens).await })
    });
    let attempts: Vec<_> = attempts.collect();
    let mut done = 0;
    for attempt in attempts {
        done += usize::from(attempt.await.unwrap().body.contains(r#""text":"done""#));
    }
    assert_eq!(it.stage.journal.calls().len(), 1);
    assert_eq!(done, 1);
    assert_eq!(it.stage.journal.spent.lock().unwrap().len(), 2);
}
