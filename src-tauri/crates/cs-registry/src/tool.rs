//! Tools, prompts, resources and resource templates, with the definitions that an administrator accepted.

use std::collections::BTreeSet;

use cs_model::{
    Digest, Effects, Kind, Rate, ServerId, Signing, TenantId, Timestamp, ToolId, ToolName,
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{digest, json, rate, time, to_json, tool_name, word};

/// A tool, or what else a server publishes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tool {
    /// Its id.
    pub id: ToolId,
    /// Its tenant.
    pub tenant: TenantId,
    /// The server that has it.
    pub server: ServerId,
    /// Its kind.
    pub kind: Kind,
    /// Its name at that server: for a resource its URI, for a template its text.
    pub name: ToolName,
    /// Its pinned definition, as the server published it.
    pub definition: String,
    /// The digest of the canonical form of that definition.
    pub fingerprint: Digest,
    /// Whether it may be called at all.
    pub enabled: bool,
    /// The scopes that an access token needs to call it.
    pub scopes: BTreeSet<String>,
    /// The data system behind it, in the tenant's own words.
    pub data_system: Option<String>,
    /// Whether the provider of an access token is asked about it on each call.
    pub introspect: bool,
    /// How often each agent may call it.
    pub rate: Option<Rate>,
    /// What it asks of whoever approves its calls.
    pub signing: Signing,
    /// What it can do that cannot be taken back, as an administrator says.
    pub effects: Effects,
    /// When it was added.
    pub created: Timestamp,
    /// When a call was last sent to it.
    pub last_used: Option<Timestamp>,
}

/// Adds a tool.
///
/// # Errors
///
/// [`RegistryError::Conflict`] when its server has one of this kind and name,
/// [`RegistryError::NotFound`] when the tenant has no such server.
pub async fn create(db: &mut SqliteConnection, tool: &Tool) -> Result<(), RegistryError> {
    let (id, tenant, server) = (tool.id.uuid(), tool.tenant.uuid(), tool.server.uuid());
    let (kind, name) = (tool.kind.as_str(), tool.name.as_str());
    let fingerprint = tool.fingerprint.as_bytes().as_slice();
    let created = tool.created.millis();
    let scopes = to_json(&tool.scopes, "the scopes of a tool")?;
    let (calls, secs) = (tool.rate.map(Rate::calls), tool.rate.map(Rate::secs));
    let signing = written(&tool.signing)?;
    sqlx::query!(
        "INSERT INTO tool (id, tenant_id, server_id, kind, name, definition, fingerprint,
                           enabled, created, scopes, data_system, introspect, rate_calls,
                           rate_secs, signing, sends_out, destroys)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        id,
        tenant,
        server,
        kind,
        name,
        tool.definition,
        fingerprint,
        tool.enabled,
        created,
        scopes,
        tool.data_system,
        tool.introspect,
        calls,
        secs,
        signing,
        tool.effects.sends_out,
        tool.effects.destroys,
    )
    .execute(db)
    .await
    .creating("a tool of this name", "add the tool")?;
    Ok(())
}

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    server_id: Uuid,
    kind: String,
    name: String,
    definition: String,
    fingerprint: Vec<u8>,
    enabled: bool,
    scopes: String,
    data_system: Option<String>,
    introspect: bool,
    rate_calls: Option<i64>,
    rate_secs: Option<i64>,
    signing: Option<String>,
    sends_out: bool,
    destroys: bool,
    created: i64,
    last_used: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Tool, RegistryError> {
        let kind: Kind = word(&self.kind, "the kind of a tool")?;
        Ok(Tool {
            id: ToolId::new(self.id),
            tenant: TenantId::new(self.tenant_id),
            server: ServerId::new(self.server_id),
            kind,
            name: tool_name(kind, &self.name)?,
            definition: self.definition,
            fingerprint: digest(self.fingerprint)?,
            enabled: self.enabled,
            scopes: json(&self.scopes, "the scopes of a tool")?,
            data_system: self.data_system,
            introspect: self.introspect,
            rate: rate(self.rate_calls, self.rate_secs)?,
            signing: read_signing(self.signing.as_deref())?,
            effects: Effects { sends_out: self.sends_out, destroys: self.destroys },
            created: time(self.created),
            last_used: self.last_used.map(time),
        })
    }
}

/// A tenant's tools, by server, kind and name.
///
/// # Errors
///
/// When the database fails.
pub async fn list(db: &mut SqliteConnection, tenant: TenantId) -> Result<Vec<Tool>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT tool.id AS "id: Uuid", tool.tenant_id AS "tenant_id: Uuid",
                  tool.server_id AS "server_id: Uuid", tool.kind, tool.name, tool.definition,
                  tool.fingerprint, tool.enabled AS "enabled: bool", tool.scopes,
                  tool.data_system, tool.introspect AS "introspect: bool",
                  tool.rate_calls, tool.rate_secs, tool.signing,
                  tool.sends_out AS "sends_out: bool", tool.destroys AS "destroys: bool",
                  tool.created, tool.last_used
             FROM tool
             JOIN server ON server.tenant_id = tool.tenant_id AND server.id = tool.server_id
            WHERE tool.tenant_id = ?1
            ORDER BY server.name, tool.kind <> 'tool', tool.kind, tool.name"#,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("list the tools")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// One tool.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such tool.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    tool: ToolId,
) -> Result<Tool, RegistryError> {
    let (tenant, tool) = (tenant.uuid(), tool.uuid());
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid",
                  server_id AS "server_id: Uuid", kind, name, definition, fingerprint,
                  enabled AS "enabled: bool", scopes, data_system,
                  introspect AS "introspect: bool", rate_calls, rate_secs, signing,
                  sends_out AS "sends_out: bool", destroys AS "destroys: bool", created, last_used
             FROM tool
            WHERE tenant_id = ?1
              AND id = ?2"#,
        tenant,
        tool,
    )
    .fetch_optional(db)
    .await
    .doing("look up the tool")?
    .ok_or(RegistryError::NotFound { what: "tool" })?
    .read()
}

