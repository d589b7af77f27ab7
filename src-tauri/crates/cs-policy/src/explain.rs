//! Why an agent may or may not call a tool for a task, for a person who asks.

use cs_model::{
    AgentId, Condition, Grant, Kind, RoleId, SessionId, TaskId, TenantId, Timestamp, ToolId,
};

use crate::condition::{Arguments, Met};
use crate::decide::{Session, gather, open};
use crate::deny::{Deny, Gate};
use crate::judge::judge;
use crate::snapshot::Snapshot;

/// What would become of a call in a session that opened now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// `allow` or `token`, or the gate that refuses.
    pub verdict: Result<Grant, Deny>,
    /// The name under which the agent would see the tool.
    pub listed: Option<String>,
    /// What each of the agent's roles says of the tool. The widest counts.
    pub cells: Vec<Cell>,
}

/// What one role says of one tool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cell {
    /// The role.
    pub role: RoleId,
    /// Its cell; `deny` where it has none.
    pub grant: Grant,
    /// What it grants to arguments that do not satisfy its condition, where it has one.
    pub otherwise: Option<Grant>,
    /// What it grants to the arguments that were asked about, or to the best there are.
    pub granted: Grant,
}

impl Explanation {
    /// The gate that refuses, where one does.
    pub fn gate(&self) -> Option<Gate> {
        self.verdict.err().map(Deny::gate)
    }

    /// One sentence for a person.
    pub const fn sentence(&self) -> &'static str {
        match self.verdict {
            Ok(Grant::Allow) => "The agent may call the tool without asking.",
            Ok(Grant::Token) => "Each call waits until a person countersigns it.",
            Ok(Grant::Deny) => Deny::NotGranted.sentence(),
            Err(deny) => deny.sentence(),
        }
    }
}

/// What would become of a call of this tool by this agent, with the best arguments there are, in a
/// session for this task that opened now. It is answered by the gates themselves, so it cannot
/// disagree with [`decide`](crate::decide).
pub fn explain(
    snapshot: &Snapshot,
    tenant: TenantId,
    agent: AgentId,
    task: Option<TaskId>,
    tool: ToolId,
) -> Explanation {
    explain_for(snapshot, tenant, agent, task, tool, None)
}

/// As [`explain`], for arguments that satisfy these conditions and no others.
pub fn explain_for(
    snapshot: &Snapshot,
    tenant: TenantId,
    agent: AgentId,
    task: Option<TaskId>,
    tool: ToolId,
    met: Option<&Met>,
) -> Explanation {
    let allowlist = match open(snapshot, tenant, agent, task) {
        Ok(allowlist) => allowlist,
        Err(deny) => {
            let cells = cells(snapshot, tenant, agent, tool, met);
            return Explanation { verdict: Err(deny), listed: None, cells };
        }
    };
    let session = Session {
        id: SessionId::from_random([0; 16]),
        tenant,
        agent,
        task,
        ends: Timestamp::from_millis(i64::MAX),
        ended: false,
        allowlist,
    };
    explain_in(snapshot, &session, tool, met, Timestamp::from_millis(0))
}

/// What would become of a call of this tool in this session, now: with the best arguments there
/// are, or with some that satisfy these conditions and no others.
pub fn explain_in(
    snapshot: &Snapshot,
    session: &Session,
    tool: ToolId,
    met: Option<&Met>,
    now: Timestamp,
) -> Explanation {
    let doc = snapshot.tenant(session.tenant);
    let entry = session.allowlist.iter().find(|(_, entry)| entry.tool == tool);
    let facts = gather(
        doc,
        session,
        entry.map(|(_, entry)| entry),
        doc.and_then(|doc| doc.tool(tool)),
        arguments(met),
        now,
    );
    Explanation {
        verdict: judge(facts),
        listed: entry.map(|(marked, _)| Kind::unmarked(marked).1.to_owned()),
        cells: cells(snapshot, session.tenant, session.agent, tool, met),
    }
}

/// The conditions on which calls of a tool may depend: those of the cells now, and those of when a
/// session opened.
pub fn conditions_of<'s>(
    snapshot: &'s Snapshot,
    tenant: TenantId,
    session: Option<&'s Session>,
    tool: ToolId,
) -> Vec<&'s Condition> {
    let now = snapshot.tenant(tenant).map(|tenant| tenant.conditions(tool));
    let then = session.into_iter().flat_map(|session| session.allowlist.iter());
    let then = then.filter(|(_, entry)| entry.tool == tool).flat_map(|(_, entry)| &entry.cells);
    now.into_iter().flatten().chain(then.filter_map(|cell| cell.condition.as_ref())).collect()
}

fn arguments(met: Option<&Met>) -> Arguments<'_> {
    met.map_or(Arguments::Any, Arguments::Given)
}

/// What each role of the agent says of the tool.
fn cells(
    snapshot: &Snapshot,
    tenant: TenantId,
    agent: AgentId,
    tool: ToolId,
    met: Option<&Met>,
) -> Vec<Cell> {
    let Some(doc) = snapshot.tenant(tenant) else { return Vec::new() };
    let Some(agent) = doc.agent(agent) else { return Vec::new() };
    let cell = |role: &RoleId| {
        let cell = doc.guarded(*role, tool);
        let granted = cell.grants(arguments(met));
        let otherwise = cell.condition.map(|condition| condition.otherwise);
        Cell { role: *role, grant: cell.grant, otherwise, granted }
    };
    agent.roles.iter().map(cell).collect()
}

#[cfg(test)]
mod tests;
