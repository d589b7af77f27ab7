//! Opening sessions and deciding calls. Lists are answered by the same function as calls, so
//! that what is listed is exactly what can be called.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::{AgentId, Condition, Digest, Grant, RoleId, SessionId, TaskId, TenantId, Timestamp};

use crate::allowlist::{Allowlist, Entry};
use crate::condition::{Arguments, Met};
use crate::deny::Deny;
use crate::judge::{Facts, Frozen, Period, Principal, Purpose, Standpoint, judge};
use crate::permit::{Held, Judged, Permit};
use crate::snapshot::{Agent, Snapshot, Task, Tenant, Tool};

/// A session, as far as a decision depends on it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Its tenant, which is its credential's.
    pub tenant: TenantId,
    /// Its agent.
    pub agent: AgentId,
    /// The task that it declared.
    pub task: Option<TaskId>,
    /// When it ends by itself.
    pub ends: Timestamp,
    /// Whether somebody ended it.
    pub ended: bool,
    /// What it may ever call.
    pub allowlist: Allowlist,
}

/// A call: a tool by the name that the agent was shown, and the digest of the arguments.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The name under which the agent sees the tool.
    pub listed: String,
    /// The digest of the arguments as they will be sent.
    pub arguments: Digest,
    /// The conditions of the tool's cells that they satisfy.
    pub met: Met,
}

/// The answer to a call.
#[derive(Debug, Eq, PartialEq)]
#[must_use]
pub enum Verdict {
    /// It may go ahead.
    Allow(Permit),
    /// It may not.
    Deny(Deny),
    /// It may once a person has signed for it.
    Hold(Held),
}

/// A tool that a session may call now.
#[derive(Clone, Copy, Debug)]
pub struct Visible<'s> {
    /// The name under which the agent sees it.
    pub listed: &'s str,
    /// The tool.
    pub tool: &'s Tool,
    /// `allow` or `token`.
    pub grant: Grant,
}

/// What a session of this agent for this task may ever call: the tools that its roles grant, the
/// task lists, and the tenant has enabled. Without a task, nothing.
///
/// # Errors
///
/// When the tenant or the agent may not act, or the agent may not declare the task.
pub fn open(
    snapshot: &Snapshot,
    tenant: TenantId,
    agent: AgentId,
    task: Option<TaskId>,
) -> Result<Allowlist, Deny> {
    open_in(snapshot, tenant, agent, task, None)
}

/// As [`open`], for a caller that acts in no more than these of its agent's roles.
///
/// # Errors
///
/// As [`open`].
pub fn open_in(
    snapshot: &Snapshot,
    tenant: TenantId,
    agent: AgentId,
    task: Option<TaskId>,
    roles: Option<&BTreeSet<RoleId>>,
) -> Result<Allowlist, Deny> {
    let (tenant, agent) = principals(snapshot, tenant, agent)?;
    let Some(task) = task else { return Ok(Allowlist::default()) };
    let task = tenant.task(task).ok_or(Deny::TaskUnknown)?;
    if !agent.tasks.contains(&task.id) {
        return Err(Deny::TaskNotAssigned);
    }
    let prefixed = needs_prefix(tenant, task);
    let mut entries = BTreeMap::new();
    for tool in tenant.tools() {
        let grant = tenant.grant_in(agent, roles, tool.id);
        let usable = standpoint(tenant, Some(tool)) == Standpoint::Enabled;
        if usable && grant != Grant::Deny && tenant.task_lists(task, tool.id) {
            let Some(listed) = listed_name(tenant, tool, prefixed) else { continue };
            let cells = if tenant.has_conditions(tool.id) {
                let acting =
                    agent.roles.iter().filter(|it| roles.is_none_or(|all| all.contains(it)));
                acting.map(|role| tenant.guarded(*role, tool.id)).collect()
            } else {
                Vec::new()
            };
            let Tool { id, server, fingerprint, .. } = *tool;
            entries.insert(listed, Entry { tool: id, server, fingerprint, grant, cells });
        }
    }
    Ok(Allowlist::new(entries))
}

/// The conditions on which a call of this tool may depend: those of the cells now, and those of
/// when the session opened.
pub fn conditions<'s>(
    snapshot: &'s Snapshot,
    session: &'s Session,
    listed: &str,
) -> Vec<&'s Condition> {
    let Some(entry) = session.allowlist.get(listed) else { return Vec::new() };
    let now = snapshot.tenant(session.tenant).map(|tenant| tenant.conditions(entry.tool));
    let then = entry.cells.iter().filter_map(|cell| cell.condition.as_ref());
    now.into_iter().flatten().chain(then).collect()
}

/// May this session make this call, now?
pub fn decide(snapshot: &Snapshot, session: &Session, call: &Call, now: Timestamp) -> Verdict {
    let tenant = snapshot.tenant(session.tenant);
    let entry = session.allowlist.get(&call.listed);
    let tool = tenant.and_then(|tenant| match entry {
        Some(entry) => tenant.tool(entry.tool),
        None => find_unlisted(tenant, session, &call.listed),
    });
    let facts = gather(tenant, session, entry, tool, Arguments::Given(&call.met), now);
    match (judge(facts), session.task, tool) {
        (Ok(grant), Some(task), Some(tool)) => {
            let judged = Judged {
                tenant: session.tenant,
                agent: session.agent,
                session: session.id,
                task,
                server: tool.server,
                tool: tool.id,
                tool_name: tool.name.clone(),
                fingerprint: tool.fingerprint,
                arguments: call.arguments,
                policy_version: snapshot.version(),
            };
            match grant {
                Grant::Allow => Verdict::Allow(Permit::new(judged)),
                Grant::Token => Verdict::Hold(Held::new(judged)),
                Grant::Deny => Verdict::Deny(Deny::NotGranted),
            }
        }
        (Ok(_), None, _) => Verdict::Deny(Deny::TaskMissing),
        (Ok(_), Some(_), None) => Verdict::Deny(Deny::ToolUnknown),
        (Err(deny), _, _) => Verdict::Deny(deny),
    }
}

