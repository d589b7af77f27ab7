//! The keys that seal what the registry may not hold in clear, all made of one master key.
//!
//! The master key is in the secret store. Nothing is sealed for one place that opens at another:
//! each seal is bound to what it is, whose it is and which row has it.

use cs_gateway::ports::Random;
use cs_model::{ApprovalId, CredentialId, Digest, Secret, TenantId};
use cs_secrets::{SecretError, SecretStore};
use cs_trust::{SealError, SealingKey};
use uuid::Uuid;

use crate::adapters::random::bytes;
use crate::failure::ControlError;

/// Under which name the secret store has the master key.
pub(crate) const MASTER: &str = "master";

/// How many bytes it has.
const MASTER_BYTES: usize = 32;

/// The keys of one installation.
#[derive(Debug)]
pub(crate) struct Vault {
    api_keys: SealingKey,
    tenant_secrets: SealingKey,
    tokens: SealingKey,
    gateway: Secret,
    mark: Digest,
}

/// Makes the master key of a new installation.
pub(crate) async fn found(
    store: &dyn SecretStore,
    random: &dyn Random,
) -> Result<Vault, ControlError> {
    let master = Secret::new(bytes::<MASTER_BYTES>(random)?.to_vec());
    store.put(MASTER, &master).await?;
    // A store that forgets would only be noticed at the next start, when it is too late.
    let kept = store.get(MASTER).await?;
    Vault::derive(&kept)
}

/// The keys of an installation that has them. Never makes a new master key: whatever was sealed
/// under the old one would be lost.
pub(crate) async fn open(store: &dyn SecretStore) -> Result<Vault, ControlError> {
    Vault::derive(&store.get(MASTER).await?)
}

/// Takes back what [`found`] did, for an installation that did not come to be.
pub(crate) async fn abandon(store: &dyn SecretStore) -> Result<(), SecretError> {
    store.delete(MASTER).await
}

impl Vault {
    fn derive(master: &Secret) -> Result<Self, ControlError> {
        if master.expose().len() != MASTER_BYTES {
            return Err(SecretError::Damaged { place: "the secret store" }.into());
        }
        let key = |purpose| {
            SealingKey::derive(master, purpose)
                .map_err(|source| ControlError::internal("derive the sealing keys", source))
        };
        Ok(Self {
            api_keys: key("api keys")?,
            tenant_secrets: key("tenant secrets")?,
            tokens: key("operation tokens")?,
            gateway: Secret::new(
                Digest::of_parts(&[b"countersign gateway key 1\n", master.expose()])
                    .as_bytes()
                    .to_vec(),
            ),
            mark: Digest::of(master.expose()),
        })
    }

    /// What the gateway seals with what its clients keep from one start to the next.
    pub(crate) fn gateway_key(&self) -> Secret {
        self.gateway.duplicate()
    }

    /// What tells the master key from any other, and nothing else of it.
    pub(crate) const fn mark(&self) -> Digest {
        self.mark
    }

    pub(crate) fn seal_api_key(
        &self,
        nonce: [u8; 12],
        tenant: TenantId,
        id: CredentialId,
        secret: &Secret,
    ) -> Result<Vec<u8>, SealError> {
        self.api_keys.seal(nonce, &place("api key", tenant, id.uuid()).each(), secret.expose())
    }

    pub(crate) fn open_api_key(
        &self,
        tenant: TenantId,
        id: CredentialId,
        sealed: &[u8],
    ) -> Result<Secret, SealError> {
        self.api_keys.open(&place("api key", tenant, id.uuid()).each(), sealed)
    }

    pub(crate) fn seal_tenant_secret(
        &self,
        nonce: [u8; 12],
        tenant: TenantId,
        id: Uuid,
        secret: &Secret,
    ) -> Result<Vec<u8>, SealError> {
        self.tenant_secrets.seal(nonce, &place("tenant secret", tenant, id).each(), secret.expose())
    }

    pub(crate) fn open_tenant_secret(
        &self,
        tenant: TenantId,
        id: Uuid,
        sealed: &[u8],
    ) -> Result<Secret, SealError> {
        self.tenant_secrets.open(&place("tenant secret", tenant, id).each(), sealed)
    }

    pub(crate) fn seal_token(
        &self,
        nonce: [u8; 12],
        tenant: TenantId,
        id: ApprovalId,
        token: &str,
    ) -> Result<Vec<u8>, SealError> {
        let place = place("operation token", tenant, id.uuid());
        self.tokens.seal(nonce, &place.each(), token.as_bytes())
    }

    pub(crate) fn open_token(
        &self,
        tenant: TenantId,
        id: ApprovalId,
        sealed: &[u8],
    ) -> Result<Secret, SealError> {
        self.tokens.open(&place("operation token", tenant, id.uuid()).each(), sealed)
    }
}

/// What is sealed, whose it is and which row has it.
struct Place {
    kind: &'static str,
    tenant: [u8; 16],
    row: [u8; 16],
}

const fn place(kind: &'static str, tenant: TenantId, row: Uuid) -> Place {
    Place { kind, tenant: *tenant.uuid().as_bytes(), row: *row.as_bytes() }
}

impl Place {
    fn each(&self) -> [&[u8]; 3] {
        [self.kind.as_bytes(), &self.tenant, &self.row]
    }
}
