//! The compact form of a signed token (RFC 7515), read strictly.
//!
//! Exactly three parts in canonical base64url without padding, and JSON in which every key stands
//! once. `jsonwebtoken` would ignore `crit`, let the last of two claims win and read a payload that
//! is an array: it gets to see a signature and what was signed, in [`engine`], and nothing else.

pub(crate) mod engine;
pub(crate) mod jwk;
#[cfg(test)]
pub(crate) mod samples;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::json::{self, Limits};
use cs_model::{Digest, Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A JSON object.
pub(crate) type Object = serde_json::Map<String, Value>;

/// The most bytes of a token.
pub(crate) const MOST: usize = 8 * 1024;

/// What a header may nest: nothing, but for the public key in a proof.
const HEADER_LIMITS: Limits = Limits { depth: 3, members: 32, key: 64 };

/// What a payload may nest.
const PAYLOAD_LIMITS: Limits = Limits { depth: 16, members: 2_000, key: 1024 };

/// The most bytes of a payload.
const MOST_PAYLOAD: usize = 16 * 1024;

/// The last second of the year 9999. A later moment is a mistake or a trick.
const MOST_SECS: i64 = 253_402_300_799;

/// The parts of a token, decoded but not believed.
#[derive(Debug)]
pub(crate) struct Parts<'t> {
    /// What was signed: header and payload as they stand in the token.
    pub(crate) message: &'t str,
    /// The header, which should be JSON.
    pub(crate) header: Vec<u8>,
    /// The payload, which should be JSON.
    pub(crate) payload: Vec<u8>,
    /// The signature as it stands in the token: canonical base64url.
    pub(crate) signature: &'t str,
    /// How many bytes the signature has.
    pub(crate) signature_bytes: usize,
}

/// Splits a token. Nothing when it is not three parts in canonical base64url.
pub(crate) fn split(token: &str) -> Option<Parts<'_>> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let [header, payload, signed] =
        [header, payload, signature].map(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let (header, payload, signature_bytes) = (header?, payload?, signed?.len());
    Some(Parts { message, header, payload, signature, signature_bytes })
}

/// Reads a JSON object in which each key stands once. Without the check of the first byte an array
/// with the values in order would be read as well.
pub(crate) fn object<'t, T: Deserialize<'t>>(json: &'t [u8], limits: Limits) -> Option<T> {
    let text = std::str::from_utf8(json).ok()?;
    if !text.starts_with('{') {
        return None;
    }
    json::check(text, limits).ok()?;
    serde_json::from_str(text).ok()
}

/// Reads a header: the type says which members it may have.
pub(crate) fn header<'t, T: Deserialize<'t>>(json: &'t [u8]) -> Option<T> {
    object(json, HEADER_LIMITS)
}

/// Reads a payload with all its claims.
pub(crate) fn payload(json: &[u8]) -> Option<Object> {
    if json.len() > MOST_PAYLOAD { None } else { object(json, PAYLOAD_LIMITS) }
}

/// A header member that may be left out, but is a text where it is there: `null` is not one.
pub(crate) fn text_member<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// A claim that is there and is not what it has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Odd;

/// A claim that is a text of 1 to `most` bytes without control characters, if it is there.
pub(crate) fn text<'c>(
    claims: &'c Object,
    name: &str,
    most: usize,
) -> Result<Option<&'c str>, Odd> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if is_plain(text, most) => Ok(Some(text)),
        Some(_) => Err(Odd),
    }
}

/// Whether a text has 1 to `most` bytes and no control characters.
pub(crate) fn is_plain(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// A claim that is a moment in whole seconds, if it is there.
pub(crate) fn moment(claims: &Object, name: &str) -> Result<Option<Timestamp>, Odd> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .filter(|secs| (0..=MOST_SECS).contains(secs))
            .map(|secs| Some(Timestamp::from_secs(secs)))
            .ok_or(Odd),
    }
}

/// A claim that is one text or a list of texts, if it is there.
pub(crate) fn texts(claims: &Object, name: &str) -> Result<Option<Vec<String>>, Odd> {
    claims.get(name).map(|value| strings(value).ok_or(Odd)).transpose()
}

/// One text, or a list of nothing but texts.
pub(crate) fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|it| it.as_str().map(str::to_owned)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// A SHA-256 digest in base64url, as in `jkt`, `x5t#S256` and `ath`.
pub(crate) fn digest(text: &str) -> Option<Digest> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    bytes.try_into().ok().map(Digest::from_bytes)
}

/// A digest as it stands in tokens.
pub(crate) fn digest_text(digest: Digest) -> String {
    URL_SAFE_NO_PAD.encode(digest.as_bytes())
}
