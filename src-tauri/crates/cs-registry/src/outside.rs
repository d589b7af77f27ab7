//! Authorities of others whose certificates a tenant believes.

use cs_model::{AuthorityId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::time;

/// An authority of others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OutsideAuthority {
    /// Its id.
    pub id: AuthorityId,
    /// The tenant that believes it.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Its certificates, as PEM.
    pub certificates: String,
    /// The beginning of each SPIFFE id that it may speak for.
    pub prefix: String,
    /// Its revocation lists, as PEM; empty when there are none.
    pub lists: String,
    /// When it was added.
    pub created: Timestamp,
    /// When its lists were handed in.
    pub listed: Option<Timestamp>,
}

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    name: String,
    certificates: String,
    prefix: String,
    lists: String,
    created: i64,
    listed: Option<i64>,
}

impl Row {
    fn read(self) -> OutsideAuthority {
        OutsideAuthority {
            id: AuthorityId::new(self.id),
            tenant: TenantId::new(self.tenant_id),
            name: self.name,
            certificates: self.certificates,
            prefix: self.prefix,
            lists: self.lists,
            created: time(self.created),
            listed: self.listed.map(time),
        }
    }
}

/// Adds an authority.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the tenant has one of this name, [`RegistryError::NotFound`]
/// when there is no such tenant.
pub async fn create(
    db: &mut SqliteConnection,
    new: &OutsideAuthority,
) -> Result<(), RegistryError> {
    let (id, tenant, created) = (new.id.uuid(), new.tenant.uuid(), new.created.millis());
    let listed = new.listed.map(Timestamp::millis);
    sqlx::query!(
        "INSERT INTO outside_authority (id, tenant_id, name, certificates, prefix, lists, created,
                                        listed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        id,
        tenant,
        new.name,
        new.certificates,
        new.prefix,
        new.lists,
        created,
        listed,
    )
    .execute(db)
    .await
    .creating("an authority of this name", "add the authority")?;
    Ok(())
}

/// A tenant's authorities of others, in the order in which they were added.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<OutsideAuthority>, RegistryError> {
    let tenant = tenant.uuid();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", name, certificates, prefix,
                  lists, created, listed
             FROM outside_authority
            WHERE tenant_id = ?1
            ORDER BY created, rowid"#,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("list the authorities of others")?;
    Ok(rows.into_iter().map(Row::read).collect())
}

/// Those of every tenant: what the listener trusts.
///
/// # Errors
///
/// When the database fails.
pub async fn all(db: &mut SqliteConnection) -> Result<Vec<OutsideAuthority>, RegistryError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", name, certificates, prefix,
                  lists, created, listed
             FROM outside_authority
            ORDER BY created, rowid"#,
    )
    .fetch_all(db)
    .await
    .doing("list the authorities of others")?;
    Ok(rows.into_iter().map(Row::read).collect())
}

/// One of them.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such authority.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: AuthorityId,
) -> Result<OutsideAuthority, RegistryError> {
    let (tenant, id) = (tenant.uuid(), id.uuid());
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", name, certificates, prefix,
                  lists, created, listed
             FROM outside_authority
            WHERE tenant_id = ?1
              AND id = ?2"#,
        tenant,
        id,
    )
    .fetch_optional(db)
    .await
    .doing("look up the authority")?;
    row.map(Row::read).ok_or(RegistryError::NotFound { what: "authority" })
}

/// Replaces the revocation lists of an authority.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such authority.
pub async fn relist(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: AuthorityId,
    lists: &str,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (tenant, id, at) = (tenant.uuid(), id.uuid(), at.millis());
    let done = sqlx::query!(
        "UPDATE outside_authority SET lists = ?3, listed = ?4 WHERE tenant_id = ?1 AND id = ?2",
        tenant,
        id,
        lists,
        at,
    )
    .execute(db)
    .await
    .doing("replace the revocation lists")?;
    one(done.rows_affected(), "authority")
}

/// Removes an authority. What was registered of it has to be revoked besides.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such authority.
pub async fn remove(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: AuthorityId,
) -> Result<(), RegistryError> {
    let (tenant, id) = (tenant.uuid(), id.uuid());
    let done =
        sqlx::query!("DELETE FROM outside_authority WHERE tenant_id = ?1 AND id = ?2", tenant, id,)
            .execute(db)
            .await
            .doing("remove the authority")?;
    one(done.rows_affected(), "authority")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{A, B, Fixture, later};

    #[tokio::test]
    async fn m06_an_authority_is_one_tenants_and_no_others() {
        let fixture = Fixture::new().await;
        let mut db = fixture.registry.begin().await.unwrap();
        let id = AuthorityId::from_random([7; 16]);
        let new = OutsideAuthority {
            id,
            tenant: A.tenant,
            name: "partner".to_owned(),
            certificates: "PEM".to_owned(),
            prefix: "spiffe://partner.example/".to_owned(),
            lists: String::new(),
            created: later(1),
            listed: None,
        };
        create(&mut db, &new).await.unwrap();
        let again = OutsideAuthority { id: AuthorityId::from_random([8; 16]), ..new.clone() };
        assert!(matches!(create(&mut db, &again).await, Err(RegistryError::Conflict { .. })));
        assert_eq!(find(&mut db, A.tenant, id).await.unwrap(), new);
        assert!(find(&mut db, B.tenant, id).await.is_err());
        assert!(relist(&mut db, B.tenant, id, "LIST", later(2)).await.is_err());
        assert!(remove(&mut db, B.tenant, id).await.is_err());
        assert_eq!(list(&mut db, B.tenant).await.unwrap(), []);
        relist(&mut db, A.tenant, id, "LIST", later(2)).await.unwrap();
        let found = all(&mut db).await.unwrap().remove(0);
        assert_eq!((found.lists.as_str(), found.listed), ("LIST", Some(later(2))));
        remove(&mut db, A.tenant, id).await.unwrap();
        assert_eq!(list(&mut db, A.tenant).await.unwrap(), []);
    }
}
