//! Consoles on other machines: operators who work on this gateway from where they sit.
//!
//! Each is enrolled by an owner, for one operator, and proves itself by a certificate of an
//! authority that is there for nothing else. The certificate opens the door and no more: nothing
//! but knocking can be done until that operator has given the passphrase, which is checked here and
//! is locked again when nothing happens, as in front of the gateway's own console. A console has
//! none of the rights of the user whose gateway it is.
//!
//! Read it in this order: [`listener`] (who is let in), [`links`] (who is there), [`joining`] (how
//! one is enrolled), [`attached`] (the other side).

pub mod attached;
pub(crate) mod joining;
pub(crate) mod links;
pub(crate) mod listener;

use std::sync::Arc;
use std::time::Duration;

use cs_gateway::ports::Clock;
use cs_model::Secret;
use cs_secrets::{Keychain, SecretStore as _};
use cs_trust::console::ConsoleIdentity;
use cs_trust::tls::ConsoleTls;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};

pub use attached::Attached;
pub use cs_trust::console::{ConsoleCard, ConsoleFileError, card, open};

use crate::adapters::clock::SystemClock;
use crate::failure::Failure;
use crate::socket::{Client, SocketError};
use crate::view::status::Phase;

/// How long it may take to get through to a gateway.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a console does not get through to its gateway.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The file opens nothing.
    #[error("{0}")]
    File(#[from] ConsoleFileError),
    /// What answers is not the gateway that the console was enrolled at.
    #[error(
        "what answers at {address} is not the gateway that this console was enrolled at; nothing \
         was sent to it"
    )]
    Foreign {
        /// Where.
        address: String,
    },
    /// The gateway does not let the console in.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// It does not answer.
    #[error("the gateway at {address} does not answer; look whether it lets consoles in there")]
    Unreachable {
        /// Where.
        address: String,
    },
}

/// The clock, as handshakes ask it.
#[derive(Debug)]
pub(crate) struct Time(pub(crate) Arc<dyn Clock>);

impl rustls::time_provider::TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let secs = u64::try_from(self.0.now().secs()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(secs)))
    }
}

/// Gets through to the gateway that a console was enrolled at.
///
/// # Errors
///
/// Why not.
pub async fn attach(
    identity: &ConsoleIdentity,
    clock: Arc<dyn Clock>,
) -> Result<Client, AttachError> {
    let ConsoleIdentity { card, authority, certificate, key } = identity;
    let address = card.address.clone();
    let name = cs_trust::console::server_name(&card.installation);
    let name = ServerName::try_from(name).map_err(|_| ConsoleFileError::Form)?;
    let config = ConsoleTls::client(certificate, key, authority, Arc::new(Time(clock)))
        .map_err(|_| ConsoleFileError::Form)?;
    let reached = async {
        let stream = TcpStream::connect(address.as_str()).await?;
        // Small lines go back and forth; none of them waits for another.
        stream.set_nodelay(true)?;
        TlsConnector::from(config).connect(name, stream).await
    };
    let unreachable = || AttachError::Unreachable { address: address.clone() };
    let stream = match timeout(PATIENCE, reached).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if is_foreign(&error) => return Err(AttachError::Foreign { address }),
        Ok(Err(_)) | Err(_) => return Err(unreachable()),
    };
    // Whether the gateway takes the certificate shows in what it answers.
    let client = Client::over(stream);
    match timeout(PATIENCE, client.ask("ping", serde_json::Value::Null)).await {
        Ok(Ok(_)) => Ok(client),
        Ok(Err(SocketError::Ended(failure))) => Err(AttachError::Refused(failure)),
        Ok(Err(SocketError::Garbled | SocketError::Io(_) | SocketError::TooLong)) | Err(_) => {
            Err(unreachable())
        }
    }
}

/// Whether a gateway lets a console in: for a moment, to know before it is joined.
///
/// # Errors
///
/// Why not.
pub async fn try_out(identity: &ConsoleIdentity) -> Result<(), AttachError> {
    attach(identity, Arc::new(SystemClock)).await.map(drop)
}

/// The code of a console's file, where the keychain of this user remembers it.
pub async fn recall(card: &ConsoleCard) -> Option<Secret> {
    let keychain = Keychain::connect(&card.installation).await.ok()?;
    keychain.get(&kept_as(card)).await.ok()
}

/// Has the keychain of this user remember the code of a console's file. Says whether it does:
/// where there is none, the code is asked for each time.
pub async fn remember(card: &ConsoleCard, code: &Secret) -> bool {
    match Keychain::connect(&card.installation).await {
        Ok(keychain) => keychain.put(&kept_as(card), code).await.is_ok(),
        Err(_) => false,
    }
}

fn kept_as(card: &ConsoleCard) -> String {
    format!("console/{}", card.console)
}

/// The status of a console whose code was not given yet.
pub fn before(card: &ConsoleCard) -> Value {
    let mut status = attached::nothing(SystemClock.now());
    if let Some(members) = status.as_object_mut() {
        members.insert("phase".to_owned(), json!(Phase::Join));
        members.insert("attached".to_owned(), json!(attached::view(card, None)));
    }
    status
}

fn is_foreign(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}
