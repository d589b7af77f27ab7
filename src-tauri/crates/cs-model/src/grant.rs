//! The three states of a cell of the matrix.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// What a role may do with a tool. Ordered from narrow to wide: `Deny < Token < Allow`.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Deserialize,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    ts_rs::TS,
)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// Not at all. What no cell mentions is denied.
    #[default]
    Deny,
    /// Each call with an operation token that a person signed.
    Token,
    /// Without asking.
    Allow,
}

impl Grant {
    /// Its name in files and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Token => "token",
            Self::Allow => "allow",
        }
    }
}

/// What the arguments of a call have to satisfy for a cell to grant what it says, and what it
/// grants otherwise.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A JSON Schema that the arguments satisfy, in canonical form (RFC 8785).
    pub schema: String,
    /// What is granted to arguments that do not: less than the cell.
    pub otherwise: Grant,
}

impl Condition {
    /// What the schema is known by.
    pub fn digest(&self) -> Digest {
        Digest::of_parts(&[b"countersign condition 1\n", self.schema.as_bytes()])
    }
}

/// A text that is none of `deny`, `token` and `allow`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a grant is `deny`, `token` or `allow`")]
pub struct GrantError;

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        match text {
            "deny" => Ok(Self::Deny),
            "token" => Ok(Self::Token),
            "allow" => Ok(Self::Allow),
            _ => Err(GrantError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrower_grants_come_first_and_absence_denies() {
        assert!(Grant::Deny < Grant::Token && Grant::Token < Grant::Allow);
        assert_eq!(Grant::default(), Grant::Deny);
    }

    #[test]
    fn a_grant_reads_back_from_its_text() {
        for grant in [Grant::Deny, Grant::Token, Grant::Allow] {
            assert_eq!(grant.to_string().parse(), Ok(grant));
        }
        assert_eq!("Allow".parse::<Grant>(), Err(GrantError));
    }
}
