//! Alerts and the rules that raise them.

use cs_model::alert::{AlertClass, AlertRule, AlertSeverity, AlertState};
use cs_model::{AgentId, AlertId, CorrelationId, CredentialId, SessionId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::audit::AuditRow;

/// Something that a rule found.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AlertView {
    /// Its id.
    pub id: AlertId,
    /// The tenant; none for what concerns the whole installation.
    pub tenant: Option<TenantId>,
    /// The tenant's name.
    pub tenant_name: Option<String>,
    /// The rule.
    pub rule: AlertRule,
    /// What it is about.
    pub class: AlertClass,
    /// How much it asks of people.
    pub severity: AlertSeverity,
    /// What it is called.
    pub title: String,
    /// What was found, for a person.
    pub sentence: String,
    /// The agent; where a sign-in was refused, the one that the caller claimed to be.
    pub agent: Option<AgentId>,
    /// Its name.
    pub agent_name: Option<String>,
    /// The session.
    pub session: Option<SessionId>,
    /// The credential.
    pub credential: Option<CredentialId>,
    /// How often it happened.
    pub count: u64,
    /// When it was found first.
    pub first: Timestamp,
    /// When it was found last.
    pub last: Timestamp,
    /// Since when what it told of is over, where that is known.
    pub over: Option<Timestamp>,
    /// Whether the session was ended and its credential suspended because of it.
    pub contained: bool,
    /// Whether somebody has looked.
    pub state: AlertState,
    /// Who has.
    pub acknowledged_by: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// What they noted.
    pub note: Option<String>,
    /// What ties it to the answer that the agent got.
    pub correlation: Option<CorrelationId>,
}

/// An alert with what it was found by.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct AlertDetail {
    /// The alert.
    pub alert: AlertView,
    /// The first of the events that it was found by, oldest first, at most 50.
    pub events: Vec<AuditRow>,
}

/// A number in a rule.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AlertLimit {
    /// What it is.
    pub value: u32,
    /// What it is unless somebody sets it.
    pub default: u32,
    /// The least that it can be.
    pub least: u32,
    /// The most that it can be.
    pub most: u32,
}

/// A rule is muted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AlertMute {
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// A rule, as it is set for a tenant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AlertRuleView {
    /// The rule.
    pub rule: AlertRule,
    /// What its alerts are about.
    pub class: AlertClass,
    /// How much they ask of people.
    pub severity: AlertSeverity,
    /// What they are called.
    pub title: String,
    /// When it fires, as it is set now.
    pub sentence: String,
    /// Whether it is about, and set for, the whole installation.
    pub everywhere: bool,
    /// The number at which it fires: failures that are still fine, attempts that are an incident,
    /// days without use, percent of the expected run time.
    pub threshold: Option<AlertLimit>,
    /// In how many seconds that has to come together.
    pub window_secs: Option<AlertLimit>,
    /// How many seconds after its last occasion the same is still the same alert.
    pub repeat_secs: AlertLimit,
    /// Whether the session is ended and its credential suspended when it fires; nothing where
    /// that cannot be.
    pub contain: Option<bool>,
    /// Whether it is muted.
    pub muted: Option<AlertMute>,
}

/// Attempts outside allowlists, for each session of an agent: near zero when all is well.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AlertMetric {
    /// When the first day began, in UTC.
    pub since: Timestamp,
    /// Each day, oldest first.
    pub days: Vec<AlertMetricDay>,
    /// Each agent that had a session, the one with the most attempts for each session first.
    pub agents: Vec<AlertMetricAgent>,
}

/// One day.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AlertMetricDay {
    /// When it began, in UTC.
    pub day: Timestamp,
    /// How many sessions opened.
    pub sessions: u64,
    /// How many attempts outside their allowlists they made.
    pub attempts: u64,
}

/// One agent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AlertMetricAgent {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// How many sessions it opened.
    pub sessions: u64,
    /// How many attempts outside their allowlists they made.
    pub attempts: u64,
}
