//! What it costs to find out who is calling.
//!
//! `token::first_time` is a token that was never seen before, from its text to what may be
//! believed of it; `token::signature_alone` is what the cryptographic library takes of that. The
//! difference is ours, and should stay under ten microseconds. `request::signed` is everything
//! that a signed request costs but the digest of its body, `request::digest` is that digest.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made has to stop")]
#![expect(clippy::panic, reason = "a measurement that cannot be made has to stop")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self as lc, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::Timestamp;
use cs_model::identity::TokenAlgorithm;
use serde_json::{Value, json};

const ALGORITHMS: [TokenAlgorithm; 3] =
    [TokenAlgorithm::ES256, TokenAlgorithm::RS256, TokenAlgorithm::EdDSA];

const NOW: i64 = 1_785_231_000;

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of an identity provider.
enum Key {
    Edwards(Ed25519KeyPair),
    Point(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Key {
    fn new(algorithm: TokenAlgorithm) -> Self {
        if algorithm == TokenAlgorithm::ES256 {
            Self::Point(EcdsaKeyPair::generate(&lc::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
        } else if algorithm == TokenAlgorithm::RS256 {
            Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
        } else {
            Self::Edwards(Ed25519KeyPair::generate().unwrap())
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Edwards(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Point(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&lc::RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    fn jwk(&self) -> Value {
        match self {
            Self::Edwards(pair) => json!({
                "kid": "key", "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()),
            }),
            Self::Point(pair) => {
                let [_, point @ ..] = pair.public_key().as_ref() else { panic!("no point") };
                let (x, y) = point.split_at(32);
                json!({"kid": "key", "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)})
            }
            Self::Rsa(pair) => {
                let parts = lc::RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kid": "key", "kty": "RSA", "n": text(&parts.n), "e": text(&parts.e)})
            }
        }
    }

    /// The library's own check, with nothing prepared.
    fn check(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Edwards(pair) => lc::UnparsedPublicKey::new(&lc::ED25519, pair.public_key())
                .verify(message, signature)
                .is_ok(),
            Self::Point(pair) => {
                lc::UnparsedPublicKey::new(&lc::ECDSA_P256_SHA256_FIXED, pair.public_key())
                    .verify(message, signature)
                    .is_ok()
            }
            Self::Rsa(pair) => lc::RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key())
                .verify(&lc::RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }

    /// A token as an identity provider makes one.
    fn token(&self, algorithm: TokenAlgorithm) -> String {
        let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": "key"});
        let claims = json!({
            "iss": "https://idp.example/realms/acme", "sub": "agent-7", "client_id": "agent-7",
            "aud": "https://gw.example:8443/t/acme/mcp", "exp": NOW + 300, "iat": NOW, "nbf": NOW,
            "jti": "5d0cbf5e-7b2c-4a43-9f29-2b7d6d0d7a41", "scope": "mcp:connect tools:read",
            "tenant": "acme", "realm_access": {"roles": ["agent", "invoice-clerk"]},
            "authorization_details": [{"type": "countersign_task", "task": "invoice-triage"}],
            "cnf": {"x5t#S256": text(&[7; 32])},
        });
        let message = format!(
            "{}.{}",
            text(header.to_string().as_bytes()),
            text(claims.to_string().as_bytes())
        );
        format!("{message}.{}", text(&self.sign(message.as_bytes())))
    }
}

mod token {
    use std::time::Duration;

    use cs_trust::token::{KeySet, Rules, TokenTypes, Unverified};
    use divan::{Bencher, black_box};

    use super::*;

    #[divan::bench(args = ALGORITHMS)]
    fn signature_alone(bencher: Bencher<'_, '_>, algorithm: TokenAlgorithm) {
        let key = Key::new(algorithm);
        let token = key.token(algorithm);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bencher.bench(|| {
            assert!(key.check(black_box(message.as_bytes()), black_box(&signature)));
        });
    }

    #[divan::bench(args = ALGORITHMS)]
    fn first_time(bencher: Bencher<'_, '_>, algorithm: TokenAlgorithm) {
        let key = Key::new(algorithm);
        let token = key.token(algorithm);
        let keys = json!({"keys": [key.jwk()]}).to_string();
        let keys = KeySet::parse(keys.as_bytes()).unwrap();
        let rules = Rules {
            issuer: "https://idp.example/realms/acme".to_owned(),
            audience: "https://gw.example:8443/t/acme/mcp".to_owned(),
            algorithms: [algorithm].into(),
            types: TokenTypes::AtJwt,
            longest: Duration::from_secs(900),
            skew: Duration::from_secs(30),
            several_audiences: false,
        };
        bencher.bench(|| {
            let token = Unverified::parse(black_box(&token)).unwrap();
            token.verify(&keys, &rules, now()).unwrap()
        });
    }

    #[divan::bench(args = ALGORITHMS)]
    fn parse_alone(bencher: Bencher<'_, '_>, algorithm: TokenAlgorithm) {
        let token = Key::new(algorithm).token(algorithm);
        bencher.bench(|| Unverified::parse(black_box(&token)).unwrap());
    }
}

mod request {
    use cs_model::{Digest, Secret};
    use cs_trust::request::{self, Incoming, Outgoing, Presented};
    use divan::counter::BytesCount;
    use divan::{Bencher, black_box};

    use super::*;

    const PATH: &str = "/t/acme/mcp";
    const HOST: &str = "gw.example:8443";

    #[divan::bench]
    fn signed(bencher: Bencher<'_, '_>) {
        let body_digest = Digest::of(b"{}");
        let secret = Secret::from_text(format!("css_{}", "a".repeat(43)));
        let outgoing = Outgoing { method: "POST", authority: HOST, path: PATH, body_digest };
        let id = format!("csk_{}", "b".repeat(22));
        let headers = request::sign(&outgoing, &id, &secret, now(), &"n".repeat(22)).unwrap();
        bencher.bench(|| {
            let headers = black_box(&headers);
            let presented = Presented::parse(&headers.signature_input, &headers.signature).unwrap();
            let incoming = Incoming {
                method: "POST",
                authority: HOST,
                path: PATH,
                content_digest_header: &headers.content_digest,
                body_digest,
            };
            presented.verify(&incoming, &secret, now()).unwrap();
        });
    }

    #[divan::bench(args = [1_024, 65_536])]
    fn digest(bencher: Bencher<'_, '_>, bytes: usize) {
        let body = vec![7; bytes];
        bencher.counter(BytesCount::new(bytes)).bench(|| Digest::of(black_box(&body)));
    }
}
