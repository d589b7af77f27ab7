//! Tokens that were withdrawn before their time.

use cs_model::revocation::Revoked;
use cs_model::{RevocationId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{json, time, to_json};

/// A revocation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revocation {
    /// Its id.
    pub id: RevocationId,
    /// Its tenant.
    pub tenant: TenantId,
    /// What is withdrawn.
    pub what: Revoked,
    /// Why, in the operator's words.
    pub reason: String,
    /// When it was made.
    pub created: Timestamp,
    /// When no token that it could concern can be alive any more.
    pub ends: Timestamp,
}

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    what: String,
    reason: String,
    created: i64,
    ends: i64,
}

impl Row {
    fn read(self) -> Result<Revocation, RegistryError> {
        Ok(Revocation {
            id: RevocationId::new(self.id),
            tenant: TenantId::new(self.tenant_id),
            what: json(&self.what, "a revocation")?,
            reason: self.reason,
            created: time(self.created),
            ends: time(self.ends),
        })
    }
}

/// Adds a revocation. The same one again changes nothing.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn add(db: &mut SqliteConnection, new: &Revocation) -> Result<(), RegistryError> {
    let (id, tenant) = (new.id.uuid(), new.tenant.uuid());
    let what = to_json(&new.what, "a revocation")?;
    let (created, ends) = (new.created.millis(), new.ends.millis());
    sqlx::query!(
        "INSERT INTO revocation (id, tenant_id, what, reason, created, ends)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant_id, what) DO NOTHING",
        id,
        tenant,
        what,
        new.reason,
        created,
        ends,
    )
    .execute(db)
    .await
    .creating("this revocation", "revoke the tokens")?;
    Ok(())
}

/// A tenant's revocations, newest first.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<Revocation>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", what, reason, created, ends
             FROM revocation
            WHERE tenant_id = ?1
            ORDER BY created DESC, rowid DESC"#,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("list the revocations")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// The revocations of every tenant that can still concern a token: what the gateway asks.
///
/// # Errors
///
/// When the database fails.
pub async fn all(
    db: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<Revocation>, RegistryError> {
    let now = now.millis();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", what, reason, created, ends
             FROM revocation
            WHERE ends > ?1
            ORDER BY created, rowid"#,
        now,
    )
    .fetch_all(db)
    .await
    .doing("list the revocations of every tenant")?
    .into_iter()
    .map(Row::read)
    .collect()
}
