use std::collections::BTreeSet;
use std::time::Duration;

use cs_model::Timestamp;
use cs_model::identity::TokenAlgorithm;
use serde_json::{Value, json};

use super::*;
use crate::jws::samples::{ED25519, Signer, signed_as, signer, with, without};

mod binding;
mod form;
mod keys;
mod laws;
mod minted;
mod said;
mod times;
mod vectors;

const ISSUER: &str = "https://idp.example/realms/acme";
const AUDIENCE: &str = "https://gw.example:8443/t/acme/mcp";
const NOW: i64 = 1_785_231_000;

fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

fn rules() -> Rules {
    Rules {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        algorithms: TokenAlgorithm::ALL.iter().copied().collect(),
        types: TokenTypes::AtJwt,
        longest: Duration::from_secs(3600),
        skew: Duration::from_secs(30),
        several_audiences: false,
    }
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "ed"})
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "agent-7", "client_id": "agent-7", "aud": AUDIENCE,
        "exp": NOW + 300, "iat": NOW - 10, "nbf": NOW - 10, "jti": "token-1",
        "scope": "mcp:connect tools:read", "tenant": "acme",
    })
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap()
}

fn named(key: &Signer, id: &str) -> Value {
    with(key.jwk(), json!({"kid": id}))
}

/// The keys of the issuer: the one that the tests sign with.
fn keys() -> KeySet {
    set(&[named(&ED25519, "ed")])
}

fn signed(header: &Value, claims: &Value) -> String {
    signed_text(&header.to_string(), &claims.to_string())
}

fn signed_text(header: &str, payload: &str) -> String {
    signed_as(&ED25519, TokenAlgorithm::EdDSA, header, payload)
}

/// Verifies a token, and demands of the report that it says the same.
fn judged(
    token: &str,
    keys: &KeySet,
    rules: &Rules,
    now: Timestamp,
) -> Result<AccessToken, TokenError> {
    let verdict = Unverified::parse(token).and_then(|token| token.verify(keys, rules, now));
    let checks = examine(token, keys, rules, now);
    let all = checks.iter().all(|check| check.passed == Some(true));
    assert_eq!(verdict.is_ok(), all, "{verdict:?} {checks:?}");
    if let Err(error) = &verdict {
        let first = checks.iter().find(|check| check.passed != Some(true)).unwrap();
        assert_eq!((first.passed, &first.detail), (Some(false), &error.to_string()));
    }
    verdict
}

fn verdict(token: &str) -> Result<AccessToken, TokenError> {
    judged(token, &keys(), &rules(), now())
}

fn refusal(token: &str) -> Option<TokenError> {
    verdict(token).err()
}

/// What is said of a token with these claims added or replaced.
fn of_claims(members: Value) -> Option<TokenError> {
    refusal(&signed(&header(), &with(claims(), members)))
}

/// What is said of a token without this claim.
fn lacking(name: &str) -> Option<TokenError> {
    refusal(&signed(&header(), &without(claims(), name)))
}

#[test]
fn a_good_token_is_accepted_and_says_what_it_said() {
    let token = verdict(&signed(&header(), &claims())).unwrap();
    assert_eq!((token.issuer(), token.subject()), (ISSUER, "agent-7"));
    assert_eq!((token.client_id(), token.id()), (Some("agent-7"), Some("token-1")));
    assert_eq!(token.expires(), Timestamp::from_secs(NOW + 300));
    assert_eq!(token.issued(), Timestamp::from_secs(NOW - 10));
    assert_eq!((token.key_id(), token.algorithm()), (Some("ed"), TokenAlgorithm::EdDSA));
    let scopes: Vec<_> = token.scopes().iter().map(String::as_str).collect();
    assert_eq!(scopes, ["mcp:connect", "tools:read"]);
    assert!(!token.confirmation().is_bound());
    assert_eq!(token.tasks().unwrap(), [""; 0]);
}

#[test]
fn every_algorithm_is_accepted_with_its_own_key_and_no_other() {
    for algorithm in TokenAlgorithm::ALL.iter().copied() {
        let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": "key"}).to_string();
        let token = signed_as(signer(algorithm), algorithm, &header, &claims().to_string());
        let own = set(&[named(signer(algorithm), "key")]);
        assert!(judged(&token, &own, &rules(), now()).is_ok(), "{algorithm}");
        for other in TokenAlgorithm::ALL.iter().copied() {
            let key = with(named(signer(other), "key"), json!({"alg": other}));
            let verdict = judged(&token, &set(&[key]), &rules(), now());
            assert_eq!(verdict.is_ok(), other == algorithm, "{algorithm} by {other}");
        }
        let none = Rules { algorithms: BTreeSet::new(), ..rules() };
        let refused = judged(&token, &own, &none, now()).unwrap_err();
        assert_eq!(refused, TokenError::AlgorithmRefused);
    }
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let codes: BTreeSet<_> = TokenError::ALL.iter().map(|error| error.code()).collect();
    let sentences: BTreeSet<_> = TokenError::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(codes.len(), TokenError::ALL.len());
    assert_eq!(sentences.len(), TokenError::ALL.len());
    let plain = |code: &&str| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    assert!(codes.iter().all(plain), "{codes:?}");
}
