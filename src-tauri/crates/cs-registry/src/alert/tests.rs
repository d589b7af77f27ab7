use cs_audit::alert::{Firing, Over};
use cs_model::alert::AlertSettings;

use super::*;
use crate::testing::{A, B, Fixture, Ids, later, operator_id, saying};

/// What a rule found of a tenant.
fn found(ids: Ids, rule: AlertRule, subject: &str, secs: u64) -> Firing {
    Firing {
        rule,
        tenant: Some(ids.tenant),
        subject: subject.to_owned(),
        once: None,
        at: later(secs),
        count: 1,
        agent: Some((ids.agent, "executor-1".to_owned())),
        session: Some(ids.session),
        credential: Some(ids.credential),
        correlation: None,
        sentence: format!("something about {subject}"),
        events: vec![secs],
    }
}

async fn raise(fixture: &Fixture, found: Vec<Firing>) -> Raised {
    raise_with(fixture, found, |_| {}).await
}

async fn raise_with(
    fixture: &Fixture,
    found: Vec<Firing>,
    change: impl Fn(&mut AlertSettings),
) -> Raised {
    let mut db = fixture.registry.read().await.unwrap();
    let from = cursor(&mut db).await.unwrap();
    drop(db);
    let found = found.into_iter().map(|found| {
        let mut settings = AlertSettings::default_of(found.rule);
        change(&mut settings);
        let first = found.events.first().copied().unwrap_or(0);
        let bytes = ((u128::from(from) << 64) | u128::from(first)).to_be_bytes();
        let id = AlertId::from_random(bytes);
        New { id, found, settings }
    });
    let (found, over, now) = (found.collect(), Vec::new(), later(1000));
    let work = Raise { from, to: from.saturating_add(1), found, over, now };
    fixture.registry.submit(work).await.unwrap()
}

async fn all(fixture: &Fixture) -> Vec<Alert> {
    let mut db = fixture.registry.read().await.unwrap();
    list(&mut db, None, None, 100).await.unwrap()
}

const STRAY: AlertRule = AlertRule::OutsideAllowlist;

#[tokio::test]
async fn the_same_rule_and_subject_within_its_window_is_counted_on_the_open_alert() {
    let fixture = Fixture::new().await;
    let first = raise(&fixture, vec![found(A, STRAY, "one", 1)]).await;
    assert_eq!(first, Raised { new: 1, again: 0, contain: false });
    let more = vec![
        found(A, STRAY, "one", 3601),
        found(A, STRAY, "other", 2),
        found(B, STRAY, "one", 3),
        found(A, AlertRule::ToolDrift, "one", 4),
    ];
    assert_eq!(raise(&fixture, more).await, Raised { new: 3, again: 1, contain: false });
    let kept = all(&fixture).await;
    let one = kept.iter().find(|it| it.count == 2).unwrap();
    assert_eq!(
        (one.first, one.last, one.events.as_slice()),
        (later(1), later(3601), &[1, 3601][..])
    );
    assert_eq!(raise(&fixture, vec![found(A, STRAY, "one", 7202)]).await.new, 1, "too late");
    let log = fixture.verified_log().await;
    let told = log.iter().map(|entry| entry.event().unwrap());
    let told: Vec<_> = told.filter(|it| it.kind == EventKind::AlertRaised).collect();
    assert_eq!(told.len(), 5, "one event for each alert, none for what is counted on one");
    assert_eq!(told[0].detail.as_deref(), Some("something about one"));
    assert_eq!(told[0].reason.as_deref(), Some("outside_allowlist"));
}

