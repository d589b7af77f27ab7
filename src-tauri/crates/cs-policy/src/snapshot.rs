//! A policy version, compiled: every question of [`decide`](crate::decide) is one look-up.

mod rows;

use std::collections::{BTreeSet, HashMap};

use cs_model::document::{Document, TenantDoc};
use cs_model::state::Standing;
use cs_model::{
    AgentId, Condition, Digest, Effects, Grant, Kind, MostWaiting, Name, OperatorId, Passes, Rate,
    RoleId, ServerId, Signing, TaskId, TenantId, ToolId, ToolName, UriTemplate,
};

use self::rows::{cells, resources, tools};
use crate::condition::{Arguments, Guarded, grants};

/// A compiled policy version. The default one denies everything.
#[derive(Debug, Default)]
pub struct Snapshot {
    version: u64,
    tenants: HashMap<TenantId, Tenant>,
    names: HashMap<Name, TenantId>,
}

/// One tenant of a snapshot.
#[derive(Debug)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: Name,
    /// Whether its agents may act.
    pub standing: Standing,
    servers: HashMap<ServerId, Server>,
    tools: Vec<Tool>,
    tool_index: HashMap<ToolId, usize>,
    resources: HashMap<String, usize>,
    roles: HashMap<RoleId, Vec<Grant>>,
    conditions: HashMap<ToolId, Vec<(RoleId, Digest, Condition)>>,
    role_names: HashMap<String, RoleId>,
    tasks: HashMap<TaskId, Task>,
    task_names: HashMap<Name, TaskId>,
    agents: HashMap<AgentId, Agent>,
}

/// One upstream server.
#[derive(Debug)]
pub struct Server {
    /// Its id.
    pub id: ServerId,
    /// Its name.
    pub name: Name,
    /// Whether it may be called at all.
    pub enabled: bool,
    /// What may pass between it and the people and models behind an agent.
    pub passes: Passes,
}

/// One tool, resource, resource template or prompt.
#[derive(Debug)]
pub struct Tool {
    /// Its id.
    pub id: ToolId,
    /// The server that has it.
    pub server: ServerId,
    /// Its kind.
    pub kind: Kind,
    /// Its name at that server.
    pub name: ToolName,
    /// The digest of its pinned definition.
    pub fingerprint: Digest,
    /// The pinned definition, as JSON.
    pub definition: String,
    /// The scopes that an access token needs to call it.
    pub scopes: BTreeSet<String>,
    /// Whether the provider of an access token is asked about it on each call.
    pub introspect: bool,
    /// How often each agent may call it.
    pub rate: Option<Rate>,
    /// What it asks of whoever approves its calls, where they need that.
    pub signing: Signing,
    /// What it can do that cannot be taken back, as an administrator says.
    pub effects: Effects,
    /// Whether it may be called at all.
    pub enabled: bool,
    /// What a template stands for, where URIs can be held against it.
    pub(crate) template: Option<UriTemplate>,
    /// Its place among the tools of its tenant.
    place: usize,
}

/// One task.
#[derive(Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: Name,
    /// How long a run usually takes, in seconds.
    pub expected_secs: u32,
    /// How long a session for it may last, in seconds.
    pub longest_secs: u32,
    tools: Vec<bool>,
}

/// One agent.
#[derive(Debug)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: Name,
    /// Whether it may act.
    pub standing: Standing,
    /// The roles it acts in.
    pub roles: BTreeSet<RoleId>,
    /// The tasks it may declare.
    pub tasks: BTreeSet<TaskId>,
    /// How often it may call any tool.
    pub rate: Option<Rate>,
    /// How many of its calls may wait for people at a time; the usual number when absent.
    pub most_waiting: Option<MostWaiting>,
    /// The operator who answers for it.
    pub responsible: Option<OperatorId>,
}

