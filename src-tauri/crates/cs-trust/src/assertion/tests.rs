use cs_model::identity::TokenAlgorithm;
use serde_json::{Value, json};

use super::*;
use crate::jws::samples::{ED25519, P256, signed_as, signer, with, without};

const NOW: i64 = 1_785_231_000;
const CLIENT: &str = "agent-7";
const ISSUER: &str = "https://gw.example:8443/t/acme/as";
const ENDPOINT: &str = "https://gw.example:8443/t/acme/as/token";

fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "key"})
}

fn claims() -> Value {
    json!({"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "a-1"})
}

fn keys(key: &Value) -> KeySet {
    let set = json!({"keys": [with(key.clone(), json!({"kid": "key"}))]});
    KeySet::parse(set.to_string().as_bytes()).unwrap()
}

fn signed(header: &Value, claims: &Value) -> String {
    signed_as(&ED25519, TokenAlgorithm::EdDSA, &header.to_string(), &claims.to_string())
}

fn held(assertion: &str) -> Result<Assertion, TokenError> {
    verify(assertion, &keys(&ED25519.jwk()), CLIENT, &[ISSUER, ENDPOINT], now())
}

fn of_claims(members: Value) -> Option<TokenError> {
    held(&signed(&header(), &with(claims(), members))).err()
}

fn lacking(name: &str) -> Option<TokenError> {
    held(&signed(&header(), &without(claims(), name))).err()
}

#[test]
fn a_good_assertion_holds_and_says_what_to_remember() {
    let assertion = held(&signed(&header(), &claims())).unwrap();
    assert_eq!(assertion.jti, "a-1");
    assert_eq!(assertion.remember_until, Timestamp::from_secs(NOW + 61));
    for algorithm in TokenAlgorithm::ALL.iter().copied() {
        let header = json!({"alg": algorithm, "kid": "key"}).to_string();
        let assertion = signed_as(signer(algorithm), algorithm, &header, &claims().to_string());
        let keys = keys(&signer(algorithm).jwk());
        let held = verify(&assertion, &keys, CLIENT, &[ISSUER], now());
        assert!(held.is_ok(), "{algorithm} {held:?}");
    }
}

#[test]
fn j13_an_assertion_is_not_a_token_of_another_type() {
    for typ in ["JWT", "client-authentication+jwt"] {
        assert!(held(&signed(&with(header(), json!({"typ": typ})), &claims())).is_ok(), "{typ}");
    }
    for typ in ["at+jwt", "dpop+jwt", "countersign-op+jwt", "jwt", ""] {
        let refused = held(&signed(&with(header(), json!({"typ": typ})), &claims()));
        assert_eq!(refused, Err(TokenError::TypeRefused), "{typ}");
    }
}

#[test]
fn j10_an_assertion_is_by_and_about_the_client_that_presents_it() {
    for (members, refused) in [
        (json!({"iss": "other"}), TokenError::IssuerWrong),
        (json!({"iss": [CLIENT]}), TokenError::IssuerInvalid),
        (json!({"sub": "other"}), TokenError::SubjectWrong),
        (json!({"sub": ""}), TokenError::SubjectInvalid),
        (json!({"iss": "other", "sub": "other"}), TokenError::IssuerWrong),
    ] {
        assert_eq!(of_claims(members.clone()), Some(refused), "{members}");
    }
    assert_eq!(lacking("iss"), Some(TokenError::IssuerInvalid));
    assert_eq!(lacking("sub"), Some(TokenError::SubjectInvalid));
}

#[test]
fn j07_an_assertion_is_for_this_issuer_alone() {
    for good in [json!(ISSUER), json!(ENDPOINT), json!([ISSUER])] {
        assert_eq!(of_claims(json!({"aud": good})), None, "{good}");
    }
    let slash = format!("{ISSUER}/");
    for (aud, refused) in [
        (json!("https://other.example"), TokenError::AudienceWrong),
        (json!(slash), TokenError::AudienceWrong),
        (json!([ISSUER, "https://other.example"]), TokenError::AudienceSeveral),
        (json!([ISSUER, ENDPOINT]), TokenError::AudienceSeveral),
        (json!([]), TokenError::AudienceInvalid),
        (json!(1), TokenError::AudienceInvalid),
    ] {
        assert_eq!(of_claims(json!({"aud": aud})), Some(refused), "{aud}");
    }
    assert_eq!(lacking("aud"), Some(TokenError::AudienceInvalid));
    let nobody = verify(&signed(&header(), &claims()), &keys(&ED25519.jwk()), CLIENT, &[], now());
    assert_eq!(nobody, Err(TokenError::AudienceWrong));
}

#[test]
fn j08_an_assertion_is_made_to_be_used_at_once() {
    for (ahead, refused) in [
        (-1, Some(TokenError::Expired)),
        (0, Some(TokenError::Expired)),
        (1, None),
        (330, None),
        (331, Some(TokenError::LifetimeTooLong)),
    ] {
        assert_eq!(of_claims(json!({"exp": NOW + ahead})), refused, "{ahead}");
    }
    for exp in [json!("1785231060"), json!(1_785_231_060.5), json!(u64::MAX), Value::Null] {
        assert_eq!(of_claims(json!({"exp": exp})), Some(TokenError::ExpiryInvalid), "{exp}");
    }
    assert_eq!(lacking("exp"), Some(TokenError::ExpiryInvalid));
}

#[test]
fn j09_j29_an_assertion_is_not_from_the_future() {
    for (name, error) in [("iat", TokenError::IssuedInFuture), ("nbf", TokenError::NotYetValid)] {
        assert_eq!(of_claims(json!({name: NOW + 30})), None, "{name}");
        assert_eq!(of_claims(json!({name: NOW + 31})), Some(error), "{name}");
    }
    assert_eq!(of_claims(json!({"iat": "x"})), Some(TokenError::IssuedInvalid));
    assert_eq!(of_claims(json!({"nbf": "x"})), Some(TokenError::NotBeforeInvalid));
    assert_eq!(lacking("iat"), None);
}

#[test]
fn j16_an_assertion_has_an_id() {
    for jti in [json!(""), json!(1), Value::Null] {
        assert_eq!(of_claims(json!({"jti": jti})), Some(TokenError::IdInvalid), "{jti}");
    }
    assert_eq!(lacking("jti"), Some(TokenError::IdInvalid));
}

#[test]
fn j01_j05_an_assertion_is_signed_with_the_clients_own_key() {
    let assertion = signed(&header(), &claims());
    let other = verify(&assertion, &keys(&P256.jwk()), CLIENT, &[ISSUER], now());
    assert_eq!(other, Err(TokenError::KeyMismatch));
    let unknown = held(&signed(&with(header(), json!({"kid": "other"})), &claims()));
    assert_eq!(unknown, Err(TokenError::KeyUnknown));
    let message = assertion.rsplit_once('.').unwrap().0;
    assert_eq!(held(&format!("{message}.")), Err(TokenError::SignatureWrong));
    let none = held(&signed(&with(header(), json!({"alg": "none"})), &claims()));
    assert_eq!(none, Err(TokenError::AlgorithmUnknown));
}
