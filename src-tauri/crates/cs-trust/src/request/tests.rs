use proptest::prelude::*;

use super::*;

const CREATED: Timestamp = Timestamp::from_secs(1_785_231_000);
const BODY: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const AUTHORITY: &str = "127.0.0.1:4180";
const PATH: &str = "/t/acme/mcp";
const NONCE: &str = "abcdefghijklmnop";
const KEY_ID: &str = "csk_reader";
const INPUT: &str = r#"countersign=("@method" "@authority" "@path" "content-digest");created=1785231000;nonce="abcdefghijklmnop";keyid="csk_reader";alg="hmac-sha256";tag="countersign""#;
const SIGNATURE: &str = "countersign=:8X0f2323JmO1hypCQRS+AS2sShnFYneoF6PEcKb9lPM=:";

fn secret() -> Secret {
    Secret::from_text(format!("css_{}", "7".repeat(43)))
}

fn outgoing() -> Outgoing<'static> {
    Outgoing { method: "POST", authority: AUTHORITY, path: PATH, body_digest: Digest::of(BODY) }
}

fn headers() -> Headers {
    sign(&outgoing(), KEY_ID, &secret(), CREATED, NONCE).unwrap()
}

fn incoming(content_digest_header: &str) -> Incoming<'_> {
    Incoming {
        method: "POST",
        authority: AUTHORITY,
        path: PATH,
        content_digest_header,
        body_digest: Digest::of(BODY),
    }
}

fn presented() -> Presented {
    Presented::parse(INPUT, SIGNATURE).unwrap()
}

/// Signs an arbitrary `Signature-Input`, to ask what is made of a form that we never send.
fn signed_as(input: &str) -> Result<(), RequestError> {
    let digest = content_digest(BODY);
    let parameters = input.strip_prefix(LABEL).unwrap_or(input);
    let base = signature_base("POST", AUTHORITY, PATH, &digest, parameters).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret().expose());
    let signature = format!("{LABEL}:{}:", STANDARD.encode(hmac::sign(&key, base.as_bytes())));
    let presented = Presented::parse(input, &signature)?;
    presented.verify(&incoming(&digest), &secret(), CREATED)
}

// The signature was computed independently, with Python's `hmac`.
#[test]
fn a_signed_request_is_the_known_one_and_verifies() {
    let headers = headers();
    assert_eq!(headers.signature_input, INPUT);
    assert_eq!(headers.signature, SIGNATURE);
    assert_eq!(headers.content_digest, "sha-256=:mOCWGnwSMvCNLyGH0TxKGiKgZB4A5d7A7KZF1kYHf6s=:");
    let presented = Presented::parse(&headers.signature_input, &headers.signature).unwrap();
    assert_eq!((presented.key_id(), presented.nonce()), (KEY_ID, NONCE));
    assert_eq!(presented.created(), CREATED);
    assert_eq!(presented.verify(&incoming(&headers.content_digest), &secret(), CREATED), Ok(()));
}