/// A document that means nothing: enforcing it would be a guess.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CompileError {
    /// Two things of one kind share an id or a name.
    #[error("two {what} of tenant `{tenant}` share an id or a name")]
    Duplicate {
        /// The kind, in the plural.
        what: &'static str,
        /// The tenant's name.
        tenant: Name,
    },
    /// Something refers to what the tenant does not have.
    #[error("{from} `{name}` of tenant `{tenant}` refers to {to} that the tenant does not have")]
    Dangling {
        /// The kind that refers.
        from: &'static str,
        /// The name of what refers.
        name: String,
        /// The kind that is referred to.
        to: &'static str,
        /// The tenant's name.
        tenant: Name,
    },
    /// A condition stands where nothing is granted, or grants no less to those who do not meet it.
    #[error("a condition of role `{role}` of tenant `{tenant}` leaves nothing to be met")]
    Condition {
        /// The role's name.
        role: Name,
        /// The tenant's name.
        tenant: Name,
    },
    /// A thing has a name that none of its kind has.
    #[error("a {kind} of tenant `{tenant}` has a name that no {kind} has")]
    Form {
        /// Its kind.
        kind: Kind,
        /// The tenant's name.
        tenant: Name,
    },
    /// Two servers are to be asked for one URI: whoever came second would stand in for the other.
    #[error("two enabled {kind}s of tenant `{tenant}` are both `{name}`; enable one of them")]
    Shadow {
        /// The kind.
        kind: Kind,
        /// The URI or the template.
        name: String,
        /// The tenant's name.
        tenant: Name,
    },
    /// Two tenants share an id or a name.
    #[error("two tenants share an id or a name")]
    DuplicateTenant,
}

impl Task {
    /// Whether it lists a tool of its tenant.
    pub(crate) fn lists(&self, tool: &Tool) -> bool {
        self.tools.get(tool.place).copied().unwrap_or(false)
    }
}

impl Snapshot {
    /// Compiles a policy version.
    ///
    /// # Errors
    ///
    /// When ids or names clash or a reference leads nowhere.
    pub fn compile(document: &Document) -> Result<Self, CompileError> {
        let mut snapshot = Self { version: document.version, ..Self::default() };
        for doc in &document.tenants {
            let tenant = Tenant::compile(doc)?;
            if snapshot.names.insert(tenant.name.clone(), tenant.id).is_some()
                || snapshot.tenants.insert(tenant.id, tenant).is_some()
            {
                return Err(CompileError::DuplicateTenant);
            }
        }
        Ok(snapshot)
    }

    /// The number of the policy version.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// A tenant by its id.
    pub fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    /// A tenant by the name that stands in an address.
    pub fn tenant_named(&self, name: &str) -> Option<&Tenant> {
        let name = Name::parse(name).ok()?;
        self.names.get(&name).and_then(|id| self.tenants.get(id))
    }
}

