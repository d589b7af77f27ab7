//! `access_secrets`: secrets that were put into the keychain for this server.

use std::sync::Arc;
use std::time::Duration;

use keyring_core::{CredentialStore, Error};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::Bench;
use crate::tool::Failed;

/// The service under which this server's secrets are kept, and no others.
const SERVICE: &str = "countersign-workbench";

/// How long a keychain may take. One that shows a prompt that nobody sees takes for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SecretError {
    /// The system has no keychain, or it is locked.
    #[error("this machine has no keychain that can be opened")]
    Absent,
    /// The keychain has no secret of that name for this server.
    #[error("the keychain has no secret of that name for the service `countersign-workbench`")]
    Missing,
}

/// Where secrets are.
pub trait Secrets: Send + Sync {
    /// The secret of that name. May block.
    ///
    /// # Errors
    ///
    /// When there is no such secret, or no place where it could be.
    fn secret(&self, name: &str) -> Result<String, SecretError>;
}

/// The keychain of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct Keychain;

impl Secrets for Keychain {
    fn secret(&self, name: &str) -> Result<String, SecretError> {
        let entry = connect().and_then(|store| store.build(SERVICE, name, None));
        let entry = entry.map_err(|_| SecretError::Absent)?;
        entry.get_password().map_err(|error| {
            if matches!(error, Error::NoEntry) { SecretError::Missing } else { SecretError::Absent }
        })
    }
}

#[cfg(target_os = "linux")]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(Error::NotSupportedByStore("this system has no keychain".to_owned()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    name: String,
}

#[derive(Serialize)]
pub(crate) struct Accessed {
    name: String,
    value: String,
}

/// Reads a secret.
pub(crate) async fn access(bench: &Bench, asked: Arguments) -> Result<Accessed, Failed> {
    let Arguments { name } = asked;
    if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err(Failed::because("the name is one line of 1 to 200 bytes"));
    }
    // In a thread of its own: the keychain blocks, and a prompt may block it for ever.
    let (done, result) = oneshot::channel();
    let (secrets, wanted) = (Arc::clone(&bench.secrets), name.clone());
    let started = std::thread::Builder::new().name("keychain".to_owned()).spawn(move || {
        // Whoever asked may have gone.
        let _ = done.send(secrets.secret(&wanted));
    });
    started.map_err(|_| Failed::because("the keychain could not be asked"))?;
    match timeout(PATIENCE, result).await {
        Ok(Ok(Ok(value))) => Ok(Accessed { name, value }),
        Ok(Ok(Err(why))) => Err(Failed(why.to_string())),
        Ok(Err(_)) | Err(_) => Err(Failed::because("the keychain does not answer")),
    }
}
