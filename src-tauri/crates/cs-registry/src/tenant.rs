//! Tenants: the boundary that no row crosses.

use cs_model::state::Standing;
use cs_model::{Name, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{name, time, unsigned, word};

/// A tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name. Unique in the installation.
    pub name: Name,
    /// Whether its agents may act.
    pub standing: Standing,
    /// Whether it came with the starter.
    pub starter: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// How much a tenant has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Agents.
    pub agents: u64,
    /// Servers.
    pub servers: u64,
    /// Tools.
    pub tools: u64,
    /// Tasks.
    pub tasks: u64,
    /// Sessions that are not over.
    pub live_sessions: u64,
}

/// Adds a tenant.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the name is taken.
pub async fn create(db: &mut SqliteConnection, tenant: &Tenant) -> Result<(), RegistryError> {
    let (id, name, standing) = (tenant.id.uuid(), tenant.name.as_str(), tenant.standing.as_str());
    let created = tenant.created.millis();
    sqlx::query!(
        "INSERT INTO tenant (id, name, standing, starter, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        id,
        name,
        standing,
        tenant.starter,
        created,
    )
    .execute(db)
    .await
    .creating("a tenant of this name", "create the tenant")?;
    Ok(())
}

struct Row {
    id: Uuid,
    name: String,
    standing: String,
    starter: bool,
    created: i64,
}

impl Row {
    fn read(self) -> Result<Tenant, RegistryError> {
        Ok(Tenant {
            id: TenantId::new(self.id),
            name: name(&self.name)?,
            standing: word(&self.standing, "a tenant's standing")?,
            starter: self.starter,
            created: time(self.created),
        })
    }
}

/// Every tenant, by name.
///
/// # Errors
///
/// When the database fails.
pub async fn list(db: &mut SqliteConnection) -> Result<Vec<Tenant>, RegistryError> {
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", name, standing, starter AS "starter: bool", created
             FROM tenant
            ORDER BY name"#,
    )
    .fetch_all(db)
    .await
    .doing("list the tenants")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// One tenant.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn find(db: &mut SqliteConnection, tenant: TenantId) -> Result<Tenant, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", name, standing, starter AS "starter: bool", created
             FROM tenant
            WHERE id = ?1"#,
        tenant,
    )
    .fetch_optional(db)
    .await
    .doing("look up the tenant")?
    .ok_or(RegistryError::NotFound { what: "tenant" })?
    .read()
}

/// The tenant of this name.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is none.
pub async fn by_name(db: &mut SqliteConnection, name: &Name) -> Result<Tenant, RegistryError> {
    let name = name.as_str();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", name, standing, starter AS "starter: bool", created
             FROM tenant
            WHERE name = ?1"#,
        name,
    )
    .fetch_optional(db)
    .await
    .doing("look up the tenant")?
    .ok_or(RegistryError::NotFound { what: "tenant" })?
    .read()
}

/// Lets a tenant's agents act, or not.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn set_standing(
    db: &mut SqliteConnection,
    tenant: TenantId,
    standing: Standing,
) -> Result<(), RegistryError> {
    let (tenant, standing) = (tenant.uuid(), standing.as_str());
    let done = sqlx::query!("UPDATE tenant SET standing = ?1 WHERE id = ?2", standing, tenant)
        .execute(db)
        .await
        .doing("change the tenant's standing")?;
    one(done.rows_affected(), "tenant")
}

/// Removes a tenant and everything that belongs to it, except what the audit log says of it and
/// the operation tokens that were spent in it.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn remove(db: &mut SqliteConnection, tenant: TenantId) -> Result<(), RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query!("DELETE FROM decision_hour WHERE tenant_id = ?1", tenant)
        .execute(&mut *db)
        .await
        .doing("remove the tenant")?;
    sqlx::query!("DELETE FROM authn_hour WHERE tenant_id = ?1", tenant)
        .execute(&mut *db)
        .await
        .doing("remove the tenant")?;
    sqlx::query!("DELETE FROM issuer_hour WHERE tenant_id = ?1", tenant)
        .execute(&mut *db)
        .await
        .doing("remove the tenant")?;
    let done = sqlx::query!("DELETE FROM tenant WHERE id = ?1", tenant)
        .execute(db)
        .await
        .doing("remove the tenant")?;
    one(done.rows_affected(), "tenant")
}

/// How much a tenant has. Nothing, for one that does not exist.
///
/// # Errors
///
/// When the database fails.
pub async fn tally(
    db: &mut SqliteConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Tally, RegistryError> {
    let (tenant, now) = (tenant.uuid(), now.millis());
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM agent WHERE tenant_id = ?1)  AS "agents!: i64",
                  (SELECT count(*) FROM server WHERE tenant_id = ?1) AS "servers!: i64",
                  (SELECT count(*) FROM tool WHERE tenant_id = ?1)   AS "tools!: i64",
                  (SELECT count(*) FROM task WHERE tenant_id = ?1)   AS "tasks!: i64",
                  (SELECT count(*) FROM session
                    WHERE tenant_id = ?1 AND ended IS NULL AND ends > ?2)
                                                                     AS "live_sessions!: i64""#,
        tenant,
        now,
    )
    .fetch_one(db)
    .await
    .doing("count what the tenant has")?;
    Ok(Tally {
        agents: unsigned(row.agents),
        servers: unsigned(row.servers),
        tools: unsigned(row.tools),
        tasks: unsigned(row.tasks),
        live_sessions: unsigned(row.live_sessions),
    })
}
