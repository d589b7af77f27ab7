//! The control interface: how the command line, and consoles on other machines, steer whatever
//! runs on a home.
//!
//! One JSON object a line. A request is `{"id"?, "command", "args", "passphrase"?}`; its answer is
//! `{"id"?, "answer"}` or `{"id"?, "failure"}`. Answers come as they are ready, each with the id of
//! its request. Whoever asks for the command `follow` is also told what changes, as
//! `{"changed": topic}`, and `ping` is answered with nothing. A `failure` that no request has the id
//! of says why the connection ends.
//!
//! It is spoken over a socket in the home, which only its owner can enter, and over TLS by
//! consoles that were enrolled ([`crate::consoles`]).

mod client;
mod line;
#[cfg(unix)]
mod unix;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::change::Topic;
use crate::failure::Failure;
use crate::secret_text::SecretText;

pub use client::Client;
pub(crate) use line::{Asks, Rules, refusal, serve, tell};
#[cfg(unix)]
pub use unix::Server;

/// The longest line, of either side.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Has what changes be told on the connection too.
const FOLLOW: &str = "follow";

/// Shows that the connection is there.
const PING: &str = "ping";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default)]
    id: Option<u64>,
    command: String,
    #[serde(default)]
    args: Value,
    #[serde(default)]
    passphrase: Option<SecretText>,
}

/// One line of whoever answers.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reply {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Topic>,
}

impl Reply {
    fn to(id: Option<u64>, answered: Result<Value, Failure>) -> Self {
        match answered {
            Ok(value) => Self { id, answer: Some(value), ..Self::default() },
            Err(failure) => Self { id, failure: Some(failure), ..Self::default() },
        }
    }

    fn news(topic: Topic) -> Self {
        Self { changed: Some(topic), ..Self::default() }
    }
}

/// Why whatever runs on a home cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// It ended the connection, and said why.
    #[error("{}", .0.message)]
    Ended(Failure),
    /// What came back is no answer.
    #[error("what answers there does so in a way that this program does not understand")]
    Garbled,
    /// It cannot be reached, or went away.
    #[error("what runs there does not answer")]
    Io(#[from] std::io::Error),
    /// The request or the answer is longer than a line may be.
    #[error("a request or an answer on the control interface has at most 8 MiB")]
    TooLong,
}
