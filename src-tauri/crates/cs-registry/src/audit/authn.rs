//! Proofs of identity, by method and by reason.

use cs_model::{TenantId, Timestamp};
use sqlx::SqliteConnection;

use super::HOUR_MS;
use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{time, unsigned};

/// Proofs of identity that went the same way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proofs {
    /// The method: `api_key`, `certificate`, `token` or `none`.
    pub method: String,
    /// Why they were refused; nothing when they were accepted.
    pub reason: Option<String>,
    /// How many there were.
    pub count: u64,
    /// When the newest was.
    pub last: Timestamp,
    /// Who the newest that said so claimed to be.
    pub claimed: Option<String>,
    /// The address that it came from.
    pub client: Option<String>,
}

/// When the span of [`proofs`] begins.
pub fn proofs_since(now: Timestamp, hours: u32) -> Timestamp {
    Timestamp::from_millis(first(now, hours).saturating_mul(HOUR_MS))
}

fn first(now: Timestamp, hours: u32) -> i64 {
    now.millis().div_euclid(HOUR_MS).saturating_sub(i64::from(hours)).saturating_add(1)
}

/// A tenant's proofs of identity of the last `hours` hours, the running one included, and those of
/// callers of whom it is not known which tenant they meant.
///
/// # Errors
///
/// When the database fails.
pub async fn proofs(
    db: &mut SqliteConnection,
    tenant: TenantId,
    now: Timestamp,
    hours: u32,
) -> Result<Vec<Proofs>, RegistryError> {
    let (tenant, first) = (tenant.uuid(), first(now, hours));
    let rows = sqlx::query!(
        r#"SELECT method AS "method!", reason AS "reason!", sum(count) AS "count!: i64",
                  max(last) AS "last!: i64", claimed, client
             FROM authn_hour
            WHERE (tenant_id = ?1 OR tenant_id = x'')
              AND hour >= ?2
            GROUP BY method, reason
            ORDER BY method, reason"#,
        tenant,
        first,
    )
    .fetch_all(db)
    .await
    .doing("count the proofs of identity")?;
    let proofs = rows.into_iter().map(|row| Proofs {
        method: row.method,
        reason: (!row.reason.is_empty()).then_some(row.reason),
        count: unsigned(row.count),
        last: time(row.last),
        claimed: row.claimed,
        client: row.client,
    });
    Ok(proofs.collect())
}
