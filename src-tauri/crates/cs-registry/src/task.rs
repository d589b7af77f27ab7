//! Tasks: declared purposes with their own tool lists.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::{Name, TaskId, TenantId, Timestamp, ToolId};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{name, seconds, time};

/// A task.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name. Unique in the tenant.
    pub name: Name,
    /// The tools that it needs.
    pub tools: BTreeSet<ToolId>,
    /// How long a run usually takes, in seconds.
    pub expected_secs: u32,
    /// How long a session for it may last, in seconds.
    pub longest_secs: u32,
    /// When it was made.
    pub created: Timestamp,
}

/// Adds a task.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the name is taken, [`RegistryError::NotFound`] when the
/// tenant does not exist or lacks one of the tools.
pub async fn create(db: &mut SqliteConnection, task: &Task) -> Result<(), RegistryError> {
    let (id, tenant, name) = (task.id.uuid(), task.tenant.uuid(), task.name.as_str());
    let created = task.created.millis();
    sqlx::query!(
        "INSERT INTO task (id, tenant_id, name, expected_secs, longest_secs, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        id,
        tenant,
        name,
        task.expected_secs,
        task.longest_secs,
        created,
    )
    .execute(&mut *db)
    .await
    .creating("a task of this name", "create the task")?;
    add_tools(db, task).await
}

/// Gives a task other tools and times. Its name stays: it stands in addresses.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such task, or lacks one of the tools.
pub async fn update(db: &mut SqliteConnection, task: &Task) -> Result<(), RegistryError> {
    let (id, tenant) = (task.id.uuid(), task.tenant.uuid());
    let done = sqlx::query!(
        "UPDATE task SET expected_secs = ?1, longest_secs = ?2 WHERE id = ?3 AND tenant_id = ?4",
        task.expected_secs,
        task.longest_secs,
        id,
        tenant,
    )
    .execute(&mut *db)
    .await
    .doing("update the task")?;
    one(done.rows_affected(), "task")?;
    sqlx::query!("DELETE FROM task_tool WHERE task_id = ?1 AND tenant_id = ?2", id, tenant)
        .execute(&mut *db)
        .await
        .doing("update the task's tools")?;
    add_tools(db, task).await
}

async fn add_tools(db: &mut SqliteConnection, task: &Task) -> Result<(), RegistryError> {
    let (id, tenant) = (task.id.uuid(), task.tenant.uuid());
    for tool in &task.tools {
        let tool = tool.uuid();
        sqlx::query!(
            "INSERT INTO task_tool (tenant_id, task_id, tool_id) VALUES (?1, ?2, ?3)",
            tenant,
            id,
            tool,
        )
        .execute(&mut *db)
        .await
        .creating("the task's tool", "add a tool to the task")?;
    }
    Ok(())
}

/// A tenant's tasks, by name.
///
/// # Errors
///
/// When the database fails.
pub async fn list(db: &mut SqliteConnection, tenant: TenantId) -> Result<Vec<Task>, RegistryError> {
    let uuid = tenant.uuid();
    let links = sqlx::query!(
        r#"SELECT task_id AS "task: Uuid", tool_id AS "tool: Uuid"
             FROM task_tool
            WHERE tenant_id = ?1"#,
        uuid,
    )
    .fetch_all(&mut *db)
    .await
    .doing("list the tasks' tools")?;
    let mut tools: BTreeMap<Uuid, BTreeSet<ToolId>> = BTreeMap::new();
    for link in links {
        tools.entry(link.task).or_default().insert(ToolId::new(link.tool));
    }
    sqlx::query!(
        r#"SELECT id AS "id: Uuid", name, expected_secs, longest_secs, created
             FROM task
            WHERE tenant_id = ?1
            ORDER BY name"#,
        uuid,
    )
    .fetch_all(db)
    .await
    .doing("list the tasks")?
    .into_iter()
    .map(|row| {
        Ok(Task {
            id: TaskId::new(row.id),
            tenant,
            name: name(&row.name)?,
            tools: tools.remove(&row.id).unwrap_or_default(),
            expected_secs: seconds(row.expected_secs)?,
            longest_secs: seconds(row.longest_secs)?,
            created: time(row.created),
        })
    })
    .collect()
}

/// One task.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such task.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    task: TaskId,
) -> Result<Task, RegistryError> {
    let found = list(db, tenant).await?.into_iter().find(|it| it.id == task);
    found.ok_or(RegistryError::NotFound { what: "task" })
}

/// Removes a task. Credentials that were bound to it keep being bound, to what is left.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such task.
pub async fn remove(
    db: &mut SqliteConnection,
    tenant: TenantId,
    task: TaskId,
) -> Result<(), RegistryError> {
    let (tenant, task) = (tenant.uuid(), task.uuid());
    let done = sqlx::query!("DELETE FROM task WHERE id = ?1 AND tenant_id = ?2", task, tenant)
        .execute(db)
        .await
        .doing("remove the task")?;
    one(done.rows_affected(), "task")
}
