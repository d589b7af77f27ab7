//! The gateway's own token issuer: its settings and its public keys, tenant by tenant.

use cs_model::state::IssuerKeyState;
use cs_model::{TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{seconds, time, unsigned, word};

const HOUR_MS: i64 = 3_600_000;

/// Whether a tenant has an issuer, and how long its tokens live.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Issuer {
    /// Whether it issues tokens, and its tokens are accepted.
    pub enabled: bool,
    /// How long its tokens live, in seconds.
    pub token_secs: u32,
}

/// A key of a tenant's issuer. Its private part is in the secret store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key {
    /// The tenant.
    pub tenant: TenantId,
    /// Its id: the thumbprint of the public key.
    pub key_id: String,
    /// The public key, a JWK as JSON text.
    pub public_jwk: String,
    /// What it is for.
    pub state: IssuerKeyState,
    /// When it was made.
    pub created: Timestamp,
    /// When nothing that it signed can be alive any more, once it signs no more.
    pub retires: Option<Timestamp>,
}

/// What an issuer did in some span of time.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// How many tokens it issued.
    pub issued: u64,
    /// How many requests it refused.
    pub refused: u64,
}

/// A tenant's issuer, once it was set up.
///
/// # Errors
///
/// When the database fails.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Option<Issuer>, RegistryError> {
    let tenant = tenant.uuid();
    let row = sqlx::query!(
        r#"SELECT enabled AS "enabled: bool", token_secs FROM issuer WHERE tenant_id = ?1"#,
        tenant,
    )
    .fetch_optional(db)
    .await
    .doing("look up the issuer")?;
    row.map(|it| Ok(Issuer { enabled: it.enabled, token_secs: seconds(it.token_secs)? }))
        .transpose()
}

/// Sets a tenant's issuer up, or otherwise.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn set(
    db: &mut SqliteConnection,
    tenant: TenantId,
    new: Issuer,
) -> Result<(), RegistryError> {
    let (tenant, secs) = (tenant.uuid(), i64::from(new.token_secs));
    sqlx::query!(
        "INSERT INTO issuer (tenant_id, enabled, token_secs)
         VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant_id)
         DO UPDATE SET enabled = excluded.enabled, token_secs = excluded.token_secs",
        tenant,
        new.enabled,
        secs,
    )
    .execute(db)
    .await
    .creating("the issuer", "set the issuer up")?;
    Ok(())
}

/// Forgets that a tenant ever had an issuer. One that has none stays without.
///
/// # Errors
///
/// When the database fails.
pub async fn remove(db: &mut SqliteConnection, tenant: TenantId) -> Result<(), RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query!("DELETE FROM issuer WHERE tenant_id = ?1", tenant)
        .execute(db)
        .await
        .doing("remove the issuer")?;
    Ok(())
}

struct Row {
    tenant_id: Uuid,
    key_id: String,
    public_jwk: String,
    state: String,
    created: i64,
    retires: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Key, RegistryError> {
        Ok(Key {
            tenant: TenantId::new(self.tenant_id),
            key_id: self.key_id,
            public_jwk: self.public_jwk,
            state: word(&self.state, "the state of an issuer's key")?,
            created: time(self.created),
            retires: self.retires.map(time),
        })
    }
}

/// A tenant's keys, oldest first.
///
/// # Errors
///
/// When the database fails.
pub async fn keys(db: &mut SqliteConnection, tenant: TenantId) -> Result<Vec<Key>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT tenant_id AS "tenant_id: Uuid", key_id, public_jwk, state, created, retires
             FROM issuer_key
            WHERE tenant_id = ?1
            ORDER BY created, rowid"#,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("list the issuer's keys")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// The keys of all tenants, oldest first: what the gateway signs with and believes.
