//! What requests are judged by: swapped as a whole whenever something changes.

mod credentials;
mod issuers;
mod revocations;

use std::collections::HashMap;
use std::sync::Arc;

use cs_model::document::Document;
use cs_model::provider::ProviderSettings;
use cs_model::upstream::Transport;
use cs_model::{Name, OperatorId, ProviderId, ServerId, Signatory, TenantId};
use cs_policy::Snapshot;
use cs_trust::token::KeySet;

use crate::issuer;

pub use self::credentials::{Client, ClientProof, Credentials, Holder, OutsideName, Recognised};
pub use self::issuers::{OwnIssuer, OwnIssuers};
pub use self::revocations::{Named, Revocations};

/// All that requests are judged by. The default one knows nobody and denies everything.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The policy version in force.
    pub policy: Arc<Snapshot>,
    /// The credentials, and what each is recognised by.
    pub credentials: Arc<Credentials>,
    /// The identity providers whose tokens are accepted.
    pub providers: Arc<Providers>,
    /// The gateway's own token issuers.
    pub issuers: Arc<OwnIssuers>,
    /// The tokens that were withdrawn.
    pub revocations: Arc<Revocations>,
    /// How the servers are reached.
    pub upstreams: Arc<HashMap<(TenantId, ServerId), Transport>>,
    /// The operators, as far as their signatures are concerned.
    pub operators: Arc<HashMap<OperatorId, Signer>>,
}

/// An operator, as far as signatures are concerned.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The public Ed25519 key, 32 bytes.
    pub public_key: [u8; 32],
    /// What a signature of theirs counts for.
    pub signatory: Signatory,
}

impl World {
    /// The same as a gateway at this origin sees it: the tenants' own issuers are providers as any
    /// other, but for their keys.
    pub(crate) fn at(&self, origin: &str) -> Self {
        let mut providers = Providers::clone(&self.providers);
        for own in self.issuers.iter() {
            let issuer = issuer::uri(origin, own.name.as_str());
            let of_tenant = providers.by_tenant.entry(own.tenant).or_default();
            of_tenant.insert(issuer.clone(), Arc::new(own.provider(issuer)));
        }
        Self { providers: Arc::new(providers), ..self.clone() }
    }
}

/// An identity provider of one tenant.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: Name,
    /// Under which rules its tokens are accepted.
    pub settings: ProviderSettings,
    /// Its keys, where the gateway has them itself: those of its own issuer.
    pub keys: Option<Arc<KeySet>>,
}

/// The identity providers of all tenants, those only whose tokens are accepted.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    by_tenant: HashMap<TenantId, HashMap<String, Arc<Provider>>>,
}

impl Providers {
    /// The enabled providers of a policy version.
    pub fn of(document: &Document) -> Self {
        let mut by_tenant: HashMap<TenantId, HashMap<String, Arc<Provider>>> = HashMap::new();
        for tenant in &document.tenants {
            for doc in tenant.providers.iter().filter(|it| it.enabled) {
                let provider = Provider {
                    id: doc.id,
                    tenant: tenant.id,
                    name: doc.name.clone(),
                    settings: doc.settings.clone(),
                    keys: None,
                };
                let issuer = doc.settings.issuer.clone();
                by_tenant.entry(tenant.id).or_default().insert(issuer, Arc::new(provider));
            }
        }
        Self { by_tenant }
    }

    /// A tenant's provider with this issuer, byte by byte.
    pub fn get(&self, tenant: TenantId, issuer: &str) -> Option<&Arc<Provider>> {
        self.by_tenant.get(&tenant)?.get(issuer)
    }

    /// The credential of a provider's subject. Of the gateway's own issuer, subjects are clients.
    pub(crate) fn holder<'c>(
        credentials: &'c Credentials,
        provider: &Provider,
        subject: &str,
    ) -> Option<&'c Holder> {
        if provider.keys.is_none() {
            return credentials.subject(provider.id, subject);
        }
        let (_, holder) = credentials.client(subject)?;
        (holder.tenant == provider.tenant).then_some(holder)
    }

    /// A tenant's providers.
    pub fn of_tenant(&self, tenant: TenantId) -> impl Iterator<Item = &Arc<Provider>> {
        self.by_tenant.get(&tenant).into_iter().flat_map(HashMap::values)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.by_tenant.values().flat_map(HashMap::values)
    }
}
