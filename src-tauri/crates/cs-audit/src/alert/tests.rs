use std::collections::HashMap;
use std::time::Duration;

use cs_model::{OperatorId, TaskId};
use uuid::Uuid;

use super::time::{Lasted, Unused};
use super::*;

const T0: Timestamp = Timestamp::from_secs(1_785_231_000);

fn later(millis: u64) -> Timestamp {
    T0.after(Duration::from_millis(millis))
}

fn tenant() -> TenantId {
    TenantId::new(Uuid::from_u128(1))
}

fn session(number: u128) -> SessionId {
    SessionId::new(Uuid::from_u128(number))
}

fn robin() -> (AgentId, String) {
    (AgentId::new(Uuid::from_u128(7)), "robin".to_owned())
}

/// What is set for [`tenant`]. For everybody else the rules are as they come.
#[derive(Default)]
struct Set(HashMap<AlertRule, AlertSettings>);

impl Set {
    fn with(rule: AlertRule, change: impl FnOnce(&mut AlertSettings)) -> Self {
        let mut settings = AlertSettings::default_of(rule);
        change(&mut settings);
        Self(HashMap::from([(rule, settings)]))
    }
}

impl Rules for Set {
    fn settings(&self, of: Option<TenantId>, rule: AlertRule) -> AlertSettings {
        let set = self.0.get(&rule).filter(|_| of == Some(tenant()));
        set.copied().unwrap_or_else(|| AlertSettings::default_of(rule))
    }
}

fn failed(claimed: Option<&str>, at: Timestamp) -> Event {
    Event {
        tenant: Some(tenant()),
        claimed: claimed.map(str::to_owned),
        reason: Some("signature_invalid".to_owned()),
        ..Event::new(EventKind::AuthnFailed, at)
    }
}

fn strayed(session: SessionId, reason: &str) -> Event {
    Event {
        tenant: Some(tenant()),
        session: Some(session),
        agent: Some(robin().0),
        tool_name: Some("delete\u{202e}all".to_owned()),
        decision: Some(Decision::Deny),
        reason: Some(reason.to_owned()),
        ..Event::new(EventKind::Decision, T0)
    }
}

/// The rules that fire, event by event, with their counts.
fn fired(events: &[(Event, Facts)], rules: &Set) -> Vec<Vec<(AlertRule, u64)>> {
    let mut engine = Engine::default();
    (1..)
        .zip(events)
        .map(|(seq, (event, facts))| {
            let found = engine.observe(seq, event, facts, rules);
            found.fired.into_iter().map(|it| (it.rule, it.count)).collect()
        })
        .collect()
}

fn bare(events: impl IntoIterator<Item = Event>) -> Vec<(Event, Facts)> {
    events.into_iter().map(|event| (event, Facts::default())).collect()
}

#[test]
fn al1_three_failures_of_one_identity_within_a_minute_are_fine_and_the_fourth_is_not() {
    let at = [0, 20_000, 40_000, 60_000];
    let events = bare(at.map(|at| failed(Some("csk_1"), later(at))));
    let expected = vec![vec![], vec![], vec![], vec![(AlertRule::AuthnFailures, 4)]];
    assert_eq!(fired(&events, &Set::default()), expected);
    let slower = bare([0, 20_000, 40_000, 60_001].map(|at| failed(Some("csk_1"), later(at))));
    assert_eq!(fired(&slower, &Set::default()), vec![vec![]; 4]);
}

#[test]
fn al1_failures_of_several_identities_tenants_or_nobody_are_not_added_up() {
    let mut several: Vec<Event> = (0..8).map(|it| failed(Some(&format!("csk_{it}")), T0)).collect();
    several.extend((0..8).map(|_| failed(None, T0)));
    let other = Event { tenant: None, ..failed(Some("csk_1"), T0) };
    several.extend([other.clone(), other.clone(), other]);
    assert!(fired(&bare(several), &Set::default()).concat().is_empty());
}

