//! Agents, with the roles and tasks that they were assigned.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::state::Standing;
use cs_model::{AgentId, MostWaiting, Name, OperatorId, Rate, RoleId, TaskId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{most_waiting, name, rate, time, word};

/// An agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name. Unique in the tenant.
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
    /// When it was made.
    pub created: Timestamp,
}

/// Adds an agent.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the name is taken, [`RegistryError::NotFound`] when the
/// tenant does not exist or lacks one of the roles or tasks.
pub async fn create(db: &mut SqliteConnection, agent: &Agent) -> Result<(), RegistryError> {
    let (id, tenant, name) = (agent.id.uuid(), agent.tenant.uuid(), agent.name.as_str());
    let (standing, created) = (agent.standing.as_str(), agent.created.millis());
    let (calls, secs) = (agent.rate.map(Rate::calls), agent.rate.map(Rate::secs));
    let responsible = agent.responsible.map(OperatorId::uuid);
    let most_waiting = agent.most_waiting.map(MostWaiting::get);
    sqlx::query!(
        "INSERT INTO agent (id, tenant_id, name, standing, created, rate_calls, rate_secs,
                            responsible_id, most_waiting)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        id,
        tenant,
        name,
        standing,
        created,
        calls,
        secs,
        responsible,
        most_waiting,
    )
    .execute(&mut *db)
    .await
    .creating("an agent of this name", "create the agent")?;
    add_assignments(db, agent.tenant, agent.id, &agent.roles, &agent.tasks).await
}

/// Gives an agent other roles and tasks.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such agent, or lacks one of the roles or
/// tasks.
pub async fn assign(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
    roles: &BTreeSet<RoleId>,
    tasks: &BTreeSet<TaskId>,
) -> Result<(), RegistryError> {
    let (id, uuid) = (agent.uuid(), tenant.uuid());
    find(&mut *db, tenant, agent).await?;
    sqlx::query!("DELETE FROM agent_role WHERE agent_id = ?1 AND tenant_id = ?2", id, uuid)
        .execute(&mut *db)
        .await
        .doing("change the agent's roles")?;
    sqlx::query!("DELETE FROM agent_task WHERE agent_id = ?1 AND tenant_id = ?2", id, uuid)
        .execute(&mut *db)
        .await
        .doing("change the agent's tasks")?;
    add_assignments(db, tenant, agent, roles, tasks).await
}

async fn add_assignments(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
    roles: &BTreeSet<RoleId>,
    tasks: &BTreeSet<TaskId>,
) -> Result<(), RegistryError> {
    let (tenant, agent) = (tenant.uuid(), agent.uuid());
    for role in roles {
        let role = role.uuid();
        sqlx::query!(
            "INSERT INTO agent_role (tenant_id, agent_id, role_id) VALUES (?1, ?2, ?3)",
            tenant,
            agent,
            role,
        )
        .execute(&mut *db)
        .await
        .creating("the agent's role", "assign a role")?;
    }
    for task in tasks {
        let task = task.uuid();
        sqlx::query!(
            "INSERT INTO agent_task (tenant_id, agent_id, task_id) VALUES (?1, ?2, ?3)",
            tenant,
            agent,
            task,
        )
        .execute(&mut *db)
        .await
        .creating("the agent's task", "assign a task")?;
    }
    Ok(())
}

/// A tenant's agents, by name.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<Agent>, RegistryError> {
    let uuid = tenant.uuid();
    let mut roles: BTreeMap<Uuid, BTreeSet<RoleId>> = BTreeMap::new();
    for row in sqlx::query!(
        r#"SELECT agent_id AS "agent: Uuid", role_id AS "role: Uuid"
             FROM agent_role
            WHERE tenant_id = ?1"#,
        uuid,
    )
    .fetch_all(&mut *db)
    .await
    .doing("list the agents' roles")?
    {
        roles.entry(row.agent).or_default().insert(RoleId::new(row.role));
    }
    let mut tasks: BTreeMap<Uuid, BTreeSet<TaskId>> = BTreeMap::new();
    for row in sqlx::query!(
        r#"SELECT agent_id AS "agent: Uuid", task_id AS "task: Uuid"
             FROM agent_task
            WHERE tenant_id = ?1"#,
        uuid,
    )
    .fetch_all(&mut *db)
    .await
    .doing("list the agents' tasks")?
    {
        tasks.entry(row.agent).or_default().insert(TaskId::new(row.task));
    }
    sqlx::query!(
        r#"SELECT id AS "id: Uuid", name, standing, created, rate_calls, rate_secs,
                  most_waiting, responsible_id AS "responsible: Uuid"
             FROM agent
            WHERE tenant_id = ?1
            ORDER BY name"#,
        uuid,
    )
    .fetch_all(db)
    .await
    .doing("list the agents")?
    .into_iter()
    .map(|row| {
        Ok(Agent {
            id: AgentId::new(row.id),
            tenant,
            name: name(&row.name)?,
            standing: word(&row.standing, "an agent's standing")?,
            roles: roles.remove(&row.id).unwrap_or_default(),
            tasks: tasks.remove(&row.id).unwrap_or_default(),
            rate: rate(row.rate_calls, row.rate_secs)?,
            most_waiting: row.most_waiting.map(most_waiting).transpose()?,
            responsible: row.responsible.map(OperatorId::new),
            created: time(row.created),
        })
    })
    .collect()
}