impl Tenant {
    fn compile(doc: &TenantDoc) -> Result<Self, CompileError> {
        let tenant = &doc.name;
        let duplicate = |what| CompileError::Duplicate { what, tenant: tenant.clone() };
        let dangling = |from, name: &str, to| CompileError::Dangling {
            from,
            name: name.to_owned(),
            to,
            tenant: tenant.clone(),
        };

        let mut servers = HashMap::new();
        let mut server_names = BTreeSet::new();
        for server in &doc.servers {
            let compiled = Server {
                id: server.id,
                name: server.name.clone(),
                enabled: server.enabled,
                passes: server.passes.clone(),
            };
            if !server_names.insert(&server.name) || servers.insert(server.id, compiled).is_some() {
                return Err(duplicate("servers"));
            }
        }

        let (tools, tool_index) = tools(doc, |id| servers.contains_key(id))?;
        let resources = resources(tenant, &tools)?;

        let mut roles = HashMap::new();
        let mut role_names = HashMap::new();
        let mut conditions: HashMap<_, Vec<_>> = HashMap::new();
        for role in &doc.roles {
            let cells = cells(&role.grants, &tool_index, tools.len())
                .ok_or_else(|| dangling("role", role.name.as_str(), "a tool"))?;
            if role_names.insert(role.name.to_string(), role.id).is_some()
                || roles.insert(role.id, cells).is_some()
            {
                return Err(duplicate("roles"));
            }
            for (tool, condition) in &role.conditions {
                let cell = role.grants.get(tool).copied().unwrap_or_default();
                if condition.otherwise >= cell {
                    let (role, tenant) = (role.name.clone(), tenant.clone());
                    return Err(CompileError::Condition { role, tenant });
                }
                let known = (role.id, condition.digest(), condition.clone());
                conditions.entry(*tool).or_default().push(known);
            }
        }

        let mut tasks = HashMap::new();
        let mut task_names = HashMap::new();
        for task in &doc.tasks {
            let mut listed = vec![false; tools.len()];
            for tool in &task.tools {
                *tool_index
                    .get(tool)
                    .and_then(|at| listed.get_mut(*at))
                    .ok_or_else(|| dangling("task", task.name.as_str(), "a tool"))? = true;
            }
            let compiled = Task {
                id: task.id,
                name: task.name.clone(),
                expected_secs: task.expected_secs,
                longest_secs: task.longest_secs,
                tools: listed,
            };
            if task_names.insert(task.name.clone(), task.id).is_some()
                || tasks.insert(task.id, compiled).is_some()
            {
                return Err(duplicate("tasks"));
            }
        }

        let mut agents = HashMap::new();
        let mut agent_names = BTreeSet::new();
        for agent in &doc.agents {
            if !agent.roles.iter().all(|role| roles.contains_key(role)) {
                return Err(dangling("agent", agent.name.as_str(), "a role"));
            }
            if !agent.tasks.iter().all(|task| tasks.contains_key(task)) {
                return Err(dangling("agent", agent.name.as_str(), "a task"));
            }
            let compiled = Agent {
                id: agent.id,
                name: agent.name.clone(),
                standing: agent.standing,
                roles: agent.roles.clone(),
                tasks: agent.tasks.clone(),
                rate: agent.rate,
                most_waiting: agent.most_waiting,
                responsible: agent.responsible,
            };
            if !agent_names.insert(&agent.name) || agents.insert(agent.id, compiled).is_some() {
                return Err(duplicate("agents"));
            }
        }

        Ok(Self {
            id: doc.id,
            name: doc.name.clone(),
            standing: doc.standing,
            servers,
            tools,
            tool_index,
            resources,
            roles,
            conditions,
            role_names,
            tasks,
            task_names,
            agents,
        })
    }

