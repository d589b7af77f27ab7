//! The control socket: how the command line steers whatever runs on a home.
//!
//! One JSON object a line. A request is `{"command", "args", "passphrase"?}`; its answer is
//! `{"answer"}` or `{"failure"}`. The socket is in the home, which only its owner can enter, and
//! whoever connects has to be that user.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;
use crate::secret_text::SecretText;

/// The longest line, of either side.
const MOST_BYTES: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    command: String,
    #[serde(default)]
    args: Value,
    #[serde(default)]
    passphrase: Option<SecretText>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Answer(Value),
    Failure(Failure),
}

/// Why whatever runs on a home cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// What came back is no answer.
    #[error("what runs on this home answers in a way that this program does not understand")]
    Garbled,
    /// It cannot be reached, or went away.
    #[error("what runs on this home does not answer")]
    Io(#[from] std::io::Error),
    /// The request or the answer is longer than a line may be.
    #[error("a request or an answer on the control socket has at most 4 MiB")]
    TooLong,
}

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{Client, Server};
