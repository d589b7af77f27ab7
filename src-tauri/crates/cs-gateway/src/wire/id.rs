//! The ids of requests.

use std::fmt;

/// The largest integer that every JSON reader holds exactly.
const MOST_SAFE: i64 = 9_007_199_254_740_991;

/// The most bytes in an id that is a string.
const MOST_BYTES: usize = 128;

/// The id of a request: what its client knows it by.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Id {
    /// An integer within 2^53 - 1.
    Number(i64),
    /// A string of 1 to 128 bytes.
    Text(String),
}

impl Id {
    /// Reads an id from JSON.
    pub(crate) fn read(raw: &str) -> Option<Self> {
        if raw.starts_with('"') {
            let text: String = serde_json::from_str(raw).ok()?;
            return (1..=MOST_BYTES).contains(&text.len()).then_some(Self::Text(text));
        }
        // `-0`, `1.0` and `1e3` are integers to some readers and not to others.
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && raw != "-0";
        let number: i64 = raw.parse().ok().filter(|_| plain)?;
        (-MOST_SAFE..=MOST_SAFE).contains(&number).then_some(Self::Number(number))
    }

    /// The id as JSON.
    pub(crate) fn json(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json())
    }
}
