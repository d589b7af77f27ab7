//! Opening sessions and deciding calls. Lists are answered by the same function as calls, so
//! that what is listed is exactly what can be called.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::uri::is_interface;
use cs_model::{
    AgentId, Condition, Digest, Grant, Kind, Pass, RoleId, SessionId, TaskId, TenantId, Timestamp,
};

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

/// What is done with a thing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// Values for one of its arguments are asked for.
    Complete,
    /// A tool is called, a prompt is got, a resource is read.
    Use,
}

/// A call: a tool by the name that the agent was shown, and the digest of the arguments.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// What is called, as the agent says: a read is of a resource, whatever stands for it.
    pub kind: Kind,
    /// What is done with it.
    pub act: Act,
    /// The name under which the agent sees the tool, or the URI that it wants to read.
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
    let prefixed = Prefixed::of(tenant, task);
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
            let listed = tool.kind.marked(&listed);
            entries.insert(listed, Entry { tool: id, server, fingerprint, grant, cells });
        }
    }
    Ok(Allowlist::new(entries))
}

/// What a session knows under this name: for the URI of a read the resource itself where the
/// tenant has it, even if only to say no, and else what stands for it, the narrowest first.
pub fn meant<'s>(
    snapshot: &Snapshot,
    tenant: TenantId,
    allowlist: &'s Allowlist,
    kind: Kind,
    listed: &str,
) -> Vec<&'s Entry> {
    let exact = allowlist.get(kind, listed);
    let tenant = snapshot.tenant(tenant);
    match tenant.filter(|it| exact.is_none() && goes_by_template(it, kind, listed)) {
        None => exact.into_iter().collect(),
        Some(tenant) => {
            let all = allowlist.of_kind(Kind::Template).map(|(_, entry)| entry);
            let stands = |entry: &&Entry| {
                let template = tenant.tool(entry.tool).and_then(|it| it.template.as_ref());
                template.is_some_and(|it| it.matches(listed))
            };
            let mut found: Vec<_> = all.filter(stands).collect();
            found.sort_by_key(|entry| entry.grant);
            found
        }
    }
}

/// Whether templates may stand for what is not in an allowlist under its own name. No template
/// stands for a page that a server shows to people.
fn goes_by_template(tenant: &Tenant, kind: Kind, listed: &str) -> bool {
    kind == Kind::Resource && tenant.resource(listed).is_none() && !is_interface(listed)
}

/// The conditions on which a call of this tool may depend: those of the cells now, and those of
/// when the session opened.
pub fn conditions<'s>(
    snapshot: &'s Snapshot,
    session: &'s Session,
    kind: Kind,
    listed: &str,
) -> Vec<&'s Condition> {
    let tenant = snapshot.tenant(session.tenant);
    let mut all = Vec::new();
    for entry in meant(snapshot, session.tenant, &session.allowlist, kind, listed) {
        all.extend(tenant.into_iter().flat_map(|tenant| tenant.conditions(entry.tool)));
        all.extend(entry.cells.iter().filter_map(|cell| cell.condition.as_ref()));
    }
    all
}

/// May this session make this call, now?
pub fn decide(snapshot: &Snapshot, session: &Session, call: &Call, now: Timestamp) -> Verdict {
    let tenant = snapshot.tenant(session.tenant);
    let exact = session.allowlist.get(call.kind, &call.listed);
    let by_template =
        exact.is_none() && tenant.is_some_and(|it| goes_by_template(it, call.kind, &call.listed));
    let judged = if by_template {
        through_templates(snapshot, session, call, now)
    } else {
        let tool = tenant.and_then(|tenant| match exact {
            Some(entry) => tenant.tool(entry.tool).filter(|it| it.kind == call.kind),
            None => find_unlisted(tenant, session, call),
        });
        weigh(snapshot, session, call, exact, tool, now)
    };
    match judged {
        Ok((Grant::Allow, judged)) => Verdict::Allow(Permit::new(judged)),
        Ok((Grant::Token, judged)) => Verdict::Hold(Held::new(judged)),
        Ok((Grant::Deny, _)) => Verdict::Deny(Deny::NotGranted),
        Err(deny) => Verdict::Deny(deny),
    }
}

/// Judges the read of a URI that only templates stand for: by the narrowest of them. One that is
/// not allowed any more refuses it, and so does doubt about the server that is meant.
fn through_templates(
    snapshot: &Snapshot,
    session: &Session,
    call: &Call,
    now: Timestamp,
) -> Result<(Grant, Judged), Deny> {
    let tenant = snapshot.tenant(session.tenant);
    let found = meant(snapshot, session.tenant, &session.allowlist, call.kind, &call.listed);
    let mut narrowest: Option<(Grant, Judged)> = None;
    for entry in found {
        let tool = tenant.and_then(|tenant| tenant.tool(entry.tool));
        let (grant, judged) = weigh(snapshot, session, call, Some(entry), tool, now)?;
        if let Some((least, first)) = &narrowest {
            if first.server != judged.server {
                return Err(Deny::Ambiguous);
            }
            if *least <= grant {
                continue;
            }
        }
        narrowest = Some((grant, judged));
    }
    match narrowest {
        Some(narrowest) => Ok(narrowest),
        None => weigh(snapshot, session, call, None, None, now),
    }
}