#[test]
fn al1_two_credentials_of_one_agent_are_one_identity() {
    let facts = Facts { agent: Some(robin()), ..Facts::default() };
    let events: Vec<_> =
        ["a", "b", "a", "b"].map(|it| (failed(Some(it), T0), facts.clone())).into();
    assert_eq!(fired(&events, &Set::default()).concat(), [(AlertRule::AuthnFailures, 4)]);
    let mut engine = Engine::default();
    let found: Vec<Firing> = (1..)
        .zip(&events)
        .flat_map(|(seq, (event, facts))| engine.observe(seq, event, facts, &Set::default()).fired)
        .collect();
    assert_eq!(found[0].events, [1, 2, 3, 4]);
    assert_eq!(found[0].sentence, "More than 3 sign-ins of robin were refused within 60 s");
}

#[test]
fn al2_every_attempt_outside_the_allowlist_fires_and_the_fifth_of_a_session_is_an_incident() {
    let events = bare((0..6).map(|_| strayed(session(1), "not_granted")));
    let one = (AlertRule::OutsideAllowlist, 1);
    let mut expected = vec![vec![one]; 4];
    expected.push(vec![one, (AlertRule::Incident, 5)]);
    expected.push(vec![one, (AlertRule::Incident, 6)]);
    assert_eq!(fired(&events, &Set::default()), expected);
    let spread = bare((0..8).map(|it| strayed(session(it % 2), "not_in_task")));
    assert!(!fired(&spread, &Set::default()).concat().iter().any(|it| it.1 > 1));
}

#[test]
fn al2_what_the_log_had_before_a_restart_counts_too() {
    let facts = Facts { strays_before: 4, agent: Some(robin()), ..Facts::default() };
    let events = [(strayed(session(1), "not_granted"), facts.clone())];
    assert!(Engine::default().wants_strays(&events[0].0));
    assert_eq!(fired(&events, &Set::default())[0][1], (AlertRule::Incident, 5));
    let fewer = [(events[0].0.clone(), Facts { strays_before: 3, ..facts })];
    assert_eq!(fired(&fewer, &Set::default())[0].len(), 1);
}

#[test]
fn calls_that_are_refused_for_other_reasons_are_no_attempts() {
    for reason in NOT_ANOMALOUS {
        assert!(fired(&bare([strayed(session(1), reason)]), &Set::default()).concat().is_empty());
    }
    let allowed = Event { decision: Some(Decision::Allow), ..strayed(session(1), "") };
    let held = Event { decision: Some(Decision::Hold), ..strayed(session(1), "") };
    assert!(fired(&bare([allowed, held]), &Set::default()).concat().is_empty());
}

#[test]
fn what_a_caller_wrote_cannot_deceive_in_an_alert() {
    let mut engine = Engine::default();
    let facts = Facts { agent: Some(robin()), ..Facts::default() };
    let event = strayed(session(1), "tool_unknown");
    let found = engine.observe(1, &event, &facts, &Set::default());
    let expected = "robin tried to call delete\\u{202e}all, which its session does not have";
    assert_eq!(found.fired[0].sentence, expected);
}

#[test]
fn al4_a_provider_that_is_down_is_one_subject_until_it_is_back_and_new_keys_are_no_alert() {
    let of = |kind, detail: &str| Event {
        tenant: Some(tenant()),
        detail: Some(detail.to_owned()),
        ..Event::new(kind, T0)
    };
    let mut engine = Engine::default();
    let mut look = |event: &Event| engine.observe(1, event, &Facts::default(), &Set::default());
    let down = look(&of(EventKind::ProviderUnreachable, "login: it did not answer: late"));
    assert_eq!((down.fired.len(), down.fired[0].subject.as_str()), (1, "login"));
    let said = "Identity provider login cannot be reached: it did not answer: late";
    assert_eq!(down.fired[0].sentence, said);
    let back = look(&of(EventKind::ProviderRecovered, "login"));
    assert_eq!((back.fired.len(), back.over[0].subject.as_str()), (0, "login"));
    let asking = look(&of(EventKind::ProviderUnreachable, "login: introspection: late"));
    assert_eq!(asking.fired[0].subject, "login introspection", "the keys are another matter");
    let answers = look(&of(EventKind::ProviderRecovered, "login: introspection"));
    assert_eq!(answers.over[0].subject, "login introspection");
    let keys = look(&of(EventKind::ProviderKeysChanged, "login: a key is new"));
    assert_eq!(keys, Findings::default());
}

