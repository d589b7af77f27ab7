//! Consoles on other machines.

use cs_model::{ConsoleId, OperatorId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::secret_text::ShownOnce;

/// A console on another machine.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ConsoleView {
    /// Its id.
    pub id: ConsoleId,
    /// What it is called.
    pub name: String,
    /// Whose it is: nobody else unlocks it.
    pub operator: OperatorId,
    /// Their name.
    pub operator_name: String,
    /// Whether it is let in.
    pub state: ConsoleState,
    /// When it was enrolled.
    pub created: Timestamp,
    /// When its certificate ends.
    pub expires: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// From where it is connected now; nothing while it is not.
    pub connected: Vec<String>,
    /// Whether its operator has it unlocked.
    pub unlocked: bool,
}

/// Whether a console is let in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleState {
    /// Its certificate has ended.
    Expired,
    /// It is let in.
    InForce,
    /// It was revoked.
    Revoked,
}

/// A console that was enrolled just now.
#[derive(Debug, Serialize, TS)]
pub struct ConsoleEnrolled {
    /// The console.
    pub console: ConsoleView,
    /// What its file may be called.
    pub file_name: String,
    /// The file that it joins with. It opens nothing without the code.
    pub file: String,
    /// The code that opens the file, shown this once.
    pub code: ShownOnce,
}