/// Judges a call of one thing.
fn weigh(
    snapshot: &Snapshot,
    session: &Session,
    call: &Call,
    entry: Option<&Entry>,
    tool: Option<&Tool>,
    now: Timestamp,
) -> Result<(Grant, Judged), Deny> {
    let tenant = snapshot.tenant(session.tenant);
    let grant = judge(gather(tenant, session, entry, tool, Arguments::Given(&call.met), now))?;
    if call.act == Act::Complete && grant == Grant::Token {
        return Err(Deny::CompletionHeld);
    }
    let task = session.task.ok_or(Deny::TaskMissing)?;
    let tool = tool.ok_or(Deny::ToolUnknown)?;
    let agent = tenant.and_then(|tenant| tenant.agent(session.agent)).ok_or(Deny::AgentUnknown)?;
    let judged = Judged {
        tenant: session.tenant,
        agent: session.agent,
        session: session.id,
        task,
        server: tool.server,
        tool: tool.id,
        kind: tool.kind,
        act: call.act,
        tool_name: tool.name.clone(),
        fingerprint: tool.fingerprint,
        arguments: call.arguments,
        policy_version: snapshot.version(),
        signing: tool.signing.clone(),
        effects: tool.effects,
        responsible: agent.responsible,
    };
    Ok((grant, judged))
}

/// The tools that a session may call now, by the name under which the agent sees them.
pub fn visible<'s>(
    snapshot: &'s Snapshot,
    session: &'s Session,
    now: Timestamp,
) -> Vec<Visible<'s>> {
    let Some(tenant) = snapshot.tenant(session.tenant) else { return Vec::new() };
    let mut seen = Vec::with_capacity(session.allowlist.len());
    for (marked, entry) in session.allowlist.iter() {
        let (kind, listed) = Kind::unmarked(marked);
        let tool = tenant.tool(entry.tool).filter(|tool| tool.kind == kind);
        let Some(tool) = tool else { continue };
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
        (Some(tenant), Some(agent), Some(tool)) => tenant.grant_at(agent, None, tool, arguments),
        (None, _, _) | (_, None, _) | (_, _, None) => Grant::Deny,
    };
    let frozen = |arguments| entry.map(|entry| entry.granted(arguments));
    let grant = granted(arguments);
    // Whether others would is asked of arguments that something was denied for, and of no others.
    let is_denied = grant == Grant::Deny || frozen(arguments).is_none_or(|it| it == Grant::Deny);
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
            (Some(_), Some(task), Some(tool)) => task.lists(tool),
            (None, _, _) | (_, None, _) | (_, _, None) => false,
        },
        grant,
        others_would_pass: match arguments {
            Arguments::Any => false,
            Arguments::Given(_) => {
                is_denied
                    && granted(Arguments::Any) != Grant::Deny
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
        // What a server shows to people is not for agents, unless it is said that it passes; and
        // then each by its own name.
        Some(server)
            if !tool.kind.is_prefixed()
                && is_interface(tool.name.as_str())
                && !(tool.kind == Kind::Resource && server.passes.has(Pass::Ui)) =>
        {
            Standpoint::Disabled
        }
        Some(_) if !tool.enabled => Standpoint::Disabled,
        Some(_) => Standpoint::Enabled,
        None => Standpoint::Unknown,
    }
}

/// The tool that the agent may have meant. Only the reason of the refusal depends on it.
fn find_unlisted<'t>(tenant: &'t Tenant, session: &Session, call: &Call) -> Option<&'t Tool> {
    let task = session.task.and_then(|task| tenant.task(task));
    let prefixed = task.map(|task| Prefixed::of(tenant, task)).unwrap_or_default();
    let is_it = |tool: &&Tool| {
        let listed = || listed_name(tenant, tool, prefixed);
        tool.kind == call.kind && listed().as_deref() == Some(&call.listed)
    };
    match call.kind {
        Kind::Resource => tenant.resource(&call.listed),
        Kind::Prompt | Kind::Template | Kind::Tool => tenant.tools().find(is_it),
    }
}

/// Which names carry their server's name: those of tools when the task's tools come from more than
/// one server, and those of prompts when its prompts do.
#[derive(Clone, Copy, Debug, Default)]
struct Prefixed {
    prompts: bool,
    tools: bool,
}

impl Prefixed {
    fn of(tenant: &Tenant, task: &Task) -> Self {
        let several = |kind| {
            let listed = tenant.tools().filter(|tool| tool.kind == kind);
            let listed = listed.filter(|tool| tenant.task_lists(task, tool.id));
            listed.map(|tool| tool.server).collect::<BTreeSet<_>>().len() > 1
        };
        Self { prompts: several(Kind::Prompt), tools: several(Kind::Tool) }
    }

    const fn has(self, kind: Kind) -> bool {
        match kind {
            Kind::Prompt => self.prompts,
            Kind::Resource | Kind::Template => false,
            Kind::Tool => self.tools,
        }
    }
}

fn listed_name(tenant: &Tenant, tool: &Tool, prefixed: Prefixed) -> Option<String> {
    if prefixed.has(tool.kind) {
        let server = tenant.server(tool.server)?;
        Some(format!("{}__{}", server.name, tool.name))
    } else {
        Some(tool.name.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests;
