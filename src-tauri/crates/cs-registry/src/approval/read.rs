//! Looking approval requests up.

use cs_model::state::ApprovalState;
use cs_model::{
    AgentId, ApprovalId, CredentialId, Digest, OperationTokenId, OperatorId, ServerId, SessionId,
    TaskId, TenantId, Timestamp, ToolId,
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Approval, Decided, NewApproval};
use crate::RegistryError;
use crate::error::Doing as _;
use crate::row::{SLACK, digest, time, unsigned, word};

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    operation: Vec<u8>,
    agent_id: Uuid,
    agent_name: String,
    credential_id: Uuid,
    session_id: Uuid,
    task_id: Uuid,
    task_name: String,
    server_id: Uuid,
    server_name: String,
    tool_id: Uuid,
    tool_name: String,
    listed: String,
    fingerprint: Vec<u8>,
    arguments: String,
    arguments_digest: Vec<u8>,
    policy_version: i64,
    requested: i64,
    decide_by: i64,
    state: String,
    decided_by: Option<Uuid>,
    decided_at: Option<i64>,
    reason: Option<String>,
    token_id: Option<Uuid>,
    token_expires: Option<i64>,
    outcome: Option<String>,
}

impl Row {
    fn read(self) -> Result<Approval, RegistryError> {
        let token = self.token_id.map(OperationTokenId::new).zip(self.token_expires.map(time));
        let decided = self.decided_at.map(|at| Decided {
            by: self.decided_by.map(OperatorId::new),
            at: time(at),
            reason: self.reason,
            token,
        });
        let outcome = self.outcome.as_deref().map(super::outcome).transpose()?;
        Ok(Approval {
            new: NewApproval {
                id: ApprovalId::new(self.id),
                operation: digest(self.operation)?,
                tenant: TenantId::new(self.tenant_id),
                agent: AgentId::new(self.agent_id),
                credential: CredentialId::new(self.credential_id),
                session: SessionId::new(self.session_id),
                task: TaskId::new(self.task_id),
                server: ServerId::new(self.server_id),
                tool: ToolId::new(self.tool_id),
                listed: self.listed,
                fingerprint: digest(self.fingerprint)?,
                arguments: self.arguments,
                arguments_digest: digest(self.arguments_digest)?,
                policy_version: unsigned(self.policy_version),
                requested: time(self.requested),
                decide_by: time(self.decide_by),
            },
            agent_name: self.agent_name,
            task_name: self.task_name,
            server_name: self.server_name,
            tool_name: self.tool_name,
            state: word(&self.state, "the state of an approval request")?,
            decided,
            outcome,
        })
    }
}

/// One request.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such request.
pub async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: ApprovalId,
) -> Result<Approval, RegistryError> {
    let (tenant, id) = (tenant.uuid(), id.uuid());
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", operation,
                  agent_id AS "agent_id: Uuid", agent_name,
                  credential_id AS "credential_id: Uuid", session_id AS "session_id: Uuid",
                  task_id AS "task_id: Uuid", task_name, server_id AS "server_id: Uuid",
                  server_name, tool_id AS "tool_id: Uuid", tool_name, listed, fingerprint,
                  arguments, arguments_digest, policy_version, requested, decide_by, state,
                  decided_by AS "decided_by: Uuid", decided_at, reason,
                  token_id AS "token_id: Uuid", token_expires, outcome
             FROM approval
            WHERE tenant_id = ?1
              AND id = ?2"#,
        tenant,
        id,
    )
    .fetch_optional(db)
    .await
    .doing("look up the approval request")?
    .ok_or(RegistryError::NotFound { what: "approval request" })?
    .read()
}

