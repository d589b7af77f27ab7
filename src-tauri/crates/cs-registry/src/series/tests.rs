use std::sync::Arc;

use cs_model::event::Outcome;
use cs_model::state::{ApprovalState, SessionEnd};
use cs_model::{Digest, OperationTokenId};

use super::*;
use crate::approval::File;
use crate::redemption::{Reconcile, Settle};
use crate::testing::{A, B, Fixture, Ids, T0, later, new_approval, operator_id, saying};
use crate::{approval, session};

fn id() -> SeriesId {
    SeriesId::from_random([1; 16])
}

fn new(ids: Ids, calls: u8) -> NewSeries {
    NewSeries {
        id: id(),
        tenant: ids.tenant,
        operator: operator_id(),
        session: ids.session,
        tool: ids.tool,
        approval: None,
        schema: r#"{"type":"object"}"#.to_owned(),
        calls,
        signed: later(1),
        expires: later(601),
        token: "signed".to_owned(),
        reason: None,
        presence: true,
    }
}

async fn signed(fixture: &Fixture, new: &NewSeries) {
    let mut db = fixture.registry.begin().await.unwrap();
    sign(&mut db, new).await.unwrap();
    db.commit(&[]).await.unwrap();
}

fn spending(ids: Ids, number: u8, at: Timestamp) -> Use {
    Use {
        series: id(),
        token: OperationTokenId::from_random([number; 16]),
        tenant: ids.tenant,
        session: ids.session,
        operation: Digest::of(&[number]),
        calls: 3,
        expires: later(601),
        at,
        events: vec![Event::new(EventKind::TokenRedeemed, at)],
    }
}

async fn found(fixture: &Fixture) -> Series {
    find(&mut fixture.registry.read().await.unwrap(), A.tenant, id()).await.unwrap()
}

/// Why series ended, and which, as the log tells.
async fn ends(fixture: &Fixture) -> Vec<(String, Option<SeriesId>)> {
    let log = fixture.verified_log().await;
    let events = log.iter().map(|entry| entry.event().unwrap());
    let ends = events.filter(|event| event.kind == EventKind::SeriesEnded);
    ends.map(|event| (event.reason.unwrap_or_default(), event.series)).collect()
}

async fn spend(fixture: &Fixture, what: Use) -> Spend {
    fixture.registry.submit(what).await.unwrap()
}

#[tokio::test]
async fn a_series_is_read_back_as_it_was_signed() {
    let fixture = Fixture::new().await;
    let new = NewSeries { reason: Some("Nightly tidying.".to_owned()), ..new(A, 3) };
    signed(&fixture, &new).await;
    let series = found(&fixture).await;
    assert_eq!((&series.new, series.used, &series.ended), (&new, 0, &None));
    assert_eq!((series.tool_name.as_str(), series.server_name.as_str()), ("write_file", "files"));
    let mut db = fixture.registry.read().await.unwrap();
    let here = running(&mut db, A.tenant, A.session, A.tool).await.unwrap();
    assert_eq!(here, [Running { id: id(), token: new.token.clone(), schema: new.schema.clone() }]);
    assert_eq!(running(&mut db, B.tenant, A.session, A.tool).await.unwrap(), []);
    assert_eq!(list(&mut db, B.tenant, T0).await.unwrap(), []);
    assert!(find(&mut db, B.tenant, id()).await.is_err());
    drop(db);
    let mut db = fixture.registry.begin().await.unwrap();
    for wrong in [
        NewSeries { session: B.session, ..new.clone() },
        NewSeries { tool: B.tool, ..new.clone() },
        NewSeries { calls: 101, id: SeriesId::from_random([2; 16]), ..new.clone() },
        NewSeries { expires: later(902), id: SeriesId::from_random([3; 16]), ..new.clone() },
        new,
    ] {
        assert!(sign(&mut db, &wrong).await.is_err(), "{wrong:?}");
    }
}

