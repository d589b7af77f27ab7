//! API keys and clients of the built-in issuer: an id that may be shown, and a secret that is shown
//! once.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use cs_model::{Digest, Secret};

/// What the id of a key starts with.
pub const ID_PREFIX: &str = "csk_";

/// What the secret of a key starts with, so that secret scanners find it.
pub const SECRET_PREFIX: &str = "css_";

/// How many characters follow `csk_`: 128 bits in base 62.
pub const ID_DIGITS: usize = 22;

/// How many characters follow `css_`: 256 bits in base 62.
pub const SECRET_DIGITS: usize = 43;

/// What the id of a client starts with.
pub const CLIENT_PREFIX: &str = "csc_";

/// What the secret of a client starts with, so that secret scanners find it.
pub const CLIENT_SECRET_PREFIX: &str = "ccs_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new API key. Both texts are letters and digits after their prefix, of a fixed length, and
/// one double click selects the whole of them.
#[derive(Debug)]
pub struct ApiKeyPair {
    /// `csk_` and 22 characters.
    pub key_id: String,
    /// `css_` and 43 characters. Requests are signed with this text, prefix included.
    pub secret: Secret,
}

impl ApiKeyPair {
    /// Makes a key from random bytes.
    pub fn from_random(id: [u8; 16], secret: [u8; 32]) -> Self {
        Self {
            key_id: format!("{ID_PREFIX}{}", base62(id, ID_DIGITS)),
            secret: Secret::from_text(format!("{SECRET_PREFIX}{}", base62(secret, SECRET_DIGITS))),
        }
    }
}

/// A new client of the built-in issuer: `csc_` and 22 characters.
pub fn client_id(random: [u8; 16]) -> String {
    format!("{CLIENT_PREFIX}{}", base62(random, ID_DIGITS))
}

/// The secret of a client of the built-in issuer. Only its digest is kept.
#[derive(Debug)]
pub struct ClientSecret {
    /// `ccs_` and 43 characters.
    pub secret: Secret,
    /// The SHA-256 of that text.
    pub digest: Digest,
}

impl ClientSecret {
    /// Makes a secret from random bytes.
    pub fn from_random(secret: [u8; 32]) -> Self {
        let text = format!("{CLIENT_SECRET_PREFIX}{}", base62(secret, SECRET_DIGITS));
        let digest = Digest::of(text.as_bytes());
        Self { secret: Secret::from_text(text), digest }
    }
}

/// Whether a secret is the one with this digest, in a time that does not tell how near it is. Where
/// there is none to compare with it takes as long, and it is not.
pub fn is_client_secret(presented: &str, digest: Option<Digest>) -> bool {
    let own = Digest::of(presented.as_bytes());
    let expected = digest.unwrap_or(Digest::from_bytes([0; 32]));
    let same = verify_slices_are_equal(own.as_bytes(), expected.as_bytes()).is_ok();
    same && digest.is_some()
}

/// A number of `N` big-endian bytes in base 62, with leading zeros up to `digits`.
fn base62<const N: usize>(mut number: [u8; N], digits: usize) -> String {
    let mut text: Vec<u8> = Vec::with_capacity(digits);
    for _ in 0..digits {
        let mut rest: u16 = 0;
        for byte in &mut number {
            let wide = rest << 8 | u16::from(*byte);
            // The quotient fits in a byte because `rest` is below 62.
            *byte = u8::try_from(wide / 62).unwrap_or(u8::MAX);
            rest = wide % 62;
        }
        text.extend(ALPHABET.get(usize::from(rest)));
    }
    text.iter().rev().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Computed independently, with Python's integers.
    #[test]
    fn a_key_has_a_fixed_length_and_is_its_bytes_in_base_62() {
        let counting = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let pair = ApiKeyPair::from_random([0xff; 16], counting);
        assert_eq!(pair.key_id, "csk_7n42DGM5Tflk9n8mt7Fhc7");
        let secret = pair.secret.expose_text().unwrap();
        assert_eq!(secret, "css_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf");

        let widest = ApiKeyPair::from_random([0; 16], [0xff; 32]);
        assert_eq!(widest.key_id, "csk_0000000000000000000000");
        let secret = widest.secret.expose_text().unwrap();
        assert_eq!(secret, "css_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
    }

    #[test]
    fn a_client_is_known_by_the_digest_of_its_secret_alone() {
        let made = ClientSecret::from_random([0xff; 32]);
        let text = made.secret.expose_text().unwrap().to_owned();
        assert_eq!(text, "ccs_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
        assert_eq!(client_id([0; 16]), "csc_0000000000000000000000");
        assert!(is_client_secret(&text, Some(made.digest)));
        assert!(!is_client_secret(&text, None));
        assert!(!is_client_secret(text.trim_end_matches(char::is_alphanumeric), Some(made.digest)));
        assert!(!format!("{made:?}").contains("ccs_"));
    }

    #[test]
    fn a_key_does_not_print_its_secret() {
        let printed = format!("{:?}", ApiKeyPair::from_random([1; 16], [2; 32]));
        assert!(printed.contains("csk_") && !printed.contains("css_"), "{printed}");
    }
}
