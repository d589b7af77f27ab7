//! What the gateway needs of the world. Each port says what `Ok` promises.
//!
//! A port that changes something takes the events that tell of it, and writes both or neither.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cs_model::event::{Event, Outcome};
use cs_model::state::SessionEnd;
use cs_model::{
    AgentId, ApprovalId, CredentialId, Digest, OperationTokenId, Secret, SeriesId, ServerId,
    SessionId, TaskId, TenantId, Timestamp, ToolId,
};
use cs_policy::Session;
use tokio::sync::watch;

/// Everything the gateway needs, in one place.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The audit log.
    pub audit: Arc<dyn AuditSink>,
    /// Nonces of signed requests.
    pub nonces: Arc<dyn NonceStore>,
    /// Authorization sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Calls that wait for a person.
    pub desk: Arc<dyn ApprovalDesk>,
    /// Series of approvals.
    pub series: Arc<dyn SeriesBook>,
    /// Spent operation tokens.
    pub ledger: Arc<dyn TokenLedger>,
    /// Secrets.
    pub secrets: Arc<dyn SecretSource>,
    /// Credentials that take the place of others.
    pub renewals: Arc<dyn Renewals>,
    /// Tokens that were withdrawn.
    pub revocations: Arc<dyn RevocationList>,
}

/// Something the gateway depends on did not do what was asked. The call is not made.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}")]
pub struct PortError {
    /// What was being done, to follow "could not".
    pub doing: &'static str,
    /// What went wrong. Goes to the log, never to a caller.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// How long some moment in the past is ago, by a clock that nobody can set and that goes on
    /// while the machine sleeps; nothing where there is none.
    fn steady(&self) -> Option<Duration> {
        None
    }
}

/// Makes random bytes that nobody can guess.
pub trait Random: Debug + Send + Sync {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    ///
    /// When the system has no randomness to give.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), PortError>;
}

/// Puts events on record.
#[async_trait]
pub trait AuditSink: Debug + Send + Sync {
    /// Records events, in order. Durable, even across a power cut, once it returns.
    async fn record(&self, events: Vec<Event>) -> Result<(), PortError>;
}

/// Whether a nonce was new.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Nonce {
    /// It was, and is remembered now.
    Fresh,
    /// It had been seen.
    Seen,
}

/// Remembers the nonces of signed requests.
#[async_trait]
pub trait NonceStore: Debug + Send + Sync {
    /// Remembers a nonce until then, at least. Of any number of concurrent attempts with one
    /// nonce exactly one is fresh, also across a restart.
    async fn remember(
        &self,
        credential: CredentialId,
        nonce: &str,
        until: Timestamp,
    ) -> Result<Nonce, PortError>;
}

/// A session as it is kept.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// What decisions depend on.
    pub session: Session,
    /// The credential that opened it.
    pub credential: CredentialId,
    /// When it opened.
    pub opened: Timestamp,
    /// The policy version under which it opened.
    pub policy_version: u64,
    /// The `Mcp-Session-Id` of the older protocol era, while it has one.
    pub wire_id: Option<String>,
    /// How many calls were judged in it. The log counts them; nothing for a new one.
    pub calls: u64,
    /// How many of them were attempts outside its allowlist.
    pub anomalies: u64,
}

/// Keeps authorization sessions.
#[async_trait]
pub trait SessionStore: Debug + Send + Sync {
    /// Keeps a new session. Durable once it returns.
    async fn opened(&self, session: &StoredSession, events: Vec<Event>) -> Result<(), PortError>;

    /// Binds a session to another `Mcp-Session-Id`, or to none. Durable once it returns.
    async fn rebound(&self, id: SessionId, wire_id: Option<&str>) -> Result<(), PortError>;

    /// Ends a session. Ending one that is over changes nothing and records nothing.
    async fn ended(
        &self,
        id: SessionId,
        why: SessionEnd,
        at: Timestamp,
        events: Vec<Event>,
    ) -> Result<(), PortError>;

    /// The sessions that are not over, to go on with after a restart.
    async fn live(&self, now: Timestamp) -> Result<Vec<StoredSession>, PortError>;
}

/// A call that is put before a person.
#[derive(Clone, Debug)]
pub struct NewApproval {
    /// Its id.
    pub id: ApprovalId,
    /// What makes two calls the same: tenant, agent, session, task, server, tool, fingerprint and
    /// arguments, digested.
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
    /// The canonical arguments (RFC 8785): what is shown, hashed and sent.
    pub arguments: String,
    /// Their digest.
    pub arguments_digest: Digest,
    /// The policy version that asked.
    pub policy_version: u64,
    /// When it was asked.
    pub requested: Timestamp,
    /// Until when a person may decide.
    pub decide_by: Timestamp,
    /// How many calls of the agent may wait at a time.
    pub most_waiting: u16,
}

