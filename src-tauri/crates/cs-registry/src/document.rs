//! From rows to the policy document that is enforced.

use std::collections::BTreeMap;

use cs_model::document::{
    AgentDoc, IssuerDoc, ProviderDoc, RoleDoc, ServerDoc, TaskDoc, TenantDoc, ToolDoc,
};
use cs_model::{Condition, Document, Grant, RoleId, ToolId};
use sqlx::SqliteConnection;

use crate::tenant::Tenant;
use crate::{
    RegistryError, agent, grant, issuer, lifecycle, policy, provider, role, server, task, tenant,
    tool,
};

/// Everything that is enforced, under the number of the latest version, in an order that depends
/// on nothing but the rows: the same rows give the same document.
///
/// # Errors
///
/// When the database fails or holds what cannot be read.
pub async fn load(db: &mut SqliteConnection) -> Result<Document, RegistryError> {
    let version = policy::latest(&mut *db).await?;
    let mut found = tenant::list(&mut *db).await?;
    found.sort_by_key(|tenant| tenant.id);
    let mut tenants = Vec::with_capacity(found.len());
    for tenant in found {
        tenants.push(load_tenant(&mut *db, tenant).await?);
    }
    Ok(Document { version, tenants })
}

async fn load_tenant(
    db: &mut SqliteConnection,
    tenant: Tenant,
) -> Result<TenantDoc, RegistryError> {
    let mut grants: BTreeMap<RoleId, BTreeMap<ToolId, Grant>> = BTreeMap::new();
    let mut conditions: BTreeMap<RoleId, BTreeMap<ToolId, Condition>> = BTreeMap::new();
    for cell in grant::list(&mut *db, tenant.id).await? {
        if let Some(condition) = cell.condition {
            conditions.entry(cell.role).or_default().insert(cell.tool, condition);
        }
        grants.entry(cell.role).or_default().insert(cell.tool, cell.grant);
    }
    let servers = server::list(&mut *db, tenant.id).await?;
    let tools = tool::list(&mut *db, tenant.id).await?;
    let roles = role::list(&mut *db, tenant.id).await?;
    let tasks = task::list(&mut *db, tenant.id).await?;
    let agents = agent::list(&mut *db, tenant.id).await?;
    let providers = provider::list(&mut *db, tenant.id).await?;
    let issuer = issuer::find(&mut *db, tenant.id).await?;
    let lifecycle = lifecycle::find(&mut *db, tenant.id).await?;
    Ok(TenantDoc {
        id: tenant.id,
        name: tenant.name,
        standing: tenant.standing,
        servers: servers
            .into_iter()
            .map(|it| ServerDoc {
                id: it.id,
                name: it.name,
                enabled: it.enabled,
                passes: it.passes,
            })
            .collect(),
        tools: tools
            .into_iter()
            .map(|it| ToolDoc {
                id: it.id,
                server: it.server,
                kind: it.kind,
                name: it.name,
                fingerprint: it.fingerprint,
                definition: it.definition,
                enabled: it.enabled,
                scopes: it.scopes,
                data_system: it.data_system,
                introspect: it.introspect,
                rate: it.rate,
                signing: it.signing,
                effects: it.effects,
            })
            .collect(),
        roles: roles
            .into_iter()
            .map(|it| RoleDoc {
                id: it.id,
                name: it.name,
                grants: grants.remove(&it.id).unwrap_or_default(),
                conditions: conditions.remove(&it.id).unwrap_or_default(),
            })
            .collect(),
        tasks: tasks
            .into_iter()
            .map(|it| TaskDoc {
                id: it.id,
                name: it.name,
                tools: it.tools,
                expected_secs: it.expected_secs,
                longest_secs: it.longest_secs,
            })
            .collect(),
        agents: agents
            .into_iter()
            .map(|it| AgentDoc {
                id: it.id,
                name: it.name,
                standing: it.standing,
                roles: it.roles,
                tasks: it.tasks,
                rate: it.rate,
                most_waiting: it.most_waiting,
                responsible: it.responsible,
            })
            .collect(),
        providers: providers
            .into_iter()
            .map(|it| ProviderDoc {
                id: it.id,
                name: it.name,
                enabled: it.enabled,
                settings: it.settings,
            })
            .collect(),
        issuer: issuer.map(|it| IssuerDoc { enabled: it.enabled, token_secs: it.token_secs }),
        lifecycle,
    })
}

#[cfg(test)]
mod tests;
