use cs_audit::alert::is_anomaly;
use cs_model::event::{Actor, EventKind};
use uuid::Uuid;

use super::*;
use crate::testing::{A, B, Fixture, later, saying};
use crate::{credential, session, tool};

fn correlation(number: u128) -> CorrelationId {
    CorrelationId::new(Uuid::from_u128(number))
}

/// A call of the fixture's agent, judged like this.
fn decision(ids: crate::testing::Ids, decision: Decision, reason: &str, at: Timestamp) -> Event {
    Event {
        tenant: Some(ids.tenant),
        agent: Some(ids.agent),
        session: Some(ids.session),
        tool: Some(ids.tool),
        tool_name: Some("write_file".to_owned()),
        decision: Some(decision),
        reason: Some(reason.to_owned()),
        ..Event::new(EventKind::Decision, at)
    }
}

async fn numbers(fixture: &Fixture, filter: &Filter, before: Option<u64>, limit: u32) -> Vec<u64> {
    let mut db = fixture.registry.read().await.unwrap();
    let found = page(&mut db, filter, before, limit).await.unwrap();
    found.iter().map(|entry| entry.seq).collect()
}

#[tokio::test]
async fn pages_are_newest_first_and_follow_one_another_without_gaps() {
    let fixture = Fixture::new().await;
    fixture.registry.record((0..10).map(|_| saying("x")).collect()).await.unwrap();
    let all = Filter::default();
    assert_eq!(numbers(&fixture, &all, None, 4).await, [10, 9, 8, 7]);
    assert_eq!(numbers(&fixture, &all, Some(7), 4).await, [6, 5, 4, 3]);
    assert_eq!(numbers(&fixture, &all, Some(3), 4).await, [2, 1]);
    assert!(numbers(&fixture, &all, Some(1), 4).await.is_empty());
    let mut db = fixture.registry.read().await.unwrap();
    assert_eq!(count(&mut db, &all).await.unwrap(), 10);
    let found = find(&mut db, 3).await.unwrap();
    assert_eq!(found.event().unwrap(), saying("x"));
    assert!(matches!(find(&mut db, 11).await, Err(RegistryError::NotFound { .. })));
    assert_eq!(hash_at(&mut db, 3).await.unwrap(), Some(found.hash));
    assert_eq!(hash_at(&mut db, 11).await.unwrap(), None);
}

#[tokio::test]
async fn a_filter_lets_through_what_it_says_and_counts_the_same() {
    let fixture = Fixture::new().await;
    let mut odd = decision(B, Decision::Allow, "granted", later(2));
    odd.correlation = Some(correlation(5));
    let login = Event {
        tenant: Some(A.tenant),
        client: Some("127.0.0.1:9".to_owned()),
        detail: Some("It's 100% fine; DROP TABLE agent --".to_owned()),
        ..Event::new(EventKind::AuthnFailed, later(3))
    };
    let events = vec![decision(A, Decision::Deny, "not_granted", later(1)), odd, login];
    fixture.registry.record(events).await.unwrap();
    let of = Filter::default;
    let kinds = |kinds: &[EventKind]| Filter { kinds: kinds.to_vec(), ..of() };
    let text = |text: &str| Filter { text: Some(text.to_owned()), ..of() };
    let cases: &[(&str, Filter, &[u64])] = &[
        ("everything", of(), &[3, 2, 1]),
        ("tenant", Filter { tenant: Some(A.tenant), ..of() }, &[3, 1]),
        ("kind", kinds(&[EventKind::AuthnFailed]), &[3]),
        ("kinds", kinds(&[EventKind::AuthnFailed, EventKind::Decision]), &[3, 2, 1]),
        ("agent", Filter { agent: Some(B.agent), ..of() }, &[2]),
        ("session", Filter { session: Some(A.session), ..of() }, &[1]),
        ("tool", Filter { tool: Some(A.tool), ..of() }, &[1]),
        ("decision", Filter { decision: Some(Decision::Deny), ..of() }, &[1]),
        ("correlation", Filter { correlation: Some(correlation(5)), ..of() }, &[2]),
        ("from", Filter { from: Some(later(2)), ..of() }, &[3, 2]),
        ("to", Filter { to: Some(later(2)), ..of() }, &[1]),
        ("reason", text("NOT_granted"), &[1]),
        ("detail", text("100% fine"), &[3]),
        ("client", text("127.0.0.1"), &[3]),
        ("name of the agent", text("executor"), &[2, 1]),
        ("name of the tool", text("Write_File"), &[2, 1]),
        ("quotes are text", text("' OR 1=1 --"), &[]),
        ("no wildcards", text("%"), &[3]),
        (
            "all of it holds",
            Filter { tenant: Some(A.tenant), decision: Some(Decision::Allow), ..of() },
            &[],
        ),
    ];
    for (name, filter, wanted) in cases {
        assert_eq!(numbers(&fixture, filter, None, 9).await, *wanted, "{name}");
        let mut db = fixture.registry.read().await.unwrap();
        let counted = count(&mut db, filter).await.unwrap();
        assert_eq!(counted, u64::try_from(wanted.len()).unwrap(), "{name}");
    }
}

