//! Series of approvals: what an operator signed for several calls at once, and which were made.

use cs_model::event::{Event, EventKind};
use cs_model::{
    AgentId, ApprovalId, CredentialId, OperationTokenId, OperatorId, SeriesId, ServerId, SessionId,
    TaskId, TenantId, Timestamp, ToolId,
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::{Doing as _, one};
use crate::row::time;
use crate::{RegistryError, Work};

mod expire;
mod spend;
mod told;

pub use expire::Expire;
pub use spend::{Spend, Use};
pub(crate) use told::event_about;

/// A series as it is signed. Nothing of it ever changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewSeries {
    /// Its id.
    pub id: SeriesId,
    /// The tenant.
    pub tenant: TenantId,
    /// Who signed it.
    pub operator: OperatorId,
    /// The session whose calls it pays for.
    pub session: SessionId,
    /// The tool that they are calls of.
    pub tool: ToolId,
    /// The request that was approved together with it.
    pub approval: Option<ApprovalId>,
    /// The JSON Schema that their arguments satisfy, in canonical form.
    pub schema: String,
    /// For how many calls it pays.
    pub calls: u8,
    /// When it was signed.
    pub signed: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// The signature.
    pub token: String,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// Whether the operator gave the passphrase for this very signature.
    pub presence: bool,
}

/// A series with what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Series {
    /// What was signed.
    pub new: NewSeries,
    /// The agent.
    pub agent: AgentId,
    /// Its name when the session opened.
    pub agent_name: String,
    /// Its credential.
    pub credential: CredentialId,
    /// Its task.
    pub task: Option<TaskId>,
    /// The name of the task.
    pub task_name: String,
    /// The server.
    pub server: ServerId,
    /// Its name when the series was signed.
    pub server_name: String,
    /// The name of the tool at that server, with the mark of its kind.
    pub tool_name: String,
    /// How many calls it has paid for.
    pub used: u8,
    /// When it ended, why, and by whom, once it has.
    pub ended: Option<Ended>,
}

/// The end of a series.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why, in a short code.
    pub why: String,
    /// Which operator ended it, where one did.
    pub by: Option<OperatorId>,
}

/// A series that has not ended, as far as it is needed to pay with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Running {
    /// Its id.
    pub id: SeriesId,
    /// The signature.
    pub token: String,
    /// The schema, in canonical form.
    pub schema: String,
}

/// Keeps a series that somebody signed.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such live session or tool.
pub async fn sign(db: &mut SqliteConnection, new: &NewSeries) -> Result<(), RegistryError> {
    let (tenant, id, operator) = (new.tenant.uuid(), new.id.uuid(), new.operator.uuid());
    let (session, tool) = (new.session.uuid(), new.tool.uuid());
    let approval = new.approval.map(ApprovalId::uuid);
    let (calls, signed, expires) = (new.calls, new.signed.millis(), new.expires.millis());
    let done = sqlx::query!(
        "INSERT INTO series (tenant_id, id, operator_id, session_id, server_id, server_name,
                             tool_id, tool_name, approval_id, schema, calls, signed, expires,
                             token, reason, presence)
         SELECT session.tenant_id, ?2, operator.id, session.id, server.id, server.name, tool.id,
                iif(tool.kind = 'tool', tool.name, tool.kind || ':' || tool.name), ?6, ?7, ?8, ?9,
                ?10, ?11, ?12, ?13
           FROM session
           JOIN tool ON tool.tenant_id = session.tenant_id AND tool.id = ?5
           JOIN server ON server.tenant_id = tool.tenant_id AND server.id = tool.server_id
           JOIN operator ON operator.id = ?3 AND operator.removed IS NULL
          WHERE session.tenant_id = ?1
            AND session.id = ?4
            AND session.ended IS NULL
            AND session.ends > ?9",
        tenant,
        id,
        operator,
        session,
        tool,
        approval,
        new.schema,
        calls,
        signed,
        expires,
        new.token,
        new.reason,
        new.presence,
    )
    .execute(db)
    .await
    .creating("a series with this id", "sign the series")?;
    one(done.rows_affected(), "live session or tool")
}

/// The series that may still pay for calls of a tool in a session, those first that end first.
///
/// # Errors
///
/// When the database fails.
pub async fn running(
    db: &mut SqliteConnection,
    tenant: TenantId,
    session: SessionId,
    tool: ToolId,
) -> Result<Vec<Running>, RegistryError> {
    let (tenant, session, tool) = (tenant.uuid(), session.uuid(), tool.uuid());
    let rows = sqlx::query!(
        r#"SELECT id AS "id: Uuid", token, schema
             FROM series
            WHERE tenant_id = ?1
              AND session_id = ?2
              AND tool_id = ?3
              AND ended IS NULL
            ORDER BY expires, rowid"#,
        tenant,
        session,
        tool,
    )
    .fetch_all(db)
    .await
    .doing("list the running series of a tool")?;
    let running = |id, token, schema| Running { id: SeriesId::new(id), token, schema };
    Ok(rows.into_iter().map(|row| running(row.id, row.token, row.schema)).collect())
}

