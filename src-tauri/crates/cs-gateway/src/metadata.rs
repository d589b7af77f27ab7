//! What a client reads to find out where its tokens come from (RFC 9728), one document for each
//! MCP endpoint.
//!
//! There is a document for every task that an address may name, whether it exists or not, and none
//! for a tenant without a provider: such a tenant looks like one that does not exist.

use cs_model::identity::TokenAlgorithm;
use cs_model::provider::SenderConstraint;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::answer::{self, Answer};
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::router::endpoint;
use crate::world::Provider;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// How long a client may keep a document.
const CACHE: HeaderValue = HeaderValue::from_static("max-age=300");

/// The path of the endpoint that a path holds the document of.
pub(crate) fn resource(path: &str) -> Option<&str> {
    path.strip_prefix(WELL_KNOWN).filter(|path| endpoint(path).is_some())
}

/// The document of the endpoint at a path.
pub(crate) fn answer(
    gate: &Gate,
    parts: &Parts,
    host: &str,
    path: &str,
) -> Result<Answer, Refusal> {
    let name = endpoint(path).ok_or(Refusal::Path)?.tenant;
    let world = gate.world();
    let tenant = world.policy.tenant_named(&name).ok_or(Refusal::Path)?;
    let mut providers: Vec<_> = world.providers.of_tenant(tenant.id).collect();
    if providers.is_empty() {
        return Err(Refusal::Path);
    }
    if parts.method != Method::GET {
        return Err(Refusal::Method);
    }
    if parts.uri.query().is_some() {
        return Err(Refusal::Query);
    }
    providers.sort_by(|one, other| one.settings.issuer.cmp(&other.settings.issuer));
    let issuers: Vec<_> = providers.iter().map(|it| it.settings.issuer.as_str()).collect();
    let scopes: std::collections::BTreeSet<_> =
        providers.iter().flat_map(|it| &it.settings.scopes).collect();
    let wants = |what| providers.iter().all(|it: &&_| sender(it) == what);
    let algorithms: Vec<_> = TokenAlgorithm::ALL.iter().map(|it| it.as_str()).collect();
    let document = json!({
        "resource": gate.resource(host, path),
        "authorization_servers": issuers,
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": algorithms,
        "dpop_bound_access_tokens_required": wants(SenderConstraint::Dpop),
        "tls_client_certificate_bound_access_tokens": wants(SenderConstraint::Certificate),
        "authorization_details_types_supported": ["countersign_task"],
        "resource_name": format!("Countersign {name}"),
    });
    let mut answer = answer::json(StatusCode::OK, document.to_string());
    answer.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    Ok(answer)
}

fn sender(provider: &Provider) -> SenderConstraint {
    provider.settings.sender
}
