//! What the rules of alerts look for in the log.

use cs_audit::Entry;
use cs_model::{SessionId, TenantId, Timestamp};
use sqlx::SqliteConnection;

use super::Row;
use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{signed, time, unsigned};

/// When the last event of the log happened.
///
/// # Errors
///
/// When the database fails.
pub async fn last_at(db: &mut SqliteConnection) -> Result<Option<Timestamp>, RegistryError> {
    let at = sqlx::query_scalar!("SELECT at FROM audit_event ORDER BY seq DESC LIMIT 1")
        .fetch_optional(db)
        .await
        .doing("look up the end of the audit log")?;
    Ok(at.map(time))
}

/// Failed sign-ins that happened since a moment and stand in the log up to an event, oldest
/// first, and of many the latest.
///
/// # Errors
///
/// When the database fails.
pub async fn failures_before(
    db: &mut SqliteConnection,
    seq: u64,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Entry>, RegistryError> {
    let (seq, since) = (signed(seq), since.millis());
    let mut found: Vec<Entry> = sqlx::query_as!(
        Row,
        "SELECT seq, previous, hash, body
           FROM audit_event INDEXED BY audit_failed
          WHERE kind = 'authn.failed'
            AND at >= ?1
            AND seq <= ?2
          ORDER BY at DESC
          LIMIT ?3",
        since,
        seq,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("look up the failed sign-ins")?
    .into_iter()
    .map(Row::read)
    .collect::<Result<_, _>>()?;
    found.sort_by_key(|entry| entry.seq);
    Ok(found)
}

/// How many attempts outside its allowlist a session made before an event.
///
/// # Errors
///
/// When the database fails.
pub async fn strays_before(
    db: &mut SqliteConnection,
    tenant: TenantId,
    session: SessionId,
    seq: u64,
) -> Result<u64, RegistryError> {
    let (tenant, session, seq) = (tenant.uuid(), session.uuid(), signed(seq));
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "strays!: i64"
             FROM audit_event
            WHERE session_id = ?1
              AND tenant_id = ?2
              AND anomaly = 1
              AND seq < ?3"#,
        session,
        tenant,
        seq,
    )
    .fetch_one(db)
    .await
    .doing("count the anomalies of the session")
    .map(unsigned)
}

/// These entries, oldest first. What the log does not have is left out.
///
/// # Errors
///
/// When the database fails.
pub async fn several(db: &mut SqliteConnection, seqs: &[u64]) -> Result<Vec<Entry>, RegistryError> {
    let mut found = Vec::with_capacity(seqs.len());
    for seq in seqs {
        match super::find(&mut *db, *seq).await {
            Ok(entry) => found.push(entry),
            Err(RegistryError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
