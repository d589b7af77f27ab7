//! The matrix: roles, tools and what they grant.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::document::TenantDoc;
use cs_model::{Condition, Grant, Name, RoleId, TenantId, Timestamp, ToolId};
use cs_registry::grant::{self, Cell};
use cs_registry::role::{self, Role};
use cs_registry::{audit, server, session, tenant, tool};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::condition;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::names::{self, Names};
use crate::show;
use crate::view::matrix::{
    CellCaller, CellChange, CellCondition, CellView, ConditionView, Enforced, MatrixRole,
    MatrixServer, MatrixTask, MatrixTool, MatrixView,
};

/// How many cells one command may change.
const MOST_CELLS: usize = 100_000;

/// How many events the side panel shows.
const RECENT: u32 = 8;

/// Makes a role that grants nothing.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RoleCreate {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: Name,
}

impl Command for RoleCreate {
    const NAME: &'static str = "role_create";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let core = control.core()?;
        let id = RoleId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        tenant::find(edit.db(), self.tenant).await?;
        let role = Role { id, tenant: self.tenant, name: self.name, created: edit.at() };
        role::create(edit.db(), &role).await?;
        edit.enforce(&format!("created role `{}`", role.name)).await
    }
}

/// Removes a role with its cells. Agents that act in it no longer do.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RoleRemove {
    /// The tenant.
    pub tenant: TenantId,
    /// The role.
    pub role: RoleId,
}

impl Command for RoleRemove {
    const NAME: &'static str = "role_remove";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let document = core.document();
        let name = role_name(names::tenant(&document, self.tenant)?, self.role)?;
        role::remove(edit.db(), self.tenant, self.role).await?;
        edit.enforce(&format!("removed role `{name}`")).await
    }
}

/// The matrix of a tenant.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for Matrix {
    const NAME: &'static str = "matrix";
    const NEEDS: Permission = Permission::Look;
    type Answer = MatrixView;

    async fn run(self, control: &Control, _: &Caller) -> Result<MatrixView, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let mut db = core.registry.read().await?;
        let used = tool::list(&mut db, self.tenant).await?;
        let used: BTreeMap<ToolId, Timestamp> =
            used.into_iter().filter_map(|it| Some((it.id, it.last_used?))).collect();
        let drifted = drifted(&core, doc, &server::list(&mut db, self.tenant).await?);
        let tools = doc.tools.iter().map(|it| {
            let said = show::said(&it.definition);
            MatrixTool {
                id: it.id,
                server: it.server,
                kind: it.kind,
                name: it.name.to_string(),
                title: said.title,
                description: said.description,
                enabled: it.enabled,
                drifted: drifted.contains(&it.id),
                last_used: used.get(&it.id).copied(),
            }
        });
        let cell = |tool: ToolId| {
            doc.roles.iter().map(move |role| role.grants.get(&tool).copied().unwrap_or_default())
        };
        Ok(MatrixView {
            policy_version: document.version,
            roles: doc.roles.iter().map(|it| column(doc, it.id, &it.name)).collect(),
            servers: doc
                .servers
                .iter()
                .map(|it| MatrixServer {
                    id: it.id,
                    name: it.name.to_string(),
                    enabled: it.enabled,
                })
                .collect(),
            tools: tools.collect(),
            cells: doc.tools.iter().map(|it| cell(it.id).collect()).collect(),
            conditions: doc
                .roles
                .iter()
                .flat_map(|role| role.conditions.iter().map(|(tool, it)| (role.id, *tool, it)))
                .map(|(role, tool, it)| CellCondition { role, tool, condition: shown(it) })
                .collect(),
            tasks: doc
                .tasks
                .iter()
                .map(|it| MatrixTask {
                    id: it.id,
                    name: it.name.to_string(),
                    tools: it.tools.iter().copied().collect(),
                })
                .collect(),
        })
    }
}

pub(crate) fn shown(condition: &Condition) -> ConditionView {
    let Condition { schema, otherwise } = condition.clone();
    ConditionView { schema, otherwise }
}

fn column(doc: &TenantDoc, id: RoleId, name: &Name) -> MatrixRole {
    let agents = doc.agents.iter().filter(|agent| agent.roles.contains(&id)).count();
    MatrixRole { id, name: name.to_string(), agents: show::count(agents) }
}

/// The tools of which a server publishes another definition now, as far as is known.
pub(crate) fn drifted(
    core: &Core,
    doc: &TenantDoc,
    servers: &[server::Server],
) -> BTreeSet<ToolId> {
    let mut drifted = BTreeSet::new();
    for server in servers {
        let live = show::health(core, server).fingerprints;
        if live.is_empty() {
            continue;
        }
        let of_server = doc.tools.iter().filter(|tool| tool.server == server.id);
        drifted.extend(
            of_server
                .filter(|tool| {
                    live.get(&(tool.kind, tool.name.to_string())) != Some(&tool.fingerprint)
                })
                .map(|tool| tool.id),
        );
    }
    drifted
}

