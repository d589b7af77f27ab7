//! The people who use the console.

use cs_model::state::OperatorRole;
use cs_model::{OperatorId, Timestamp};
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
}
