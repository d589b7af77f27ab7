//! The matrix of roles and tools.

use cs_model::{AgentId, Grant, Kind, RoleId, ServerId, TaskId, Timestamp, ToolId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::audit::AuditRow;
use super::server::ToolView;

/// The matrix of one tenant.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct MatrixView {
    /// The policy version that it shows.
    pub policy_version: u64,
    /// Its columns.
    pub roles: Vec<MatrixRole>,
    /// What its rows are grouped by.
    pub servers: Vec<MatrixServer>,
    /// Its rows.
    pub tools: Vec<MatrixTool>,
    /// Row by row as `tools`, column by column as `roles`.
    pub cells: Vec<Vec<Grant>>,
    /// The cells that grant what they say to some arguments only.
    pub conditions: Vec<CellCondition>,
    /// The tasks, to look at the matrix through.
    pub tasks: Vec<MatrixTask>,
}

/// A column.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct MatrixRole {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: String,
    /// How many agents act in it.
    pub agents: u64,
}

/// A group of rows.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct MatrixServer {
    /// Its id.
    pub id: ServerId,
    /// Its name.
    pub name: String,
    /// Whether it may be called at all.
    pub enabled: bool,
}

/// A row.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct MatrixTool {
    /// Its id.
    pub id: ToolId,
    /// Its server.
    pub server: ServerId,
    /// Its kind.
    pub kind: Kind,
    /// Its name at its server.
    pub name: String,
    /// Its title, as the server gives it.
    pub title: Option<String>,
    /// What it does, as the server says.
    pub description: String,
    /// Whether it may be called at all.
    pub enabled: bool,
    /// Whether the server publishes another definition now.
    pub drifted: bool,
    /// When it was last called.
    pub last_used: Option<Timestamp>,
}

/// A task, as a lens on the matrix.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct MatrixTask {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: String,
    /// The tools that it lists.
    pub tools: Vec<ToolId>,
}

/// A cell that grants what it says to some arguments only.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct CellCondition {
    /// Its column.
    pub role: RoleId,
    /// Its row.
    pub tool: ToolId,
    /// What the arguments have to satisfy.
    pub condition: ConditionView,
}

/// What arguments have to satisfy, and what is granted to others.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConditionView {
    /// A JSON Schema, as text.
    pub schema: String,
    /// What is granted to arguments that do not satisfy it.
    pub otherwise: Grant,
}

/// What a cell is to be.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct CellChange {
    /// Its column.
    pub role: RoleId,
    /// Its row.
    pub tool: ToolId,
    /// What it is to be.
    pub grant: Grant,
    /// For which arguments; for all, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub condition: Option<ConditionView>,
}

/// What a change led to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct Enforced {
    /// The policy version that is in force now.
    pub policy_version: u64,
    /// Since when.
    pub enforced_at: Timestamp,
}

/// The side panel of a cell.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct CellView {
    /// The cell.
    pub grant: Grant,
    /// Its condition, where it has one.
    pub condition: Option<ConditionView>,
    /// Who can call the tool through this role now, and through which task.
    pub callers: Vec<CellCaller>,
    /// The tool.
    pub tool: ToolView,
    /// What happened to it lately.
    pub recent: Vec<AuditRow>,
    /// Live sessions that a narrower grant would cut at once.
    pub live_sessions: u64,
}

/// Somebody who can call a tool.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct CellCaller {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// The task through which it can.
    pub task: TaskId,
    /// That task's name.
    pub task_name: String,
    /// What its roles grant it.
    pub grant: Grant,
}
