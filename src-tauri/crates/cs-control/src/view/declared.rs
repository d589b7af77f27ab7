//! The registry as a file.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The registry as a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct DeclaredView {
    /// The file, in YAML.
    pub text: String,
}

/// What applying a file changed, or would change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AppliedView {
    /// One sentence for each change.
    pub changes: Vec<String>,
    /// Whether they were made.
    pub applied: bool,
    /// The policy version in force.
    pub policy_version: u64,
}
