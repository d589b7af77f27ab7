//! A token that was verified, and what of it has to hold on every further request.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::provider::{self, ProviderSettings, SenderConstraint};
use cs_model::{RoleId, TaskId, TenantId, Timestamp};
use cs_policy::{Agent, Tenant};
use cs_trust::token::{Confirmation, KeySet, Rules, TokenTypes};
use serde_json::{Value, json};

use super::said::Said;
use crate::authn::TokenMark;
use crate::world::{Provider, World};

/// How far clocks may differ.
pub(crate) const SKEW: Duration = Duration::from_secs(30);

/// A token that was verified with these keys, under these settings.
#[derive(Debug)]
pub(crate) struct Believed {
    pub(crate) provider: Arc<Provider>,
    /// The keys that it was verified with. None: its provider said what it is.
    pub(crate) keys: Option<Arc<KeySet>>,
    pub(crate) mark: Arc<TokenMark>,
    pub(crate) confirmation: Confirmation,
    /// The names of the roles that it claims, where its provider's settings name a claim for them.
    pub(crate) roles: Option<Vec<String>>,
    /// The names of the tasks that it is for.
    pub(crate) tasks: Vec<String>,
}

impl Believed {
    /// Takes over what was verified, if it is what the provider's settings want.
    pub(crate) fn of(
        provider: &Arc<Provider>,
        keys: Option<Arc<KeySet>>,
        tenant: TenantId,
        said: &Said,
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        let settings = &provider.settings;
        let subject = said.one(&settings.claims.agent).filter(|it| !it.is_empty());
        let subject = subject.ok_or("agent_claim_missing")?;
        if let Some(wanted) = &settings.claims.tenant
            && said.one(&wanted.claim).as_deref() != Some(wanted.value.as_str())
        {
            return Err("tenant_claim_wrong");
        }
        let roles = match &settings.claims.roles {
            None => None,
            Some(path) => {
                let roles = said.claim(path).filter(|roles| !roles.is_empty());
                Some(roles.ok_or("role_claim_missing")?)
            }
        };
        let tasks = tasks(settings, said)?;
        if said.expires <= now {
            return Err("jwt_expired");
        }
        if said.issued > now.after(SKEW) {
            return Err("jwt_issued_in_future");
        }
        if said.expires.since(said.issued) > longest(settings) || said.expires <= said.issued {
            return Err("jwt_lifetime_too_long");
        }
        bound_as_wanted(settings.sender, said.confirmation)?;
        let lacking = settings.scopes.difference(&said.scopes).cloned().collect();
        let mark = TokenMark {
            tenant,
            provider: provider.id,
            issuer: said.issuer.clone(),
            id: said.id.clone(),
            key_id: said.key_id.clone(),
            subject,
            sub: said.subject.clone(),
            client_id: said.client_id.clone(),
            audience: said.audience.clone(),
            issued: said.issued,
            expires: said.expires,
            scopes: said.scopes.clone(),
            lacking,
        };
        Ok(Self {
            provider: Arc::clone(provider),
            keys,
            mark: Arc::new(mark),
            confirmation: said.confirmation,
            roles,
            tasks,
        })
    }

    /// Whether it was verified under the settings that hold now.
    pub(crate) fn is_of(&self, provider: &Arc<Provider>) -> bool {
        let same = |other: &Provider| {
            self.provider.id == other.id && self.provider.settings == other.settings
        };
        Arc::ptr_eq(&self.provider, provider) || same(provider)
    }

    /// The roles that the caller acts in: every one that it claims, as long as its agent has them
    /// all. A role that does not exist and one that the agent does not have are refused.
    pub(crate) fn roles(
        &self,
        tenant: &Tenant,
        agent: &Agent,
    ) -> Result<Option<BTreeSet<RoleId>>, &'static str> {
        let Some(names) = &self.roles else { return Ok(None) };
        let mut roles = BTreeSet::new();
        for name in names {
            let role = tenant.role_named(name).ok_or("role_unknown")?;
            if !agent.roles.contains(&role) {
                return Err("role_not_assigned");
            }
            roles.insert(role);
        }
        Ok(Some(roles))
    }

    /// What it is bound to, as a token says it.
    pub(crate) fn confirmation_claim(&self) -> Option<Value> {
        let certificate = self.confirmation.certificate?;
        Some(json!({ "x5t#S256": URL_SAFE_NO_PAD.encode(certificate.as_bytes()) }))
    }

    /// The one task that it declares, and those that it may be used for where there are several.
    pub(crate) fn tasks(&self, tenant: &Tenant) -> (Option<String>, Option<BTreeSet<TaskId>>) {
        match self.tasks.as_slice() {
            [] => (None, None),
            [only] => (Some(only.clone()), None),
            several => {
                let known = several.iter().filter_map(|name| tenant.task_named(name));
                (None, Some(known.map(|task| task.id).collect()))
            }
        }
    }
}

impl TokenMark {
    /// Whether it is older than calls that need a countersignature may be made with.
    pub(crate) fn is_too_old(&self, world: &World, now: Timestamp) -> bool {
        let longest = world
            .providers
            .get(self.tenant, &self.issuer)
            .map(|provider| Duration::from_secs(provider.settings.longest_token_secs.into()));
        longest.is_none_or(|longest| now.since(self.issued) > longest)
    }
}

/// The tasks that a token names. Whatever names them has to name the same.
fn tasks(settings: &ProviderSettings, said: &Said) -> Result<Vec<String>, &'static str> {
    let mapped = match &settings.claims.task {
        None => Vec::new(),
        Some(path) => said.claim(path).unwrap_or_default(),
    };
    if mapped.is_empty() || mapped == said.tasks {
        Ok(said.tasks.clone())
    } else if said.tasks.is_empty() {
        Ok(mapped)
    } else {
        Err("jwt_task_invalid")
    }
}

/// What a provider wants its tokens to be bound to.
fn bound_as_wanted(wanted: SenderConstraint, bound: Confirmation) -> Result<(), &'static str> {
    let fits = match wanted {
        SenderConstraint::Certificate => bound.certificate.is_some(),
        SenderConstraint::Dpop => bound.key.is_some(),
        SenderConstraint::None => true,
    };
    if fits { Ok(()) } else { Err("token_not_bound") }
}

fn longest(settings: &ProviderSettings) -> Duration {
    Duration::from_secs(settings.longest_secs.into())
}

/// The audiences that are accepted: those of the provider's settings, or the endpoint's own URI.
pub(crate) fn audiences<'a>(settings: &'a ProviderSettings, resource: &'a str) -> Vec<&'a str> {
    if settings.audiences.is_empty() {
        vec![resource]
    } else {
        settings.audiences.iter().map(String::as_str).collect()
    }
}

/// What is accepted of a provider, for this audience.
pub(crate) fn rules(settings: &ProviderSettings, audience: &str) -> Rules {
    Rules {
        issuer: settings.issuer.clone(),
        audience: audience.to_owned(),
        algorithms: settings.algorithms.clone(),
        types: match settings.types {
            provider::TokenTypes::AtJwt => TokenTypes::AtJwt,
            provider::TokenTypes::AtJwtOrJwt => TokenTypes::AtJwtOrJwt,
        },
        longest: longest(settings),
        skew: SKEW,
        several_audiences: settings.several_audiences,
    }
}
