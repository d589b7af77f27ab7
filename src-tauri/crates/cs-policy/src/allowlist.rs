//! What a session may ever call: computed once, when it opens, and only ever narrowed after.

use std::collections::BTreeMap;

use cs_model::{Digest, Grant, ServerId, ToolId};
use serde::{Deserialize, Serialize};

use crate::condition::{Arguments, Guarded};

/// The tools of one session, by the name under which the agent sees them.
///
/// The names are frozen with the list, so that a server which arrives later can neither rename
/// nor shadow a tool of a live session.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Allowlist {
    entries: BTreeMap<String, Entry>,
}

/// One tool of an allowlist, as it was when the session opened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The tool.
    pub tool: ToolId,
    /// Its server.
    pub server: ServerId,
    /// The fingerprint of its definition.
    pub fingerprint: Digest,
    /// What the agent's roles granted: `allow` or `token`; for the best arguments, where a cell
    /// has a condition.
    pub grant: Grant,
    /// The cells of the agent's roles, where one of them has a condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Guarded>,
}

impl Entry {
    /// What was granted for these arguments.
    pub(crate) fn granted(&self, arguments: Arguments<'_>) -> Grant {
        let conditional = self.cells.iter().map(|cell| cell.grants(arguments)).max();
        conditional.map_or(self.grant, |grant| grant.min(self.grant))
    }
}

impl Allowlist {
    pub(crate) const fn new(entries: BTreeMap<String, Entry>) -> Self {
        Self { entries }
    }

    /// The tool that the agent knows under this name.
    pub fn get(&self, listed: &str) -> Option<&Entry> {
        self.entries.get(listed)
    }

    /// Every tool with the name under which the agent sees it, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(listed, entry)| (listed.as_str(), entry))
    }

    /// How many tools there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no tool.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
