//! What was withdrawn before its time.

use cs_model::revocation::Revoked;
use cs_model::{RevocationId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A withdrawal of tokens.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct RevocationView {
    /// Its id.
    pub id: RevocationId,
    /// What is withdrawn.
    pub what: Revoked,
    /// The same, for a person.
    pub sentence: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// When it was made.
    pub created: Timestamp,
    /// When no token that it could concern can be alive any more.
    pub ends: Timestamp,
}

/// What was withdrawn together.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct RevokedAll {
    /// How many credentials were revoked; those that had been already do not count.
    pub credentials: u64,
    /// How many sessions were ended.
    pub sessions: u64,
    /// The tokens that were withdrawn.
    pub revocations: Vec<RevocationView>,
}