/// The tools that a session may call now, by the name under which the agent sees them.
pub fn visible<'s>(
    snapshot: &'s Snapshot,
    session: &'s Session,
    now: Timestamp,
) -> Vec<Visible<'s>> {
    let Some(tenant) = snapshot.tenant(session.tenant) else { return Vec::new() };
    let mut seen = Vec::with_capacity(session.allowlist.len());
    for (listed, entry) in session.allowlist.iter() {
        let Some(tool) = tenant.tool(entry.tool) else { continue };
        let facts = gather(Some(tenant), session, Some(entry), Some(tool), Arguments::Any, now);
        if let Ok(grant) = judge(facts) {
            seen.push(Visible { listed, tool, grant });
        }
    }
    seen
}

fn principals(
    snapshot: &Snapshot,
    tenant: TenantId,
    agent: AgentId,
) -> Result<(&Tenant, &Agent), Deny> {
    let tenant = snapshot.tenant(tenant).ok_or(Deny::TenantUnknown)?;
    match Principal::from(Some(tenant.standing)) {
        Principal::Active => {}
        Principal::Suspended => return Err(Deny::TenantSuspended),
        Principal::Unknown => return Err(Deny::TenantUnknown),
    }
    let agent = tenant.agent(agent).ok_or(Deny::AgentUnknown)?;
    match Principal::from(Some(agent.standing)) {
        Principal::Active => Ok((tenant, agent)),
        Principal::Suspended => Err(Deny::AgentSuspended),
        Principal::Unknown => Err(Deny::AgentUnknown),
    }
}

pub(crate) fn gather(
    tenant: Option<&Tenant>,
    session: &Session,
    entry: Option<&Entry>,
    tool: Option<&Tool>,
    arguments: Arguments<'_>,
    now: Timestamp,
) -> Facts {
    let agent = tenant.and_then(|tenant| tenant.agent(session.agent));
    let task = tenant.and_then(|tenant| tenant.task(session.task?));
    let granted = |arguments| match (tenant, agent, tool) {
        (Some(tenant), Some(agent), Some(tool)) => {
            tenant.grant_for(agent, None, tool.id, arguments)
        }
        (None, _, _) | (_, None, _) | (_, _, None) => Grant::Deny,
    };
    let frozen = |arguments| entry.map(|entry| entry.granted(arguments));
    Facts {
        tenant: tenant.map(|tenant| tenant.standing).into(),
        agent: agent.map(|agent| agent.standing).into(),
        session: match (session.ended, now < session.ends) {
            (true, _) => Period::Ended,
            (false, false) => Period::Expired,
            (false, true) => Period::Open,
        },
        task: match (session.task, task, agent) {
            (None, _, _) => Purpose::Missing,
            (Some(_), None, _) => Purpose::Unknown,
            (Some(_), Some(task), Some(agent)) if agent.tasks.contains(&task.id) => {
                Purpose::Assigned
            }
            (Some(_), Some(_), _) => Purpose::NotAssigned,
        },
        tool: tenant.map_or(Standpoint::Unknown, |tenant| standpoint(tenant, tool)),
        in_task: match (tenant, task, tool) {
            (Some(tenant), Some(task), Some(tool)) => tenant.task_lists(task, tool.id),
            (None, _, _) | (_, None, _) | (_, _, None) => false,
        },
        grant: granted(arguments),
        others_would_pass: match arguments {
            Arguments::Any => false,
            Arguments::Given(_) => {
                granted(Arguments::Any) != Grant::Deny
                    && frozen(Arguments::Any).is_some_and(|grant| grant != Grant::Deny)
            }
        },
        frozen: match (entry, tool) {
            (Some(entry), Some(tool)) if entry.fingerprint == tool.fingerprint => {
                Frozen::Listed(entry.granted(arguments))
            }
            (Some(_), Some(_)) => Frozen::Changed,
            (None, _) | (_, None) => Frozen::Absent,
        },
    }
}

fn standpoint(tenant: &Tenant, tool: Option<&Tool>) -> Standpoint {
    let Some(tool) = tool else { return Standpoint::Unknown };
    match tenant.server(tool.server) {
        Some(server) if !server.enabled => Standpoint::ServerDisabled,
        Some(_) if !tool.enabled => Standpoint::Disabled,
        Some(_) => Standpoint::Enabled,
        None => Standpoint::Unknown,
    }
}

/// The tool that the agent may have meant. Only the reason of the refusal depends on it.
fn find_unlisted<'t>(tenant: &'t Tenant, session: &Session, listed: &str) -> Option<&'t Tool> {
    let prefixed = session
        .task
        .and_then(|task| tenant.task(task))
        .is_some_and(|task| needs_prefix(tenant, task));
    tenant.tools().find(|tool| listed_name(tenant, tool, prefixed).as_deref() == Some(listed))
}

/// Names carry their server's name when the task's tools come from more than one server.
fn needs_prefix(tenant: &Tenant, task: &Task) -> bool {
    let listed = tenant.tools().filter(|tool| tenant.task_lists(task, tool.id));
    listed.map(|tool| tool.server).collect::<BTreeSet<_>>().len() > 1
}

fn listed_name(tenant: &Tenant, tool: &Tool, prefixed: bool) -> Option<String> {
    if prefixed {
        let server = tenant.server(tool.server)?;
        Some(format!("{}__{}", server.name, tool.name))
    } else {
        Some(tool.name.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests;