#[tokio::test]
async fn what_belongs_to_an_event_is_found_and_only_in_its_tenant() {
    let fixture = Fixture::new().await;
    let approval = Some(ApprovalId::from_random([4; 16]));
    let asked = Event {
        tenant: Some(A.tenant),
        correlation: Some(correlation(1)),
        approval,
        ..Event::new(EventKind::ApprovalRequested, later(1))
    };
    let approved = Event {
        tenant: Some(A.tenant),
        approval,
        correlation: Some(correlation(2)),
        actor: Some(Actor::System),
        ..Event::new(EventKind::ApprovalApproved, later(2))
    };
    let theirs = Event { tenant: Some(B.tenant), ..asked.clone() };
    let events = vec![asked.clone(), saying("unrelated"), approved, theirs];
    fixture.registry.record(events).await.unwrap();
    let mut db = fixture.registry.read().await.unwrap();
    let found = thread(&mut db, &asked, 9).await.unwrap();
    assert_eq!(found.iter().map(|it| it.seq).collect::<Vec<_>>(), [1, 3]);
    assert!(thread(&mut db, &saying("unrelated"), 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_attempt_outside_the_allowlist_is_an_anomaly_and_a_late_call_is_not() {
    let fixture = Fixture::new().await;
    let cases = [
        (Decision::Deny, "not_granted", true),
        (Decision::Deny, "tool_unknown", true),
        (Decision::Deny, "task_missing", true),
        (Decision::Deny, "a reason of tomorrow", true),
        (Decision::Deny, "session_ended", false),
        (Decision::Deny, "definition_changed", false),
        (Decision::Hold, "not_granted", false),
        (Decision::Allow, "granted", false),
    ];
    for (judged, reason, anomalous) in cases {
        assert_eq!(is_anomaly(&decision(A, judged, reason, later(1))), anomalous, "{reason}");
    }
    let events = cases.iter().map(|(judged, why, _)| decision(A, *judged, why, later(1)));
    fixture.registry.record(events.collect()).await.unwrap();
    let mut db = fixture.registry.read().await.unwrap();
    let found = anomalies(&mut db, A.tenant, 3).await.unwrap();
    assert_eq!(found.iter().map(|it| it.seq).collect::<Vec<_>>(), [4, 3, 2]);
    assert!(anomalies(&mut db, B.tenant, 3).await.unwrap().is_empty());
    let counted = session::find(&mut db, A.tenant, A.session).await.unwrap();
    assert_eq!((counted.calls, counted.anomalies), (8, 4));
    let theirs = session::find(&mut db, B.tenant, B.session).await.unwrap();
    assert_eq!((theirs.calls, theirs.anomalies), (0, 0));
    assert_eq!(decisions_since(&mut db, later(1)).await.unwrap(), 8);
    assert_eq!(decisions_since(&mut db, later(2)).await.unwrap(), 0);
}

#[tokio::test]
async fn every_hour_has_its_count_and_the_running_one_comes_last() {
    let fixture = Fixture::new().await;
    // T0 is half past an hour.
    let events = vec![
        decision(A, Decision::Allow, "granted", later(0)),
        decision(A, Decision::Hold, "token", later(60)),
        decision(A, Decision::Deny, "not_granted", later(3600)),
        decision(A, Decision::Deny, "not_granted", later(3601)),
        decision(B, Decision::Deny, "not_granted", later(3602)),
    ];
    fixture.registry.record(events).await.unwrap();
    let mut db = fixture.registry.read().await.unwrap();
    let found = hours(&mut db, A.tenant, later(3700), 24).await.unwrap();
    assert_eq!(found.len(), 24);
    let last: Vec<_> = found.iter().map(|it| (it.allow, it.hold, it.deny)).skip(21).collect();
    assert_eq!(last, [(0, 0, 0), (1, 1, 0), (0, 0, 2)]);
    assert_eq!(found[23].from, later(1800));
    let next = hours(&mut db, A.tenant, later(3700 + 3600), 2).await.unwrap();
    assert_eq!(next.iter().map(|it| it.deny).collect::<Vec<_>>(), [2, 0]);
}

#[tokio::test]
async fn last_use_follows_from_the_log_and_stays_within_the_tenant() {
    let fixture = Fixture::new().await;
    let started = Event {
        tenant: Some(A.tenant),
        tool: Some(A.tool),
        ..Event::new(EventKind::ExecutionFinished, later(7))
    };
    let foreign = Event { tool: Some(B.tool), ..started.clone() };
    let login = Event {
        tenant: Some(A.tenant),
        credential: Some(A.credential),
        client: Some("127.0.0.1:9".to_owned()),
        proof: Some("token".to_owned()),
        ..decision(A, Decision::Allow, "granted", later(6))
    };
    let foreign_login = Event { credential: Some(B.credential), ..login.clone() };
    fixture.registry.record(vec![started, foreign, login, foreign_login]).await.unwrap();
    let mut db = fixture.registry.read().await.unwrap();
    let used = |found: tool::Tool| found.last_used;
    assert_eq!(used(tool::find(&mut db, A.tenant, A.tool).await.unwrap()), Some(later(7)));
    assert_eq!(used(tool::find(&mut db, B.tenant, B.tool).await.unwrap()), None);
    let ours = credential::find(&mut db, A.tenant, A.credential).await.unwrap();
    assert_eq!((ours.last_used, ours.last_from.as_deref()), (Some(later(6)), Some("127.0.0.1:9")));
    let theirs = credential::find(&mut db, B.tenant, B.credential).await.unwrap();
    assert_eq!((theirs.last_used, theirs.last_from), (None, None));
}

#[tokio::test]
async fn proofs_of_identity_are_counted_by_method_and_reason_and_for_their_own_tenant() {
    let fixture = Fixture::new().await;
    let proof = |kind, tenant: Option<crate::testing::Ids>, method: &str, at: u64| Event {
        tenant: tenant.map(|ids| ids.tenant),
        credential: tenant.map(|ids| ids.credential),
        detail: Some(method.to_owned()),
        client: Some(format!("192.0.2.{at}:9")),
        ..Event::new(kind, later(at))
    };
    let refused = |tenant, reason: &str, claimed: &str, at| Event {
        reason: Some(reason.to_owned()),
        claimed: Some(claimed.to_owned()),
        ..proof(EventKind::AuthnFailed, tenant, "token", at)
    };
    let events = vec![
        proof(EventKind::AuthnSucceeded, Some(A), "api_key", 1),
        Event {
            proof: Some("api_key".to_owned()),
            detail: Some("said of something else".to_owned()),
            ..proof(EventKind::Decision, Some(A), "", 2)
        },
        proof(EventKind::AuthnSucceeded, Some(B), "certificate", 3),
        refused(Some(A), "jwt_expired", "first", 4),
        refused(None, "jwt_expired", "second", 5),
        refused(Some(B), "jwt_expired", "of another tenant", 6),
        proof(EventKind::AuthnFailed, None, "a word that is none of ours", 7),
    ];
    fixture.registry.record(events).await.unwrap();
    let mut db = fixture.registry.read().await.unwrap();
    let found = proofs(&mut db, A.tenant, later(8), 24).await.unwrap();
    let told: Vec<_> =
        found.iter().map(|it| (it.method.as_str(), it.reason.as_deref(), it.count)).collect();
    let expected =
        [("api_key", None, 2), ("none", Some("unknown"), 1), ("token", Some("jwt_expired"), 2)];
    assert_eq!(told, expected);
    let newest = &found[2];
    assert_eq!((newest.last, newest.claimed.as_deref()), (later(5), Some("second")));
    assert_eq!(newest.client.as_deref(), Some("192.0.2.5:9"));
    let day = 24 * 3600;
    assert_eq!(proofs(&mut db, A.tenant, later(day + 3600), 24).await.unwrap(), []);
    // Whatever the method, its credential was used.
    let used = credential::find(&mut db, B.tenant, B.credential).await.unwrap();
    assert_eq!((used.last_used, used.last_from.as_deref()), (Some(later(3)), Some("192.0.2.3:9")));
}
