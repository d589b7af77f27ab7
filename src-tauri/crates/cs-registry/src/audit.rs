//! The audit log: appended to by the writer, read in pages.

use std::collections::HashMap;

use cs_audit::{Entry, Head};
use cs_model::event::{Decision, Event, EventKind};
use cs_model::{ApprovalId, CorrelationId, Digest, TenantId, Timestamp};
use sqlx::SqliteConnection;

use crate::error::Doing as _;
use crate::row::{digest, signed, unsigned};
use crate::{RegistryError, Work};

mod authn;
mod many;
mod page;
mod sought;
mod tally;

pub(crate) use many::insert_all;

pub use authn::{Proofs, proofs, proofs_since};
pub use page::{Filter, count, page};
pub use sought::{failures_before, last_at, several, strays_before};

/// Puts events on record, in order.
#[derive(Clone, Debug)]
pub struct Record {
    /// The events.
    pub events: Vec<Event>,
}

impl Work for Record {
    type Done = ();

    const IS_EVENTS: bool = true;

    async fn run(self, _: &mut SqliteConnection) -> Result<((), Vec<Event>), RegistryError> {
        Ok(((), self.events))
    }

    fn events_alone(self) -> Result<((), Vec<Event>), Self> {
        Ok(((), self.events))
    }

    fn is_lasting(&self) -> bool {
        self.events.iter().any(is_lasting)
    }
}

/// Whether an event is on the disk before anybody is answered, however the registry is set: all but
/// what tells of calls that the policy allows without a signature.
pub(crate) fn is_lasting(event: &Event) -> bool {
    let is_usual = match event.decision {
        Some(decision) => event.kind == EventKind::Decision && decision == Decision::Allow,
        None => matches!(
            event.kind,
            EventKind::AuthnSucceeded | EventKind::ExecutionFinished | EventKind::ExecutionStarted
        ),
    };
    !is_usual || event.token.is_some() || event.approval.is_some()
}

const fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
        Decision::Hold => "hold",
    }
}

/// What a search for words looks at, in lower case.
fn words(event: &Event) -> String {
    let parts = [
        Some(event.kind.as_str()),
        event.tool_name.as_deref(),
        event.claimed.as_deref(),
        event.method.as_deref(),
        event.reason.as_deref(),
        event.client.as_deref(),
        event.detail.as_deref(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n").to_lowercase()
}

/// Appends events to the chain that ends with `head`, in the transaction that is open, and moves
/// `head` on. Only the writer calls this, so that there is one chain.
pub(crate) async fn append(
    db: &mut SqliteConnection,
    head: &mut Option<Head>,
    events: &[Event],
) -> Result<(), RegistryError> {
    let mut sealed = Vec::with_capacity(events.len());
    for event in events {
        let entry = cs_audit::seal(head.as_ref(), event).map_err(RegistryError::Seal)?;
        *head = Some(entry.head());
        sealed.push((entry, event.clone()));
    }
    insert_all(db, &sealed, true).await
}

/// Where the chain ends; nothing for an empty log.
///
/// # Errors
///
/// When the database fails.
pub async fn head(db: &mut SqliteConnection) -> Result<Option<Head>, RegistryError> {
    let row = sqlx::query!("SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1")
        .fetch_optional(db)
        .await
        .doing("look up the end of the audit log")?;
    row.map(|row| Ok(Head { seq: unsigned(row.seq), hash: digest(row.hash)? })).transpose()
}

pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) previous: Vec<u8>,
    pub(crate) hash: Vec<u8>,
    pub(crate) body: String,
}

impl Row {
    pub(crate) fn read(self) -> Result<Entry, RegistryError> {
        Ok(Entry {
            seq: unsigned(self.seq),
            previous: digest(self.previous)?,
            hash: digest(self.hash)?,
            body: self.body,
        })
    }
}