/// A call that was put before a person, as far as it is needed to go on with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FiledCall {
    /// Its session.
    pub session: SessionId,
    /// The credential.
    pub credential: CredentialId,
    /// The name under which the agent sees the tool.
    pub listed: String,
    /// The canonical arguments.
    pub arguments: String,
    /// When it was filed.
    pub requested: Timestamp,
}

/// Where a call that was put before a person stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ruling {
    /// As many signed as it takes; the tokens are still to be redeemed.
    Approved {
        /// The operation tokens, one of each operator, as compact JWS.
        tokens: Vec<String>,
    },
    /// Somebody said no.
    Denied {
        /// Why, in the operator's words.
        reason: String,
    },
    /// The call was made.
    Executed,
    /// Nobody decided in time, or the token ran out.
    Expired,
    /// Nobody has decided yet.
    Pending,
    /// The call may have been made; the process died before it was known.
    Unknown,
    /// The call was taken back.
    Withdrawn,
}

/// What an agent does while a person decides on its call.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Meanwhile {
    /// It goes on, and asks how the call fares.
    Asks,
    /// It waits for the answer.
    Waits,
}

/// Puts calls before people.
#[async_trait]
pub trait ApprovalDesk: Debug + Send + Sync {
    /// Files a call, or finds the request for the same operation that is still pending or
    /// approved and unspent. Durable once it returns. The events are recorded only when a new
    /// request was made. Answers with the id of the request that stands for the call; with nothing,
    /// where as many calls of the agent wait as may and this one was not filed.
    async fn file(
        &self,
        request: NewApproval,
        events: Vec<Event>,
    ) -> Result<Option<ApprovalId>, PortError>;

    /// What was filed under this id, if anything was.
    async fn filed(&self, tenant: TenantId, id: ApprovalId)
    -> Result<Option<FiledCall>, PortError>;

    /// Where a request stands now.
    async fn ruling(&self, tenant: TenantId, id: ApprovalId) -> Result<Ruling, PortError>;

    /// Waits until a request is no longer pending, for as long as the caller keeps waiting.
    /// While somebody waits, the console shows what the agent does meanwhile.
    async fn decided(
        &self,
        tenant: TenantId,
        id: ApprovalId,
        meanwhile: Meanwhile,
    ) -> Result<Ruling, PortError>;

    /// Takes a request back that can still lead to a call: one that is pending, or approved and
    /// not spent. Any other stays as it is. Once this returns, nothing is redeemed for it any more.
    async fn withdraw(
        &self,
        tenant: TenantId,
        id: ApprovalId,
        events: Vec<Event>,
    ) -> Result<(), PortError>;
}

/// What is spent when a token is redeemed, or several of different operators are.
#[derive(Clone, Debug)]
pub struct Redemption {
    /// The token that the redemption is known by.
    pub token: OperationTokenId,
    /// The tokens that are spent together with it.
    pub others: Vec<OperationTokenId>,
    /// Its tenant.
    pub tenant: TenantId,
    /// The session whose call it pays for.
    pub session: SessionId,
    /// The approval request that it answers; when it was handed over with the call, the one that
    /// it was signed for.
    pub approval: Option<ApprovalId>,
    /// When the first of them would have ended.
    pub expires: Timestamp,
    /// When it is redeemed.
    pub at: Timestamp,
}

/// Whether a token was spent by this attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Spend {
    /// One of them had been spent before, or the approval no longer stands. None was spent.
    Refused,
    /// They were, all of them, by this attempt and no other.
    Spent,
}

/// Spends operation tokens.
#[async_trait]
pub trait TokenLedger: Debug + Send + Sync {
    /// Spends a token with those that come together with it: all of them, or none. Of any number
    /// of concurrent attempts at most one succeeds, and once it has, they stay spent across a
    /// crash and a power cut. The events are recorded only when they were spent.
    async fn redeem(&self, what: Redemption, events: Vec<Event>) -> Result<Spend, PortError>;

    /// Records how the call that a token paid for ended.
    async fn settled(
        &self,
        token: OperationTokenId,
        outcome: Outcome,
        events: Vec<Event>,
    ) -> Result<(), PortError>;
}

