//! Authorities: who issues the certificates of agents and of the gateway. Their private keys are
//! not here.

use cs_model::{TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{signed, time, unsigned};

/// An authority of a tenant: the one that issues, or one before it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authority {
    /// Its tenant.
    pub tenant: TenantId,
    /// The how many-th of its tenant it is, from 1.
    pub generation: u64,
    /// Its certificate, as PEM.
    pub certificate: String,
    /// When it was made.
    pub created: Timestamp,
    /// The number of the last revocation list that it signed; 0 before the first.
    pub crl_number: u64,
    /// That list, as PEM.
    pub list: Option<String>,
    /// Once another one issues in its place: since when, and until when what it issued is valid.
    pub retired: Option<(Timestamp, Timestamp)>,
}

struct Row {
    tenant_id: Uuid,
    generation: i64,
    certificate: String,
    created: i64,
    crl_number: i64,
    list: Option<String>,
    retired: Option<i64>,
    ends: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Authority, RegistryError> {
        let number = |it: i64| {
            u64::try_from(it).map_err(|_| RegistryError::Damaged { what: "the number of a list" })
        };
        Ok(Authority {
            tenant: TenantId::new(self.tenant_id),
            generation: number(self.generation)?,
            certificate: self.certificate,
            created: time(self.created),
            crl_number: number(self.crl_number)?,
            list: self.list,
            retired: self.retired.map(time).zip(self.ends.map(time)),
        })
    }
}

/// Adds the authority that issues for a tenant from now on. Answers with its generation.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when one does already, [`RegistryError::NotFound`] when there is no
/// such tenant.
pub async fn create(
    db: &mut SqliteConnection,
    tenant: TenantId,
    certificate: &str,
    created: Timestamp,
) -> Result<u64, RegistryError> {
    let (tenant, created) = (tenant.uuid(), created.millis());
    let generation = sqlx::query_scalar!(
        r#"INSERT INTO authority (tenant_id, generation, certificate, created, crl_number)
           VALUES (?1, 1 + (SELECT count(*) FROM authority WHERE tenant_id = ?1), ?2, ?3, 0)
           RETURNING generation AS "generation!: i64""#,
        tenant,
        certificate,
        created,
    )
    .fetch_one(db)
    .await
    .creating("an authority of this tenant", "add the authority")?;
    Ok(unsigned(generation))
}

/// Lets an authority issue nothing more. What it issued is believed until it ends.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has none that issues.
pub async fn retire(
    db: &mut SqliteConnection,
    tenant: TenantId,
    at: Timestamp,
    ends: Timestamp,
) -> Result<(), RegistryError> {
    let (tenant, at, ends) = (tenant.uuid(), at.millis(), ends.millis());
    let done = sqlx::query!(
        "UPDATE authority SET retired = ?2, ends = ?3 WHERE tenant_id = ?1 AND retired IS NULL",
        tenant,
        at,
        ends,
    )
    .execute(db)
    .await
    .doing("retire the authority")?;
    one(done.rows_affected(), "authority")
}

/// The authority that issues for a tenant, once it has one.
///
/// # Errors
///
/// When the database fails.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Option<Authority>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT tenant_id AS "tenant_id: Uuid", generation, certificate, created, crl_number,
                  list, retired, ends
             FROM authority
            WHERE tenant_id = ?1
              AND retired IS NULL"#,
        tenant,
    )
    .fetch_optional(db)
    .await
    .doing("look up the authority")?
    .map(Row::read)
    .transpose()
}

