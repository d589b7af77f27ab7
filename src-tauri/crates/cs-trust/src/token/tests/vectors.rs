//! Published test vectors (Wycheproof), where they are at hand: in `shared/vectors` beside the
//! checkout or above it. They are not part of the repository.
//!
//! Their payloads are no claims: what is tried is the form, the key and the signature, as
//! [`Unverified::verify`] tries them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::jws;
use crate::jws::jwk::Jwk;
use crate::published::wycheproof;

/// Where our verdict is not the published one, and why.
const EXCEPTIONS: &[(u64, &str)] = &[
    (346, "called valid: signed by PS384, with a key that says it is for PS256 (RFC 7517, 4.4)"),
    (347, "called valid: a key on P-521, which is not accepted, with the unknown `alg` ES521"),
    (350, "as 346, with a key that has `key_ops` instead of `use`"),
    (351, "as 347, with a key that has `key_ops` instead of `use`"),
];

/// Whether the signature of a published token holds, by the very functions that a token of an
/// issuer goes through up to its payload.
fn accepted(token: &str, key: &Value) -> Result<(), String> {
    let key = Jwk::read(key.as_object().ok_or("no key")?).map_err(|fault| fault.to_string())?;
    let parts = jws::split(token).ok_or("form")?;
    let header: Value = jws::header(&parts.header).ok_or("header")?;
    // The header is read by its own type with the payload of a good token.
    let probe = format!(
        "{}.{}.AA",
        URL_SAFE_NO_PAD.encode(&parts.header),
        URL_SAFE_NO_PAD.encode(claims().to_string())
    );
    let probe = Unverified::parse(&probe).map_err(|error| error.to_string())?;
    let named =
        header.get("kid").is_none_or(|kid| Some(kid.as_str().unwrap()) == key.key_id.as_deref());
    if !named {
        return Err("another key".to_owned());
    }
    let signed = key.has_signed(probe.algorithm(), parts.message.as_bytes(), parts.signature);
    signed.then_some(()).ok_or_else(|| "signature".to_owned())
}

#[test]
fn j01_j02_j03_j04_signatures_are_accepted_exactly_as_published() {
    let Some(vectors) = wycheproof("json_web_signature_test.json") else { return };
    let (mut tried, mut shared, mut odd) = (0, 0, Vec::new());
    for group in vectors["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            let id = test["tcId"].as_u64().unwrap();
            tried += 1;
            // A group without a public key is one of MACs: none of them is ever accepted.
            let Some(key) = group.get("public") else {
                assert!(accepted(&token, &group["private"]).is_err(), "{test}");
                shared += 1;
                continue;
            };
            let verdict = accepted(&token, key);
            let valid = test["result"] == "valid";
            let excepted = EXCEPTIONS.iter().any(|(at, _)| *at == id);
            if (verdict.is_ok() == valid) == excepted {
                odd.push(format!(
                    "{id}: {} / {} -> {verdict:?} {}",
                    group["comment"], test["comment"], test["result"]
                ));
            }
        }
    }
    assert!(odd.is_empty(), "{}", odd.join("\n"));
    assert_eq!((tried, shared), (401, 40));
}
