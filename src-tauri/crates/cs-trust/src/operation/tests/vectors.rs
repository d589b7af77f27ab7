//! Published test vectors (Wycheproof), where they are at hand: in `shared/vectors` beside the
//! checkout or above it. They are not part of the repository.

use serde_json::Value;

use super::*;
use crate::published::wycheproof;

fn cases(vectors: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = vectors["testGroups"].as_array().unwrap();
    groups
        .iter()
        .flat_map(|group| group["tests"].as_array().unwrap().iter().map(move |test| (group, test)))
}

fn bytes(hex: &Value) -> Vec<u8> {
    let (pairs, rest) = hex.as_str().unwrap().as_bytes().as_chunks::<2>();
    assert!(rest.is_empty());
    let digit =
        |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(digit).collect()
}

#[test]
fn o06_signatures_are_accepted_exactly_as_published() {
    let Some(vectors) = wycheproof("ed25519_test.json") else { return };
    let mut tried = 0;
    for (group, test) in cases(&vectors) {
        let key: [u8; 32] = bytes(&group["publicKey"]["pk"]).try_into().unwrap();
        let signature = URL_SAFE_NO_PAD.encode(bytes(&test["sig"]));
        let valid = test["result"] == "valid";
        let key = PublicKey::ed25519(&key).expect("a key in use is not called weak");
        let message = bytes(&test["msg"]);
        let accepted = key.has_signed(TokenAlgorithm::EdDSA, &message, &signature);
        assert_eq!(accepted, valid, "{test}");
        tried += 1;
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn j01_j13_no_published_token_passes_for_an_operation_token() {
    let Some(vectors) = wycheproof("json_web_signature_test.json") else { return };
    let mut tried = 0;
    for (_, test) in cases(&vectors) {
        let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
        assert!(verify(&token, keys).is_err(), "{test}");
        tried += 1;
    }
    assert!(tried > 300, "{tried}");
}
