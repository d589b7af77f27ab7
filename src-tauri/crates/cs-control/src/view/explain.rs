//! Why an agent may or may not call a tool for a task.

use cs_model::{AgentId, Grant, SessionId, TaskId, Timestamp, ToolId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What would become of a call now, and why.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ExplainView {
    /// The policy version in force.
    pub policy_version: u64,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// The task.
    pub task: Option<TaskId>,
    /// Its name.
    pub task_name: Option<String>,
    /// The tool.
    pub tool: ToolId,
    /// Its name at its server.
    pub tool_name: String,
    /// Its server's name.
    pub server_name: String,
    /// The name under which the agent sees it, where it does.
    pub listed: Option<String>,
    /// What a call comes to: passes, waits for a person, or is refused.
    pub outcome: Grant,
    /// The step that decides: the first that refuses, or the last that had to be passed.
    pub decides: ExplainGate,
    /// The same in one sentence.
    pub sentence: String,
    /// Every step, in the order of the gateway.
    pub steps: Vec<ExplainStep>,
    /// The session that it is asked of; one that opened now when absent.
    pub session: Option<SessionId>,
    /// The same agent's sessions for the same task that are live now.
    pub sessions: Vec<ExplainSession>,
}

/// One step.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ExplainStep {
    /// Which.
    pub gate: ExplainGate,
    /// What it says.
    pub verdict: StepVerdict,
    /// Why, in a sentence or several.
    pub sentence: String,
    /// The code under which the log has it, where it refuses.
    pub reason: Option<String>,
}

/// A session in which the call could be made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ExplainSession {
    /// Its id.
    pub id: SessionId,
    /// When it opened.
    pub opened: Timestamp,
    /// When it ends by itself.
    pub ends: Timestamp,
    /// What the policy says of the call in it.
    pub outcome: Grant,
    /// Why, in one sentence.
    pub sentence: String,
}

/// What is asked at one step, in the order of the gateway.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExplainGate {
    /// Can anybody prove to be the agent?
    Credential,
    /// May the tenant's agents act?
    Tenant,
    /// May the agent act?
    Agent,
    /// Is there, or could there be, an open session?
    Session,
    /// May the agent declare the task?
    Task,
    /// Are the tool and its server enabled?
    Tool,
    /// Does the task list the tool?
    TaskTools,
    /// Does a role grant it, for these arguments?
    Grant,
    /// Did it when the session opened, with the same definition?
    Frozen,
    /// Do the arguments fit the pinned definition?
    Arguments,
    /// What does the tool need of an access token?
    Scopes,
    /// Were there too many calls lately?
    Rate,
    /// Does a person have to sign?
    Countersignature,
    /// Does the server still publish the definition that was accepted?
    Drift,
    /// Can the server be reached?
    Server,
}

/// What a step says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepVerdict {
    /// It lets the call pass.
    Passes,
    /// It refuses it.
    Refuses,
    /// It puts it before a person.
    Asks,
    /// It depends on what is not known here.
    Depends,
    /// It is not reached.
    Skipped,
}
