//! Keys and tokens for tests: what any issuer could make, good or bad.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as lc, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::identity::TokenAlgorithm;
use serde_json::{Value, json};

/// A private key of any kind.
pub(crate) enum Signer {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

pub(crate) static ED25519: LazyLock<Signer> =
    LazyLock::new(|| Signer::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()));
pub(crate) static P256: LazyLock<Signer> = LazyLock::new(|| {
    Signer::P256(EcdsaKeyPair::generate(&lc::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
});
pub(crate) static P384: LazyLock<Signer> = LazyLock::new(|| {
    Signer::P384(EcdsaKeyPair::generate(&lc::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
});
pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(|| {
    Signer::Rsa(Box::new(RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap()))
});

/// The key that signs with an algorithm.
pub(crate) fn signer(algorithm: TokenAlgorithm) -> &'static Signer {
    match algorithm {
        TokenAlgorithm::ES256 => &P256,
        TokenAlgorithm::ES384 => &P384,
        TokenAlgorithm::EdDSA => &ED25519,
        TokenAlgorithm::PS256
        | TokenAlgorithm::PS384
        | TokenAlgorithm::PS512
        | TokenAlgorithm::RS256
        | TokenAlgorithm::RS384
        | TokenAlgorithm::RS512 => &RSA,
    }
}

impl Signer {
    pub(crate) fn sign(&self, algorithm: TokenAlgorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) | Self::P384(pair) => {
                pair.sign(&random, message).unwrap().as_ref().to_vec()
            }
            Self::Rsa(pair) => {
                let encoding: &'static dyn lc::RsaEncoding = match algorithm {
                    TokenAlgorithm::PS256 => &lc::RSA_PSS_SHA256,
                    TokenAlgorithm::PS384 => &lc::RSA_PSS_SHA384,
                    TokenAlgorithm::PS512 => &lc::RSA_PSS_SHA512,
                    TokenAlgorithm::RS256 => &lc::RSA_PKCS1_SHA256,
                    TokenAlgorithm::RS384 => &lc::RSA_PKCS1_SHA384,
                    TokenAlgorithm::RS512 => &lc::RSA_PKCS1_SHA512,
                    TokenAlgorithm::ES256 | TokenAlgorithm::ES384 | TokenAlgorithm::EdDSA => {
                        panic!("not an algorithm of RSA")
                    }
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// The public key, without an id.
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..])})
            }
            Self::P384(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-384", "x": text(&point[1..49]), "y": text(&point[49..])})
            }
            Self::Rsa(pair) => {
                let parts = lc::RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "n": text(&parts.n), "e": text(&parts.e)})
            }
        }
    }
}

/// A JSON object with some members added or replaced.
pub(crate) fn with(mut object: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("not an object") };
    object.as_object_mut().unwrap().extend(members);
    object
}

/// A JSON object without a member.
pub(crate) fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name).unwrap();
    object
}

/// Signs whatever header and payload.
pub(crate) fn signed_as(
    key: &Signer,
    algorithm: TokenAlgorithm,
    header: &str,
    payload: &str,
) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = key.sign(algorithm, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
