//! Sessions: the working periods of agents.

mod elsewhere;

use cs_model::event::{Actor, Event, EventKind};
use cs_model::state::SessionEnd;
use cs_model::{AgentId, CredentialId, SessionId, TaskId, TenantId, Timestamp};
use sqlx::SqliteConnection;
use uuid::Uuid;

pub use elsewhere::anomalies_elsewhere;

use crate::error::{Doing as _, one};
use crate::row::{signed, time, unsigned, word};
use crate::{RegistryError, Work, series};

/// A session as it opens. What is here never changes, except for `wire_id`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its agent.
    pub agent: AgentId,
    /// The credential that opened it.
    pub credential: CredentialId,
    /// The task that it declared.
    pub task: Option<TaskId>,
    /// Its allowlist, as JSON text.
    pub allowlist: String,
    /// The policy version under which it opened.
    pub policy_version: u64,
    /// When it opened.
    pub opened: Timestamp,
    /// When it ends by itself.
    pub ends: Timestamp,
    /// The `Mcp-Session-Id` of the older protocol era, while it has one.
    pub wire_id: Option<String>,
}

/// A session with what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Session {
    /// How it opened.
    pub new: NewSession,
    /// The name of its agent when it opened.
    pub agent_name: String,
    /// The name of its task when it opened.
    pub task_name: Option<String>,
    /// When and why it ended before its time, if it did.
    pub ended: Option<(Timestamp, SessionEnd)>,
    /// How many calls were judged in it.
    pub calls: u64,
    /// How many of them were attempts outside its allowlist.
    pub anomalies: u64,
}

impl Session {
    /// Whether it is not over.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.new.ends
    }
}

/// Keeps a new session.
#[derive(Clone, Debug)]
pub struct Open {
    /// The session.
    pub session: NewSession,
    /// What tells of it.
    pub events: Vec<Event>,
}

impl Work for Open {
    type Done = ();

    async fn run(self, db: &mut SqliteConnection) -> Result<((), Vec<Event>), RegistryError> {
        let new = self.session;
        let (id, tenant, agent) = (new.id.uuid(), new.tenant.uuid(), new.agent.uuid());
        let (credential, task) = (new.credential.uuid(), new.task.map(TaskId::uuid));
        let (opened, ends) = (new.opened.millis(), new.ends.millis());
        let version = signed(new.policy_version);
        // Written only if the credential is this agent's and the task this tenant's.
        let done = sqlx::query!(
            "INSERT INTO session (id, tenant_id, agent_id, agent_name, credential_id, task_id,
                                  task_name, allowlist, policy_version, opened, ends, wire_id)
             SELECT ?1, ?2, agent.id, agent.name, credential.id, task.id, task.name, ?3, ?4, ?5,
                    ?6, ?7
               FROM credential
               JOIN agent ON agent.tenant_id = credential.tenant_id
                         AND agent.id = credential.agent_id
               LEFT JOIN task ON task.tenant_id = credential.tenant_id AND task.id = ?8
              WHERE credential.tenant_id = ?2
                AND credential.id = ?9
                AND agent.id = ?10
                AND (?8 IS NULL OR task.id IS NOT NULL)",
            id,
            tenant,
            new.allowlist,
            version,
            opened,
            ends,
            new.wire_id,
            task,
            credential,
            agent,
        )
        .execute(db)
        .await
        .creating("the session", "open the session")?;
        one(done.rows_affected(), "credential, agent or task")?;
        Ok(((), self.events))
    }
}

/// Binds a session to another `Mcp-Session-Id`, or to none. The session is one that the gateway
/// holds: its tenant was proven when it opened.
#[derive(Clone, Debug)]
pub struct Rebind {
    /// The session.
    pub session: SessionId,
    /// What it is bound to from now on.
    pub wire_id: Option<String>,
}

impl Work for Rebind {
    type Done = ();

    async fn run(self, db: &mut SqliteConnection) -> Result<((), Vec<Event>), RegistryError> {
        let id = self.session.uuid();
        let done = sqlx::query!(
            "UPDATE session SET wire_id = ?1 WHERE id = ?2 AND ended IS NULL",
            self.wire_id,
            id,
        )
        .execute(db)
        .await
        .creating("a session with this wire id", "rebind the session")?;
        one(done.rows_affected(), "live session")?;
        Ok(((), Vec::new()))
    }
}

