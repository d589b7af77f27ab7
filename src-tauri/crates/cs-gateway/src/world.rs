//! What requests are judged by: swapped as a whole whenever something changes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cs_model::state::CredentialState;
use cs_model::upstream::Transport;
use cs_model::{AgentId, CredentialId, OperatorId, ServerId, TaskId, TenantId, Timestamp};
use cs_policy::Snapshot;

/// All that requests are judged by. The default one knows nobody and denies everything.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The policy version in force.
    pub policy: Arc<Snapshot>,
    /// The API keys, by the key id that a request names.
    pub keys: Arc<HashMap<String, ApiKey>>,
    /// How the servers are reached.
    pub upstreams: Arc<HashMap<(TenantId, ServerId), Transport>>,
    /// The public Ed25519 keys of the operators who may sign, 32 bytes each.
    pub operators: Arc<HashMap<OperatorId, [u8; 32]>>,
}

/// An API key, but for its secret.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The credential.
    pub credential: CredentialId,
    /// Its tenant. A request's tenant is this, never what the address says.
    pub tenant: TenantId,
    /// Its agent.
    pub agent: AgentId,
    /// The tasks that it may declare, where it is bound more narrowly than its agent.
    pub tasks: Option<BTreeSet<TaskId>>,
    /// Whether it may be used.
    pub state: CredentialState,
    /// When it ends.
    pub expires: Timestamp,
}
