//! Identity providers: whose access tokens a tenant accepts.

use cs_model::provider::ProviderSettings;
use cs_model::{Name, ProviderId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{json, name, time, to_json};

/// An identity provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name. Unique in the tenant.
    pub name: Name,
    /// Whether its tokens are accepted.
    pub enabled: bool,
    /// Under which rules. Its issuer is unique in the tenant.
    pub settings: ProviderSettings,
    /// When it was added.
    pub created: Timestamp,
}

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    name: String,
    enabled: bool,
    settings: String,
    created: i64,
}

impl Row {
    fn read(self) -> Result<Provider, RegistryError> {
        Ok(Provider {
            id: ProviderId::new(self.id),
            tenant: TenantId::new(self.tenant_id),
            name: name(&self.name)?,
            enabled: self.enabled,
            settings: json(&self.settings, "the settings of an identity provider")?,
            created: time(self.created),
        })
    }
}

/// Adds an identity provider.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when the name or the issuer is taken,
/// [`RegistryError::NotFound`] when there is no such tenant.
pub async fn create(db: &mut SqliteConnection, new: &Provider) -> Result<(), RegistryError> {
    let (id, tenant, name) = (new.id.uuid(), new.tenant.uuid(), new.name.as_str());
    let settings = to_json(&new.settings, "the settings of an identity provider")?;
    let (issuer, created) = (new.settings.issuer.as_str(), new.created.millis());
    sqlx::query!(
        "INSERT INTO provider (id, tenant_id, name, issuer, settings, enabled, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        id,
        tenant,
        name,
        issuer,
        settings,
        new.enabled,
        created,
    )
    .execute(db)
    .await
    .creating("an identity provider of this name or issuer", "add the identity provider")?;
    Ok(())
}

/// A tenant's identity providers, by name.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<Provider>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", name,
                  enabled AS "enabled: bool", settings, created
             FROM provider
            WHERE tenant_id = ?1
            ORDER BY name"#,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("list the identity providers")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// Changes the name, the settings and whether tokens are accepted.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such provider, [`RegistryError::Conflict`]
/// when the name or the issuer is taken.
pub async fn update(db: &mut SqliteConnection, new: &Provider) -> Result<(), RegistryError> {
    let (id, tenant, name) = (new.id.uuid(), new.tenant.uuid(), new.name.as_str());
    let settings = to_json(&new.settings, "the settings of an identity provider")?;
    let issuer = new.settings.issuer.as_str();
    let done = sqlx::query!(
        "UPDATE provider
            SET name = ?1, issuer = ?2, settings = ?3, enabled = ?4
          WHERE id = ?5
            AND tenant_id = ?6",
        name,
        issuer,
        settings,
        new.enabled,
        id,
        tenant,
    )
    .execute(db)
    .await
    .creating("an identity provider of this name or issuer", "change the identity provider")?;
    one(done.rows_affected(), "identity provider")
}

/// Removes an identity provider with the credentials of its subjects.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such provider.
pub async fn remove(
    db: &mut SqliteConnection,
    tenant: TenantId,
    provider: ProviderId,
) -> Result<(), RegistryError> {
    let (id, tenant) = (provider.uuid(), tenant.uuid());
    let done = sqlx::query!("DELETE FROM provider WHERE id = ?1 AND tenant_id = ?2", id, tenant)
        .execute(db)
        .await
        .doing("remove the identity provider")?;
    one(done.rows_affected(), "identity provider")
}
