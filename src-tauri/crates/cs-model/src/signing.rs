//! Signing rules: what a tool asks of the people who approve its calls.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::Name;
use crate::state::OperatorRole;

/// How many operators have to sign: 1 to [`Signing::MOST`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ts_rs::TS)]
#[ts(type = "number")]
pub struct Approvers(u8);

/// What a tool asks of its approvers, wherever the matrix asks for a signature at all.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// How many operators have to sign.
    #[serde(default)]
    pub approvers: Approvers,
    /// The operator group that all of them belong to; any group or none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub group: Option<Name>,
    /// Whether each of them has to say why.
    #[serde(default)]
    pub reason: bool,
    /// Whether each of them has to give the passphrase with this very approval.
    #[serde(default)]
    pub presence: bool,
    /// Whether the person who answers for the agent may not be one of them.
    #[serde(default)]
    pub bar_responsible: bool,
}

/// Not a number of approvers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a call is signed by 1 to {} operators", Signing::MOST)]
pub struct SigningError;

impl Default for Approvers {
    fn default() -> Self {
        Self(1)
    }
}

impl Approvers {
    /// So many.
    ///
    /// # Errors
    ///
    /// When the number is out of bounds.
    pub fn new(number: u8) -> Result<Self, SigningError> {
        if (1..=Signing::MOST).contains(&number) { Ok(Self(number)) } else { Err(SigningError) }
    }
}

impl<'de> Deserialize<'de> for Approvers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u8::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Signing {
    /// The most signatures that a rule can ask for.
    pub const MOST: u8 = 5;

    /// The most characters of an approver's reason.
    pub const LONGEST_REASON: usize = 500;

    /// The rule that asks for so many signatures and nothing else.
    ///
    /// # Errors
    ///
    /// When the number is out of bounds.
    pub fn by(approvers: u8) -> Result<Self, SigningError> {
        Ok(Self { approvers: Approvers::new(approvers)?, ..Self::default() })
    }

    /// How many operators have to sign.
    pub const fn approvers(&self) -> u8 {
        self.approvers.0
    }

    /// Whether calls could be signed under it that could not under the other one: by fewer, by
    /// somebody else, or with less.
    pub fn is_weaker_than(&self, other: &Self) -> bool {
        let Self { approvers, group, reason, presence, bar_responsible } = other;
        self.approvers() < approvers.0
            || group.is_some() && self.group != *group
            || *reason && !self.reason
            || *presence && !self.presence
            || *bar_responsible && !self.bar_responsible
    }

    /// Whether it asks for nothing but the signature that every such call needs.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.approvers() == 1 { "operator" } else { "operators" };
        write!(f, "{} {noun}", self.approvers())?;
        if let Some(group) = &self.group {
            write!(f, " of group `{group}`")?;
        }
        for (asks, what) in [
            (self.reason, "with a reason"),
            (self.presence, "with the passphrase each time"),
            (self.bar_responsible, "not the person responsible for the agent"),
        ] {
            if asks {
                write!(f, ", {what}")?;
            }
        }
        Ok(())
    }
}

/// What an operator's signature counts for, as of now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signatory {
    /// What the operator may do.
    pub role: OperatorRole,
    /// The groups that the operator is in.
    pub groups: BTreeSet<Name>,
}

impl Signatory {
    /// Whether the operator may sign calls at all.
    pub const fn may_sign(&self) -> bool {
        match self.role {
            OperatorRole::Approver | OperatorRole::Owner => true,
            OperatorRole::Auditor | OperatorRole::PolicyEditor => false,
        }
    }

    /// Whether the operator may sign alone what takes several, or a group.
    pub const fn may_break_glass(&self) -> bool {
        match self.role {
            OperatorRole::Owner => true,
            OperatorRole::Approver | OperatorRole::Auditor | OperatorRole::PolicyEditor => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_back_and_has_bounds() {
        let rule = Signing {
            group: Some(Name::parse("finance").unwrap()),
            reason: true,
            ..Signing::by(2).unwrap()
        };
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(
            text,
            r#"{"approvers":2,"group":"finance","reason":true,"presence":false,"bar_responsible":false}"#
        );
        assert_eq!(serde_json::from_str::<Signing>(&text).unwrap(), rule);
        assert_eq!(rule.to_string(), "2 operators of group `finance`, with a reason");
        assert_eq!(serde_json::from_str::<Signing>("{}").unwrap(), Signing::default());
        assert!(Signing::default().is_default() && !rule.is_default());
        for wrong in [
            r#"{"approvers":0}"#,
            r#"{"approvers":6}"#,
            r#"{"approvers":256}"#,
            r#"{"approvers":1.5}"#,
            r#"{"group":"Not a name"}"#,
            r#"{"quorum":2}"#,
        ] {
            assert!(serde_json::from_str::<Signing>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rule_is_weaker_when_it_lets_anything_through_that_the_other_did_not() {
        let group = |name: &str| Some(Name::parse(name).unwrap());
        let strict = Signing {
            group: group("finance"),
            reason: true,
            presence: true,
            bar_responsible: true,
            ..Signing::by(2).unwrap()
        };
        let weaker = [
            Signing { approvers: Approvers(1), ..strict.clone() },
            Signing { group: None, ..strict.clone() },
            Signing { group: group("night"), ..strict.clone() },
            Signing { reason: false, ..strict.clone() },
            Signing { presence: false, ..strict.clone() },
            Signing { bar_responsible: false, ..strict.clone() },
            // More of one thing makes up for nothing of another.
            Signing { approvers: Approvers(5), reason: false, ..strict.clone() },
        ];
        for rule in weaker {
            assert!(rule.is_weaker_than(&strict), "{rule}");
        }
        let three = Signing { approvers: Approvers(3), ..strict.clone() };
        assert!(!three.is_weaker_than(&strict) && !strict.is_weaker_than(&strict));
        assert!(!strict.is_weaker_than(&Signing::default()));
    }

    #[test]
    fn only_owners_and_approvers_sign_and_only_owners_break_the_glass() {
        let of = |role| {
            let it = Signatory { role, groups: [].into() };
            (it.may_sign(), it.may_break_glass())
        };
        assert_eq!(of(OperatorRole::Owner), (true, true));
        assert_eq!(of(OperatorRole::Approver), (true, false));
        assert_eq!(of(OperatorRole::Auditor), (false, false));
        assert_eq!(of(OperatorRole::PolicyEditor), (false, false));
    }
}