#[test]
fn al4_drift_a_clock_that_was_set_and_a_broken_log_each_fire() {
    let drift =
        Event { tool_name: Some("read_file".to_owned()), ..Event::new(EventKind::ToolDrift, T0) };
    let clock = Event { detail: Some("back".to_owned()), ..Event::new(EventKind::ClockMoved, T0) };
    let log = Event {
        detail: Some("event 7 was changed".to_owned()),
        ..Event::new(EventKind::IntegrityFailed, T0)
    };
    let expected = [AlertRule::ToolDrift, AlertRule::ClockMoved, AlertRule::IntegrityFailed];
    assert_eq!(
        fired(&bare([drift, clock, log]), &Set::default()),
        expected.map(|it| vec![(it, 1)])
    );
}

#[test]
fn a_muted_rule_is_silent_until_the_mute_ends_and_still_remembers() {
    let rules = Set::with(AlertRule::AuthnFailures, |it| it.muted_until = Some(later(10)));
    let events = bare([0, 1, 2, 9, 10].map(|at| failed(Some("csk_1"), later(at))));
    let mut expected = vec![vec![]; 4];
    expected.push(vec![(AlertRule::AuthnFailures, 5)]);
    assert_eq!(fired(&events, &rules), expected);
}

#[test]
fn a_tenants_own_numbers_are_the_ones_that_count() {
    let rules = Set::with(AlertRule::AuthnFailures, |it| (it.threshold, it.window_secs) = (1, 10));
    let events = bare([0, 10_001, 20_000].map(|at| failed(Some("csk_1"), later(at))));
    assert_eq!(fired(&events, &rules), [vec![], vec![], vec![(AlertRule::AuthnFailures, 2)]]);
    let rules = Set::with(AlertRule::Incident, |it| it.threshold = 2);
    let events = bare((0..2).map(|_| strayed(session(1), "not_granted")));
    assert_eq!(fired(&events, &rules)[1][1], (AlertRule::Incident, 2));
    let elsewhere = bare((0..2).map(|_| Event {
        tenant: Some(TenantId::new(Uuid::from_u128(99))),
        ..strayed(session(1), "not_granted")
    }));
    assert_eq!(fired(&elsewhere, &rules)[1].len(), 1, "they are nobody else's");
}

#[test]
fn what_alerts_and_people_put_on_record_raises_nothing() {
    let told = EventKind::ALL.iter().filter(|kind| {
        let event = Event {
            tenant: Some(tenant()),
            session: Some(session(1)),
            task: Some(TaskId::new(Uuid::from_u128(2))),
            actor: Some(cs_model::event::Actor::Operator {
                id: OperatorId::new(Uuid::from_u128(3)),
            }),
            ..Event::new(**kind, T0)
        };
        !fired(&bare([event]), &Set::default()).concat().is_empty()
    });
    let told: Vec<&str> = told.map(|it| it.as_str()).collect();
    let alarming = [
        "approval.broke_glass",
        "clock.moved",
        "integrity.failed",
        "provider.unreachable",
        "credential.rotation_failed",
        // Whatever is not said to be honest is not.
        "token.refused",
        "tool.drift",
    ];
    assert_eq!(told, alarming);
}

fn lasted(millis: u64) -> Lasted {
    Lasted {
        tenant: tenant(),
        session: session(1),
        agent: robin(),
        credential: CredentialId::new(Uuid::from_u128(4)),
        task_name: "nightly".to_owned(),
        expected: Duration::from_secs(900),
        lasted: Duration::from_millis(millis),
    }
}

