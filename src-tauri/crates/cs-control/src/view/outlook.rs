//! What will become of credentials, and how well they are kept, as it is shown.

use cs_model::{AgentId, CredentialId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What happens to a credential.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CalendarWhat {
    /// It is revoked, unless somebody uses it before.
    EndsUnused,
    /// It ends by its own time.
    Expires,
    /// It makes way for the one that takes its place.
    OverlapEnds,
    /// Another one takes its place.
    Rotates,
}

/// One thing that will happen to a credential.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct CalendarView {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: CalendarWhat,
    /// The credential.
    pub credential: CredentialId,
    /// What it is recognised by.
    pub key_id: String,
    /// Its agent.
    pub agent: AgentId,
    /// The agent's name.
    pub agent_name: String,
}

/// What is wrong with how a credential is kept.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PostureWhat {
    /// It ends within a day, and nothing takes its place.
    EndsWithoutSuccessor,
    /// It lasts longer than the tenant says today.
    LivesTooLong,
    /// It was not used for so long after its issue that it is an alert.
    NeverUsed,
    /// It takes the place of another, and its holder has not come for it.
    NotFetched,
}

impl PostureWhat {
    /// What to do about it.
    pub const fn fix(self) -> &'static str {
        match self {
            Self::EndsWithoutSuccessor => "Replace it before it ends, or let it end.",
            Self::LivesTooLong => "Replace it: its successor lasts as long as the tenant says.",
            Self::NeverUsed => "Revoke it, unless its agent is about to be put to work.",
            Self::NotFetched => {
                "Let its agent connect with `countersign connect`, or hand a new one over."
            }
        }
    }
}

/// How well a tenant's credentials are kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct PostureView {
    /// Of 100: how many of each hundred have no fault.
    pub score: u64,
    /// How many may be used.
    pub credentials: u64,
    /// Each fault, with what to do about it.
    pub points: Vec<PosturePoint>,
}

/// One fault.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct PosturePoint {
    /// What it is.
    pub what: PostureWhat,
    /// The credential.
    pub credential: CredentialId,
    /// What it is recognised by.
    pub key_id: String,
    /// The name of its agent.
    pub agent_name: String,
    /// What to do about it.
    pub fix: String,
}

/// Who would be cut off by revoking.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct RevokePreviewView {
    /// How many credentials would be revoked.
    pub credentials: u64,
    /// How many sessions would end.
    pub sessions: u64,
    /// How many calls that wait would be taken back.
    pub waiting: u64,
    /// Each agent that has a good credential or a session among them, by name.
    pub agents: Vec<CutOffView>,
}

/// What an agent would lose.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct CutOffView {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// How many credentials that are good it would lose.
    pub credentials: u64,
    /// How many that are good it would keep.
    pub left: u64,
    /// How many of its sessions would end.
    pub sessions: u64,
    /// How many of its calls that wait would be taken back.
    pub waiting: u64,
    /// When one of those that it would lose was last used.
    pub last_used: Option<Timestamp>,
}

/// What replacing would do. Nobody is cut off by it: the old ones go on until their successors
/// were used, and for the overlap after that.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct RotatePreviewView {
    /// How many API keys would be replaced.
    pub keys: u64,
    /// How many are being replaced already.
    pub already: u64,
    /// How many that are good are no API keys: they are not replaced like this.
    pub others: u64,
    /// The agents that have to fetch their new keys, by name.
    pub agents: Vec<String>,
    /// When the first of the old keys ends in any case.
    pub first_end: Option<Timestamp>,
    /// How long an old key goes on after its successor was first used, in seconds.
    pub overlap_secs: u32,
}
