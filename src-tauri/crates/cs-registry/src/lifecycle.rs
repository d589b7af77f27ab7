//! How long what agents prove themselves with lives, tenant by tenant.

use cs_model::{Lifecycle, TenantId};
use sqlx::SqliteConnection;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::seconds;

/// What a tenant says of its credentials.
///
/// # Errors
///
/// When the database fails, or holds what could not be said.
pub async fn find(db: &mut SqliteConnection, tenant: TenantId) -> Result<Lifecycle, RegistryError> {
    let tenant = tenant.uuid();
    let row = sqlx::query!(
        "SELECT lifetime_secs, rotate_secs, overlap_secs, alert_unused_secs, revoke_unused_secs
           FROM lifecycle
          WHERE tenant_id = ?1",
        tenant,
    )
    .fetch_optional(db)
    .await
    .doing("look up how long credentials live")?;
    let Some(row) = row else { return Ok(Lifecycle::default()) };
    let secs = |number: Option<i64>| number.map(seconds).transpose();
    let found = Lifecycle {
        lifetime_secs: secs(row.lifetime_secs)?,
        rotate_secs: secs(row.rotate_secs)?,
        overlap_secs: secs(row.overlap_secs)?,
        alert_unused_secs: secs(row.alert_unused_secs)?,
        revoke_unused_secs: secs(row.revoke_unused_secs)?,
    };
    let damaged = |_| RegistryError::Damaged { what: "how long credentials live" };
    found.check().map_err(damaged)?;
    Ok(found)
}

/// Keeps what a tenant says of its credentials.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn set(
    db: &mut SqliteConnection,
    tenant: TenantId,
    new: Lifecycle,
) -> Result<(), RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query!(
        "INSERT INTO lifecycle (tenant_id, lifetime_secs, rotate_secs, overlap_secs,
                                alert_unused_secs, revoke_unused_secs)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant_id)
         DO UPDATE SET lifetime_secs = excluded.lifetime_secs,
                       rotate_secs = excluded.rotate_secs,
                       overlap_secs = excluded.overlap_secs,
                       alert_unused_secs = excluded.alert_unused_secs,
                       revoke_unused_secs = excluded.revoke_unused_secs",
        tenant,
        new.lifetime_secs,
        new.rotate_secs,
        new.overlap_secs,
        new.alert_unused_secs,
        new.revoke_unused_secs,
    )
    .execute(db)
    .await
    .creating("how long credentials live", "set how long credentials live")?;
    Ok(())
}
