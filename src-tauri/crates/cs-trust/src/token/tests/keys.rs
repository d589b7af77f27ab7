//! The keys of an issuer.

use aws_lc_rs::signature as lc;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::jws::samples::{P256, P384, RSA};

fn parse(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes())
}

/// Why the key is ignored beside one that is good.
fn fault(key: Value) -> Option<KeyFault> {
    let set = parse(&[named(&ED25519, "good"), key]).unwrap();
    assert!(set.has("good"));
    match set.ignored() {
        [] => None,
        [IgnoredKey { reason, .. }] => Some(*reason),
        several => panic!("{several:?}"),
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn j19_a_good_set_is_read_whole() {
    let keys = [
        named(&ED25519, "ed"),
        with(named(&P256, "p256"), json!({"alg": "ES256", "use": "sig"})),
        with(named(&P384, "p384"), json!({"key_ops": ["verify"]})),
        with(named(&RSA, "rsa"), json!({"x5c": ["AA"], "x5t": "AA", "e": "AQAB", "own": {}})),
    ];
    let set = parse(&keys).unwrap();
    assert_eq!(set.key_ids().collect::<Vec<_>>(), ["ed", "p256", "p384", "rsa"]);
    assert_eq!((set.len(), set.ignored()), (4, &[][..]));
    assert!(set.has("rsa") && !set.has("RSA") && !set.has(""));
}

#[test]
fn j19_a_key_that_is_not_clearly_one_for_signatures_is_ignored() {
    let (ec, rsa) = (named(&P256, "x"), named(&RSA, "x"));
    let rsa_of = |bits: usize| {
        let mut modulus = vec![0xff; bits / 8];
        modulus[0] = 0x80;
        with(rsa.clone(), json!({"n": text(&modulus)}))
    };
    let shifted = {
        let mut y = URL_SAFE_NO_PAD.decode(ec["y"].as_str().unwrap()).unwrap();
        y[31] ^= 1;
        with(ec.clone(), json!({"y": text(&y)}))
    };
    let neutral = with(named(&ED25519, "x"), json!({"x": text(&[&[1][..], &[0; 31]].concat())}));
    for (name, key, reason) in [
        ("oct", json!({"kty": "oct", "k": "AA", "kid": "x"}), KeyFault::Symmetric),
        ("enc", with(ec.clone(), json!({"use": "enc"})), KeyFault::Use),
        ("no use", with(ec.clone(), json!({"use": ""})), KeyFault::Use),
        ("operations", with(ec.clone(), json!({"key_ops": ["encrypt"]})), KeyFault::Operations),
        ("none", with(ec.clone(), json!({"key_ops": []})), KeyFault::Operations),
        ("sign", with(ec.clone(), json!({"key_ops": ["sign"]})), KeyFault::Operations),
        ("operation", with(ec.clone(), json!({"key_ops": "verify"})), KeyFault::Malformed),
        ("512", rsa_of(512), KeyFault::Size),
        ("1024", rsa_of(1024), KeyFault::Size),
        ("2040", rsa_of(2040), KeyFault::Size),
        ("8200", rsa_of(8200), KeyFault::Size),
        ("even", with(rsa.clone(), json!({"n": text(&[0x80; 256])})), KeyFault::Size),
        ("leading zero", with(rsa.clone(), json!({"n": text(&[0; 257])})), KeyFault::Size),
        ("no modulus", with(rsa.clone(), json!({"n": ""})), KeyFault::Size),
        ("e = 1", with(rsa.clone(), json!({"e": "AQ"})), KeyFault::Exponent),
        ("e = 3", with(rsa.clone(), json!({"e": "Aw"})), KeyFault::Exponent),
        ("long e", with(rsa.clone(), json!({"e": "AAEAAQ"})), KeyFault::Exponent),
        ("curve", with(ec.clone(), json!({"crv": "secp256k1"})), KeyFault::Curve),
        ("P-521", with(ec.clone(), json!({"crv": "P-521"})), KeyFault::Curve),
        ("X25519", with(named(&ED25519, "x"), json!({"crv": "X25519"})), KeyFault::Curve),
        ("not on the curve", shifted, KeyFault::Point),
        (
            "zero",
            with(ec.clone(), json!({"x": text(&[0; 32]), "y": text(&[0; 32])})),
            KeyFault::Point,
        ),
        ("small order", neutral, KeyFault::Point),
        ("short x", with(ec.clone(), json!({"x": text(&[1; 31])})), KeyFault::Malformed),
        (
            "padded x",
            with(ec.clone(), json!({"x": format!("{}=", ec["x"].as_str().unwrap())})),
            KeyFault::Malformed,
        ),
        ("wrong curve", with(ec.clone(), json!({"crv": "P-384"})), KeyFault::Malformed),
        ("no y", without(ec.clone(), "y"), KeyFault::Malformed),
        ("no kty", without(ec.clone(), "kty"), KeyFault::Malformed),
        ("kty", with(ec.clone(), json!({"kty": "AKP"})), KeyFault::Type),
        ("private EC", with(ec.clone(), json!({"d": text(&[1; 32])})), KeyFault::Private),
        ("private RSA", with(rsa.clone(), json!({"p": "AA", "q": "AA"})), KeyFault::Private),
        ("alg", with(ec.clone(), json!({"alg": "ES384"})), KeyFault::Algorithm),
        ("family", with(rsa.clone(), json!({"alg": "ES256"})), KeyFault::Algorithm),
        ("mac", with(rsa.clone(), json!({"alg": "HS256"})), KeyFault::Algorithm),
        ("encryption", with(rsa.clone(), json!({"alg": "RSA-OAEP"})), KeyFault::Algorithm),
        ("no id", without(ec.clone(), "kid"), KeyFault::NoId),
        ("empty id", with(ec.clone(), json!({"kid": ""})), KeyFault::Malformed),
        ("long id", with(ec.clone(), json!({"kid": "k".repeat(257)})), KeyFault::Malformed),
        ("number", with(ec.clone(), json!({"kid": 1})), KeyFault::Malformed),
        ("no object", json!("key"), KeyFault::Malformed),
    ] {
        assert_eq!(fault(key), Some(reason), "{name}");
    }
    for key in
        [ec, rsa.clone(), with(rsa.clone(), json!({"alg": "PS512"})), rsa_of(2048), rsa_of(8192)]
    {
        assert_eq!(fault(key), None);
    }
}

#[test]
fn j19_two_keys_of_one_id_are_both_ignored() {
    for twins in [[named(&P256, "x"), named(&P384, "x")], [named(&P256, "x"), named(&P256, "x")]] {
        let set = parse(&[twins[0].clone(), named(&ED25519, "ed"), twins[1].clone()]).unwrap();
        assert!(!set.has("x") && set.has("ed"));
        let ignored = IgnoredKey { key_id: Some("x".to_owned()), reason: KeyFault::DuplicateId };
        assert_eq!(set.ignored(), [ignored]);
        let refused = parse(&twins).unwrap_err();
        assert!(matches!(refused, KeySetError::NoKey { .. }), "{refused:?}");
    }
}

#[test]
fn j19_a_set_without_a_usable_key_is_an_error() {
    let oct = json!({"kty": "oct", "k": "AA", "kid": "x"});
    let Err(KeySetError::NoKey { ignored }) = parse(&[oct]) else { panic!() };
    assert_eq!(ignored, [IgnoredKey { key_id: Some("x".to_owned()), reason: KeyFault::Symmetric }]);
    assert_eq!(parse(&[]).unwrap_err(), KeySetError::NoKey { ignored: Vec::new() });
    let bare = P256.jwk();
    assert!(matches!(parse(&[bare.clone(), bare]), Err(KeySetError::NoKey { .. })));
}

#[test]
fn j19_what_is_not_a_strict_set_is_refused() {
    let key = named(&ED25519, "ed").to_string();
    for text in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        "<html>".to_owned(),
        r#"{"keys":{}}"#.to_owned(),
        r#"{"keys":null}"#.to_owned(),
        format!("[{key}]"),
        format!(r#"{{"keys":[{key}],"keys":[]}}"#),
        format!(r#"{{"keys":[{key}]}} x"#),
        format!(r#" {{"keys":[{key}]}}"#),
        format!(r#"{{"keys":[{}]}}"#, key.replacen('{', r#"{"kid":"other","#, 1)),
        format!(r#"{{"keys":[{key}],"x":{}{}}}"#, "[".repeat(20), "]".repeat(20)),
    ] {
        assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err(), KeySetError::Form, "{text}");
    }
    assert_eq!(KeySet::parse(&[0xff, 0xfe]).unwrap_err(), KeySetError::Form);
    let many: Vec<_> = (0..101).map(|at| named(&ED25519, &at.to_string())).collect();
    assert_eq!(parse(&many).unwrap_err(), KeySetError::Size);
    assert_eq!(parse(&many[1..]).unwrap().len(), 100);
    assert_eq!(KeySet::parse(&vec![b' '; 256 * 1024 + 1]).unwrap_err(), KeySetError::Size);
}

#[test]
fn j05_j19_a_key_without_a_name_is_used_only_when_it_is_the_only_one() {
    let nameless = signed(&without(header(), "kid"), &claims());
    let with_name = signed(&header(), &claims());
    let try_with =
        |token: &str, keys: &[Value]| judged(token, &parse(keys).unwrap(), &rules(), now()).err();
    let (bare, named_one) = (ED25519.jwk(), named(&ED25519, "ed"));
    assert_eq!(try_with(&nameless, std::slice::from_ref(&bare)), None);
    assert_eq!(try_with(&nameless, std::slice::from_ref(&named_one)), None);
    assert_eq!(try_with(&with_name, &[bare]), Some(TokenError::KeyUnknown));
    let two = [named_one, named(&P256, "p256")];
    assert_eq!(try_with(&nameless, &two), Some(TokenError::KeyUnknown));
    assert_eq!(try_with(&with_name, &two), None);
}

#[test]
fn j02_j19_the_algorithm_is_the_one_of_the_key() {
    // The set says that the key is for PS256: what RS256 signed with it is refused.
    let keys = set(&[with(named(&RSA, "key"), json!({"alg": "PS256"}))]);
    for (algorithm, refused) in
        [(TokenAlgorithm::PS256, None), (TokenAlgorithm::RS256, Some(TokenError::KeyMismatch))]
    {
        let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": "key"}).to_string();
        let token = signed_as(&RSA, algorithm, &header, &claims().to_string());
        assert_eq!(judged(&token, &keys, &rules(), now()).err(), refused);
    }
    // A key of another family under the id that the token names.
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "ed"}).to_string();
    let token = signed_as(&P256, TokenAlgorithm::ES256, &header, &claims().to_string());
    assert_eq!(refusal(&token), Some(TokenError::KeyMismatch));
}

#[test]
fn j21_a_key_that_left_the_set_signs_nothing_any_more() {
    let token = signed(&header(), &claims());
    assert_eq!(refusal(&token), None);
    let rotated = set(&[named(&P256, "new")]);
    assert!(!rotated.has("ed"));
    let refused = judged(&token, &rotated, &rules(), now()).unwrap_err();
    assert_eq!(refused, TokenError::KeyUnknown);
}

#[test]
fn the_thumbprint_is_the_published_one() {
    // RFC 8037, appendix A.3.
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let Value::Object(members) = key else { panic!() };
    let key = crate::jws::jwk::Jwk::read(&members).unwrap();
    assert_eq!(text(key.thumbprint.as_bytes()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn j19_every_reason_has_a_code_of_its_own() {
    let all = [
        KeyFault::Algorithm,
        KeyFault::Curve,
        KeyFault::DuplicateId,
        KeyFault::Exponent,
        KeyFault::Malformed,
        KeyFault::NoId,
        KeyFault::Operations,
        KeyFault::Point,
        KeyFault::Private,
        KeyFault::Size,
        KeyFault::Symmetric,
        KeyFault::Type,
        KeyFault::Use,
    ];
    let codes: BTreeSet<_> = all.iter().map(|fault| fault.code()).collect();
    assert_eq!(codes.len(), all.len());
    let sets = [KeySetError::Form, KeySetError::NoKey { ignored: Vec::new() }, KeySetError::Size];
    let codes: BTreeSet<_> = sets.iter().map(KeySetError::code).collect();
    assert_eq!(codes.len(), sets.len());
}

#[test]
fn j19_a_point_off_the_curve_is_what_the_library_would_be_asked_about() {
    // The library refuses it as well, but only when a token comes.
    let point = [&[4][..], &[0; 64]].concat();
    let key = lc::UnparsedPublicKey::new(&lc::ECDSA_P256_SHA256_FIXED, &point);
    assert!(key.verify(b"", &[0; 64]).is_err());
    let Value::Object(members) =
        with(P256.jwk(), json!({"x": text(&[0; 32]), "y": text(&[0; 32])}))
    else {
        panic!()
    };
    assert_eq!(crate::jws::jwk::Jwk::read(&members).unwrap_err(), KeyFault::Point);
}
