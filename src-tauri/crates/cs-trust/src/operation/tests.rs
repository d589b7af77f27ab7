use cs_model::{AgentId, Digest, OperationTokenId, ServerId, SessionId, TaskId, TenantId, ToolId};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Value, json};

use super::*;

mod vectors;

fn key() -> OperatorKey {
    OperatorKey::from_seed([5; 32]).unwrap()
}

fn operator() -> OperatorId {
    OperatorId::from_random([1; 16])
}

fn keys(id: OperatorId) -> Option<[u8; 32]> {
    (id == operator()).then(|| key().public_key())
}

fn claims() -> OperationClaims {
    OperationClaims {
        iss: operator(),
        aud: "countersign:instance".to_owned(),
        sub: AgentId::from_random([2; 16]),
        tenant: TenantId::from_random([3; 16]),
        sid: SessionId::from_random([4; 16]),
        task: TaskId::from_random([5; 16]),
        server: ServerId::from_random([6; 16]),
        tool: ToolId::from_random([7; 16]),
        tool_fpr: Digest::of(b"definition"),
        args: Digest::of(b"{}"),
        pv: 12,
        jti: OperationTokenId::from_random([8; 16]),
        iat: 1_785_231_000,
        exp: 1_785_231_120,
        rsn: None,
        prs: false,
        brk: false,
    }
}

const HEADER: &str = r#"{"alg":"EdDSA","typ":"countersign-op+jwt"}"#;

fn payload() -> String {
    serde_json::to_string(&claims()).unwrap()
}

