//! The people who use the console.

use cs_model::state::{KeyEnd, OperatorRole};
use cs_model::{Digest, OperatorId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A person who uses the console.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct OperatorView {
    /// Their id.
    pub id: OperatorId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: OperatorRole,
    /// Since when they are here.
    pub created: Timestamp,
    /// The SHA-256 digest of the public key that their signatures are verified with.
    pub key: Digest,
    /// Since when they have it.
    pub key_since: Timestamp,
    /// The keys they had before, the latest first. What they signed is verified with these.
    pub past_keys: Vec<PastKeyView>,
}

/// A key that an operator once signed with.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct PastKeyView {
    /// The SHA-256 digest of the public key.
    pub key: Digest,
    /// Since when they had it.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why they have another one since.
    pub why: KeyEnd,
}
