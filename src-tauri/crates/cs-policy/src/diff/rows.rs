//! Compares the rows of one tenant, kind by kind.

use std::collections::BTreeMap;

use cs_model::document::{
    AgentDoc, IssuerDoc, ProviderDoc, RoleDoc, ServerDoc, TaskDoc, TenantDoc, ToolDoc,
};
use cs_model::state::Standing;
use cs_model::{
    AgentId, Effects, Lifecycle, Passes, ProviderId, RoleId, ServerId, Signing, TaskId, ToolId,
};

use super::{Thing, What};

/// The rows of both sides by id, each beside its counterpart.
pub(super) fn pairs<'d, T, K: Ord>(
    old: &'d [T],
    new: &'d [T],
    id: impl Fn(&T) -> K,
) -> impl Iterator<Item = (Option<&'d T>, Option<&'d T>)> {
    let mut all: BTreeMap<K, (Option<&T>, Option<&T>)> = BTreeMap::new();
    for row in old {
        all.entry(id(row)).or_default().0 = Some(row);
    }
    for row in new {
        all.entry(id(row)).or_default().1 = Some(row);
    }
    all.into_values()
}

/// What differs in one tenant.
pub(super) fn tenant(old: Option<&TenantDoc>, new: Option<&TenantDoc>) -> Vec<What> {
    let thing = Thing::Tenant;
    let mut out = Vec::new();
    match (old, new) {
        (Some(old), Some(new)) => {
            if old.name != new.name {
                let (from, to) = (old.name.to_string(), new.name.to_string());
                out.push(What::Renamed { thing, from, to });
            }
            inside(old, new, &mut out);
        }
        (Some(old), None) => out.push(What::Removed { thing, name: old.name.to_string() }),
        (None, Some(new)) => {
            out.push(What::Added { thing, name: new.name.to_string() });
            inside(&blank_tenant(new), new, &mut out);
        }
        (None, None) => {}
    }
    out
}

fn inside(old: &TenantDoc, new: &TenantDoc, out: &mut Vec<What>) {
    if old.standing != new.standing {
        out.push(What::TenantStanding { standing: new.standing });
    }
    let sides = Sides { old, new };
    each(sides, &old.servers, &new.servers, out);
    each(sides, &old.tools, &new.tools, out);
    each(sides, &old.roles, &new.roles, out);
    each(sides, &old.tasks, &new.tasks, out);
    each(sides, &old.agents, &new.agents, out);
    each(sides, &old.providers, &new.providers, out);
    issuer(old.issuer, new.issuer, out);
    if old.lifecycle != new.lifecycle {
        out.push(What::Lifecycle { lifecycle: new.lifecycle });
    }
}

/// Says of the tenant's own issuer whether it issues, and how long its tokens live while it does.
fn issuer(old: Option<IssuerDoc>, new: Option<IssuerDoc>, out: &mut Vec<What>) {
    let issues = |doc: Option<IssuerDoc>| doc.is_some_and(|it| it.enabled);
    if issues(old) != issues(new) {
        out.push(What::IssuerEnabled { enabled: issues(new) });
    }
    if let Some(new) = new
        && old.is_none_or(|old| old.token_secs != new.token_secs)
    {
        out.push(What::IssuerTokens { secs: new.token_secs });
    }
}

fn blank_tenant(like: &TenantDoc) -> TenantDoc {
    TenantDoc {
        id: like.id,
        name: like.name.clone(),
        standing: Standing::Active,
        servers: Vec::new(),
        tools: Vec::new(),
        roles: Vec::new(),
        tasks: Vec::new(),
        agents: Vec::new(),
        providers: Vec::new(),
        issuer: None,
        lifecycle: Lifecycle::default(),
    }
}

/// One tenant in both versions.
#[derive(Clone, Copy)]
struct Sides<'d> {
    old: &'d TenantDoc,
    new: &'d TenantDoc,
}

impl Sides<'_> {
    /// What a tool is called now. Nothing for one that is gone: its removal says it all.
    fn tool(&self, id: ToolId) -> Option<String> {
        self.new.tools.iter().find(|tool| tool.id == id).map(|tool| tool.label(self.new))
    }

    fn role(&self, id: RoleId) -> Option<String> {
        self.new.roles.iter().find(|role| role.id == id).map(|role| role.name.to_string())
    }

    fn task(&self, id: TaskId) -> Option<String> {
        self.new.tasks.iter().find(|task| task.id == id).map(|task| task.name.to_string())
    }
}