#[tokio::test]
async fn what_was_found_is_kept_with_how_far_was_looked_or_not_at_all() {
    let fixture = Fixture::new().await;
    fixture.registry.record((0..9).map(|_| saying("something")).collect()).await.unwrap();
    let work = |from: u64, to: u64, secs: u64| Raise {
        from,
        to,
        found: vec![New {
            id: AlertId::from_random([u8::try_from(secs).unwrap(); 16]),
            found: found(A, STRAY, &secs.to_string(), secs),
            settings: AlertSettings::default_of(STRAY),
        }],
        over: Vec::new(),
        now: later(1000),
    };
    fixture.registry.submit(work(0, 5, 1)).await.unwrap();
    // Another evaluation of the same events finds the same, and keeps nothing of it.
    let twice = fixture.registry.submit(work(0, 6, 2)).await;
    assert!(matches!(twice, Err(RegistryError::State { .. })), "{twice:?}");
    assert_eq!(all(&fixture).await.len(), 1);
    let back = fixture.registry.submit(work(5, 4, 3)).await;
    assert!(matches!(back, Err(RegistryError::Database { .. })), "{back:?}");
    let mut db = fixture.registry.read().await.unwrap();
    assert_eq!(cursor(&mut db).await.unwrap(), 5);
    // A finding that cannot be kept takes the move of the cursor with it.
    drop(db);
    let mut impossible = work(5, 9, 4);
    impossible.found[0].found.subject = "x".repeat(1001);
    assert!(fixture.registry.submit(impossible).await.is_err());
    let mut db = fixture.registry.read().await.unwrap();
    assert_eq!(cursor(&mut db).await.unwrap(), 5);
}

#[tokio::test]
async fn an_alert_is_acknowledged_once_and_what_happens_again_is_a_new_one() {
    let fixture = Fixture::new().await;
    raise(&fixture, vec![found(A, STRAY, "one", 1)]).await;
    let id = all(&fixture).await[0].id;
    let seen = Acknowledged {
        at: later(5),
        by: Actor::Operator { id: operator_id() },
        note: "looked".to_owned(),
    };
    let mut change = fixture.registry.begin().await.unwrap();
    acknowledge(&mut change, id, &seen).await.unwrap();
    let twice = acknowledge(&mut change, id, &seen).await;
    assert!(matches!(twice, Err(RegistryError::State { .. })));
    let unknown = acknowledge(&mut change, AlertId::from_random([9; 16]), &seen).await;
    assert!(matches!(unknown, Err(RegistryError::NotFound { .. })));
    change.commit(&[]).await.unwrap();
    assert_eq!(raise(&fixture, vec![found(A, STRAY, "one", 6)]).await.new, 1);
    let kept = all(&fixture).await;
    assert_eq!(
        kept.iter().map(|it| it.acknowledged.clone()).collect::<Vec<_>>(),
        [None, Some(seen)]
    );
    let mut db = fixture.registry.read().await.unwrap();
    let open = list(&mut db, Some(A.tenant), Some(AlertState::Open), 9).await.unwrap();
    assert_eq!(open, kept[..1]);
    assert_eq!(list(&mut db, Some(B.tenant), None, 9).await.unwrap(), []);
    assert_eq!(open_counts(&mut db).await.unwrap(), (1, 0));
}

#[tokio::test]
async fn what_can_be_found_only_once_is_found_once_even_after_it_was_acknowledged() {
    let fixture = Fixture::new().await;
    let unused = |secs: u64| Firing {
        once: Some(A.credential.to_string()),
        ..found(A, AlertRule::CredentialUnused, "key", secs)
    };
    assert_eq!(raise(&fixture, vec![unused(1)]).await.new, 1);
    assert_eq!(raise(&fixture, vec![unused(2)]).await, Raised::default());
    let mut db = fixture.registry.read().await.unwrap();
    assert!(!sought_unused(&mut db).await.contains(&A.credential));
    assert!(sought_unused(&mut db).await.contains(&B.credential));
}

async fn sought_unused(db: &mut SqliteConnection) -> Vec<CredentialId> {
    unused(db).await.unwrap().into_iter().map(|it| it.credential).collect()
}

#[tokio::test]
async fn what_an_alert_told_of_can_be_over_and_begin_again() {
    let fixture = Fixture::new().await;
    let down = |secs: u64| found(A, AlertRule::ProviderDown, "login", secs);
    raise(&fixture, vec![down(1)]).await;
    let over = |ids: Ids| Over {
        rule: AlertRule::ProviderDown,
        tenant: Some(ids.tenant),
        subject: "login".to_owned(),
        at: later(9),
    };
    let end = |from: u64, ids: Ids| Raise {
        from,
        to: from,
        found: Vec::new(),
        over: vec![over(ids)],
        now: later(9),
    };
    fixture.registry.submit(end(1, B)).await.unwrap();
    assert_eq!(all(&fixture).await[0].over, None);
    fixture.registry.submit(end(1, A)).await.unwrap();
    assert_eq!(all(&fixture).await[0].over, Some(later(9)));
    raise(&fixture, vec![down(20)]).await;
    let kept = all(&fixture).await;
    assert_eq!((kept.len(), kept[0].count, kept[0].over), (1, 2, None));
}

