use cs_model::state::ApprovalState;

use super::*;
use crate::testing::{A, B, Fixture, later, redeem, saying};

fn settle_as(redeem: &Redeem, outcome: Outcome) -> Settle {
    Settle { token: redeem.token, outcome, at: later(30), events: vec![saying("settled")] }
}

async fn state(fixture: &Fixture, redeem: &Redeem) -> (ApprovalState, Option<Outcome>) {
    let mut reader = fixture.registry.read().await.unwrap();
    let found = approval::find(&mut reader, redeem.tenant, redeem.approval.unwrap()).await.unwrap();
    (found.state, found.outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn o01_of_a_thousand_concurrent_redemptions_of_one_token_exactly_one_spends_it() {
    let fixture = Fixture::new().await;
    let handed_over = Redeem { approval: None, ..fixture.approved(A, 51).await };
    for redeem in [fixture.approved(A, 50).await, handed_over] {
        let attempts: Vec<_> = (0..1000)
            .map(|_| {
                let (registry, redeem) = (fixture.registry.clone(), redeem.clone());
                tokio::spawn(async move { registry.submit(redeem).await.unwrap() })
            })
            .collect();
        let mut spent = 0;
        for attempt in attempts {
            spent += usize::from(attempt.await.unwrap() == Spend::Spent);
        }
        assert_eq!(spent, 1);
    }
    assert_eq!(fixture.details().await, ["redeemed", "redeemed"]);
}

#[tokio::test]
async fn o08_a_token_that_is_not_for_this_call_is_refused_and_not_burned() {
    let fixture = Fixture::new().await;
    let right = fixture.approved(A, 50).await;
    let other = fixture.approved(A, 51).await;
    // Of the same agent: nothing but the session is another.
    let beside = SessionId::from_random([4; 16]);
    fixture.open_session(A, beside).await;
    let wrong = [
        ("another session of its agent", Redeem { session: beside, ..right.clone() }),
        (
            "handed over in another session of its agent",
            Redeem { approval: None, session: beside, ..right.clone() },
        ),
        ("one signature as if it were two", Redeem { others: vec![right.token], ..right.clone() }),
        ("another tenant", Redeem { tenant: B.tenant, ..right.clone() }),
        ("another session", Redeem { session: B.session, ..right.clone() }),
        ("another request's token", Redeem { token: other.token, ..right.clone() }),
        (
            "an unknown request",
            Redeem { approval: Some(ApprovalId::from_random([3; 16])), ..right.clone() },
        ),
        (
            "handed over in another session",
            Redeem { approval: None, session: B.session, ..right.clone() },
        ),
        ("at its end", Redeem { at: right.expires, ..right.clone() }),
        (
            "a later end than was signed",
            Redeem { at: later(130), expires: later(999), ..right.clone() },
        ),
    ];
    for (name, attempt) in wrong {
        assert_eq!(fixture.registry.submit(attempt).await.unwrap(), Spend::Refused, "{name}");
    }
    assert!(fixture.details().await.is_empty());
    assert_eq!(fixture.registry.submit(right.clone()).await.unwrap(), Spend::Spent);
    assert_eq!(fixture.registry.submit(right).await.unwrap(), Spend::Refused);
}

#[tokio::test]
async fn o08_a_token_is_refused_once_its_request_was_taken_back() {
    let fixture = Fixture::new().await;
    let token = fixture.approved(A, 50).await;
    let id = token.approval.unwrap();
    let taken = approval::Withdraw { tenant: A.tenant, id, events: Vec::new() };
    assert!(fixture.registry.submit(taken).await.unwrap());
    let handed_over = Redeem { approval: None, ..token.clone() };
    for attempt in [token.clone(), handed_over] {
        assert_eq!(fixture.registry.submit(attempt).await.unwrap(), Spend::Refused);
    }
    assert_eq!(state(&fixture, &token).await, (ApprovalState::Withdrawn, None));
}

/// Whoever stole an operator's key can sign, and has no request that somebody decided on.
#[tokio::test]
async fn o07_a_signature_without_a_request_that_was_approved_pays_for_nothing() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.registry.submit(redeem(A, 90, None)).await.unwrap(), Spend::Refused);
    let request = crate::testing::new_approval(A, 90);
    fixture
        .registry
        .submit(approval::File { request, most_waiting: 500, events: Vec::new() })
        .await
        .unwrap();
    assert_eq!(fixture.registry.submit(redeem(A, 90, None)).await.unwrap(), Spend::Refused);
    let foreign = fixture.approved(B, 91).await;
    let stolen = Redeem { token: foreign.token, ..redeem(A, 92, None) };
    assert_eq!(fixture.registry.submit(stolen).await.unwrap(), Spend::Refused);
    assert!(fixture.details().await.is_empty());
    let handed_over = Redeem { approval: None, ..foreign.clone() };
    assert_eq!(fixture.registry.submit(handed_over).await.unwrap(), Spend::Spent);
    assert_eq!(state(&fixture, &foreign).await.0, ApprovalState::Executed);
}

