//! Approval requests: calls that wait, or waited, for a person.

use cs_model::event::{Actor, Event, EventKind, Outcome};
use cs_model::state::ApprovalState;
use cs_model::{
    AgentId, ApprovalId, CredentialId, Digest, OperationTokenId, OperatorId, ServerId, SessionId,
    TaskId, TenantId, Timestamp, ToolId,
};
use sqlx::SqliteConnection;

use crate::error::{Doing as _, one};
use crate::{RegistryError, Work};

mod file;
mod read;
mod sign;
mod stats;
mod week;

pub use file::{File, Filed};
pub use read::{
    Ruling, find, list, lost_before, open_of_session, previous_arguments, ruling, waiting,
};
pub use sign::{
    Signature, Signed, Standing, approve, sign, signatures, standing, withdraw_signature,
    withdraw_signatures_of,
};
pub use stats::{Dealt, DealtWith, stats};
pub use week::{ToolWeek, Week, week};

/// A call as it is put before a person. Nothing of it ever changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewApproval {
    /// Its id.
    pub id: ApprovalId,
    /// What makes two calls the same, digested.
    pub operation: Digest,
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// The credential.
    pub credential: CredentialId,
    /// The session.
    pub session: SessionId,
    /// The task.
    pub task: TaskId,
    /// The server.
    pub server: ServerId,
    /// The tool.
    pub tool: ToolId,
    /// The name under which the agent sees the tool.
    pub listed: String,
    /// The fingerprint of the tool's pinned definition.
    pub fingerprint: Digest,
    /// The canonical arguments (RFC 8785).
    pub arguments: String,
    /// Their digest.
    pub arguments_digest: Digest,
    /// The policy version that asked.
    pub policy_version: u64,
    /// When it was asked.
    pub requested: Timestamp,
    /// Until when a person may decide.
    pub decide_by: Timestamp,
}

/// What a person decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decided {
    /// Which operator; nobody, where the command line denied the call.
    pub by: Option<OperatorId>,
    /// When.
    pub at: Timestamp,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// The token that was signed, and when it ends, where the call was approved.
    pub token: Option<(OperationTokenId, Timestamp)>,
}

/// An approval request with what became of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Approval {
    /// What was asked.
    pub new: NewApproval,
    /// The name of the agent when it asked.
    pub agent_name: String,
    /// The name of its task.
    pub task_name: String,
    /// The name of the server.
    pub server_name: String,
    /// The name of the tool at that server, with the mark of its kind.
    pub tool_name: String,
    /// Where it stands.
    pub state: ApprovalState,
    /// What a person decided, once one has.
    pub decided: Option<Decided>,
    /// How the call ended, once it has.
    pub outcome: Option<Outcome>,
}

impl Approval {
    /// Until when a person may decide; for one that is approved, when its token ends.
    pub fn expires(&self) -> Timestamp {
        match self.decided.as_ref().and_then(|decided| decided.token) {
            Some((_, ends)) => ends,
            None => self.new.decide_by,
        }
    }
}

/// Denies a pending request.
///
/// # Errors
///
/// [`RegistryError::NotFound`] when the tenant has no such request, [`RegistryError::State`] when
/// it is no longer pending.
pub async fn deny(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: ApprovalId,
    by: Option<OperatorId>,
    at: Timestamp,
    reason: &str,
) -> Result<(), RegistryError> {
    find(&mut *db, tenant, id).await?;
    let (tenant, id, by, at) = (tenant.uuid(), id.uuid(), by.map(OperatorId::uuid), at.millis());
    let done = sqlx::query!(
        "UPDATE approval
            SET state = 'denied', decided_by = ?1, decided_at = ?2, reason = ?3
          WHERE id = ?4
            AND tenant_id = ?5
            AND state = 'pending'",
        by,
        at,
        reason,
        id,
        tenant,
    )
    .execute(db)
    .await
    .doing("deny the call")?;
    one(done.rows_affected(), "").map_err(|_| NO_LONGER)
}

const NO_LONGER: RegistryError = RegistryError::State { what: "the approval request" };

/// Takes a request back that can still lead to a call: one that is pending, or approved and not
/// spent. Any other stays as it is, and nothing is recorded then. Answers with whether it was taken
/// back by this.
#[derive(Clone, Debug)]
pub struct Withdraw {
    /// The tenant.
    pub tenant: TenantId,
    /// The request.
    pub id: ApprovalId,
    /// What tells of it.
    pub events: Vec<Event>,
}

impl Work for Withdraw {
    type Done = bool;

    async fn run(self, db: &mut SqliteConnection) -> Result<(bool, Vec<Event>), RegistryError> {
        let (tenant, id) = (self.tenant.uuid(), self.id.uuid());
        let done = sqlx::query!(
            "UPDATE approval
                SET state = 'withdrawn', sealed_token = NULL
              WHERE id = ?1
                AND tenant_id = ?2
                AND state IN ('pending', 'approved')",
            id,
            tenant,
        )
        .execute(db)
        .await
        .doing("take the approval request back")?;
        let withdrawn = done.rows_affected() > 0;
        Ok((withdrawn, if withdrawn { self.events } else { Vec::new() }))
    }
}

