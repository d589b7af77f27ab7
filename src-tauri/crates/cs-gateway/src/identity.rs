//! What the console asks of the gateway about identity providers and their tokens.

use std::net::IpAddr;
use std::sync::Arc;

use cs_model::{AgentId, CorrelationId, ProviderId, TenantId};
use http::request::Parts;

use crate::authn::{self, Letter};
use crate::gateway::Gateway;
use crate::issuers::{DiscoveryError, Metadata, ProviderStatus};
use crate::router::endpoint;
use crate::trail::Trail;
use crate::wire::only;
use crate::world::Provider;

/// What the gateway makes of a token, check by check.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TokenReport {
    /// Whether a request with it would be let in, as far as that can be said without one.
    pub verdict: bool,
    /// Every check, in the order in which they are made.
    pub checks: Vec<TokenCheck>,
    /// The agent that it stands for, once it is believed.
    pub agent: Option<AgentId>,
    /// The names of the roles that it claims, where its provider's settings name a claim for them.
    pub roles: Option<Vec<String>>,
    /// The names of the tasks that it is for.
    pub tasks: Vec<String>,
    /// What it allows.
    pub scopes: Vec<String>,
}

/// One check of a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenCheck {
    /// What was checked: a word for the interface to translate.
    pub name: String,
    /// Whether it holds. Nothing when that could not be found out.
    pub passed: Option<bool>,
    /// What was found, or what is wrong, in neutral text.
    pub detail: String,
}

impl Gateway {
    /// How an identity provider fares. One whose tokens are not accepted is not used.
    pub fn provider_status(&self, tenant: TenantId, provider: ProviderId) -> ProviderStatus {
        let provider = self.provider(tenant, provider);
        provider.map(|provider| self.gate.issuers.status(&provider)).unwrap_or_default()
    }

    /// Fetches the keys of an identity provider now, and says how it fares then. Nothing for one
    /// whose tokens are not accepted.
    pub async fn provider_refresh(
        &self,
        tenant: TenantId,
        provider: ProviderId,
    ) -> Option<ProviderStatus> {
        let provider = self.provider(tenant, provider)?;
        Some(self.gate.issuers.refresh(&provider).await)
    }

    /// What the gateway makes of a token of this provider at the endpoint of a task, or at the one
    /// without. The provider need not be enabled. Nothing is put on record, nothing is let in, and
    /// the token is not kept.
    pub async fn examine_token(
        &self,
        provider: &Provider,
        token: &str,
        task: Option<&str>,
    ) -> TokenReport {
        authn::examine(&self.gate, provider, token, task).await
    }

    /// Looks for what an issuer says of itself, in the places where either standard has it.
    ///
    /// # Errors
    ///
    /// When there is nothing, or it is another issuer's.
    pub async fn fetch_metadata(
        &self,
        issuer: &str,
        private_network: bool,
    ) -> Result<Metadata, DiscoveryError> {
        self.gate.issuers.discover(issuer, private_network).await
    }

    /// Whether gate one lets a request in: what benches measure. A refusal is put on record.
    #[doc(hidden)]
    pub async fn lets_in(&self, request: &Parts, body: &[u8], from: IpAddr) -> bool {
        let path = request.uri.path();
        let host = only(&request.headers, "host").filter(|host| self.gate.hosts.contains(*host));
        let (Some(endpoint), Some(host)) = (endpoint(path), host) else { return false };
        let resource = self.gate.resource(host, path);
        let letter = Letter {
            method: request.method.as_str(),
            path,
            headers: &request.headers,
            body,
            tenant: &endpoint.tenant,
            resource: &resource,
            from,
            certificate: None,
            peer: None,
        };
        let mut trail = Trail::new(CorrelationId::from_random([0; 16]), String::new());
        authn::identify(&self.gate, letter, &mut trail).await.is_ok()
    }

    fn provider(&self, tenant: TenantId, id: ProviderId) -> Option<Arc<Provider>> {
        self.gate.world().providers.of_tenant(tenant).find(|it| it.id == id).cloned()
    }
}
