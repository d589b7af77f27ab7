//! What a token is revoked by and bound to.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::Digest;

use super::*;

#[test]
fn j16_a_token_without_an_id_is_revoked_by_its_digest() {
    let text = signed(&header(), &without(claims(), "jti"));
    let token = verdict(&text).unwrap();
    assert_eq!(token.id(), None);
    let (message, _) = text.rsplit_once('.').unwrap();
    let digest = Digest::of(message.as_bytes());
    assert_eq!(token.revocation_id(), format!("sha256:{digest}"));
    let named = verdict(&signed(&header(), &claims())).unwrap();
    assert_eq!((named.id(), named.revocation_id()), (Some("token-1"), "token-1"));
    for odd in [json!(""), json!(1), Value::Null, json!("a\n"), json!("x".repeat(256))] {
        assert_eq!(of_claims(json!({"jti": odd})), Some(TokenError::IdInvalid), "{odd}");
    }
}

#[test]
fn j16_another_signature_over_the_same_token_does_not_escape_its_revocation() {
    // ECDSA signs anew each time: two texts, one token.
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "key"}).to_string();
    let claims = without(claims(), "jti").to_string();
    let key = signer(TokenAlgorithm::ES256);
    let keys = set(&[named(key, "key")]);
    let make = || signed_as(key, TokenAlgorithm::ES256, &header, &claims);
    let (one, two) = (make(), make());
    assert_ne!(one, two);
    let id =
        |token: &str| judged(token, &keys, &rules(), now()).unwrap().revocation_id().to_owned();
    assert_eq!(id(&one), id(&two));
}

#[test]
fn j27_what_a_token_is_bound_to_is_read_or_the_token_is_refused() {
    let digest = Digest::of(b"certificate");
    let text = URL_SAFE_NO_PAD.encode(digest.as_bytes());
    let bound = |cnf: Value| {
        verdict(&signed(&header(), &with(claims(), json!({"cnf": cnf}))))
            .map(|token| token.confirmation())
    };
    let (certificate, key) = (Some(digest), Some(digest));
    assert_eq!(bound(json!({"x5t#S256": text})), Ok(Confirmation { certificate, key: None }));
    assert_eq!(bound(json!({"jkt": text})), Ok(Confirmation { certificate: None, key }));
    assert_eq!(
        bound(json!({"jkt": text, "x5t#S256": text})),
        Ok(Confirmation { certificate, key })
    );
    for odd in [
        json!({}),
        json!(null),
        json!([]),
        json!(text),
        json!({"jkt": 1}),
        json!({"jkt": ""}),
        json!({"jkt": null}),
        json!({"jkt": format!("{text}=")}),
        json!({"jkt": text.split_at(1).1}),
        json!({"jkt": digest.to_string()}),
        json!({"jwk": ED25519.jwk()}),
        json!({"jkt": text, "jku": "https://evil.example"}),
        json!({"jkt": text, "osc": {}}),
    ] {
        assert_eq!(bound(odd.clone()), Err(TokenError::ConfirmationInvalid), "{odd}");
    }
}

#[test]
fn j02_an_empty_secret_signs_nothing() {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(with(header(), json!({"alg": "HS256"})).to_string()),
        URL_SAFE_NO_PAD.encode(claims().to_string())
    );
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), message.as_bytes());
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac));
    assert_eq!(refusal(&token), Some(TokenError::AlgorithmUnknown));
}
