//! Secrets of a tenant, sealed: what its servers are given. This crate cannot open them.

use cs_model::{TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};

/// A sealed secret. Its seal is bound to the tenant and to `id`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    /// The id of this value: another value under the same name has another id.
    pub id: Uuid,
    /// The sealed value.
    pub sealed: Vec<u8>,
}

/// Keeps a secret under a name, in place of the one that was there.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn put(
    db: &mut SqliteConnection,
    tenant: TenantId,
    name: &str,
    secret: &Sealed,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (tenant, id, at) = (tenant.uuid(), secret.id, at.millis());
    sqlx::query!(
        "INSERT INTO tenant_secret (id, tenant_id, name, sealed, changed)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant_id, name)
         DO UPDATE SET id = excluded.id, sealed = excluded.sealed, changed = excluded.changed",
        id,
        tenant,
        name,
        secret.sealed,
        at,
    )
    .execute(db)
    .await
    .creating("the secret", "keep the secret")?;
    Ok(())
}

/// The secret of this name.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has none.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    name: &str,
) -> Result<Sealed, RegistryError> {
    let tenant = tenant.uuid();
    let row = sqlx::query!(
        r#"SELECT id AS "id: Uuid", sealed FROM tenant_secret WHERE tenant_id = ?1 AND name = ?2"#,
        tenant,
        name,
    )
    .fetch_optional(db)
    .await
    .doing("look up the secret")?
    .ok_or(RegistryError::NotFound { what: "secret" })?;
    Ok(Sealed { id: row.id, sealed: row.sealed })
}

/// The names of a tenant's secrets.
///
/// # Errors
///
/// When the database fails.
pub async fn names(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<String>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_scalar!("SELECT name FROM tenant_secret WHERE tenant_id = ?1 ORDER BY name", tenant)
        .fetch_all(db)
        .await
        .doing("list the secrets")
}

/// Forgets a secret.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has none of this name.
pub async fn remove(
    db: &mut SqliteConnection,
    tenant: TenantId,
    name: &str,
) -> Result<(), RegistryError> {
    let tenant = tenant.uuid();
    let done =
        sqlx::query!("DELETE FROM tenant_secret WHERE tenant_id = ?1 AND name = ?2", tenant, name)
            .execute(db)
            .await
            .doing("forget the secret")?;
    one(done.rows_affected(), "secret")
}