/// Says which scopes an access token needs to call a tool, which data system it reaches, and
/// whether each call with a token is asked about.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such tool.
pub async fn describe(
    db: &mut SqliteConnection,
    tenant: TenantId,
    tool: ToolId,
    scopes: &BTreeSet<String>,
    data_system: Option<&str>,
    introspect: bool,
) -> Result<(), RegistryError> {
    let (tenant, tool) = (tenant.uuid(), tool.uuid());
    let scopes = to_json(scopes, "the scopes of a tool")?;
    let done = sqlx::query!(
        "UPDATE tool
            SET scopes = ?1, data_system = ?2, introspect = ?3
          WHERE id = ?4
            AND tenant_id = ?5",
        scopes,
        data_system,
        introspect,
        tool,
        tenant,
    )
    .execute(db)
    .await
    .doing("describe the tool")?;
    one(done.rows_affected(), "tool")
}

/// Says how often each agent may call a tool.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such tool.
pub async fn set_rate(
    db: &mut SqliteConnection,
    tenant: TenantId,
    tool: ToolId,
    rate: Option<Rate>,
) -> Result<(), RegistryError> {
    let (tenant, tool) = (tenant.uuid(), tool.uuid());
    let (calls, secs) = (rate.map(Rate::calls), rate.map(Rate::secs));
    let done = sqlx::query!(
        "UPDATE tool SET rate_calls = ?1, rate_secs = ?2 WHERE id = ?3 AND tenant_id = ?4",
        calls,
        secs,
        tool,
        tenant,
    )
    .execute(db)
    .await
    .doing("change how often the tool may be called")?;
    one(done.rows_affected(), "tool")
}

/// Says what a tool asks of whoever approves its calls.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such tool.
pub async fn set_signing(
    db: &mut SqliteConnection,
    tenant: TenantId,
    tool: ToolId,
    signing: &Signing,
) -> Result<(), RegistryError> {
    let (tenant, tool) = (tenant.uuid(), tool.uuid());
    let signing = written(signing)?;
    let done = sqlx::query!(
        "UPDATE tool SET signing = ?1 WHERE id = ?2 AND tenant_id = ?3",
        signing,
        tool,
        tenant,
    )
    .execute(db)
    .await
    .doing("change who approves the tool's calls")?;
    one(done.rows_affected(), "tool")
}

/// Says what a tool can do that cannot be taken back.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such tool.
pub async fn set_effects(
    db: &mut SqliteConnection,
    tenant: TenantId,
    tool: ToolId,
    effects: Effects,
) -> Result<(), RegistryError> {
    let (tenant, tool) = (tenant.uuid(), tool.uuid());
    let done = sqlx::query!(
        "UPDATE tool SET sends_out = ?1, destroys = ?2 WHERE id = ?3 AND tenant_id = ?4",
        effects.sends_out,
        effects.destroys,
        tool,
        tenant,
    )
    .execute(db)
    .await
    .doing("mark what the tool can do")?;
    one(done.rows_affected(), "tool")
}

/// A signing rule as it is kept: the usual one not at all.
fn written(signing: &Signing) -> Result<Option<String>, RegistryError> {
    let special = (!signing.is_default()).then_some(signing);
    special.map(|it| to_json(it, "a signing rule")).transpose()
}

fn read_signing(text: Option<&str>) -> Result<Signing, RegistryError> {
    text.map_or_else(|| Ok(Signing::default()), |text| json(text, "a signing rule"))
}

/// Pins another definition: sessions that opened with the one before cannot call the tool.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such tool.
pub async fn pin(
    db: &mut SqliteConnection,
    tenant: TenantId,
    tool: ToolId,
    definition: &str,
    fingerprint: Digest,
) -> Result<(), RegistryError> {
    let (tenant, tool) = (tenant.uuid(), tool.uuid());
    let fingerprint = fingerprint.as_bytes().as_slice();
    let done = sqlx::query!(
        "UPDATE tool SET definition = ?1, fingerprint = ?2 WHERE id = ?3 AND tenant_id = ?4",
        definition,
        fingerprint,
        tool,
        tenant,
    )
    .execute(db)
    .await
    .doing("pin the tool's definition")?;
    one(done.rows_affected(), "tool")
}

/// Lets a tool be called, or not.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such tool.
pub async fn set_enabled(
    db: &mut SqliteConnection,
    tenant: TenantId,
    tool: ToolId,
    enabled: bool,
) -> Result<(), RegistryError> {
    let (tenant, tool) = (tenant.uuid(), tool.uuid());
    let done = sqlx::query!(
        "UPDATE tool SET enabled = ?1 WHERE id = ?2 AND tenant_id = ?3",
        enabled,
        tool,
        tenant,
    )
    .execute(db)
    .await
    .doing("enable or disable the tool")?;
    one(done.rows_affected(), "tool")
}

/// Removes a tool with its grants.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such tool.
pub async fn remove(
    db: &mut SqliteConnection,
    tenant: TenantId,
    tool: ToolId,
) -> Result<(), RegistryError> {
    let (tenant, tool) = (tenant.uuid(), tool.uuid());
    let done = sqlx::query!("DELETE FROM tool WHERE id = ?1 AND tenant_id = ?2", tool, tenant)
        .execute(db)
        .await
        .doing("remove the tool")?;
    one(done.rows_affected(), "tool")
}

#[cfg(test)]
mod tests;
