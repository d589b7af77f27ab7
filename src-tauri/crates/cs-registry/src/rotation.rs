//! Credentials that take the place of others. What is decided on a row is decided by the row as it
//! is in the same transaction, so that nothing is done twice.

use cs_model::event::Event;
use cs_model::{CredentialId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::credential::{self, Credential, NewCredential};
use crate::error::{Doing as _, one};
use crate::row::time;
use crate::writer::Work;

/// Adds a credential that takes the place of another, still to be handed over.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the other one has a successor already.
pub async fn add(
    db: &mut SqliteConnection,
    new: &NewCredential,
    replaces: CredentialId,
) -> Result<(), RegistryError> {
    credential::issue(&mut *db, new).await?;
    let (id, tenant, replaces) = (new.id.uuid(), new.tenant.uuid(), replaces.uuid());
    let done = sqlx::query!(
        "UPDATE credential SET replaces = ?1 WHERE id = ?2 AND tenant_id = ?3",
        replaces,
        id,
        tenant,
    )
    .execute(db)
    .await
    .creating("a successor of this credential", "say what the credential replaces")?;
    one(done.rows_affected(), "credential")
}

/// The credential that takes the place of another, unless it was revoked.
///
/// # Errors
///
/// When the database fails.
pub async fn successor(
    db: &mut SqliteConnection,
    tenant: TenantId,
    of: CredentialId,
) -> Result<Option<Credential>, RegistryError> {
    let (uuid, of) = (tenant.uuid(), of.uuid());
    let found = sqlx::query_scalar!(
        r#"SELECT id AS "id: Uuid"
             FROM credential
            WHERE tenant_id = ?1
              AND replaces = ?2
              AND revoked_at IS NULL"#,
        uuid,
        of,
    )
    .fetch_optional(&mut *db)
    .await
    .doing("look up the successor of the credential")?;
    match found {
        Some(id) => credential::find(db, tenant, CredentialId::new(id)).await.map(Some),
        None => Ok(None),
    }
}

/// Notes that the holder of the old credential was given the secret of the new one.
///
/// # Errors
///
/// [`RegistryError::State`] when it was used or revoked before: then it is not handed over again.
pub async fn deliver(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: CredentialId,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (tenant, id, at) = (tenant.uuid(), id.uuid(), at.millis());
    let done = sqlx::query!(
        "UPDATE credential
            SET delivered = coalesce(delivered, ?1)
          WHERE id = ?2
            AND tenant_id = ?3
            AND replaces IS NOT NULL
            AND first_used IS NULL
            AND revoked_at IS NULL",
        at,
        id,
        tenant,
    )
    .execute(db)
    .await
    .doing("note that a credential was handed over")?;
    if done.rows_affected() == 0 {
        return Err(RegistryError::State { what: "the new credential" });
    }
    Ok(())
}

/// Has a credential end when the overlap with its successor is over, unless that was said before.
/// Says whether it was not.
///
/// # Errors
///
/// When the database fails.
pub async fn begin_overlap(
    db: &mut SqliteConnection,
    tenant: TenantId,
    old: CredentialId,
    ends: Timestamp,
) -> Result<bool, RegistryError> {
    let (tenant, old, ends) = (tenant.uuid(), old.uuid(), ends.millis());
    let done = sqlx::query!(
        "UPDATE credential
            SET overlap_ends = ?1
          WHERE id = ?2
            AND tenant_id = ?3
            AND overlap_ends IS NULL
            AND revoked_at IS NULL",
        ends,
        old,
        tenant,
    )
    .execute(db)
    .await
    .doing("begin the overlap of two credentials")?;
    Ok(done.rows_affected() > 0)
}

/// Has a credential go on as if nothing were to take its place.
///
/// # Errors
///
/// [`RegistryError::State`] when it is over.
pub async fn go_on(
    db: &mut SqliteConnection,
    tenant: TenantId,
    old: CredentialId,
) -> Result<(), RegistryError> {
    let (tenant, old) = (tenant.uuid(), old.uuid());
    let done = sqlx::query!(
        "UPDATE credential
            SET overlap_ends = NULL
          WHERE id = ?1
            AND tenant_id = ?2
            AND revoked_at IS NULL",
        old,
        tenant,
    )
    .execute(db)
    .await
    .doing("have the old credential go on")?;
    if done.rows_affected() == 0 {
        return Err(RegistryError::State { what: "the old credential" });
    }
    Ok(())
}

/// Since when all credentials of a tenant are being replaced, if they are; from now on, if not.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn begin_run(
    db: &mut SqliteConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Timestamp, RegistryError> {
    let (tenant, now) = (tenant.uuid(), now.millis());
    sqlx::query!(
        "INSERT INTO rotation_run (tenant_id, begun) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        tenant,
        now,
    )
    .execute(&mut *db)
    .await
    .creating("such a run", "begin to replace all credentials of a tenant")?;
    let begun = sqlx::query_scalar!("SELECT begun FROM rotation_run WHERE tenant_id = ?1", tenant)
        .fetch_one(db)
        .await
        .doing("look up since when credentials are being replaced")?;
    Ok(time(begun))
}

/// Notes that all credentials of a tenant are replaced.
///
/// # Errors
///
/// When the database fails.
pub async fn end_run(db: &mut SqliteConnection, tenant: TenantId) -> Result<(), RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query!("DELETE FROM rotation_run WHERE tenant_id = ?1", tenant)
        .execute(db)
        .await
        .doing("note that all credentials of a tenant are replaced")?;
    Ok(())
}

