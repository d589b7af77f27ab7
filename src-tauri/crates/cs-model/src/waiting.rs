//! How many calls of an agent may wait for people.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// How many calls of one agent may wait for people at a time: 1 to [`MostWaiting::MOST`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ts_rs::TS)]
#[ts(type = "number")]
pub struct MostWaiting(u16);

/// Not such a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("1 to {} calls of an agent may wait for people at a time", MostWaiting::MOST)]
pub struct MostWaitingError;

impl MostWaiting {
    /// The most that can be let wait.
    pub const MOST: u16 = 500;

    /// How many may wait where nothing is said.
    pub const USUAL: Self = Self(10);

    /// So many.
    ///
    /// # Errors
    ///
    /// When the number is out of bounds.
    pub const fn new(number: u16) -> Result<Self, MostWaitingError> {
        if number == 0 || number > Self::MOST { Err(MostWaitingError) } else { Ok(Self(number)) }
    }

    /// How many.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl<'de> Deserialize<'de> for MostWaiting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u16::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for MostWaiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_has_bounds_wherever_it_comes_from() {
        for wrong in ["0", "501", "65536", "-1", "1.5", "\"1\"", "null"] {
            assert!(serde_json::from_str::<MostWaiting>(wrong).is_err(), "{wrong}");
        }
        for right in [1, MostWaiting::MOST] {
            let number = MostWaiting::new(right).unwrap();
            let text = serde_json::to_string(&number).unwrap();
            assert_eq!(text, right.to_string());
            assert_eq!(serde_json::from_str::<MostWaiting>(&text).unwrap(), number);
        }
    }
}