/// Changes cells of the matrix.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct MatrixSet {
    /// The tenant.
    pub tenant: TenantId,
    /// What is to be.
    pub changes: Vec<CellChange>,
    /// Refused when another version is in force by now.
    pub base_version: u64,
}

impl Command for MatrixSet {
    const NAME: &'static str = "matrix_set";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        if self.changes.len() > MOST_CELLS {
            let rule = format!("one command changes at most {MOST_CELLS} cells");
            return Err(ControlError::invalid("changes", rule));
        }
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let document = core.document();
        if document.version != self.base_version {
            return Err(ControlError::Stale {
                message: format!(
                    "version {} is in force by now and you were looking at version {}; look at \
                     the matrix again",
                    document.version, self.base_version
                ),
            });
        }
        let doc = names::tenant(&document, self.tenant)?;
        for CellChange { role, tool, grant, condition } in &self.changes {
            role_name(doc, *role)?;
            names::tool(doc, *tool)?;
            let condition = condition.as_ref();
            let condition = condition.map(|it| condition::read(&it.schema, it.otherwise, *grant));
            let condition = condition.transpose()?;
            let cell = Cell { role: *role, tool: *tool, grant: *grant, condition };
            grant::set(edit.db(), self.tenant, cell).await?;
        }
        edit.enforce(&summary(doc, &self.changes)?).await
    }
}

fn summary(doc: &TenantDoc, changes: &[CellChange]) -> Result<String, ControlError> {
    match changes {
        [CellChange { role, tool, grant, condition }] => {
            let (role, tool) = (role_name(doc, *role)?, names::tool(doc, *tool)?);
            let when =
                condition.as_ref().map(|it| format!(" on a condition, else {}", it.otherwise));
            Ok(format!("set `{role}` x `{}` to {grant}{}", tool.name, when.unwrap_or_default()))
        }
        many => Ok(format!("changed {} cells of the matrix of `{}`", many.len(), doc.name)),
    }
}

fn role_name(doc: &TenantDoc, id: RoleId) -> Result<&Name, ControlError> {
    let found = doc.roles.iter().find(|role| role.id == id);
    Ok(&found.ok_or(ControlError::NotFound { what: "role" })?.name)
}

/// The side panel of a cell.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct MatrixCell {
    /// The tenant.
    pub tenant: TenantId,
    /// The cell's column.
    pub role: RoleId,
    /// The cell's row.
    pub tool: ToolId,
}

impl Command for MatrixCell {
    const NAME: &'static str = "matrix_cell";
    const NEEDS: Permission = Permission::Look;
    type Answer = CellView;

    async fn run(self, control: &Control, _: &Caller) -> Result<CellView, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        role_name(doc, self.role)?;
        let tool = names::tool(doc, self.tool)?;
        let role = doc.roles.iter().find(|role| role.id == self.role);
        let grant = role.and_then(|it| it.grants.get(&self.tool)).copied().unwrap_or_default();
        let mut db = core.registry.read().await?;
        let names = Names::load(&mut db, &document).await?;
        let filter = audit::Filter {
            tenant: Some(self.tenant),
            tool: Some(self.tool),
            ..audit::Filter::default()
        };
        let recent = audit::page(&mut db, &filter, None, RECENT).await?;
        let recent = recent.iter().map(|entry| show::audit(entry, &names));
        let live = session::list(&mut db, self.tenant, true, core.now(), 10_000).await?;
        let in_role = |session: &session::Session| {
            let agent = doc.agents.iter().find(|agent| agent.id == session.new.agent);
            agent.is_some_and(|agent| agent.roles.contains(&self.role))
        };
        let mut cut: usize = 0;
        for session in live.iter().filter(|it| in_role(it)) {
            let allowlist: cs_policy::Allowlist = serde_json::from_str(&session.new.allowlist)
                .map_err(|source| ControlError::internal("read a session's allowlist", source))?;
            if allowlist.iter().any(|(_, entry)| entry.tool == self.tool) {
                cut = cut.saturating_add(1);
            }
        }
        Ok(CellView {
            grant,
            condition: role.and_then(|it| it.conditions.get(&self.tool)).map(shown),
            callers: callers(&core, doc, self.role, self.tool),
            tool: show::tool(&core, doc, tool, None),
            recent: recent.collect::<Result<_, _>>()?,
            live_sessions: show::count(cut),
        })
    }
}

fn callers(core: &Core, doc: &TenantDoc, role: RoleId, tool: ToolId) -> Vec<CellCaller> {
    let policy = std::sync::Arc::clone(&core.world.borrow().policy);
    let mut callers = Vec::new();
    for agent in doc.agents.iter().filter(|agent| agent.roles.contains(&role)) {
        for task in doc.tasks.iter().filter(|task| agent.tasks.contains(&task.id)) {
            let found = cs_policy::explain(&policy, doc.id, agent.id, Some(task.id), tool);
            if let Ok(grant @ (Grant::Allow | Grant::Token)) = found.verdict {
                callers.push(CellCaller {
                    agent: agent.id,
                    agent_name: agent.name.to_string(),
                    task: task.id,
                    task_name: task.name.to_string(),
                    grant,
                });
            }
        }
    }
    callers
}