/// How far the housekeeper is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Housekeeping {
    /// When it last looked.
    pub last_tick: Option<Timestamp>,
    /// Since when it stands still, and why.
    pub halted: Option<(Timestamp, String)>,
}

/// How far the housekeeper is.
///
/// # Errors
///
/// When the database fails.
pub async fn housekeeping(db: &mut SqliteConnection) -> Result<Housekeeping, RegistryError> {
    let row = sqlx::query!("SELECT last_tick, halted, why FROM housekeeping")
        .fetch_optional(db)
        .await
        .doing("look up how far the housekeeper is")?;
    Ok(row.map_or_else(Housekeeping::default, |row| Housekeeping {
        last_tick: Some(time(row.last_tick)),
        halted: row.halted.map(time).zip(row.why),
    }))
}

/// Notes how far the housekeeper is.
///
/// # Errors
///
/// When the database fails.
pub async fn keep_housekeeping(
    db: &mut SqliteConnection,
    tick: Timestamp,
    halted: Option<(Timestamp, &str)>,
) -> Result<(), RegistryError> {
    let tick = tick.millis();
    let (halted, why) = (halted.map(|it| it.0.millis()), halted.map(|it| it.1));
    sqlx::query!(
        "INSERT INTO housekeeping (only_one, last_tick, halted, why) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (only_one)
         DO UPDATE SET last_tick = excluded.last_tick, halted = excluded.halted,
                       why = excluded.why",
        tick,
        halted,
        why,
    )
    .execute(db)
    .await
    .doing("note how far the housekeeper is")?;
    Ok(())
}

/// Notes that the housekeeper looked and that there was nothing to do.
#[derive(Debug)]
pub struct Tick {
    /// When it looked.
    pub now: Timestamp,
}

impl Work for Tick {
    type Done = ();

    async fn run(self, db: &mut SqliteConnection) -> Result<((), Vec<Event>), RegistryError> {
        let now = self.now.millis();
        sqlx::query!(
            "INSERT INTO housekeeping (only_one, last_tick) VALUES (1, ?1)
             ON CONFLICT (only_one)
             DO UPDATE SET last_tick = max(last_tick, excluded.last_tick)",
            now,
        )
        .execute(db)
        .await
        .doing("note that the housekeeper looked")?;
        Ok(((), Vec::new()))
    }
}
