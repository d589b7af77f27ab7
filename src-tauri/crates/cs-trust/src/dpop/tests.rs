use std::collections::BTreeSet;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::jws::samples::{ED25519, P256, RSA, signed_as, signer, with, without};

const NOW: i64 = 1_785_231_000;
const URL: &str = "https://gw.example:8443/t/acme/mcp";
const TOKEN: &str = "aaa.bbb.ccc";
const BODY: &[u8] = br#"{"jsonrpc":"2.0"}"#;

fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "dpop+jwt", "jwk": ED25519.jwk()})
}

fn claims() -> Value {
    json!({"jti": "proof-1", "htm": "POST", "htu": URL, "iat": NOW, "ath": hash(TOKEN)})
}

fn hash(token: &str) -> String {
    jws::digest_text(Digest::of(token.as_bytes()))
}

fn thumbprint() -> Digest {
    let Value::Object(members) = ED25519.jwk() else { panic!() };
    Jwk::read(&members).unwrap().thumbprint
}

fn expected() -> Expected<'static> {
    Expected {
        method: "POST",
        url: URL,
        access_token: Some(TOKEN),
        thumbprint: Some(thumbprint()),
        nonces: &[],
        body: Some(Digest::of(BODY)),
    }
}

fn signed(header: &Value, claims: &Value) -> String {
    signed_as(&ED25519, TokenAlgorithm::EdDSA, &header.to_string(), &claims.to_string())
}

fn refusal(proof: &str) -> Option<DpopError> {
    verify(proof, &expected(), now()).err()
}

fn of_claims(members: Value) -> Option<DpopError> {
    refusal(&signed(&header(), &with(claims(), members)))
}

fn of_header(members: Value) -> Option<DpopError> {
    refusal(&signed(&with(header(), members), &claims()))
}

#[test]
fn j27_a_good_proof_holds_and_says_what_to_remember() {
    let proof = verify(&signed(&header(), &claims()), &expected(), now()).unwrap();
    assert_eq!((proof.thumbprint, proof.jti.as_str()), (thumbprint(), "proof-1"));
    assert_eq!(proof.remember_until, Timestamp::from_secs(NOW + 61));
    // It cannot be accepted any more when its id may be forgotten.
    let late = proof.remember_until;
    let again = verify(&signed(&header(), &claims()), &expected(), late);
    assert_eq!(again, Err(DpopError::Time));
}

#[test]
fn j27_every_algorithm_is_accepted_with_its_own_key() {
    for algorithm in TokenAlgorithm::ALL.iter().copied() {
        let key = signer(algorithm);
        let header = json!({"alg": algorithm, "typ": "dpop+jwt", "jwk": key.jwk()}).to_string();
        let proof = signed_as(key, algorithm, &header, &claims().to_string());
        let any_key = Expected { thumbprint: None, ..expected() };
        assert!(verify(&proof, &any_key, now()).is_ok(), "{algorithm}");
        let refused = verify(&proof, &expected(), now()).err();
        let own = algorithm == TokenAlgorithm::EdDSA;
        assert_eq!(refused, (!own).then_some(DpopError::Thumbprint), "{algorithm}");
    }
}

#[test]
fn j01_j27_an_algorithm_that_is_none_is_refused() {
    for alg in ["none", "HS256", "", "ES256K", "ES256", "RS256"] {
        assert_eq!(of_header(json!({"alg": alg})), Some(DpopError::Algorithm), "{alg}");
    }
    let proof = signed(&header(), &claims());
    let (message, _) = proof.rsplit_once('.').unwrap();
    assert_eq!(refusal(&format!("{message}.")), Some(DpopError::Signature));
}

#[test]
fn j04_j05_j13_a_header_that_is_not_the_one_of_a_proof_is_refused() {
    for members in [
        json!({"kid": "x"}),
        json!({"crit": []}),
        json!({"jku": "https://evil.example"}),
        json!({"x5c": ["AA"]}),
        json!({"jwk": "x"}),
        json!({"jwk": null}),
        json!({"typ": null}),
    ] {
        assert_eq!(of_header(members.clone()), Some(DpopError::Header), "{members}");
    }
    for name in ["alg", "typ", "jwk"] {
        let refused = refusal(&signed(&without(header(), name), &claims()));
        assert_eq!(refused, Some(DpopError::Header), "{name}");
    }
    for typ in ["JWT", "at+jwt", "dpop", "DPOP+JWT", "application/dpop+jwt", ""] {
        assert_eq!(of_header(json!({"typ": typ})), Some(DpopError::Type), "{typ}");
    }
}

