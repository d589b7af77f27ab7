//! The claims of a bounded series: an operator's signature over some calls that are alike.

use serde::{Deserialize, Serialize};

use crate::{AgentId, Digest, OperatorId, SeriesId, ServerId, SessionId, TaskId, TenantId, ToolId};

/// The `typ` of a series. No operation token has it, and no series has that of a token.
pub const TYPE: &str = "countersign-series+jwt";

/// The most calls that one series pays for.
pub const MOST_CALLS: u8 = 100;

/// How long a series may last at most, in seconds.
pub const MOST_SECS: i64 = 15 * 60;

/// What a series says: names as in an operation token, with the schema of the arguments where that
/// has the arguments themselves.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesClaims {
    /// The operator who signed.
    pub iss: OperatorId,
    /// The gateway that may redeem it: its instance id.
    pub aud: String,
    /// The agent that may have the calls made.
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
    /// SHA-256 of the canonical JSON Schema (RFC 8785) that the arguments of each call satisfy.
    pub schema: Digest,
    /// For how many calls it pays.
    pub n: u8,
    /// The policy version under which it was signed.
    pub pv: u64,
    /// Its own id.
    pub jti: SeriesId,
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
}

impl SeriesClaims {
    /// Whether it claims no more calls and no more time than a series may have.
    pub fn is_bounded(&self) -> bool {
        let lasts = self.exp.checked_sub(self.iat);
        (1..=MOST_CALLS).contains(&self.n)
            && lasts.is_some_and(|lasts| (1..=MOST_SECS).contains(&lasts))
    }
}
