//! What is known of the products: how each writes its access tokens unless it is told otherwise,
//! as its own documentation has it.
//!
//! | product | `typ` | who it is | roles | audience |
//! |---|---|---|---|---|
//! | Auth0 | `JWT`, or `at+jwt` with the RFC 9068 profile | `sub`, for programs `<client id>@clients` | a claim of one's own | the API's identifier |
//! | Entra ID | `JWT` | `azp` | `roles` (app roles) | the API's application id (v2.0) |
//! | Keycloak | `JWT`, or `at+jwt` by a switch of the client | `azp` | `realm_access.roles`, with its own among them | by an audience mapper |
//! | Okta | none | `cid` | a claim of one's own | that of the authorization server |

use cs_model::identity::TokenAlgorithm;
use cs_model::provider::{
    CONNECT_SCOPE, ClaimMap, ProviderPreset, ProviderSettings, SenderConstraint, TenantClaim,
    TokenTypes,
};

/// What is known of a product.
#[derive(Debug)]
pub(crate) struct Preset {
    /// The settings to begin with.
    pub(crate) settings: ProviderSettings,
    /// What an administrator has to do or to know.
    pub(crate) notes: Vec<String>,
}

/// What a product does unless it is told otherwise.
pub(crate) fn preset(preset: ProviderPreset, issuer: &str, jwks_uri: &str) -> Preset {
    let mut settings = plain(preset, issuer, jwks_uri);
    let mut notes = Vec::new();
    let mut note = |text: &str| notes.push(text.to_owned());
    match preset {
        ProviderPreset::Auth0 => {
            settings.types = TokenTypes::AtJwtOrJwt;
            settings.algorithms = [TokenAlgorithm::RS256, TokenAlgorithm::PS256].into();
            note(
                "Add an API whose identifier is the address of this endpoint, or enter the \
                 identifier of the API as an audience. It must sign with RS256 or PS256, not HS256.",
            );
            note(
                "A program's subject is its client id followed by `@clients`. With the RFC 9068 \
                 token profile the API can be held to `at+jwt`.",
            );
            note(
                "Tokens of an API last a day unless told otherwise: set its token expiration to \
                 an hour (3600 seconds) or less.",
            );
        }
        ProviderPreset::Entra => entra(&mut settings, &mut note),
        ProviderPreset::Generic => note(
            "The rules are those of RFC 9068: `at+jwt`, the address of this endpoint as the only \
             audience, and `sub` for who it is. Loosen what this server does otherwise.",
        ),
        ProviderPreset::Keycloak => {
            settings.types = TokenTypes::AtJwtOrJwt;
            settings.algorithms = [TokenAlgorithm::RS256].into();
            settings.claims.agent = "azp".to_owned();
            note(
                "Give the client scope an audience mapper with the address of this endpoint as \
                 custom audience: without one, `aud` is `account` or missing.",
            );
            note(
                "Every role that a token claims must be one that its agent has here, and \
                 `realm_access.roles` also has Keycloak's own: map the roles for this gateway to a \
                 claim of their own before you name a claim for them.",
            );
        }
        ProviderPreset::Okta => {
            settings.types = TokenTypes::AtJwtOrJwt;
            settings.algorithms = [TokenAlgorithm::RS256].into();
            settings.claims.agent = "cid".to_owned();
            if issuer.ends_with("/oauth2/default") {
                settings.audiences = ["api://default".to_owned()].into();
            }
            note(
                "Tokens carry the audience of their authorization server, which is not asked for \
                 one: enter it as an audience. Only custom authorization servers (`/oauth2/...`) \
                 issue tokens that others may check.",
            );
            note("Add the scope `mcp:connect` to the authorization server.");
        }
    }
    Preset { settings, notes }
}

