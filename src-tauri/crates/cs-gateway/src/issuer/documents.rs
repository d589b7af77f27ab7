//! What an issuer publishes: its metadata (RFC 8414) and its keys (RFC 7517).

use cs_model::identity::TokenAlgorithm;
use cs_model::provider::CONNECT_SCOPE;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::refused::Refused;
use super::{Case, Place};
use crate::answer::{self, Answer};
use crate::refusal::Refusal;

/// How long anybody may keep a document. The next key is published long before it signs.
const CACHE: HeaderValue = HeaderValue::from_static("max-age=300");

/// The document at a place.
pub(super) fn answer(case: &Case<'_>, parts: &Parts, place: Place) -> Result<Answer, Refused> {
    if parts.method != Method::GET {
        return Err(Refused::Method("GET"));
    }
    if place == Place::Authorize {
        return Err(Refused::Nobody);
    }
    if parts.uri.query().is_some() {
        return Err(Refused::Elsewhere(Refusal::Query));
    }
    let text = match place {
        Place::Keys => case.own.jwks.clone(),
        Place::Authorize | Place::Introspect | Place::Metadata | Place::Revoke | Place::Token => {
            metadata(case)
        }
    };
    let mut answer = answer::json(StatusCode::OK, text);
    answer.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    Ok(answer)
}

fn metadata(case: &Case<'_>) -> String {
    let at = |place: &str| format!("{}/{place}", case.issuer);
    let tls = case.gate.config.tls.is_some();
    let mut methods = vec!["client_secret_basic", "private_key_jwt"];
    if tls {
        methods.push("tls_client_auth");
    }
    let algorithms: Vec<_> = TokenAlgorithm::ALL.iter().map(|it| it.as_str()).collect();
    json!({
        "issuer": case.issuer,
        // Clients refuse metadata without one. Nobody is ever sent there.
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "jwks_uri": at("jwks"),
        "introspection_endpoint": at("introspect"),
        "revocation_endpoint": at("revoke"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "scopes_supported": [CONNECT_SCOPE],
        "authorization_details_types_supported": ["countersign_task"],
        "tls_client_certificate_bound_access_tokens": tls,
    })
    .to_string()
}
