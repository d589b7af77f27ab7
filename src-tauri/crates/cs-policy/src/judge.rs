//! The gates, over facts that are enumerations: every input can be tried.

use cs_model::Grant;
use cs_model::state::Standing;

use crate::deny::Deny;

/// Whether a principal exists and may act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Principal {
    Active,
    Suspended,
    Unknown,
}

impl From<Option<Standing>> for Principal {
    fn from(standing: Option<Standing>) -> Self {
        match standing {
            Some(Standing::Active) => Self::Active,
            Some(Standing::Suspended) => Self::Suspended,
            None => Self::Unknown,
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Period {
    Ended,
    Expired,
    Open,
}

/// Where the session's task stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    Assigned,
    Missing,
    NotAssigned,
    Unknown,
}

/// Where the tool stands in the current policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standpoint {
    Disabled,
    Enabled,
    ServerDisabled,
    Unknown,
}

/// What the session's frozen list says of the tool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Frozen {
    /// It is there, with the definition that is pinned now.
    Listed(Grant),
    /// It is there, with another definition.
    Changed,
    /// It is not there.
    Absent,
}

/// All that a verdict depends on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Facts {
    pub(crate) tenant: Principal,
    pub(crate) agent: Principal,
    pub(crate) session: Period,
    pub(crate) task: Purpose,
    pub(crate) tool: Standpoint,
    /// Whether the task lists the tool now.
    pub(crate) in_task: bool,
    /// What the agent's roles grant now, for these arguments.
    pub(crate) grant: Grant,
    /// Whether other arguments would be granted something, now and when the session opened.
    pub(crate) others_would_pass: bool,
    pub(crate) frozen: Frozen,
}

/// Judges one call: the first gate that fails decides. What passes all of them gets the narrower
/// of what was granted when the session opened and what is granted now.
///
/// No arm says "anything else": a new state of any fact does not compile until somebody has
/// decided what it means.
pub(crate) fn judge(facts: Facts) -> Result<Grant, Deny> {
    match facts.tenant {
        Principal::Active => {}
        Principal::Suspended => return Err(Deny::TenantSuspended),
        Principal::Unknown => return Err(Deny::TenantUnknown),
    }
    match facts.agent {
        Principal::Active => {}
        Principal::Suspended => return Err(Deny::AgentSuspended),
        Principal::Unknown => return Err(Deny::AgentUnknown),
    }
    match facts.session {
        Period::Open => {}
        Period::Ended => return Err(Deny::SessionEnded),
        Period::Expired => return Err(Deny::SessionExpired),
    }
    match facts.task {
        Purpose::Assigned => {}
        Purpose::Missing => return Err(Deny::TaskMissing),
        Purpose::NotAssigned => return Err(Deny::TaskNotAssigned),
        Purpose::Unknown => return Err(Deny::TaskUnknown),
    }
    match facts.tool {
        Standpoint::Enabled => {}
        Standpoint::Disabled => return Err(Deny::ToolDisabled),
        Standpoint::ServerDisabled => return Err(Deny::ServerDisabled),
        Standpoint::Unknown => return Err(Deny::ToolUnknown),
    }
    if !facts.in_task {
        return Err(Deny::NotInTask);
    }
    let now = match facts.grant {
        Grant::Deny if facts.others_would_pass => return Err(Deny::ConditionUnmet),
        Grant::Deny => return Err(Deny::NotGranted),
        grant @ (Grant::Token | Grant::Allow) => grant,
    };
    match facts.frozen {
        Frozen::Listed(Grant::Deny) if facts.others_would_pass => Err(Deny::ConditionUnmet),
        Frozen::Listed(Grant::Deny) | Frozen::Absent => Err(Deny::OpenedBefore),
        Frozen::Changed => Err(Deny::DefinitionChanged),
        Frozen::Listed(then @ (Grant::Token | Grant::Allow)) => Ok(now.min(then)),
    }
}

#[cfg(test)]
mod tests;
