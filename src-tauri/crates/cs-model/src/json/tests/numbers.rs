//! Numbers, tried at random against a slow reading of their own: digits written out in full.

use proptest::prelude::*;

use super::*;

/// A number written out without an exponent: whole part, point, fraction, and no zeros that do
/// not count.
fn written_out(token: &str) -> String {
    let (sign, token) = token.strip_prefix('-').map_or(("", token), |rest| ("-", rest));
    let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut exponent: i32 = exponent.parse().unwrap();
    let (mut whole, mut fraction) = (whole.to_owned(), fraction.to_owned());
    while exponent > 0 {
        whole.push(if fraction.is_empty() { '0' } else { fraction.remove(0) });
        exponent = exponent.saturating_sub(1);
    }
    while exponent < 0 {
        fraction.insert(0, whole.pop().unwrap_or('0'));
        exponent = exponent.saturating_add(1);
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.is_empty() && fraction.is_empty() {
        return "0".to_owned();
    }
    format!("{sign}{whole}.{fraction}")
}

/// The shortest digits that read back as this double, and of several the nearest to it, the even
/// one half-way (ECMA-262, Number::toString): the first length at which exact rounding suffices.
fn shortest(value: f64) -> String {
    let rounded = (0..17).map(|digits| format!("{value:.digits$e}"));
    rounded.into_iter().find(|it| it.parse() == Ok(value)).unwrap()
}

fn some_number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        "-?9007199254740(98[0-9]|99[0-9])(\\.[0-9]{1,2})?",
        "-?[1-9][0-9]{14,15}\\.[0-9]",
        any::<f64>()
            .prop_filter("JSON has no such number", |it| it.is_finite())
            .prop_map(|it| format!("{it:?}")),
        any::<i64>().prop_map(|it| it.to_string()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn p13_a_number_keeps_its_exact_value_or_is_refused(token in some_number()) {
        let value: f64 = token.parse().unwrap();
        let whole = written_out(&token).ends_with('.');
        let safe = value.is_finite() && !(value.fract() == 0.0 && value.abs() > 9_007_199_254_740_991.0);
        let exact = value.is_finite() && written_out(&shortest(value)) == written_out(&token);
        match canonicalised(&token) {
            Ok(form) => {
                prop_assert!(safe && exact, "{} became {}", token, form);
                prop_assert_eq!(written_out(&form), written_out(&token));
                prop_assert_eq!(canonicalised(&form), Ok(form.clone()), "once is enough");
                prop_assert!(!whole || !form.contains(['.', 'e']), "{} became {}", token, form);
            }
            Err(_) => prop_assert!(!safe || !exact, "{} was refused", token),
        }
    }

    #[test]
    fn n13_two_numbers_share_a_form_only_when_they_are_equal(one in some_number(), by in -2_i64..3) {
        let near: String = one.parse::<i64>().map_or(one.clone(), |it| it.saturating_add(by).to_string());
        if let (Ok(one_form), Ok(near_form)) = (canonicalised(&one), canonicalised(&near)) {
            prop_assert_eq!(one_form == near_form, written_out(&one) == written_out(&near));
        }
    }
}