/// Attacks O17: what was signed is the measure, and the row may say less but never more.
#[tokio::test]
async fn o17_a_series_pays_for_no_more_calls_than_were_signed_nor_than_its_row_has() {
    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 100)).await;
    for number in 1..=3 {
        let paid = spend(&fixture, spending(A, number, later(10))).await;
        assert_eq!(paid, Spend::Spent(number));
    }
    assert_eq!(spend(&fixture, spending(A, 4, later(10))).await, Spend::Refused);
    let series = found(&fixture).await;
    assert_eq!((series.used, series.ended.unwrap().why.as_str()), (3, "used_up"));
    let told: Vec<_> = fixture.verified_log().await;
    assert_eq!(told.len(), 4, "three uses and the end: {told:?}");

    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 1)).await;
    assert_eq!(spend(&fixture, spending(A, 1, later(10))).await, Spend::Spent(1));
    assert_eq!(spend(&fixture, spending(A, 2, later(10))).await, Spend::Refused);
}

#[tokio::test]
async fn o17_a_series_that_is_over_pays_for_nothing() {
    let refused = async |change: fn(&mut Use)| {
        let fixture = Fixture::new().await;
        signed(&fixture, &new(A, 3)).await;
        let mut what = spending(A, 1, later(10));
        change(&mut what);
        assert_eq!(spend(&fixture, what).await, Spend::Refused);
        assert_eq!(found(&fixture).await.used, 0);
        assert!(fixture.verified_log().await.is_empty(), "nothing is told of what was not spent");
    };
    refused(|it| it.at = later(601)).await;
    refused(|it| it.expires = later(10)).await;
    // Whatever somebody says was signed: its row has an end as well.
    refused(|it| (it.at, it.expires) = (later(700), later(9999))).await;
    refused(|it| it.session = B.session).await;
    refused(|it| (it.tenant, it.session) = (B.tenant, B.session)).await;
    refused(|it| it.series = SeriesId::from_random([7; 16])).await;
    refused(|it| it.calls = 0).await;

    // Its session is past its end, and nobody has ended it yet.
    let fixture = Fixture::new().await;
    let (from, to) = (later(3500), later(4100));
    signed(&fixture, &NewSeries { signed: from, expires: to, ..new(A, 3) }).await;
    let late = Use { expires: to, ..spending(A, 1, later(3600)) };
    assert_eq!(spend(&fixture, late).await, Spend::Refused);

    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 3)).await;
    let mut db = fixture.registry.begin().await.unwrap();
    let ended = Ended { at: later(5), why: "revoked".to_owned(), by: Some(operator_id()) };
    assert!(end(&mut db, A.tenant, id(), &ended).await.unwrap());
    assert!(!end(&mut db, A.tenant, id(), &ended).await.unwrap(), "it ends once");
    db.commit(&[]).await.unwrap();
    assert_eq!(spend(&fixture, spending(A, 1, later(10))).await, Spend::Refused);
    assert_eq!(found(&fixture).await.ended, Some(ended));
}

#[tokio::test]
async fn o17_a_session_takes_its_series_along_and_time_ends_the_others() {
    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 3)).await;
    let end = session::End {
        session: A.session,
        why: SessionEnd::Client,
        at: later(20),
        events: vec![Event::new(EventKind::SessionEnded, later(20))],
    };
    for first in [true, false] {
        assert_eq!(fixture.registry.submit(end.clone()).await.unwrap(), first);
    }
    assert_eq!(found(&fixture).await.ended.unwrap().why, "session_ended");
    assert_eq!(ends(&fixture).await, [("session_ended".to_owned(), Some(id()))], "told once");
    assert_eq!(spend(&fixture, spending(A, 1, later(10))).await, Spend::Refused);

    // One that was over before is not told of again.
    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 1)).await;
    let last = Use { calls: 1, ..spending(A, 1, later(10)) };
    assert_eq!(spend(&fixture, last).await, Spend::Spent(1));
    assert!(fixture.registry.submit(end).await.unwrap());
    assert_eq!(ends(&fixture).await, [("used_up".to_owned(), Some(id()))]);

    // Nor is a session whose time is up quieter.
    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 3)).await;
    let over = session::Expire { now: later(1_000_000) };
    assert!(!fixture.registry.submit(over).await.unwrap().is_empty());
    assert_eq!(ends(&fixture).await, [("session_ended".to_owned(), Some(id()))]);

    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 3)).await;
    assert_eq!(fixture.registry.submit(Expire { now: later(600) }).await.unwrap(), 0);
    assert_eq!(fixture.registry.submit(Expire { now: later(601) }).await.unwrap(), 1);
    assert_eq!(fixture.registry.submit(Expire { now: later(602) }).await.unwrap(), 0);
    assert_eq!(found(&fixture).await.ended.unwrap().why, "expired");
}

