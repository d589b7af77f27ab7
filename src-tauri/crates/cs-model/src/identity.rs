//! How callers prove who they are, where several parts of the product name it.

use crate::state::words;

words! {
    /// The algorithm of a signed token, by its JOSE name (RFC 7518, RFC 8037). Asymmetric ones
    /// only: whoever could verify a MAC could also make one.
    TokenAlgorithm {
        /// ECDSA on P-256 with SHA-256.
        ES256 = "ES256",
        /// ECDSA on P-384 with SHA-384.
        ES384 = "ES384",
        /// Ed25519.
        EdDSA = "EdDSA",
        /// RSA-PSS with SHA-256.
        PS256 = "PS256",
        /// RSA-PSS with SHA-384.
        PS384 = "PS384",
        /// RSA-PSS with SHA-512.
        PS512 = "PS512",
        /// RSA (PKCS #1 v1.5) with SHA-256.
        RS256 = "RS256",
        /// RSA (PKCS #1 v1.5) with SHA-384.
        RS384 = "RS384",
        /// RSA (PKCS #1 v1.5) with SHA-512.
        RS512 = "RS512",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j01_j02_no_algorithm_but_an_asymmetric_one_has_a_name() {
        for name in ["none", "None", "", "HS256", "HS384", "HS512", "es256", "ES256 ", "ES256K"] {
            assert!(name.parse::<TokenAlgorithm>().is_err(), "{name}");
        }
    }

    #[test]
    fn its_name_is_the_same_everywhere() {
        for algorithm in TokenAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(*algorithm));
            let json = serde_json::to_string(algorithm).unwrap();
            assert_eq!(json, format!("\"{algorithm}\""));
        }
    }
}