#[test]
fn a_request_without_a_body_signs_the_digest_of_nothing() {
    let empty = content_digest(b"");
    assert_eq!(empty, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    let outgoing = Outgoing { body_digest: Digest::of(b""), ..outgoing() };
    let headers = sign(&outgoing, KEY_ID, &secret(), CREATED, NONCE).unwrap();
    let presented = Presented::parse(&headers.signature_input, &headers.signature).unwrap();
    let incoming = Incoming { body_digest: Digest::of(b""), ..incoming(&empty) };
    assert_eq!(presented.verify(&incoming, &secret(), CREATED), Ok(()));
}

#[test]
fn k02_a_signature_holds_for_ninety_seconds_either_way_and_not_a_moment_longer() {
    let digest = content_digest(BODY);
    for (millis, expected) in [
        (-90_001, Err(RequestError::Created)),
        (-90_000, Ok(())),
        (-89_999, Ok(())),
        (0, Ok(())),
        (89_999, Ok(())),
        (90_000, Ok(())),
        (90_001, Err(RequestError::Created)),
        (i64::MAX, Err(RequestError::Created)),
        (i64::MIN, Err(RequestError::Created)),
    ] {
        let now = Timestamp::from_millis(CREATED.millis().saturating_add(millis));
        assert_eq!(presented().verify(&incoming(&digest), &secret(), now), expected, "{millis}");
    }
    let still_known = presented().remember_until();
    let refused = presented().verify(&incoming(&digest), &secret(), still_known);
    assert_eq!(refused, Err(RequestError::Created), "a forgotten nonce must be of no use");
}

#[test]
fn k05_a_changed_body_is_refused_whether_or_not_its_digest_was_changed_with_it() {
    let (signed, other) = (content_digest(BODY), content_digest(b"{}"));
    let changed = Incoming { body_digest: Digest::of(b"{}"), ..incoming(&signed) };
    assert_eq!(presented().verify(&changed, &secret(), CREATED), Err(RequestError::Digest));
    let with_digest = Incoming { content_digest_header: &other, ..changed };
    assert_eq!(presented().verify(&with_digest, &secret(), CREATED), Err(RequestError::Signature));
}

#[test]
fn k06_a_changed_method_authority_or_path_is_refused() {
    let digest = content_digest(BODY);
    let good = incoming(&digest);
    for (name, changed) in [
        ("method", Incoming { method: "DELETE", ..good }),
        ("method in other case", Incoming { method: "post", ..good }),
        ("port", Incoming { authority: "127.0.0.1:4181", ..good }),
        ("host", Incoming { authority: "localhost:4180", ..good }),
        ("tenant", Incoming { path: "/t/globex/mcp", ..good }),
        ("path in other case", Incoming { path: "/t/Acme/mcp", ..good }),
        ("encoded slash", Incoming { path: "/t/acme%2Fmcp", ..good }),
        ("trailing slash", Incoming { path: "/t/acme/mcp/", ..good }),
    ] {
        let refused = presented().verify(&changed, &secret(), CREATED);
        assert_eq!(refused, Err(RequestError::Signature), "{name}");
    }
    let same_host = Incoming { authority: "127.0.0.1:4180", ..good };
    assert_eq!(presented().verify(&same_host, &secret(), CREATED), Ok(()));
}

#[test]
fn k06_the_host_counts_without_its_case() {
    let outgoing = Outgoing { authority: "LocalHost:4180", ..outgoing() };
    let headers = sign(&outgoing, KEY_ID, &secret(), CREATED, NONCE).unwrap();
    let presented = Presented::parse(&headers.signature_input, &headers.signature).unwrap();
    let digest = content_digest(BODY);
    let incoming = Incoming { authority: "localhost:4180", ..incoming(&digest) };
    assert_eq!(presented.verify(&incoming, &secret(), CREATED), Ok(()));
}

#[test]
fn k06_no_part_of_a_request_can_reach_into_another_line_of_the_signature_base() {
    let digest = content_digest(BODY);
    let good = incoming(&digest);
    for (name, odd) in [
        ("line break", Incoming { path: "/t/acme/mcp\n\"content-digest\": x", ..good }),
        ("space", Incoming { authority: "127.0.0.1 :4180", ..good }),
        ("nothing", Incoming { method: "", ..good }),
        ("query", Incoming { path: "/t/acme/mcp?a=1", ..good }),
        ("fragment", Incoming { path: "/t/acme/mcp#a", ..good }),
        ("relative path", Incoming { path: "t/acme/mcp", ..good }),
        ("not ASCII", Incoming { path: "/t/\u{430}cme/mcp", ..good }),
        ("no digest", Incoming { content_digest_header: "", ..good }),
    ] {
        let refused = presented().verify(&odd, &secret(), CREATED);
        assert_eq!(refused, Err(RequestError::Request), "{name}");
    }
}

#[test]
fn k07_only_one_sha_256_of_the_body_is_a_content_digest() {
    let good = content_digest(BODY);
    let value = good.strip_prefix("sha-256=").unwrap();
    let parameters = INPUT.strip_prefix(LABEL).unwrap();
    for odd in [
        format!("sha-1={value}"),
        format!("SHA-256={value}"),
        format!("{good},{good}"),
        format!("{good},sha-512={value}"),
        good.replace("=:", ":"),
        format!("{good};a=1"),
    ] {
        // Signed as it stands, so that nothing but its own form is against it.
        let base = signature_base("POST", AUTHORITY, PATH, &odd, parameters).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret().expose());
        let signature = format!("{LABEL}:{}:", STANDARD.encode(hmac::sign(&key, base.as_bytes())));
        let presented = Presented::parse(INPUT, &signature).unwrap();
        let refused = presented.verify(&incoming(&odd), &secret(), CREATED);
        assert_eq!(refused, Err(RequestError::Digest), "{odd}");
    }
}