struct Row {
    tenant: Uuid,
    id: Uuid,
    operator: Uuid,
    session: Uuid,
    agent: Uuid,
    agent_name: String,
    credential: Uuid,
    task: Option<Uuid>,
    task_name: Option<String>,
    server: Uuid,
    server_name: String,
    tool: Uuid,
    tool_name: String,
    approval: Option<Uuid>,
    schema: String,
    calls: i64,
    used: i64,
    signed: i64,
    expires: i64,
    token: String,
    reason: Option<String>,
    presence: bool,
    ended: Option<i64>,
    why: Option<String>,
    ended_by: Option<Uuid>,
}

impl Row {
    fn read(self) -> Result<Series, RegistryError> {
        let count = |number: i64| {
            u8::try_from(number).map_err(|_| RegistryError::Damaged { what: "a number of calls" })
        };
        let (by, why) = (self.ended_by.map(OperatorId::new), self.why.unwrap_or_default());
        Ok(Series {
            new: NewSeries {
                id: SeriesId::new(self.id),
                tenant: TenantId::new(self.tenant),
                operator: OperatorId::new(self.operator),
                session: SessionId::new(self.session),
                tool: ToolId::new(self.tool),
                approval: self.approval.map(ApprovalId::new),
                schema: self.schema,
                calls: count(self.calls)?,
                signed: time(self.signed),
                expires: time(self.expires),
                token: self.token,
                reason: self.reason,
                presence: self.presence,
            },
            agent: AgentId::new(self.agent),
            agent_name: self.agent_name,
            credential: CredentialId::new(self.credential),
            task: self.task.map(TaskId::new),
            task_name: self.task_name.unwrap_or_default(),
            server: ServerId::new(self.server),
            server_name: self.server_name,
            tool_name: self.tool_name,
            used: count(self.used)?,
            ended: self.ended.map(|at| Ended { at: time(at), why, by }),
        })
    }
}

macro_rules! rows {
    ($rest:literal, $($arg:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT series.tenant_id AS "tenant: Uuid", series.id AS "id: Uuid",
                      series.operator_id AS "operator: Uuid", series.session_id AS "session: Uuid",
                      session.agent_id AS "agent: Uuid", session.agent_name,
                      session.credential_id AS "credential: Uuid",
                      session.task_id AS "task: Uuid", session.task_name,
                      series.server_id AS "server: Uuid", series.server_name,
                      series.tool_id AS "tool: Uuid", series.tool_name,
                      series.approval_id AS "approval: Uuid", series.schema, series.calls,
                      (SELECT count(*)
                         FROM series_use
                        WHERE series_use.tenant_id = series.tenant_id
                          AND series_use.series_id = series.id) AS "used!: i64",
                      series.signed, series.expires, series.token, series.reason,
                      series.presence AS "presence: bool", series.ended, series.why,
                      series.ended_by AS "ended_by: Uuid"
                 FROM series
                 JOIN session ON session.tenant_id = series.tenant_id
                             AND session.id = series.session_id
                WHERE "# + $rest,
            $($arg),*
        )
    };
}

/// A tenant's series that run, and those that were signed since then; the newest first.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: TenantId,
    since: Timestamp,
) -> Result<Vec<Series>, RegistryError> {
    let (tenant, since) = (tenant.uuid(), since.millis());
    rows!(
        "series.tenant_id = ?1
          AND (series.ended IS NULL OR series.signed >= ?2)
        ORDER BY series.signed DESC, series.rowid DESC",
        tenant,
        since,
    )
    .fetch_all(db)
    .await
    .doing("list the series")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// One series.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such series.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: SeriesId,
) -> Result<Series, RegistryError> {
    let (tenant, id) = (tenant.uuid(), id.uuid());
    rows!("series.tenant_id = ?1 AND series.id = ?2", tenant, id)
        .fetch_optional(db)
        .await
        .doing("look up the series")?
        .ok_or(RegistryError::NotFound { what: "series" })?
        .read()
}

