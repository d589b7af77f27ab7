//! Signatures: the one file that asks `jsonwebtoken`, and for nothing but a signature.
//!
//! A [`PublicKey`] knows its own kind. Which algorithm is tried comes from the caller's rules and
//! has to fit the key; what a token says of itself decides nothing.

use aws_lc_rs::signature as lc;
use cs_model::identity::TokenAlgorithm;
use jsonwebtoken::{Algorithm, DecodingKey};

/// The bits of an RSA modulus.
const MODULUS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// A public key, prepared for checking signatures.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    kind: Kind,
    key: DecodingKey,
}

/// The kinds of key that are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Ed25519,
    P256,
    P384,
    Rsa,
}

/// Why a key is not used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    /// RSA with another public exponent than 65537.
    Exponent,
    /// A point that is not on its curve, or that is for no signatures.
    Point,
    /// RSA with too few or too many bits, or a modulus that is none.
    Size,
}

impl PublicKey {
    /// An Ed25519 key.
    pub(crate) fn ed25519(key: &[u8; 32]) -> Result<Self, Refused> {
        if is_weak(key) {
            return Err(Refused::Point);
        }
        Ok(Self { kind: Kind::Ed25519, key: DecodingKey::from_ed_der(key) })
    }

    /// A point on P-256, by its coordinates.
    pub(crate) fn p256(x: &[u8; 32], y: &[u8; 32]) -> Result<Self, Refused> {
        let point = [&[4], &x[..], &y[..]].concat();
        let fits = lc::ParsedPublicKey::new(&lc::ECDSA_P256_SHA256_FIXED, &point);
        fits.map_err(|_| Refused::Point)?;
        Ok(Self { kind: Kind::P256, key: DecodingKey::from_ec_der(&point) })
    }

    /// A point on P-384, by its coordinates.
    pub(crate) fn p384(x: &[u8; 48], y: &[u8; 48]) -> Result<Self, Refused> {
        let point = [&[4], &x[..], &y[..]].concat();
        let fits = lc::ParsedPublicKey::new(&lc::ECDSA_P384_SHA384_FIXED, &point);
        fits.map_err(|_| Refused::Point)?;
        Ok(Self { kind: Kind::P384, key: DecodingKey::from_ec_der(&point) })
    }

    /// An RSA key, by its modulus and public exponent, both without leading zeros.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Refused> {
        if exponent != EXPONENT {
            return Err(Refused::Exponent);
        }
        let (Some(first), Some(last)) = (modulus.first(), modulus.last()) else {
            return Err(Refused::Size);
        };
        let unused = usize::try_from(first.leading_zeros()).unwrap_or(0);
        let bits = modulus.len().saturating_mul(8).saturating_sub(unused);
        // An even number is no product of two large primes.
        if !MODULUS.contains(&bits) || *first == 0 || last.is_multiple_of(2) {
            return Err(Refused::Size);
        }
        let key = DecodingKey::from_rsa_raw_components(modulus, exponent);
        Ok(Self { kind: Kind::Rsa, key })
    }

    /// Whether signatures of this algorithm are made with such keys.
    pub(crate) fn fits(&self, algorithm: TokenAlgorithm) -> bool {
        let kind = match algorithm {
            TokenAlgorithm::ES256 => Kind::P256,
            TokenAlgorithm::ES384 => Kind::P384,
            TokenAlgorithm::EdDSA => Kind::Ed25519,
            TokenAlgorithm::PS256
            | TokenAlgorithm::PS384
            | TokenAlgorithm::PS512
            | TokenAlgorithm::RS256
            | TokenAlgorithm::RS384
            | TokenAlgorithm::RS512 => Kind::Rsa,
        };
        kind == self.kind
    }

    /// Whether this signature, in base64url, was made over the message with the private half of
    /// the key.
    pub(crate) fn has_signed(
        &self,
        algorithm: TokenAlgorithm,
        message: &[u8],
        signature: &str,
    ) -> bool {
        let algorithm = match algorithm {
            _ if !self.fits(algorithm) => return false,
            TokenAlgorithm::ES256 => Algorithm::ES256,
            TokenAlgorithm::ES384 => Algorithm::ES384,
            TokenAlgorithm::EdDSA => Algorithm::EdDSA,
            TokenAlgorithm::PS256 => Algorithm::PS256,
            TokenAlgorithm::PS384 => Algorithm::PS384,
            TokenAlgorithm::PS512 => Algorithm::PS512,
            TokenAlgorithm::RS256 => Algorithm::RS256,
            TokenAlgorithm::RS384 => Algorithm::RS384,
            TokenAlgorithm::RS512 => Algorithm::RS512,
        };
        let fits = jsonwebtoken::crypto::verify(signature, message, &self.key, algorithm);
        matches!(fits, Ok(true))
    }
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
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn o06_a_public_key_of_small_order_is_none() {
        // With the neutral element as key and R, and S = 0, the equation S*B = R + h*A holds for
        // any message: without the check this is a signature of everybody over everything.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let signature = URL_SAFE_NO_PAD.encode([&neutral[..], &[0; 32]].concat());
        let key = DecodingKey::from_ed_der(&neutral);
        let accepted =
            jsonwebtoken::crypto::verify(&signature, b"anything", &key, Algorithm::EdDSA);
        assert!(matches!(accepted, Ok(true)), "the library would accept it");
        for weak in WEAK {
            for sign in [0, 0x80] {
                let mut key = weak;
                key[31] |= sign;
                assert_eq!(PublicKey::ed25519(&key).unwrap_err(), Refused::Point, "{key:?}");
            }
        }
    }
}