#[test]
fn parameters_are_taken_in_any_order_each_exactly_once() {
    let list = COMPONENTS;
    let [created, nonce, key, alg, tag] = [
        "created=1785231000",
        r#"nonce="abcdefghijklmnop""#,
        r#"keyid="csk_reader""#,
        r#"alg="hmac-sha256""#,
        r#"tag="countersign""#,
    ];
    let form = |parameters: &[&str]| {
        let parameters: String = parameters.iter().map(|it| format!(";{it}")).collect();
        signed_as(&format!("{LABEL}{list}{parameters}"))
    };
    assert_eq!(form(&[created, nonce, key, alg, tag]), Ok(()));
    assert_eq!(form(&[tag, alg, key, nonce, created]), Ok(()));
    let all = [created, nonce, key, alg, tag];
    for left_out in 0..all.len() {
        let mut fewer = all.to_vec();
        fewer.remove(left_out);
        assert_eq!(form(&fewer), Err(RequestError::Form), "without {}", all[left_out]);
        let twice = [&all[..], &[all[left_out]]].concat();
        assert_eq!(form(&twice), Err(RequestError::Form), "twice {}", all[left_out]);
    }
    for extra in ["expires=1785231090", r#"x="y""#, "created", "", "created=1"] {
        let more = [&all[..], &[extra]].concat();
        assert_eq!(form(&more), Err(RequestError::Form), "with {extra}");
    }
}