/// The series that run in a session for a tool, whole.
///
/// # Errors
///
/// When the database fails.
pub async fn of_tool(
    db: &mut SqliteConnection,
    tenant: TenantId,
    session: SessionId,
    tool: ToolId,
) -> Result<Vec<Series>, RegistryError> {
    let (tenant, session, tool) = (tenant.uuid(), session.uuid(), tool.uuid());
    rows!(
        "series.tenant_id = ?1
          AND series.session_id = ?2
          AND series.tool_id = ?3
          AND series.ended IS NULL
        ORDER BY series.signed, series.rowid",
        tenant,
        session,
        tool,
    )
    .fetch_all(db)
    .await
    .doing("list the running series of a tool")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// What tells of the series that a session took along when it ended. A session ends once: this is
/// to be asked in the very change that ended it.
///
/// # Errors
///
/// When the database fails.
pub async fn taken_along(
    db: &mut SqliteConnection,
    tenant: TenantId,
    session: SessionId,
    at: Timestamp,
) -> Result<Vec<Event>, RegistryError> {
    let (tenant, session) = (tenant.uuid(), session.uuid());
    let rows = rows!(
        "series.tenant_id = ?1
          AND series.session_id = ?2
          AND series.why = 'session_ended'
        ORDER BY series.signed, series.rowid",
        tenant,
        session,
    )
    .fetch_all(db)
    .await
    .doing("list the series that a session took along")?;
    let told = |found: Series| event_about(EventKind::SeriesEnded, &found, "session_ended", at);
    rows.into_iter().map(|row| row.read().map(told)).collect()
}

/// The series that a redemption was a call of, if it was.
///
/// # Errors
///
/// When the database fails.
pub(crate) async fn of_use(
    db: &mut SqliteConnection,
    tenant: TenantId,
    token: OperationTokenId,
) -> Result<Option<Series>, RegistryError> {
    let (tenant, token) = (tenant.uuid(), token.uuid());
    rows!(
        "series.tenant_id = ?1
          AND series.id = (SELECT series_id FROM series_use WHERE token_id = ?2)",
        tenant,
        token,
    )
    .fetch_optional(db)
    .await
    .doing("look up the series of a call")?
    .map(Row::read)
    .transpose()
}

/// Ends a series: it pays for nothing from then on. Answers with whether it was ended by this.
///
/// # Errors
///
/// When the database fails.
pub async fn end(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: SeriesId,
    ended: &Ended,
) -> Result<bool, RegistryError> {
    let (tenant, id) = (tenant.uuid(), id.uuid());
    let (at, by) = (ended.at.millis(), ended.by.map(OperatorId::uuid));
    let done = sqlx::query!(
        "UPDATE series
            SET ended = ?1, why = ?2, ended_by = ?3
          WHERE tenant_id = ?4
            AND id = ?5
            AND ended IS NULL",
        at,
        ended.why,
        by,
        tenant,
        id,
    )
    .execute(db)
    .await
    .doing("end the series")?;
    Ok(done.rows_affected() > 0)
}

/// Ends a series that pays for nothing any more, as far as the gateway found. One that is over
/// stays as it is, and nothing is recorded then. Answers with whether it was ended by this.
#[derive(Clone, Debug)]
pub struct End {
    /// The tenant.
    pub tenant: TenantId,
    /// The series.
    pub series: SeriesId,
    /// When, and why.
    pub ended: Ended,
    /// What tells of it.
    pub events: Vec<Event>,
}

impl Work for End {
    type Done = bool;

    async fn run(self, db: &mut SqliteConnection) -> Result<(bool, Vec<Event>), RegistryError> {
        let ended = end(db, self.tenant, self.series, &self.ended).await?;
        Ok((ended, if ended { self.events } else { Vec::new() }))
    }
}

/// Ends the series of a tenant that still run and that `is_meant` picks, for this reason. What is
/// recorded of each is told here.
///
/// # Errors
///
/// When the database fails.
pub async fn end_where(
    db: &mut SqliteConnection,
    tenant: TenantId,
    is_meant: impl Fn(&Series) -> bool,
    (why, at): (&str, Timestamp),
) -> Result<Vec<Event>, RegistryError> {
    let id = tenant.uuid();
    let rows = rows!(
        "series.tenant_id = ?1
          AND series.ended IS NULL
        ORDER BY series.signed, series.rowid",
        id,
    )
    .fetch_all(&mut *db)
    .await
    .doing("list the running series")?;
    let mut events = Vec::new();
    for found in rows.into_iter().map(Row::read) {
        let found = found?;
        let ended = Ended { at, why: why.to_owned(), by: None };
        if is_meant(&found) && end(&mut *db, tenant, found.new.id, &ended).await? {
            events.push(event_about(EventKind::SeriesEnded, &found, why, at));
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests;
