//! What a token looks like, before anything that it says counts.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

#[test]
fn j01_an_algorithm_that_is_none_is_refused() {
    for alg in ["none", "None", "nOnE", "NONE", "", "HS256", "HS512", "ES256K", "eddsa", "EdDSA "] {
        let token = signed(&with(header(), json!({"alg": alg})), &claims());
        assert_eq!(refusal(&token), Some(TokenError::AlgorithmUnknown), "{alg}");
    }
    let token = signed(&without(header(), "alg"), &claims());
    assert_eq!(refusal(&token), Some(TokenError::AlgorithmUnknown));
    for alg in [json!(["EdDSA"]), Value::Null, json!(1), json!({})] {
        let token = signed(&with(header(), json!({"alg": alg})), &claims());
        assert_eq!(refusal(&token), Some(TokenError::Header), "{alg}");
    }
}

#[test]
fn j01_an_empty_signature_is_none() {
    let token = signed(&header(), &claims());
    let message = token.rsplit_once('.').unwrap().0;
    assert_eq!(refusal(&format!("{message}.")), Some(TokenError::SignatureWrong));
    assert_eq!(refusal(message), Some(TokenError::Form));
    let payload = message.split_once('.').unwrap().1;
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    assert_eq!(refusal(&format!("{none}.{payload}.")), Some(TokenError::AlgorithmUnknown));
}

#[test]
fn j02_a_mac_with_a_public_key_is_no_signature() {
    for algorithm in TokenAlgorithm::ALL.iter().copied() {
        let key = signer(algorithm);
        let jwk = key.jwk();
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let point = || [&[4], &bytes("x")[..], &bytes("y")].concat();
        let public = match key {
            Signer::Ed25519(_) => bytes("x"),
            Signer::P256(_) | Signer::P384(_) => point(),
            Signer::Rsa(_) => bytes("n"),
        };
        let text = jwk.to_string();
        let lines = [text.clone(), format!("{text}\n"), URL_SAFE_NO_PAD.encode(&public)];
        let secrets = lines.into_iter().map(String::into_bytes).chain([public]);
        for (secret, alg) in secrets.flat_map(|secret| {
            ["HS256", "HS384", algorithm.as_str()].map(|alg| (secret.clone(), alg))
        }) {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": "key"}).to_string();
            let [header, payload] =
                [header, claims().to_string()].map(|part| URL_SAFE_NO_PAD.encode(part));
            let message = format!("{header}.{payload}");
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac));
            let keys = set(&[named(key, "key")]);
            assert!(judged(&token, &keys, &rules(), now()).is_err(), "{algorithm} {alg}");
        }
    }
}

#[test]
fn j03_no_psychic_signature_is_accepted() {
    // The order of P-256.
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(order.get(at * 2..at * 2 + 2).unwrap(), 16).unwrap())
        .collect();
    let zero = vec![0; 32];
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "key"}).to_string();
    let key = signer(TokenAlgorithm::ES256);
    let good = signed_as(key, TokenAlgorithm::ES256, &header, &claims().to_string());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = (signature[..32].to_vec(), signature[32..].to_vec());
    let der = {
        let integer = |bytes: &[u8]| [&[2, 33, 0][..], bytes].concat();
        let body = [integer(&r), integer(&s)].concat();
        [&[0x30, u8::try_from(body.len()).unwrap()][..], &body].concat()
    };
    for (name, bad) in [
        ("zero", [zero.clone(), zero.clone()].concat()),
        ("r is the order", [order.clone(), zero.clone()].concat()),
        ("both are the order", [order.clone(), order.clone()].concat()),
        ("s is zero", [r.clone(), zero].concat()),
        ("s is the order", [r.clone(), order].concat()),
        ("too short", signature[..63].to_vec()),
        ("too long", [&signature[..], &[0]].concat()),
        ("half", r),
        ("twice", [&signature[..], &signature].concat()),
        ("DER", der),
        ("empty", Vec::new()),
    ] {
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bad));
        let refused = judged(&token, &set(&[named(key, "key")]), &rules(), now()).err();
        assert_eq!(refused, Some(TokenError::SignatureWrong), "{name}");
    }
}

