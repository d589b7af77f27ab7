//! Secrets for the gateway: sealed in the registry, opened at the moment they are needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use cs_gateway::ports::{PortError, SecretSource};
use cs_model::{CredentialId, Secret, TenantId};
use cs_registry::{RegistryError, credential, tenant_secret};

use super::Doing as _;
use crate::core::Core;
use crate::issuer;

/// How many sealed secrets are kept at hand.
const MOST: usize = 20_000;

/// A secret as the registry has it, and whose it is. It never changes: a credential that is given
/// another is another credential.
type Sealed = Arc<(TenantId, Vec<u8>)>;

#[derive(Debug)]
pub(crate) struct Secrets {
    pub(super) core: Weak<Core>,
    /// Those of the API keys that were used lately, still sealed.
    pub(super) sealed: Mutex<HashMap<CredentialId, Sealed>>,
}

impl Secrets {
    fn core(&self, doing: &'static str) -> Result<Arc<Core>, PortError> {
        self.core.upgrade().ok_or(PortError { doing, source: None })
    }

    fn at_hand(&self) -> MutexGuard<'_, HashMap<CredentialId, Sealed>> {
        self.sealed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn sealed(&self, core: &Core, id: CredentialId) -> Result<Sealed, RegistryError> {
        let known = self.at_hand().get(&id).map(Arc::clone);
        if let Some(known) = known {
            return Ok(known);
        }
        let mut db = core.registry.read().await?;
        let found = credential::sealed_secret(&mut db, id).await?;
        let found = Arc::new((found.tenant, found.sealed));
        let mut all = self.at_hand();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(id, Arc::clone(&found));
        Ok(found)
    }
}

fn failed(doing: &'static str) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> PortError {
    move |source| PortError { doing, source: Some(source) }
}

#[async_trait]
impl SecretSource for Secrets {
    async fn api_key(&self, credential: CredentialId) -> Result<Secret, PortError> {
        let doing = "get the secret of an API key";
        let core = self.core(doing)?;
        let vault = core.vault().map_err(|error| failed(doing)(error.into()))?;
        let (tenant, sealed) = &*self.sealed(&core, credential).await.doing(doing)?;
        vault.open_api_key(*tenant, credential, sealed).map_err(|error| failed(doing)(error.into()))
    }

    async fn tenant_secret(&self, tenant: TenantId, name: &str) -> Result<Secret, PortError> {
        let doing = "get a secret of the tenant";
        let core = self.core(doing)?;
        let vault = core.vault().map_err(|error| failed(doing)(error.into()))?;
        let mut db = core.registry.read().await.doing(doing)?;
        let found = tenant_secret::find(&mut db, tenant, name).await.doing(doing)?;
        vault
            .open_tenant_secret(tenant, found.id, &found.sealed)
            .map_err(|error| failed(doing)(error.into()))
    }

    async fn lasting_key(&self) -> Result<Secret, PortError> {
        let doing = "get the key of the gateway";
        let core = self.core(doing)?;
        let vault = core.vault().map_err(|error| failed(doing)(error.into()))?;
        Ok(vault.gateway_key())
    }

    async fn issuer_key(&self, tenant: TenantId, key_id: &str) -> Result<Secret, PortError> {
        let doing = "get a key of the built-in issuer";
        let core = self.core(doing)?;
        let found = core.store.get(&issuer::seed_name(tenant, key_id)).await;
        found.map_err(|error| failed(doing)(error.into()))
    }
}
