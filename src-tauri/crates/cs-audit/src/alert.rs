//! What raises alerts: rules over audit events.
//!
//! Pure: events and the time go in, findings come out. What a rule has to remember is bounded and
//! can be had again from the log, see [`Engine`]. Read it in this order: [`Engine::observe`] (what
//! one event finds), [`time`] (what only the passing of time finds), [`Firing`].

mod failures;
mod sentence;
mod strays;
pub mod time;

use cs_model::alert::{AlertRule, AlertSettings};
use cs_model::event::{Decision, Event, EventKind, Outcome};
use cs_model::op_token;
use cs_model::text::neutralise;
use cs_model::{AgentId, CorrelationId, CredentialId, SessionId, TenantId, Timestamp};

use failures::Failures;
use strays::Strays;

/// The most characters of a sentence about an alert.
const LONGEST_SENTENCE: usize = 400;

/// The reasons for which a call is denied although it asks for nothing outside the session's
/// allowlist: what it was opened with is gone, its token is not good enough for this call, or there
/// are too many such calls. Any other denial of a call is an attempt outside it: an anomaly.
const NOT_ANOMALOUS: &[&str] = &[
    "agent_rate",
    "agent_suspended",
    "agent_too_many_waiting",
    "agent_unknown",
    "definition_changed",
    "definition_refused",
    "introspection_failed",
    "introspection_impossible",
    "introspection_malformed",
    "introspection_mismatch",
    "introspection_secret",
    "issuer_key_revoked",
    "issuer_revoked",
    "issuer_unknown",
    "provider_unreachable",
    "scope_missing",
    "session_ended",
    "session_expired",
    "subject_revoked",
    "tenant_suspended",
    "tenant_unknown",
    "token_expired",
    "token_inactive",
    "token_revoked",
    "token_too_old",
    "too_many_waiting",
    "tool_rate",
];

/// Whether an event tells of an attempt outside the session's allowlist, or with a signature that
/// is not one for the call.
pub fn is_anomaly(event: &Event) -> bool {
    let is_none_of =
        |known: &[&str]| event.reason.as_deref().is_none_or(|reason| !known.contains(&reason));
    let denied = event.kind == EventKind::Decision && event.decision == Some(Decision::Deny);
    // A token that answers a request was fetched by the gateway itself.
    let refused = event.kind == EventKind::TokenRefused && event.approval.is_none();
    denied && is_none_of(NOT_ANOMALOUS) || refused && is_none_of(op_token::HONEST)
}

/// The reason that a change is recorded with when less is asked of those who sign from then on.
pub const SIGNING_LOOSENED: &str = "signing_loosened";

/// Whether an event tells that nobody knows whether a call was made that somebody signed for.
fn is_lost(event: &Event) -> bool {
    event.outcome == Some(Outcome::Unknown) && event.token.is_some()
}

/// How the rules are set.
pub trait Rules {
    /// How a rule is set for a tenant; for none, how it is set for the whole installation.
    fn settings(&self, tenant: Option<TenantId>, rule: AlertRule) -> AlertSettings;
}

/// What an event does not say of itself.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The agent that an event is about, or that a refused caller claimed to be, and its name.
    pub agent: Option<(AgentId, String)>,
    /// How many anomalies its session had before it; asked for by [`Engine::wants_strays`].
    pub strays_before: u64,
    /// How long its session lasted, when it tells of the end of one with a task.
    pub lasted: Option<time::Lasted>,
}

/// What a rule found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Firing {
    /// The rule.
    pub rule: AlertRule,
    /// The tenant that it concerns.
    pub tenant: Option<TenantId>,
    /// What it is about: the same again, soon after, is the same alert.
    pub subject: String,
    /// What it can be found of only once; nothing where it can be found again.
    pub once: Option<String>,
    /// When.
    pub at: Timestamp,
    /// How many events it took.
    pub count: u64,
    /// The agent, and its name.
    pub agent: Option<(AgentId, String)>,
    /// The session.
    pub session: Option<SessionId>,
    /// The credential.
    pub credential: Option<CredentialId>,
    /// What ties it to the answer that the agent got.
    pub correlation: Option<CorrelationId>,
    /// What it is, for a person. Holds no character that could deceive.
    pub sentence: String,
    /// The events that it was found by, oldest first.
    pub events: Vec<u64>,
}

/// Something that an earlier alert told of is over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Over {
    /// The rule.
    pub rule: AlertRule,
    /// The tenant that it concerned.
    pub tenant: Option<TenantId>,
    /// What it was about.
    pub subject: String,
    /// Since when.
    pub at: Timestamp,
}

/// What one event finds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Findings {
    /// What fired.
    pub fired: Vec<Firing>,
    /// What is over.
    pub over: Vec<Over>,
}