#[test]
fn j04_j05_j28_a_header_member_that_changes_the_meaning_is_refused() {
    for (name, value) in [
        ("crit", json!(["x"])),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A128GCM")),
        ("p2c", json!(2_147_483_648_u64)),
        ("p2s", json!("AA")),
        ("epk", json!({})),
        ("jwk", ED25519.jwk()),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("http://169.254.169.254/")),
        ("x5c", json!(["AA"])),
        ("iss", json!(ISSUER)),
        ("x5t", json!(1)),
        ("x5t#S256", Value::Null),
        ("typ", Value::Null),
        ("kid", Value::Null),
        ("kid", json!("")),
        ("kid", json!("a\u{0}")),
        ("kid", json!("k".repeat(257))),
    ] {
        let token = signed(&with(header(), json!({name: value})), &claims());
        assert_eq!(refusal(&token), Some(TokenError::Header), "{name}");
    }
    // The one hint that issuers do send, and that nobody follows.
    let hints = json!({"x5t": "AA", "x5t#S256": "not a digest"});
    assert_eq!(refusal(&signed(&with(header(), hints), &claims())), None);
}

#[test]
fn j05_a_key_id_is_looked_up_and_nothing_else() {
    for kid in ["../../dev/null", "' OR 1=1 --", "ED", "ed ", " ed", "e", "ed\u{200b}"] {
        let token = signed(&with(header(), json!({"kid": kid})), &claims());
        assert_eq!(refusal(&token), Some(TokenError::KeyUnknown), "{kid}");
    }
    let long = signed(&with(header(), json!({"kid": "k".repeat(1 << 20)})), &claims());
    assert_eq!(refusal(&long), Some(TokenError::Size));
    // The key of another issuer, under the same id.
    let stranger = Signer::Ed25519(
        aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap(),
    );
    let (header, claims) = (header().to_string(), claims().to_string());
    let token = signed_as(&stranger, TokenAlgorithm::EdDSA, &header, &claims);
    assert_eq!(refusal(&token), Some(TokenError::SignatureWrong));
}

#[test]
fn j13_only_the_type_of_an_access_token_is_accepted() {
    let strict = [Some("at+jwt"), Some("application/at+jwt")];
    let wide = [Some("JWT"), None];
    let never = [
        "countersign-op+jwt",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "id_token",
        "AT+JWT",
        "jwt",
        "at+jwt ",
        "",
    ];
    let all = strict.into_iter().chain(wide).chain(never.map(Some));
    for typ in all {
        let header = match typ {
            Some(typ) => with(header(), json!({"typ": typ})),
            None => without(header(), "typ"),
        };
        let token = signed(&header, &claims());
        for types in [TokenTypes::AtJwt, TokenTypes::AtJwtOrJwt] {
            let refused = judged(&token, &keys(), &Rules { types, ..rules() }, now()).err();
            let fits =
                strict.contains(&typ) || (types == TokenTypes::AtJwtOrJwt && wide.contains(&typ));
            assert_eq!(refused, (!fits).then_some(TokenError::TypeRefused), "{typ:?} {types:?}");
        }
    }
}

