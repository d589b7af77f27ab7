//! Series of approvals: what one signature pays for, and what it does not.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cs_model::document::{Document, TenantDoc};
use cs_model::event::EventKind;
use cs_model::op_token::OperationClaims;
use cs_model::series::SeriesClaims;
use cs_model::state::OperatorRole;
use cs_model::{Digest, Name, SeriesId, Signing};
use cs_trust::{OperatorKey, operation, series};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::client::{Client, PATIENCE, Reply, body, meta};
use super::world::{Stage, WORKER, document, operator, signer, world_of};
use crate::ports::{NewApproval, Ruling};
use crate::world::{Signer, World};

const SHORT: Duration = Duration::from_millis(40);

/// Only paths that begin with `a`, and nothing else.
const SCHEMA: &str = r#"{"additionalProperties":false,"properties":{"path":{"pattern":"^a","type":"string"}},"required":["path"],"type":"object"}"#;

fn id() -> SeriesId {
    SeriesId::from_random([9; 16])
}

fn key() -> OperatorKey {
    OperatorKey::from_seed([101; 32]).unwrap()
}

/// An agent whose first call was put before a person, who signs a series instead.
struct Scene {
    stage: Stage,
    client: Client,
    request: NewApproval,
}

type Change = fn(&mut TenantDoc);
type Resign = fn(&mut Signers);
type Signers = HashMap<cs_model::OperatorId, Signer>;

