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

/// A member of the body as it stands in a header.
pub(crate) fn written(body: &str) -> String {
    let plain = body.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'))
        && body.trim_matches([' ', '\t']) == body
        && !(body.starts_with("=?base64?") && body.ends_with("?="));
    if plain { body.to_owned() } else { format!("=?base64?{}?=", STANDARD.encode(body)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h05_what_is_written_into_a_header_says_the_same_as_the_body() {
        let coded = "=?base64?w6k=?=";
        for (body, header) in [
            ("eu-west 1", "eu-west 1"),
            ("", ""),
            (" eu", "=?base64?IGV1?="),
            ("eu\t", "=?base64?ZXUJ?="),
            ("é", coded),
            ("a\r\nb", "=?base64?YQ0KYg==?="),
            (coded, "=?base64?PT9iYXNlNjQ/dzZrPT89?="),
        ] {
            assert_eq!(written(body), header);
            assert!(says(header, body), "{body}");
        }
    }
}
