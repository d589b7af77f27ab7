//! How people decided, by agent and tool, over a span of time.

use std::collections::BTreeMap;

use cs_model::{AgentId, TenantId, Timestamp, ToolId};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::unsigned;

/// What became of requests, and how long people took.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Dealt {
    /// Requests that were made.
    pub asked: u64,
    /// Those of them that were approved.
    pub approved: u64,
    /// Those of them that were denied.
    pub denied: u64,
    /// Those of them that nobody decided in time.
    pub expired: u64,
    /// Those of them that were taken back undecided.
    pub withdrawn: u64,
    /// How long each that was decided waited, in milliseconds, in no order.
    pub waits: Vec<u64>,
}

/// What became of the requests of one agent for one tool.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DealtWith {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// Its name when it asked last.
    pub agent_name: String,
    /// The tool.
    pub tool: ToolId,
    /// Its name when it was asked for last, with the mark of its kind.
    pub tool_name: String,
    /// The name of its server then.
    pub server_name: String,
    /// What became of them.
    pub dealt: Dealt,
}

impl Dealt {
    /// Adds what became of others.
    pub fn add(&mut self, other: &Self) {
        let Self { asked, approved, denied, expired, withdrawn, waits } = other;
        self.asked = self.asked.saturating_add(*asked);
        self.approved = self.approved.saturating_add(*approved);
        self.denied = self.denied.saturating_add(*denied);
        self.expired = self.expired.saturating_add(*expired);
        self.withdrawn = self.withdrawn.saturating_add(*withdrawn);
        self.waits.extend(waits);
    }

    /// How long so many percent of the decided ones waited at most, in milliseconds: the value of
    /// the nearest rank.
    pub fn percentile(&self, percent: usize) -> Option<u64> {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        let rank = waits.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
        waits.get(rank).copied()
    }
}

/// What became of the requests since then, of one tenant or of all, by agent and tool.
///
/// # Errors
///
/// When the database fails.
pub async fn stats(
    db: &mut SqliteConnection,
    tenant: Option<TenantId>,
    since: Timestamp,
) -> Result<Vec<DealtWith>, RegistryError> {
    let (tenant, since) = (tenant.map(TenantId::uuid), since.millis());
    // Of bare columns beside `max`, SQLite gives those of the row that has it.
    let rows = sqlx::query!(
        r#"SELECT tenant_id AS "tenant!: Uuid", agent_id AS "agent!: Uuid",
                  agent_name AS "agent_name!", tool_id AS "tool!: Uuid",
                  tool_name AS "tool_name!", server_name AS "server_name!",
                  max(requested) AS "last!: i64",
                  count(*) AS "asked!: i64",
                  coalesce(sum(token_id IS NOT NULL), 0) AS "approved!: i64",
                  coalesce(sum(state = 'denied'), 0) AS "denied!: i64",
                  coalesce(sum(state = 'expired' AND token_id IS NULL), 0) AS "expired!: i64",
                  coalesce(sum(state = 'withdrawn' AND token_id IS NULL), 0) AS "withdrawn!: i64"
             FROM approval
            WHERE requested >= ?1
              AND (?2 IS NULL OR tenant_id = ?2)
            GROUP BY tenant_id, agent_id, tool_id"#,
        since,
        tenant,
    )
    .fetch_all(&mut *db)
    .await
    .doing("count what became of the approval requests")?;
    let waits = sqlx::query!(
        r#"SELECT tenant_id AS "tenant: Uuid", agent_id AS "agent: Uuid", tool_id AS "tool: Uuid",
                  decided_at - requested AS "wait!: i64"
             FROM approval
            WHERE requested >= ?1
              AND (?2 IS NULL OR tenant_id = ?2)
              AND decided_at IS NOT NULL"#,
        since,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("measure how long approval requests waited")?;
    let mut by: BTreeMap<(Uuid, Uuid, Uuid), Vec<u64>> = BTreeMap::new();
    for row in waits {
        by.entry((row.tenant, row.agent, row.tool)).or_default().push(unsigned(row.wait));
    }
    let dealt = rows.into_iter().map(|row| DealtWith {
        tenant: TenantId::new(row.tenant),
        agent: AgentId::new(row.agent),
        agent_name: row.agent_name,
        tool: ToolId::new(row.tool),
        tool_name: row.tool_name,
        server_name: row.server_name,
        dealt: Dealt {
            asked: unsigned(row.asked),
            approved: unsigned(row.approved),
            denied: unsigned(row.denied),
            expired: unsigned(row.expired),
            withdrawn: unsigned(row.withdrawn),
            waits: by.remove(&(row.tenant, row.agent, row.tool)).unwrap_or_default(),
        },
    });
    Ok(dealt.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_of_the_nearest_rank() {
        let of = |waits: &[u64]| Dealt { waits: waits.to_vec(), ..Dealt::default() };
        assert_eq!(of(&[]).percentile(50), None);
        assert_eq!(of(&[7]).percentile(50), Some(7));
        assert_eq!(of(&[7]).percentile(90), Some(7));
        let ten = of(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!((ten.percentile(50), ten.percentile(90)), (Some(5), Some(9)));
        let eleven = of(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!((eleven.percentile(50), eleven.percentile(90)), (Some(6), Some(10)));
    }
}
