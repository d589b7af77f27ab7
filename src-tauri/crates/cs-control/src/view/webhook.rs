//! The web server that is told when calls begin to wait.

use cs_model::Timestamp;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The web server that is told when calls begin to wait.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct WebhookView {
    /// Its origin, such as `https://hooks.example`; nothing while nobody is told. The rest of its
    /// URL may be as good as a password and is not shown.
    pub origin: Option<String>,
    /// Whether notices are signed.
    pub signed: bool,
    /// When it was set.
    pub changed: Option<Timestamp>,
    /// How the last notice fared since then, or since the gateway's process was started.
    pub last: Option<NoticeView>,
}

/// How a notice fared.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct NoticeView {
    /// When it was taken, or given up.
    pub at: Timestamp,
    /// Why it was given up.
    pub problem: Option<String>,
}
