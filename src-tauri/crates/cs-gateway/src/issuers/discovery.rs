//! The metadata of a provider (RFC 8414, OpenID Connect Discovery), to set it up by its issuer.

use std::time::Duration;

use cs_model::json::{self, Limits};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::reach;
use crate::fetch::Fetcher;

/// How long looking in all places may take.
const PATIENCE: Duration = Duration::from_secs(25);

const LIMITS: Limits = Limits { depth: 16, members: 5_000, key: 1024 };

/// What a provider says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Metadata {
    /// Where it was found.
    pub url: String,
    /// The issuer: the one that was asked for, byte by byte.
    pub issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where it can be asked about tokens.
    pub introspection_endpoint: Option<String>,
    /// Where tokens come from.
    pub token_endpoint: Option<String>,
    /// The scopes that it knows.
    pub scopes: Vec<String>,
    /// The algorithms of its ID tokens: a hint at those of its access tokens.
    pub algorithms: Vec<String>,
    /// Whether it knows DPoP.
    pub dpop: bool,
    /// Whether it binds tokens to certificates.
    pub certificates: bool,
}

/// Why there is no metadata. The texts are for operators.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DiscoveryError {
    /// The issuer is not a URL that metadata could be at.
    #[error("the issuer is not a URL without query and fragment")]
    Issuer,
    /// The document that was found is of another issuer.
    #[error("{url} is the metadata of another issuer")]
    OtherIssuer {
        /// Where it was found.
        url: String,
    },
    /// There is a document, but no keys are named in it.
    #[error("{url} does not say where the keys are")]
    NoKeys {
        /// Where it was found.
        url: String,
    },
    /// There is none in any of the places where it could be.
    #[error("no metadata was found: {}", .tried.join("; "))]
    NotFound {
        /// Where it was looked for, and what was there.
        tried: Vec<String>,
    },
}

/// Looks for the metadata of an issuer.
pub(crate) async fn discover(
    fetcher: &Fetcher,
    issuer: &str,
    private_network: bool,
) -> Result<Metadata, DiscoveryError> {
    let places = places(issuer).ok_or(DiscoveryError::Issuer)?;
    let mut tried = Vec::new();
    let looking = async {
        for url in places {
            match fetcher.get(&url, reach(private_network)).await {
                Ok(text) => match read(&text) {
                    Some(said) => return judge(&said, issuer, url),
                    None => tried.push(format!("{url}: it is not a JSON object")),
                },
                Err(error) => tried.push(format!("{url}: {error}")),
            }
        }
        Err(DiscoveryError::NotFound { tried: std::mem::take(&mut tried) })
    };
    match timeout(PATIENCE, looking).await {
        Ok(found) => found,
        Err(_) => {
            Err(DiscoveryError::NotFound { tried: vec!["it did not answer in time".to_owned()] })
        }
    }
}

/// Where the metadata of an issuer may be: between host and path (RFC 8414, section 3.1), and
/// behind the path, as OpenID Connect has it.
fn places(issuer: &str) -> Option<Vec<String>> {
    if issuer.contains(['?', '#']) {
        return None;
    }
    let (scheme, rest) = issuer.split_once("://")?;
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(slash)?;
    let path = path.trim_end_matches('/');
    if authority.is_empty() {
        return None;
    }
    let root = format!("{scheme}://{authority}");
    let mut places = vec![
        format!("{root}/.well-known/oauth-authorization-server{path}"),
        format!("{root}/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        places.push(format!("{root}{path}/.well-known/openid-configuration"));
        places.push(format!("{root}{path}/.well-known/oauth-authorization-server"));
    }
    Some(places)
}

fn read(text: &[u8]) -> Option<Map<String, Value>> {
    let text = std::str::from_utf8(text).ok()?;
    json::check(text, LIMITS).ok()?;
    match serde_json::from_str(text) {
        Ok(Value::Object(said)) => Some(said),
        Ok(_) | Err(_) => None,
    }
}

/// A document of another issuer is refused, whoever published it: what tokens are believed hangs
/// on it (RFC 8414, section 3.3).
fn judge(said: &Map<String, Value>, issuer: &str, url: String) -> Result<Metadata, DiscoveryError> {
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let list = |name: &str| {
        let items = said.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    if text("issuer").as_deref() != Some(issuer) {
        return Err(DiscoveryError::OtherIssuer { url });
    }
    let Some(jwks_uri) = text("jwks_uri") else { return Err(DiscoveryError::NoKeys { url }) };
    Ok(Metadata {
        url,
        issuer: issuer.to_owned(),
        jwks_uri,
        introspection_endpoint: text("introspection_endpoint"),
        token_endpoint: text("token_endpoint"),
        scopes: list("scopes_supported"),
        algorithms: list("id_token_signing_alg_values_supported"),
        dpop: said.contains_key("dpop_signing_alg_values_supported"),
        certificates: said.get("tls_client_certificate_bound_access_tokens")
            == Some(&Value::Bool(true)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_either_standard_has_it() {
        let with_path = places("https://idp.example/realms/acme").unwrap();
        assert_eq!(
            with_path,
            [
                "https://idp.example/.well-known/oauth-authorization-server/realms/acme",
                "https://idp.example/.well-known/openid-configuration/realms/acme",
                "https://idp.example/realms/acme/.well-known/openid-configuration",
                "https://idp.example/realms/acme/.well-known/oauth-authorization-server",
            ]
        );
        let plain = places("https://idp.example/").unwrap();
        assert_eq!(plain.len(), 2);
        assert_eq!(plain[0], "https://idp.example/.well-known/oauth-authorization-server");
        for odd in ["idp.example", "https://idp.example?x", "https://idp.example#x", "https:///x"] {
            assert_eq!(places(odd), None, "{odd}");
        }
    }

    #[test]
    fn j24_metadata_of_another_issuer_is_refused() {
        let said = |issuer: &str| {
            let text = format!("{{\"issuer\":\"{issuer}\",\"jwks_uri\":\"https://x.example/k\"}}");
            judge(&read(text.as_bytes()).unwrap(), "https://x.example", String::new())
        };
        assert_eq!(said("https://x.example").unwrap().jwks_uri, "https://x.example/k");
        for other in ["https://x.example/", "https://X.example", "https://x.example:443", ""] {
            assert!(matches!(said(other), Err(DiscoveryError::OtherIssuer { .. })), "{other}");
        }
        let none = read(b"{\"issuer\":\"https://x.example\"}").unwrap();
        let none = judge(&none, "https://x.example", String::new());
        assert!(matches!(none, Err(DiscoveryError::NoKeys { .. })));
        assert_eq!(read(b"{\"issuer\":\"a\",\"issuer\":\"b\"}"), None);
    }
}
