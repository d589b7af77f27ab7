//! Replacing credentials, as it is shown.

use cs_model::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agent::CredentialView;
use crate::secret_text::ShownOnce;

/// A credential and the one that takes its place.
#[derive(Debug, Serialize, TS)]
pub struct RotatedView {
    /// The old one.
    pub old: CredentialView,
    /// The new one.
    pub new: CredentialView,
    /// The secret of the new one, where its holder cannot fetch it any more. Shown once.
    pub secret: Option<ShownOnce>,
}

/// How far the run is that replaces all API keys of a tenant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct RotatedAllView {
    /// When it began.
    pub begun: Timestamp,
    /// How many were replaced just now.
    pub rotated: u64,
    /// How many could not be, just now. They go on.
    pub failed: u64,
    /// How many are left.
    pub left: u64,
}

/// Whether the housekeeper does its work.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct HousekeepingView {
    /// When it last looked.
    pub last: Option<Timestamp>,
    /// Since when it stands still, until a person has looked.
    pub halted: Option<Timestamp>,
    /// Why: what follows "the clock was set".
    pub why: Option<String>,
}
