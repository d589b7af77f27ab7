//! Series of approvals.

use cs_model::{ApprovalId, OperatorId, SeriesId, SessionId, TenantId, Timestamp, ToolId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A series of approvals: what one signature pays for, and how far that went.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct SeriesView {
    /// Its id.
    pub id: SeriesId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its tenant's name.
    pub tenant_name: String,
    /// The name of the agent whose calls it pays for.
    pub agent_name: String,
    /// The name of its task.
    pub task_name: String,
    /// The session whose calls it pays for.
    pub session: SessionId,
    /// The tool.
    pub tool: ToolId,
    /// The name of the tool.
    pub tool_name: String,
    /// The name of the tool's server.
    pub server_name: String,
    /// Who signed it.
    pub operator: OperatorId,
    /// Their name.
    pub operator_name: String,
    /// The request that was approved together with it.
    pub approval: Option<ApprovalId>,
    /// The JSON Schema that the arguments of each call satisfy, in canonical form. It tells what
    /// agents send: nothing for whoever neither decides nor audits.
    pub schema: Option<String>,
    /// For how many calls it pays.
    pub calls: u8,
    /// How many of them were made.
    pub used: u8,
    /// When it was signed.
    pub signed: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// Why it was signed, in the operator's words.
    pub reason: Option<String>,
    /// Whether it still runs.
    pub running: bool,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it ended; of one that runs, why it would pay for no call now.
    pub fault: Option<String>,
    /// Who ended it, where an operator did.
    pub ended_by: Option<String>,
}
