//! Appending many events at a time: what each statement costs beside its rows is paid once.

use std::sync::LazyLock;

use cs_audit::Entry;
use cs_audit::alert::is_anomaly;
use cs_model::event::Event;
use cs_model::{AgentId, ApprovalId, CorrelationId, CredentialId, SessionId, TenantId, ToolId};
use sqlx::SqliteConnection;

use super::tally::Tally;
use super::{decision_word, words};
use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::signed;

/// How many rows a statement may have, the largest first: few enough sizes that each statement
/// stays prepared.
const SIZES: [usize; 9] = [256, 64, 32, 16, 8, 4, 3, 2, 1];

const INSERT: &str = "INSERT INTO audit_event \
    (seq, at, kind, tenant_id, agent_id, credential_id, session_id, tool_id, approval_id, \
     correlation_id, decision, anomaly, client, words, body, previous, hash) VALUES ";

const ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// The statements for each size: one for a transaction that has begun, one that begins it.
static STATEMENTS: LazyLock<[[String; 2]; SIZES.len()]> = LazyLock::new(|| {
    SIZES.map(|size| {
        let insert = format!("{INSERT}{}", vec![ROW; size].join(", "));
        [format!("BEGIN IMMEDIATE; {insert}"), insert]
    })
});

/// Appends sealed events, in order, to a transaction that is `begun`, or begins one with them; and
/// counts them.
pub(crate) async fn insert_all(
    db: &mut SqliteConnection,
    events: &[(Entry, Event)],
    begun: bool,
) -> Result<(), RegistryError> {
    let (mut rest, mut begun) = (events, begun);
    while let Some((now, later, [begins, goes_on])) = portion(rest) {
        insert(&mut *db, if begun { goes_on } else { begins }, now).await?;
        (rest, begun) = (later, true);
    }
    Tally::of(events.iter().map(|(entry, event)| (entry, event))).write(db).await
}

type Events = [(Entry, Event)];

/// As many of the events as one statement takes, the others, and the statements.
fn portion(events: &Events) -> Option<(&Events, &Events, &'static [String; 2])> {
    let statements = SIZES.iter().zip(STATEMENTS.iter());
    statements.filter(|(size, _)| **size <= events.len()).find_map(|(size, statement)| {
        let (now, later) = events.split_at_checked(*size)?;
        Some((now, later, statement))
    })
}

async fn insert(
    db: &mut SqliteConnection,
    statement: &'static str,
    events: &Events,
) -> Result<(), RegistryError> {
    let mut query = sqlx::query(statement);
    for (entry, event) in events {
        query = query
            .bind(signed(entry.seq))
            .bind(event.at.millis())
            .bind(event.kind.as_str())
            .bind(event.tenant.map(TenantId::uuid))
            .bind(event.agent.map(AgentId::uuid))
            .bind(event.credential.map(CredentialId::uuid))
            .bind(event.session.map(SessionId::uuid))
            .bind(event.tool.map(ToolId::uuid))
            .bind(event.approval.map(ApprovalId::uuid))
            .bind(event.correlation.map(CorrelationId::uuid))
            .bind(event.decision.map(decision_word))
            .bind(is_anomaly(event))
            .bind(event.client.as_deref())
            .bind(words(event))
            .bind(entry.body.as_str())
            .bind(entry.previous.as_bytes().as_slice())
            .bind(entry.hash.as_bytes().as_slice());
    }
    query.execute(db).await.doing("append to the audit log")?;
    Ok(())
}
