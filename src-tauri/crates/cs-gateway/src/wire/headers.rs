//! Headers that mean something: each at most once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;

/// A header that may stand there once, as text. Twice, or not as text, is refused by the caller:
/// readers disagree about which of two counts.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Ambiguous> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Ambiguous),
        (Some(_), Some(_)) => Err(Ambiguous),
    }
}

/// A header that stands there exactly once, as text.
pub(crate) fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    single(headers, name).ok().flatten()
}

/// A header that stands there twice or is not text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ambiguous;

/// Whether a header's value says the same as a member of the body. Values that a header cannot
/// carry are written `=?base64?..?=`, in the one canonical base64 of their UTF-8.
pub(crate) fn says(value: &str, body: &str) -> bool {
    let coded = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    match coded {
        Some(coded) => STANDARD.decode(coded).is_ok_and(|bytes| bytes == body.as_bytes()),
        None => value == body,
    }
}
