//! Tenants.

use cs_model::state::Standing;
use cs_model::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A tenant and how much it has.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct TenantView {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Whether its agents may act.
    pub standing: Standing,
    /// When it was made.
    pub created: Timestamp,
    /// How many agents it has.
    pub agents: u64,
    /// How many servers it has.
    pub servers: u64,
    /// How many tools it has.
    pub tools: u64,
    /// How many tasks it has.
    pub tasks: u64,
    /// How many of its sessions are not over.
    pub live_sessions: u64,
    /// Whether this tenant came with the starter and can be removed without trace.
    pub starter: bool,
}
