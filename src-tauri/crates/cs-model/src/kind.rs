//! The kinds of things that servers publish and policy governs.

use crate::state::words;

words! {
    /// The kind of a governed thing. All kinds are rows of one registry and cells of one matrix.
    Kind {
        /// A prompt, known by its name.
        Prompt = "prompt",
        /// A resource, known by its URI.
        Resource = "resource",
        /// A resource template, known by its text (RFC 6570).
        Template = "template",
        /// A tool, known by its name.
        Tool = "tool",
    }
}

impl Default for Kind {
    /// What was governed before there were kinds.
    fn default() -> Self {
        Self::Tool
    }
}

impl Kind {
    /// Whether it is the kind of what is not said to be of another.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// A name as it stands where things of all kinds do: `NAME` for a tool, `KIND:NAME` for
    /// everything else. No tool's name has a colon, so no two things read the same.
    pub fn marked(self, name: &str) -> String {
        match self {
            Self::Tool => name.to_owned(),
            Self::Prompt | Self::Resource | Self::Template => format!("{self}:{name}"),
        }
    }

    /// The kind and the name in a marked name.
    pub fn unmarked(marked: &str) -> (Self, &str) {
        let said = |kind: Self| marked.strip_prefix(kind.as_str())?.strip_prefix(':');
        for kind in [Self::Prompt, Self::Resource, Self::Template] {
            if let Some(name) = said(kind) {
                return (kind, name);
            }
        }
        (Self::Tool, marked)
    }

    /// Whether its names carry their server's where a task has things of several servers. A URI
    /// names its owner already.
    pub const fn is_prefixed(self) -> bool {
        match self {
            Self::Prompt | Self::Tool => true,
            Self::Resource | Self::Template => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_name_reads_back() {
        for kind in Kind::ALL {
            assert_eq!(
                Kind::unmarked(&kind.marked("a:b")),
                if *kind == Kind::Tool { (Kind::Tool, "a:b") } else { (*kind, "a:b") }
            );
        }
        assert_eq!(Kind::unmarked("prompt:resource:x"), (Kind::Prompt, "resource:x"));
        assert_eq!(Kind::unmarked("read_file"), (Kind::Tool, "read_file"));
    }
}