#[test]
fn j27_a_key_that_is_private_shared_or_weak_is_refused() {
    for key in [
        with(ED25519.jwk(), json!({"d": "AA"})),
        json!({"kty": "oct", "k": "AA"}),
        with(RSA.jwk(), json!({"e": "Aw"})),
        with(RSA.jwk(), json!({"n": URL_SAFE_NO_PAD.encode([0xff; 128])})),
        with(P256.jwk(), json!({"y": P256.jwk()["x"]})),
        with(ED25519.jwk(), json!({"use": "enc"})),
        json!({}),
    ] {
        assert_eq!(of_header(json!({"jwk": key})), Some(DpopError::Key), "{key}");
    }
    // The key of somebody else, whose signature is not there.
    let stranger = with(ED25519.jwk(), json!({"x": URL_SAFE_NO_PAD.encode([9; 32])}));
    assert_eq!(of_header(json!({"jwk": stranger})), Some(DpopError::Signature));
}

#[test]
fn j27_a_proof_is_for_one_method_and_one_url() {
    for htm in [json!("GET"), json!("post"), json!(""), json!(1), Value::Null] {
        assert_eq!(of_claims(json!({"htm": htm})), Some(DpopError::Method), "{htm}");
    }
    for htu in [
        "https://gw.example:8443/t/other/mcp",
        "https://gw.example:8443/t/acme/mcp/",
        "https://gw.example:8443/t/acme/MCP",
        "https://gw.example/t/acme/mcp",
        "http://gw.example:8443/t/acme/mcp",
        "https://evil.example/https://gw.example:8443/t/acme/mcp",
        "https://user@gw.example:8443/t/acme/mcp",
        "/t/acme/mcp",
        "",
    ] {
        assert_eq!(of_claims(json!({"htu": htu})), Some(DpopError::Url), "{htu}");
    }
    for htu in [
        "https://gw.example:8443/t/acme/mcp?x=1",
        "https://gw.example:8443/t/acme/mcp#part",
        "HTTPS://GW.example:8443/t/acme/mcp",
    ] {
        assert_eq!(of_claims(json!({"htu": htu})), None, "{htu}");
    }
    for (url, htu) in [
        ("https://gw.example/", "https://gw.example:443"),
        ("https://gw.example:443/a?b", "https://gw.example/a"),
        ("http://127.0.0.1:80/a", "http://127.0.0.1/a"),
    ] {
        let proof = signed(&header(), &with(claims(), json!({"htu": htu})));
        assert!(verify(&proof, &Expected { url, ..expected() }, now()).is_ok(), "{url} {htu}");
    }
    for name in ["htm", "htu"] {
        assert!(refusal(&signed(&header(), &without(claims(), name))).is_some(), "{name}");
    }
    // A URL that is none fits none.
    let proof = signed(&header(), &with(claims(), json!({"htu": "gw"})));
    let refused = verify(&proof, &Expected { url: "gw", ..expected() }, now());
    assert_eq!(refused, Err(DpopError::Url));
}

#[test]
fn j27_a_proof_is_for_one_access_token() {
    let other = hash("aaa.bbb.ccd");
    for ath in [json!(other), json!(""), json!(1), Value::Null, json!(TOKEN)] {
        assert_eq!(of_claims(json!({"ath": ath})), Some(DpopError::Token), "{ath}");
    }
    let bare = signed(&header(), &without(claims(), "ath"));
    assert_eq!(refusal(&bare), Some(DpopError::Token));
    let issuing = Expected { access_token: None, ..expected() };
    assert!(verify(&bare, &issuing, now()).is_ok());
    let with_hash = signed(&header(), &claims());
    assert_eq!(verify(&with_hash, &issuing, now()), Err(DpopError::Token));
}

