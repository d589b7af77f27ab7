use std::time::Duration;

use cs_model::state::{ApprovalState, OperatorRole};

use super::*;
use crate::approval::{self, File};
use crate::operator;
use crate::redemption::{Redeem, Spend};
use crate::testing::{A, B, Fixture, later, new_approval, operator_id, redeem};

fn other() -> OperatorId {
    OperatorId::new(Uuid::from_u128(10))
}

fn token(number: u128) -> OperationTokenId {
    OperationTokenId::new(Uuid::from_u128(number))
}

fn signed(by: OperatorId, number: u128, at: u64) -> Signed {
    Signed {
        by,
        at: later(at),
        token: token(number),
        expires: later(at).after(Duration::from_secs(120)),
        sealed: format!("sealed {number}").into_bytes(),
        reason: Some("Because.".to_owned()),
        presence: true,
        breaks_glass: false,
    }
}

/// The usual registry with another approver, and a request that waits.
async fn waiting(number: u128) -> (Fixture, ApprovalId) {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.begin().await.unwrap();
    let grace = operator::Operator {
        id: other(),
        name: "Grace".to_owned(),
        role: OperatorRole::Approver,
        public_key: [8; 32],
        created: later(0),
        removed: None,
    };
    operator::create(&mut db, &grace).await.unwrap();
    db.commit(&[]).await.unwrap();
    let id = file(&fixture, number).await;
    (fixture, id)
}

async fn file(fixture: &Fixture, number: u128) -> ApprovalId {
    let request = new_approval(A, number);
    let id = request.id;
    fixture.registry.submit(File { request, most_waiting: 500, events: Vec::new() }).await.unwrap();
    id
}

async fn partly(fixture: &Fixture, id: ApprovalId, by: &Signed) -> Result<(), RegistryError> {
    let mut db = fixture.registry.begin().await.unwrap();
    sign(&mut db, A.tenant, id, by).await?;
    db.commit(&[]).await
}

async fn wholly(fixture: &Fixture, id: ApprovalId, by: &Signed) {
    let mut db = fixture.registry.begin().await.unwrap();
    approve(&mut db, A.tenant, id, by).await.unwrap();
    db.commit(&[]).await.unwrap();
}

async fn quorum(fixture: &Fixture, id: ApprovalId, first: u128) -> Redeem {
    partly(fixture, id, &signed(operator_id(), first, 10)).await.unwrap();
    wholly(fixture, id, &signed(other(), first.saturating_add(1), 40)).await;
    Redeem { others: vec![token(first)], ..redeem(A, first.saturating_add(1), Some(id)) }
}

async fn state(fixture: &Fixture, id: ApprovalId) -> ApprovalState {
    let mut db = fixture.registry.read().await.unwrap();
    approval::find(&mut db, A.tenant, id).await.unwrap().state
}

#[tokio::test]
async fn a_request_waits_until_the_last_signature_and_stands_until_the_first_one_ends() {
    let (fixture, id) = waiting(50).await;
    partly(&fixture, id, &signed(operator_id(), 60, 10)).await.unwrap();
    assert_eq!(state(&fixture, id).await, ApprovalState::Pending);
    wholly(&fixture, id, &signed(other(), 61, 40)).await;
    let mut db = fixture.registry.read().await.unwrap();
    let found = approval::find(&mut db, A.tenant, id).await.unwrap();
    assert_eq!(found.expires(), later(130), "the first signature ends first");
    assert_eq!(found.decided.unwrap().by, Some(other()));
    let ruling = approval::ruling(&mut db, A.tenant, id).await.unwrap();
    assert_eq!(ruling.sealed_tokens, [b"sealed 61".to_vec(), b"sealed 60".to_vec()]);
    let all = signatures(&mut db, A.tenant, id).await.unwrap();
    assert_eq!(all.iter().map(|it| it.by).collect::<Vec<_>>(), [operator_id(), other()]);
    let theirs = signatures(&mut db, B.tenant, id).await;
    assert!(matches!(theirs, Err(RegistryError::NotFound { .. })));
}

#[tokio::test]
async fn o15_an_operator_signs_a_call_once_and_anew_only_when_the_signature_has_ended() {
    let (fixture, id) = waiting(50).await;
    partly(&fixture, id, &signed(operator_id(), 60, 10)).await.unwrap();
    let again = partly(&fixture, id, &signed(operator_id(), 61, 129)).await;
    assert!(matches!(again, Err(RegistryError::Conflict { .. })), "{again:?}");
    partly(&fixture, id, &signed(operator_id(), 62, 130)).await.unwrap();
    let mut db = fixture.registry.begin().await.unwrap();
    withdraw_signature(&mut db, A.tenant, id, operator_id(), later(135)).await.unwrap();
    let ended = signatures(&mut db, A.tenant, id).await.unwrap().remove(0);
    assert_eq!((ended.sealed, ended.expires), (None, later(135)));
    db.commit(&[]).await.unwrap();
    partly(&fixture, id, &signed(operator_id(), 63, 140)).await.unwrap();
    wholly(&fixture, id, &signed(other(), 64, 259)).await;
    let mut db = fixture.registry.read().await.unwrap();
    let kept = signatures(&mut db, A.tenant, id).await.unwrap();
    assert_eq!(kept.iter().map(|it| it.token).collect::<Vec<_>>(), [token(63), token(64)]);
}