/// The rules, with what they have to remember of earlier events.
///
/// After a restart it is fed what is still in reach of a window ([`Engine::REACH_SECS`]) and finds
/// the same again; the caller keeps how far the log was already looked at.
#[derive(Debug, Default)]
pub struct Engine {
    failures: Failures,
    strays: Strays,
}

impl Engine {
    /// How far back a rule can have to look, in seconds.
    pub const REACH_SECS: u64 = 3600;

    /// How many of the earlier events a new engine has to be fed at most.
    pub const REACH_EVENTS: u32 = 20_000;

    /// Whether the number of earlier anomalies has to be told with this event.
    pub fn wants_strays(&self, event: &Event) -> bool {
        is_anomaly(event) && event.session.is_some_and(|session| !self.strays.knows(session))
    }

    /// Looks at the next event of the log. The same event, told twice, counts twice.
    pub fn observe(
        &mut self,
        seq: u64,
        event: &Event,
        facts: &Facts,
        rules: &impl Rules,
    ) -> Findings {
        let mut found = Findings::default();
        let settings = |rule| rules.settings(event.tenant, rule);
        match event.kind {
            EventKind::AuthnFailed => {
                found.fired.extend(self.authn_failed(seq, event, facts, settings));
            }
            EventKind::Decision | EventKind::TokenRefused if is_anomaly(event) => {
                found.fired.push(anomaly(seq, event, facts));
                found.fired.extend(self.incident(seq, event, facts, settings));
            }
            EventKind::ApprovalBrokeGlass => found.fired.push(glass_broken(seq, event, facts)),
            EventKind::ClockMoved => found.fired.push(plain(AlertRule::ClockMoved, seq, event)),
            EventKind::IntegrityFailed => {
                found.fired.push(plain(AlertRule::IntegrityFailed, seq, event));
            }
            EventKind::RotationFailed => found.fired.push(Firing {
                subject: event.credential.map(|it| it.to_string()).unwrap_or_default(),
                agent: facts.agent.clone(),
                ..plain(AlertRule::RotationFailed, seq, event)
            }),
            EventKind::ProviderUnreachable => found.fired.push(Firing {
                subject: provider(event),
                ..plain(AlertRule::ProviderDown, seq, event)
            }),
            EventKind::ProviderRecovered => found.over.push(Over {
                rule: AlertRule::ProviderDown,
                tenant: event.tenant,
                subject: provider(event),
                at: event.at,
            }),
            EventKind::SessionEnded => {
                event.session.inspect(|session| self.strays.forget(*session));
                let percent = settings(AlertRule::SessionOverlong).threshold;
                let overlong = facts.lasted.as_ref().filter(|it| it.is_overlong(percent));
                found.fired.extend(overlong.map(|it| it.firing(event.at)));
            }
            EventKind::ToolDrift => found.fired.push(drift(seq, event, facts)),
            EventKind::ExecutionFinished if is_lost(event) => {
                found.fired.push(Firing {
                    subject: event.token.map(|it| it.to_string()).unwrap_or_default(),
                    agent: facts.agent.clone(),
                    ..plain(AlertRule::OutcomeUnknown, seq, event)
                });
            }
            EventKind::AdminChanged if event.reason.as_deref() == Some(SIGNING_LOOSENED) => {
                found.fired.push(plain(AlertRule::SigningLoosened, seq, event));
            }
            // What an allowed call leaves (a `Decision` that is no anomaly, and the end of its
            // execution) is not even read: `cs_registry::audit::notable_after`.
            EventKind::AdminChanged
            | EventKind::AlertAcknowledged
            | EventKind::AlertRaised
            | EventKind::ApprovalApproved
            | EventKind::ApprovalDenied
            | EventKind::ApprovalExpired
            | EventKind::ApprovalRequested
            | EventKind::ApprovalSignatureVoid
            | EventKind::ApprovalSigned
            | EventKind::ApprovalWithdrawn
            | EventKind::AuthnSucceeded
            | EventKind::ConsoleAttached
            | EventKind::ConsoleLeft
            | EventKind::ConsoleRefused
            | EventKind::CredentialDelivered
            | EventKind::CredentialOverlap
            | EventKind::CredentialRetired
            | EventKind::CredentialRotated
            | EventKind::Decision
            | EventKind::ExecutionFinished
            | EventKind::ExecutionStarted
            | EventKind::GatewayStarted
            | EventKind::GatewayStopped
            | EventKind::IssuerIssued
            | EventKind::IssuerRefused
            | EventKind::IssuerRevoked
            | EventKind::OperatorLocked
            | EventKind::OperatorUnlocked
            | EventKind::OperatorUnlockFailed
            | EventKind::PolicyEnforced
            | EventKind::ProviderKeysChanged
            | EventKind::RegistryRecovered
            | EventKind::RequestRefused
            | EventKind::SeriesEnded
            | EventKind::SeriesRevoked
            | EventKind::SeriesSigned
            | EventKind::ServerAsked
            | EventKind::SessionOpened
            | EventKind::TokenRefused
            | EventKind::TokenRedeemed => {}
        }
        found.fired.retain(|it| !rules.settings(it.tenant, it.rule).is_muted(event.at));
        found
    }