/// Ends a session that the gateway holds. One that is over stays as it is, and nothing is
/// recorded then. Answers with whether it was ended by this.
#[derive(Clone, Debug)]
pub struct End {
    /// The session.
    pub session: SessionId,
    /// Why.
    pub why: SessionEnd,
    /// When.
    pub at: Timestamp,
    /// What tells of it.
    pub events: Vec<Event>,
}

impl Work for End {
    type Done = bool;

    async fn run(self, db: &mut SqliteConnection) -> Result<(bool, Vec<Event>), RegistryError> {
        let (id, why, at) = (self.session.uuid(), self.why.as_str(), self.at.millis());
        let ended = sqlx::query_scalar!(
            r#"UPDATE session
                  SET ended = ?1, end_reason = ?2, wire_id = NULL
                WHERE id = ?3
                  AND ended IS NULL
            RETURNING tenant_id AS "tenant: Uuid""#,
            at,
            why,
            id,
        )
        .fetch_optional(&mut *db)
        .await
        .doing("end the session")?;
        let Some(tenant) = ended.map(TenantId::new) else { return Ok((false, Vec::new())) };
        let mut events = self.events;
        events.extend(series::taken_along(db, tenant, self.session, self.at).await?);
        Ok((true, events))
    }
}

/// Ends the sessions whose time is up, each with its event. Answers with which these were.
#[derive(Clone, Copy, Debug)]
pub struct Expire {
    /// The time now.
    pub now: Timestamp,
}

impl Work for Expire {
    type Done = Vec<(TenantId, SessionId)>;

    async fn run(
        self,
        db: &mut SqliteConnection,
    ) -> Result<(Self::Done, Vec<Event>), RegistryError> {
        let (now, why) = (self.now.millis(), SessionEnd::Expired.as_str());
        let rows = sqlx::query!(
            r#"UPDATE session
                  SET ended = ends, end_reason = ?1, wire_id = NULL
                WHERE ended IS NULL
                  AND ends <= ?2
            RETURNING id AS "id: Uuid", tenant_id AS "tenant: Uuid", agent_id AS "agent: Uuid",
                      credential_id AS "credential: Uuid", task_id AS "task: Uuid""#,
            why,
            now,
        )
        .fetch_all(&mut *db)
        .await
        .doing("end the sessions whose time is up")?;
        let mut done = Vec::with_capacity(rows.len());
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let (tenant, session) = (TenantId::new(row.tenant), SessionId::new(row.id));
            done.push((tenant, session));
            events.push(Event {
                actor: Some(Actor::System),
                tenant: Some(tenant),
                agent: Some(AgentId::new(row.agent)),
                credential: Some(CredentialId::new(row.credential)),
                session: Some(session),
                task: row.task.map(TaskId::new),
                reason: Some(why.to_owned()),
                ..Event::new(EventKind::SessionEnded, self.now)
            });
            events.extend(series::taken_along(&mut *db, tenant, session, self.now).await?);
        }
        Ok((done, events))
    }
}

/// Ends a session. Answers with whether it was ended by this: one that is over stays as it is.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such session.
pub async fn end(
    db: &mut SqliteConnection,
    tenant: TenantId,
    session: SessionId,
    why: SessionEnd,
    at: Timestamp,
) -> Result<bool, RegistryError> {
    find(&mut *db, tenant, session).await?;
    let (tenant, id, why, at) = (tenant.uuid(), session.uuid(), why.as_str(), at.millis());
    let done = sqlx::query!(
        "UPDATE session
            SET ended = ?1, end_reason = ?2, wire_id = NULL
          WHERE id = ?3
            AND tenant_id = ?4
            AND ended IS NULL
            AND ends > ?1",
        at,
        why,
        id,
        tenant,
    )
    .execute(db)
    .await
    .doing("end the session")?;
    Ok(done.rows_affected() > 0)
}

/// Ends the sessions of an agent that are not over. Answers with which these were.
///
/// # Errors
///
/// When the database fails.
pub async fn end_of_agent(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
    why: SessionEnd,
    at: Timestamp,
) -> Result<Vec<SessionId>, RegistryError> {
    let (tenant, agent, why, at) = (tenant.uuid(), agent.uuid(), why.as_str(), at.millis());
    let ended = sqlx::query_scalar!(
        r#"UPDATE session
              SET ended = ?1, end_reason = ?2, wire_id = NULL
            WHERE tenant_id = ?3
              AND agent_id = ?4
              AND ended IS NULL
              AND ends > ?1
        RETURNING id AS "id: Uuid""#,
        at,
        why,
        tenant,
        agent,
    )
    .fetch_all(db)
    .await
    .doing("end the agent's sessions")?;
    Ok(ended.into_iter().map(SessionId::new).collect())
}

