//! Pages of the log, by what a person looks for.

use cs_audit::Entry;
use cs_model::event::{Decision, EventKind};
use cs_model::{AgentId, CorrelationId, SessionId, TenantId, Timestamp, ToolId};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::tally::BLOCK;
use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{digest, signed, unsigned};

/// What to look for. What is absent does not narrow.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// Events of this tenant.
    pub tenant: Option<TenantId>,
    /// Events of one of these kinds; of any, when there is none.
    pub kinds: Vec<EventKind>,
    /// Events of this agent.
    pub agent: Option<AgentId>,
    /// Events of this session.
    pub session: Option<SessionId>,
    /// Events about this tool.
    pub tool: Option<ToolId>,
    /// Decisions that went this way.
    pub decision: Option<Decision>,
    /// Events with this correlation id.
    pub correlation: Option<CorrelationId>,
    /// Words that occur in an event, or in the name of its agent or tool, in whatever case.
    pub text: Option<String>,
    /// Events at or after this.
    pub from: Option<Timestamp>,
    /// Events before this.
    pub to: Option<Timestamp>,
}

/// The events that a filter lets through, newest first, at most `limit`, and only those before
/// the given one.
///
/// # Errors
///
/// When the database fails.
pub async fn page(
    db: &mut SqliteConnection,
    filter: &Filter,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Entry>, RegistryError> {
    let mut query = QueryBuilder::new("SELECT e.seq, e.previous, e.hash, e.body FROM ");
    let marked = marked(filter);
    narrow(&mut query, filter, marked);
    if let Some(before) = before {
        query.push(" AND e.seq < ").push_bind(signed(before));
        if marked.is_some() {
            query.push(" AND m.block <= ").push_bind(signed(before / BLOCK));
        }
    }
    query.push(match marked {
        Some(_) => " ORDER BY m.block DESC, e.seq DESC LIMIT ",
        None => " ORDER BY e.seq DESC LIMIT ",
    });
    query.push_bind(i64::from(limit));
    let rows: Vec<(i64, Vec<u8>, Vec<u8>, String)> =
        query.build_query_as().fetch_all(db).await.doing("read a page of the audit log")?;
    rows.into_iter()
        .map(|(seq, previous, hash, body)| {
            let (previous, hash) = (digest(previous)?, digest(hash)?);
            Ok(Entry { seq: unsigned(seq), previous, hash, body })
        })
        .collect()
}

/// How many events a filter lets through.
///
/// # Errors
///
/// When the database fails.
pub async fn count(db: &mut SqliteConnection, filter: &Filter) -> Result<u64, RegistryError> {
    if *filter == Filter::default() {
        // The log has no gaps.
        return Ok(super::head(db).await?.map_or(0, |head| head.seq));
    }
    let mut query = QueryBuilder::new("SELECT count(*) FROM ");
    narrow(&mut query, filter, marked(filter));
    query
        .build_query_scalar()
        .fetch_one(db)
        .await
        .doing("count the events in the audit log")
        .map(unsigned)
}

/// What every call leaves in the log. The index of kinds has all others.
const USUAL: &[EventKind] = &[
    EventKind::AuthnSucceeded,
    EventKind::Decision,
    EventKind::ExecutionFinished,
    EventKind::ExecutionStarted,
];

/// Whose marks lead to the events, where nothing leads to them more directly: those of the
/// narrowest that is asked for.
fn marked(filter: &Filter) -> Option<Uuid> {
    let is_usual = filter.kinds.is_empty() || filter.kinds.iter().any(|it| USUAL.contains(it));
    let is_dated = filter.from.is_some() || filter.to.is_some();
    let whose = [
        filter.session.map(SessionId::uuid),
        filter.tool.map(ToolId::uuid),
        filter.agent.map(AgentId::uuid),
        filter.tenant.map(TenantId::uuid),
    ];
    let whose = whose.into_iter().flatten().next();
    whose.filter(|_| is_usual && !is_dated && filter.correlation.is_none())
}

/// Only fixed texts are pushed; everything that was asked for is bound.
fn narrow(query: &mut QueryBuilder<Sqlite>, filter: &Filter, marked: Option<Uuid>) {
    match marked {
        // Block by block, the newest first, and in each of them only what it has.
        Some(whose) => {
            query.push(
                "audit_mark AS m CROSS JOIN audit_event AS e \
                 ON e.seq BETWEEN m.block * 256 AND m.block * 256 + 255 WHERE m.whose = ",
            );
            query.push_bind(whose);
        }
        None => {
            query.push("audit_event AS e WHERE 1 = 1");
        }
    }
    if let Some(tenant) = filter.tenant {
        query.push(" AND e.tenant_id = ").push_bind(tenant.uuid());
    }
    if !filter.kinds.is_empty() {
        if !filter.kinds.iter().any(|kind| USUAL.contains(kind)) {
            // Said in the words of the index, so that it is used.
            query.push(
                " AND e.kind NOT IN ('authn.succeeded', 'decision', 'execution.finished', \
                 'execution.started')",
            );
        }
        query.push(" AND e.kind IN (");
        let mut kinds = query.separated(", ");
        for kind in &filter.kinds {
            kinds.push_bind(kind.as_str());
        }
        query.push(")");
    }
    if let Some(agent) = filter.agent {
        query.push(" AND e.agent_id = ").push_bind(agent.uuid());
    }
    if let Some(session) = filter.session {
        query.push(" AND e.session_id = ").push_bind(session.uuid());
    }
    if let Some(tool) = filter.tool {
        query.push(" AND e.tool_id = ").push_bind(tool.uuid());
    }
    if let Some(decision) = filter.decision {
        query.push(" AND e.decision = ").push_bind(super::decision_word(decision));
    }
    if let Some(correlation) = filter.correlation {
        query.push(" AND e.correlation_id = ").push_bind(correlation.uuid());
    }
    if let Some(from) = filter.from {
        query.push(" AND e.at >= ").push_bind(from.millis());
    }
    if let Some(to) = filter.to {
        query.push(" AND e.at < ").push_bind(to.millis());
    }
    if let Some(text) = &filter.text {
        let text = text.to_lowercase();
        query.push(" AND (instr(e.words, ").push_bind(text.clone());
        query.push(
            ") > 0 OR e.agent_id IN (SELECT id FROM agent \
             WHERE agent.tenant_id = e.tenant_id AND instr(agent.name, ",
        );
        query.push_bind(text.clone()).push(
            ") > 0) OR e.tool_id IN (SELECT id FROM tool \
             WHERE tool.tenant_id = e.tenant_id AND instr(lower(tool.name), ",
        );
        query.push_bind(text).push(") > 0))");
    }
}