/// The authorities of all tenants whose certificates may be valid: what the listener trusts.
///
/// # Errors
///
/// When the database fails.
pub async fn all(
    db: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<Authority>, RegistryError> {
    let now = now.millis();
    sqlx::query_as!(
        Row,
        r#"SELECT tenant_id AS "tenant_id: Uuid", generation, certificate, created, crl_number,
                  list, retired, ends
             FROM authority
            WHERE ends IS NULL OR ends > ?1
            ORDER BY tenant_id, generation"#,
        now,
    )
    .fetch_all(db)
    .await
    .doing("list the authorities")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// Takes the number of the next revocation list of a tenant's authority.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such authority.
pub async fn next_list(
    db: &mut SqliteConnection,
    tenant: TenantId,
    generation: u64,
) -> Result<u64, RegistryError> {
    let (tenant, generation) = (tenant.uuid(), signed(generation));
    let number = sqlx::query_scalar!(
        "UPDATE authority
            SET crl_number = crl_number + 1
          WHERE tenant_id = ?1
            AND generation = ?2
      RETURNING crl_number",
        tenant,
        generation,
    )
    .fetch_optional(db)
    .await
    .doing("number a revocation list")?
    .ok_or(RegistryError::NotFound { what: "authority" })?;
    u64::try_from(number).map_err(|_| RegistryError::Damaged { what: "the number of a list" })
}

/// Keeps the list that an authority signed last, for whoever wants to have it.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such authority.
pub async fn keep_list(
    db: &mut SqliteConnection,
    tenant: TenantId,
    generation: u64,
    list: &str,
) -> Result<(), RegistryError> {
    let (tenant, generation) = (tenant.uuid(), signed(generation));
    let done = sqlx::query!(
        "UPDATE authority SET list = ?3 WHERE tenant_id = ?1 AND generation = ?2",
        tenant,
        generation,
        list,
    )
    .execute(db)
    .await
    .doing("keep a revocation list")?;
    one(done.rows_affected(), "authority")
}

/// Adds the authority that issues the gateway's own certificate.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when there is one.
pub async fn create_servers(
    db: &mut SqliteConnection,
    certificate: &str,
    created: Timestamp,
) -> Result<(), RegistryError> {
    let created = created.millis();
    sqlx::query!(
        "INSERT INTO server_authority (only_one, certificate, created) VALUES (1, ?1, ?2)",
        certificate,
        created,
    )
    .execute(db)
    .await
    .creating("an authority of the gateway", "add the authority")?;
    Ok(())
}

/// The certificate (PEM) of the authority that issues the gateway's own, once there is one.
///
/// # Errors
///
/// When the database fails.
pub async fn servers(db: &mut SqliteConnection) -> Result<Option<String>, RegistryError> {
    sqlx::query_scalar!("SELECT certificate FROM server_authority")
        .fetch_optional(db)
        .await
        .doing("look up the authority of the gateway")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{A, B, Fixture, later};

    #[tokio::test]
    async fn m02_the_numbers_of_revocation_lists_only_grow_and_each_tenant_has_its_own() {
        let fixture = Fixture::new().await;
        let mut db = fixture.registry.begin().await.unwrap();
        assert_eq!(find(&mut db, A.tenant).await.unwrap(), None);
        assert!(next_list(&mut db, A.tenant, 1).await.is_err());
        for tenant in [A.tenant, B.tenant] {
            assert_eq!(create(&mut db, tenant, "PEM", later(1)).await.unwrap(), 1);
            assert!(create(&mut db, tenant, "PEM", later(1)).await.is_err());
        }
        let mut numbers = Vec::new();
        for tenant in [A.tenant, A.tenant, B.tenant, A.tenant] {
            numbers.push(next_list(&mut db, tenant, 1).await.unwrap());
        }
        assert_eq!(numbers, [1, 2, 1, 3]);
        assert_eq!(find(&mut db, A.tenant).await.unwrap().unwrap().crl_number, 3);
        let back = sqlx::query("UPDATE authority SET crl_number = 2").execute(&mut *db).await;
        assert!(back.is_err());
        assert_eq!(all(&mut db, later(1)).await.unwrap().len(), 2);
        keep_list(&mut db, A.tenant, 1, "LIST").await.unwrap();
        let kept = find(&mut db, A.tenant).await.unwrap().unwrap().list;
        assert_eq!(kept.as_deref(), Some("LIST"));
    }

    #[tokio::test]
    async fn m16_an_authority_that_was_followed_is_there_until_its_certificates_have_ended() {
        let fixture = Fixture::new().await;
        let mut db = fixture.registry.begin().await.unwrap();
        assert!(retire(&mut db, A.tenant, later(1), later(9)).await.is_err());
        create(&mut db, A.tenant, "OLD", later(1)).await.unwrap();
        retire(&mut db, A.tenant, later(2), later(9)).await.unwrap();
        assert_eq!(create(&mut db, A.tenant, "NEW", later(2)).await.unwrap(), 2);
        assert_eq!(find(&mut db, A.tenant).await.unwrap().unwrap().certificate, "NEW");
        let both = all(&mut db, later(8)).await.unwrap();
        let both: Vec<_> = both.into_iter().map(|it| (it.certificate, it.retired)).collect();
        let old = ("OLD".to_owned(), Some((later(2), later(9))));
        assert_eq!(both, [old, ("NEW".to_owned(), None)]);
        assert_eq!(next_list(&mut db, A.tenant, 1).await.unwrap(), 1);
        assert_eq!(all(&mut db, later(9)).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn the_gateway_has_one_authority() {
        let fixture = Fixture::new().await;
        let mut db = fixture.registry.begin().await.unwrap();
        assert_eq!(servers(&mut db).await.unwrap(), None);
        create_servers(&mut db, "PEM", later(1)).await.unwrap();
        assert!(create_servers(&mut db, "OTHER", later(1)).await.is_err());
        assert_eq!(servers(&mut db).await.unwrap().as_deref(), Some("PEM"));
    }
}
