//! Attempts outside allowlists, for each agent and session.

use cs_model::{AgentId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{time, unsigned};

const DAY_MS: i64 = 86_400_000;

/// What the sessions of one agent that opened on one day add up to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Strays {
    /// When the day began, in UTC.
    pub day: Timestamp,
    /// The agent.
    pub agent: AgentId,
    /// Its name, at the latest of these sessions.
    pub agent_name: String,
    /// How many sessions.
    pub sessions: u64,
    /// How many attempts outside their allowlists.
    pub attempts: u64,
}

/// What a tenant's sessions that opened since a moment add up to, by day and agent.
///
/// # Errors
///
/// When the database fails.
pub async fn strays(
    db: &mut SqliteConnection,
    tenant: TenantId,
    since: Timestamp,
) -> Result<Vec<Strays>, RegistryError> {
    let (tenant, since) = (tenant.uuid(), since.millis());
    let rows = sqlx::query!(
        r#"SELECT opened / 86400000 AS "day!: i64", agent_id AS "agent!: Uuid",
                  max(agent_name) AS "agent_name!", count(*) AS "sessions!: i64",
                  sum(anomalies) AS "attempts!: i64"
             FROM session
            WHERE tenant_id = ?1
              AND opened >= ?2
            GROUP BY 1, 2
            ORDER BY 1, 3"#,
        tenant,
        since,
    )
    .fetch_all(db)
    .await
    .doing("count the anomalies")?;
    let strays = rows.into_iter().map(|row| Strays {
        day: time(row.day.saturating_mul(DAY_MS)),
        agent: AgentId::new(row.agent),
        agent_name: row.agent_name,
        sessions: unsigned(row.sessions),
        attempts: unsigned(row.attempts),
    });
    Ok(strays.collect())
}
