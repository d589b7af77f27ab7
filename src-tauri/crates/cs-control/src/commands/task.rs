//! Tasks: declared purposes with their own tool lists.

use std::collections::BTreeSet;

use cs_model::document::TaskDoc;
use cs_model::{Name, TaskId, TenantId, ToolId};
use cs_registry::task::{self, Task};
use cs_registry::{session, tenant};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::view::matrix::Enforced;
use crate::view::task::{AgentRef, TaskView};
use crate::{names, show};

/// The longest session that a task may ask for: the gateway allows no longer ones.
const LONGEST: u32 = 60 * 60;

/// A tenant's tasks.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TaskList {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for TaskList {
    const NAME: &'static str = "task_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<TaskView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<TaskView>, ControlError> {
        views(&*control.core()?, self.tenant).await
    }
}

/// Makes a task.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TaskCreate {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: Name,
    /// The tools that it needs.
    pub tools: Vec<ToolId>,
    /// How long a run usually takes, in seconds.
    pub expected_secs: u32,
    /// How long a session for it may last, in seconds.
    pub longest_secs: u32,
}

impl Command for TaskCreate {
    const NAME: &'static str = "task_create";
    const NEEDS: Permission = Permission::Edit;
    type Answer = TaskView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<TaskView, ControlError> {
        check_times(self.expected_secs, self.longest_secs)?;
        let core = control.core()?;
        let id = TaskId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        tenant::find(edit.db(), self.tenant).await?;
        let task = Task {
            id,
            tenant: self.tenant,
            name: self.name,
            tools: self.tools.into_iter().collect(),
            expected_secs: self.expected_secs,
            longest_secs: self.longest_secs,
            created: edit.at(),
        };
        task::create(edit.db(), &task).await?;
        edit.enforce(&format!("created task `{}`", task.name)).await?;
        one(&core, self.tenant, id).await
    }
}

/// Gives a task other tools and times.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TaskUpdate {
    /// The tenant.
    pub tenant: TenantId,
    /// The task.
    pub task: TaskId,
    /// The tools that it needs.
    pub tools: Vec<ToolId>,
    /// How long a run usually takes, in seconds.
    pub expected_secs: u32,
    /// How long a session for it may last, in seconds.
    pub longest_secs: u32,
}

impl Command for TaskUpdate {
    const NAME: &'static str = "task_update";
    const NEEDS: Permission = Permission::Edit;
    type Answer = TaskView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<TaskView, ControlError> {
        check_times(self.expected_secs, self.longest_secs)?;
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let mut task = task::find(edit.db(), self.tenant, self.task).await?;
        task.tools = self.tools.into_iter().collect::<BTreeSet<_>>();
        (task.expected_secs, task.longest_secs) = (self.expected_secs, self.longest_secs);
        task::update(edit.db(), &task).await?;
        edit.enforce(&format!("changed task `{}`", task.name)).await?;
        one(&core, self.tenant, self.task).await
    }
}

/// Removes a task. Its live sessions may call nothing from then on.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TaskRemove {
    /// The tenant.
    pub tenant: TenantId,
    /// The task.
    pub task: TaskId,
}

impl Command for TaskRemove {
    const NAME: &'static str = "task_remove";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = task::find(edit.db(), self.tenant, self.task).await?;
        task::remove(edit.db(), self.tenant, self.task).await?;
        edit.enforce(&format!("removed task `{}`", found.name)).await
    }
}

pub(crate) fn check_times(expected_secs: u32, longest_secs: u32) -> Result<(), ControlError> {
    if !(1..=LONGEST).contains(&longest_secs) {
        let rule = format!("a session lasts between 1 and {LONGEST} seconds");
        return Err(ControlError::invalid("longest_secs", rule));
    }
    if !(1..=longest_secs).contains(&expected_secs) {
        let rule = "a run takes at least a second, and no longer than its session may last";
        return Err(ControlError::invalid("expected_secs", rule));
    }
    Ok(())
}

async fn one(core: &Core, tenant: TenantId, id: TaskId) -> Result<TaskView, ControlError> {
    let all = views(core, tenant).await?;
    all.into_iter().find(|it| it.id == id).ok_or(ControlError::NotFound { what: "task" })
}

async fn views(core: &Core, tenant: TenantId) -> Result<Vec<TaskView>, ControlError> {
    let document = core.document();
    let doc = names::tenant(&document, tenant)?;
    let mut db = core.registry.read().await?;
    let live = session::list(&mut db, tenant, true, core.now(), 10_000).await?;
    let view = |task: &TaskDoc| TaskView {
        id: task.id,
        name: task.name.to_string(),
        tools: task.tools.iter().copied().collect(),
        expected_secs: task.expected_secs,
        longest_secs: task.longest_secs,
        agents: doc
            .agents
            .iter()
            .filter(|agent| agent.tasks.contains(&task.id))
            .map(|agent| AgentRef { id: agent.id, name: agent.name.to_string() })
            .collect(),
        live_sessions: show::count(live.iter().filter(|it| it.new.task == Some(task.id)).count()),
    };
    Ok(doc.tasks.iter().map(view).collect())
}
