use super::*;
use crate::testing::{A, B, Fixture, later, new_session, new_task, saying};
use crate::{agent, task};

fn another(number: u128) -> SessionId {
    SessionId::new(Uuid::from_u128(number))
}

async fn live_ids(fixture: &Fixture, secs: u64) -> Vec<SessionId> {
    let mut db = fixture.registry.read().await.unwrap();
    live(&mut db, later(secs)).await.unwrap().iter().map(|it| it.new.id).collect()
}

#[tokio::test]
async fn a_session_reads_back_as_it_opened_with_the_names_of_the_time() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.read().await.unwrap();
    let found = find(&mut db, A.tenant, A.session).await.unwrap();
    assert_eq!(found.new, new_session(A));
    assert_eq!(
        (found.agent_name.as_str(), found.task_name.as_deref()),
        ("executor-1", Some("workbench"))
    );
    assert_eq!((found.ended, found.calls, found.anomalies), (None, 0, 0));
    let theirs = find(&mut db, B.tenant, A.session).await;
    assert!(matches!(theirs, Err(RegistryError::NotFound { what: "session" })));
}

#[tokio::test]
async fn s07_a_session_whose_parts_are_not_one_anothers_does_not_open() {
    let fixture = Fixture::new().await;
    let right = NewSession { id: another(70), ..new_session(A) };
    for session in [
        NewSession { tenant: B.tenant, ..right.clone() },
        NewSession { agent: B.agent, ..right.clone() },
        NewSession { credential: B.credential, ..right.clone() },
        NewSession { task: Some(B.task), ..right.clone() },
    ] {
        let opened = fixture.registry.submit(Open { session, events: vec![saying("no")] }).await;
        assert!(matches!(opened, Err(RegistryError::NotFound { .. })), "{opened:?}");
    }
    assert!(fixture.verified_log().await.is_empty());
    let none = NewSession { task: None, ..right };
    fixture.registry.submit(Open { session: none, events: vec![] }).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_once_and_by_itself_at_its_time() {
    let fixture = Fixture::new().await;
    assert_eq!(live_ids(&fixture, 3599).await, [A.session, B.session]);
    assert_eq!(live_ids(&fixture, 3600).await, []);
    let end = End {
        session: A.session,
        why: SessionEnd::Client,
        at: later(5),
        events: vec![saying("ended")],
    };
    assert!(fixture.registry.submit(end.clone()).await.unwrap());
    assert!(!fixture.registry.submit(End { why: SessionEnd::Operator, ..end }).await.unwrap());
    assert_eq!(fixture.details().await, ["ended"]);
    assert_eq!(live_ids(&fixture, 6).await, [B.session]);
    let mut db = fixture.registry.read().await.unwrap();
    let found = find(&mut db, A.tenant, A.session).await.unwrap();
    assert_eq!(found.ended, Some((later(5), SessionEnd::Client)));
    assert!(!found.is_live(later(6)));
}

#[tokio::test]
async fn an_operator_ends_sessions_of_the_named_tenant_only() {
    let fixture = Fixture::new().await;
    let mut change = fixture.registry.begin().await.unwrap();
    let why = SessionEnd::Operator;
    let theirs = end(&mut change, B.tenant, A.session, why, later(5)).await;
    assert!(matches!(theirs, Err(RegistryError::NotFound { .. })));
    assert!(end(&mut change, A.tenant, A.session, why, later(5)).await.unwrap());
    assert!(!end(&mut change, A.tenant, A.session, why, later(6)).await.unwrap());
    assert!(!end(&mut change, B.tenant, B.session, why, later(3600)).await.unwrap(), "over");
    change.commit(&[]).await.unwrap();
}

#[tokio::test]
async fn the_sessions_of_an_agent_or_a_credential_end_together() {
    let fixture = Fixture::new().await;
    fixture.open_session(A, another(70)).await;
    let mut change = fixture.registry.begin().await.unwrap();
    let why = SessionEnd::Credential;
    let none = end_of_agent(&mut change, B.tenant, A.agent, why, later(5)).await.unwrap();
    assert_eq!(none, []);
    let ended = end_of_agent(&mut change, A.tenant, A.agent, why, later(5)).await.unwrap();
    assert_eq!(ended.len(), 2);
    let none = end_of_credential(&mut change, A.tenant, A.credential, why, later(5)).await.unwrap();
    assert_eq!(none, []);
    let ended =
        end_of_credential(&mut change, B.tenant, B.credential, why, later(5)).await.unwrap();
    assert_eq!(ended, [B.session]);
    change.commit(&[]).await.unwrap();
    assert_eq!(live_ids(&fixture, 6).await, []);
}

#[tokio::test]
async fn a_wire_id_belongs_to_one_live_session() {
    let fixture = Fixture::new().await;
    let bind = |session, wire_id: Option<&str>| {
        fixture.registry.submit(Rebind { session, wire_id: wire_id.map(str::to_owned) })
    };
    bind(A.session, Some("wire-1")).await.unwrap();
    let taken = bind(B.session, Some("wire-1")).await;
    assert!(matches!(taken, Err(RegistryError::Conflict { .. })));
    bind(A.session, None).await.unwrap();
    bind(B.session, Some("wire-1")).await.unwrap();
    let end = End { session: B.session, why: SessionEnd::Client, at: later(5), events: vec![] };
    fixture.registry.submit(end).await.unwrap();
    let over = bind(B.session, Some("wire-2")).await;
    assert!(matches!(over, Err(RegistryError::NotFound { .. })));
    bind(A.session, Some("wire-1")).await.unwrap();
}

#[tokio::test]
async fn a_session_outlives_its_agent_and_task_in_the_list() {
    let fixture = Fixture::new().await;
    let mut change = fixture.registry.begin().await.unwrap();
    task::create(&mut change, &new_task(A, TaskId::from_random([9; 16]), "other")).await.unwrap();
    task::remove(&mut change, A.tenant, A.task).await.unwrap();
    end_of_agent(&mut change, A.tenant, A.agent, SessionEnd::Operator, later(5)).await.unwrap();
    agent::remove(&mut change, A.tenant, A.agent).await.unwrap();
    change.commit(&[]).await.unwrap();
    let mut db = fixture.registry.read().await.unwrap();
    let all = list(&mut db, A.tenant, false, later(6), 9).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].task_name.as_deref(), Some("workbench"));
    assert!(list(&mut db, A.tenant, true, later(6), 9).await.unwrap().is_empty());
    assert_eq!(list(&mut db, B.tenant, true, later(6), 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_whose_time_is_up_is_ended_once_at_its_time_and_is_told() {
    let fixture = Fixture::new().await;
    let client = End { session: B.session, why: SessionEnd::Client, at: later(5), events: vec![] };
    fixture.registry.submit(client).await.unwrap();
    assert!(fixture.registry.submit(Expire { now: later(3599) }).await.unwrap().is_empty());
    let ended = fixture.registry.submit(Expire { now: later(3700) }).await.unwrap();
    assert_eq!(ended, [(A.tenant, A.session)]);
    assert!(fixture.registry.submit(Expire { now: later(3701) }).await.unwrap().is_empty());
    let log = fixture.verified_log().await;
    assert_eq!(log.len(), 1);
    let told = log[0].event().unwrap();
    assert_eq!((told.kind, told.session), (EventKind::SessionEnded, Some(A.session)));
    assert_eq!((told.agent, told.task), (Some(A.agent), Some(A.task)));
    let mut db = fixture.registry.read().await.unwrap();
    let found = find(&mut db, A.tenant, A.session).await.unwrap();
    assert_eq!(found.ended, Some((later(3600), SessionEnd::Expired)));
}
