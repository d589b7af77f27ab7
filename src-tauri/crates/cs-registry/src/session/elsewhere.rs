//! What an agent did in its other sessions.

use cs_model::{AgentId, SessionId, TenantId, Timestamp};
use sqlx::SqliteConnection;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::unsigned;

/// How many attempts outside their allowlists an agent made in its sessions but this one, of those
/// that were opened since then.
///
/// # Errors
///
/// When the database fails.
pub async fn anomalies_elsewhere(
    db: &mut SqliteConnection,
    (tenant, agent): (TenantId, AgentId),
    but: SessionId,
    since: Timestamp,
) -> Result<u64, RegistryError> {
    let (tenant, agent, but) = (tenant.uuid(), agent.uuid(), but.uuid());
    let since = since.millis();
    sqlx::query_scalar!(
        r#"SELECT coalesce(sum(anomalies), 0) AS "count!: i64"
             FROM session
            WHERE tenant_id = ?1
              AND agent_id = ?2
              AND id <> ?3
              AND opened >= ?4"#,
        tenant,
        agent,
        but,
        since,
    )
    .fetch_one(db)
    .await
    .map(unsigned)
    .doing("count the anomalies of the agent")
}
