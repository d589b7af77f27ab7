//! Which definitions the gateway would refuse, and why.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use cs_model::{Digest, Kind};

/// How many definitions are remembered.
const KEPT: usize = 4096;

/// What was found of the definitions that were looked at. To look at one takes a while.
#[derive(Debug, Default)]
pub(crate) struct Examined(Mutex<HashMap<(Kind, Digest), Option<String>>>);

impl Examined {
    /// Why no agent is offered a thing of this kind with this definition.
    pub(crate) fn problem(
        &self,
        kind: Kind,
        definition: &str,
        fingerprint: Digest,
    ) -> Option<String> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(&(kind, fingerprint)) {
            return found.clone();
        }
        let found = cs_gateway::examine(kind, definition).err().map(|fault| fault.to_string());
        let mut known = known();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert((kind, fingerprint), found.clone());
        found
    }
}
