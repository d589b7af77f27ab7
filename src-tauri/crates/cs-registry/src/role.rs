//! Roles: the columns of the matrix.

use std::collections::BTreeMap;

use cs_model::{Name, RoleId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{name, time, unsigned};

/// A role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name. Unique in the tenant.
    pub name: Name,
    /// When it was made.
    pub created: Timestamp,
}

/// Adds a role that grants nothing.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the name is taken, [`RegistryError::NotFound`] when there is
/// no such tenant.
pub async fn create(db: &mut SqliteConnection, role: &Role) -> Result<(), RegistryError> {
    let (id, tenant, name) = (role.id.uuid(), role.tenant.uuid(), role.name.as_str());
    let created = role.created.millis();
    sqlx::query!(
        "INSERT INTO role (id, tenant_id, name, created) VALUES (?1, ?2, ?3, ?4)",
        id,
        tenant,
        name,
        created,
    )
    .execute(db)
    .await
    .creating("a role of this name", "create the role")?;
    Ok(())
}

/// A tenant's roles, in the order in which they were made.
///
/// # Errors
///
/// When the database fails.
pub async fn list(db: &mut SqliteConnection, tenant: TenantId) -> Result<Vec<Role>, RegistryError> {
    let uuid = tenant.uuid();
    sqlx::query!(
        r#"SELECT id AS "id: Uuid", name, created
             FROM role
            WHERE tenant_id = ?1
            ORDER BY created, rowid"#,
        uuid,
    )
    .fetch_all(db)
    .await
    .doing("list the roles")?
    .into_iter()
    .map(|row| {
        Ok(Role {
            id: RoleId::new(row.id),
            tenant,
            name: name(&row.name)?,
            created: time(row.created),
        })
    })
    .collect()
}

/// How many agents act in each role. A role without agents is absent.
///
/// # Errors
///
/// When the database fails.
pub async fn agents(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<BTreeMap<RoleId, u64>, RegistryError> {
    let tenant = tenant.uuid();
    let rows = sqlx::query!(
        r#"SELECT role_id AS "role: Uuid", count(*) AS "agents!: i64"
             FROM agent_role
            WHERE tenant_id = ?1
            GROUP BY role_id"#,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("count the agents of the roles")?;
    Ok(rows.into_iter().map(|row| (RoleId::new(row.role), unsigned(row.agents))).collect())
}

/// Removes a role with its grants and assignments.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such role.
pub async fn remove(
    db: &mut SqliteConnection,
    tenant: TenantId,
    role: RoleId,
) -> Result<(), RegistryError> {
    let (tenant, role) = (tenant.uuid(), role.uuid());
    let done = sqlx::query!("DELETE FROM role WHERE id = ?1 AND tenant_id = ?2", role, tenant)
        .execute(db)
        .await
        .doing("remove the role")?;
    one(done.rows_affected(), "role")
}