#[test]
fn j27_j29_a_proof_is_of_this_minute() {
    for (ago, good) in [(0, true), (60, true), (61, false), (-60, true), (-61, false)] {
        let refused = of_claims(json!({"iat": NOW - ago}));
        assert_eq!(refused, (!good).then_some(DpopError::Time), "{ago}");
    }
    for iat in [json!("1785231000"), json!(1_785_231_000.5), json!(-1), json!(u64::MAX)] {
        assert_eq!(of_claims(json!({"iat": iat})), Some(DpopError::Time), "{iat}");
    }
    let refused = refusal(&signed(&header(), &without(claims(), "iat")));
    assert_eq!(refused, Some(DpopError::Time));
}

#[test]
fn j27_a_proof_has_an_id() {
    for jti in [json!(""), json!(1), Value::Null, json!("x".repeat(256)), json!("a\n")] {
        assert_eq!(of_claims(json!({"jti": jti})), Some(DpopError::Id), "{jti}");
    }
    assert_eq!(refusal(&signed(&header(), &without(claims(), "jti"))), Some(DpopError::Id));
}

#[test]
fn j27_a_nonce_is_repeated_where_one_was_given() {
    let asked = Expected { nonces: &["new", "old"], ..expected() };
    let with_nonce = |nonce: Value| signed(&header(), &with(claims(), json!({"nonce": nonce})));
    for good in ["new", "old"] {
        assert!(verify(&with_nonce(json!(good)), &asked, now()).is_ok(), "{good}");
    }
    let bare = signed(&header(), &claims());
    for bad in [with_nonce(json!("older")), with_nonce(json!("")), with_nonce(json!(1)), bare] {
        assert_eq!(verify(&bad, &asked, now()), Err(DpopError::Nonce));
    }
    assert!(verify(&with_nonce(json!("whatever")), &expected(), now()).is_ok());
    // Asked for only when everything else is right.
    let stale = signed(&header(), &with(claims(), json!({"iat": NOW - 100})));
    assert_eq!(verify(&stale, &asked, now()), Err(DpopError::Time));
}

#[test]
fn j27_a_proof_that_covers_the_body_covers_this_one() {
    let digest = Digest::of(BODY);
    let field = format!("sha-256=:{}:", STANDARD.encode(digest.as_bytes()));
    for good in [field.clone(), jws::digest_text(digest)] {
        assert_eq!(of_claims(json!({"content_digest": good})), None, "{good}");
        let proof = signed(&header(), &with(claims(), json!({"content_digest": good})));
        for body in [None, Some(Digest::of(b"another"))] {
            let refused = verify(&proof, &Expected { body, ..expected() }, now());
            assert_eq!(refused, Err(DpopError::Body), "{good}");
        }
    }
    for bad in
        [json!(""), json!(1), Value::Null, json!(digest.to_string()), json!({"sha-256": field})]
    {
        assert_eq!(of_claims(json!({"content_digest": bad})), Some(DpopError::Body), "{bad}");
    }
}

#[test]
fn j11_j12_j25_a_proof_is_as_strict_a_token_as_any() {
    let good = signed(&header(), &claims());
    for text in [
        "",
        "a.b",
        good.strip_prefix('e').unwrap(),
        &format!("{good}."),
        &format!("{good}="),
        &"a".repeat(9000),
    ] {
        let refused = refusal(text);
        assert!(matches!(refused, Some(DpopError::Form | DpopError::Header)), "{refused:?}");
    }
    let raw = |header: &str, payload: &str| {
        refusal(&signed_as(&ED25519, TokenAlgorithm::EdDSA, header, payload))
    };
    let (header, payload) = (header().to_string(), claims().to_string());
    for odd in ["[]", "", "null", &payload.replacen('{', r#"{"jti":"other","#, 1)] {
        assert_eq!(raw(&header, odd), Some(DpopError::Payload), "{odd}");
    }
    for odd in ["[]", "", "null", &header.replacen('{', r#"{"alg":"none","#, 1)] {
        assert_eq!(raw(odd, &payload), Some(DpopError::Header), "{odd}");
    }
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let codes: BTreeSet<_> = DpopError::ALL.iter().map(|error| error.code()).collect();
    assert_eq!(codes.len(), DpopError::ALL.len());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_fail(token in "[A-Za-z0-9_.=-]{0,300}", text in ".{0,200}") {
        let _ = refusal(&token);
        let _ = refusal(&text);
        let _ = normal(&text);
        let _ = of_claims(json!({"htu": text, "ath": text, "content_digest": text}));
    }
}
