use super::*;

mod numbers;
mod vectors;

fn checked(text: &str) -> Result<(), JsonError> {
    check(text, Limits::default())
}

fn canonicalised(text: &str) -> Result<String, JsonError> {
    canonical(text, Limits::default())
}

#[test]
fn p01_a_key_may_not_stand_twice_at_any_depth_or_in_any_spelling() {
    for text in [
        r#"{"amount":1,"to":"bob","amount":999}"#,
        r#"{"amount":1,"am\u006funt":999}"#,
        r#"[{"a":{"b":[{"c":1,"c":2}]}}]"#,
        r#"{"":1,"":2}"#,
    ] {
        assert_eq!(checked(text), Err(JsonError::DuplicateKey), "{text}");
    }
    assert_eq!(checked(r#"[{"a":1},{"a":2},{"b":{"a":3}}]"#), Ok(()));
}

#[test]
fn p12_depth_members_and_keys_are_bounded() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(checked(&nested(64)), Ok(()));
    for depth in [65, 128, 100_000] {
        assert_eq!(checked(&nested(depth)), Err(JsonError::Limits), "{depth}");
    }
    let few = Limits { members: 3, ..Limits::default() };
    assert_eq!(check("[1,2,3]", few), Ok(()));
    assert_eq!(check("[1,2,[3]]", few), Err(JsonError::Limits));
    assert_eq!(check(r#"{"a":1,"b":[1,2]}"#, few), Err(JsonError::Limits));
    let key = Limits { key: 3, ..Limits::default() };
    assert_eq!(check(r#"{"abc":1}"#, key), Ok(()));
    assert_eq!(check(r#"{"abcd":1}"#, key), Err(JsonError::Limits));
}

#[test]
fn p11_what_is_not_one_json_value_is_refused() {
    for text in
        ["", " ", "{}x", "{} {}", "\u{feff}{}", "{'a':1}", "[1,]", "NaN", r#""\ud800""#, "01"]
    {
        assert_eq!(checked(text), Err(JsonError::Syntax), "{text}");
    }
}

#[test]
fn p13_numbers_keep_their_value_or_are_refused() {
    for text in [
        "9007199254740993",
        "9007199254740992",
        "-9007199254740992",
        "123456789012345678901234567890",
        "1e400",
        "1.000000000000000005",
        "0.1000000000000000055511151231257827",
        "-9223372036854775809",
        r#"{"a":["x",{"b":1e400}]}"#,
    ] {
        let refused = canonicalised(text);
        assert!(
            matches!(refused, Err(JsonError::Number | JsonError::Syntax)),
            "{text}: {refused:?}"
        );
    }
    let cases = [
        ("9007199254740991", "9007199254740991"),
        ("1.0", "1"),
        ("1e0", "1"),
        ("0.1e1", "1"),
        ("-0", "0"),
        ("0.1", "0.1"),
        ("1.5E-7", "1.5e-7"),
        ("5e-324", "5e-324"),
        (r#""9007199254740993 1e400 \" 1e400""#, r#""9007199254740993 1e400 \" 1e400""#),
    ];
    for (text, expected) in cases {
        assert_eq!(canonicalised(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn o04_equal_arguments_have_one_form_and_different_ones_never_share_it() {
    let form = |text| canonicalised(text).unwrap();
    assert_eq!(form(r#"{ "b":1, "a":"\u0061" }"#), form(r#"{"a":"a","b":1.0}"#));
    let different = [
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":null}"#,
        r#"{}"#,
        r#"{"a":[1]}"#,
        r#"{"A":1}"#,
        "{\"a\":\"\u{e9}\"}",
        "{\"a\":\"e\u{301}\"}",
    ];
    for (i, one) in different.iter().enumerate() {
        for other in &different[i + 1..] {
            assert_ne!(form(one), form(other), "{one} and {other}");
        }
    }
}
