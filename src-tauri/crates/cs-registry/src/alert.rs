//! Alerts, and how far the log was looked at for them.

use cs_model::alert::{AlertRule, AlertState};
use cs_model::event::{Actor, Event, EventKind};
use cs_model::{AgentId, AlertId, CorrelationId, CredentialId, SessionId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::RegistryError;
use crate::error::{Doing as _, one};
use crate::row::{json, time, to_json, unsigned, word};

mod metric;
mod raise;
mod rule;
mod sought;

pub use metric::{Strays, strays};
pub use raise::{New, Raise, Raised};
pub use rule::{StoredRule, mute, rules, set};
pub use sought::{ended, running, unused};

/// Something that a rule found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The tenant; none for what concerns the whole installation.
    pub tenant: Option<TenantId>,
    /// The rule.
    pub rule: AlertRule,
    /// What it is, for a person.
    pub sentence: String,
    /// The agent, and its name then.
    pub agent: Option<(AgentId, String)>,
    /// The session.
    pub session: Option<SessionId>,
    /// The credential.
    pub credential: Option<CredentialId>,
    /// What ties it to the answer that the agent got.
    pub correlation: Option<CorrelationId>,
    /// The first of the events that it was found by.
    pub events: Vec<u64>,
    /// How many there were.
    pub count: u64,
    /// When it was found first.
    pub first: Timestamp,
    /// When it was found last.
    pub last: Timestamp,
    /// Since when what it told of is over.
    pub over: Option<Timestamp>,
    /// Whether what it is about was cut off.
    pub contain: Contain,
    /// Who has looked at it, when, and with which note.
    pub acknowledged: Option<Acknowledged>,
}

/// Whether what an alert is about was cut off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Contain {
    /// It was.
    Done,
    /// It is to be.
    Due,
    /// Nobody wants it to be.
    No,
}

impl Contain {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Due => "due",
            Self::No => "no",
        }
    }

    fn parse(text: &str) -> Result<Self, RegistryError> {
        let all = [Self::Done, Self::Due, Self::No];
        let found = all.into_iter().find(|it| it.as_str() == text);
        found.ok_or(RegistryError::Damaged { what: "an alert" })
    }
}

/// Somebody has looked at an alert.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acknowledged {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What they noted.
    pub note: String,
}

struct Row {
    id: Uuid,
    tenant_id: Option<Uuid>,
    rule: String,
    sentence: String,
    agent_id: Option<Uuid>,
    agent_name: Option<String>,
    session_id: Option<Uuid>,
    credential_id: Option<Uuid>,
    correlation_id: Option<Uuid>,
    events: String,
    count: i64,
    first: i64,
    last: i64,
    over: Option<i64>,
    contain: String,
    acknowledged_at: Option<i64>,
    acknowledged_by: Option<String>,
    note: Option<String>,
}

impl Row {
    fn read(self) -> Result<Alert, RegistryError> {
        let acknowledged = match (self.acknowledged_at, self.acknowledged_by, self.note) {
            (Some(at), Some(by), Some(note)) => {
                Some(Acknowledged { at: time(at), by: json(&by, "an actor")?, note })
            }
            (None, _, _) | (_, None, _) | (_, _, None) => None,
        };
        Ok(Alert {
            id: AlertId::new(self.id),
            tenant: self.tenant_id.map(TenantId::new),
            rule: word(&self.rule, "the rule of an alert")?,
            sentence: self.sentence,
            agent: self.agent_id.map(AgentId::new).zip(self.agent_name),
            session: self.session_id.map(SessionId::new),
            credential: self.credential_id.map(CredentialId::new),
            correlation: self.correlation_id.map(CorrelationId::new),
            events: json(&self.events, "the events of an alert")?,
            count: unsigned(self.count),
            first: time(self.first),
            last: time(self.last),
            over: self.over.map(time),
            contain: Contain::parse(&self.contain)?,
            acknowledged,
        })
    }
}

/// Up to which event the rules have looked.
///
/// # Errors
///
/// When the database fails.
pub async fn cursor(db: &mut SqliteConnection) -> Result<u64, RegistryError> {
    sqlx::query_scalar!("SELECT seq FROM alert_cursor")
        .fetch_one(db)
        .await
        .doing("look up how far alerts have looked")
        .map(unsigned)
}