fn entra(settings: &mut ProviderSettings, note: &mut impl FnMut(&str)) {
    settings.types = TokenTypes::AtJwtOrJwt;
    settings.algorithms = [TokenAlgorithm::RS256].into();
    settings.claims.agent = "azp".to_owned();
    settings.claims.roles = Some("roles".to_owned());
    // Its tokens last between 60 and 90 minutes, counted from five minutes before they are issued.
    settings.longest_secs = 6000;
    // Programs that sign in as themselves get app roles, never scopes.
    settings.scopes.clear();
    if let Some(directory) = directory(&settings.issuer) {
        settings.claims.tenant =
            Some(TenantClaim { claim: "tid".to_owned(), value: directory.to_owned() });
    }
    note(
        "Register this gateway as an application with `requestedAccessTokenVersion` 2, and enter \
         its application (client) id as an audience.",
    );
    note(
        "Programs get app roles and no scopes: give them app roles that are named as the roles \
         here, and do not require scopes of tools that programs call.",
    );
}

/// The directory's id in an issuer of the version 2.0, `https://login.../{directory}/v2.0`.
fn directory(issuer: &str) -> Option<&str> {
    let path = issuer.strip_prefix("https://")?.split_once('/')?.1;
    let id = path.strip_suffix("/v2.0")?;
    let is_id = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    is_id.then_some(id)
}

fn plain(preset: ProviderPreset, issuer: &str, jwks_uri: &str) -> ProviderSettings {
    let algorithms = [
        TokenAlgorithm::EdDSA,
        TokenAlgorithm::ES256,
        TokenAlgorithm::PS256,
        TokenAlgorithm::RS256,
    ];
    ProviderSettings {
        preset,
        issuer: issuer.to_owned(),
        jwks_uri: jwks_uri.to_owned(),
        algorithms: algorithms.into(),
        audiences: [].into(),
        several_audiences: false,
        types: TokenTypes::AtJwt,
        scopes: [CONNECT_SCOPE.to_owned()].into(),
        claims: ClaimMap::default(),
        longest_secs: 3600,
        longest_token_secs: 900,
        stale_secs: 600,
        sender: SenderConstraint::None,
        introspection: None,
        private_network: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::judge;

    #[test]
    fn every_preset_is_one_that_may_be_kept() {
        for product in ProviderPreset::ALL {
            let found = preset(*product, "https://login.example/a", "https://login.example/keys");
            assert_eq!(judge(&found.settings), Ok(()), "{product}");
            assert_eq!(found.settings.preset, *product);
            assert!(!found.notes.is_empty(), "{product}");
        }
    }

    #[test]
    fn the_generic_preset_is_what_settings_are_without_any() {
        let text = r#"{"issuer":"https://a.example","jwks_uri":"https://a.example/keys"}"#;
        let usual: ProviderSettings = serde_json::from_str(text).unwrap();
        let found = preset(ProviderPreset::Generic, "https://a.example", "https://a.example/keys");
        assert_eq!(found.settings, usual);
    }

    #[test]
    fn a_directory_of_entra_is_held_to_its_own_tokens() {
        let of =
            |issuer: &str| preset(ProviderPreset::Entra, issuer, "https://a.example/k").settings;
        let id = "9188040d-6c67-4c5b-b112-36a304b66dad";
        let own =
            of(&format!("https://login.microsoftonline.com/{id}/v2.0")).claims.tenant.unwrap();
        assert_eq!((own.claim.as_str(), own.value.as_str()), ("tid", id));
        assert_eq!(of("https://login.microsoftonline.com/common/v2.0").claims.tenant, None);
    }

    #[test]
    fn only_the_default_server_of_okta_has_an_audience_that_is_known() {
        let of = |issuer| preset(ProviderPreset::Okta, issuer, "https://a.example/k").settings;
        let known = of("https://acme.okta.com/oauth2/default").audiences;
        assert_eq!(known.into_iter().collect::<Vec<_>>(), ["api://default"]);
        assert!(of("https://acme.okta.com/oauth2/aus1").audiences.is_empty());
    }
}
