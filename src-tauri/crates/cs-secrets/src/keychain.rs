//! The keychain of the operating system: the Secret Service, Keychain Services or the Windows
//! credential manager.
//!
//! It protects secrets at rest. It does not protect them from a program that runs as the same
//! user while the keychain is unlocked; nothing that is kept here is enough to approve a call.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cs_model::Secret;
use keyring_core::{CredentialStore, Entry, Error};

use crate::{SecretError, SecretStore};

/// The service that every item of ours names.
const SERVICE: &str = "countersign";

/// How long a keychain may take. One that shows a prompt that nobody sees takes for ever.
const PATIENCE: Duration = Duration::from_secs(10);

const PLACE: &str = "the keychain";

/// The keychain of the operating system. Its items are `countersign`, `<instance>/<name>`.
#[derive(Clone, Debug)]
pub struct Keychain {
    instance: String,
    store: Connection,
    patience: Duration,
}

/// The connection to the keychain. Closing it blocks and so may not happen on a thread that
/// drives asynchronous work: whoever lets go of it leaves that to a thread of its own.
#[derive(Clone, Debug)]
struct Connection(Option<Arc<CredentialStore>>);

impl Drop for Connection {
    fn drop(&mut self) {
        let store = self.0.take();
        std::thread::spawn(move || drop(store));
    }
}

impl Keychain {
    /// The keychain of this login session, for the installation with this id.
    ///
    /// # Errors
    ///
    /// [`SecretError::Absent`] when there is none.
    pub async fn connect(instance: &str) -> Result<Self, SecretError> {
        let store = patiently(PATIENCE, connect)
            .await?
            .map_err(|error| SecretError::Absent(Some(error.into())))?;
        Ok(Self::over(instance, store, PATIENCE))
    }

    fn over(instance: &str, store: Arc<CredentialStore>, patience: Duration) -> Self {
        Self { instance: instance.to_owned(), store: Connection(Some(store)), patience }
    }

    async fn with<T: Send + 'static>(
        &self,
        name: &str,
        doing: &'static str,
        act: impl FnOnce(Entry) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<T, SecretError> {
        let (store, account) = (self.store.clone(), format!("{}/{name}", self.instance));
        let work = move || {
            let store = store.0.as_ref().ok_or(Error::NoDefaultStore)?;
            act(store.build(SERVICE, &account, None)?)
        };
        patiently(self.patience, work).await?.map_err(|error| explain(error, name, doing))
    }
}

#[async_trait]
impl SecretStore for Keychain {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let bytes = self.with(name, "read the keychain", |entry| entry.get_secret()).await?;
        Ok(Secret::new(bytes))
    }

    async fn put(&self, name: &str, secret: &Secret) -> Result<(), SecretError> {
        let secret = secret.duplicate();
        self.with(name, "write to the keychain", move |entry| entry.set_secret(secret.expose()))
            .await
    }

    async fn delete(&self, name: &str) -> Result<(), SecretError> {
        let gone = self.with(name, "delete from the keychain", |entry| entry.delete_credential());
        match gone.await {
            Err(SecretError::Missing { .. }) => Ok(()),
            other => other,
        }
    }
}

#[cfg(target_os = "linux")]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    let store: Arc<CredentialStore> = zbus_secret_service_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(target_os = "macos")]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    let store: Arc<CredentialStore> = apple_native_keyring_store::keychain::Store::new()?;
    Ok(store)
}

#[cfg(windows)]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    let store: Arc<CredentialStore> = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(Error::NoDefaultStore)
}

/// Does what blocks on a thread of its own, and stops waiting for it at some point.
async fn patiently<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SecretError> {
    let done = tokio::task::spawn_blocking(work);
    match tokio::time::timeout(patience, done).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => {
            Err(SecretError::Failed { doing: "talk to the keychain", source: source.into() })
        }
        Err(_) => Err(SecretError::TimedOut {
            place: PLACE,
            secs: patience.as_secs(),
            remedy: "look for a prompt that waits for you",
        }),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "keychains have more ways to fail than we tell apart"
)]
fn explain(error: Error, name: &str, doing: &'static str) -> SecretError {
    match error {
        Error::NoEntry => SecretError::Missing { place: PLACE, name: name.to_owned() },
        Error::NoStorageAccess(_) => SecretError::Locked {
            place: PLACE,
            remedy: "unlock it, for instance by logging in to your desktop, and try again",
        },
        Error::NoDefaultStore => SecretError::Absent(None),
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => {
            SecretError::Damaged { place: PLACE }
        }
        other => SecretError::Failed { doing, source: other.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mock(patience: Duration) -> Keychain {
        let store: Arc<CredentialStore> = keyring_core::mock::Store::new().unwrap();
        Keychain::over("3f0c", store, patience)
    }

    #[tokio::test]
    async fn a_secret_is_kept_until_it_is_deleted() {
        let keychain = mock(PATIENCE);
        keychain.put("master", &Secret::new(vec![7; 32])).await.unwrap();
        assert_eq!(keychain.get("master").await.unwrap().expose(), [7; 32]);
        keychain.delete("master").await.unwrap();
        keychain.delete("master").await.unwrap();
        let missing = keychain.get("master").await.unwrap_err();
        assert!(matches!(missing, SecretError::Missing { .. }), "{missing:?}");
    }

    #[test]
    fn each_state_of_a_keychain_is_told_apart() {
        let foreign = || std::io::Error::other("no").into();
        let cases = [
            (Error::NoEntry, "missing"),
            (Error::NoStorageAccess(foreign()), "locked"),
            (Error::NoDefaultStore, "absent"),
            (Error::BadStoreFormat("x".to_owned()), "damaged"),
            (Error::PlatformFailure(foreign()), "failed"),
        ];
        for (error, expected) in cases {
            let state = match explain(error, "master", "read the keychain") {
                SecretError::Absent(_) => "absent",
                SecretError::Damaged { .. } => "damaged",
                SecretError::Failed { .. } => "failed",
                SecretError::Locked { .. } => "locked",
                SecretError::Misplaced { .. } => "misplaced",
                SecretError::Missing { .. } => "missing",
                SecretError::Refused { .. } => "refused",
                SecretError::TimedOut { .. } => "timed out",
                SecretError::WrongPassphrase => "wrong",
            };
            assert_eq!(state, expected);
        }
    }

    #[tokio::test]
    async fn a_keychain_that_never_answers_is_given_up() {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let work = move || held.recv().is_ok();
        let given_up = patiently(Duration::from_millis(20), work).await;
        assert!(matches!(given_up, Err(SecretError::TimedOut { .. })));
        drop(release);
    }
}
