//! Why a call, or a session, is refused.

/// The reason of a refusal. The agent sees one sentence for all reasons that concern a tool;
/// the person who reads the log sees this one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Deny {
    /// The agent is suspended.
    AgentSuspended,
    /// The tenant has no such agent.
    AgentUnknown,
    /// Several templates stand for the URI, and they are not of one server.
    Ambiguous,
    /// The arguments do not satisfy the condition under which the tool is granted.
    ConditionUnmet,
    /// Completions are not countersigned, and the thing is granted with a countersignature only.
    CompletionHeld,
    /// The tool's definition is not the one that the session opened with.
    DefinitionChanged,
    /// None of the agent's roles grants the tool.
    NotGranted,
    /// The task does not list the tool.
    NotInTask,
    /// It is granted and listed now, but was not when the session opened.
    OpenedBefore,
    /// The tool's server is disabled.
    ServerDisabled,
    /// The session was ended.
    SessionEnded,
    /// The session's time is up.
    SessionExpired,
    /// The session declared no task.
    TaskMissing,
    /// The agent may not declare the task.
    TaskNotAssigned,
    /// The tenant has no such task.
    TaskUnknown,
    /// The tenant is suspended.
    TenantSuspended,
    /// There is no such tenant.
    TenantUnknown,
    /// The tool is disabled.
    ToolDisabled,
    /// The tenant has no such tool.
    ToolUnknown,
}

/// A gate of the decision, in the order in which they are passed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Gate {
    /// The tenant is there and may act.
    Tenant,
    /// The agent is there and may act.
    Agent,
    /// The session is open.
    Session,
    /// The session declared a task that the agent may declare.
    Task,
    /// The tool is there and enabled, and so is its server.
    Tool,
    /// The task lists the tool.
    TaskTools,
    /// A role of the agent grants the tool, for these arguments.
    Grant,
    /// It did when the session opened, with the same definition.
    Frozen,
}

impl Gate {
    /// Every gate, in order.
    pub const ALL: &[Self] = &[
        Self::Tenant,
        Self::Agent,
        Self::Session,
        Self::Task,
        Self::Tool,
        Self::TaskTools,
        Self::Grant,
        Self::Frozen,
    ];
}

impl Deny {
    /// The gate that says it.
    pub const fn gate(self) -> Gate {
        match self {
            Self::TenantSuspended | Self::TenantUnknown => Gate::Tenant,
            Self::AgentSuspended | Self::AgentUnknown => Gate::Agent,
            Self::SessionEnded | Self::SessionExpired => Gate::Session,
            Self::TaskMissing | Self::TaskNotAssigned | Self::TaskUnknown => Gate::Task,
            Self::Ambiguous | Self::ServerDisabled | Self::ToolDisabled | Self::ToolUnknown => {
                Gate::Tool
            }
            Self::NotInTask => Gate::TaskTools,
            Self::CompletionHeld | Self::ConditionUnmet | Self::NotGranted => Gate::Grant,
            Self::DefinitionChanged | Self::OpenedBefore => Gate::Frozen,
        }
    }

    /// Every reason.
    pub const ALL: &[Self] = &[
        Self::AgentSuspended,
        Self::AgentUnknown,
        Self::Ambiguous,
        Self::CompletionHeld,
        Self::ConditionUnmet,
        Self::DefinitionChanged,
        Self::NotGranted,
        Self::NotInTask,
        Self::OpenedBefore,
        Self::ServerDisabled,
        Self::SessionEnded,
        Self::SessionExpired,
        Self::TaskMissing,
        Self::TaskNotAssigned,
        Self::TaskUnknown,
        Self::TenantSuspended,
        Self::TenantUnknown,
        Self::ToolDisabled,
        Self::ToolUnknown,
    ];

    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AgentSuspended => "agent_suspended",
            Self::AgentUnknown => "agent_unknown",
            Self::Ambiguous => "ambiguous_uri",
            Self::CompletionHeld => "completion_held",
            Self::ConditionUnmet => "condition_unmet",
            Self::DefinitionChanged => "definition_changed",
            Self::NotGranted => "not_granted",
            Self::NotInTask => "not_in_task",
            Self::OpenedBefore => "opened_before",
            Self::ServerDisabled => "server_disabled",
            Self::SessionEnded => "session_ended",
            Self::SessionExpired => "session_expired",
            Self::TaskMissing => "task_missing",
            Self::TaskNotAssigned => "task_not_assigned",
            Self::TaskUnknown => "task_unknown",
            Self::TenantSuspended => "tenant_suspended",
            Self::TenantUnknown => "tenant_unknown",
            Self::ToolDisabled => "tool_disabled",
            Self::ToolUnknown => "tool_unknown",
        }
    }

    /// A sentence for a person.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::AgentSuspended => "The agent is suspended.",
            Self::AgentUnknown => "The tenant has no such agent.",
            Self::Ambiguous => "Templates of several servers stand for the URI.",
            Self::CompletionHeld => {
                "It is granted with a countersignature only, and nobody signs for a completion."
            }
            Self::ConditionUnmet => {
                "The arguments do not satisfy the condition under which the tool is granted."
            }
            Self::DefinitionChanged => {
                "The tool's definition is not the one that the session opened with."
            }
            Self::NotGranted => "None of the agent's roles grants the tool.",
            Self::NotInTask => "The task of the session does not list the tool.",
            Self::OpenedBefore => {
                "The tool was granted after the session opened; the next session has it."
            }
            Self::ServerDisabled => "The tool's server is disabled.",
            Self::SessionEnded => "The session was ended.",
            Self::SessionExpired => "The session's time is up.",
            Self::TaskMissing => "The session declared no task, so it may call nothing.",
            Self::TaskNotAssigned => "The agent may not declare this task.",
            Self::TaskUnknown => "The tenant has no such task.",
            Self::TenantSuspended => "The tenant is suspended.",
            Self::TenantUnknown => "There is no such tenant.",
            Self::ToolDisabled => "The tool is disabled.",
            Self::ToolUnknown => "The tenant has no tool of this name.",
        }
    }
}
