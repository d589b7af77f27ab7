//! Where secrets are kept: the keychain of the operating system, HashiCorp Vault or OpenBao, one
//! sealed file, or memory.
//!
//! A [`SecretStore`] keeps small values by name, for one installation. Nothing here decides what
//! a secret is for. A store that has lost a secret says so and never makes up a new one.

mod keychain;
mod memory;
mod sealed_file;
mod server;
mod switch;

use std::fmt::Debug;

use async_trait::async_trait;
use cs_model::Secret;

pub use keychain::Keychain;
pub use memory::Memory;
pub use sealed_file::SealedFile;
pub use server::{VaultLogin, VaultPlace, VaultServer};
pub use switch::{Alone, Switch};

/// Keeps secrets by name.
#[async_trait]
pub trait SecretStore: Debug + Send + Sync {
    /// The secret of this name.
    ///
    /// # Errors
    ///
    /// [`SecretError::Missing`] when there is none; otherwise why the store cannot be used.
    async fn get(&self, name: &str) -> Result<Secret, SecretError>;

    /// Keeps a secret under this name, in place of what was there. Durable once it returns.
    ///
    /// # Errors
    ///
    /// Why the store cannot be used. What was there before is still there.
    async fn put(&self, name: &str, secret: &Secret) -> Result<(), SecretError>;

    /// Keeps a secret that was sealed by one passphrase and is sealed by another now, like
    /// [`put`](Self::put). A store that `before` opens is opened by `after` from then on, in the
    /// same step.
    ///
    /// # Errors
    ///
    /// Why the store cannot be used. Nothing has changed then.
    async fn reseal(
        &self,
        name: &str,
        secret: &Secret,
        _before: &Secret,
        _after: &Secret,
    ) -> Result<(), SecretError> {
        self.put(name, secret).await
    }

    /// Forgets the secret of this name. Forgetting one that is not there changes nothing.
    ///
    /// # Errors
    ///
    /// Why the store cannot be used.
    async fn delete(&self, name: &str) -> Result<(), SecretError>;

    /// Whether it needs a passphrase before it can be used.
    fn is_sealed(&self) -> bool {
        false
    }

    /// Opens a sealed store for the life of the process. Opening one that is not sealed changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`SecretError::WrongPassphrase`], or why the store cannot be used.
    async fn unseal(&self, _passphrase: &Secret) -> Result<(), SecretError> {
        Ok(())
    }
}

/// Why a secret cannot be had. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is no keychain on this system, or in this login session.
    #[error(
        "there is no keychain to use; log in to a desktop session or start a secret service such \
         as gnome-keyring, or keep secrets in a sealed file with `init --secrets file`"
    )]
    Absent(#[source] Option<Underneath>),
    /// What is kept cannot be what was written.
    #[error("the secrets kept in {place} cannot be read; restore them from a backup")]
    Damaged {
        /// Where they are kept.
        place: &'static str,
    },
    /// The store refused or failed.
    #[error("could not {doing}")]
    Failed {
        /// What was being done, to follow "could not".
        doing: &'static str,
        /// What went wrong. Goes to the log.
        #[source]
        source: Underneath,
    },
    /// The store is there and cannot be used until somebody unlocks it.
    #[error("{place} is locked; {remedy}")]
    Locked {
        /// What is locked.
        place: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The store works and has no such secret.
    #[error("{place} has no secret `{name}` of this installation; restore it from a backup")]
    Missing {
        /// Where it was looked for.
        place: &'static str,
        /// Its name.
        name: String,
    },
    /// Where the store is said to be cannot be a place for one.
    #[error("{rule}")]
    Misplaced {
        /// What is wrong with it.
        rule: &'static str,
    },
    /// The store does not let this installation do it.
    #[error("{place} refused; {remedy}")]
    Refused {
        /// What refused.
        place: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The store did not answer.
    #[error("{place} did not answer within {secs} s; {remedy}")]
    TimedOut {
        /// What did not answer.
        place: &'static str,
        /// How long it was waited for.
        secs: u64,
        /// What to do.
        remedy: &'static str,
    },
    /// It is not the passphrase that the store was sealed with.
    #[error("this is not the passphrase that the secrets were sealed with")]
    WrongPassphrase,
}

/// What went wrong underneath.
pub type Underneath = Box<dyn std::error::Error + Send + Sync>;
