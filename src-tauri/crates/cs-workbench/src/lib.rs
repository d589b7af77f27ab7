//! The sample MCP server: eight tools of very different danger, all within one folder.
//!
//! It speaks over standard input and output, works offline, and needs nothing but its folder: so
//! a newcomer can see the gateway allow, refuse and hold real calls. What its tools can reach is
//! bounded here, whoever calls them: files of the folder, a small database in it, addresses of
//! this machine, an outbox in it, a script engine without a way out, secrets that were put into
//! the keychain for this server, and its own settings.
//!
//! Read it in this order: [`serve`], `rpc` (the protocol), `tool` (the list of tools), then one
//! file per tool.

mod database;
mod files;
mod keychain;
mod mail;
mod rpc;
mod sample;
mod script;
mod settings;
mod tool;
mod web;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;
use tokio::io::{AsyncBufRead, AsyncWrite, BufReader};

pub use self::keychain::{Keychain, SecretError, Secrets};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The folder cannot be used.
    #[error("could not open the folder `{}`", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The sample files or the database could not be made.
    #[error("could not fill the folder")]
    Fill(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The client cannot be read from or written to.
    #[error("could not speak with the client")]
    Io(#[source] std::io::Error),
}

/// Everything that the tools work with.
#[derive(Clone)]
struct Bench {
    folder: Arc<Dir>,
    path: Arc<Path>,
    secrets: Arc<dyn Secrets>,
    now: fn() -> i64,
}

/// Serves the client at standard input and output until it goes away. On the first start the
/// folder is made and filled with samples; what is there already is left as it is.
///
/// # Errors
///
/// When the folder cannot be used or the client cannot be spoken with.
pub async fn serve(root: PathBuf) -> Result<(), ServeError> {
    let (input, output) = (BufReader::new(tokio::io::stdin()), tokio::io::stdout());
    serve_on(root, Arc::new(Keychain), wall_clock, input, output).await
}

/// Serves a client at any two streams, with secrets and the time (in seconds since 1970) from
/// elsewhere.
///
/// # Errors
///
/// As [`serve`].
pub async fn serve_on(
    root: PathBuf,
    secrets: Arc<dyn Secrets>,
    now: fn() -> i64,
    input: impl AsyncBufRead + Unpin,
    output: impl AsyncWrite + Unpin,
) -> Result<(), ServeError> {
    let opened = tokio::task::spawn_blocking({
        let root = root.clone();
        move || -> std::io::Result<Dir> {
            let authority = cap_std::ambient_authority();
            Dir::create_ambient_dir_all(&root, authority)?;
            let folder = Dir::open_ambient_dir(&root, authority)?;
            sample::fill(&folder)?;
            Ok(folder)
        }
    });
    let opened = opened.await.map_err(|source| ServeError::Fill(source.into()))?;
    let folder = opened.map_err(|source| ServeError::Folder { folder: root.clone(), source })?;
    let bench = Bench { folder: Arc::new(folder), path: Arc::from(root), secrets, now };
    database::fill(&bench).await.map_err(|source| ServeError::Fill(source.into()))?;
    rpc::run(&bench, input, output).await.map_err(ServeError::Io)
}

/// The one clock of this program.
#[expect(clippy::disallowed_methods, reason = "the clock is read here and handed on")]
fn wall_clock() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
