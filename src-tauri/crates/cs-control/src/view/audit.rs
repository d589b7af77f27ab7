//! The audit log.

use cs_model::event::{Decision, Outcome};
use cs_model::{
    AgentId, ApprovalId, CorrelationId, Digest, SessionId, TenantId, Timestamp, ToolId,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An audit event, in a list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AuditRow {
    /// Its place in the chain.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: String,
    /// The tenant.
    pub tenant: Option<TenantId>,
    /// The tenant's name.
    pub tenant_name: Option<String>,
    /// The agent, the operator or `system`.
    pub who: String,
    /// The session.
    pub session: Option<SessionId>,
    /// The tool.
    pub tool: Option<String>,
    /// How a call was judged.
    pub decision: Option<Decision>,
    /// The code of the reason.
    pub reason: Option<String>,
    /// One sentence for a person.
    pub summary: String,
    /// How an execution ended.
    pub outcome: Option<Outcome>,
    /// The policy version in force.
    pub policy_version: Option<u64>,
    /// What ties it to an answer.
    pub correlation: Option<CorrelationId>,
    /// The approval request.
    pub approval: Option<ApprovalId>,
    /// The address of the client.
    pub client: Option<String>,
    /// Its seal.
    pub hash: Digest,
}

/// A page of the log, newest first.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct AuditPage {
    /// The events.
    pub rows: Vec<AuditRow>,
    /// What to ask for to see older ones, when there are any.
    pub older: Option<u64>,
    /// How many events match in all.
    pub total: u64,
}

/// An event with what belongs to it.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct AuditDetail {
    /// The event.
    pub row: AuditRow,
    /// The sealed event, as JSON text.
    pub event: String,
    /// The seal of the event before it.
    pub previous_hash: Digest,
    /// The events that share its correlation, oldest first.
    pub thread: Vec<AuditRow>,
}

/// An event as it is in the log: one link of the chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SealedEvent {
    /// Its place in the chain.
    pub seq: u64,
    /// The seal of the event before it.
    pub previous: Digest,
    /// Its seal.
    pub hash: Digest,
    /// What is sealed, as JSON text.
    pub body: String,
}

/// How far the chain holds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ChainView {
    /// How many events there are.
    pub events: u64,
    /// Up to which one every seal holds.
    pub verified_to: u64,
    /// Whether that is all of them.
    pub whole: bool,
    /// What is wrong with the next one.
    pub problem: Option<String>,
    /// The seal of the last event that holds.
    pub head: Digest,
}

/// Which events to show.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields)]
pub struct AuditFilter {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of these kinds.
    pub kinds: Option<Vec<String>>,
    /// Of this agent.
    pub agent: Option<AgentId>,
    /// Of this session.
    pub session: Option<SessionId>,
    /// Of this tool.
    pub tool: Option<ToolId>,
    /// Judged so.
    pub decision: Option<Decision>,
    /// With this correlation.
    pub correlation: Option<String>,
    /// Words that the summary, tool or reason contains.
    pub text: Option<String>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}
