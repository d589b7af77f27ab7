//! How approving goes.

use cs_model::{Grant, RoleId, TenantId, ToolId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How approving went over some days.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ApprovalStats {
    /// Over so many days.
    pub days: u32,
    /// All of it.
    pub all: ApprovalFigures,
    /// The same by tool or by agent, the most asked first.
    pub lines: Vec<ApprovalLine>,
    /// Cells of the matrix that people gave one answer only.
    pub suggestions: Vec<Suggestion>,
    /// From how many days these are.
    pub suggest_days: u32,
    /// How many calls have to be approved, and none denied, to suggest allow.
    pub least_approved: u64,
    /// How many have to be denied, and none approved, to suggest deny.
    pub least_denied: u64,
}

/// What became of calls that asked, and how long people took.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ApprovalFigures {
    /// How many calls asked.
    pub asked: u64,
    /// How many were approved.
    pub approved: u64,
    /// How many were denied.
    pub denied: u64,
    /// How many nobody decided in time.
    pub expired: u64,
    /// How many were taken back undecided.
    pub withdrawn: u64,
    /// How long half of the decisions took at most.
    pub median_seconds: Option<u64>,
    /// How long nine of ten decisions took at most.
    pub p90_seconds: Option<u64>,
}

/// The figures of one tool, or of one agent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ApprovalLine {
    /// Its tenant's name.
    pub tenant_name: String,
    /// The name of a tool's server.
    pub server_name: Option<String>,
    /// Its name.
    pub name: String,
    /// Its figures.
    pub figures: ApprovalFigures,
}

/// A cell that asks people and got one answer only. Whether to change it is the administrator's.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct Suggestion {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// The cell's column.
    pub role: RoleId,
    /// Its name.
    pub role_name: String,
    /// The cell's row.
    pub tool: ToolId,
    /// Its name.
    pub tool_name: String,
    /// The name of its server.
    pub server_name: String,
    /// What the answers speak for.
    pub grant: Grant,
    /// How many calls were decided.
    pub decided: u64,
    /// How long half of the decisions took at most.
    pub median_seconds: u64,
    /// What was seen and what to consider, in words.
    pub sentence: String,
}