/// A series of approvals that has not ended, as it is kept.
#[derive(Clone, Debug)]
pub struct RunningSeries {
    /// Its id.
    pub id: SeriesId,
    /// What the operator signed, as a compact JWS.
    pub token: String,
    /// The JSON Schema of the arguments, whose digest was signed.
    pub schema: String,
}

/// What is spent when a series pays for a call.
#[derive(Clone, Debug)]
pub struct SeriesUse {
    /// The series.
    pub series: SeriesId,
    /// What the redemption is known by: a new id.
    pub token: OperationTokenId,
    /// Its tenant.
    pub tenant: TenantId,
    /// The session whose call it pays for.
    pub session: SessionId,
    /// What makes two calls the same, digested.
    pub operation: Digest,
    /// For how many calls was signed.
    pub calls: u8,
    /// When what was signed ends.
    pub expires: Timestamp,
    /// When it is spent.
    pub at: Timestamp,
}

/// Keeps series of approvals.
#[async_trait]
pub trait SeriesBook: Debug + Send + Sync {
    /// The series that may still pay for calls of a tool in a session. A hint of what to look at:
    /// none of it is believed.
    async fn running(
        &self,
        tenant: TenantId,
        session: SessionId,
        tool: ToolId,
    ) -> Result<Vec<RunningSeries>, PortError>;

    /// Changes whenever somebody has signed a series, for whichever session: whoever waits for a
    /// person looks again whether it covers the call.
    fn signed(&self) -> watch::Receiver<u64>;

    /// Spends one call of a series. Of any number of concurrent attempts at most as many succeed
    /// as it has calls, each with a number of its own, and they stay spent across a crash and a
    /// power cut. Refused when it has ended, and when somebody approved the very call; a request
    /// for the call that nobody decided on is taken back. The events are recorded only when it was
    /// spent. How the call ended is said to the [`TokenLedger`].
    async fn redeem(&self, what: SeriesUse, events: Vec<Event>) -> Result<Spend, PortError>;

    /// Ends a series, for a reason in a short code. Ending one that is over changes nothing and
    /// records nothing.
    async fn end(
        &self,
        tenant: TenantId,
        series: SeriesId,
        why: &str,
        at: Timestamp,
        events: Vec<Event>,
    ) -> Result<(), PortError>;
}

/// Hands out secrets, at the moment they are needed.
#[async_trait]
pub trait SecretSource: Debug + Send + Sync {
    /// The secret of an API key.
    async fn api_key(&self, credential: CredentialId) -> Result<Secret, PortError>;

    /// A secret of a tenant, by the name that a server's settings give it.
    async fn tenant_secret(&self, tenant: TenantId, name: &str) -> Result<Secret, PortError>;

    /// A key of this installation's gateway, 32 bytes: the same after each start.
    async fn lasting_key(&self) -> Result<Secret, PortError>;

    /// The seed of a key of a tenant's own token issuer, 32 bytes.
    async fn issuer_key(&self, tenant: TenantId, key_id: &str) -> Result<Secret, PortError>;
}

/// A token of a tenant's own issuer that its client gives up.
#[derive(Clone, Debug)]
pub struct GivenUp {
    /// The tenant.
    pub tenant: TenantId,
    /// Its `iss`.
    pub issuer: String,
    /// Its `jti`.
    pub id: String,
    /// When it would have ended.
    pub expires: Timestamp,
}

/// Withdraws tokens.
#[async_trait]
pub trait RevocationList: Debug + Send + Sync {
    /// Withdraws a token. Once it returns, the token stays withdrawn across a crash, and what
    /// requests are judged by says so. Withdrawing one that is withdrawn already changes nothing.
    async fn give_up(&self, token: GivenUp, events: Vec<Event>) -> Result<(), PortError>;
}

/// What there is to hand over to the holder of a credential.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Renewal {
    /// Nothing takes its place yet.
    #[default]
    NotYet,
    /// This does, and it is on record that it is handed over.
    Ready {
        /// The new credential.
        credential: CredentialId,
        /// Its key id.
        key_id: String,
        /// When it ends.
        expires: Timestamp,
    },
    /// Nothing that this holder may have.
    Refused {
        /// Why, in a short code.
        reason: &'static str,
    },
}

/// Hands credentials over that take the place of others.
#[async_trait]
pub trait Renewals: Debug + Send + Sync {
    /// Looks what takes the place of an API key whose holder has proven itself. As long as the new
    /// one was never used it is the same one each time; from then on it is refused. The event is
    /// recorded only where there is something to hand over, and is durable once this returns.
    async fn renew(
        &self,
        tenant: TenantId,
        old: CredentialId,
        event: Event,
    ) -> Result<Renewal, PortError>;
}
