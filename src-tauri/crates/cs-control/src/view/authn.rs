//! Who proved who they are, and who did not.

use cs_model::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Authentication in the last 24 hours.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AuthnOverview {
    /// When the span begins: the running hour and the 23 before it.
    pub since: Timestamp,
    /// Each method, used or not.
    pub methods: Vec<AuthnMethod>,
    /// Refusals by reason, the most frequent first. Those of callers of whom it is not known which
    /// tenant they meant are among them.
    pub failures: Vec<AuthnFailure>,
}

/// One method.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AuthnMethod {
    /// `api_key`, `token`, `certificate`, or `none` where nothing was presented.
    pub method: String,
    /// How often it was accepted.
    pub accepted: u64,
    /// How often it was refused.
    pub refused: u64,
    /// When it was last used.
    pub last: Option<Timestamp>,
}

/// One reason to refuse.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct AuthnFailure {
    /// Its code in the log.
    pub reason: String,
    /// The same, for a person.
    pub sentence: String,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Timestamp,
    /// Who the newest claimed to be. Not to be trusted.
    pub claimed: Option<String>,
    /// The address that it came from.
    pub client: Option<String>,
}
