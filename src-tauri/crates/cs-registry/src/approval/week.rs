//! How approving went over a span of time.

use cs_model::{TenantId, Timestamp};
use sqlx::SqliteConnection;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::unsigned;

/// How approving went.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Week {
    /// Requests that were made.
    pub asked: u64,
    /// Those of them that were approved.
    pub approved: u64,
    /// Those of them that were denied.
    pub denied: u64,
    /// Those of them that nobody decided in time.
    pub expired: u64,
    /// How long half of the decided ones waited at most, in seconds.
    pub median_seconds: Option<u64>,
    /// The same by tool, the most asked for first.
    pub by_tool: Vec<ToolWeek>,
}

/// How approving went for one tool.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToolWeek {
    /// The name of its server.
    pub server_name: String,
    /// Its name at that server.
    pub tool_name: String,
    /// Requests that were made.
    pub asked: u64,
    /// Those of them that were approved.
    pub approved: u64,
    /// Those of them that were denied.
    pub denied: u64,
}

/// How approving went since then, in one tenant or in all.
///
/// # Errors
///
/// When the database fails.
pub async fn week(
    db: &mut SqliteConnection,
    tenant: Option<TenantId>,
    since: Timestamp,
) -> Result<Week, RegistryError> {
    let (tenant, since) = (tenant.map(TenantId::uuid), since.millis());
    let rows = sqlx::query!(
        r#"SELECT server_name, tool_name,
                  count(*) AS "asked!: i64",
                  coalesce(sum(token_id IS NOT NULL), 0) AS "approved!: i64",
                  coalesce(sum(state = 'denied'), 0) AS "denied!: i64",
                  coalesce(sum(state = 'expired' AND token_id IS NULL), 0) AS "expired!: i64"
             FROM approval
            WHERE requested >= ?1
              AND (?2 IS NULL OR tenant_id = ?2)
            GROUP BY server_name, tool_name
            ORDER BY count(*) DESC, server_name, tool_name"#,
        since,
        tenant,
    )
    .fetch_all(&mut *db)
    .await
    .doing("count the approval requests")?;
    let mut week = Week::default();
    for row in rows {
        let (asked, approved) = (unsigned(row.asked), unsigned(row.approved));
        let denied = unsigned(row.denied);
        week.asked = week.asked.saturating_add(asked);
        week.approved = week.approved.saturating_add(approved);
        week.denied = week.denied.saturating_add(denied);
        week.expired = week.expired.saturating_add(unsigned(row.expired));
        let (server_name, tool_name) = (row.server_name, row.tool_name);
        week.by_tool.push(ToolWeek { server_name, tool_name, asked, approved, denied });
    }
    let waits = sqlx::query_scalar!(
        r#"SELECT decided_at - requested AS "wait!: i64"
             FROM approval
            WHERE requested >= ?1
              AND (?2 IS NULL OR tenant_id = ?2)
              AND decided_at IS NOT NULL
            ORDER BY 1"#,
        since,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("measure how long approval requests waited")?;
    let middle = waits.len().saturating_sub(1).div_euclid(2);
    week.median_seconds = waits.get(middle).map(|wait| unsigned(*wait).div_ceil(1000));
    Ok(week)
}