#[test]
fn only_the_one_form_of_the_signature_input_is_read() {
    let without_nonce = |nonce: &str| INPUT.replace(NONCE, nonce);
    for (name, input) in [
        ("empty", String::new()),
        ("another label", INPUT.replacen("countersign", "sig1", 1)),
        ("two labels", format!("{INPUT}, {INPUT}")),
        ("label in other case", INPUT.replacen("countersign", "Countersign", 1)),
        ("space first", format!(" {INPUT}")),
        ("space last", format!("{INPUT} ")),
        ("space between parameters", INPUT.replace(";nonce", "; nonce")),
        ("two spaces in the list", INPUT.replace("\"@method\" ", "\"@method\"  ")),
        ("another order", INPUT.replace(r#""@method" "@authority""#, r#""@authority" "@method""#)),
        ("a component less", INPUT.replace(r#" "content-digest""#, "")),
        ("a component more", INPUT.replace(r#""@path""#, r#""@path" "@query""#)),
        ("a component twice", INPUT.replace(r#""@path""#, r#""@path" "@path""#)),
        ("a component with a parameter", INPUT.replace(r#""@method""#, r#""@method";req"#)),
        ("no parameters", format!("{LABEL}{COMPONENTS}")),
        ("another algorithm", INPUT.replace("hmac-sha256", "hmac-sha512")),
        ("algorithm in other case", INPUT.replace("hmac-sha256", "HMAC-SHA256")),
        ("another tag", INPUT.replace("tag=\"countersign\"", "tag=\"other\"")),
        ("created as text", INPUT.replace("1785231000", "\"1785231000\"")),
        ("created with a sign", INPUT.replace("1785231000", "+1785231000")),
        ("created before 1970", INPUT.replace("1785231000", "-1")),
        ("created with a leading zero", INPUT.replace("1785231000", "01785231000")),
        ("created as a decimal", INPUT.replace("1785231000", "1785231000.0")),
        ("created too large", INPUT.replace("1785231000", "1000000000000000")),
        ("created empty", INPUT.replace("1785231000", "")),
        ("k09 nonce empty", without_nonce("")),
        ("k09 nonce of 15", without_nonce("abcdefghijklmno")),
        ("k09 nonce of 65", without_nonce(&"a".repeat(65))),
        ("k09 nonce with a space", without_nonce("abcdefgh ijklmnop")),
        ("k09 nonce with an escape", without_nonce("abcdefghijklmno\\p")),
        ("k09 nonce not quoted", INPUT.replace(&format!("\"{NONCE}\""), NONCE)),
        ("k12 key id empty", INPUT.replace("csk_reader", "")),
        ("k12 key id with SQL", INPUT.replace("csk_reader", "x' OR 1=1")),
        ("k12 key id with a path", INPUT.replace("csk_reader", "../../dev/null")),
        ("k12 key id of 65", INPUT.replace("csk_reader", &"a".repeat(65))),
        ("k12 key id not ASCII", INPUT.replace("csk_reader", "csk_r\u{435}ader")),
        ("over-long", format!("{INPUT}{}", " ".repeat(MOST_INPUT))),
    ] {
        let refused = Presented::parse(&input, SIGNATURE).map(|_| ());
        assert_eq!(refused, Err(RequestError::Form), "{name}: {input}");
    }
    for length in [16, 64] {
        assert_eq!(signed_as(&without_nonce(&"a".repeat(length))), Ok(()), "nonce of {length}");
    }
}

#[test]
fn k10_only_the_canonical_text_of_a_whole_signature_is_read() {
    let raw = STANDARD.decode("8X0f2323JmO1hypCQRS+AS2sShnFYneoF6PEcKb9lPM=").unwrap();
    let wrap = |bytes: &[u8]| format!("{LABEL}:{}:", STANDARD.encode(bytes));
    for (name, signature) in [
        ("empty", String::new()),
        ("nothing inside", wrap(b"")),
        ("four bytes", wrap(&raw[..4])),
        ("half", wrap(&raw[..16])),
        ("a byte less", wrap(&raw[..31])),
        ("a byte more", wrap(&[&raw[..], b"x"].concat())),
        ("another label", SIGNATURE.replacen("countersign", "sig1", 1)),
        ("two labels", format!("{SIGNATURE}, {SIGNATURE}")),
        ("no colons", SIGNATURE.replace(':', "")),
        ("no padding", SIGNATURE.replace("=:", ":")),
        ("stray bits at the end", SIGNATURE.replace("lPM=", "lPN=")),
        ("the URL alphabet", SIGNATURE.replace('+', "-")),
        ("a line break", SIGNATURE.replace("JmO1", "JmO1\n")),
        ("hexadecimal", format!("{LABEL}:{}:", Digest::of(b"x"))),
    ] {
        let refused = Presented::parse(INPUT, &signature).map(|_| ());
        assert_eq!(refused, Err(RequestError::Form), "{name}: {signature}");
    }
    let digest = content_digest(BODY);
    for (name, bytes) in [
        ("zeros", vec![0; 32]),
        ("a bit off", {
            let mut bytes = raw.clone();
            bytes[31] ^= 1;
            bytes
        }),
    ] {
        let presented = Presented::parse(INPUT, &wrap(&bytes)).unwrap();
        let refused = presented.verify(&incoming(&digest), &secret(), CREATED);
        assert_eq!(refused, Err(RequestError::Signature), "{name}");
    }
}

#[test]
fn k12_another_secret_does_not_verify() {
    let digest = content_digest(BODY);
    let other = Secret::from_text(format!("css_{}", "8".repeat(43)));
    let refused = presented().verify(&incoming(&digest), &other, CREATED);
    assert_eq!(refused, Err(RequestError::Signature));
}

#[test]
fn a_secret_too_short_to_be_one_neither_signs_nor_verifies() {
    let digest = content_digest(BODY);
    for length in [0, 1, 31] {
        let short = Secret::new(vec![b'x'; length]);
        let refused = presented().verify(&incoming(&digest), &short, CREATED);
        assert_eq!(refused, Err(RequestError::Secret), "{length}");
        let refused = sign(&outgoing(), KEY_ID, &short, CREATED, NONCE).unwrap_err();
        assert_eq!(refused, RequestError::Secret, "{length}");
    }
}

#[test]
fn k11_a_key_that_does_not_exist_is_refused_even_for_who_knows_the_stand_in() {
    let digest = content_digest(BODY);
    let stand_in = Secret::new(NOBODYS_SECRET.to_vec());
    let headers = sign(&outgoing(), KEY_ID, &stand_in, CREATED, NONCE).unwrap();
    let presented = Presented::parse(&headers.signature_input, &headers.signature).unwrap();
    let refused = presented.refuse_unknown(&incoming(&digest), CREATED);
    assert_eq!(refused, RequestError::Signature);
    assert_eq!(NOBODYS_SECRET.len(), secret().expose().len(), "the same work for both");
}

#[test]
fn what_could_not_be_verified_is_not_signed() {
    let good = outgoing();
    let sign = |request: Outgoing<'_>, key_id: &str, created: Timestamp, nonce: &str| {
        sign(&request, key_id, &secret(), created, nonce).unwrap_err()
    };
    assert_eq!(sign(good, "csk_\"", CREATED, NONCE), RequestError::Form);
    assert_eq!(sign(good, KEY_ID, CREATED, "short"), RequestError::Form);
    assert_eq!(sign(good, KEY_ID, Timestamp::from_secs(-1), NONCE), RequestError::Form);
    let query = Outgoing { path: "/t/acme/mcp?a=1", ..good };
    assert_eq!(sign(query, KEY_ID, CREATED, NONCE), RequestError::Request);
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let all = [
        RequestError::Created,
        RequestError::Digest,
        RequestError::Form,
        RequestError::Request,
        RequestError::Secret,
        RequestError::Signature,
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|error| error.code()).collect();
    assert_eq!(codes.len(), all.len());
}

proptest! {
    #[test]
    fn whatever_is_signed_verifies_and_any_flipped_byte_does_not(
        method in "[A-Z]{1,10}",
        authority in "[a-z0-9.]{1,30}(:[0-9]{1,5})?",
        path in "/[!-\"$-Z\\[-~&&[^?]]{0,60}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
        nonce in "[A-Za-z0-9_-]{16,64}",
        created in 0_i64..4_000_000_000,
        at in any::<prop::sample::Index>(),
    ) {
        let created = Timestamp::from_secs(created);
        let outgoing =
            Outgoing { method: &method, authority: &authority, path: &path, body_digest: Digest::of(&body) };
        let headers = sign(&outgoing, KEY_ID, &secret(), created, &nonce).unwrap();
        let presented = Presented::parse(&headers.signature_input, &headers.signature).unwrap();
        let incoming = Incoming {
            method: &method,
            authority: &authority,
            path: &path,
            content_digest_header: &headers.content_digest,
            body_digest: Digest::of(&body),
        };
        prop_assert_eq!(presented.verify(&incoming, &secret(), created), Ok(()));

        let mut text = headers.signature_input.into_bytes();
        let at = at.index(text.len());
        text[at] = if text[at] == b'1' { b'2' } else { b'1' };
        let changed = String::from_utf8(text).unwrap();
        let refused = Presented::parse(&changed, &headers.signature)
            .and_then(|presented| presented.verify(&incoming, &secret(), created));
        prop_assert!(refused.is_err(), "{changed}");
    }

    #[test]
    fn no_header_makes_the_reader_fail(input in ".{0,200}", signature in ".{0,80}") {
        let _ = Presented::parse(&input, &signature);
        let _ = Presented::parse(&format!("{LABEL}{COMPONENTS}{input}"), &format!("{LABEL}:{signature}:"));
    }
}
