//! Conditions of cells, as far as a decision depends on them: which of them the arguments of a call
//! satisfy. Holding arguments against a schema is somebody else's work; what was not found to be
//! satisfied is not.

use std::collections::BTreeSet;

use cs_model::{Condition, Digest, Grant};
use serde::{Deserialize, Serialize};

/// The conditions that the arguments of one call satisfy, by the digests of their schemas.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Met(BTreeSet<Digest>);

impl FromIterator<Digest> for Met {
    fn from_iter<I: IntoIterator<Item = Digest>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Met {
    /// The digests of these conditions.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        self.0.iter().copied()
    }
}

/// For which arguments a cell is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arguments<'m> {
    /// For the best there are: what may be called at all.
    Any,
    /// For those of one call.
    Given(&'m Met),
}

/// A cell with its condition.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Guarded {
    /// What it grants.
    pub grant: Grant,
    /// What the arguments satisfy for that, where it asks for something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

impl Guarded {
    /// What it grants for these arguments.
    pub(crate) fn grants(&self, arguments: Arguments<'_>) -> Grant {
        match &self.condition {
            None => self.grant,
            Some(condition) => grants(self.grant, condition.digest(), condition, arguments),
        }
    }
}

/// What a cell with this condition grants.
pub(crate) fn grants(
    grant: Grant,
    digest: Digest,
    condition: &Condition,
    arguments: Arguments<'_>,
) -> Grant {
    match arguments {
        Arguments::Any => grant,
        Arguments::Given(met) if met.0.contains(&digest) => grant,
        Arguments::Given(_) => condition.otherwise.min(grant),
    }
}
