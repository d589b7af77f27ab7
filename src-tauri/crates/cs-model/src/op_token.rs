//! The claims of an operation token: an operator's signature over one exact call.

use serde::{Deserialize, Serialize};

use crate::{
    AgentId, Digest, OperationTokenId, OperatorId, ServerId, SessionId, TaskId, TenantId, ToolId,
};

/// The `typ` of an operation token (RFC 8725, section 3.11: one type per purpose).
pub const TYPE: &str = "countersign-op+jwt";

/// How long an operation token lasts unless said otherwise, in seconds.
pub const DEFAULT_SECS: i64 = 120;

/// How long an operation token may last at most, in seconds.
pub const MOST_SECS: i64 = 300;

/// What an operation token says. Names as in RFC 7519 where it has them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OperationClaims {
    /// The operator who signed.
    pub iss: OperatorId,
    /// The gateway that may redeem it: its instance id.
    pub aud: String,
    /// The agent that may have the call made.
    pub sub: AgentId,
    /// The tenant.
    pub tenant: TenantId,
    /// The session.
    pub sid: SessionId,
    /// The task.
    pub task: TaskId,
    /// The server.
    pub server: ServerId,
    /// The tool.
    pub tool: ToolId,
    /// The fingerprint of the tool's pinned definition.
    pub tool_fpr: Digest,
    /// SHA-256 of the canonical arguments (RFC 8785).
    pub args: Digest,
    /// The policy version under which it was signed.
    pub pv: u64,
    /// Its own id: it is redeemed once.
    pub jti: OperationTokenId,
    /// When it was signed, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970. Not valid at that second any more.
    pub exp: i64,
    /// SHA-256 of the reason that the operator gave, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rsn: Option<Digest>,
    /// Whether the operator gave the passphrase for this very signature.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prs: bool,
    /// Whether the operator means it to count alone, whatever the tool asks for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub brk: bool,
}
