//! Authorization sessions.

use cs_model::state::{CredentialState, SessionEnd};
use cs_model::{AgentId, CredentialId, Grant, SessionId, TaskId, TenantId, Timestamp, ToolId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether a session is live, or why it is over.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// The client ended it.
    Client,
    /// Its credential was revoked, suspended or ran out.
    Credential,
    /// Its time was up.
    Expired,
    /// It is not over.
    Live,
    /// An operator ended it.
    Operator,
}

impl From<Option<SessionEnd>> for SessionState {
    fn from(end: Option<SessionEnd>) -> Self {
        match end {
            None => Self::Live,
            Some(SessionEnd::Client) => Self::Client,
            Some(SessionEnd::Credential) => Self::Credential,
            Some(SessionEnd::Expired) => Self::Expired,
            Some(SessionEnd::Operator) => Self::Operator,
        }
    }
}

/// A session.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its agent.
    pub agent: AgentId,
    /// Its agent's name.
    pub agent_name: String,
    /// The credential that opened it.
    pub credential: CredentialId,
    /// What a request names that credential by, while it is there.
    pub key_id: Option<String>,
    /// Whether that credential may be used.
    pub credential_state: Option<CredentialState>,
    /// The address that the credential was last accepted from.
    pub client: Option<String>,
    /// Its task.
    pub task: Option<TaskId>,
    /// The name of its task.
    pub task_name: Option<String>,
    /// Whether it is live.
    pub state: SessionState,
    /// When it opened.
    pub opened: Timestamp,
    /// When it ends by itself.
    pub ends: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The policy version under which it opened.
    pub policy_version: u64,
    /// What it may ever call.
    pub tools: Vec<SessionTool>,
    /// How many calls it made.
    pub calls: u64,
    /// How many of them were attempts outside its allowlist.
    pub anomalies: u64,
    /// How many of its calls wait for a person.
    pub waiting: u64,
}

/// A tool of a session's allowlist.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SessionTool {
    /// The name under which the agent sees it.
    pub listed: String,
    /// The tool.
    pub tool: ToolId,
    /// What was granted when the session opened.
    pub grant: Grant,
    /// What is granted now, in a session that is live: the same or less.
    pub now: Grant,
    /// Why it is refused now, where it is.
    pub why: Option<String>,
}
