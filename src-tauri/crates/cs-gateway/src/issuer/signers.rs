//! The private keys of the issuers: opened when they are needed, and kept while they sign.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cs_model::TenantId;
use cs_trust::token::IssuerKey;

use crate::ports::{PortError, Ports};
use crate::world::{OwnIssuer, World};

/// The keys that sign now.
#[derive(Debug, Default)]
pub(crate) struct Signers(Mutex<HashMap<TenantId, Arc<IssuerKey>>>);

impl Signers {
    /// The key that an issuer signs with.
    pub(super) async fn of(
        &self,
        ports: &Ports,
        own: &OwnIssuer,
    ) -> Result<Arc<IssuerKey>, PortError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&own.tenant).cloned();
        if let Some(key) = known.filter(|key| key.id() == own.signing) {
            return Ok(key);
        }
        let doing = "open a key of the issuer";
        let seed = ports.secrets.issuer_key(own.tenant, &own.signing).await?;
        let key = IssuerKey::open(&seed)
            .map_err(|error| PortError { doing, source: Some(error.into()) })?;
        if key.id() != own.signing {
            return Err(PortError { doing, source: None });
        }
        let key = Arc::new(key);
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(own.tenant, Arc::clone(&key));
        Ok(key)
    }

    /// Forgets the keys that sign no more.
    pub(crate) fn look_after(&self, world: &World) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|tenant, key| {
            world.issuers.of(*tenant).is_some_and(|own| own.signing == key.id())
        });
    }
}
