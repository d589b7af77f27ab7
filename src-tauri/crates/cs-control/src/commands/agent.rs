//! Agents.

use cs_model::document::TenantDoc;
use cs_model::state::{SessionEnd, Standing};
use cs_model::{AgentId, Name, Rate, RoleId, TaskId, TenantId};
use cs_registry::agent::{self, Agent};
use cs_registry::{credential, operator, session, tenant};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::over::Over;
use crate::view::agent::AgentView;
use crate::view::matrix::Enforced;
use crate::view::signing::OperatorRef;
use crate::view::task::{RoleRef, TaskRef};
use crate::{names, show};

/// A tenant's agents.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentList {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for AgentList {
    const NAME: &'static str = "agent_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<AgentView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<AgentView>, ControlError> {
        views(&*control.core()?, self.tenant).await
    }
}

/// Makes an agent.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentCreate {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: Name,
    /// The roles it acts in.
    pub roles: Vec<RoleId>,
    /// The tasks it may declare.
    pub tasks: Vec<TaskId>,
}

impl Command for AgentCreate {
    const NAME: &'static str = "agent_create";
    const NEEDS: Permission = Permission::Edit;
    type Answer = AgentView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AgentView, ControlError> {
        let core = control.core()?;
        let id = AgentId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        tenant::find(edit.db(), self.tenant).await?;
        let agent = Agent {
            id,
            tenant: self.tenant,
            name: self.name,
            standing: Standing::Active,
            roles: self.roles.into_iter().collect(),
            tasks: self.tasks.into_iter().collect(),
            rate: None,
            most_waiting: None,
            responsible: None,
            created: edit.at(),
        };
        agent::create(edit.db(), &agent).await?;
        edit.enforce(&format!("created agent `{}`", agent.name)).await?;
        one(&core, self.tenant, id).await
    }
}

/// Gives an agent other roles and tasks.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentUpdate {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// The roles it acts in.
    pub roles: Vec<RoleId>,
    /// The tasks it may declare.
    pub tasks: Vec<TaskId>,
}

impl Command for AgentUpdate {
    const NAME: &'static str = "agent_update";
    const NEEDS: Permission = Permission::Edit;
    type Answer = AgentView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AgentView, ControlError> {
        let core = control.core()?;
        let (roles, tasks) = (self.roles.into_iter().collect(), self.tasks.into_iter().collect());
        let mut edit = core.edit(caller).await?;
        let found = agent::find(edit.db(), self.tenant, self.agent).await?;
        agent::assign(edit.db(), self.tenant, self.agent, &roles, &tasks).await?;
        edit.enforce(&format!("changed agent `{}`", found.name)).await?;
        one(&core, self.tenant, self.agent).await
    }
}

/// Says how often an agent may call any tool.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentSetRate {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// How often; as often as it likes when absent.
    #[serde(default)]
    #[ts(optional)]
    pub rate: Option<Rate>,
}

impl Command for AgentSetRate {
    const NAME: &'static str = "agent_set_rate";
    const NEEDS: Permission = Permission::Edit;
    type Answer = AgentView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AgentView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = agent::find(edit.db(), self.tenant, self.agent).await?;
        agent::set_rate(edit.db(), self.tenant, self.agent, self.rate).await?;
        edit.enforce(&format!("set how often agent `{}` may call", found.name)).await?;
        one(&core, self.tenant, self.agent).await
    }
}

/// Lets an agent act, or not.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentSetStanding {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// Whether it may act.
    pub standing: Standing,
}

impl Command for AgentSetStanding {
    const NAME: &'static str = "agent_set_standing";
    const NEEDS: Permission = Permission::Edit;
    type Answer = AgentView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AgentView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = agent::find(edit.db(), self.tenant, self.agent).await?;
        agent::set_standing(edit.db(), self.tenant, self.agent, self.standing).await?;
        let summary = match self.standing {
            Standing::Active => format!("let agent `{}` act again", found.name),
            Standing::Suspended => format!("suspended agent `{}`", found.name),
        };
        edit.enforce(&summary).await?;
        one(&core, self.tenant, self.agent).await
    }
}

/// Removes an agent with its credentials, and ends its sessions. Its past stays readable.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentRemove {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
}

impl Command for AgentRemove {
    const NAME: &'static str = "agent_remove";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let (at, why) = (edit.at(), SessionEnd::Credential);
        let found = agent::find(edit.db(), self.tenant, self.agent).await?;
        let ended = session::end_of_agent(edit.db(), self.tenant, self.agent, why, at).await?;
        let over = Over::of(&mut edit, self.tenant, ended, why).await?;
        agent::remove(edit.db(), self.tenant, self.agent).await?;
        let enforced = edit.enforce(&format!("removed agent `{}`", found.name)).await?;
        over.take_effect(&core).await;
        Ok(enforced)
    }
}

pub(crate) async fn one(
    core: &Core,
    tenant: TenantId,
    id: AgentId,
) -> Result<AgentView, ControlError> {
    let all = views(core, tenant).await?;
    all.into_iter().find(|it| it.id == id).ok_or(ControlError::NotFound { what: "agent" })
}

async fn views(core: &Core, tenant: TenantId) -> Result<Vec<AgentView>, ControlError> {
    let document = core.document();
    let doc = names::tenant(&document, tenant)?;
    let now = core.now();
    let mut db = core.registry.read().await?;
    let credentials = credential::list(&mut db, tenant).await?;
    let live = session::list(&mut db, tenant, true, now, 10_000).await?;
    let agents = agent::list(&mut db, tenant).await?;
    let operators = operator::list(&mut db).await?;
    let responsible = |id| {
        let found = operators.iter().find(|it| it.id == id)?;
        Some(OperatorRef { id, name: found.name.clone() })
    };
    let view = |agent: Agent| {
        let own = || credentials.iter().filter(|it| it.agent == agent.id);
        AgentView {
            id: agent.id,
            name: agent.name.to_string(),
            standing: agent.standing,
            roles: roles(doc, &agent),
            tasks: tasks(doc, &agent),
            rate: agent.rate,
            most_waiting: agent.most_waiting,
            responsible: agent.responsible.and_then(&responsible),
            credentials: own().map(|it| show::credential(doc, it, now)).collect(),
            last_seen: own().filter_map(|it| it.last_used).max(),
            live_sessions: show::count(live.iter().filter(|it| it.new.agent == agent.id).count()),
            created: agent.created,
        }
    };
    Ok(agents.into_iter().map(view).collect())
}

fn roles(doc: &TenantDoc, agent: &Agent) -> Vec<RoleRef> {
    let own = doc.roles.iter().filter(|role| agent.roles.contains(&role.id));
    own.map(|role| RoleRef { id: role.id, name: role.name.to_string() }).collect()
}

fn tasks(doc: &TenantDoc, agent: &Agent) -> Vec<TaskRef> {
    let own = doc.tasks.iter().filter(|task| agent.tasks.contains(&task.id));
    own.map(|task| TaskRef { id: task.id, name: task.name.to_string() }).collect()
}
