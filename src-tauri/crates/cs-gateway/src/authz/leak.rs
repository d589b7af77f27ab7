//! Keys and signatures of Countersign itself in the arguments of a call: whoever was talked into
//! handing them on would give them away with this very call, to a server and to everybody who
//! reads what was asked for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_trust::key::{SECRET_DIGITS, SECRET_PREFIX};

/// How a JSON object begins in base64url: `{"`.
const HEADER: &str = "eyJ";

/// What an operation token's header says of it.
const OPERATION: &[u8] = b"countersign-op+jwt";

/// The most characters of a header that are looked at.
const LONGEST_HEADER: usize = 512;

/// Whether a text has the secret of an API key in it, or an operation token.
pub(super) fn gives_away(arguments: &str) -> bool {
    arguments.match_indices(SECRET_PREFIX).any(|(at, prefix)| {
        let rest = arguments.get(at.saturating_add(prefix.len())..).unwrap_or_default();
        rest.bytes().take_while(u8::is_ascii_alphanumeric).count() == SECRET_DIGITS
    }) || arguments.match_indices(HEADER).any(|(at, _)| {
        let rest = arguments.get(at..).unwrap_or_default();
        let header: Vec<u8> =
            rest.bytes().take(LONGEST_HEADER).take_while(|b| *b != b'.').collect();
        let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
        header.windows(OPERATION.len()).any(|it| it == OPERATION)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x14_keys_and_operation_tokens_are_found_and_nothing_else_is() {
        let key = format!("css_{}", "a1".repeat(22).split_at(43).0);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"countersign-op+jwt"}"#);
        for found in [
            format!(r#"{{"body":"use {key} please"}}"#),
            format!(r#"{{"body":"{header}.eyJpc3MiOiJvcHIifQ.AAAA"}}"#),
            format!(r#"{{"{key}":1}}"#),
        ] {
            assert!(gives_away(&found), "{found}");
        }
        let other = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"at+jwt"}"#);
        for harmless in [
            r#"{"body":"css_variables and css_"}"#.to_owned(),
            format!(r#"{{"body":"{key}more"}}"#),
            format!(r#"{{"body":"{other}.e30.AAAA"}}"#),
            r#"{"body":"eyJ"}"#.to_owned(),
        ] {
            assert!(!gives_away(&harmless), "{harmless}");
        }
    }
}
