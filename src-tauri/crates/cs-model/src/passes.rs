//! What may pass between a server and the people and models behind an agent.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that passes only if an administrator has said so.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// The server may ask the agent's user for something.
    Elicitation,
    /// The server may ask for the agent's workspace folders.
    Roots,
    /// The server may have the agent's model write something.
    Sampling,
    /// The server may bring pages along that a host shows (`ui://`).
    Ui,
}

impl Pass {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Elicitation, Self::Roots, Self::Sampling, Self::Ui];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elicitation => "elicitation",
            Self::Roots => "roots",
            Self::Sampling => "sampling",
            Self::Ui => "ui",
        }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What passes of one server. By default nothing does.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(transparent)]
pub struct Passes(BTreeSet<Pass>);

impl Passes {
    /// These and no other.
    pub fn of(all: impl IntoIterator<Item = Pass>) -> Self {
        Self(all.into_iter().collect())
    }

    /// Whether this passes.
    pub fn has(&self, pass: Pass) -> bool {
        self.0.contains(&pass)
    }

    /// Whether nothing passes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What passes.
    pub fn iter(&self) -> impl Iterator<Item = Pass> {
        self.0.iter().copied()
    }
}

/// For a person: `elicitation, sampling`, or `nothing`.
impl fmt::Display for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        let words: Vec<&str> = self.iter().map(Pass::as_str).collect();
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_unless_it_is_said() {
        assert!(Pass::ALL.iter().all(|pass| !Passes::default().has(*pass)));
        let some: Passes = serde_json::from_str(r#"["sampling","ui"]"#).unwrap();
        assert_eq!(some, Passes::of([Pass::Ui, Pass::Sampling]));
        assert_eq!(some.to_string(), "sampling, ui");
        assert_eq!(serde_json::to_string(&some).unwrap(), r#"["sampling","ui"]"#);
        assert!(serde_json::from_str::<Passes>(r#"["everything"]"#).is_err());
    }
}
