//! Proofs of possession (RFC 9449): a small token, signed for one request with the key that an
//! access token is bound to.
//!
//! Here, and nowhere else, the key comes with the token: whose it is, its thumbprint tells, which
//! has to be the one in the access token. Whether a proof was used before is for the caller to find
//! out: by the thumbprint and the id, until [`Proof::remember_until`].

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cs_model::identity::TokenAlgorithm;
use cs_model::{Digest, Timestamp};
use serde::Deserialize;

use crate::jws::jwk::Jwk;
use crate::jws::{self, Object};

/// How far `iat` may be from the clock, either way.
pub const WINDOW: Duration = Duration::from_secs(60);

const TYPE: &str = "dpop+jwt";

/// The most bytes of an id or a nonce.
const MOST_TEXT: usize = 255;

/// The most bytes of a URL.
const MOST_URL: usize = 2048;

/// The request that a proof has to be for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'e> {
    /// The method, in capitals.
    pub method: &'e str,
    /// The absolute URL. A query or fragment does not count.
    pub url: &'e str,
    /// The access token that comes with the proof. Where tokens are issued there is none.
    pub access_token: Option<&'e str>,
    /// The key that the access token is bound to. Nothing: any key, where tokens are issued.
    pub thumbprint: Option<Digest>,
    /// The nonces one of which the proof has to repeat. None of them: it need not have one.
    pub nonces: &'e [&'e str],
    /// The digest of the body, for proofs that cover it. Without it those are refused.
    pub body: Option<Digest>,
}

/// A proof that holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// The thumbprint of its key (RFC 7638).
    pub thumbprint: Digest,
    /// Its id, unique for the key.
    pub jti: String,
    /// Until when the id has to be remembered: one second longer than the proof can be accepted.
    pub remember_until: Timestamp,
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum DpopError {
    /// Its algorithm is not one for public signatures.
    #[error("the proof's algorithm is not one for public signatures")]
    Algorithm,
    /// It covers another body.
    #[error("the proof is for another body")]
    Body,
    /// It is not a compact JWS of at most 8 KiB.
    #[error("this is not a proof in compact form")]
    Form,
    /// Its header is not exactly `alg`, `jwk` and `typ`.
    #[error("the proof's header has a member that is not accepted")]
    Header,
    /// It has no id, or not a plain one.
    #[error("the proof has no id")]
    Id,
    /// Its key is malformed, private or too weak.
    #[error("the proof's key cannot be used")]
    Key,
    /// Its method is another one.
    #[error("the proof is for another method")]
    Method,
    /// It has no nonce, or none that is known: the client may ask for one and try again.
    #[error("the proof does not repeat the server's nonce")]
    Nonce,
    /// Its payload is not one JSON object without duplicates.
    #[error("the proof's payload is not a strict JSON object")]
    Payload,
    /// Its signature is wrong.
    #[error("the proof's signature is wrong")]
    Signature,
    /// The access token is bound to another key.
    #[error("the proof's key is not the one of the access token")]
    Thumbprint,
    /// It was made too long ago or in the future, or does not say when.
    #[error("the proof was made too long ago or in the future")]
    Time,
    /// It is not for the access token that it came with.
    #[error("the proof is for another access token")]
    Token,
    /// Its type is another one.
    #[error("this is a token of another type than a proof")]
    Type,
    /// Its URL is another one.
    #[error("the proof is for another URL")]
    Url,
}

impl DpopError {
    /// Every reason.
    pub const ALL: &[Self] = &[
        Self::Algorithm,
        Self::Body,
        Self::Form,
        Self::Header,
        Self::Id,
        Self::Key,
        Self::Method,
        Self::Nonce,
        Self::Payload,
        Self::Signature,
        Self::Thumbprint,
        Self::Time,
        Self::Token,
        Self::Type,
        Self::Url,
    ];

    /// A short code for the log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Algorithm => "dpop_algorithm_refused",
            Self::Body => "dpop_body_mismatch",
            Self::Form => "dpop_malformed",
            Self::Header => "dpop_header_refused",
            Self::Id => "dpop_id_invalid",
            Self::Key => "dpop_key_refused",
            Self::Method => "dpop_method_mismatch",
            Self::Nonce => "dpop_nonce_missing",
            Self::Payload => "dpop_payload_malformed",
            Self::Signature => "dpop_signature_wrong",
            Self::Thumbprint => "dpop_key_mismatch",
            Self::Time => "dpop_stale",
            Self::Token => "dpop_token_mismatch",
            Self::Type => "dpop_type_refused",
            Self::Url => "dpop_url_mismatch",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    jwk: Object,
    typ: String,
}

