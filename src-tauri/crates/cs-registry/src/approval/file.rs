//! Putting a call before a person, once.

use cs_model::ApprovalId;
use cs_model::event::Event;
use sqlx::SqliteConnection;

use super::{NewApproval, expire, read};
use crate::error::{Doing as _, one};
use crate::row::signed;
use crate::{RegistryError, Work};

/// Files a call, or finds the request for the same operation that can still lead to it. The
/// events are recorded only when a new request was made. Answers with nothing where as many calls
/// of the agent wait as may.
#[derive(Clone, Debug)]
pub struct File {
    /// The call.
    pub request: NewApproval,
    /// How many calls of its agent may wait at a time: one more is not filed.
    pub most_waiting: u16,
    /// What tells of it.
    pub events: Vec<Event>,
}

/// The request that stands for a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Filed {
    /// Its id.
    pub id: ApprovalId,
    /// Whether it was made for this call.
    pub new: bool,
}

impl Work for File {
    type Done = Option<Filed>;

    async fn run(
        self,
        db: &mut SqliteConnection,
    ) -> Result<(Self::Done, Vec<Event>), RegistryError> {
        let Self { request, most_waiting, events: told } = self;
        let mut events = Vec::new();
        let live = read::live(&mut *db, request.tenant, request.operation).await?;
        if let Some(live) = live {
            if request.requested < live.expires() {
                return Ok((Some(Filed { id: live.new.id, new: false }), events));
            }
            // It ran out and nobody had noticed yet.
            events.push(expire(&mut *db, &live, request.requested).await?);
        }
        if pending(&mut *db, &request).await? >= i64::from(most_waiting) {
            return Ok((None, events));
        }
        insert(db, &request).await?;
        events.extend(told);
        Ok((Some(Filed { id: request.id, new: true }), events))
    }
}

/// How many calls of the agent wait for a person when this one comes.
async fn pending(db: &mut SqliteConnection, new: &NewApproval) -> Result<i64, RegistryError> {
    let (tenant, agent, now) = (new.tenant.uuid(), new.agent.uuid(), new.requested.millis());
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!: i64"
             FROM approval
            WHERE tenant_id = ?1
              AND agent_id = ?2
              AND state = 'pending'
              AND decide_by > ?3"#,
        tenant,
        agent,
        now,
    )
    .fetch_one(db)
    .await
    .doing("count the calls of the agent that wait")
}

/// Written only if session, credential, agent, task, server and tool are one another's and the
/// tenant's.
async fn insert(db: &mut SqliteConnection, new: &NewApproval) -> Result<(), RegistryError> {
    let (id, tenant, operation) =
        (new.id.uuid(), new.tenant.uuid(), new.operation.as_bytes().as_slice());
    let (session, credential, agent) =
        (new.session.uuid(), new.credential.uuid(), new.agent.uuid());
    let (task, server, tool) = (new.task.uuid(), new.server.uuid(), new.tool.uuid());
    let fingerprint = new.fingerprint.as_bytes().as_slice();
    let arguments_digest = new.arguments_digest.as_bytes().as_slice();
    let (requested, decide_by) = (new.requested.millis(), new.decide_by.millis());
    let version = signed(new.policy_version);
    let done = sqlx::query!(
        "INSERT INTO approval (id, tenant_id, operation, agent_id, agent_name, credential_id,
                               session_id, task_id, task_name, server_id, server_name, tool_id,
                               tool_name, listed, fingerprint, arguments, arguments_digest,
                               policy_version, requested, decide_by, state)
         SELECT ?1, ?2, ?3, session.agent_id, session.agent_name, session.credential_id,
                session.id, session.task_id, session.task_name, server.id, server.name, tool.id,
                iif(tool.kind = 'tool', tool.name, tool.kind || ':' || tool.name), ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'pending'
           FROM session
           JOIN tool ON tool.tenant_id = session.tenant_id AND tool.id = ?11
           JOIN server ON server.tenant_id = tool.tenant_id AND server.id = tool.server_id
          WHERE session.tenant_id = ?2
            AND session.id = ?12
            AND session.credential_id = ?13
            AND session.agent_id = ?14
            AND session.task_id = ?15
            AND session.ended IS NULL
            AND session.ends > ?9
            AND server.id = ?16",
        id,
        tenant,
        operation,
        new.listed,
        fingerprint,
        new.arguments,
        arguments_digest,
        version,
        requested,
        decide_by,
        tool,
        session,
        credential,
        agent,
        task,
        server,
    )
    .execute(db)
    .await
    .creating("an approval request for this operation", "put the call before a person")?;
    one(done.rows_affected(), "live session, or tool,")
}
