//! What the gateway needs of the world, done with the registry, the clock and the keychain.

pub mod clock;
pub(crate) mod desk;
pub(crate) mod ledger;
pub mod random;
pub(crate) mod record;
pub(crate) mod renewals;
pub(crate) mod revocations;
pub(crate) mod secrets;
pub(crate) mod series;
pub(crate) mod sessions;

use std::sync::{Arc, Mutex};

use cs_gateway::ports::{PortError, Ports};
use cs_registry::RegistryError;

use crate::core::Core;

/// The gateway's ports onto an installation.
pub(crate) fn ports(core: &Arc<Core>) -> Ports {
    let registry = || core.registry.clone();
    let bell = || core.bell.clone();
    Ports {
        clock: Arc::clone(&core.clock),
        random: Arc::clone(&core.random),
        audit: Arc::new(record::Log { registry: registry(), bell: bell() }),
        nonces: Arc::new(record::Nonces { registry: registry() }),
        sessions: Arc::new(sessions::Sessions { registry: registry(), bell: bell() }),
        desk: Arc::new(desk::Desk { core: Arc::downgrade(core) }),
        series: Arc::new(series::Book { core: Arc::downgrade(core) }),
        ledger: Arc::new(ledger::Ledger {
            registry: registry(),
            bell: bell(),
            clock: Arc::clone(&core.clock),
        }),
        secrets: Arc::new(secrets::Secrets {
            core: Arc::downgrade(core),
            sealed: Mutex::default(),
        }),
        renewals: Arc::new(renewals::Successors { core: Arc::downgrade(core) }),
        revocations: Arc::new(revocations::Withdrawn { core: Arc::downgrade(core) }),
    }
}

/// Says what could not be done.
trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, PortError>;
}

impl<T> Doing<T> for Result<T, RegistryError> {
    fn doing(self, doing: &'static str) -> Result<T, PortError> {
        self.map_err(|source| PortError { doing, source: Some(source.into()) })
    }
}
