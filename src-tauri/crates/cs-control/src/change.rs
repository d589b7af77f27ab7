//! What changed, so that a screen can ask again.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What changed, so that a screen can ask again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, TS)]
pub struct Change {
    /// The part of the registry that changed.
    pub topic: Topic,
}

/// A part of what screens show.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// What rules found that a person should know of.
    Alerts,
    /// Calls that wait for a person.
    Approvals,
    /// The audit log.
    Audit,
    /// What is enforced.
    Policy,
    /// Tenants, agents, tasks, servers, credentials.
    Registry,
    /// How servers are doing.
    Servers,
    /// Sessions.
    Sessions,
    /// The installation: locked or not, serving or not.
    Status,
}
