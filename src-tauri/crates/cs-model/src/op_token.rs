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

/// The reasons for which an operation token that came with a call pays for nothing although it is
/// an honest one: it came late, or a second time. Any other was made for another call, or by nobody.
pub const HONEST: &[&str] = &["expired", "not_needed", "not_yet_valid", "spent"];

/// What two calls have in common that are the same: whoever asks for one again asks for no other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Operation {
    /// The tenant.
    pub tenant: TenantId,
    /// The agent.
    pub agent: AgentId,
    /// The session.
    pub session: SessionId,
    /// The task.
    pub task: Option<TaskId>,
    /// The server, the tool and the fingerprint of its pinned definition, where it has one.
    pub target: Option<(ServerId, ToolId, Digest)>,
    /// SHA-256 of the canonical arguments (RFC 8785).
    pub arguments: Digest,
}

impl Operation {
    /// What it is known by.
    pub fn digest(&self) -> Digest {
        let mut facts = vec![
            self.tenant.to_string(),
            self.agent.to_string(),
            self.session.to_string(),
            self.task.map(|task| task.to_string()).unwrap_or_default(),
        ];
        if let Some((server, tool, fingerprint)) = self.target {
            facts.extend([server.to_string(), tool.to_string(), fingerprint.to_string()]);
        }
        facts.push(self.arguments.to_string());
        // No fact has a line end, so no two lists of facts read the same.
        Digest::of_parts(&[b"countersign operation 1\n", facts.join("\n").as_bytes()])
    }
}

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
