//! Templates of servers, and the servers that come from one.

use std::collections::BTreeMap;

use cs_model::upstream::Transport;
use cs_model::{Name, ServerId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{json, name, to_json};

/// A template. It belongs to the installation and holds nothing of any tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template {
    /// Its name.
    pub name: Name,
    /// How its servers are reached, with places.
    pub transport: Transport,
}

/// Where a server comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// Its tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
    /// The template.
    pub template: Name,
    /// What the tenant put into its places.
    pub settings: BTreeMap<String, String>,
}

/// Keeps a template, in place of the one of its name.
///
/// # Errors
///
/// When the database fails.
pub async fn put(
    db: &mut SqliteConnection,
    template: &Template,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let (name, at) = (template.name.as_str(), at.millis());
    let transport = to_json(&template.transport, "a transport")?;
    sqlx::query!(
        "INSERT INTO server_template (name, transport, created)
         VALUES (?1, ?2, ?3)
         ON CONFLICT (name)
         DO UPDATE SET transport = excluded.transport",
        name,
        transport,
        at,
    )
    .execute(db)
    .await
    .doing("keep the template")?;
    Ok(())
}

/// Every template, by name.
///
/// # Errors
///
/// When the database fails.
pub async fn list(db: &mut SqliteConnection) -> Result<Vec<Template>, RegistryError> {
    sqlx::query!("SELECT name, transport FROM server_template ORDER BY name")
        .fetch_all(db)
        .await
        .doing("list the templates")?
        .into_iter()
        .map(|row| {
            let transport = json(&row.transport, "a transport")?;
            Ok(Template { name: name(&row.name)?, transport })
        })
        .collect()
}

/// One template.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is none of this name.
pub async fn find(db: &mut SqliteConnection, wanted: &Name) -> Result<Template, RegistryError> {
    let text = wanted.as_str();
    let row = sqlx::query!("SELECT transport FROM server_template WHERE name = ?1", text)
        .fetch_optional(db)
        .await
        .doing("look up the template")?
        .ok_or(RegistryError::NotFound { what: "template" })?;
    Ok(Template { name: wanted.clone(), transport: json(&row.transport, "a transport")? })
}

/// Removes a template that no server comes from.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is none of this name, [`RegistryError::State`] when
/// servers still come from it.
pub async fn remove(db: &mut SqliteConnection, name: &Name) -> Result<(), RegistryError> {
    let name = name.as_str();
    let done = sqlx::query!("DELETE FROM server_template WHERE name = ?1", name).execute(db).await;
    let used = |error: &sqlx::Error| {
        error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
    };
    match done {
        Err(error) if used(&error) => Err(RegistryError::State { what: "the template" }),
        done => one(done.doing("remove the template")?.rows_affected(), "template"),
    }
}

/// Says where a server comes from, and what its tenant put into the places.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such server, or there is no such template.
pub async fn set_origin(db: &mut SqliteConnection, origin: &Origin) -> Result<(), RegistryError> {
    let (tenant, server) = (origin.tenant.uuid(), origin.server.uuid());
    let template = origin.template.as_str();
    let settings = to_json(&origin.settings, "the settings of a server")?;
    sqlx::query!(
        "INSERT INTO server_origin (tenant_id, server_id, template, settings)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant_id, server_id)
         DO UPDATE SET template = excluded.template, settings = excluded.settings",
        tenant,
        server,
        template,
        settings,
    )
    .execute(db)
    .await
    .creating("the server's origin", "keep where the server comes from")?;
    Ok(())
}

/// Forgets that a server came from a template: from now on its tenant says how it is reached.
///
/// # Errors
///
/// When the database fails.
pub async fn clear_origin(
    db: &mut SqliteConnection,
    tenant: TenantId,
    server: ServerId,
) -> Result<(), RegistryError> {
    let (tenant, server) = (tenant.uuid(), server.uuid());
    sqlx::query!(
        "DELETE FROM server_origin WHERE tenant_id = ?1 AND server_id = ?2",
        tenant,
        server
    )
    .execute(db)
    .await
    .doing("forget where the server came from")?;
    Ok(())
}

struct Row {
    tenant_id: Uuid,
    server_id: Uuid,
    template: String,
    settings: String,
}

impl Row {
    fn read(self) -> Result<Origin, RegistryError> {
        Ok(Origin {
            tenant: TenantId::new(self.tenant_id),
            server: ServerId::new(self.server_id),
            template: name(&self.template)?,
            settings: json(&self.settings, "the settings of a server")?,
        })
    }
}

/// Where a server comes from; nothing when its tenant says itself how it is reached.
///
/// # Errors
///
/// When the database fails.
pub async fn origin(
    db: &mut SqliteConnection,
    tenant: TenantId,
    server: ServerId,
) -> Result<Option<Origin>, RegistryError> {
    let (tenant, server) = (tenant.uuid(), server.uuid());
    sqlx::query_as!(
        Row,
        r#"SELECT tenant_id AS "tenant_id: Uuid", server_id AS "server_id: Uuid", template, settings
             FROM server_origin
            WHERE tenant_id = ?1
              AND server_id = ?2"#,
        tenant,
        server,
    )
    .fetch_optional(db)
    .await
    .doing("look up where the server comes from")?
    .map(Row::read)
    .transpose()
}

/// The servers of every tenant that come from a template.
///
/// # Errors
///
/// When the database fails.
pub async fn origins(db: &mut SqliteConnection) -> Result<Vec<Origin>, RegistryError> {
    sqlx::query_as!(
        Row,
        r#"SELECT tenant_id AS "tenant_id: Uuid", server_id AS "server_id: Uuid", template, settings
             FROM server_origin
            ORDER BY tenant_id, server_id"#,
    )
    .fetch_all(db)
    .await
    .doing("list the servers that come from templates")?
    .into_iter()
    .map(Row::read)
    .collect()
}
