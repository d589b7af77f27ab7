//! Access tokens of the built-in issuer (RFC 9068).

use std::collections::BTreeSet;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::identity::TokenAlgorithm;
use cs_model::{Digest, Secret, Timestamp};
use serde_json::{Value, json};

use super::access::TASK_TYPE;
use super::claims::Confirmation;
use crate::jws::{self, Object};

/// The key of the built-in issuer: Ed25519.
pub struct IssuerKey {
    pair: Ed25519KeyPair,
    public: String,
    id: String,
}

/// The cryptographic library refused a seed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the issuer's key could not be made")]
pub struct IssuerKeyError;

impl IssuerKey {
    /// Makes a key from 32 random bytes. The caller's own copy is the caller's to erase.
    ///
    /// # Errors
    ///
    /// When the cryptographic library refuses.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, IssuerKeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| IssuerKeyError)?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key());
        let thumbprint = Digest::of(jws::jwk::edwards_form(&public).as_bytes());
        Ok(Self { pair, public, id: jws::digest_text(thumbprint) })
    }

    /// Opens a key that was kept.
    ///
    /// # Errors
    ///
    /// When it is not a seed of 32 bytes, or the cryptographic library refuses it.
    pub fn open(seed: &Secret) -> Result<Self, IssuerKeyError> {
        let seed: &[u8; 32] = seed.expose().try_into().map_err(|_| IssuerKeyError)?;
        Self::from_seed(seed)
    }

    /// Its id: the thumbprint of the public key (RFC 7638).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public key, for the issuer's key set.
    pub fn public_jwk(&self) -> Value {
        let algorithm = TokenAlgorithm::EdDSA.as_str();
        json!({
            "kty": "OKP", "crv": "Ed25519", "x": self.public,
            "kid": self.id, "alg": algorithm, "use": "sig",
        })
    }
}

impl std::fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuerKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a new token says.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'t> {
    /// The issuer's own URI.
    pub issuer: &'t str,
    /// Whom it stands for.
    pub subject: &'t str,
    /// The client that it is issued to.
    pub client_id: &'t str,
    /// The endpoint that it is for.
    pub audience: &'t str,
    /// Now. It is not valid before.
    pub issued: Timestamp,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
    /// An id that the issuer has not used before.
    pub id: &'t str,
    /// What it allows.
    pub scopes: &'t BTreeSet<String>,
    /// The tenant.
    pub tenant: &'t str,
    /// The tasks that it may be used for.
    pub tasks: &'t [String],
    /// What it is bound to.
    pub confirmation: Confirmation,
}

/// Makes a token: an `at+jwt` signed with Ed25519.
pub fn mint(key: &IssuerKey, token: &NewToken<'_>) -> String {
    let header = json!({"alg": TokenAlgorithm::EdDSA.as_str(), "typ": "at+jwt", "kid": key.id()});
    let mut claims = Object::new();
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say("iss", token.issuer.into());
    say("sub", token.subject.into());
    say("client_id", token.client_id.into());
    say("aud", token.audience.into());
    say("exp", token.expires.secs().into());
    say("iat", token.issued.secs().into());
    say("nbf", token.issued.secs().into());
    say("jti", token.id.into());
    say("tenant", token.tenant.into());
    if !token.scopes.is_empty() {
        let scopes: Vec<_> = token.scopes.iter().map(String::as_str).collect();
        say("scope", scopes.join(" ").into());
    }
    if !token.tasks.is_empty() {
        let details = token.tasks.iter().map(|task| json!({"type": TASK_TYPE, "task": task}));
        say("authorization_details", details.collect());
    }
    if token.confirmation.is_bound() {
        let Confirmation { certificate, key } = token.confirmation;
        let members = [("x5t#S256", certificate), ("jkt", key)];
        let bound = members.into_iter().filter_map(|(name, digest)| {
            Some((name.to_owned(), Value::from(jws::digest_text(digest?))))
        });
        say("cnf", Value::Object(bound.collect()));
    }
    let [header, claims] =
        [header, Value::Object(claims)].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(key.pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}
