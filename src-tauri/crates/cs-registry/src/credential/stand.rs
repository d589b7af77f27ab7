//! Whether a credential may be used, as operators say.

use cs_model::{CredentialId, TenantId, Timestamp};
use sqlx::SqliteConnection;

use crate::RegistryError;
use crate::error::{Doing as _, one};

/// Withdraws a credential for good. Revoking one that is revoked already changes nothing.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such credential.
pub async fn revoke(
    db: &mut SqliteConnection,
    tenant: TenantId,
    credential: CredentialId,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (credential, tenant, at) = (credential.uuid(), tenant.uuid(), at.millis());
    let done = sqlx::query!(
        "UPDATE credential
            SET revoked_at = coalesce(revoked_at, ?1)
          WHERE id = ?2
            AND tenant_id = ?3",
        at,
        credential,
        tenant,
    )
    .execute(db)
    .await
    .doing("revoke the credential")?;
    one(done.rows_affected(), "credential")
}

/// Keeps a credential from being used until it is released. Suspending one that is suspended
/// already changes nothing.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such credential.
pub async fn suspend(
    db: &mut SqliteConnection,
    tenant: TenantId,
    credential: CredentialId,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (credential, tenant, at) = (credential.uuid(), tenant.uuid(), at.millis());
    let done = sqlx::query!(
        "UPDATE credential
            SET suspended_at = coalesce(suspended_at, ?1)
          WHERE id = ?2
            AND tenant_id = ?3",
        at,
        credential,
        tenant,
    )
    .execute(db)
    .await
    .doing("suspend the credential")?;
    one(done.rows_affected(), "credential")
}

/// Lets a suspended credential be used again. One that was revoked stays revoked.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such credential.
pub async fn release(
    db: &mut SqliteConnection,
    tenant: TenantId,
    credential: CredentialId,
) -> Result<(), RegistryError> {
    let (credential, tenant) = (credential.uuid(), tenant.uuid());
    let done = sqlx::query!(
        "UPDATE credential SET suspended_at = NULL WHERE id = ?1 AND tenant_id = ?2",
        credential,
        tenant,
    )
    .execute(db)
    .await
    .doing("release the credential")?;
    one(done.rows_affected(), "credential")
}
