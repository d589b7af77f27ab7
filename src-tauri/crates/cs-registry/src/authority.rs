//! Authorities: who issues the certificates of agents and of the gateway. Their private keys are
//! not here.

use cs_model::{TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::time;

/// The authority of a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authority {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its certificate, as PEM.
    pub certificate: String,
    /// When it was made.
    pub created: Timestamp,
    /// The number of the last revocation list that it signed; 0 before the first.
    pub crl_number: u64,
}

struct Row {
    tenant_id: Uuid,
    certificate: String,
    created: i64,
    crl_number: i64,
}

impl Row {
    fn read(self) -> Result<Authority, RegistryError> {
        let number = u64::try_from(self.crl_number);
        Ok(Authority {
            tenant: TenantId::new(self.tenant_id),
            certificate: self.certificate,
            created: time(self.created),
            crl_number: number
                .map_err(|_| RegistryError::Damaged { what: "the number of a list" })?,
        })
    }
}

/// Adds the authority of a tenant.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when it has one, [`RegistryError::NotFound`] when there is no such
/// tenant.
pub async fn create(
    db: &mut SqliteConnection,
    tenant: TenantId,
    certificate: &str,
    created: Timestamp,
) -> Result<(), RegistryError> {
    let (tenant, created) = (tenant.uuid(), created.millis());
    sqlx::query!(
        "INSERT INTO authority (tenant_id, certificate, created, crl_number)
         VALUES (?1, ?2, ?3, 0)",
        tenant,
        certificate,
        created,
    )
    .execute(db)
    .await
    .creating("an authority of this tenant", "add the authority")?;
    Ok(())
}

/// The authority of a tenant, once it has one.
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
        r#"SELECT tenant_id AS "tenant_id: Uuid", certificate, created, crl_number
             FROM authority
            WHERE tenant_id = ?1"#,
        tenant,
    )
    .fetch_optional(db)
    .await
    .doing("look up the authority")?
    .map(Row::read)
    .transpose()
}

/// The authorities of all tenants: what the listener trusts.
///
/// # Errors
///
/// When the database fails.
pub async fn all(db: &mut SqliteConnection) -> Result<Vec<Authority>, RegistryError> {
    sqlx::query_as!(
        Row,
        r#"SELECT tenant_id AS "tenant_id: Uuid", certificate, created, crl_number
             FROM authority
            ORDER BY created, tenant_id"#,
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
/// [`RegistryError::NotFound`] when the tenant has no authority.
pub async fn next_list(db: &mut SqliteConnection, tenant: TenantId) -> Result<u64, RegistryError> {
    let tenant = tenant.uuid();
    let number = sqlx::query_scalar!(
        "UPDATE authority SET crl_number = crl_number + 1 WHERE tenant_id = ?1 RETURNING crl_number",
        tenant,
    )
    .fetch_optional(db)
    .await
    .doing("number a revocation list")?
    .ok_or(RegistryError::NotFound { what: "authority" })?;
    u64::try_from(number).map_err(|_| RegistryError::Damaged { what: "the number of a list" })
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
        assert!(next_list(&mut db, A.tenant).await.is_err());
        for tenant in [A.tenant, B.tenant] {
            create(&mut db, tenant, "PEM", later(1)).await.unwrap();
            assert!(create(&mut db, tenant, "PEM", later(1)).await.is_err());
        }
        let mut numbers = Vec::new();
        for tenant in [A.tenant, A.tenant, B.tenant, A.tenant] {
            numbers.push(next_list(&mut db, tenant).await.unwrap());
        }
        assert_eq!(numbers, [1, 2, 1, 3]);
        assert_eq!(find(&mut db, A.tenant).await.unwrap().unwrap().crl_number, 3);
        let back = sqlx::query("UPDATE authority SET crl_number = 2").execute(&mut *db).await;
        assert!(back.is_err());
        assert_eq!(all(&mut db).await.unwrap().len(), 2);
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
