//! Appending many events at a time: what each statement costs beside its rows is paid once.

use cs_audit::Entry;
use cs_audit::alert::is_anomaly;
use cs_model::event::Event;
use cs_model::{AgentId, ApprovalId, CorrelationId, CredentialId, SessionId, TenantId, ToolId};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::tally::Tally;
use super::{decision_word, words};
use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::signed;

/// How many rows a statement may have, the largest first: few enough sizes that each statement
/// stays prepared.
const SIZES: &[usize] = &[64, 32, 16, 8, 4, 3, 2, 1];

/// Appends sealed events, in order, to a transaction that is `begun`, or begins one with them; and
/// counts them.
pub(crate) async fn insert_all(
    db: &mut SqliteConnection,
    events: &[(Entry, Event)],
    begun: bool,
) -> Result<(), RegistryError> {
    let (mut rest, mut begun) = (events, begun);
    while !rest.is_empty() {
        let size = SIZES.iter().find(|size| **size <= rest.len()).copied().unwrap_or(1);
        let (now, later) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        statement(now, begun).build().execute(&mut *db).await.doing("append to the audit log")?;
        (rest, begun) = (later, true);
    }
    Tally::of(events.iter().map(|(entry, event)| (entry, event))).write(db).await
}

/// Only fixed texts are pushed; everything else is bound.
fn statement(events: &[(Entry, Event)], begun: bool) -> QueryBuilder<Sqlite> {
    let begin = if begun { "" } else { "BEGIN IMMEDIATE; " };
    let mut query = QueryBuilder::new(begin);
    query.push(
        "INSERT INTO audit_event (seq, at, kind, tenant_id, agent_id, credential_id, session_id, \
         tool_id, approval_id, correlation_id, decision, anomaly, client, words, body, previous, \
         hash) ",
    );
    query.push_values(events, |mut row, (entry, event)| {
        row.push_bind(signed(entry.seq))
            .push_bind(event.at.millis())
            .push_bind(event.kind.as_str())
            .push_bind(event.tenant.map(TenantId::uuid))
            .push_bind(event.agent.map(AgentId::uuid))
            .push_bind(event.credential.map(CredentialId::uuid))
            .push_bind(event.session.map(SessionId::uuid))
            .push_bind(event.tool.map(ToolId::uuid))
            .push_bind(event.approval.map(ApprovalId::uuid))
            .push_bind(event.correlation.map(CorrelationId::uuid))
            .push_bind(event.decision.map(decision_word))
            .push_bind(is_anomaly(event))
            .push_bind(event.client.as_deref())
            .push_bind(words(event))
            .push_bind(entry.body.as_str())
            .push_bind(entry.previous.as_bytes().as_slice())
            .push_bind(entry.hash.as_bytes().as_slice());
    });
    query
}
