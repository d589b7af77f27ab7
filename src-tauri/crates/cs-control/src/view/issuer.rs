//! The gateway's own token issuer, and its clients.

use cs_model::state::IssuerKeyState;
use cs_model::{CredentialId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agent::{ClientMethodView, CredentialView, ReadyConfiguration};
use crate::secret_text::ShownOnce;

/// The gateway's own token issuer, for one tenant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct IssuerView {
    /// Whether it issues tokens, and its tokens are accepted.
    pub enabled: bool,
    /// What its tokens name it.
    pub issuer: String,
    /// Where its metadata is (RFC 8414).
    pub metadata: String,
    /// Where clients get tokens.
    pub token_endpoint: String,
    /// Where its public keys are.
    pub jwks_uri: String,
    /// Where clients ask what a token is worth (RFC 7662).
    pub introspection_endpoint: String,
    /// Where clients withdraw tokens (RFC 7009).
    pub revocation_endpoint: String,
    /// How long its tokens live, in seconds.
    pub token_secs: u64,
    /// Its keys, oldest first. None while it is disabled.
    pub keys: Vec<IssuerKeyView>,
    /// Its clients, newest first.
    pub clients: Vec<CredentialView>,
    /// How many tokens it issued in the last 24 hours.
    pub issued_day: u64,
    /// How many requests it refused in the last 24 hours.
    pub refused_day: u64,
}

/// A key of the gateway's own token issuer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct IssuerKeyView {
    /// Its `kid`.
    pub key_id: String,
    /// What it signs with.
    pub algorithm: String,
    /// What it is for.
    pub state: IssuerKeyState,
    /// When it was made.
    pub created: Timestamp,
    /// When it is taken back, once it signs no more.
    pub retires: Option<Timestamp>,
}

/// A new client of the gateway's own token issuer. Its secret, where it has one, is shown once.
#[derive(Debug, Serialize, TS)]
pub struct IssuedClient {
    /// Its credential.
    pub id: CredentialId,
    /// The id that it names itself by.
    pub client_id: String,
    /// Its secret, where it proves itself with one.
    pub secret: Option<ShownOnce>,
    /// How it proves itself, as clients are told (`token_endpoint_auth_method`).
    pub method: ClientMethodView,
    /// When it ends.
    pub expires: Timestamp,
    /// What its tokens name as their issuer.
    pub issuer: String,
    /// Where it gets tokens.
    pub token_endpoint: String,
    /// The endpoint that its tokens are for.
    pub endpoint: String,
    /// The scopes that it may ask for.
    pub scopes: Vec<String>,
    /// Ready configurations: a title, what to do with it, and its text.
    pub configurations: Vec<ReadyConfiguration>,
}
