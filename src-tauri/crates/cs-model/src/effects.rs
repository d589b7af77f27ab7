//! What a tool can do that cannot be taken back, as an administrator says.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a tool can do that cannot be taken back. An administrator says so: what its server says of
/// it counts for nothing here. Each call of a tool that is marked is signed on its own.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Effects {
    /// Whether it can send data out.
    #[serde(default)]
    pub sends_out: bool,
    /// Whether it can destroy something.
    #[serde(default)]
    pub destroys: bool,
}

impl Effects {
    /// Whether it is not marked with all that the other is marked with.
    pub const fn lacks_any_of(self, other: Self) -> bool {
        (other.sends_out && !self.sends_out) || (other.destroys && !self.destroys)
    }

    /// Whether it is marked with neither.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.sends_out, self.destroys) {
            (false, false) => "neither able to send data out nor to destroy",
            (false, true) => "able to destroy",
            (true, false) => "able to send data out",
            (true, true) => "able to send data out and to destroy",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_read_back_and_say_what_they_mean() {
        let all = [(false, false), (false, true), (true, false), (true, true)];
        for (sends_out, destroys) in all {
            let marks = Effects { sends_out, destroys };
            let text = serde_json::to_string(&marks).unwrap();
            assert_eq!(serde_json::from_str::<Effects>(&text).unwrap(), marks);
            assert_eq!(marks.is_default(), !sends_out && !destroys);
            assert_eq!(marks.to_string().contains("and to destroy"), sends_out && destroys);
        }
        assert_eq!(serde_json::from_str::<Effects>("{}").unwrap(), Effects::default());
        assert!(serde_json::from_str::<Effects>(r#"{"harmless":true}"#).is_err());
    }
}
