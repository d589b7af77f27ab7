//! Who may approve: the signing rules of tools, the groups of operators, and who answers for an
//! agent.

use std::collections::BTreeMap;

use cs_model::{AgentId, Document, Effects, Name, OperatorId, Signing, TenantId, ToolId};
use cs_registry::operator_group::{self, Group};
use cs_registry::{SqliteConnection, agent, operator, tool};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::commands::agent::one;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::operators;
use crate::secret_text::SecretText;
use crate::signing::check_group;
use crate::view::agent::AgentView;
use crate::view::matrix::Enforced;
use crate::view::signing::{OperatorGroupView, OperatorRef};

/// Says what a tool asks of whoever approves its calls.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ToolSetSigning {
    /// The tenant.
    pub tenant: TenantId,
    /// The tool.
    pub tool: ToolId,
    /// What it asks.
    pub signing: Signing,
    /// An owner's passphrase. Asking for less takes it, where no operator is at the console.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for ToolSetSigning {
    const NAME: &'static str = "tool_set_signing";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let caller = operators::owner_if_said(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        let found = tool::find(edit.db(), self.tenant, self.tool).await?;
        check_group(edit.db(), self.signing.group.as_ref())
            .await
            .map_err(|rule| ControlError::invalid("signing", rule))?;
        tool::set_signing(edit.db(), self.tenant, self.tool, &self.signing).await?;
        edit.enforce(&format!("set who approves calls of tool `{}`", found.name)).await
    }
}

/// Says what a tool can do that cannot be taken back.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ToolSetEffects {
    /// The tenant.
    pub tenant: TenantId,
    /// The tool.
    pub tool: ToolId,
    /// What it can do.
    pub effects: Effects,
    /// An owner's passphrase. Taking a mark away takes it, where no operator is at the console.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for ToolSetEffects {
    const NAME: &'static str = "tool_set_effects";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let caller = operators::owner_if_said(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        let found = tool::find(edit.db(), self.tenant, self.tool).await?;
        tool::set_effects(edit.db(), self.tenant, self.tool, self.effects).await?;
        edit.enforce(&format!("marked tool `{}` as {}", found.name, self.effects)).await
    }
}

/// Says which operator answers for an agent.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentSetResponsible {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// The operator; nobody, when absent.
    #[serde(default)]
    #[ts(optional)]
    pub operator: Option<OperatorId>,
    /// An owner's passphrase. Naming somebody else takes it, where no operator is at the console.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for AgentSetResponsible {
    const NAME: &'static str = "agent_set_responsible";
    const NEEDS: Permission = Permission::Edit;
    type Answer = AgentView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<AgentView, ControlError> {
        let caller = operators::owner_if_said(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        let found = agent::find(edit.db(), self.tenant, self.agent).await?;
        agent::set_responsible(edit.db(), self.tenant, self.agent, self.operator).await?;
        edit.enforce(&format!("said who answers for agent `{}`", found.name)).await?;
        one(&core, self.tenant, self.agent).await
    }
}

/// Every group of operators.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorGroupList {}

impl Command for OperatorGroupList {
    const NAME: &'static str = "operator_group_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<OperatorGroupView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Self::Answer, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        views(&core, &mut db).await
    }
}

/// Makes a group of operators, with nobody in it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorGroupCreate {
    /// Its name.
    pub name: Name,
    /// The passphrase of the owner who does it, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for OperatorGroupCreate {
    const NAME: &'static str = "operator_group_create";
    const NEEDS: Permission = Permission::Own;
    type Answer = OperatorGroupView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Self::Answer, ControlError> {
        let caller = operators::owner(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        let at = edit.at();
        operator_group::create(edit.db(), &self.name, at).await?;
        edit.say(None, format!("made operator group `{}`", self.name));
        edit.record().await?;
        named(&core, &self.name).await
    }
}

