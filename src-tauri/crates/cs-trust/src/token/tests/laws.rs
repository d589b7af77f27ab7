//! What holds for every token.

use proptest::prelude::*;

use super::*;

/// Something that a claim may be, good or bad.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (NOW - 5000..NOW + 5000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z :]{0,12}".prop_map(Value::from),
        Just(json!(ISSUER)),
        Just(json!(AUDIENCE)),
        Just(json!([AUDIENCE])),
        prop::collection::vec("[a-z]{0,4}", 0..3).prop_map(Value::from),
        Just(json!({"jkt": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"})),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "iss",
        "sub",
        "client_id",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "scope",
        "scp",
        "cnf",
        "x",
    ])
}

fn some_header() -> impl Strategy<Value = Value> {
    let alg = prop::sample::select(vec!["EdDSA", "ES256", "none", "RS256"]);
    let typ = prop::sample::select(vec!["at+jwt", "JWT", "x"]);
    let kid = prop::sample::select(vec!["ed", "other", ""]);
    prop_oneof![
        3 => Just(header()),
        1 => (alg, typ, kid).prop_map(|(alg, typ, kid)| json!({"alg": alg, "typ": typ, "kid": kid})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    // `judged` itself demands that the report and the verdict agree.
    #[test]
    fn a_token_is_believed_exactly_when_every_check_holds(
        header in some_header(),
        changes in prop::collection::vec((name(), value()), 0..3),
        left_out in prop::option::weighted(0.2, name()),
        several_audiences in any::<bool>(),
        skew in 0..100_u64,
    ) {
        let mut claims = claims();
        for (name, value) in changes {
            claims[name] = value;
        }
        if let Some(name) = left_out {
            claims.as_object_mut().unwrap().remove(name);
        }
        let rules = Rules { several_audiences, skew: Duration::from_secs(skew), ..rules() };
        let verdict = judged(&signed(&header, &claims), &keys(), &rules, now());
        if let Ok(token) = verdict {
            prop_assert_eq!(token.issuer(), ISSUER);
            prop_assert!(token.expires() > now());
            prop_assert!(token.issued() < token.expires());
            prop_assert!(!token.subject().is_empty());
            prop_assert!(!token.revocation_id().is_empty());
        }
    }

    #[test]
    fn no_changed_character_leaves_a_token_valid(at in 0..10_000_usize, to in "[A-Za-z0-9_.-]") {
        let good = signed(&header(), &claims());
        let at = at.checked_rem(good.len()).unwrap();
        let mut changed = good.clone();
        changed.replace_range(at..=at, &to);
        prop_assert_eq!(judged(&changed, &keys(), &rules(), now()).is_ok(), changed == good);
    }

    #[test]
    fn no_text_makes_the_readers_fail(
        token in "[A-Za-z0-9_.=-]{0,300}",
        text in ".{0,200}",
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        for text in [&token, &text] {
            let _ = judged(text, &keys(), &rules(), now());
            let _ = judged(&signed_text(text, &claims().to_string()), &keys(), &rules(), now());
            let _ = judged(&signed_text(&header().to_string(), text), &keys(), &rules(), now());
            let _ = KeySet::parse(text.as_bytes());
        }
        let _ = KeySet::parse(&bytes);
    }

    #[test]
    fn no_path_into_the_claims_makes_the_search_fail(path in "[a-c.]{0,12}|.{0,40}") {
        let nested = json!({"a": {"b": {"c": "x"}, "b.c": "y", "": "z"}, "a.b": {"c": "v"}, "": "w"});
        let token = verdict(&signed(&header(), &with(claims(), nested))).unwrap();
        let _ = token.claim(&path);
    }
}