#[tokio::test]
async fn a_signature_that_has_ended_goes_to_no_redemption() {
    let (fixture, id) = waiting(50).await;
    partly(&fixture, id, &signed(operator_id(), 60, 10)).await.unwrap();
    wholly(&fixture, id, &signed(other(), 61, 130)).await;
    let mut db = fixture.registry.read().await.unwrap();
    let ruling = approval::ruling(&mut db, A.tenant, id).await.unwrap();
    assert_eq!(ruling.sealed_tokens, [b"sealed 61".to_vec()]);
    assert_eq!(approval::find(&mut db, A.tenant, id).await.unwrap().expires(), later(250));
    drop(db);
    let late = Redeem {
        others: vec![token(60)],
        at: later(135),
        expires: later(250),
        ..redeem(A, 61, Some(id))
    };
    assert_eq!(fixture.registry.submit(late.clone()).await.unwrap(), Spend::Refused);
    let alone = Redeem { others: Vec::new(), ..late };
    assert_eq!(fixture.registry.submit(alone).await.unwrap(), Spend::Spent);
}

#[tokio::test(flavor = "multi_thread")]
async fn o01_of_a_thousand_concurrent_redemptions_of_a_quorum_exactly_one_spends_it() {
    let (fixture, id) = waiting(50).await;
    let attempt = quorum(&fixture, id, 60).await;
    let attempts: Vec<_> = (0..1000_u32)
        .map(|number| {
            let registry = fixture.registry.clone();
            // In either order, through the request and handed over.
            let mut attempt = Redeem { at: later(50), ..attempt.clone() };
            if number % 2 == 0 {
                (attempt.token, attempt.others) = (token(60), vec![token(61)]);
            }
            attempt.approval = attempt.approval.filter(|_| number % 3 == 0);
            tokio::spawn(async move { registry.submit(attempt).await.unwrap() })
        })
        .collect();
    let mut spent = 0;
    for attempt in attempts {
        spent += usize::from(attempt.await.unwrap() == Spend::Spent);
    }
    assert_eq!(spent, 1);
    assert_eq!(fixture.details().await, ["redeemed"]);
    assert_eq!(state(&fixture, id).await, ApprovalState::Executed);
}

#[tokio::test]
async fn o01_all_tokens_of_a_quorum_are_spent_or_none_is() {
    let (fixture, id) = waiting(50).await;
    let right = Redeem { at: later(50), ..quorum(&fixture, id, 60).await };
    let next = file(&fixture, 51).await;
    let other_call = quorum(&fixture, next, 70).await;
    for (name, wrong) in [
        ("twice the same", Redeem { others: vec![right.token], ..right.clone() }),
        ("one of another call", Redeem { others: vec![other_call.token], ..right.clone() }),
        ("one that nobody signed", Redeem { others: vec![token(99)], ..right.clone() }),
        ("led by one of another call", Redeem { token: other_call.token, ..right.clone() }),
        ("at its end", Redeem { at: later(130), expires: later(140), ..right.clone() }),
    ] {
        assert_eq!(fixture.registry.submit(wrong).await.unwrap(), Spend::Refused, "{name}");
    }
    assert!(fixture.details().await.is_empty());
    assert_eq!(fixture.registry.submit(right.clone()).await.unwrap(), Spend::Spent);
    // Each is spent now, also the one that did not lead.
    let mut db = fixture.registry.begin().await.unwrap();
    for statement in [
        "INSERT INTO redemption_with SELECT leader, leader FROM redemption_with",
        "INSERT INTO redemption SELECT token_id, tenant_id, session_id, NULL, expires, redeemed,
                NULL, NULL FROM (SELECT redemption_with.token_id, tenant_id, session_id, expires,
                redeemed FROM redemption_with JOIN redemption ON redemption.token_id = leader)",
        "UPDATE redemption_with SET token_id = randomblob(16)",
        "DELETE FROM redemption_with",
    ] {
        let done = sqlx::query(statement).execute(&mut *db).await;
        let refused = done.as_ref().is_err_and(|error| error.to_string().contains("1811"));
        assert!(refused, "{statement}: {done:?}");
    }
}

#[tokio::test]
async fn o10_a_request_that_is_over_has_no_signature_that_stands() {
    let (fixture, id) = waiting(50).await;
    partly(&fixture, id, &signed(operator_id(), 60, 10)).await.unwrap();
    let mut db = fixture.registry.begin().await.unwrap();
    approval::deny(&mut db, A.tenant, id, Some(other()), later(20), "No.").await.unwrap();
    db.commit(&[]).await.unwrap();
    let late = partly(&fixture, id, &signed(other(), 61, 30)).await;
    assert!(matches!(late, Err(RegistryError::State { .. })), "{late:?}");
    let mut db = fixture.registry.read().await.unwrap();
    let kept = signatures(&mut db, A.tenant, id).await.unwrap();
    assert_eq!(kept.iter().map(|it| it.sealed.clone()).collect::<Vec<_>>(), [None]);
    assert_eq!(standing(&mut db, later(20)).await.unwrap(), Standing::default());
}

#[tokio::test]
async fn o15_whoever_was_removed_signs_nothing() {
    let (fixture, id) = waiting(50).await;
    let mut db = fixture.registry.begin().await.unwrap();
    operator::remove(&mut db, other(), later(5)).await.unwrap();
    db.commit(&[]).await.unwrap();
    let done = partly(&fixture, id, &signed(other(), 60, 10)).await;
    assert!(matches!(done, Err(RegistryError::State { .. })), "{done:?}");
}