/// A kind of row.
trait Row: Sized {
    const THING: Thing;
    type Id: Ord;

    fn id(&self) -> Self::Id;

    /// Its name as its tenant writes it.
    fn name(&self) -> &str;

    /// Its name for a person, inside its tenant.
    fn label(&self, _: &TenantDoc) -> String {
        self.name().to_owned()
    }

    /// The same row before anything was set in it.
    fn blank(&self) -> Self;

    /// What differs besides the name.
    fn compare(&self, new: &Self, sides: Sides<'_>, out: &mut Vec<What>);
}

fn each<R: Row>(sides: Sides<'_>, old: &[R], new: &[R], out: &mut Vec<What>) {
    let thing = R::THING;
    for pair in pairs(old, new, R::id) {
        match pair {
            (Some(old), Some(new)) => {
                if old.name() != new.name() {
                    let (from, to) = (old.label(sides.old), new.label(sides.new));
                    out.push(What::Renamed { thing, from, to });
                }
                old.compare(new, sides, out);
            }
            (Some(old), None) => out.push(What::Removed { thing, name: old.label(sides.old) }),
            (None, Some(new)) => {
                out.push(What::Added { thing, name: new.label(sides.new) });
                new.blank().compare(new, sides, out);
            }
            (None, None) => {}
        }
    }
}

impl Row for ServerDoc {
    const THING: Thing = Thing::Server;
    type Id = ServerId;

    fn id(&self) -> ServerId {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn blank(&self) -> Self {
        Self { enabled: false, passes: Passes::default(), ..self.clone() }
    }

    fn compare(&self, new: &Self, _: Sides<'_>, out: &mut Vec<What>) {
        let server = new.name.clone();
        if self.passes != new.passes {
            out.push(What::ServerPasses { server: server.clone(), passes: new.passes.clone() });
        }
        if self.enabled != new.enabled {
            out.push(What::ServerEnabled { server, enabled: new.enabled });
        }
    }
}

impl Row for ToolDoc {
    const THING: Thing = Thing::Tool;
    type Id = ToolId;

    fn id(&self) -> ToolId {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn label(&self, tenant: &TenantDoc) -> String {
        format!("{}/{}", server_name(tenant, self.server), self.kind.marked(self.name.as_str()))
    }

    fn blank(&self) -> Self {
        Self {
            enabled: false,
            scopes: [].into(),
            data_system: None,
            introspect: false,
            rate: None,
            signing: Signing::default(),
            effects: Effects::default(),
            ..self.clone()
        }
    }

    fn compare(&self, new: &Self, sides: Sides<'_>, out: &mut Vec<What>) {
        let tool = new.label(sides.new);
        if self.kind != new.kind {
            out.push(What::Renamed {
                thing: Thing::Tool,
                from: self.label(sides.old),
                to: tool.clone(),
            });
        }
        if self.scopes != new.scopes {
            let scopes = new.scopes.iter().cloned().collect();
            out.push(What::ToolScopes { tool: tool.clone(), scopes });
        }
        if self.data_system != new.data_system {
            let system = new.data_system.clone();
            out.push(What::ToolDataSystem { tool: tool.clone(), system });
        }
        if self.introspect != new.introspect {
            out.push(What::ToolIntrospect { tool: tool.clone(), introspect: new.introspect });
        }
        if self.rate != new.rate {
            out.push(What::ToolRate { tool: tool.clone(), rate: new.rate });
        }
        if self.signing != new.signing {
            out.push(What::ToolSigning { tool: tool.clone(), signing: new.signing.clone() });
        }
        if self.effects != new.effects {
            out.push(What::ToolEffects { tool: tool.clone(), effects: new.effects });
        }
        if self.server != new.server {
            let from = server_name(sides.old, self.server);
            out.push(What::ToolServer { tool: tool.clone(), from });
        }
        if (self.fingerprint, &self.definition) != (new.fingerprint, &new.definition) {
            out.push(What::ToolDefinition { tool: tool.clone() });
        }
        if self.enabled != new.enabled {
            out.push(What::ToolEnabled { tool, enabled: new.enabled });
        }
    }
}

fn server_name(tenant: &TenantDoc, id: ServerId) -> String {
    let found = tenant.servers.iter().find(|server| server.id == id);
    found.map_or_else(|| id.to_string(), |server| server.name.to_string())
}

impl Row for RoleDoc {
    const THING: Thing = Thing::Role;
    type Id = RoleId;