/// Signs whatever header and payload with the operator's own key: what a signer that is not ours,
/// or a stolen key, could present.
fn signed(header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = key().sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn refusal(token: &str) -> Option<TokenError> {
    verify(token, keys).err()
}

#[test]
fn a_minted_token_verifies_and_says_what_was_signed() {
    let token = mint(&claims(), &key()).unwrap();
    assert_eq!(verify(&token, keys).unwrap().claims(), &claims());
    assert_eq!(token, signed(HEADER, &payload()));
}

#[test]
fn another_library_makes_the_same_token_and_reads_ours() {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
    let pkcs8 = pair.to_pkcs8().unwrap();
    let mut header = jsonwebtoken::Header::new(Algorithm::EdDSA);
    header.typ = Some(TYPE.to_owned());
    let encoding = jsonwebtoken::EncodingKey::from_ed_der(pkcs8.as_ref());
    let theirs = jsonwebtoken::encode(&header, &claims(), &encoding).unwrap();
    assert_eq!(verify(&theirs, keys).unwrap().claims(), &claims());

    let ours = mint(&claims(), &key()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_audience(&["countersign:instance"]);
    let decoding = DecodingKey::from_ed_der(&key().public_key());
    let read = jsonwebtoken::decode::<OperationClaims>(&ours, &decoding, &validation).unwrap();
    assert_eq!(read.claims, claims());
}

#[test]
fn a_token_may_last_five_minutes_and_no_longer() {
    for (lasts, good) in
        [(1, true), (120, true), (300, true), (301, false), (0, false), (-1, false)]
    {
        let claims = OperationClaims { exp: claims().iat + lasts, ..claims() };
        assert_eq!(mint(&claims, &key()).is_ok(), good, "{lasts}");
    }
    let claims = OperationClaims { iat: i64::MIN, exp: i64::MAX, ..claims() };
    assert_eq!(mint(&claims, &key()).unwrap_err(), TokenError::Claims);
}

#[test]
fn j01_j02_the_algorithm_is_ours_whatever_the_header_says() {
    for alg in ["none", "None", "nOnE", "", "HS256", "ES256", "RS256", "Ed25519", "eddsa", "EdDSA "]
    {
        let header = json!({"alg": alg, "typ": TYPE}).to_string();
        assert_eq!(refusal(&signed(&header, &payload())), Some(TokenError::Header), "{alg}");
    }
    for alg in [json!(["EdDSA"]), Value::Null, json!(1), json!({})] {
        let header = json!({"alg": alg, "typ": TYPE}).to_string();
        assert_eq!(refusal(&signed(&header, &payload())), Some(TokenError::Header), "{alg}");
    }
    assert_eq!(
        refusal(&signed(r#"{"typ":"countersign-op+jwt"}"#, &payload())),
        Some(TokenError::Header)
    );
}

#[test]
fn j01_an_empty_signature_is_none() {
    let message = mint(&claims(), &key()).unwrap().rsplit_once('.').unwrap().0.to_owned();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"countersign-op+jwt"}"#);
    let payload = URL_SAFE_NO_PAD.encode(payload());
    for token in
        [format!("{message}."), message, format!("{none}.{payload}."), format!("{none}.{payload}")]
    {
        assert_eq!(refusal(&token), Some(TokenError::Form), "{token}");
    }
}

#[test]
fn j02_a_mac_with_the_public_key_is_no_signature() {
    let header = r#"{"alg":"HS256","typ":"countersign-op+jwt"}"#;
    for header in [header, HEADER] {
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload()));
        let public = key().public_key();
        for secret in [&public[..], URL_SAFE_NO_PAD.encode(public).as_bytes()] {
            let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
            let mac = aws_lc_rs::hmac::sign(&mac, message.as_bytes());
            // Once as it is and once at the length of a signature.
            for bytes in [mac.as_ref().to_vec(), [mac.as_ref(), mac.as_ref()].concat()] {
                let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
                assert!(refusal(&token).is_some(), "{header}");
            }
        }
    }
}

#[test]
fn j04_j05_a_header_member_that_is_not_ours_is_refused() {
    for (name, value) in [
        ("crit", json!(["x"])),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A128GCM")),
        ("kid", json!("../../dev/null")),
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"})),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("http://169.254.169.254/")),
        ("x5c", json!(["AA"])),
        ("x5t#S256", json!("AA")),
    ] {
        let header = json!({"alg": "EdDSA", "typ": TYPE, name: value}).to_string();
        assert_eq!(refusal(&signed(&header, &payload())), Some(TokenError::Header), "{header}");
    }
}

#[test]
fn j13_only_its_own_type_is_an_operation_token() {
    for typ in ["JWT", "at+jwt", "logout+jwt", "countersign-op+JWT", "countersign-op", ""] {
        let header = json!({"alg": "EdDSA", "typ": typ}).to_string();
        assert_eq!(refusal(&signed(&header, &payload())), Some(TokenError::Header), "{typ}");
    }
    assert_eq!(refusal(&signed(r#"{"alg":"EdDSA"}"#, &payload())), Some(TokenError::Header));
}

#[test]
fn j11_a_claim_or_header_member_that_stands_twice_is_refused_in_any_spelling() {
    let payload = payload();
    let tenant = format!(r#""tenant":"{}""#, claims().tenant);
    for again in [tenant.clone(), tenant.replace("tenant", r"tena\u006et")] {
        for twice in [
            payload.replacen('{', &format!("{{{again},"), 1),
            payload.replacen('}', &format!(",{again}}}"), 1),
        ] {
            assert_eq!(refusal(&signed(HEADER, &twice)), Some(TokenError::Claims), "{twice}");
        }
    }
    let header = r#"{"alg":"none","alg":"EdDSA","typ":"countersign-op+jwt"}"#;
    assert_eq!(refusal(&signed(header, &payload)), Some(TokenError::Header));
}

#[test]
fn j11_j12_doubles_and_nesting_are_refused_before_any_type_gets_to_see_them() {
    let read = |text: &str| jws::object::<Value>(text.as_bytes(), LIMITS);
    assert!(read(r#"{"a":1,"b":"x"}"#).is_some());
    let many: Vec<_> = (0..33).map(|at| format!(r#""{at}":0"#)).collect();
    let many = format!("{{{}}}", many.join(","));
    for odd in
        [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"{"a":{}}"#, r#"{"a":[]}"#, &many, "[]"]
    {
        assert!(read(odd).is_none(), "{odd}");
    }
}

#[test]
fn j12_only_an_object_is_a_header_or_a_payload() {
    let values = |text: &str| {
        let Value::Object(object) = serde_json::from_str(text).unwrap() else { panic!() };
        Value::Array(object.into_iter().map(|(_, value)| value).collect()).to_string()
    };
    let by_position = values(&payload());
    let read = serde_json::from_str::<OperationClaims>(&by_position);
    assert!(read.is_ok(), "an array by position is what serde would take: {read:?}");
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    for odd in [by_position.as_str(), "[]", "\"x\"", "null", "1", "", "{}", deep.as_str()] {
        assert_eq!(refusal(&signed(HEADER, odd)), Some(TokenError::Claims), "{odd}");
    }
    for odd in [values(HEADER).as_str(), "[]", "\"EdDSA\"", "null", "", "{}"] {
        assert_eq!(refusal(&signed(odd, &payload())), Some(TokenError::Header), "{odd}");
    }
    let spaced = format!(" {}", payload());
    assert_eq!(refusal(&signed(HEADER, &spaced)), Some(TokenError::Claims));
}

#[test]
fn j06_j07_j08_j10_each_claim_has_to_be_there_in_its_own_type() {
    let object = serde_json::from_str::<serde_json::Map<String, Value>>(&payload()).unwrap();
    assert_eq!(object.len(), 14);
    let odd = [
        Value::Null,
        json!([]),
        json!({}),
        json!(true),
        json!(1.5),
        json!(-0.5),
        json!(1e300),
        json!(""),
        json!(["countersign:instance"]),
        json!("agt_ 00"),
    ];
    for name in object.keys() {
        let mut less = object.clone();
        less.remove(name);
        let refused = refusal(&signed(HEADER, &Value::Object(less).to_string()));
        assert_eq!(refused, Some(TokenError::Claims), "without {name}");
        for value in &odd {
            if name == "aud" && value.is_string() {
                continue; // A text is what it has to be; which one, `Held` says.
            }
            let mut changed = object.clone();
            changed.insert(name.clone(), value.clone());
            let refused = refusal(&signed(HEADER, &Value::Object(changed).to_string()));
            assert_eq!(refused, Some(TokenError::Claims), "{name} = {value}");
        }
    }
    for (name, value) in [("exp", "1785231120.0"), ("exp", "18446744073709551615"), ("pv", "-1")] {
        let text = payload()
            .replace(&format!("\"{name}\":{}", object[name]), &format!("\"{name}\":{value}"));
        assert_eq!(refusal(&signed(HEADER, &text)), Some(TokenError::Claims), "{name} = {value}");
    }
    let mut more = object;
    more.insert("nbf".to_owned(), json!(0));
    let refused = refusal(&signed(HEADER, &Value::Object(more).to_string()));
    assert_eq!(refused, Some(TokenError::Claims), "a claim that nobody checks");
}

#[test]
fn j25_only_three_parts_in_canonical_base64_are_a_token() {
    let good = mint(&claims(), &key()).unwrap();
    let [header, payload, signature] =
        <[&str; 3]>::try_from(good.split('.').collect::<Vec<_>>()).unwrap();
    let last = signature.chars().last().unwrap();
    let stray = char::from(u8::try_from(last).unwrap() + 1);
    let stray = signature.strip_suffix(last).unwrap().to_owned() + &stray.to_string();
    for (name, token) in [
        ("nothing", String::new()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.x")),
        ("a leading part", format!("x.{good}")),
        ("five parts", format!("{good}.x.y")),
        ("padding", format!("{good}==")),
        ("padding inside", format!("{header}=.{payload}.{signature}")),
        ("a line break", format!("{good}\n")),
        ("a space", format!(" {good}")),
        ("a percent escape", good.replace('.', "%2e")),
        ("stray bits", format!("{header}.{payload}.{stray}")),
        ("JSON", json!({"payload": payload, "signature": signature}).to_string()),
        ("empty parts", "..".to_owned()),
        ("over-long", format!("{header}.{}.{signature}", "A".repeat(MOST))),
    ] {
        let refused = refusal(&token);
        let early = matches!(refused, Some(TokenError::Form | TokenError::Header));
        assert!(early, "{name}: {refused:?}");
    }
}

#[test]
fn o06_a_signature_by_any_other_key_is_refused() {
    let stranger = OperatorKey::from_seed([6; 32]).unwrap();
    let token = mint(&claims(), &stranger).unwrap();
    assert_eq!(refusal(&token), Some(TokenError::Signature));

    let unknown = OperationClaims { iss: OperatorId::from_random([9; 16]), ..claims() };
    assert_eq!(refusal(&mint(&unknown, &key()).unwrap()), Some(TokenError::Operator));

    // After the operator got a new key, what the old one signed is worth nothing.
    let old = mint(&claims(), &key()).unwrap();
    let refused = verify(&old, |_| Some(stranger.public_key())).unwrap_err();
    assert_eq!(refused, TokenError::Signature);
}

#[test]
fn o06_every_changed_character_is_refused() {
    let good = mint(&claims(), &key()).unwrap();
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(refusal(&changed).is_some(), "character {at}");
    }
}

#[test]
fn o06_a_signature_with_the_group_order_added_to_it_is_refused() {
    // L = 2^252 + 27742317777372353535851937790883648493, little-endian.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let good = mint(&claims(), &key()).unwrap();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "it still fits in 32 bytes");
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(refusal(&token), Some(TokenError::Signature));
}

#[test]
fn o06_a_public_key_of_small_order_belongs_to_nobody() {
    // With the neutral element as key and R, and S = 0, the equation S*B = R + h*A holds for any
    // message: without the check this is a signature of everybody over everything.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(payload()));
    let signature = URL_SAFE_NO_PAD.encode([&neutral[..], &[0; 32]].concat());
    let token = format!("{message}.{signature}");
    assert_eq!(verify(&token, |_| Some(neutral)).unwrap_err(), TokenError::Operator);
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let all = [
        TokenError::Claims,
        TokenError::Form,
        TokenError::Header,
        TokenError::Operator,
        TokenError::Signature,
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|error| error.code()).collect();
    assert_eq!(codes.len(), all.len());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_fail(token in "[A-Za-z0-9_.=-]{0,300}", text in ".{0,200}") {
        let _ = verify(&token, keys);
        let _ = verify(&text, keys);
        let _ = verify(&signed(&text, &payload()), keys);
        let _ = verify(&signed(HEADER, &text), keys);
    }
}