#[test]
fn al2_a_session_is_overlong_when_it_is_longer_than_expected_and_not_when_it_is_as_long() {
    assert!(!lasted(900_000).is_overlong(100));
    assert!(lasted(900_001).is_overlong(100));
    assert!(!lasted(1_350_000).is_overlong(150));
    assert!(lasted(1_350_001).is_overlong(150));
    let ended = |millis| {
        let event = Event { session: Some(session(1)), ..Event::new(EventKind::SessionEnded, T0) };
        (event, Facts { lasted: Some(lasted(millis)), ..Facts::default() })
    };
    let all = fired(&[ended(900_000), ended(900_001)], &Set::default());
    assert_eq!(all, [vec![], vec![(AlertRule::SessionOverlong, 1)]]);
    let said = lasted(1).firing(T0);
    assert!(said.sentence.ends_with("the 15 minutes that the task is expected to take"));
}

#[test]
fn al1_a_credential_is_unused_from_the_fifteenth_day_on() {
    let unused = Unused {
        tenant: tenant(),
        credential: CredentialId::new(Uuid::from_u128(4)),
        key_id: "csk_1".to_owned(),
        agent: robin(),
        issued: T0,
    };
    let days = |days: u64| T0.after(Duration::from_secs(days * 86_400));
    let span = |days: u64| Duration::from_secs(days * 86_400);
    assert!(!unused.for_so_long(span(15), days(15).before(Duration::from_millis(1))));
    assert!(unused.for_so_long(span(15), days(15)));
    assert!(!unused.for_so_long(span(16), days(15)));
    let said = unused.firing(span(15), days(15)).sentence;
    assert!(said.ends_with("has not used the credential csk_1 within 15 days of its issue"));
}

/// Attacks O06: a signature that was made for another call, or by nobody, is an attempt like any other;
/// an honest one that comes late or twice is none.
#[test]
fn o06_al2_signatures_that_are_not_for_the_call_are_attempts_and_the_fifth_is_an_incident() {
    let refused = |reason: &str| Event {
        kind: EventKind::TokenRefused,
        decision: None,
        ..strayed(session(1), reason)
    };
    for honest in ["expired", "not_needed", "not_yet_valid", "spent"] {
        assert!(!is_anomaly(&refused(honest)), "{honest}");
    }
    // What the gateway fetched for a request itself says nothing of the agent.
    let approval = Some(cs_model::ApprovalId::new(Uuid::from_u128(5)));
    assert!(!is_anomaly(&Event { approval, ..refused("args_mismatch") }));
    let found = fired(&bare((0..5).map(|_| refused("args_mismatch"))), &Set::default());
    let rules: Vec<_> = found.concat().iter().map(|(rule, _)| *rule).collect();
    let attempts = rules.iter().filter(|it| **it == AlertRule::OutsideAllowlist).count();
    assert_eq!((attempts, rules.len()), (5, 6), "{rules:?}");
    assert_eq!(found[4].last().unwrap(), &(AlertRule::Incident, 5));
}

/// Whoever asks too often, or for too much at a time, asks for nothing that it is not to have.
#[test]
fn al2_too_many_calls_are_no_attempts_outside_the_allowlist() {
    for reason in ["agent_rate", "tool_rate", "agent_too_many_waiting", "too_many_waiting"] {
        assert!(!is_anomaly(&strayed(session(1), reason)), "{reason}");
    }
}

/// Attacks O03: what somebody signed for and nobody knows the end of is for people to look at.
#[test]
fn o03_a_signed_call_of_unknown_outcome_is_an_alert() {
    let token = Some(cs_model::OperationTokenId::new(Uuid::from_u128(6)));
    let ended = |outcome| Event {
        token,
        outcome: Some(outcome),
        ..Event::new(EventKind::ExecutionFinished, T0)
    };
    let found = fired(&bare([ended(Outcome::Unknown)]), &Set::default());
    assert_eq!(found.concat(), [(AlertRule::OutcomeUnknown, 1)]);
    let others = [
        ended(Outcome::Answered),
        ended(Outcome::Failed),
        Event { token: None, ..ended(Outcome::Unknown) },
    ];
    assert!(fired(&bare(others), &Set::default()).concat().is_empty());
}