/// Removes a group that no tool asks for.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorGroupRemove {
    /// The group.
    pub group: Name,
    /// The passphrase of the owner who does it, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for OperatorGroupRemove {
    const NAME: &'static str = "operator_group_remove";
    const NEEDS: Permission = Permission::Own;
    type Answer = ();

    async fn run(self, control: &Control, caller: &Caller) -> Result<(), ControlError> {
        let caller = operators::owner(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        operator_group::remove(edit.db(), &self.group).await?;
        if let Some(tools) = asking(&core.document()).get(&self.group) {
            return Err(ControlError::conflict(format!(
                "nobody could approve calls of {} any more; let them ask for another group first",
                tools.join(", ")
            )));
        }
        edit.say(None, format!("removed operator group `{}`", self.group));
        edit.record().await
    }
}

/// Puts an operator into a group.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorGroupAdd {
    /// The group.
    pub group: Name,
    /// The operator.
    pub operator: OperatorId,
    /// The passphrase of the owner who does it, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for OperatorGroupAdd {
    const NAME: &'static str = "operator_group_add";
    const NEEDS: Permission = Permission::Own;
    type Answer = OperatorGroupView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Self::Answer, ControlError> {
        let caller = operators::owner(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        operator_group::add(edit.db(), &self.group, self.operator).await?;
        let who = operator::find(edit.db(), self.operator).await?.name;
        edit.say(None, format!("put operator `{who}` into group `{}`", self.group));
        edit.record().await?;
        named(&core, &self.group).await
    }
}

/// Takes an operator out of a group, whose signature counts for its tools no more.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorGroupDrop {
    /// The group.
    pub group: Name,
    /// The operator.
    pub operator: OperatorId,
    /// The passphrase of the owner who does it, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for OperatorGroupDrop {
    const NAME: &'static str = "operator_group_drop";
    const NEEDS: Permission = Permission::Own;
    type Answer = OperatorGroupView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Self::Answer, ControlError> {
        let caller = operators::owner(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        operator_group::take(edit.db(), &self.group, self.operator).await?;
        let who = operator::find(edit.db(), self.operator).await?.name;
        edit.say(None, format!("took operator `{who}` out of group `{}`", self.group));
        edit.record().await?;
        named(&core, &self.group).await
    }
}

/// The tools that ask for a group, by group.
fn asking(document: &Document) -> BTreeMap<Name, Vec<String>> {
    let mut asking: BTreeMap<Name, Vec<String>> = BTreeMap::new();
    for doc in &document.tenants {
        for tool in &doc.tools {
            let Some(group) = &tool.signing.group else { continue };
            let server = doc.servers.iter().find(|it| it.id == tool.server);
            let server = server.map(|it| it.name.to_string()).unwrap_or_default();
            let name = tool.kind.marked(tool.name.as_str());
            let line = format!("{}: {server}/{name}", doc.name);
            asking.entry(group.clone()).or_default().push(line);
        }
    }
    asking
}

async fn views(
    core: &Core,
    db: &mut SqliteConnection,
) -> Result<Vec<OperatorGroupView>, ControlError> {
    let mut asking = asking(&core.document());
    let operators = operator::list(&mut *db).await?;
    let groups = operator_group::list(db).await?;
    let view = |Group { name, members, created }| {
        let members = operators.iter().filter(|it| members.contains(&it.id));
        OperatorGroupView {
            members: members.map(|it| OperatorRef { id: it.id, name: it.name.clone() }).collect(),
            tools: asking.remove(&name).unwrap_or_default(),
            name: name.to_string(),
            created,
        }
    };
    Ok(groups.into_iter().map(view).collect())
}

async fn named(core: &Core, name: &Name) -> Result<OperatorGroupView, ControlError> {
    let mut db = core.registry.read().await?;
    let all = views(core, &mut db).await?;
    let found = all.into_iter().find(|it| it.name == name.as_str());
    found.ok_or(ControlError::NotFound { what: "operator group" })
}