    fn id(&self) -> RoleId {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn blank(&self) -> Self {
        Self { grants: BTreeMap::new(), conditions: BTreeMap::new(), ..self.clone() }
    }

    fn compare(&self, new: &Self, sides: Sides<'_>, out: &mut Vec<What>) {
        for tool in &sides.new.tools {
            let cell = |role: &Self| role.grants.get(&tool.id).copied().unwrap_or_default();
            let (from, to) = (cell(self), cell(new));
            if from != to {
                let (role, tool) = (new.name.clone(), tool.label(sides.new));
                out.push(What::Grant { role, tool, from, to });
            }
            let (before, after) = (self.conditions.get(&tool.id), new.conditions.get(&tool.id));
            if before != after {
                out.push(What::Condition {
                    role: new.name.clone(),
                    tool: tool.label(sides.new),
                    schema: after.map(|it| it.schema.clone()),
                    otherwise: after.map(|it| it.otherwise).unwrap_or_default(),
                });
            }
        }
    }
}

impl Row for TaskDoc {
    const THING: Thing = Thing::Task;
    type Id = TaskId;

    fn id(&self) -> TaskId {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn blank(&self) -> Self {
        Self { tools: [].into(), ..self.clone() }
    }

    fn compare(&self, new: &Self, sides: Sides<'_>, out: &mut Vec<What>) {
        let task = &new.name;
        if (self.expected_secs, self.longest_secs) != (new.expected_secs, new.longest_secs) {
            out.push(What::TaskTimes {
                task: task.clone(),
                expected_secs: new.expected_secs,
                longest_secs: new.longest_secs,
            });
        }
        for id in self.tools.symmetric_difference(&new.tools) {
            if let Some(tool) = sides.tool(*id) {
                let listed = new.tools.contains(id);
                out.push(What::TaskTool { task: task.clone(), tool, listed });
            }
        }
    }
}

impl Row for AgentDoc {
    const THING: Thing = Thing::Agent;
    type Id = AgentId;

    fn id(&self) -> AgentId {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn blank(&self) -> Self {
        let (roles, tasks) = ([].into(), [].into());
        let standing = Standing::Active;
        let rate = None;
        let (most_waiting, responsible) = (None, None);
        Self { standing, roles, tasks, rate, most_waiting, responsible, ..self.clone() }
    }

    fn compare(&self, new: &Self, sides: Sides<'_>, out: &mut Vec<What>) {
        let agent = &new.name;
        if self.standing != new.standing {
            out.push(What::AgentStanding { agent: agent.clone(), standing: new.standing });
        }
        if self.rate != new.rate {
            out.push(What::AgentRate { agent: agent.clone(), rate: new.rate });
        }
        if self.most_waiting != new.most_waiting {
            out.push(What::AgentWaiting { agent: agent.clone(), most: new.most_waiting });
        }
        if self.responsible != new.responsible {
            let responsible = new.responsible;
            out.push(What::AgentResponsible { agent: agent.clone(), responsible });
        }
        for id in self.roles.symmetric_difference(&new.roles) {
            if let Some(role) = sides.role(*id) {
                let assigned = new.roles.contains(id);
                out.push(What::AgentRole { agent: agent.clone(), role, assigned });
            }
        }
        for id in self.tasks.symmetric_difference(&new.tasks) {
            if let Some(task) = sides.task(*id) {
                let assigned = new.tasks.contains(id);
                out.push(What::AgentTask { agent: agent.clone(), task, assigned });
            }
        }
    }
}

impl Row for ProviderDoc {
    const THING: Thing = Thing::Provider;
    type Id = ProviderId;

    fn id(&self) -> ProviderId {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn blank(&self) -> Self {
        Self { enabled: false, ..self.clone() }
    }

    fn compare(&self, new: &Self, _: Sides<'_>, out: &mut Vec<What>) {
        let provider = new.name.clone();
        if self.settings != new.settings {
            out.push(What::ProviderSettings { provider: provider.clone() });
        }
        if self.enabled != new.enabled {
            out.push(What::ProviderEnabled { provider, enabled: new.enabled });
        }
    }
}
