//! Why an agent may or may not call a tool for a task, for a person who asks.

use cs_model::{AgentId, Grant, Kind, RoleId, SessionId, TaskId, TenantId, Timestamp, ToolId};

use crate::condition::Arguments;
use crate::decide::{Session, gather, open};
use crate::deny::Deny;
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
}

impl Explanation {
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

/// What would become of a call of this tool by this agent, in a session for this task that opened
/// now. It is answered by the gates themselves, so it cannot disagree with
/// [`decide`](crate::decide).
pub fn explain(
    snapshot: &Snapshot,
    tenant: TenantId,
    agent: AgentId,
    task: Option<TaskId>,
    tool: ToolId,
) -> Explanation {
    let doc = snapshot.tenant(tenant);
    let cells = doc
        .and_then(|doc| Some((doc, doc.agent(agent)?)))
        .map(|(doc, agent)| {
            agent.roles.iter().map(|role| {
                let cell = doc.guarded(*role, tool);
                let otherwise = cell.condition.map(|condition| condition.otherwise);
                Cell { role: *role, grant: cell.grant, otherwise }
            })
        })
        .into_iter()
        .flatten()
        .collect();
    let allowlist = match open(snapshot, tenant, agent, task) {
        Ok(allowlist) => allowlist,
        Err(deny) => return Explanation { verdict: Err(deny), listed: None, cells },
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
    let entry = session.allowlist.iter().find(|(_, entry)| entry.tool == tool);
    let facts = gather(
        doc,
        &session,
        entry.map(|(_, entry)| entry),
        doc.and_then(|doc| doc.tool(tool)),
        Arguments::Any,
        Timestamp::from_millis(0),
    );
    let listed = entry.map(|(marked, _)| Kind::unmarked(marked).1.to_owned());
    Explanation { verdict: judge(facts), listed, cells }
}

#[cfg(test)]
mod tests;
