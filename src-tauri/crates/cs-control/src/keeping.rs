//! Where an installation keeps its secrets: the stores, by the words that the registry has for
//! them.

use std::sync::Arc;

use cs_model::Secret;
use cs_registry::secret_place::SecretPlace;
use cs_secrets::{Keychain, SealedFile, SecretStore, VaultPlace, VaultServer};
use uuid::Uuid;

use crate::control::Inner;
use crate::failure::ControlError;
use crate::view::status::SecretKeeping;

/// Where secrets are kept, with all that it takes to find them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Keeping {
    /// What keeps them.
    pub(crate) store: SecretKeeping,
    /// Where that is, for Vault.
    pub(crate) vault: Option<VaultPlace>,
}

impl Keeping {
    /// A place that was chosen.
    ///
    /// # Errors
    ///
    /// When it lacks what it takes, or says what it does not take.
    pub(crate) fn chosen(
        store: SecretKeeping,
        vault: Option<VaultPlace>,
    ) -> Result<Self, ControlError> {
        match (store, &vault) {
            (SecretKeeping::Vault, None) => {
                Err(ControlError::invalid("vault", "say where Vault is and how to log in to it"))
            }
            (SecretKeeping::Vault, Some(_)) | (_, None) => Ok(Self { store, vault }),
            (_, Some(_)) => {
                Err(ControlError::invalid("vault", "secrets are not to be kept in Vault"))
            }
        }
    }

    /// The place that the registry names.
    pub(crate) fn of(place: &SecretPlace) -> Result<Self, ControlError> {
        let store = match place.store.as_str() {
            "file" => SecretKeeping::File,
            "keychain" => SecretKeeping::Keychain,
            "memory" => SecretKeeping::Memory,
            "vault" => SecretKeeping::Vault,
            _ => return Err(unknown()),
        };
        let vault = place.place.as_deref().map(serde_json::from_str).transpose();
        Self::chosen(store, vault.map_err(|_| unknown())?).map_err(|_| unknown())
    }

    /// What the registry is to remember of it.
    pub(crate) fn to_place(&self) -> Result<SecretPlace, ControlError> {
        let store = match self.store {
            SecretKeeping::File => "file",
            SecretKeeping::Keychain => "keychain",
            SecretKeeping::Memory => "memory",
            SecretKeeping::Vault => "vault",
        };
        let place = self.vault.as_ref().map(serde_json::to_string).transpose();
        let place =
            place.map_err(|source| ControlError::internal("write where Vault is", source))?;
        Ok(SecretPlace { store: store.to_owned(), place })
    }

    /// The store, as it is found: a sealed one is still sealed.
    pub(crate) async fn open(
        &self,
        inner: &Inner,
        instance: Uuid,
    ) -> Result<Arc<dyn SecretStore>, ControlError> {
        let instance = instance.to_string();
        Ok(match (self.store, &self.vault) {
            (SecretKeeping::File, _) => Arc::new(SealedFile::at(&inner.home.sealed_secrets())),
            (SecretKeeping::Keychain, _) => Arc::new(Keychain::connect(&instance).await?),
            (SecretKeeping::Memory, _) => Arc::clone(&inner.options.memory) as Arc<dyn SecretStore>,
            (SecretKeeping::Vault, Some(place)) => {
                Arc::new(VaultServer::at(place.clone(), &instance)?)
            }
            (SecretKeeping::Vault, None) => return Err(unknown()),
        })
    }

    /// The store of a new installation, open. What another one left there is not touched.
    pub(crate) async fn found(
        &self,
        inner: &Inner,
        instance: Uuid,
        passphrase: &Secret,
    ) -> Result<Arc<dyn SecretStore>, ControlError> {
        if self.store == SecretKeeping::File {
            let path = inner.home.sealed_secrets();
            return Ok(Arc::new(SealedFile::create(&path, passphrase).await?));
        }
        self.make(inner, instance, passphrase).await
    }

    /// The store, made where it has to be, and open: it can be written to.
    pub(crate) async fn make(
        &self,
        inner: &Inner,
        instance: Uuid,
        passphrase: &Secret,
    ) -> Result<Arc<dyn SecretStore>, ControlError> {
        let path = inner.home.sealed_secrets();
        if self.store == SecretKeeping::File && !path.exists() {
            return Ok(Arc::new(SealedFile::create(&path, passphrase).await?));
        }
        if let Some(place) = &self.vault {
            VaultServer::at(place.clone(), &instance.to_string())?.try_out().await?;
        }
        let store = self.open(inner, instance).await?;
        if store.is_sealed() {
            store.unseal(passphrase).await?;
        }
        Ok(store)
    }

    /// Whether it is what somebody would call the same place.
    pub(crate) fn is_called(&self, other: &Self) -> bool {
        let called = |it: &Self| it.vault.clone().map(|at| VaultPlace { shelf: None, ..at });
        self.store == other.store && called(self) == called(other)
    }

    /// The same place, with a shelf of its own for what is moved there now.
    pub(crate) fn on_shelf(&self, name: [u8; 8]) -> Self {
        let shelf = format!("{:016x}", u64::from_be_bytes(name));
        let vault = self.vault.clone().map(|at| VaultPlace { shelf: Some(shelf), ..at });
        Self { store: self.store, vault }
    }

    /// In words, to follow "in" or "to".
    pub(crate) fn words(&self) -> String {
        match (self.store, &self.vault) {
            (SecretKeeping::File, _) => "the file of sealed secrets".to_owned(),
            (SecretKeeping::Keychain, _) => "the keychain".to_owned(),
            (SecretKeeping::Memory, _) => "memory".to_owned(),
            (SecretKeeping::Vault, None) => "Vault".to_owned(),
            (SecretKeeping::Vault, Some(at)) => {
                let namespace = at.namespace.iter().map(|it| format!(", namespace {it}"));
                let namespace: String = namespace.collect();
                format!("Vault at {}, {}/{}{namespace}", at.address, at.mount, at.path)
            }
        }
    }
}

fn unknown() -> ControlError {
    ControlError::Unavailable {
        message: "the registry keeps its secrets in a place that this version does not know"
            .to_owned(),
        source: None,
    }
}
