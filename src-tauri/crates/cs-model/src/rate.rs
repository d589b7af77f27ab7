//! How often something may be called.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// So many calls in so many seconds, and no more.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, ts_rs::TS)]
pub struct Rate {
    /// How many calls: 1 to [`Rate::MOST_CALLS`].
    calls: u32,
    /// In any period of so many seconds: 1 to [`Rate::MOST_SECS`].
    secs: u32,
}

/// Numbers that are no rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a rate is 1 to {} calls in 1 to {} seconds", Rate::MOST_CALLS, Rate::MOST_SECS)]
pub struct RateError;

impl Rate {
    /// The most calls that a rate can name.
    pub const MOST_CALLS: u32 = 100_000;
    /// The longest period, in seconds: a day.
    pub const MOST_SECS: u32 = 86_400;

    /// So many calls in so many seconds.
    ///
    /// # Errors
    ///
    /// When one of the numbers is out of bounds.
    pub const fn new(calls: u32, secs: u32) -> Result<Self, RateError> {
        if calls == 0 || calls > Self::MOST_CALLS || secs == 0 || secs > Self::MOST_SECS {
            return Err(RateError);
        }
        Ok(Self { calls, secs })
    }

    /// How many calls.
    pub const fn calls(self) -> u32 {
        self.calls
    }

    /// In how many seconds.
    pub const fn secs(self) -> u32 {
        self.secs
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            calls: u32,
            secs: u32,
        }
        let Written { calls, secs } = Written::deserialize(deserializer)?;
        Self::new(calls, secs).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.calls == 1 { "call" } else { "calls" };
        write!(f, "{} {noun} in {} s", self.calls, self.secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_reads_back_and_has_bounds() {
        let rate = Rate::new(60, 3600).unwrap();
        assert_eq!(serde_json::to_string(&rate).unwrap(), r#"{"calls":60,"secs":3600}"#);
        assert_eq!(serde_json::from_str::<Rate>(r#"{"calls":60,"secs":3600}"#).unwrap(), rate);
        assert_eq!(rate.to_string(), "60 calls in 3600 s");
        for (calls, secs) in [(1, 1), (Rate::MOST_CALLS, Rate::MOST_SECS)] {
            assert!(Rate::new(calls, secs).is_ok(), "{calls} {secs}");
        }
        for wrong in [
            r#"{"calls":0,"secs":1}"#,
            r#"{"calls":1,"secs":0}"#,
            r#"{"calls":100001,"secs":1}"#,
            r#"{"calls":1,"secs":86401}"#,
            r#"{"calls":1,"secs":1,"burst":9}"#,
            r#"{"calls":1}"#,
        ] {
            assert!(serde_json::from_str::<Rate>(wrong).is_err(), "{wrong}");
        }
    }
}
