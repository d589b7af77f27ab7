//! How long credentials live, as it is shown.

use cs_model::Lifecycle;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How long what a tenant's agents prove themselves with lives.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct LifecycleView {
    /// What the tenant says; what it leaves out is as usual.
    pub set: Lifecycle,
    /// How long what is issued lasts where nobody asks for another time, in seconds.
    pub usual_secs: u32,
    /// How long a credential lasts at most, in seconds.
    pub longest_secs: u32,
    /// How long after its issue one that lasts as usual is replaced, in seconds.
    pub rotate_secs: u64,
    /// How long a replaced one goes on beside its successor, in seconds.
    pub overlap_secs: u32,
    /// How long after its issue one that was never used is an alert, in seconds.
    pub alert_unused_secs: u32,
    /// How long nobody has used one when it is revoked, in seconds.
    pub revoke_unused_secs: u32,
}

impl From<Lifecycle> for LifecycleView {
    fn from(set: Lifecycle) -> Self {
        Self {
            set,
            usual_secs: set.usual(),
            longest_secs: set.longest(),
            rotate_secs: set.rotate_after(u64::from(set.usual())),
            overlap_secs: set.overlap(),
            alert_unused_secs: set.alert_unused(),
            revoke_unused_secs: set.revoke_unused(),
        }
    }
}