/// Ends the sessions that a credential opened and that are not over. Answers with which these
/// were.
///
/// # Errors
///
/// When the database fails.
pub async fn end_of_credential(
    db: &mut SqliteConnection,
    tenant: TenantId,
    credential: CredentialId,
    why: SessionEnd,
    at: Timestamp,
) -> Result<Vec<SessionId>, RegistryError> {
    let (tenant, why, at) = (tenant.uuid(), why.as_str(), at.millis());
    let credential = credential.uuid();
    let ended = sqlx::query_scalar!(
        r#"UPDATE session
              SET ended = ?1, end_reason = ?2, wire_id = NULL
            WHERE tenant_id = ?3
              AND credential_id = ?4
              AND ended IS NULL
              AND ends > ?1
        RETURNING id AS "id: Uuid""#,
        at,
        why,
        tenant,
        credential,
    )
    .fetch_all(db)
    .await
    .doing("end the credential's sessions")?;
    Ok(ended.into_iter().map(SessionId::new).collect())
}

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    agent_id: Uuid,
    agent_name: String,
    credential_id: Uuid,
    task_id: Option<Uuid>,
    task_name: Option<String>,
    allowlist: String,
    policy_version: i64,
    opened: i64,
    ends: i64,
    ended: Option<i64>,
    end_reason: Option<String>,
    wire_id: Option<String>,
    calls: i64,
    anomalies: i64,
}

impl Row {
    fn read(self) -> Result<Session, RegistryError> {
        let ended = match (self.ended, self.end_reason) {
            (Some(at), Some(why)) => Some((time(at), word(&why, "the end of a session")?)),
            (None, _) | (_, None) => None,
        };
        Ok(Session {
            new: NewSession {
                id: SessionId::new(self.id),
                tenant: TenantId::new(self.tenant_id),
                agent: AgentId::new(self.agent_id),
                credential: CredentialId::new(self.credential_id),
                task: self.task_id.map(TaskId::new),
                allowlist: self.allowlist,
                policy_version: unsigned(self.policy_version),
                opened: time(self.opened),
                ends: time(self.ends),
                wire_id: self.wire_id,
            },
            agent_name: self.agent_name,
            task_name: self.task_name,
            ended,
            calls: unsigned(self.calls),
            anomalies: unsigned(self.anomalies),
        })
    }
}

/// The sessions of every tenant that are not over: what the gateway goes on with after a
/// restart.
///
/// # Errors
///
/// When the database fails.
pub async fn live(
    db: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<Session>, RegistryError> {
    let now = now.millis();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", agent_id AS "agent_id: Uuid",
                  agent_name, credential_id AS "credential_id: Uuid", task_id AS "task_id: Uuid",
                  task_name, allowlist, policy_version, opened, ends, ended, end_reason, wire_id,
                  calls, anomalies
             FROM session
            WHERE ended IS NULL
              AND ends > ?1
            ORDER BY opened, rowid"#,
        now,
    )
    .fetch_all(db)
    .await
    .doing("list the live sessions")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// A tenant's sessions, newest first, at most `limit`.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: TenantId,
    live_only: bool,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Session>, RegistryError> {
    let (tenant, now) = (tenant.uuid(), now.millis());
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", agent_id AS "agent_id: Uuid",
                  agent_name, credential_id AS "credential_id: Uuid", task_id AS "task_id: Uuid",
                  task_name, allowlist, policy_version, opened, ends, ended, end_reason, wire_id,
                  calls, anomalies
             FROM session
            WHERE tenant_id = ?1
              AND (NOT ?2 OR (ended IS NULL AND ends > ?3))
            ORDER BY opened DESC, rowid DESC
            LIMIT ?4"#,
        tenant,
        live_only,
        now,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("list the sessions")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// One session.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such session.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    session: SessionId,
) -> Result<Session, RegistryError> {
    let (tenant, session) = (tenant.uuid(), session.uuid());
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", agent_id AS "agent_id: Uuid",
                  agent_name, credential_id AS "credential_id: Uuid", task_id AS "task_id: Uuid",
                  task_name, allowlist, policy_version, opened, ends, ended, end_reason, wire_id,
                  calls, anomalies
             FROM session
            WHERE tenant_id = ?1
              AND id = ?2"#,
        tenant,
        session,
    )
    .fetch_optional(db)
    .await
    .doing("look up the session")?
    .ok_or(RegistryError::NotFound { what: "session" })?
    .read()
}

#[cfg(test)]
mod tests;
