//! Tasks.

use cs_model::{AgentId, RoleId, TaskId, ToolId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A task.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct TaskView {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: String,
    /// The tools that it needs.
    pub tools: Vec<ToolId>,
    /// How long a run usually takes, in seconds.
    pub expected_secs: u32,
    /// How long a session for it may last, in seconds.
    pub longest_secs: u32,
    /// The agents that may declare it.
    pub agents: Vec<AgentRef>,
    /// How many of its sessions are not over.
    pub live_sessions: u64,
}

/// An agent, by id and name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AgentRef {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: String,
}

/// A role, by id and name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct RoleRef {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: String,
}

/// A task, by id and name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct TaskRef {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: String,
}