#[test]
fn j11_j12_only_a_strict_object_is_a_header_or_a_payload() {
    let payload = claims().to_string();
    let twice = |member: &str| payload.replacen('{', &format!("{{{member},"), 1);
    let deep = |levels: usize| {
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        payload.replacen('{', &format!(r#"{{"x":{nested},"#), 1)
    };
    for odd in [
        twice(r#""tenant":"acme""#),
        twice(r#""tena\u006et":"other""#),
        twice(r#""sub":"admin""#),
        twice(r#""x":{"role":"ro","role":"admin"}"#),
        twice(r#""x":[{"a":1,"a":1}]"#),
        deep(16),
        deep(100_000 / 50),
        format!("[{NOW},{NOW},\"agent-7\",\"{ISSUER}\",\"{AUDIENCE}\"]"),
        "[]".to_owned(),
        "\"x\"".to_owned(),
        "null".to_owned(),
        String::new(),
        format!(" {payload}"),
        format!("{payload} {{}}"),
        payload.replace("agent-7", "agent-\u{7}"),
    ] {
        let refused = refusal(&signed_text(&header().to_string(), &odd));
        assert_eq!(refused, Some(TokenError::Payload), "{odd}");
    }
    assert_eq!(refusal(&signed_text(&header().to_string(), &deep(15))), None);
    for odd in [
        r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"ed"}"#,
        r#"{"\u0061lg":"none","alg":"EdDSA","typ":"at+jwt","kid":"ed"}"#,
        r#"["EdDSA","ed","at+jwt",null,null]"#,
        r#"["EdDSA","ed","at+jwt","",""]"#,
        "[]",
        "null",
        "",
        " {}",
    ] {
        assert_eq!(refusal(&signed_text(odd, &payload)), Some(TokenError::Header), "{odd}");
    }
    let bytes = [b"{\"iss\":\"".as_slice(), &[0xff], b"\"}"].concat();
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header().to_string()),
        URL_SAFE_NO_PAD.encode(bytes)
    );
    assert_eq!(refusal(&format!("{message}.AA")), Some(TokenError::Payload));
}

#[test]
fn j25_only_three_parts_in_canonical_base64_are_a_token() {
    let good = signed(&header(), &claims());
    let [header, payload, signature] =
        <[&str; 3]>::try_from(good.split('.').collect::<Vec<_>>()).unwrap();
    // 64 bytes end in a character with four unused bits.
    let last = signature.chars().last().unwrap();
    let stray = char::from(u8::try_from(last).unwrap() + 1);
    let stray = format!("{}{stray}", signature.strip_suffix(last).unwrap());
    for (name, token) in [
        ("nothing", String::new()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.x")),
        ("a leading part", format!("x.{good}")),
        ("five parts", format!("{good}.x.y")),
        ("padding", format!("{good}==")),
        ("padding inside", format!("{header}=.{payload}.{signature}")),
        ("a line break", format!("{good}\n")),
        ("a space", format!(" {good}")),
        ("a space inside", format!("{header}. {payload}.{signature}")),
        ("a percent escape", good.replace('.', "%2e")),
        ("stray bits", format!("{header}.{payload}.{stray}")),
        ("the other alphabet", format!("{header}.{payload}.+{}", signature.split_at(1).1)),
        ("JSON", json!({"payload": payload, "signature": signature}).to_string()),
    ] {
        assert_eq!(refusal(&token), Some(TokenError::Form), "{name}");
    }
    let long = format!("{header}.{}.{signature}", "A".repeat(8192));
    assert_eq!(refusal(&long), Some(TokenError::Size));
}

#[test]
fn j05_what_a_token_says_before_it_is_believed_is_there_for_the_log() {
    let token = Unverified::parse(&signed(&header(), &claims())).unwrap();
    assert_eq!(token.issuer(), Some(ISSUER));
    assert_eq!(token.subject(), Some("agent-7"));
    assert_eq!(token.key_id(), Some("ed"));
    assert_eq!(token.algorithm(), TokenAlgorithm::EdDSA);
    let printed = format!("{token:?}");
    assert!(!printed.contains(token.signature()) && !printed.contains("tenant"), "{printed}");
    // What cannot be shown safely is not there at all.
    for odd in [json!("a\nb"), json!(""), json!(["x"]), json!("x".repeat(2000))] {
        let claims = with(claims(), json!({"iss": odd, "sub": odd}));
        let token = Unverified::parse(&signed(&header(), &claims)).unwrap();
        assert_eq!((token.issuer(), token.subject()), (None, None));
    }
}