    /// More than so many failures of one identity within a window. One that claims to be nobody
    /// is nobody's: every client that begins without a credential would be one.
    fn authn_failed(
        &mut self,
        seq: u64,
        event: &Event,
        facts: &Facts,
        settings: impl Fn(AlertRule) -> AlertSettings,
    ) -> Option<Firing> {
        let rule = AlertRule::AuthnFailures;
        let claimed = event.claimed.as_deref()?;
        let identity = match &facts.agent {
            Some((agent, _)) => agent.to_string(),
            None => claimed.to_owned(),
        };
        let AlertSettings { threshold, window_secs, .. } = settings(rule);
        let key = (event.tenant, identity.clone());
        let events = self.failures.count(key, seq, event.at, window_secs);
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let who = facts.agent.as_ref().map_or(claimed, |(_, name)| name);
        (count > u64::from(threshold)).then(|| Firing {
            subject: identity,
            count,
            sentence: sentence::authn_failures(who, threshold, window_secs),
            agent: facts.agent.clone(),
            events,
            ..plain(rule, seq, event)
        })
    }

    /// So many anomalies in one session.
    fn incident(
        &mut self,
        seq: u64,
        event: &Event,
        facts: &Facts,
        settings: impl Fn(AlertRule) -> AlertSettings,
    ) -> Option<Firing> {
        let rule = AlertRule::Incident;
        let session = event.session?;
        let events = self.strays.count(session, facts.strays_before, seq);
        let (count, latest) = events;
        let threshold = settings(rule).threshold;
        (count >= u64::from(threshold)).then(|| Firing {
            subject: session.to_string(),
            count,
            sentence: sentence::incident(name(facts), threshold),
            agent: facts.agent.clone(),
            events: latest,
            ..plain(rule, seq, event)
        })
    }
}

/// A finding of one event, about nothing in particular.
fn plain(rule: AlertRule, seq: u64, event: &Event) -> Firing {
    Firing {
        rule,
        tenant: if rule.is_everywhere() { None } else { event.tenant },
        subject: String::new(),
        once: None,
        at: event.at,
        count: 1,
        agent: None,
        session: event.session,
        credential: event.credential,
        correlation: event.correlation,
        sentence: sentence::plain(rule, event),
        events: vec![seq],
    }
}

fn anomaly(seq: u64, event: &Event, facts: &Facts) -> Firing {
    let rule = AlertRule::OutsideAllowlist;
    // A call is judged in a session; where there was none, what its agent does is one.
    let subject = match event.session {
        Some(session) => session.to_string(),
        None => event.agent.map(|agent| agent.to_string()).unwrap_or_default(),
    };
    let sentence = sentence::anomaly(name(facts), event);
    Firing { subject, sentence, agent: facts.agent.clone(), ..plain(rule, seq, event) }
}

fn drift(seq: u64, event: &Event, facts: &Facts) -> Firing {
    let subject = event.tool.map(|tool| tool.to_string());
    let subject = subject.or_else(|| event.tool_name.clone()).unwrap_or_default();
    Firing { subject, agent: facts.agent.clone(), ..plain(AlertRule::ToolDrift, seq, event) }
}

/// An owner who signs alone, each time anew: no two of them are the same.
fn glass_broken(seq: u64, event: &Event, facts: &Facts) -> Firing {
    let subject = event.approval.map(|approval| approval.to_string()).unwrap_or_default();
    let sentence = sentence::glass_broken(name(facts), event);
    let agent = facts.agent.clone();
    Firing { subject, sentence, agent, ..plain(AlertRule::GlassBroken, seq, event) }
}

/// The provider that an event is about, and whether it is the asking about tokens that works or
/// does not: what its detail begins with.
fn provider(event: &Event) -> String {
    let mut parts = event.detail.as_deref().unwrap_or_default().split(": ");
    let name = parts.next().unwrap_or_default();
    match parts.next() {
        Some(part @ "introspection") => format!("{name} {part}"),
        Some(_) | None => name.to_owned(),
    }
}

fn name(facts: &Facts) -> &str {
    facts.agent.as_ref().map_or("an agent", |(_, name)| name)
}

/// A sentence as it may stand in the log.
fn safe(sentence: &str) -> String {
    neutralise(sentence, LONGEST_SENTENCE)
}

#[cfg(test)]
mod tests;
