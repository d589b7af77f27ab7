//! Who issued a token, whom it stands for, and what it is for.

use super::*;

#[test]
fn j06_the_issuer_is_one_text_and_exactly_the_expected_one() {
    for iss in [
        "https://idp.example/realms/acme/",
        "https://IDP.example/realms/acme",
        "HTTPS://idp.example/realms/acme",
        "https://idp.example:443/realms/acme",
        "https://idp.example/realms/Acme",
        "https://idp.example/realms/other",
        "https://idp.example/realms/%61cme",
        "idp.example/realms/acme",
        " https://idp.example/realms/acme",
    ] {
        assert_eq!(of_claims(json!({"iss": iss})), Some(TokenError::IssuerWrong), "{iss}");
    }
    for iss in [
        json!([ISSUER]),
        json!(["https://evil.example", ISSUER]),
        json!({}),
        json!(1),
        json!(""),
        Value::Null,
    ] {
        assert_eq!(of_claims(json!({"iss": iss})), Some(TokenError::IssuerInvalid), "{iss}");
    }
    assert_eq!(lacking("iss"), Some(TokenError::IssuerInvalid));
}

#[test]
fn j07_the_audience_is_exactly_this_endpoint() {
    let other = "https://gw.example:8443/t/other/mcp";
    for aud in [
        json!(other),
        json!([other]),
        json!("https://gw.example:8443/t/acme/mcp/"),
        json!("https://gw.example:8443/t/ACME/mcp"),
        json!("https://GW.example:8443/t/acme/mcp"),
        json!("https://gw.example/t/acme/mcp"),
        json!("https://gw.example:8443/t/acme"),
        json!("*"),
    ] {
        assert_eq!(of_claims(json!({"aud": aud})), Some(TokenError::AudienceWrong), "{aud}");
    }
    let invalid = [json!([]), json!(1), json!(""), json!([1]), json!([[AUDIENCE]]), Value::Null];
    for aud in invalid.into_iter().chain([json!({}), json!([AUDIENCE, ""]), json!([AUDIENCE, 1])]) {
        assert_eq!(of_claims(json!({"aud": aud})), Some(TokenError::AudienceInvalid), "{aud}");
    }
    assert_eq!(lacking("aud"), Some(TokenError::AudienceInvalid));
    assert_eq!(of_claims(json!({"aud": [AUDIENCE]})), None);
}

#[test]
fn j07_several_audiences_are_accepted_only_where_the_rules_say_so() {
    let several = Rules { several_audiences: true, ..rules() };
    let verdict = |aud: &Value, rules: &Rules| {
        let token = signed(&header(), &with(claims(), json!({"aud": aud})));
        judged(&token, &keys(), rules, now()).err()
    };
    for aud in [json!([AUDIENCE, "account"]), json!(["account", AUDIENCE, "x"])] {
        assert_eq!(verdict(&aud, &rules()), Some(TokenError::AudienceSeveral), "{aud}");
        assert_eq!(verdict(&aud, &several), None, "{aud}");
    }
    assert_eq!(verdict(&json!(["account", "x"]), &several), Some(TokenError::AudienceWrong));
    let twice = verdict(&json!([AUDIENCE, AUDIENCE]), &rules());
    assert_eq!(twice, Some(TokenError::AudienceSeveral));
}

#[test]
fn j10_the_subject_is_a_plain_text() {
    let odd = [json!(""), json!(7), json!("a\u{0}"), json!("a\n"), json!("x".repeat(256))];
    for sub in odd.into_iter().chain([Value::Null, json!([]), json!(["agent-7"]), json!({})]) {
        assert_eq!(of_claims(json!({"sub": sub})), Some(TokenError::SubjectInvalid), "{sub}");
    }
    assert_eq!(lacking("sub"), Some(TokenError::SubjectInvalid));
    assert_eq!(of_claims(json!({"sub": "x".repeat(255)})), None);
}

#[test]
fn j10_the_client_is_a_plain_text_where_it_is_there() {
    for client in [json!(""), json!(7), json!("a\u{0}"), Value::Null, json!(["agent-7"])] {
        let refused = of_claims(json!({"client_id": client}));
        assert_eq!(refused, Some(TokenError::ClientInvalid), "{client}");
    }
    let token = verdict(&signed(&header(), &without(claims(), "client_id"))).unwrap();
    assert_eq!(token.client_id(), None);
    // Whether it is the subject, and how else it may be named, the registry knows.
    let token = verdict(&signed(&header(), &with(claims(), json!({"client_id": "b"})))).unwrap();
    assert_eq!((token.subject(), token.client_id()), ("agent-7", Some("b")));
}