    /// An agent by its id.
    pub fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(&id)
    }

    /// A task by its id.
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(&id)
    }

    /// A task by the name that an agent declares.
    pub fn task_named(&self, name: &str) -> Option<&Task> {
        let name = Name::parse(name).ok()?;
        self.task_names.get(&name).and_then(|id| self.tasks.get(id))
    }

    /// A server by its id.
    pub fn server(&self, id: ServerId) -> Option<&Server> {
        self.servers.get(&id)
    }

    /// A tool by its id.
    pub fn tool(&self, id: ToolId) -> Option<&Tool> {
        self.tool_index.get(&id).and_then(|at| self.tools.get(*at))
    }

    /// The resource that the tenant has under a URI: the one that is enabled, if one is.
    pub fn resource(&self, uri: &str) -> Option<&Tool> {
        self.resources.get(uri).and_then(|at| self.tools.get(*at))
    }

    /// Every tool, in the order of the document.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.tools.iter()
    }

    /// Whether a task lists a tool.
    pub fn task_lists(&self, task: &Task, tool: ToolId) -> bool {
        self.tool(tool).is_some_and(|tool| task.lists(tool))
    }

    /// What an agent's roles grant it for a tool: the widest of their cells, and nothing where no
    /// cell is. Where a cell has a condition, what it grants to the best arguments.
    pub fn grant(&self, agent: &Agent, tool: ToolId) -> Grant {
        self.grant_in(agent, None, tool)
    }

    /// As [`Tenant::grant`], by no more than these of the agent's roles.
    pub fn grant_in(&self, agent: &Agent, only: Option<&BTreeSet<RoleId>>, tool: ToolId) -> Grant {
        self.grant_for(agent, only, tool, Arguments::Any)
    }

    /// As [`Tenant::grant_in`], for these arguments.
    pub(crate) fn grant_for(
        &self,
        agent: &Agent,
        only: Option<&BTreeSet<RoleId>>,
        tool: ToolId,
        arguments: Arguments<'_>,
    ) -> Grant {
        self.tool(tool).map_or(Grant::Deny, |tool| self.grant_at(agent, only, tool, arguments))
    }

    /// The same for a tool of this tenant that was looked up already.
    pub(crate) fn grant_at(
        &self,
        agent: &Agent,
        only: Option<&BTreeSet<RoleId>>,
        tool: &Tool,
        arguments: Arguments<'_>,
    ) -> Grant {
        let roles = agent.roles.iter().filter(|role| only.is_none_or(|only| only.contains(role)));
        let cell = |role| self.roles.get(role).and_then(|cells| cells.get(tool.place)).copied();
        if !self.has_conditions(tool.id) {
            return roles.filter_map(cell).max().unwrap_or_default();
        }
        let tool = tool.id;
        let granted = |role: &RoleId| match (self.cell(*role, tool), self.condition(*role, tool)) {
            (grant, None) => grant,
            (grant, Some((digest, condition))) => grants(grant, digest, condition, arguments),
        };
        roles.map(granted).max().unwrap_or_default()
    }

    fn condition(&self, role: RoleId, tool: ToolId) -> Option<(Digest, &Condition)> {
        let of_tool = self.conditions.get(&tool).into_iter().flatten();
        let mut found = of_tool.filter(|(it, _, _)| *it == role);
        found.next().map(|(_, digest, condition)| (*digest, condition))
    }

    /// What one role grants for a tool, with its condition.
    pub fn guarded(&self, role: RoleId, tool: ToolId) -> Guarded {
        let condition = self.condition(role, tool).map(|(_, condition)| condition.clone());
        Guarded { grant: self.cell(role, tool), condition }
    }

    /// Whether any cell has a condition for a tool.
    pub(crate) fn has_conditions(&self, tool: ToolId) -> bool {
        self.conditions.contains_key(&tool)
    }

    /// The conditions that cells have for a tool.
    pub(crate) fn conditions(&self, tool: ToolId) -> impl Iterator<Item = &Condition> {
        self.conditions.get(&tool).into_iter().flatten().map(|(_, _, condition)| condition)
    }

    /// The scopes that an agent's calls for these tasks can need: those of the enabled tools that
    /// its roles grant it and that one of the tasks lists.
    pub fn scopes(&self, agent: &Agent, tasks: &BTreeSet<TaskId>) -> BTreeSet<&str> {
        let tasks: Vec<_> = tasks.iter().filter_map(|id| self.tasks.get(id)).collect();
        let listed = |tool: &&Tool| tasks.iter().any(|task| self.task_lists(task, tool.id));
        let served = |tool: &&Tool| self.servers.get(&tool.server).is_some_and(|it| it.enabled);
        let usable = self.tools.iter().filter(|tool| tool.enabled).filter(served).filter(listed);
        let granted = usable.filter(|tool| self.grant(agent, tool.id) != Grant::Deny);
        granted.flat_map(|tool| &tool.scopes).map(String::as_str).collect()
    }

    /// A role by its name.
    pub fn role_named(&self, name: &str) -> Option<RoleId> {
        self.role_names.get(name).copied()
    }

    /// What one role grants for a tool; nothing where no cell is.
    pub fn cell(&self, role: RoleId, tool: ToolId) -> Grant {
        let Some(at) = self.tool_index.get(&tool) else { return Grant::Deny };
        self.roles.get(&role).and_then(|cells| cells.get(*at)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
