//! Lengths of time as people write them: `72h`, `15m`, `90d`.

use cs_model::{MostWaiting, Rate};

/// Reads a length of time, in seconds.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("expected a length of time such as `30s`, `15m`, `72h` or `90d`, got `{text}`");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1_u64,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text.strip_suffix(unit).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
    number.checked_mul(factor).ok_or_else(wrong)
}

/// Writes a length of time in the largest unit that fits evenly.
pub(crate) fn shown(seconds: u64) -> String {
    for (factor, unit) in [(86_400, "d"), (3600, "h"), (60, "m")] {
        if seconds >= factor && seconds.is_multiple_of(factor) {
            return format!("{}{unit}", seconds.checked_div(factor).unwrap_or(0));
        }
    }
    format!("{seconds}s")
}

/// How often something may be called, or as often as anybody likes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limit(pub(crate) Option<Rate>);

/// Reads a limit as people write it: `60/1m`; `none` lifts it.
pub(crate) fn limit(text: &str) -> Result<Limit, String> {
    let wrong = || format!("expected a limit such as `60/1m`, or `none`, got `{text}`");
    if text == "none" {
        return Ok(Limit(None));
    }
    let (calls, span) = text.split_once('/').ok_or_else(wrong)?;
    let calls = calls.parse().map_err(|_| wrong())?;
    let secs = u32::try_from(seconds(span)?).map_err(|_| wrong())?;
    Rate::new(calls, secs).map(|rate| Limit(Some(rate))).map_err(|error| error.to_string())
}

/// How many calls of an agent may wait, or the usual number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Waiting(pub(crate) Option<MostWaiting>);

/// Reads such a number; `usual` is the usual one.
pub(crate) fn waiting(text: &str) -> Result<Waiting, String> {
    if text == "usual" {
        return Ok(Waiting(None));
    }
    let number = text.parse().map_err(|_| format!("expected a number or `usual`, got `{text}`"))?;
    MostWaiting::new(number).map(|most| Waiting(Some(most))).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_may_wait_is_read_or_refused() {
        assert_eq!(waiting("25"), Ok(Waiting(MostWaiting::new(25).ok())));
        assert_eq!(waiting("usual"), Ok(Waiting(None)));
        for text in ["", "0", "501", "-1", "many"] {
            assert!(waiting(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_limit_is_read_or_refused() {
        assert_eq!(limit("60/1m"), Ok(Limit(Rate::new(60, 60).ok())));
        assert_eq!(limit("none"), Ok(Limit(None)));
        for text in ["", "60", "0/1m", "5/2d", "x/1m", "5/", "5/1m/2", "-1/1m", "100001/1s"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lengths_of_time_are_read_and_written() {
        for (text, value) in [("30s", 30), ("15m", 900), ("72h", 259_200), ("2d", 172_800)] {
            assert_eq!(seconds(text), Ok(value), "{text}");
        }
        for text in ["", "s", "1", "1w", "-1h", "1.5h", "99999999999999999999d", "1\u{e9}"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(shown(259_200), "3d");
        assert_eq!(shown(5400), "90m");
        assert_eq!(shown(61), "61s");
    }
}