#[tokio::test]
async fn an_incident_is_due_to_be_cut_off_only_where_the_tenant_wants_that() {
    let fixture = Fixture::new().await;
    let incident = |secs: u64| found(A, AlertRule::Incident, &secs.to_string(), secs);
    assert!(!raise(&fixture, vec![incident(1)]).await.contain);
    assert!(raise_with(&fixture, vec![incident(2)], |it| it.contain = true).await.contain);
    let stray = vec![found(A, STRAY, "x", 3)];
    assert!(!raise_with(&fixture, stray, |it| it.contain = true).await.contain);
    let mut change = fixture.registry.begin().await.unwrap();
    let waiting = due(&mut change).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].first), (1, later(2)));
    assert!(contained(&mut change, B.tenant, waiting[0].id).await.is_err());
    contained(&mut change, A.tenant, waiting[0].id).await.unwrap();
    assert!(contained(&mut change, A.tenant, waiting[0].id).await.is_err());
    assert_eq!(due(&mut change).await.unwrap(), []);
}

#[tokio::test]
async fn a_rule_is_set_for_one_tenant_and_read_back() {
    let fixture = Fixture::new().await;
    let mut change = fixture.registry.begin().await.unwrap();
    let rule = AlertRule::AuthnFailures;
    let mut settings = AlertSettings::default_of(rule);
    (settings.threshold, settings.window_secs) = (9, 120);
    assert!(mute(&mut change, Some(A.tenant), rule, None).await.is_err());
    for threshold in [8, 9] {
        settings.threshold = threshold;
        set(&mut change, Some(A.tenant), rule, &settings).await.unwrap();
    }
    mute(&mut change, Some(A.tenant), rule, Some((later(7), "noise"))).await.unwrap();
    settings.muted_until = Some(later(7));
    let plain = AlertSettings::default_of(AlertRule::ClockMoved);
    set(&mut change, None, AlertRule::ClockMoved, &plain).await.unwrap();
    set(&mut change, None, AlertRule::ClockMoved, &plain).await.unwrap();
    let kept = rules(&mut change).await.unwrap();
    let of_a = StoredRule {
        tenant: Some(A.tenant),
        rule,
        settings,
        mute_reason: Some("noise".to_owned()),
    };
    let everywhere = StoredRule {
        tenant: None,
        rule: AlertRule::ClockMoved,
        settings: plain,
        mute_reason: None,
    };
    assert_eq!(kept, [of_a, everywhere]);
}

#[tokio::test]
async fn sessions_that_go_on_are_sought_and_attempts_are_added_up_by_day_and_agent() {
    let fixture = Fixture::new().await;
    let mut db = fixture.registry.read().await.unwrap();
    let task = crate::task::find(&mut db, A.tenant, A.task).await.unwrap();
    let expected = u64::from(task.expected_secs);
    assert_eq!(running(&mut db, later(expected)).await.unwrap(), []);
    let found = running(&mut db, later(expected + 1)).await.unwrap();
    assert!(found.iter().any(|it| it.session == A.session && it.is_overlong(100)), "{found:?}");
    let added = strays(&mut db, A.tenant, later(0)).await.unwrap();
    assert_eq!((added.len(), added[0].sessions, added[0].attempts), (1, 1, 0));
    assert_eq!(strays(&mut db, A.tenant, later(1)).await.unwrap(), []);
    assert_eq!(ended(&mut db, A.tenant, A.session).await.unwrap(), None);
    drop(db);
    let mut change = fixture.registry.begin().await.unwrap();
    let why = cs_model::state::SessionEnd::Client;
    crate::session::end(&mut change, A.tenant, A.session, why, later(77)).await.unwrap();
    let lasted = ended(&mut change, A.tenant, A.session).await.unwrap().unwrap();
    assert_eq!(lasted.lasted, std::time::Duration::from_secs(77));
}