/// Takes back every request of a session that can still lead to a call: for when it ends. What is
/// recorded of each is told here. Answers with which these were.
///
/// # Errors
///
/// When the database fails.
pub async fn withdraw_of_session(
    db: &mut SqliteConnection,
    tenant: TenantId,
    session: SessionId,
    at: Timestamp,
) -> Result<(Vec<ApprovalId>, Vec<Event>), RegistryError> {
    let open = read::open_of_session(&mut *db, tenant, session).await?;
    withdraw_all(db, open, None, at).await
}

/// Takes back the requests of a tenant that can still lead to a call and that `is_meant` picks, for
/// this reason. What is recorded of each is told here.
///
/// # Errors
///
/// When the database fails.
pub async fn withdraw_where(
    db: &mut SqliteConnection,
    tenant: TenantId,
    is_meant: impl Fn(&NewApproval) -> bool,
    (reason, at): (&str, Timestamp),
) -> Result<Vec<Event>, RegistryError> {
    let mut open = read::open_of_tenant(&mut *db, tenant).await?;
    open.retain(|it| is_meant(&it.new));
    withdraw_all(db, open, Some(reason), at).await.map(|(_, events)| events)
}

async fn withdraw_all(
    db: &mut SqliteConnection,
    open: Vec<Approval>,
    reason: Option<&str>,
    at: Timestamp,
) -> Result<(Vec<ApprovalId>, Vec<Event>), RegistryError> {
    let mut ids = Vec::with_capacity(open.len());
    let mut events = Vec::with_capacity(open.len());
    for approval in open {
        let (tenant, id) = (approval.new.tenant.uuid(), approval.new.id.uuid());
        sqlx::query!(
            "UPDATE approval
                SET state = 'withdrawn', sealed_token = NULL
              WHERE id = ?1
                AND tenant_id = ?2",
            id,
            tenant,
        )
        .execute(&mut *db)
        .await
        .doing("take the approval request back")?;
        ids.push(approval.new.id);
        let mut event = event_about(EventKind::ApprovalWithdrawn, &approval, at);
        event.reason = reason.map(str::to_owned);
        events.push(event);
    }
    Ok((ids, events))
}

/// Expires the requests that nobody decided in time, and those whose token ran out unused, each
/// with its event. Answers with which these were.
#[derive(Clone, Copy, Debug)]
pub struct Expire {
    /// The time now.
    pub now: Timestamp,
}

impl Work for Expire {
    type Done = Vec<(TenantId, ApprovalId)>;

    async fn run(
        self,
        db: &mut SqliteConnection,
    ) -> Result<(Self::Done, Vec<Event>), RegistryError> {
        let overdue = read::overdue(&mut *db, self.now).await?;
        let mut events = Vec::with_capacity(overdue.len());
        let mut expired = Vec::with_capacity(overdue.len());
        for approval in overdue {
            events.push(expire(&mut *db, &approval, self.now).await?);
            expired.push((approval.new.tenant, approval.new.id));
        }
        Ok((expired, events))
    }
}

/// Expires one request, and tells of it.
async fn expire(
    db: &mut SqliteConnection,
    approval: &Approval,
    now: Timestamp,
) -> Result<Event, RegistryError> {
    let (tenant, id) = (approval.new.tenant.uuid(), approval.new.id.uuid());
    sqlx::query!(
        "UPDATE approval
            SET state = 'expired', sealed_token = NULL
          WHERE id = ?1
            AND tenant_id = ?2",
        id,
        tenant,
    )
    .execute(db)
    .await
    .doing("expire the approval request")?;
    let reason = match approval.state {
        _ if now < approval.expires() => "clock_set_back",
        ApprovalState::Approved => "token_unused",
        ApprovalState::Denied
        | ApprovalState::Expired
        | ApprovalState::Executed
        | ApprovalState::Pending
        | ApprovalState::Unknown
        | ApprovalState::Withdrawn => "undecided",
    };
    Ok(Event {
        reason: Some(reason.to_owned()),
        ..event_about(EventKind::ApprovalExpired, approval, now)
    })
}

/// What Countersign itself has to say of a request.
pub(crate) fn event_about(kind: EventKind, approval: &Approval, at: Timestamp) -> Event {
    let new = &approval.new;
    Event {
        actor: Some(Actor::System),
        tenant: Some(new.tenant),
        agent: Some(new.agent),
        credential: Some(new.credential),
        session: Some(new.session),
        task: Some(new.task),
        server: Some(new.server),
        tool: Some(new.tool),
        tool_name: Some(new.listed.clone()),
        approval: Some(new.id),
        token: approval.decided.as_ref().and_then(|decided| decided.token).map(|(id, _)| id),
        arguments: Some(new.arguments_digest),
        ..Event::new(kind, at)
    }
}

/// How a call ended, from its word.
fn outcome(text: &str) -> Result<Outcome, RegistryError> {
    match text {
        "answered" => Ok(Outcome::Answered),
        "failed" => Ok(Outcome::Failed),
        "unknown" => Ok(Outcome::Unknown),
        _ => Err(RegistryError::Damaged { what: "an outcome" }),
    }
}

#[cfg(test)]
mod tests;