///
/// # Errors
///
/// When the database fails.
pub async fn all_keys(db: &mut SqliteConnection) -> Result<Vec<Key>, RegistryError> {
    sqlx::query_as!(
        Row,
        r#"SELECT tenant_id AS "tenant_id: Uuid", key_id, public_jwk, state, created, retires
             FROM issuer_key
            ORDER BY created, rowid"#,
    )
    .fetch_all(db)
    .await
    .doing("list the keys of all issuers")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// Adds a key.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the tenant has it, or another in its place.
pub async fn add_key(db: &mut SqliteConnection, new: &Key) -> Result<(), RegistryError> {
    let (tenant, state, created) = (new.tenant.uuid(), new.state.as_str(), new.created.millis());
    let retires = new.retires.map(Timestamp::millis);
    sqlx::query!(
        "INSERT INTO issuer_key (tenant_id, key_id, public_jwk, state, created, retires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        tenant,
        new.key_id,
        new.public_jwk,
        state,
        created,
        retires,
    )
    .execute(db)
    .await
    .creating("a key of the issuer", "add a key of the issuer")?;
    Ok(())
}

/// Takes the key that signs out of use, and has the next one sign. The tenant has no next key
/// then.
///
/// # Errors
///
/// [`RegistryError::State`] when there is no key that signs, or no next one.
pub async fn advance(
    db: &mut SqliteConnection,
    tenant: TenantId,
    retires: Timestamp,
) -> Result<(), RegistryError> {
    let (tenant, retires) = (tenant.uuid(), retires.millis());
    let missing = |rows: u64| {
        if rows == 1 { Ok(()) } else { Err(RegistryError::State { what: "the issuer" }) }
    };
    let done = sqlx::query!(
        "UPDATE issuer_key
            SET state = 'retiring', retires = ?1
          WHERE tenant_id = ?2
            AND state = 'signing'",
        retires,
        tenant,
    )
    .execute(&mut *db)
    .await
    .doing("retire a key of the issuer")?;
    missing(done.rows_affected())?;
    let done = sqlx::query!(
        "UPDATE issuer_key SET state = 'signing' WHERE tenant_id = ?1 AND state = 'next'",
        tenant,
    )
    .execute(db)
    .await
    .doing("put the next key of the issuer to use")?;
    missing(done.rows_affected())
}

/// Forgets the next key, if there is one.
///
/// # Errors
///
/// When the database fails.
pub async fn remove_next(db: &mut SqliteConnection, tenant: TenantId) -> Result<(), RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query!("DELETE FROM issuer_key WHERE tenant_id = ?1 AND state = 'next'", tenant)
        .execute(db)
        .await
        .doing("forget the next key of the issuer")?;
    Ok(())
}

/// Forgets all keys of a tenant's issuer, and answers with their ids.
///
/// # Errors
///
/// When the database fails.
pub async fn remove_keys(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<String>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_scalar!("DELETE FROM issuer_key WHERE tenant_id = ?1 RETURNING key_id", tenant)
        .fetch_all(db)
        .await
        .doing("forget the issuer's keys")
}

/// Forgets a key that was retired. One that is still in use stays.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such key that was retired by then.
pub async fn remove_retired(
    db: &mut SqliteConnection,
    tenant: TenantId,
    key_id: &str,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let (tenant, now) = (tenant.uuid(), now.millis());
    let done = sqlx::query!(
        "DELETE FROM issuer_key WHERE tenant_id = ?1 AND key_id = ?2 AND retires <= ?3",
        tenant,
        key_id,
        now,
    )
    .execute(db)
    .await
    .doing("forget a key of the issuer")?;
    crate::error::one(done.rows_affected(), "key of the issuer")
}

/// What a tenant's issuer did in the last `hours` hours, the running one included.
///
/// # Errors
///
/// When the database fails.
pub async fn tally(
    db: &mut SqliteConnection,
    tenant: TenantId,
    now: Timestamp,
    hours: u32,
) -> Result<Tally, RegistryError> {
    let last = now.millis().div_euclid(HOUR_MS);
    let (tenant, before) = (tenant.uuid(), last.saturating_sub(i64::from(hours)));
    let row = sqlx::query!(
        r#"SELECT coalesce(sum(issued), 0) AS "issued!: i64",
                  coalesce(sum(refused), 0) AS "refused!: i64"
             FROM issuer_hour
            WHERE tenant_id = ?1
              AND hour > ?2"#,
        tenant,
        before,
    )
    .fetch_one(db)
    .await
    .doing("count what the issuer did")?;
    Ok(Tally { issued: unsigned(row.issued), refused: unsigned(row.refused) })
}

#[cfg(test)]
mod tests;