#[tokio::test]
async fn o08_a_token_is_refused_once_its_session_is_over() {
    let fixture = Fixture::new().await;
    let ends = later(3600);
    let handed_over = |redeem: Redeem| Redeem { approval: None, ..redeem };
    let tokens = [fixture.approved(A, 50).await, handed_over(fixture.approved(A, 51).await)];
    for token in tokens {
        let late = Redeem { at: ends, expires: later(9999), ..token };
        assert_eq!(fixture.registry.submit(late).await.unwrap(), Spend::Refused);
    }
    let tokens = [fixture.approved(B, 52).await, handed_over(fixture.approved(B, 53).await)];
    let end = crate::session::End {
        session: B.session,
        why: cs_model::state::SessionEnd::Operator,
        at: later(15),
        events: Vec::new(),
    };
    assert!(fixture.registry.submit(end).await.unwrap());
    for token in tokens {
        assert_eq!(fixture.registry.submit(token).await.unwrap(), Spend::Refused);
    }
}

#[tokio::test]
async fn o18_a_request_that_nobody_approved_is_not_executed() {
    let fixture = Fixture::new().await;
    let request = crate::testing::new_approval(A, 50);
    let attempt = redeem(A, 50, Some(request.id));
    fixture
        .registry
        .submit(approval::File { request, most_waiting: 500, events: Vec::new() })
        .await
        .unwrap();
    assert_eq!(fixture.registry.submit(attempt.clone()).await.unwrap(), Spend::Refused);
    assert_eq!(state(&fixture, &attempt).await, (ApprovalState::Pending, None));
}

#[tokio::test]
async fn a_call_is_settled_by_the_first_word_on_it() {
    let fixture = Fixture::new().await;
    for (number, outcome, becomes) in [
        (50, Outcome::Answered, ApprovalState::Executed),
        (51, Outcome::Failed, ApprovalState::Executed),
        (52, Outcome::Unknown, ApprovalState::Unknown),
    ] {
        let redeem = fixture.approved(A, number).await;
        assert!(!fixture.registry.submit(settle_as(&redeem, outcome)).await.unwrap(), "unspent");
        fixture.registry.submit(redeem.clone()).await.unwrap();
        assert_eq!(state(&fixture, &redeem).await, (ApprovalState::Executed, None));
        assert!(fixture.registry.submit(settle_as(&redeem, outcome)).await.unwrap());
        assert!(!fixture.registry.submit(settle_as(&redeem, Outcome::Failed)).await.unwrap());
        assert_eq!(state(&fixture, &redeem).await, (becomes, Some(outcome)));
    }
    let settled = fixture.details().await.into_iter().filter(|it| it == "settled").count();
    assert_eq!(settled, 3);
}

#[tokio::test]
async fn o02_what_was_spent_before_a_restart_and_never_settled_becomes_unknown() {
    let fixture = Fixture::new().await;
    let settled = fixture.approved(A, 50).await;
    fixture.registry.submit(settled.clone()).await.unwrap();
    fixture.registry.submit(settle_as(&settled, Outcome::Answered)).await.unwrap();
    let lost = fixture.approved(B, 51).await;
    fixture.registry.submit(lost.clone()).await.unwrap();
    let ahead = Redeem { approval: None, ..fixture.approved(A, 52).await };
    fixture.registry.submit(ahead.clone()).await.unwrap();

    fixture.registry.close().await.unwrap();
    let registry = crate::Registry::open(&fixture.path()).await.unwrap();
    let fixture = Fixture { registry, ..fixture };
    let found = fixture.registry.submit(Reconcile { now: later(600) }).await.unwrap();
    let tokens: Vec<_> = found.iter().map(|it| it.token).collect();
    assert_eq!(tokens, [lost.token, ahead.token]);
    assert_eq!(state(&fixture, &settled).await.0, ApprovalState::Executed);
    let unknown = (ApprovalState::Unknown, Some(Outcome::Unknown));
    assert_eq!(state(&fixture, &lost).await, unknown);
    assert_eq!(fixture.registry.submit(lost.clone()).await.unwrap(), Spend::Refused);

    let log = fixture.verified_log().await;
    let told = log.last().unwrap().event().unwrap();
    assert_eq!((told.kind, told.outcome), (EventKind::ExecutionFinished, Some(Outcome::Unknown)));
    assert_eq!((told.agent, told.token), (Some(A.agent), Some(ahead.token)));
    assert!(fixture.registry.submit(Reconcile { now: later(601) }).await.unwrap().is_empty());
}

/// Whoever is handed a token knows nothing of the request that it answers; the record does.
#[tokio::test]
async fn what_a_token_pays_for_is_on_record_with_the_request_that_it_answers() {
    let fixture = Fixture::new().await;
    let approved = fixture.approved(A, 50).await;
    let id = approved.approval;
    let handed_over = Redeem { approval: None, ..approved };
    assert_eq!(fixture.registry.submit(handed_over.clone()).await.unwrap(), Spend::Spent);
    let settled = settle_as(&handed_over, Outcome::Unknown);
    assert!(fixture.registry.submit(settled).await.unwrap());
    let log = fixture.verified_log().await;
    let told = log.iter().map(|entry| entry.event().unwrap());
    let about: Vec<_> = told.filter(|it| it.detail.is_some()).map(|it| it.approval).collect();
    assert_eq!(about, [id, id]);
}
