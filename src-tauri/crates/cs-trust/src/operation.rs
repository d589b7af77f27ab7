//! Operation tokens: an operator's signature over one exact call.
//!
//! A token is a compact JWS (RFC 7515) with Ed25519. Form, header, signature and claims are checked
//! here; whether the token is for the call at hand, and whether its time has come and not passed,
//! is checked by `cs_policy::Held`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::OperatorId;
use cs_model::identity::TokenAlgorithm;
use cs_model::json::Limits;
use cs_model::op_token::{MOST_SECS, OperationClaims, TYPE};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::jws;
use crate::jws::engine::PublicKey;
use crate::operator::OperatorKey;

/// The most bytes of a token.
pub const MOST: usize = 8 * 1024;

const ALGORITHM: &str = "EdDSA";

/// A token has flat claims, and one level is what they nest.
const LIMITS: Limits = Limits { depth: 1, members: 32, key: 64 };

/// The whole header. A member that is not here is refused, `crit` and `kid` included.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Header<'h> {
    alg: &'h str,
    typ: &'h str,
}

/// The claims of a token whose signature was checked. Only [`verify`] makes one.
///
/// ```compile_fail,E0451
/// # let claims = unimplemented!();
/// let forged = cs_trust::Verified { claims };
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct Verified {
    claims: OperationClaims,
}

impl Verified {
    /// What the operator signed.
    pub const fn claims(&self) -> &OperationClaims {
        &self.claims
    }
}

/// Why a token is not believed, or cannot be signed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum TokenError {
    /// Its claims are not exactly the ones of a token of its type.
    #[error("the claims are not those of such a token")]
    Claims,
    /// It is not a compact JWS of at most 8 KiB.
    #[error("this is not a signed token")]
    Form,
    /// Its header is not exactly the one of a token of its type.
    #[error("the header is not that of such a token")]
    Header,
    /// The operator who signed it has no key here.
    #[error("the token is signed by nobody known")]
    Operator,
    /// The signature was not made over these claims with the operator's key.
    #[error("the token's signature is wrong")]
    Signature,
}

impl TokenError {
    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Claims => "token_claims",
            Self::Form => "token_malformed",
            Self::Header => "token_header",
            Self::Operator => "token_operator_unknown",
            Self::Signature => "token_signature_invalid",
        }
    }
}

/// Signs claims with the operator's key.
///
/// # Errors
///
/// [`TokenError::Claims`] when they end before they begin or last longer than a token may.
pub fn mint(claims: &OperationClaims, key: &OperatorKey) -> Result<String, TokenError> {
    let lasts = claims.exp.checked_sub(claims.iat).ok_or(TokenError::Claims)?;
    if !(1..=MOST_SECS).contains(&lasts) {
        return Err(TokenError::Claims);
    }
    signed(TYPE, claims, key)
}

/// A compact JWS of this type, with the operator's signature.
pub(crate) fn signed(
    typ: &str,
    claims: &impl Serialize,
    key: &OperatorKey,
) -> Result<String, TokenError> {
    let header = encode(&Header { alg: ALGORITHM, typ }).ok_or(TokenError::Header)?;
    let claims = encode(claims).ok_or(TokenError::Claims)?;
    let message = format!("{header}.{claims}");
    let signature = key.sign(message.as_bytes()).map_err(|_| TokenError::Signature)?;
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    if token.len() > MOST { Err(TokenError::Claims) } else { Ok(token) }
}

/// Reads a token and checks its signature with the key of the operator who claims to have signed
/// it. The algorithm is ours, never the token's.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn verify(
    token: &str,
    public_key: impl Fn(OperatorId) -> Option<[u8; 32]>,
) -> Result<Verified, TokenError> {
    let claims = believed(token, TYPE, |claims: &OperationClaims| public_key(claims.iss))?;
    Ok(Verified { claims })
}

/// The claims of a compact JWS of exactly this type, if they were signed with the key that belongs
/// to them.
pub(crate) fn believed<C: DeserializeOwned>(
    token: &str,
    typ: &str,
    public_key: impl Fn(&C) -> Option<[u8; 32]>,
) -> Result<C, TokenError> {
    if token.len() > MOST {
        return Err(TokenError::Form);
    }
    let parts = jws::split(token).ok_or(TokenError::Form)?;
    if parts.signature_bytes != 64 {
        return Err(TokenError::Form);
    }
    match jws::object::<Header<'_>>(&parts.header, LIMITS) {
        Some(Header { alg: ALGORITHM, typ: named }) if named == typ => {}
        Some(_) | None => return Err(TokenError::Header),
    }
    let claims: C = jws::object(&parts.payload, LIMITS).ok_or(TokenError::Claims)?;
    let key = public_key(&claims).ok_or(TokenError::Operator)?;
    let key = PublicKey::ed25519(&key).map_err(|_| TokenError::Operator)?;
    if key.has_signed(TokenAlgorithm::EdDSA, parts.message.as_bytes(), parts.signature) {
        Ok(claims)
    } else {
        Err(TokenError::Signature)
    }
}

fn encode(part: &impl Serialize) -> Option<String> {
    serde_json::to_vec(part).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
}

#[cfg(test)]
mod tests;
