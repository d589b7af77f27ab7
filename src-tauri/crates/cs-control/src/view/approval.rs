//! Calls that wait for a person.

use cs_model::event::Outcome;
use cs_model::state::ApprovalState;
use cs_model::{AgentId, ApprovalId, Digest, SessionId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::server::ToolView;
use super::signing::SigningView;
use crate::secret_text::ShownOnce;

/// An approval request, in a list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ApprovalRow {
    /// Its id.
    pub id: ApprovalId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its tenant's name.
    pub tenant_name: String,
    /// The name of the agent that asks.
    pub agent_name: String,
    /// The name of its task.
    pub task_name: String,
    /// The name of the tool's server.
    pub server_name: String,
    /// The name of the tool.
    pub tool_name: String,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was asked.
    pub requested: Timestamp,
    /// Until when a person may decide; for an approved one, when its token ends.
    pub expires: Timestamp,
    /// Whether the agent's call is made as soon as somebody approves it.
    pub held: bool,
    /// Whether the agent goes on meanwhile and asks for the result: the call became a task.
    pub goes_on: bool,
    /// How many signatures stand.
    pub signed: u32,
    /// How many its tool asks for.
    pub approvers: u8,
    /// Whether an owner signed alone although it takes more.
    pub broke_glass: bool,
}

/// A call that was signed for before the agent makes it.
#[derive(Debug, Serialize, TS)]
pub struct ApprovalIssued {
    /// The request that stands for it.
    pub approval: Box<ApprovalView>,
    /// The operation token, for the client to present in
    /// `_meta["dev.countersign/operation-token"]`.
    pub token: ShownOnce,
}

/// An approval request with all that a person needs to decide.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ApprovalView {
    /// The request.
    pub row: ApprovalRow,
    /// The agent that asks.
    pub agent: AgentId,
    /// Its session.
    pub session: SessionId,
    /// The names of the agent's roles.
    pub roles: Vec<String>,
    /// When the session opened.
    pub session_opened: Timestamp,
    /// When it ends.
    pub session_ends: Timestamp,
    /// Attempts outside the allowlist in this session.
    pub session_anomalies: u64,
    /// How many attempts outside their allowlists its agent made in its other sessions of the last
    /// 24 hours.
    pub agent_anomalies: u64,
    /// The tool.
    pub tool: ToolView,
    /// The canonical arguments, as JSON text: what was hashed and what will be sent. Nothing for
    /// whoever is not shown what agents send.
    pub arguments: Option<String>,
    /// Why there are none to be seen.
    pub withheld: Option<String>,
    /// Their digest.
    pub arguments_digest: Digest,
    /// Their length.
    pub arguments_bytes: u64,
    /// The arguments of the last approved call of this tool by this agent, for those who are shown
    /// any.
    pub previous: Option<String>,
    /// The policy version that asked.
    pub policy_version: u64,
    /// Why a person must look.
    pub asked_because: String,
    /// What it takes to be signed, and how far that is.
    pub signing: SigningView,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// How the call ended.
    pub outcome: Option<Outcome>,
    /// When the very same call was approved before, and nobody knows whether it was made.
    pub lost_before: Option<Timestamp>,
}

/// What came of denying all that a session had waiting.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct DeniedAll {
    /// How many calls were denied.
    pub denied: u64,
    /// Whether the session was ended.
    pub session_ended: bool,
}

/// How the last seven days went.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, TS)]
pub struct ApprovalWeek {
    /// How many calls asked.
    pub asked: u64,
    /// How many were approved.
    pub approved: u64,
    /// How many were denied.
    pub denied: u64,
    /// How many nobody decided in time.
    pub expired: u64,
    /// How long a decision took, in the middle.
    pub median_seconds: Option<u64>,
    /// The same by tool.
    pub by_tool: Vec<ApprovalTool>,
}

/// How the last seven days went for one tool.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ApprovalTool {
    /// Its name.
    pub tool_name: String,
    /// Its server's name.
    pub server_name: String,
    /// How many calls asked.
    pub asked: u64,
    /// How many were approved.
    pub approved: u64,
    /// How many were denied.
    pub denied: u64,
}
