//! Operation tokens: an operator's signature over one exact call.
//!
//! A token is a compact JWS (RFC 7515) with Ed25519. `jsonwebtoken` verifies the signature and
//! nothing else: it would ignore `crit`, let the last of two claims win and read a payload that is
//! an array. Form, header and claims are checked here; whether the token is for the call at hand,
//! and whether its time has come and not passed, is checked by `cs_policy::Held`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::OperatorId;
use cs_model::json::{self, Limits};
use cs_model::op_token::{MOST_SECS, OperationClaims, TYPE};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, Serialize};

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
    /// Its claims are not exactly the ones of an operation token.
    #[error("the claims are not those of an operation token")]
    Claims,
    /// It is not a compact JWS of at most 8 KiB.
    #[error("this is not a signed token")]
    Form,
    /// Its header is not exactly the one of an operation token.
    #[error("the header is not that of an operation token")]
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
    let header = encode(&Header { alg: ALGORITHM, typ: TYPE }).ok_or(TokenError::Header)?;
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
    if token.len() > MOST {
        return Err(TokenError::Form);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
    let (header, claims) = message.split_once('.').ok_or(TokenError::Form)?;
    let [header, claims, signed] =
        [header, claims, signature].map(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let (Some(header), Some(claims), Some(signed)) = (header, claims, signed) else {
        return Err(TokenError::Form);
    };
    if signed.len() != 64 {
        return Err(TokenError::Form);
    }
    let header = std::str::from_utf8(&header).map_err(|_| TokenError::Header)?;
    match object::<Header<'_>>(header) {
        Some(Header { alg: ALGORITHM, typ: TYPE }) => {}
        Some(_) | None => return Err(TokenError::Header),
    }
    let claims = std::str::from_utf8(&claims).map_err(|_| TokenError::Claims)?;
    let claims: OperationClaims = object(claims).ok_or(TokenError::Claims)?;
    let key = public_key(claims.iss).ok_or(TokenError::Operator)?;
    if is_weak(&key) {
        return Err(TokenError::Operator);
    }
    if is_signed(message.as_bytes(), signature, &key) {
        Ok(Verified { claims })
    } else {
        Err(TokenError::Signature)
    }
}

/// The one place where a signature is checked.
fn is_signed(message: &[u8], signature: &str, key: &[u8; 32]) -> bool {
    let key = DecodingKey::from_ed_der(key);
    let fits = jsonwebtoken::crypto::verify(signature, message, &key, Algorithm::EdDSA);
    matches!(fits, Ok(true))
}

fn encode(part: &impl Serialize) -> Option<String> {
    serde_json::to_vec(part).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
}

/// Reads a flat JSON object whose keys stand once each. Without the check of the first byte an
/// array with the values in order would be read as well.
fn object<'t, T: Deserialize<'t>>(text: &'t str) -> Option<T> {
    if !text.starts_with('{') {
        return None;
    }
    json::check(text, LIMITS).ok()?;
    serde_json::from_str(text).ok()
}

/// The points of small order without their sign bit, in every encoding that a decoder may read:
/// for these keys anybody can make signatures.
const WEAK: [[u8; 32]; 7] = [
    ends(0x00, 0x00, 0x00),
    ends(0x01, 0x00, 0x00),
    ends(0xec, 0xff, 0x7f),
    ends(0xed, 0xff, 0x7f),
    ends(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// 32 bytes that are alike between the first and the last.
const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    let [start, .., end] = &mut bytes;
    *start = first;
    *end = last;
    bytes
}

fn is_weak(key: &[u8; 32]) -> bool {
    let mut unsigned = *key;
    let [.., last] = &mut unsigned;
    *last &= 0x7f;
    WEAK.contains(&unsigned)
}

#[cfg(test)]
mod tests;
