//! Audit events: what happened, who did it, under which policy.
//!
//! One schema for every kind; a field that has no meaning for a kind is absent. No field ever
//! holds a secret or a raw token, and foreign text passes [`crate::text::neutralise`] first.

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, ApprovalId, CorrelationId, CredentialId, Digest, OperationTokenId, OperatorId,
    SeriesId, ServerId, SessionId, TaskId, TenantId, Timestamp, ToolId,
};

/// The version of this schema.
pub const SCHEMA: u32 = 1;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum EventKind { $($(#[$doc])* #[serde(rename = $text)] $variant,)* }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

kinds! {
    /// An operator or the CLI changed something; `detail` says what.
    AdminChanged = "admin.changed",
    /// Somebody has looked at an alert; `detail` is the note.
    AlertAcknowledged = "alert.acknowledged",
    /// A rule found something; `reason` is the rule, `detail` says what.
    AlertRaised = "alert.raised",
    /// A person approved a waiting call, with the last signature that it needed.
    ApprovalApproved = "approval.approved",
    /// An owner signed alone for a call that asks for more; `detail` is the reason.
    ApprovalBrokeGlass = "approval.broke_glass",
    /// A person denied a waiting call.
    ApprovalDenied = "approval.denied",
    /// Nobody decided in time.
    ApprovalExpired = "approval.expired",
    /// A call began to wait for a person.
    ApprovalRequested = "approval.requested",
    /// A person signed a waiting call that needs more signatures; `detail` says how many.
    ApprovalSigned = "approval.signed",
    /// A signature over a waiting call that needs more does not count any more; `reason` says why.
    ApprovalSignatureVoid = "approval.signature_void",
    /// The client or the end of its session took a waiting call back.
    ApprovalWithdrawn = "approval.withdrawn",
    /// A credential was not accepted; `reason` says why.
    AuthnFailed = "authn.failed",
    /// A credential was accepted, and nothing else of the request is on record.
    AuthnSucceeded = "authn.succeeded",
    /// The clock of the machine was set; `detail` says how far.
    ClockMoved = "clock.moved",
    /// A console on another machine connected; `detail` is its name.
    ConsoleAttached = "console.attached",
    /// It is not connected any more; `detail` is its name.
    ConsoleLeft = "console.left",
    /// Somebody on another machine was not let in as a console; `reason` says why.
    ConsoleRefused = "console.refused",
    /// The secret of a credential that takes the place of another was handed over to the holder of
    /// the old one; `detail` says which.
    CredentialDelivered = "credential.delivered",
    /// A credential that was replaced goes on beside its successor for some time; `detail` says how
    /// long.
    CredentialOverlap = "credential.overlap",
    /// A credential is over; `reason` says why.
    CredentialRetired = "credential.retired",
    /// Another credential is to take the place of one; `detail` says which, `reason` why.
    CredentialRotated = "credential.rotated",
    /// A call was judged; `decision` and `reason` say how.
    Decision = "decision",
    /// An upstream answered, failed, or was never heard of again; `outcome` says which.
    ExecutionFinished = "execution.finished",
    /// A call that a person signed for is about to be sent to its upstream. One that is simply
    /// allowed is sent once its decision is on record.
    ExecutionStarted = "execution.started",
    /// The gateway began to serve.
    GatewayStarted = "gateway.started",
    /// The gateway stopped serving.
    GatewayStopped = "gateway.stopped",
    /// The log, or the registry that holds it, is not what it was; `detail` says where.
    IntegrityFailed = "integrity.failed",
    /// The gateway's own issuer gave a client an access token; `detail` says which.
    IssuerIssued = "issuer.issued",
    /// The gateway's own issuer refused what a client asked for; `reason` says why.
    IssuerRefused = "issuer.refused",
    /// A client withdrew an access token of its own; `detail` says which.
    IssuerRevoked = "issuer.revoked",
    /// The console was locked.
    OperatorLocked = "operator.locked",
    /// An operator gave the passphrase.
    OperatorUnlocked = "operator.unlocked",
    /// Somebody gave a wrong passphrase.
    OperatorUnlockFailed = "operator.unlock_failed",
    /// A policy version took effect.
    PolicyEnforced = "policy.enforced",
    /// An identity provider publishes other keys than before; `detail` says which.
    ProviderKeysChanged = "provider.keys_changed",
    /// An identity provider can be reached again.
    ProviderRecovered = "provider.recovered",
    /// An identity provider cannot be reached, or publishes no key that can be used.
    ProviderUnreachable = "provider.unreachable",
    /// The registry can be written to again; `detail` says why it could not be.
    RegistryRecovered = "registry.recovered",
    /// A request was refused before it could be judged: framing, envelope, headers, limits.
    RequestRefused = "request.refused",
    /// A credential could not be replaced, and goes on; `detail` says why.
    RotationFailed = "credential.rotation_failed",
    /// A series of approvals pays for no more calls; `reason` says why.
    SeriesEnded = "series.ended",
    /// An operator took a series of approvals back.
    SeriesRevoked = "series.revoked",
    /// An operator signed a series of approvals; `detail` says for how many calls and how long.
    SeriesSigned = "series.signed",
    /// A server asked something back while it served a call; `reason` says what, and whether it was
    /// put to the client.
    ServerAsked = "server.asked",
    /// A session was ended.
    SessionEnded = "session.ended",
    /// A session was opened.
    SessionOpened = "session.opened",
    /// An operation token was refused; `reason` says why.
    TokenRefused = "token.refused",
    /// An operation token was spent.
    TokenRedeemed = "token.redeemed",
    /// A server publishes another definition than the pinned one.
    ToolDrift = "tool.drift",
}

/// How a call was judged.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ts_rs::TS,
)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may go ahead.
    Allow,
    /// It may not.
    Deny,
    /// It waits for a person.
    Hold,
}

/// How an execution ended.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ts_rs::TS,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The upstream could not be reached or its answer was refused.
    Failed,
    /// The upstream answered; the tool may still have reported an error of its own.
    Answered,
    /// The process died, or the deadline passed, before the upstream answered.
    Unknown,
}

