//! An installation that has a registry: its parts, and what they share.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use cs_gateway::Gateway;
use cs_gateway::ports::{Clock, Random};
use cs_gateway::world::World;
use cs_model::serving::ServingSettings;
use cs_model::{Document, Timestamp};
use cs_registry::Registry;
use cs_secrets::{SecretStore, Switch};
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::adapters::desk::Waiters;
use crate::adapters::random::bytes;
use crate::alerts::Watch;
use crate::anchor::{self, Anchorage};
use crate::bell::Bell;
use crate::consoles::links::Consoles;
use crate::examined::Examined;
use crate::failure::ControlError;
use crate::herald::Herald;
use crate::housekeeper::Housekeeper;
use crate::keeping::Keeping;
use crate::tls::Handshakes;
use crate::vault::{self, Vault};

/// An installation that has a registry.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) registry: Registry,
    pub(crate) store: Arc<dyn SecretStore>,
    /// The same, for whoever puts another one in its place.
    pub(crate) switch: Arc<Switch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) bell: Bell,
    pub(crate) waiters: Waiters,
    pub(crate) anchorage: Anchorage,
    pub(crate) examined: Examined,
    pub(crate) watch: Watch,
    /// Who is told that calls wait.
    pub(crate) herald: Herald,
    pub(crate) housekeeper: Housekeeper,
    /// Consoles on other machines.
    pub(crate) consoles: Consoles,
    /// What requests are judged by.
    pub(crate) world: watch::Sender<Arc<World>>,
    /// What handshakes are made with follows it.
    pub(crate) handshakes: Handshakes,
    /// Held while something that is enforced changes, until the gateway has it: changes take
    /// effect in the order of their versions.
    pub(crate) editing: Arc<AsyncMutex<()>>,
    /// Held while somebody looks for secrets where none may stand.
    pub(crate) looking: AsyncMutex<()>,
    document: Mutex<Arc<Document>>,
    vault: OnceLock<Arc<Vault>>,
    slot: RwLock<Slot>,
    /// How an operator has set the gateway to serve.
    set: Mutex<Option<ServingSettings>>,
    keeping: Mutex<Keeping>,
}

/// Whether there is a gateway.
#[derive(Clone, Debug, Default)]
pub(crate) enum Slot {
    /// It could not be started.
    Failed(String),
    /// It serves by these settings. The note says what is not as it was asked for.
    Serving(Arc<Gateway>, Option<String>, ServingSettings),
    /// It was not started.
    #[default]
    Stopped,
}

/// What an installation is made of.
pub(crate) struct Parts {
    pub(crate) registry: Registry,
    pub(crate) store: Arc<dyn SecretStore>,
    pub(crate) keeping: Keeping,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) bell: Bell,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { registry, store, keeping, clock, random, bell } = parts;
        let switch = Arc::new(Switch::new(store));
        Self {
            registry,
            store: Arc::clone(&switch) as Arc<dyn SecretStore>,
            switch,
            clock,
            random,
            bell,
            waiters: Waiters::default(),
            anchorage: Anchorage::default(),
            examined: Examined::default(),
            watch: Watch::default(),
            herald: Herald::default(),
            housekeeper: Housekeeper::default(),
            consoles: Consoles::default(),
            world: watch::Sender::new(Arc::default()),
            handshakes: Handshakes::default(),
            editing: Arc::default(),
            looking: AsyncMutex::default(),
            document: Mutex::default(),
            vault: OnceLock::new(),
            slot: RwLock::default(),
            set: Mutex::default(),
            keeping: Mutex::new(keeping),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], ControlError> {
        Ok(bytes(self.random.as_ref())?)
    }

    /// What is enforced, in words and ids.
    pub(crate) fn document(&self) -> Arc<Document> {
        Arc::clone(&self.document.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Swaps what is enforced. From here on every request is judged by it.
    pub(crate) fn enforce(&self, document: Document, world: World) {
        *self.document.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(document);
        self.handshakes.are_behind();
        self.world.send_replace(Arc::new(world));
    }

    /// The sealing keys, when the secret store is open.
    pub(crate) fn vault(&self) -> Result<Arc<Vault>, ControlError> {
        self.vault.get().map(Arc::clone).ok_or_else(|| ControlError::Unavailable {
            message: "the secrets are sealed; unlock the console with the passphrase that sealed \
                      them"
                .to_owned(),
            source: None,
        })
    }

    pub(crate) fn keep_vault(&self, vault: Vault) {
        // Whoever was first had the same keys.
        let _ = self.vault.set(Arc::new(vault));
    }

    /// Fetches the sealing keys, unless they are here or the store is still sealed. They come with
    /// what the store remembers of the registry.
    pub(crate) async fn fetch_vault(&self) -> Result<(), ControlError> {
        if self.vault.get().is_none() && !self.store.is_sealed() {
            let vault = vault::open(self.store.as_ref()).await?;
            anchor::compare(self, &vault).await?;
            self.keep_vault(vault);
        }
        Ok(())
    }

    /// How an operator has set the gateway to serve, if anybody did.
    pub(crate) fn serving_set(&self) -> Option<ServingSettings> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_serving(&self, settings: Option<ServingSettings>) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// Where secrets are kept.
    pub(crate) fn keeping(&self) -> Keeping {
        self.keeping.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_keeping(&self, keeping: Keeping) {
        *self.keeping.lock().unwrap_or_else(PoisonError::into_inner) = keeping;
    }

    pub(crate) fn slot(&self) -> Slot {
        self.slot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_slot(&self, slot: Slot) -> Slot {
        let mut place = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut place, slot)
    }

    /// The gateway, while it serves.
    pub(crate) fn gateway(&self) -> Option<Arc<Gateway>> {
        match self.slot() {
            Slot::Serving(gateway, ..) => Some(gateway),
            Slot::Failed(_) | Slot::Stopped => None,
        }
    }
}
