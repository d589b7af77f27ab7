//! What a session may ever call: computed once, when it opens, and only ever narrowed after.

use std::collections::BTreeMap;

use cs_model::{Digest, Grant, Kind, ServerId, ToolId};
use serde::{Deserialize, Serialize};

use crate::condition::{Arguments, Guarded};

/// The tools of one session, by the name under which the agent sees them; prompts, resources and
/// templates by that name with the mark of their kind.
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

    /// What the agent knows as a thing of this kind under this name.
    pub fn get(&self, kind: Kind, listed: &str) -> Option<&Entry> {
        match kind {
            // A tool's name with the mark of another kind is not one of a tool.
            Kind::Tool if Kind::unmarked(listed).0 != Kind::Tool => None,
            Kind::Tool => self.entries.get(listed),
            Kind::Prompt | Kind::Resource | Kind::Template => {
                self.entries.get(&kind.marked(listed))
            }
        }
    }

    /// What there is of one kind, by the name under which the agent sees it.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &Entry)> {
        let all = self.iter().map(|(marked, entry)| (Kind::unmarked(marked), entry));
        all.filter(move |((it, _), _)| *it == kind).map(|((_, listed), entry)| (listed, entry))
    }

    /// Everything by its marked name.
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