/// Who acted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Actor {
    /// An operator who unlocked the console.
    Operator {
        /// Which one.
        id: OperatorId,
    },
    /// The local user who runs the command line on this home.
    Local {
        /// The user's number in the operating system, where it has one.
        uid: Option<u32>,
    },
    /// Countersign itself.
    System,
}

/// One event, before it is given its place in the chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The version of the schema: [`SCHEMA`].
    pub schema: u32,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// What ties it to an answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<CorrelationId>,
    /// The tenant it belongs to. Absent only for what concerns the whole installation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tenant: Option<TenantId>,
    /// Who acted, when it was not an agent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub actor: Option<Actor>,
    /// The agent, once it was verified.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agent: Option<AgentId>,
    /// Who the caller said it was, before it was verified.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub claimed: Option<String>,
    /// The credential.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential: Option<CredentialId>,
    /// What the caller proved itself by (`api_key`, `certificate`, `token`): stands in the first
    /// event of its request, which is the record of that too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proof: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<SessionId>,
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub task: Option<TaskId>,
    /// The server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server: Option<ServerId>,
    /// The tool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool: Option<ToolId>,
    /// What the agent called it: for a tool that does not exist there is no id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool_name: Option<String>,
    /// The method of the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub method: Option<String>,
    /// How it was judged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<Decision>,
    /// Why, in a short code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The policy version in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub policy_version: Option<u64>,
    /// The approval request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approval: Option<ApprovalId>,
    /// The operation token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<OperationTokenId>,
    /// The series of approvals.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub series: Option<SeriesId>,
    /// The digest of the canonical arguments.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arguments: Option<Digest>,
    /// How an execution ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<Outcome>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub took_ms: Option<u64>,
    /// The address of the client.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<String>,
    /// What a person should know besides, in one neutral sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

impl Event {
    /// An event of which nothing but the kind and the time is known yet.
    pub const fn new(kind: EventKind, at: Timestamp) -> Self {
        Self {
            schema: SCHEMA,
            kind,
            at,
            correlation: None,
            tenant: None,
            actor: None,
            agent: None,
            claimed: None,
            credential: None,
            proof: None,
            session: None,
            task: None,
            server: None,
            tool: None,
            tool_name: None,
            method: None,
            decision: None,
            reason: None,
            policy_version: None,
            approval: None,
            token: None,
            series: None,
            arguments: None,
            outcome: None,
            took_ms: None,
            client: None,
            detail: None,
        }
    }
}
