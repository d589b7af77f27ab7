//! A token that was read and is not believed.

use cs_model::identity::TokenAlgorithm;
use serde::Deserialize;

use super::claims::Claims;
use super::error::TokenError;
use crate::jws::jwk::MOST_ID;
use crate::jws::{self, is_plain};

/// The whole header. A member that is not here is refused: `crit`, `b64`, `zip`, `enc` and `cty`
/// would change what the token means, `jku`, `jwk`, `x5u` and `x5c` whose key is used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(default, deserialize_with = "jws::text_member")]
    alg: Option<String>,
    #[serde(default, deserialize_with = "jws::text_member")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "jws::text_member")]
    typ: Option<String>,
    /// The certificate of the key: a hint that is not followed.
    #[serde(default, rename = "x5t", deserialize_with = "jws::text_member")]
    _x5t: Option<String>,
    /// The same, by another digest.
    #[serde(default, rename = "x5t#S256", deserialize_with = "jws::text_member")]
    _x5t_s256: Option<String>,
}

/// A token that was read and is not believed: nothing that it says is true yet.
#[derive(Clone)]
pub struct Unverified {
    pub(super) claims: Claims,
    typ: Option<String>,
    algorithm: TokenAlgorithm,
    key_id: Option<String>,
    message: String,
    signature: String,
}

impl Unverified {
    /// Reads a token.
    ///
    /// # Errors
    ///
    /// When it is too long, not a compact JWS, has a header that is refused whatever else it
    /// says, or a payload that is not one strict JSON object.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > jws::MOST {
            return Err(TokenError::Size);
        }
        let parts = jws::split(text).ok_or(TokenError::Form)?;
        let Header { alg, kid: key_id, typ, .. } =
            jws::header(&parts.header).ok_or(TokenError::Header)?;
        if key_id.as_deref().is_some_and(|id| !is_plain(id, MOST_ID)) {
            return Err(TokenError::Header);
        }
        let algorithm =
            alg.and_then(|name| name.parse().ok()).ok_or(TokenError::AlgorithmUnknown)?;
        let payload = jws::payload(&parts.payload).ok_or(TokenError::Payload)?;
        Ok(Self {
            claims: Claims::read(payload),
            typ,
            algorithm,
            key_id,
            message: parts.message.to_owned(),
            signature: parts.signature.to_owned(),
        })
    }

    /// Who is said to have issued it.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.issuer.as_deref().ok()
    }

    /// Whom it is said to stand for.
    pub fn subject(&self) -> Option<&str> {
        self.claims.subject.as_deref().ok()
    }

    /// What it is said to be for.
    pub fn audience(&self) -> &[String] {
        self.claims.audience.as_deref().unwrap_or_default()
    }

    /// The id of the key that it is said to be signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The algorithm that it is said to be signed with.
    pub const fn algorithm(&self) -> TokenAlgorithm {
        self.algorithm
    }

    /// Its type, where it has one.
    pub(crate) fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// Its claims, once they are believed.
    pub(crate) fn into_claims(self) -> Claims {
        self.claims
    }

    /// What was signed.
    pub(crate) fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    /// The signature, in base64url.
    pub(crate) fn signature(&self) -> &str {
        &self.signature
    }
}

// Whoever has the text can use the token.
impl std::fmt::Debug for Unverified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unverified")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