/// The alerts of a tenant, or of all, and those of the whole installation: open ones first, the
/// latest of each first, at most `limit`.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: Option<TenantId>,
    state: Option<AlertState>,
    limit: u32,
) -> Result<Vec<Alert>, RegistryError> {
    let tenant = tenant.map(TenantId::uuid);
    let open = state.map(|state| state == AlertState::Open);
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", rule, sentence,
                  agent_id AS "agent_id: Uuid", agent_name, session_id AS "session_id: Uuid",
                  credential_id AS "credential_id: Uuid",
                  correlation_id AS "correlation_id: Uuid", events, count, first, last, over,
                  contain, acknowledged_at, acknowledged_by, note
             FROM alert
            WHERE (?1 IS NULL OR tenant_id = ?1 OR tenant_id IS NULL)
              AND (?2 IS NULL OR (acknowledged_at IS NULL) = ?2)
            ORDER BY acknowledged_at IS NOT NULL, last DESC, id
            LIMIT ?3"#,
        tenant,
        open,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("list the alerts")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// One alert, of whichever tenant: an operator may look at all.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when there is no such alert.
pub async fn find(db: &mut SqliteConnection, id: AlertId) -> Result<Alert, RegistryError> {
    let id = id.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", rule, sentence,
                  agent_id AS "agent_id: Uuid", agent_name, session_id AS "session_id: Uuid",
                  credential_id AS "credential_id: Uuid",
                  correlation_id AS "correlation_id: Uuid", events, count, first, last, over,
                  contain, acknowledged_at, acknowledged_by, note
             FROM alert
            WHERE id = ?1"#,
        id,
    )
    .fetch_optional(db)
    .await
    .doing("look up the alert")?
    .ok_or(RegistryError::NotFound { what: "alert" })?
    .read()
}

/// The alerts whose matter is to be cut off, oldest first.
///
/// # Errors
///
/// When the database fails.
pub async fn due(db: &mut SqliteConnection) -> Result<Vec<Alert>, RegistryError> {
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", rule, sentence,
                  agent_id AS "agent_id: Uuid", agent_name, session_id AS "session_id: Uuid",
                  credential_id AS "credential_id: Uuid",
                  correlation_id AS "correlation_id: Uuid", events, count, first, last, over,
                  contain, acknowledged_at, acknowledged_by, note
             FROM alert
            WHERE contain = 'due'
            ORDER BY first, id"#,
    )
    .fetch_all(db)
    .await
    .doing("list what is to be cut off")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// Marks what an alert is about as cut off.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when it was not to be.
pub async fn contained(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: AlertId,
) -> Result<(), RegistryError> {
    let (tenant, id) = (tenant.uuid(), id.uuid());
    let done = sqlx::query!(
        "UPDATE alert
            SET contain = 'done'
          WHERE id = ?1
            AND tenant_id = ?2
            AND contain = 'due'",
        id,
        tenant,
    )
    .execute(db)
    .await
    .doing("mark the alert")?;
    one(done.rows_affected(), "alert whose matter is to be cut off")
}

/// How many alerts nobody has looked at: all, and those that need somebody now.
///
/// # Errors
///
/// When the database fails.
pub async fn open_counts(db: &mut SqliteConnection) -> Result<(u64, u64), RegistryError> {
    let rows = sqlx::query!(
        r#"SELECT rule, count(*) AS "open!: i64"
             FROM alert
            WHERE acknowledged_at IS NULL
            GROUP BY rule"#,
    )
    .fetch_all(db)
    .await
    .doing("count the open alerts")?;
    let mut counts = (0_u64, 0_u64);
    for row in rows {
        let rule: AlertRule = word(&row.rule, "the rule of an alert")?;
        let open = unsigned(row.open);
        counts.0 = counts.0.saturating_add(open);
        if rule.severity() == cs_model::alert::AlertSeverity::Incident {
            counts.1 = counts.1.saturating_add(open);
        }
    }
    Ok(counts)
}

/// Puts on record that somebody has looked at an alert.
///
/// # Errors
///
/// [`RegistryError::State`] when somebody had already.
pub async fn acknowledge(
    db: &mut SqliteConnection,
    id: AlertId,
    acknowledged: &Acknowledged,
) -> Result<(), RegistryError> {
    let tenant = find(&mut *db, id).await?.tenant.map(TenantId::uuid);
    let (id, at) = (id.uuid(), acknowledged.at.millis());
    let by = to_json(&acknowledged.by, "an actor")?;
    let done = sqlx::query!(
        "UPDATE alert
            SET acknowledged_at = ?1, acknowledged_by = ?2, note = ?3
          WHERE id = ?4
            AND tenant_id IS ?5
            AND acknowledged_at IS NULL",
        at,
        by,
        acknowledged.note,
        id,
        tenant,
    )
    .execute(db)
    .await
    .doing("acknowledge the alert")?;
    match done.rows_affected() {
        0 => Err(RegistryError::State { what: "the alert" }),
        _ => Ok(()),
    }
}

/// What tells of a new alert.
fn raised(new: &New, now: Timestamp) -> Event {
    let found = &new.found;
    let verified = found.session.is_some() || found.once.is_some();
    Event {
        actor: Some(Actor::System),
        tenant: found.tenant,
        agent: found.agent.as_ref().filter(|_| verified).map(|(agent, _)| *agent),
        credential: found.credential,
        session: found.session,
        correlation: found.correlation,
        reason: Some(found.rule.as_str().to_owned()),
        detail: Some(found.sentence.clone()),
        ..Event::new(EventKind::AlertRaised, now)
    }
}

#[cfg(test)]
mod tests;