#[tokio::test]
async fn a_request_for_the_very_call_is_taken_back_and_one_that_is_approved_pays_itself() {
    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 3)).await;
    let request = new_approval(A, 50);
    let (waiting, operation) = (request.id, request.operation);
    fixture.registry.submit(File { request, most_waiting: 10, events: Vec::new() }).await.unwrap();
    let what = Use { operation, ..spending(A, 1, later(10)) };
    assert_eq!(spend(&fixture, what).await, Spend::Spent(1));
    let mut db = fixture.registry.read().await.unwrap();
    let state = approval::find(&mut db, A.tenant, waiting).await.unwrap().state;
    assert_eq!(state, ApprovalState::Withdrawn);
    drop(db);
    let approved = fixture.approved(A, 51).await;
    let operation = new_approval(A, 51).operation;
    let what = Use { operation, ..spending(A, 2, later(10)) };
    assert_eq!(spend(&fixture, what).await, Spend::Refused);
    assert_eq!(found(&fixture).await.used, 1);
    assert_eq!(fixture.registry.submit(approved).await.unwrap(), crate::redemption::Spend::Spent);
}

/// Attacks O17, O01: of any number at once, as many are paid for as there are calls.
#[tokio::test(flavor = "multi_thread")]
async fn o17_o01_of_many_simultaneous_uses_each_number_is_spent_once() {
    let fixture = Arc::new(Fixture::new().await);
    signed(&fixture, &new(A, 100)).await;
    let attempts = (1..=200_u8).map(|number| {
        let fixture = Arc::clone(&fixture);
        let what = Use { calls: 100, ..spending(A, number, later(10)) };
        tokio::spawn(async move { spend(&fixture, what).await })
    });
    let mut numbers = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        if let Spend::Spent(number) = attempt.await.unwrap() {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<u8>>());
}

#[tokio::test]
async fn o17_o02_what_was_spent_and_never_settled_is_unknown_after_a_restart_and_stays_spent() {
    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 3)).await;
    let (lost, done) = (spending(A, 1, later(10)), spending(A, 2, later(11)));
    spend(&fixture, lost.clone()).await;
    spend(&fixture, done.clone()).await;
    let settled = Settle {
        token: done.token,
        outcome: Outcome::Answered,
        at: later(12),
        events: vec![saying("answered")],
    };
    assert!(fixture.registry.submit(settled).await.unwrap());
    let unknown = fixture.registry.submit(Reconcile { now: later(20) }).await.unwrap();
    assert_eq!(unknown.iter().map(|it| it.token).collect::<Vec<_>>(), [lost.token]);
    assert_eq!(found(&fixture).await.used, 2);
    assert_eq!(spend(&fixture, spending(A, 3, later(30))).await, Spend::Spent(3));
    assert_eq!(spend(&fixture, spending(A, 4, later(30))).await, Spend::Refused);
    let log = fixture.verified_log().await;
    let log: Vec<Event> = log.iter().map(|entry| entry.event().unwrap()).collect();
    let of_series = |event: &&Event| event.series == Some(id()) && event.tool == Some(A.tool);
    let unknown = log.iter().filter(|it| it.outcome == Some(Outcome::Unknown)).filter(of_series);
    assert_eq!(unknown.count(), 1, "{log:?}");
}

#[tokio::test]
async fn the_past_of_a_series_cannot_be_rewritten_even_in_sql() {
    let fixture = Fixture::new().await;
    signed(&fixture, &new(A, 3)).await;
    spend(&fixture, spending(A, 1, later(10))).await;
    for statement in [
        "UPDATE series SET calls = 100",
        "UPDATE series SET schema = '{}'",
        "UPDATE series SET session_id = randomblob(16)",
        "UPDATE series SET expires = expires + 1",
        "UPDATE series SET token = 'x'",
        "UPDATE series_use SET number = 2",
        "DELETE FROM series_use",
        "INSERT INTO series_use (tenant_id, series_id, number, token_id, at)
         SELECT tenant_id, series_id, 4, token_id, at FROM series_use",
        "UPDATE series SET ended = 1, why = 'x'; UPDATE series SET ended = NULL, why = NULL",
    ] {
        let mut db = fixture.registry.begin().await.unwrap();
        let done = sqlx::raw_sql(statement).execute(&mut *db).await;
        let refused = done.as_ref().is_err_and(|error| error.to_string().contains("1811"));
        assert!(refused, "{statement}: {done:?}");
    }
}
