//! The gateway's own token issuers, one for each tenant that has one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cs_model::identity::TokenAlgorithm;
use cs_model::provider::{
    CONNECT_SCOPE, ClaimMap, ProviderPreset, ProviderSettings, SenderConstraint, TenantClaim,
    TokenTypes,
};
use cs_model::{Name, ProviderId, TenantId};
use cs_trust::token::{KeySet, KeySetError};

use super::Provider;

/// How long a token of an issuer lives at most, whatever it is set to now.
const LONGEST_SECS: u32 = 900;

/// The gateway's own token issuer, for one tenant. Its private keys are not here.
#[derive(Clone, Debug)]
pub struct OwnIssuer {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name, which stands in the issuer's address.
    pub name: Name,
    /// How long its tokens live, in seconds.
    pub token_secs: u32,
    /// The id of the key that signs.
    pub signing: String,
    /// Its public keys: the one that signs, the next one, and those whose tokens are still alive.
    pub keys: Arc<KeySet>,
    /// The same as it publishes them (RFC 7517).
    pub jwks: String,
}

impl OwnIssuer {
    /// An issuer with these public keys, a JWK Set as JSON text.
    ///
    /// # Errors
    ///
    /// When the keys cannot be used.
    pub fn new(
        (tenant, name): (TenantId, Name),
        token_secs: u32,
        signing: String,
        jwks: String,
    ) -> Result<Self, KeySetError> {
        let keys = Arc::new(KeySet::parse(jwks.as_bytes())?);
        Ok(Self { tenant, name, token_secs, signing, keys, jwks })
    }

    /// What it is to gate one: a provider whose keys need not be fetched.
    pub(super) fn provider(&self, issuer: String) -> Provider {
        let tenant = TenantClaim { claim: "tenant".to_owned(), value: self.name.to_string() };
        let settings = ProviderSettings {
            preset: ProviderPreset::Generic,
            jwks_uri: format!("{issuer}/jwks"),
            issuer,
            algorithms: [TokenAlgorithm::EdDSA].into(),
            audiences: BTreeSet::new(),
            several_audiences: false,
            types: TokenTypes::AtJwt,
            scopes: [CONNECT_SCOPE.to_owned()].into(),
            claims: ClaimMap { tenant: Some(tenant), ..ClaimMap::default() },
            longest_secs: LONGEST_SECS,
            longest_token_secs: LONGEST_SECS,
            stale_secs: LONGEST_SECS,
            sender: SenderConstraint::None,
            introspection: None,
            private_network: false,
        };
        Provider {
            // The issuer of a tenant has its tenant's number: there is one.
            id: ProviderId::new(self.tenant.uuid()),
            tenant: self.tenant,
            name: self.name.clone(),
            settings,
            keys: Some(Arc::clone(&self.keys)),
        }
    }
}

/// The gateway's own token issuers, those only that are enabled.
#[derive(Clone, Debug, Default)]
pub struct OwnIssuers {
    by_tenant: HashMap<TenantId, Arc<OwnIssuer>>,
}

impl OwnIssuers {
    /// Takes an issuer in.
    pub fn insert(&mut self, issuer: OwnIssuer) {
        self.by_tenant.insert(issuer.tenant, Arc::new(issuer));
    }

    /// A tenant's issuer.
    pub fn of(&self, tenant: TenantId) -> Option<&Arc<OwnIssuer>> {
        self.by_tenant.get(&tenant)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<OwnIssuer>> {
        self.by_tenant.values()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_tenant.is_empty()
    }
}