/// Holds a proof against the request that it came with.
///
/// # Errors
///
/// The first thing that is wrong with it. Of a proof that is genuine and only lacks the nonce that
/// is [`DpopError::Nonce`].
pub fn verify(proof: &str, expected: &Expected<'_>, now: Timestamp) -> Result<Proof, DpopError> {
    if proof.len() > jws::MOST {
        return Err(DpopError::Form);
    }
    let parts = jws::split(proof).ok_or(DpopError::Form)?;
    let Header { alg, jwk, typ } = jws::header(&parts.header).ok_or(DpopError::Header)?;
    demand(typ == TYPE, DpopError::Type)?;
    let algorithm: TokenAlgorithm = alg.parse().map_err(|_| DpopError::Algorithm)?;
    let key = Jwk::read(&jwk).map_err(|_| DpopError::Key)?;
    demand(key.is_for(algorithm), DpopError::Algorithm)?;
    let claims = jws::payload(&parts.payload).ok_or(DpopError::Payload)?;
    let signed = key.has_signed(algorithm, parts.message.as_bytes(), parts.signature);
    demand(signed, DpopError::Signature)?;
    let other = expected.thumbprint.is_some_and(|bound| bound != key.thumbprint);
    demand(!other, DpopError::Thumbprint)?;
    fits(&claims, expected)?;
    let (made, jti) = of_this_time(&claims, now)?;
    let nonce = text(&claims, "nonce", DpopError::Nonce)?;
    let answered = nonce.is_some_and(|nonce| expected.nonces.contains(&nonce));
    demand(answered || expected.nonces.is_empty(), DpopError::Nonce)?;
    let remember_until = made.after(WINDOW).after(Duration::from_secs(1));
    Ok(Proof { thumbprint: key.thumbprint, jti, remember_until })
}

/// Whether the proof is for this request and the access token in it.
fn fits(claims: &Object, expected: &Expected<'_>) -> Result<(), DpopError> {
    let method = text(claims, "htm", DpopError::Method)?;
    demand(method == Some(expected.method), DpopError::Method)?;
    let url = jws::text(claims, "htu", MOST_URL).ok().flatten().and_then(normal);
    demand(url.is_some() && url == normal(expected.url), DpopError::Url)?;
    let hash = text(claims, "ath", DpopError::Token)?;
    let token = expected.access_token.map(|token| jws::digest_text(Digest::of(token.as_bytes())));
    demand(hash == token.as_deref(), DpopError::Token)?;
    match text(claims, "content_digest", DpopError::Body)? {
        None => Ok(()),
        Some(digest) => {
            let same = expected.body.is_some_and(|body| is_digest(digest, body));
            demand(same, DpopError::Body)
        }
    }
}

fn of_this_time(claims: &Object, now: Timestamp) -> Result<(Timestamp, String), DpopError> {
    let made = jws::moment(claims, "iat").ok().flatten().ok_or(DpopError::Time)?;
    demand(now.since(made) <= WINDOW && made.since(now) <= WINDOW, DpopError::Time)?;
    let jti = text(claims, "jti", DpopError::Id)?.ok_or(DpopError::Id)?;
    Ok((made, jti.to_owned()))
}

/// The digest of a body in either form in which it is written: like a thumbprint, or like the
/// header `Content-Digest` (RFC 9530).
fn is_digest(text: &str, body: Digest) -> bool {
    text == jws::digest_text(body)
        || text == format!("sha-256=:{}:", STANDARD.encode(body.as_bytes()))
}

/// A URL without what does not count (RFC 9449, section 4.3): query and fragment, the case of
/// scheme and host, and the scheme's own port.
fn normal(url: &str) -> Option<String> {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (url, _) = url.split_at_checked(end)?;
    let (scheme, rest) = url.split_once("://")?;
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(slash)?;
    let (scheme, authority) = (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
    let port = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => return None,
    };
    let authority = authority.strip_suffix(port).unwrap_or(&authority);
    if authority.is_empty() || authority.contains('@') {
        return None;
    }
    let path = if path.is_empty() { "/" } else { path };
    Some(format!("{scheme}://{authority}{path}"))
}

fn text<'c>(
    claims: &'c Object,
    name: &str,
    otherwise: DpopError,
) -> Result<Option<&'c str>, DpopError> {
    jws::text(claims, name, MOST_TEXT).map_err(|_| otherwise)
}

fn demand(holds: bool, otherwise: DpopError) -> Result<(), DpopError> {
    if holds { Ok(()) } else { Err(otherwise) }
}

#[cfg(test)]
mod tests;