/// The entries after this one, oldest first, at most `limit`: for reading the whole log, piece by
/// piece. Zero begins at the beginning.
///
/// # Errors
///
/// When the database fails.
pub async fn entries_after(
    db: &mut SqliteConnection,
    seq: u64,
    limit: u32,
) -> Result<Vec<Entry>, RegistryError> {
    let seq = signed(seq);
    sqlx::query_as!(
        Row,
        "SELECT seq, previous, hash, body FROM audit_event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        seq,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("read the audit log")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// The entries after this one and up to that one that may matter to somebody who looks for alerts,
/// oldest first, at most `limit`: all but what an allowed call leaves.
///
/// # Errors
///
/// When the database fails.
pub async fn notable_after(
    db: &mut SqliteConnection,
    seq: u64,
    to: u64,
    limit: u32,
) -> Result<Vec<Entry>, RegistryError> {
    let (seq, to) = (signed(seq), signed(to));
    sqlx::query_as!(
        Row,
        r#"SELECT seq, previous, hash, body
           FROM audit_event
          WHERE seq > ?1
            AND seq <= ?2
            AND (anomaly = 1
                 OR (+kind = 'execution.finished' AND body LIKE '%"outcome":"unknown"%')
                 OR +kind NOT IN ('authn.succeeded', 'decision', 'execution.finished',
                                  'execution.started'))
          ORDER BY seq
          LIMIT ?3"#,
        seq,
        to,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("read the audit log")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// One entry.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the log does not reach that far.
pub async fn find(db: &mut SqliteConnection, seq: u64) -> Result<Entry, RegistryError> {
    let seq = signed(seq);
    sqlx::query_as!(Row, "SELECT seq, previous, hash, body FROM audit_event WHERE seq = ?1", seq)
        .fetch_optional(db)
        .await
        .doing("look up the audit event")?
        .ok_or(RegistryError::NotFound { what: "audit event" })?
        .read()
}

/// The events that belong together with this one, oldest first, at most `limit`: those with its
/// correlation id and those of its approval request.
///
/// # Errors
///
/// When the database fails.
pub async fn thread(
    db: &mut SqliteConnection,
    event: &Event,
    limit: u32,
) -> Result<Vec<Entry>, RegistryError> {
    let correlation = event.correlation.map(CorrelationId::uuid);
    let approval = event.approval.map(ApprovalId::uuid);
    let tenant = event.tenant.map(TenantId::uuid);
    sqlx::query_as!(
        Row,
        r#"SELECT seq AS "seq!", previous AS "previous!", hash AS "hash!", body AS "body!"
             FROM (SELECT seq, previous, hash, body, tenant_id
                     FROM audit_event WHERE correlation_id = ?1
                    UNION
                   SELECT seq, previous, hash, body, tenant_id
                     FROM audit_event WHERE approval_id = ?2)
            WHERE tenant_id IS ?3
            ORDER BY seq
            LIMIT ?4"#,
        correlation,
        approval,
        tenant,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("read what belongs to the audit event")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// A tenant's last attempts outside an allowlist, newest first.
///
/// # Errors
///
/// When the database fails.
pub async fn anomalies(
    db: &mut SqliteConnection,
    tenant: TenantId,
    limit: u32,
) -> Result<Vec<Entry>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_as!(
        Row,
        "SELECT seq, previous, hash, body
           FROM audit_event
          WHERE anomaly = 1
            AND tenant_id = ?1
          ORDER BY seq DESC
          LIMIT ?2",
        tenant,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("list the anomalies")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// The decisions of one hour.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Hour {
    /// When it began.
    pub from: Timestamp,
    /// Calls that went ahead.
    pub allow: u64,
    /// Calls that were put before a person.
    pub hold: u64,
    /// Calls that were refused.
    pub deny: u64,
}

const HOUR_MS: i64 = 3_600_000;

/// A tenant's decisions of the last `hours` hours, the running one included, oldest first. Each
/// hour has its entry.
///
/// # Errors
///
/// When the database fails.
pub async fn hours(
    db: &mut SqliteConnection,
    tenant: TenantId,
    now: Timestamp,
    hours: u32,
) -> Result<Vec<Hour>, RegistryError> {
    let tenant = tenant.uuid();
    let last = now.millis().div_euclid(HOUR_MS);
    let first = last.saturating_sub(i64::from(hours)).saturating_add(1);
    let mut counted: HashMap<i64, Hour> = HashMap::new();
    for row in sqlx::query!(
        "SELECT hour, allow, hold, deny
           FROM decision_hour
          WHERE tenant_id = ?1
            AND hour BETWEEN ?2 AND ?3",
        tenant,
        first,
        last,
    )
    .fetch_all(db)
    .await
    .doing("count the decisions")?
    {
        let (allow, hold, deny) = (unsigned(row.allow), unsigned(row.hold), unsigned(row.deny));
        counted.insert(row.hour, Hour { from: Timestamp::default(), allow, hold, deny });
    }
    Ok((first..=last)
        .map(|hour| Hour {
            from: Timestamp::from_millis(hour.saturating_mul(HOUR_MS)),
            ..counted.get(&hour).copied().unwrap_or_default()
        })
        .collect())
}

/// How many calls were judged since then, in all tenants.
///
/// # Errors
///
/// When the database fails.
pub async fn decisions_since(
    db: &mut SqliteConnection,
    since: Timestamp,
) -> Result<u64, RegistryError> {
    let since = since.millis();
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "calls!: i64"
             FROM audit_event
            WHERE at >= ?1
              AND +kind = 'decision'"#,
        since,
    )
    .fetch_one(db)
    .await
    .doing("count the calls")
    .map(unsigned)
}

/// The digest that an entry was given, if the log reaches that far: what an anchor kept
/// elsewhere is compared with.
///
/// # Errors
///
/// When the database fails.
pub async fn hash_at(db: &mut SqliteConnection, seq: u64) -> Result<Option<Digest>, RegistryError> {
    let seq = signed(seq);
    sqlx::query_scalar!("SELECT hash FROM audit_event WHERE seq = ?1", seq)
        .fetch_optional(db)
        .await
        .doing("look up the audit event")?
        .map(digest)
        .transpose()
}

#[cfg(test)]
mod tests;