#[test]
fn j14_scopes_are_read_in_every_form_that_issuers_write() {
    let read = |members: Value| {
        let bare = without(claims(), "scope");
        let token = verdict(&signed(&header(), &with(bare, members)))?;
        Ok(token.scopes().iter().cloned().collect::<Vec<_>>().join("|"))
    };
    for (members, scopes) in [
        (json!({}), ""),
        (json!({"scope": ""}), ""),
        (json!({"scope": "a"}), "a"),
        (json!({"scope": "b a"}), "a|b"),
        (json!({"scope": "a a"}), "a"),
        (json!({"scope": "*"}), "*"),
        (json!({"scp": "b a"}), "a|b"),
        (json!({"scp": ["b", "a"]}), "a|b"),
        (json!({"scp": []}), ""),
        (json!({"scope": "a b", "scp": ["b", "a"]}), "a|b"),
    ] {
        assert_eq!(read(members.clone()), Ok(scopes.to_owned()), "{members}");
    }
    let many: Vec<_> = (0..201).map(|at| at.to_string()).collect();
    for members in [
        json!({"scope": "a\tb"}),
        json!({"scope": "a  b"}),
        json!({"scope": " a"}),
        json!({"scope": "a\n"}),
        json!({"scope": "a\"b"}),
        json!({"scope": "\u{430}dmin"}),
        json!({"scope": ["a"]}),
        json!({"scope": null}),
        json!({"scp": ["a b"]}),
        json!({"scp": ["a", 1]}),
        json!({"scp": [""]}),
        json!({"scp": {}}),
        json!({"scp": many}),
        json!({"scope": "a", "scp": "b"}),
        json!({"scope": "a", "scp": ["a", "b"]}),
    ] {
        assert_eq!(read(members.clone()), Err(TokenError::ScopeInvalid), "{members}");
    }
}

#[test]
fn j11_a_mapped_claim_is_texts_and_nothing_else() {
    let token = verdict(&signed(
        &header(),
        &with(
            claims(),
            json!({
                "https://acme.example/roles": ["ro", "rw"],
                "urn:roles": "ro",
                "realm_access": {"roles": ["a", "b"], "n": 1, "mixed": ["a", 1]},
                "resource_access": {"my.client": {"roles": ["c"]}, "my": {"client": {"roles": ["d"]}}},
                "flat.name": "literal", "flat": {"name": "nested"},
                "role": "admin ",
                "empty": [],
                "flag": true,
            }),
        ),
    ))
    .unwrap();
    let texts = |path: &str| token.claim(path).map(|texts| texts.join("|"));
    for (path, found) in [
        ("tenant", Some("acme")),
        ("https://acme.example/roles", Some("ro|rw")),
        ("urn:roles", Some("ro")),
        ("realm_access.roles", Some("a|b")),
        ("resource_access.my.client.roles", Some("c")),
        ("flat.name", Some("literal")),
        ("role", Some("admin ")),
        ("empty", Some("")),
        ("realm_access", None),
        ("realm_access.n", None),
        ("realm_access.mixed", None),
        ("realm_access.roles.0", None),
        ("realm_access.", None),
        (".tenant", None),
        ("tenant.", None),
        ("", None),
        ("flag", None),
        ("iat", None),
        ("ten\u{430}nt", None),
    ] {
        assert_eq!(texts(path).as_deref(), found, "{path}");
    }
    assert_eq!(token.claim(&".".repeat(5000)), None);
}

#[test]
fn the_task_is_read_from_its_details_or_its_claim() {
    let tasks =
        |members: Value| verdict(&signed(&header(), &with(claims(), members))).unwrap().tasks();
    let detail = |task: &str| json!({"type": "countersign_task", "task": task});
    for (members, expected) in [
        (json!({}), vec![]),
        (json!({"authorization_details": []}), vec![]),
        (json!({"authorization_details": [detail("a")]}), vec!["a"]),
        (json!({"authorization_details": [detail("a"), detail("b")]}), vec!["a", "b"]),
        (json!({"authorization_details": [{"type": "payment", "sum": 1}, detail("a")]}), vec!["a"]),
        (json!({"mcp_task": "a"}), vec!["a"]),
        (json!({"mcp_task": ["a", "b"]}), vec!["a", "b"]),
        (json!({"mcp_task": "a", "authorization_details": [detail("a")]}), vec!["a"]),
    ] {
        assert_eq!(tasks(members.clone()).unwrap(), expected, "{members}");
    }
    for members in [
        json!({"authorization_details": {}}),
        json!({"authorization_details": null}),
        json!({"authorization_details": [1]}),
        json!({"authorization_details": [{"task": "a"}]}),
        json!({"authorization_details": [{"type": "countersign_task"}]}),
        json!({"authorization_details": [{"type": "countersign_task", "task": 1}]}),
        json!({"authorization_details": [with(detail("a"), json!({"until": "noon"}))]}),
        json!({"authorization_details": [detail("")]}),
        json!({"mcp_task": 1}),
        json!({"mcp_task": ["a", 1]}),
        json!({"mcp_task": "a\n"}),
        json!({"mcp_task": "a", "authorization_details": [detail("b")]}),
    ] {
        assert_eq!(tasks(members.clone()), Err(TokenError::TaskInvalid), "{members}");
    }
}