/// One agent.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such agent.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
) -> Result<Agent, RegistryError> {
    let found = list(db, tenant).await?.into_iter().find(|it| it.id == agent);
    found.ok_or(RegistryError::NotFound { what: "agent" })
}

/// Lets an agent act, or not.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such agent.
pub async fn set_standing(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
    standing: Standing,
) -> Result<(), RegistryError> {
    let (tenant, agent, standing) = (tenant.uuid(), agent.uuid(), standing.as_str());
    let done = sqlx::query!(
        "UPDATE agent SET standing = ?1 WHERE id = ?2 AND tenant_id = ?3",
        standing,
        agent,
        tenant,
    )
    .execute(db)
    .await
    .doing("change the agent's standing")?;
    one(done.rows_affected(), "agent")
}

/// Says how often an agent may call any tool.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such agent.
pub async fn set_rate(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
    rate: Option<Rate>,
) -> Result<(), RegistryError> {
    let (tenant, agent) = (tenant.uuid(), agent.uuid());
    let (calls, secs) = (rate.map(Rate::calls), rate.map(Rate::secs));
    let done = sqlx::query!(
        "UPDATE agent SET rate_calls = ?1, rate_secs = ?2 WHERE id = ?3 AND tenant_id = ?4",
        calls,
        secs,
        agent,
        tenant,
    )
    .execute(db)
    .await
    .doing("change how often the agent may call")?;
    one(done.rows_affected(), "agent")
}

/// Says how many calls of an agent may wait for people at a time.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such agent.
pub async fn set_most_waiting(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
    most: Option<MostWaiting>,
) -> Result<(), RegistryError> {
    let (tenant, agent, most) = (tenant.uuid(), agent.uuid(), most.map(MostWaiting::get));
    let done = sqlx::query!(
        "UPDATE agent SET most_waiting = ?1 WHERE id = ?2 AND tenant_id = ?3",
        most,
        agent,
        tenant,
    )
    .execute(db)
    .await
    .doing("change how many calls of the agent may wait")?;
    one(done.rows_affected(), "agent")
}

/// Says which operator answers for an agent.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such agent, or there is no such operator.
pub async fn set_responsible(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
    responsible: Option<OperatorId>,
) -> Result<(), RegistryError> {
    let (tenant, agent) = (tenant.uuid(), agent.uuid());
    let responsible = responsible.map(OperatorId::uuid);
    let done = sqlx::query!(
        "UPDATE agent
            SET responsible_id = ?1
          WHERE id = ?2
            AND tenant_id = ?3
            AND (?1 IS NULL
                 OR EXISTS (SELECT 1 FROM operator WHERE id = ?1 AND removed IS NULL))",
        responsible,
        agent,
        tenant,
    )
    .execute(db)
    .await
    .doing("change who answers for the agent")?;
    one(done.rows_affected(), "agent or operator")
}

/// Has nobody answer for the agents of any tenant that an operator answered for. Answers with how
/// many these were.
///
/// # Errors
///
/// When the database fails.
pub async fn forget_responsible(
    db: &mut SqliteConnection,
    operator: OperatorId,
) -> Result<u64, RegistryError> {
    let operator = operator.uuid();
    let done =
        sqlx::query!("UPDATE agent SET responsible_id = NULL WHERE responsible_id = ?1", operator,)
            .execute(db)
            .await
            .doing("have nobody answer for the operator's agents")?;
    Ok(done.rows_affected())
}

/// Removes an agent with its credentials. Its sessions are the caller's to end first, in the same
/// transaction ([`crate::session::end_of_agent`]); its past stays readable.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such agent.
pub async fn remove(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
) -> Result<(), RegistryError> {
    let (tenant, agent) = (tenant.uuid(), agent.uuid());
    let done = sqlx::query!("DELETE FROM agent WHERE id = ?1 AND tenant_id = ?2", agent, tenant)
        .execute(db)
        .await
        .doing("remove the agent")?;
    one(done.rows_affected(), "agent")
}
