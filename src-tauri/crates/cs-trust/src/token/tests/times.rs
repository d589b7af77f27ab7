//! When a token is valid.

use super::*;

/// What is said of a token whose claim is this JSON, written as it stands here.
fn literal(name: &str, json: &str) -> Option<TokenError> {
    let claims = with(claims(), json!({name: "@"})).to_string();
    refusal(&signed_text(&header().to_string(), &claims.replace("\"@\"", json)))
}

const ODD: [&str; 13] = [
    "null",
    "\"1785231300\"",
    "-1",
    "1e308",
    "1785231300.9",
    "1785231300.0",
    "1.7852313e9",
    "18446744073709551615",
    "9223372036854775807",
    "253402300800",
    "[1785231300]",
    "true",
    "{}",
];

#[test]
fn j08_a_token_is_worth_nothing_from_the_moment_it_names() {
    for (ahead, refused) in [
        (-1, Some(TokenError::Expired)),
        (0, Some(TokenError::Expired)),
        (1, None),
        (3590, None),
        (3591, Some(TokenError::LifetimeTooLong)),
        (315_360_000, Some(TokenError::LifetimeTooLong)),
    ] {
        assert_eq!(of_claims(json!({"exp": NOW + ahead})), refused, "{ahead}");
    }
    // To the millisecond, and whatever the skew.
    let token = signed(&header(), &with(claims(), json!({"exp": NOW + 1})));
    let wide = Rules { skew: Duration::from_secs(60), ..rules() };
    for (millis, refused) in [(999, None), (1000, Some(TokenError::Expired))] {
        let at = Timestamp::from_millis(NOW * 1000 + millis);
        assert_eq!(judged(&token, &keys(), &wide, at).err(), refused, "{millis}");
    }
}

#[test]
fn j08_the_expiry_is_a_whole_number_of_seconds() {
    for odd in ODD {
        assert_eq!(literal("exp", odd), Some(TokenError::ExpiryInvalid), "{odd}");
    }
    assert_eq!(lacking("exp"), Some(TokenError::ExpiryInvalid));
}

#[test]
fn j08_a_token_lasts_no_longer_than_the_rules_allow() {
    for (longest, lasts, refused) in [
        (900, 900, None),
        (900, 901, Some(TokenError::LifetimeTooLong)),
        (0, 1, Some(TokenError::LifetimeTooLong)),
    ] {
        let rules = Rules { longest: Duration::from_secs(longest), ..rules() };
        let claims = with(claims(), json!({"iat": NOW, "exp": NOW + lasts}));
        let verdict = judged(&signed(&header(), &claims), &keys(), &rules, now());
        assert_eq!(verdict.err(), refused, "{longest} {lasts}");
    }
    // Issued when it expires: it has no time at all.
    let none = json!({"iat": NOW + 20, "exp": NOW + 20, "nbf": NOW});
    assert_eq!(of_claims(none), Some(TokenError::LifetimeTooLong));
}

#[test]
fn j08_a_token_says_when_it_was_issued() {
    for odd in ODD {
        assert_eq!(literal("iat", odd), Some(TokenError::IssuedInvalid), "{odd}");
    }
    assert_eq!(lacking("iat"), Some(TokenError::IssuedInvalid));
    assert_eq!(of_claims(json!({"iat": NOW + 30})), None);
    assert_eq!(of_claims(json!({"iat": NOW + 31})), Some(TokenError::IssuedInFuture));
}

#[test]
fn j09_j29_a_token_is_not_valid_before_its_time() {
    for (ahead, refused) in
        [(0, None), (20, None), (30, None), (31, Some(TokenError::NotYetValid)), (-500, None)]
    {
        assert_eq!(of_claims(json!({"nbf": NOW + ahead})), refused, "{ahead}");
    }
    for odd in ODD {
        assert_eq!(literal("nbf", odd), Some(TokenError::NotBeforeInvalid), "{odd}");
    }
    // Many issuers leave it out: then it is valid from when it was issued.
    assert_eq!(lacking("nbf"), None);
    assert_eq!(of_claims(json!({"exp": NOW - 20})), Some(TokenError::Expired));
}

#[test]
fn j29_clocks_may_differ_by_a_minute_at_most_whatever_the_rules_say() {
    for (skew, ahead, refused) in [
        (0, 0, None),
        (0, 1, Some(TokenError::NotYetValid)),
        (60, 60, None),
        (60, 61, Some(TokenError::NotYetValid)),
        (3600, 60, None),
        (3600, 61, Some(TokenError::NotYetValid)),
    ] {
        let rules = Rules { skew: Duration::from_secs(skew), ..rules() };
        let token = signed(&header(), &with(claims(), json!({"nbf": NOW + ahead})));
        assert_eq!(judged(&token, &keys(), &rules, now()).err(), refused, "{skew} {ahead}");
    }
}

#[test]
fn j08_clocks_at_the_ends_of_time_are_no_trick() {
    let token = signed(&header(), &claims());
    for at in [i64::MIN, -1, 0, i64::MAX] {
        assert!(judged(&token, &keys(), &rules(), Timestamp::from_millis(at)).is_err(), "{at}");
    }
}
