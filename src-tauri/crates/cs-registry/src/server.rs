//! Servers: the upstream MCP servers of a tenant.

use cs_model::upstream::Transport;
use cs_model::{Name, Passes, ServerId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{json, name, time, to_json};

/// A server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// Its id.
    pub id: ServerId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name. Unique in the tenant.
    pub name: Name,
    /// How it is reached.
    pub transport: Transport,
    /// Whether it may be called at all.
    pub enabled: bool,
    /// What may pass between it and the people and models behind an agent.
    pub passes: Passes,
    /// When it was added.
    pub created: Timestamp,
}

/// Adds a server.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the name is taken, [`RegistryError::NotFound`] when there is
/// no such tenant.
pub async fn create(db: &mut SqliteConnection, server: &Server) -> Result<(), RegistryError> {
    let (id, tenant, name) = (server.id.uuid(), server.tenant.uuid(), server.name.as_str());
    let transport = to_json(&server.transport, "a transport")?;
    let passes = to_json(&server.passes, "what passes")?;
    let created = server.created.millis();
    sqlx::query!(
        "INSERT INTO server (id, tenant_id, name, transport, enabled, passes, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        id,
        tenant,
        name,
        transport,
        server.enabled,
        passes,
        created,
    )
    .execute(db)
    .await
    .creating("a server of this name", "add the server")?;
    Ok(())
}

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    name: String,
    transport: String,
    enabled: bool,
    passes: String,
    created: i64,
}

impl Row {
    fn read(self) -> Result<Server, RegistryError> {
        Ok(Server {
            id: ServerId::new(self.id),
            tenant: TenantId::new(self.tenant_id),
            name: name(&self.name)?,
            transport: json(&self.transport, "a transport")?,
            enabled: self.enabled,
            passes: json(&self.passes, "what passes")?,
            created: time(self.created),
        })
    }
}

/// A tenant's servers, by name.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<Server>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", name, transport,
                  enabled AS "enabled: bool", passes, created
             FROM server
            WHERE tenant_id = ?1
            ORDER BY name"#,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("list the servers")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// The servers of every tenant: what the gateway must be able to reach.
///
/// # Errors
///
/// When the database fails.
pub async fn all(db: &mut SqliteConnection) -> Result<Vec<Server>, RegistryError> {
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", name, transport,
                  enabled AS "enabled: bool", passes, created
             FROM server
            ORDER BY tenant_id, name"#,
    )
    .fetch_all(db)
    .await
    .doing("list the servers of every tenant")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// One server.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such server.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    server: ServerId,
) -> Result<Server, RegistryError> {
    let (tenant, server) = (tenant.uuid(), server.uuid());
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", name, transport,
                  enabled AS "enabled: bool", passes, created
             FROM server
            WHERE tenant_id = ?1
              AND id = ?2"#,
        tenant,
        server,
    )
    .fetch_optional(db)
    .await
    .doing("look up the server")?
    .ok_or(RegistryError::NotFound { what: "server" })?
    .read()
}

/// Lets a server be called, or not.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such server.
pub async fn set_enabled(
    db: &mut SqliteConnection,
    tenant: TenantId,
    server: ServerId,
    enabled: bool,
) -> Result<(), RegistryError> {
    let (tenant, server) = (tenant.uuid(), server.uuid());
    let done = sqlx::query!(
        "UPDATE server SET enabled = ?1 WHERE id = ?2 AND tenant_id = ?3",
        enabled,
        server,
        tenant,
    )
    .execute(db)
    .await
    .doing("enable or disable the server")?;
    one(done.rows_affected(), "server")
}

/// Says what passes of a server.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such server.
pub async fn set_passes(
    db: &mut SqliteConnection,
    tenant: TenantId,
    server: ServerId,
    passes: &Passes,
) -> Result<(), RegistryError> {
    let (tenant, server) = (tenant.uuid(), server.uuid());
    let passes = to_json(passes, "what passes")?;
    let done = sqlx::query!(
        "UPDATE server SET passes = ?1 WHERE id = ?2 AND tenant_id = ?3",
        passes,
        server,
        tenant,
    )
    .execute(db)
    .await
    .doing("change what passes of the server")?;
    one(done.rows_affected(), "server")
}

/// Has a server reached in another way.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such server.
pub async fn set_transport(
    db: &mut SqliteConnection,
    tenant: TenantId,
    server: ServerId,
    transport: &Transport,
) -> Result<(), RegistryError> {
    let (tenant, server) = (tenant.uuid(), server.uuid());
    let transport = to_json(transport, "a transport")?;
    let done = sqlx::query!(
        "UPDATE server SET transport = ?1 WHERE id = ?2 AND tenant_id = ?3",
        transport,
        server,
        tenant,
    )
    .execute(db)
    .await
    .doing("change how the server is reached")?;
    one(done.rows_affected(), "server")
}

/// Removes a server with its tools.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such server.
pub async fn remove(
    db: &mut SqliteConnection,
    tenant: TenantId,
    server: ServerId,
) -> Result<(), RegistryError> {
    let (tenant, server) = (tenant.uuid(), server.uuid());
    let done = sqlx::query!("DELETE FROM server WHERE id = ?1 AND tenant_id = ?2", server, tenant)
        .execute(db)
        .await
        .doing("remove the server")?;
    one(done.rows_affected(), "server")
}
