//! What a client that was not let in is told about how it could be (RFC 6750, RFC 9449, RFC 9728).

use std::collections::BTreeSet;

use cs_model::identity::TokenAlgorithm;
use cs_model::provider::{CONNECT_SCOPE, SenderConstraint};
use http::HeaderValue;

use crate::gate::Gate;

/// What a client is told in `WWW-Authenticate`.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    metadata: String,
    scopes: String,
    error: Option<&'static str>,
    /// Whether proofs of possession are taken.
    dpop: bool,
}

impl Challenge {
    /// For a request without a credential that is accepted. It depends on the address and on
    /// whether there was a token, and on nothing else: every reason looks the same.
    pub(crate) fn unauthenticated(gate: &Gate, tenant: &str, resource: &str, token: bool) -> Self {
        let (scopes, dpop) = wanted(gate, tenant);
        let error = token.then_some("invalid_token");
        Self { metadata: metadata(resource), scopes: joined(scopes.iter()), error, dpop }
    }

    /// For a token that lacks scopes: all that the call needs and the token does not have.
    pub(crate) fn scopes(resource: &str, missing: &BTreeSet<String>) -> Self {
        let (metadata, scopes) = (metadata(resource), joined(missing.iter()));
        Self { metadata, scopes, error: Some("insufficient_scope"), dpop: false }
    }

    /// The values of the header, one for each scheme.
    pub(crate) fn values(&self) -> Vec<HeaderValue> {
        let scope = format!("scope=\"{}\"", self.scopes);
        let scope = (!self.scopes.is_empty()).then_some(scope);
        let metadata = format!("resource_metadata=\"{}\"", self.metadata);
        let metadata = (!self.metadata.is_empty()).then_some(metadata);
        let error = self.error.map(|error| format!("error=\"{error}\""));
        let bearer = [error.clone(), metadata.clone(), scope.clone()];
        let algorithms: Vec<_> = TokenAlgorithm::ALL.iter().map(|it| it.as_str()).collect();
        let algorithms = Some(format!("algs=\"{}\"", algorithms.join(" ")));
        let dpop = [error, algorithms, metadata, scope];
        let of = |scheme: &str, parts: &[Option<String>]| {
            let parts: Vec<_> = parts.iter().flatten().map(String::as_str).collect();
            HeaderValue::from_str(&format!("{scheme} {}", parts.join(", "))).ok()
        };
        let dpop = if self.dpop { of("DPoP", &dpop) } else { None };
        of("Bearer", &bearer).into_iter().chain(dpop).collect()
    }
}

/// The scopes that a tenant's tokens need to connect, and whether they may be bound to keys. A
/// tenant that does not exist is like one without providers.
fn wanted(gate: &Gate, tenant: &str) -> (BTreeSet<String>, bool) {
    let world = gate.world();
    let id = world.policy.tenant_named(tenant).map(|tenant| tenant.id);
    let mut providers = id.into_iter().flat_map(|id| world.providers.of_tenant(id)).peekable();
    if providers.peek().is_none() {
        return ([CONNECT_SCOPE.to_owned()].into(), false);
    }
    let mut dpop = false;
    let mut scopes = BTreeSet::new();
    for provider in providers {
        scopes.extend(provider.settings.scopes.iter().cloned());
        dpop |= provider.settings.sender == SenderConstraint::Dpop;
    }
    (scopes, dpop)
}

/// Where the metadata of a resource is (RFC 9728, section 3.1). Nothing for an address that no
/// resource has: it would have to be quoted.
fn metadata(resource: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]".contains(&b);
    let Some((scheme, rest)) = resource.split_once("://") else { return String::new() };
    match rest.split_once('/') {
        Some((authority, path)) if resource.bytes().all(plain) => {
            format!("{scheme}://{authority}/.well-known/oauth-protected-resource/{path}")
        }
        Some(_) | None => String::new(),
    }
}

/// Scopes as they stand in a challenge. One that would have to be quoted is no scope.
fn joined<'s>(scopes: impl Iterator<Item = &'s String>) -> String {
    let plain = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let scopes: Vec<_> = scopes.map(String::as_str).filter(|it| it.bytes().all(plain)).collect();
    scopes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_break_out_of_its_quotes_is_left_out() {
        let missing = ["a:b", "c\" , error=\"x", "d\\", "e"].map(str::to_owned).into();
        let challenge = Challenge::scopes("http://h:1/t/a\"b/mcp", &missing);
        assert_eq!(challenge.values(), ["Bearer error=\"insufficient_scope\", scope=\"a:b e\""]);
    }

    #[test]
    fn the_metadata_is_named_by_its_own_address() {
        let missing = BTreeSet::new();
        let challenge = Challenge::scopes("https://[::1]:8443/t/acme/task/x/mcp", &missing);
        let at = "https://[::1]:8443/.well-known/oauth-protected-resource/t/acme/task/x/mcp";
        let value = format!("Bearer error=\"insufficient_scope\", resource_metadata=\"{at}\"");
        assert_eq!(challenge.values(), [value]);
    }
}