/// Requests of one tenant or of all, in one of the given states (in any, when none is given),
/// newest first, at most `limit`.
///
/// # Errors
///
/// When the database fails.
pub async fn list(
    db: &mut SqliteConnection,
    tenant: Option<TenantId>,
    states: &[ApprovalState],
    limit: u32,
) -> Result<Vec<Approval>, RegistryError> {
    let tenant = tenant.map(TenantId::uuid);
    let states = states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(" ");
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", operation,
                  agent_id AS "agent_id: Uuid", agent_name,
                  credential_id AS "credential_id: Uuid", session_id AS "session_id: Uuid",
                  task_id AS "task_id: Uuid", task_name, server_id AS "server_id: Uuid",
                  server_name, tool_id AS "tool_id: Uuid", tool_name, listed, fingerprint,
                  arguments, arguments_digest, policy_version, requested, decide_by, state,
                  decided_by AS "decided_by: Uuid", decided_at, reason,
                  token_id AS "token_id: Uuid", token_expires, outcome
             FROM approval
            WHERE (?1 IS NULL OR tenant_id = ?1)
              AND (?2 = '' OR instr(' ' || ?2 || ' ', ' ' || state || ' ') > 0)
            ORDER BY requested DESC, rowid DESC
            LIMIT ?3"#,
        tenant,
        states,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("list the approval requests")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// The requests that can still lead to a call, of one tenant or of all, those that end soonest
/// first, at most `limit`.
///
/// # Errors
///
/// When the database fails.
pub async fn waiting(
    db: &mut SqliteConnection,
    tenant: Option<TenantId>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Approval>, RegistryError> {
    let (tenant, now) = (tenant.map(TenantId::uuid), now.millis());
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", operation,
                  agent_id AS "agent_id: Uuid", agent_name,
                  credential_id AS "credential_id: Uuid", session_id AS "session_id: Uuid",
                  task_id AS "task_id: Uuid", task_name, server_id AS "server_id: Uuid",
                  server_name, tool_id AS "tool_id: Uuid", tool_name, listed, fingerprint,
                  arguments, arguments_digest, policy_version, requested, decide_by, state,
                  decided_by AS "decided_by: Uuid", decided_at, reason,
                  token_id AS "token_id: Uuid", token_expires, outcome
             FROM approval
            WHERE state = 'pending'
              AND decide_by > ?1
              AND (?2 IS NULL OR tenant_id = ?2)
            ORDER BY decide_by, rowid
            LIMIT ?3"#,
        now,
        tenant,
        limit,
    )
    .fetch_all(db)
    .await
    .doing("list the approval requests")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// The request for an operation that can still lead to the call.
pub(super) async fn live(
    db: &mut SqliteConnection,
    tenant: TenantId,
    operation: Digest,
) -> Result<Option<Approval>, RegistryError> {
    let (tenant, operation) = (tenant.uuid(), operation.as_bytes().as_slice());
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", operation,
                  agent_id AS "agent_id: Uuid", agent_name,
                  credential_id AS "credential_id: Uuid", session_id AS "session_id: Uuid",
                  task_id AS "task_id: Uuid", task_name, server_id AS "server_id: Uuid",
                  server_name, tool_id AS "tool_id: Uuid", tool_name, listed, fingerprint,
                  arguments, arguments_digest, policy_version, requested, decide_by, state,
                  decided_by AS "decided_by: Uuid", decided_at, reason,
                  token_id AS "token_id: Uuid", token_expires, outcome
             FROM approval
            WHERE tenant_id = ?1
              AND operation = ?2
              AND state IN ('approved', 'pending')"#,
        tenant,
        operation,
    )
    .fetch_optional(db)
    .await
    .doing("look up the approval request")?
    .map(Row::read)
    .transpose()
}

/// The requests of a session that can still lead to a call.
///
/// # Errors
///
/// When the database fails.
pub async fn open_of_session(
    db: &mut SqliteConnection,
    tenant: TenantId,
    session: SessionId,
) -> Result<Vec<Approval>, RegistryError> {
    let (tenant, session) = (tenant.uuid(), session.uuid());
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", operation,
                  agent_id AS "agent_id: Uuid", agent_name,
                  credential_id AS "credential_id: Uuid", session_id AS "session_id: Uuid",
                  task_id AS "task_id: Uuid", task_name, server_id AS "server_id: Uuid",
                  server_name, tool_id AS "tool_id: Uuid", tool_name, listed, fingerprint,
                  arguments, arguments_digest, policy_version, requested, decide_by, state,
                  decided_by AS "decided_by: Uuid", decided_at, reason,
                  token_id AS "token_id: Uuid", token_expires, outcome
             FROM approval
            WHERE tenant_id = ?1
              AND session_id = ?2
              AND state IN ('approved', 'pending')
            ORDER BY rowid"#,
        tenant,
        session,
    )
    .fetch_all(db)
    .await
    .doing("list the approval requests")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// When the very same call of the agent was last approved before this request, with an outcome that
/// nobody knows, of those that were asked for since then.
///
/// # Errors
///
/// When the database fails.
pub async fn lost_before(
    db: &mut SqliteConnection,
    new: &NewApproval,
    since: Timestamp,
) -> Result<Option<Timestamp>, RegistryError> {
    let (tenant, agent, tool) = (new.tenant.uuid(), new.agent.uuid(), new.tool.uuid());
    let (digest, id) = (new.arguments_digest.as_bytes().as_slice(), new.id.uuid());
    let (since, requested) = (since.millis(), new.requested.millis());
    let at = sqlx::query_scalar!(
        r#"SELECT max(decided_at) AS "at: i64"
             FROM approval
            WHERE tenant_id = ?1
              AND agent_id = ?2
              AND tool_id = ?3
              AND arguments_digest = ?4
              AND id <> ?5
              AND state = 'unknown'
              AND requested BETWEEN ?6 AND ?7"#,
        tenant,
        agent,
        tool,
        digest,
        id,
        since,
        requested,
    )
    .fetch_one(db)
    .await
    .doing("look for the same call before")?;
    Ok(at.map(time))
}

/// The requests of a tenant that can still lead to a call.
pub(super) async fn open_of_tenant(
    db: &mut SqliteConnection,
    tenant: TenantId,
) -> Result<Vec<Approval>, RegistryError> {
    let tenant = tenant.uuid();
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", operation,
                  agent_id AS "agent_id: Uuid", agent_name,
                  credential_id AS "credential_id: Uuid", session_id AS "session_id: Uuid",
                  task_id AS "task_id: Uuid", task_name, server_id AS "server_id: Uuid",
                  server_name, tool_id AS "tool_id: Uuid", tool_name, listed, fingerprint,
                  arguments, arguments_digest, policy_version, requested, decide_by, state,
                  decided_by AS "decided_by: Uuid", decided_at, reason,
                  token_id AS "token_id: Uuid", token_expires, outcome
             FROM approval
            WHERE tenant_id = ?1
              AND state IN ('approved', 'pending')
            ORDER BY rowid"#,
        tenant,
    )
    .fetch_all(db)
    .await
    .doing("list the approval requests")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// The requests of every tenant whose time is up, and those that were made or decided later than it
/// is: the clock was set back, and nobody knows how much of their time is left.
pub(super) async fn overdue(
    db: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<Approval>, RegistryError> {
    let (now, soon) = (now.millis(), now.after(SLACK).millis());
    sqlx::query_as!(
        Row,
        r#"SELECT id AS "id: Uuid", tenant_id AS "tenant_id: Uuid", operation,
                  agent_id AS "agent_id: Uuid", agent_name,
                  credential_id AS "credential_id: Uuid", session_id AS "session_id: Uuid",
                  task_id AS "task_id: Uuid", task_name, server_id AS "server_id: Uuid",
                  server_name, tool_id AS "tool_id: Uuid", tool_name, listed, fingerprint,
                  arguments, arguments_digest, policy_version, requested, decide_by, state,
                  decided_by AS "decided_by: Uuid", decided_at, reason,
                  token_id AS "token_id: Uuid", token_expires, outcome
             FROM approval
            WHERE (state = 'pending' AND (decide_by <= ?1 OR requested > ?2))
               OR (state = 'approved'
                   AND (token_expires <= ?1 OR requested > ?2 OR decided_at > ?2))
            ORDER BY rowid"#,
        now,
        soon,
    )
    .fetch_all(db)
    .await
    .doing("list the approval requests")?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// Where a request stands, for the call that waits for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ruling {
    /// Its state.
    pub state: ApprovalState,
    /// The signed tokens, sealed, while they can be redeemed: the one that decided first.
    pub sealed_tokens: Vec<Vec<u8>>,
    /// Why it was denied, where it was.
    pub reason: Option<String>,
}

/// Where a request stands, for the call that waits for it.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such request.
pub async fn ruling(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: ApprovalId,
) -> Result<Ruling, RegistryError> {
    let (tenant, id) = (tenant.uuid(), id.uuid());
    let row = sqlx::query!(
        "SELECT state, reason FROM approval WHERE tenant_id = ?1 AND id = ?2",
        tenant,
        id,
    )
    .fetch_optional(&mut *db)
    .await
    .doing("look up the approval request")?
    .ok_or(RegistryError::NotFound { what: "approval request" })?;
    let state = word(&row.state, "the state of an approval request")?;
    let sealed_tokens = if state == ApprovalState::Approved {
        sqlx::query_scalar!(
            r#"SELECT it.sealed_token AS "sealed!"
                 FROM approval_signature AS it
                 JOIN approval ON approval.tenant_id = it.tenant_id
                              AND approval.id = it.approval_id
                WHERE it.tenant_id = ?1
                  AND it.approval_id = ?2
                  AND it.sealed_token IS NOT NULL
                ORDER BY it.token_id <> approval.token_id, it.at, it.rowid"#,
            tenant,
            id,
        )
        .fetch_all(db)
        .await
        .doing("look up the signatures")?
    } else {
        Vec::new()
    };
    Ok(Ruling { state, sealed_tokens, reason: row.reason })
}

/// The arguments of the last call of this tool by this agent that a person approved before then.
///
/// # Errors
///
/// When the database fails.
pub async fn previous_arguments(
    db: &mut SqliteConnection,
    tenant: TenantId,
    agent: AgentId,
    tool: ToolId,
    before: Timestamp,
) -> Result<Option<String>, RegistryError> {
    let (tenant, agent, tool) = (tenant.uuid(), agent.uuid(), tool.uuid());
    let before = before.millis();
    sqlx::query_scalar!(
        "SELECT arguments
           FROM approval
          WHERE tenant_id = ?1
            AND agent_id = ?2
            AND tool_id = ?3
            AND decided_at < ?4
            AND token_id IS NOT NULL
          ORDER BY decided_at DESC
          LIMIT 1",
        tenant,
        agent,
        tool,
        before,
    )
    .fetch_optional(db)
    .await
    .doing("look up the arguments that were approved before")
}
