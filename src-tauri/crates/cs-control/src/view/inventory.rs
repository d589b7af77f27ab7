//! A tenant's credentials in pages, as they are shown.

use cs_model::state::CredentialStage;
use cs_model::{CredentialId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agent::CredentialView;
use super::outlook::CalendarWhat;

/// A page of credentials.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct CredentialPageView {
    /// The credentials.
    pub rows: Vec<CredentialRow>,
    /// How many there are on all pages.
    pub total: u64,
    /// How many are in each stage, whichever stage was asked for.
    pub stages: Vec<StageCount>,
}

/// How many credentials are in a stage.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct StageCount {
    /// The stage.
    pub stage: CredentialStage,
    /// How many.
    pub credentials: u64,
}

/// A credential in a list.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct CredentialRow {
    /// The credential.
    pub credential: CredentialView,
    /// The name of its agent.
    pub agent_name: String,
    /// Where in its life it is.
    pub stage: CredentialStage,
    /// The one that takes its place.
    pub successor: Option<CredentialId>,
    /// What happens to it next by itself.
    pub next: Option<NextView>,
    /// How many sessions that it opened are not over.
    pub sessions: u64,
}

/// What happens to a credential next, and when.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct NextView {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: CalendarWhat,
}