fn nothing(_: &mut TenantDoc) {}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::with(|it| it.limits.hold = SHORT).await;
        let client = stage.client(WORKER);
        let it = Self { request: Self::first(&stage, &client).await, stage, client };
        it.enforce(nothing, |_| {});
        it
    }

    async fn first(stage: &Stage, client: &Client) -> NewApproval {
        client.call("write_file", json!({ "path": "first" })).await;
        stage.journal.requests(1).await.remove(0)
    }

    /// Has another policy, and operators that were changed like this, in force.
    fn enforce(&self, change: Change, operators: impl FnOnce(&mut Signers)) {
        let mut document: Document = document();
        change(&mut document.tenants[0]);
        let mut known: Signers = [(operator(1), signer(&key(), &["finance"]))].into();
        operators(&mut known);
        let world = World { operators: Arc::new(known), ..world_of(&document) };
        self.stage.world.send_replace(Arc::new(world));
    }

    fn claims(&self) -> SeriesClaims {
        let claims = self.stage.journal.series_claims(&self.request, SCHEMA);
        SeriesClaims { iss: operator(1), ..claims }
    }

    fn sign(&self, claims: &SeriesClaims) {
        let token = series::mint(claims, &key()).unwrap();
        self.stage.journal.sign_series(id(), token, SCHEMA);
        self.stage.journal.forget();
    }

    async fn call(&self, path: &str) -> Reply {
        self.client.call("write_file", json!({ "path": path })).await
    }

    /// Sees a call that is not paid for put before a person, and the series ended or not.
    async fn unpaid(&self, path: &str, ended: Option<&str>) {
        let (used, over) = self.stage.journal.series_now();
        self.stage.journal.forget();
        let made = self.stage.journal.calls();
        let reply = self.call(path).await;
        assert!(!reply.body.contains(r#""text":"done""#), "{path} {ended:?}: {}", reply.body);
        assert_eq!(self.stage.journal.calls(), made, "{path} {ended:?}");
        let now = self.stage.journal.series_now();
        assert_eq!(now, (used, ended.map(str::to_owned)), "{path}");
        // Its end is told once.
        let told = self.stage.journal.reasons(EventKind::SeriesEnded);
        assert_eq!(told, ended.filter(|_| over.is_none()).into_iter().collect::<Vec<_>>());
    }

    async fn paid(&self, path: &str) {
        let (used, _) = self.stage.journal.series_now();
        assert_eq!(self.call(path).await.text(), "done", "{path}");
        assert_eq!(self.stage.journal.series_now(), (used + 1, None));
    }
}

#[tokio::test]
async fn o17_a_series_pays_for_as_many_calls_as_were_signed_and_then_a_person_is_asked() {
    let it = Scene::new().await;
    it.sign(&it.claims());
    for path in ["a", "ab", "a"] {
        it.paid(path).await;
    }
    let sent = it.stage.journal.calls();
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[1].arguments.as_deref(), Some(r#"{"path":"ab"}"#));
    let of_series =
        |kind| it.stage.journal.events().into_iter().filter(move |event| event.kind == kind);
    let redeemed: Vec<_> = of_series(EventKind::TokenRedeemed).collect();
    assert_eq!(redeemed.len(), 3);
    let tokens: std::collections::BTreeSet<_> = redeemed.iter().map(|it| it.token).collect();
    assert_eq!(tokens.len(), 3, "each use is a redemption of its own");
    for kind in
        [EventKind::TokenRedeemed, EventKind::ExecutionStarted, EventKind::ExecutionFinished]
    {
        assert!(of_series(kind).all(|event| event.series == Some(id())), "{kind:?}");
    }
    assert!(redeemed.iter().all(|it| it.approval.is_none() && it.arguments.is_some()));
    let waiting = it.stage.journal.requests_now().len();
    it.unpaid("a", None).await;
    assert_eq!(it.stage.journal.requests_now().len(), waiting + 1, "a person is asked");
}

#[tokio::test]
async fn o17_arguments_outside_the_schema_are_put_before_a_person_and_burn_nothing() {
    let it = Scene::new().await;
    it.sign(&it.claims());
    it.unpaid("b", None).await;
    it.unpaid("", None).await;
    it.paid("a").await;
}

/// Attacks O17: the registry may say what it likes of a series; the signature is over the schema.
#[tokio::test]
async fn o17_a_schema_that_was_widened_after_it_was_signed_pays_for_nothing() {
    let it = Scene::new().await;
    let token = series::mint(&it.claims(), &key()).unwrap();
    it.stage.journal.sign_series(id(), token, r#"{"type":"object"}"#);
    it.unpaid("b", None).await;
    it.unpaid("a", None).await;
}

#[tokio::test]
async fn o17_what_is_not_signed_by_the_operators_own_key_for_this_series_ends_it() {
    let it = Scene::new().await;
    let other = OperatorKey::from_seed([7; 32]).unwrap();
    let operation = it.stage.journal.claims(&it.request, 1);
    let cases = [
        (series::mint(&it.claims(), &other).unwrap(), "token_signature_invalid"),
        (operation::mint(&operation, &key()).unwrap(), "token_header"),
        ("eyJ.eyJ.".to_owned(), "token_malformed"),
        (
            series::mint(
                &SeriesClaims { jti: SeriesId::from_random([8; 16]), ..it.claims() },
                &key(),
            )
            .unwrap(),
            "series_id",
        ),
        (
            series::mint(&SeriesClaims { iss: operator(2), ..it.claims() }, &key()).unwrap(),
            "token_operator_unknown",
        ),
        (
            series::mint(&SeriesClaims { aud: "countersign:x".to_owned(), ..it.claims() }, &key())
                .unwrap(),
            "gateway_mismatch",
        ),
    ];
    for (token, why) in cases {
        it.stage.journal.sign_series(id(), token, SCHEMA);
        it.unpaid("a", Some(why)).await;
    }
}

#[tokio::test]
async fn o17_o07_what_changed_since_it_was_signed_counts_and_ends_it() {
    let it = Scene::new().await;
    let cases: [(Change, &str); 6] = [
        (
            |acme| acme.tools.iter_mut().for_each(|it| it.effects.sends_out = true),
            "series_sends_out",
        ),
        (|acme| acme.tools.iter_mut().for_each(|it| it.effects.destroys = true), "series_destroys"),
        (
            |acme| acme.tools.iter_mut().for_each(|it| it.signing = Signing::by(2).unwrap()),
            "series_takes_several",
        ),
        (
            |acme| acme.tools.iter_mut().for_each(|it| it.signing.presence = true),
            "series_takes_presence",
        ),
        (
            |acme| acme.tools.iter_mut().for_each(|it| it.signing.reason = true),
            "series_takes_reason",
        ),
        (
            |acme| {
                acme.tools.iter_mut().for_each(|it| it.signing.bar_responsible = true);
                acme.agents.iter_mut().for_each(|it| it.responsible = Some(operator(1)));
            },
            "approver_responsible",
        ),
    ];
    for (change, why) in cases {
        it.enforce(change, |_| {});
        it.sign(&it.claims());
        it.unpaid("a", Some(why)).await;
        it.enforce(nothing, |_| {});
        it.unpaid("a", Some(why)).await;
    }
    it.sign(&it.claims());
    it.paid("a").await;
}

#[tokio::test]
async fn o17_o15_a_signature_of_whoever_may_sign_no_more_pays_for_nothing() {
    let it = Scene::new().await;
    let finance: Change = |acme| {
        let group = Name::parse("finance").ok();
        acme.tools.iter_mut().for_each(|it| it.signing.group = group.clone());
    };
    let cases: [(Resign, &str); 4] = [
        (Signers::clear, "token_operator_unknown"),
        (
            |all| {
                let other = OperatorKey::from_seed([7; 32]).unwrap();
                all.insert(operator(1), signer(&other, &["finance"]));
            },
            "token_signature_invalid",
        ),
        (
            |all| all.get_mut(&operator(1)).unwrap().signatory.groups.clear(),
            "approver_not_in_group",
        ),
        (
            |all| all.get_mut(&operator(1)).unwrap().signatory.role = OperatorRole::Auditor,
            "approver_role",
        ),
    ];
    for (change, why) in cases {
        it.enforce(finance, |_| {});
        it.sign(&it.claims());
        it.paid("a").await;
        it.enforce(finance, change);
        it.unpaid("a", Some(why)).await;
        it.enforce(finance, |_| {});
        it.unpaid("a", Some(why)).await;
    }
}

#[tokio::test]
async fn o17_a_series_of_another_session_or_past_its_time_pays_for_nothing() {
    let it = Scene::new().await;
    let other = cs_model::SessionId::from_random([5; 16]);
    it.sign(&SeriesClaims { sid: other, ..it.claims() });
    it.unpaid("a", Some("session_mismatch")).await;
    let iat = it.claims().iat - 600;
    it.sign(&SeriesClaims { iat, exp: iat + 600, ..it.claims() });
    it.unpaid("a", Some("expired")).await;
    it.sign(&SeriesClaims { iat: iat + 660, exp: iat + 700, ..it.claims() });
    it.unpaid("a", None).await;
}

#[tokio::test]
async fn o17_nothing_is_made_that_is_not_on_record_first() {
    let it = Scene::new().await;
    it.sign(&it.claims());
    it.stage.journal.audit_is_down.store(true, Ordering::SeqCst);
    let reply = it.call("a").await;
    assert!(reply.status >= 500, "{}", reply.body);
    assert_eq!(it.stage.journal.calls(), []);
    it.stage.journal.audit_is_down.store(false, Ordering::SeqCst);
    it.paid("ab").await;
}

#[tokio::test]
async fn o17_a_token_that_comes_with_the_call_and_an_approved_request_go_first() {
    let it = Scene::new().await;
    it.sign(&it.claims());
    let mut own = meta();
    own["dev.countersign/operation-token"] = json!("nonsense");
    let params = json!({ "name": "write_file", "arguments": { "path": "a" }, "_meta": own });
    let client = it.client.modern("tools/call").header("mcp-name", "write_file");
    let reply: Value = client.post(&body("tools/call", params)).await.json();
    assert_eq!(reply["result"]["isError"], true, "{reply}");
    assert_eq!(it.stage.journal.series_now(), (0, None), "who brings a token pays with it");

    // The first call waits since before there was a series: somebody approves it, and that pays.
    let wide = r#"{"type":"object"}"#;
    let claims = SeriesClaims { schema: Digest::of(wide.as_bytes()), ..it.claims() };
    let token = series::mint(&claims, &key()).unwrap();
    it.stage.journal.sign_series(id(), token, wide);
    let tokens = {
        let claims =
            OperationClaims { iss: operator(1), ..it.stage.journal.claims(&it.request, 7) };
        vec![operation::mint(&claims, &key()).unwrap()]
    };
    it.stage.journal.rule(it.request.id, Ruling::Approved { tokens });
    assert_eq!(it.call("first").await.text(), "done");
    assert_eq!(it.stage.journal.series_now(), (0, None));
}

#[tokio::test]
async fn what_a_person_denied_is_told_before_a_series_pays_for_the_same() {
    let it = Scene::new().await;
    let wide = r#"{"type":"object"}"#;
    let claims = SeriesClaims { schema: Digest::of(wide.as_bytes()), ..it.claims() };
    let token = series::mint(&claims, &key()).unwrap();
    it.stage.journal.sign_series(id(), token, wide);
    it.stage.journal.rule(it.request.id, Ruling::Denied { reason: "No.".to_owned() });
    let reply = it.call("first").await;
    assert!(reply.body.contains("No."), "{}", reply.body);
    assert_eq!(it.stage.journal.series_now(), (0, None));
}

/// Attacks O17, O01: however many come at once, no more are made than were signed.
#[tokio::test(flavor = "multi_thread")]
async fn o17_o01_of_many_simultaneous_calls_no_more_are_made_than_were_signed() {
    let it = Scene::new().await;
    it.sign(&SeriesClaims { n: 10, ..it.claims() });
    let attempts = (0..60).map(|number: usize| {
        let client = it.stage.client(WORKER);
        let arguments = json!({ "path": format!("a{number}") });
        tokio::spawn(async move { client.call("write_file", arguments).await })
    });
    let attempts: Vec<_> = attempts.collect();
    let mut done = 0;
    for attempt in attempts {
        done += usize::from(attempt.await.unwrap().body.contains(r#""text":"done""#));
    }
    let ends = it.stage.journal.reasons(EventKind::ExecutionFinished);
    assert_eq!(done, 10, "{ends:?}");
    assert_eq!(it.stage.journal.calls().len(), 10);
    assert_eq!(it.stage.journal.series_now().0, 10);
}

/// Calls that were put before a person before somebody signed a series that covers them.
#[tokio::test]
async fn o17_a_call_that_waits_already_is_made_once_a_series_covers_it_and_no_other_is() {
    let stage = Stage::with(|it| it.limits.hold = Duration::from_secs(60)).await;
    let client = stage.client(WORKER);
    let call = |id: u32, path: &str| {
        let client = client.modern("tools/call").header("mcp-name", "write_file");
        let params =
            json!({ "name": "write_file", "arguments": { "path": path }, "_meta": meta() });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        tokio::spawn(async move { client.post(&call.to_string()).await })
    };
    let (fits, other) = (call(1, "ab"), call(2, "b"));
    let requests = stage.journal.requests(2).await;
    let request = requests.into_iter().next().unwrap();
    let it = Scene { client: stage.client(WORKER), stage, request };
    it.enforce(nothing, |_| {});
    // One that another operator would have signed covers nothing.
    it.sign(&SeriesClaims { iss: operator(2), ..it.claims() });
    let ended = async {
        while it.stage.journal.series_now().1.as_deref() != Some("token_operator_unknown") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, ended).await.expect("it is looked at");
    assert!(!fits.is_finished());
    it.sign(&it.claims());
    let reply = timeout(PATIENCE, fits).await.expect("it is made").unwrap();
    assert_eq!(reply.text(), "done", "{}", reply.body);
    assert_eq!(it.stage.journal.series_now(), (1, None));
    let made = it.stage.journal.calls();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].arguments.as_deref(), Some(r#"{"path":"ab"}"#));
    assert!(!other.is_finished(), "what it does not cover goes on waiting");
    other.abort();
}

/// Attacks O08: spending takes its time, and what is in force by then is what counts.
#[tokio::test]
async fn o17_o08_what_changes_while_a_call_of_a_series_is_spent_stops_it() {
    let it = Scene::new().await;
    it.sign(&it.claims());
    it.paid("a").await;
    let world = it.stage.world.clone();
    it.stage.journal.meanwhile.set(move || {
        let operators = Arc::new(Signers::new());
        world.send_modify(|now| *now = Arc::new(World { operators, ..World::clone(now) }));
    });
    let made = it.stage.journal.calls();
    let reply = it.call("a2").await;
    assert!(!reply.body.contains(r#""text":"done""#), "{}", reply.body);
    assert_eq!(it.stage.journal.calls(), made);
    assert_eq!(it.stage.journal.series_now().0, 2, "it stays spent");
    let ends = it.stage.journal.reasons(EventKind::ExecutionFinished);
    assert_eq!(ends.last().map(String::as_str), Some("token_operator_unknown"));
}
