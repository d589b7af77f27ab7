//! Identity providers: whose access tokens a tenant accepts, and under which rules.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::identity::TokenAlgorithm;
use crate::state::words;

words! {
    /// Which product an identity provider is, as far as its defaults go.
    ProviderPreset {
        /// Auth0.
        Auth0 = "auth0",
        /// Microsoft Entra ID.
        Entra = "entra",
        /// Any OIDC or OAuth server that publishes its metadata.
        Generic = "generic",
        /// Keycloak.
        Keycloak = "keycloak",
        /// Okta.
        Okta = "okta",
    }

    /// What the `typ` of an access token may be.
    TokenTypes {
        /// `at+jwt` only (RFC 9068).
        AtJwt = "at+jwt",
        /// `at+jwt`, `JWT` or none: for providers that do not follow RFC 9068.
        AtJwtOrJwt = "at+jwt_or_jwt",
    }

    /// Which calls a provider is asked about before they are made (RFC 7662).
    IntrospectionUse {
        /// Every request.
        Always = "always",
        /// Calls of tools that need a countersignature, and of tools that ask for it themselves.
        TokenTools = "token_tools",
    }

    /// What a token must be bound to, besides being signed.
    SenderConstraint {
        /// The client's certificate (RFC 8705).
        Certificate = "certificate",
        /// A key of the client's (RFC 9449, DPoP).
        Dpop = "dpop",
        /// Nothing. A token that is bound all the same is held to it.
        None = "none",
    }
}

/// Whose access tokens are accepted, and under which rules. Everything but the issuer has a
/// default.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// Which product it is.
    #[serde(default = "generic")]
    pub preset: ProviderPreset,
    /// The `iss` of its tokens, byte by byte.
    pub issuer: String,
    /// Where its keys are (RFC 7517).
    pub jwks_uri: String,
    /// How its tokens may be signed.
    #[serde(default = "usual_algorithms")]
    pub algorithms: BTreeSet<TokenAlgorithm>,
    /// The `aud` that its tokens carry. Where there is none, the endpoint's own address, as
    /// RFC 8707 has it.
    #[serde(default)]
    pub audiences: BTreeSet<String>,
    /// Whether a token may have further audiences.
    #[serde(default)]
    pub several_audiences: bool,
    /// What the `typ` of its tokens may be.
    #[serde(default = "strict_types")]
    pub types: TokenTypes,
    /// The scopes that every token must have.
    #[serde(default = "connect")]
    pub scopes: BTreeSet<String>,
    /// Which claims say what.
    #[serde(default)]
    pub claims: ClaimMap,
    /// How old a token may be, in seconds since it was issued.
    #[serde(default = "an_hour")]
    pub longest_secs: u32,
    /// How old a token may be for tools that need a countersignature, in seconds.
    #[serde(default = "a_quarter")]
    pub longest_token_secs: u32,
    /// How long its last known keys are used when it cannot be reached, in seconds.
    #[serde(default = "ten_minutes")]
    pub stale_secs: u32,
    /// What its tokens must be bound to.
    #[serde(default = "unbound")]
    pub sender: SenderConstraint,
    /// Where and when it is asked whether a token still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub introspection: Option<Introspection>,
    /// Whether it may be at a private address (RFC 1918, RFC 4193) or, without TLS, on this
    /// machine.
    #[serde(default)]
    pub private_network: bool,
}

/// Which claims of a token say what. A claim inside another is named by a path, `a.b`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ClaimMap {
    /// Who it is: what credentials of this provider are registered under.
    #[serde(default = "sub")]
    pub agent: String,
    /// The roles, by their names here. Without it, all that the agent has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub roles: Option<String>,
    /// A claim that must have a certain value for the token to be this tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tenant: Option<TenantClaim>,
    /// The task, besides `authorization_details` and `mcp_task`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub task: Option<String>,
}

impl Default for ClaimMap {
    fn default() -> Self {
        Self { agent: sub(), roles: None, tenant: None, task: None }
    }
}

/// A claim that must have a certain value.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct TenantClaim {
    /// The claim.
    pub claim: String,
    /// Its value.
    pub value: String,
}

/// Where and when a provider is asked whether a token still holds (RFC 7662).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Introspection {
    /// Its introspection endpoint.
    pub endpoint: String,
    /// The gateway's own client id there.
    pub client_id: String,
    /// The secret that goes with it, by the name under which the tenant keeps it.
    pub secret: String,
    /// Which calls are asked about.
    pub when: IntrospectionUse,
    /// How long an answer may be used again, in seconds. Never for tools that need a
    /// countersignature.
    #[serde(default)]
    pub cache_secs: u32,
}

/// The scope that an access token needs to connect, unless its provider's settings say otherwise.
pub const CONNECT_SCOPE: &str = "mcp:connect";

fn sub() -> String {
    "sub".to_owned()
}

const fn generic() -> ProviderPreset {
    ProviderPreset::Generic
}

fn usual_algorithms() -> BTreeSet<TokenAlgorithm> {
    [TokenAlgorithm::EdDSA, TokenAlgorithm::ES256, TokenAlgorithm::PS256, TokenAlgorithm::RS256]
        .into()
}

const fn strict_types() -> TokenTypes {
    TokenTypes::AtJwt
}

fn connect() -> BTreeSet<String> {
    [CONNECT_SCOPE.to_owned()].into()
}

const fn an_hour() -> u32 {
    3600
}

const fn a_quarter() -> u32 {
    900
}

const fn ten_minutes() -> u32 {
    600
}

const fn unbound() -> SenderConstraint {
    SenderConstraint::None
}
