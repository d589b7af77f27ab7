//! What differs between tools, prompts, resources and what their arguments are completed to.
//! Everything else of a call is the same for all of them.

mod args;
mod result;
mod shown;

use cs_model::{Kind, ToolName};
use cs_policy::{Act, Tool};

pub(crate) use self::args::{Fitting, fits};
pub(crate) use self::result::{Shape, complete};
pub(crate) use self::shown::shown;
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::schema::{self, SchemaFault};
use crate::wire::{Era, Members};

/// What a caller asks for, by the name under which it knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'c> {
    pub(crate) era: Era,
    pub(crate) kind: Kind,
    pub(crate) act: Act,
    pub(crate) name: &'c str,
}

impl Wanted<'_> {
    /// Its name with the mark of its kind.
    pub(crate) fn marked(self) -> String {
        self.kind.marked(self.name)
    }

    /// The one thing that is said of all that is not allowed or does not exist.
    pub(crate) fn not_listed(self) -> Refusal {
        Refusal::NotListed { kind: self.kind, era: self.era, name: self.name.to_owned() }
    }
}

/// The method by which something is done with a thing of this kind.
pub(crate) const fn method(kind: Kind, act: Act) -> &'static str {
    match (act, kind) {
        (Act::Complete, _) => "completion/complete",
        (Act::Use, Kind::Prompt) => "prompts/get",
        (Act::Use, Kind::Resource | Kind::Template) => "resources/read",
        (Act::Use, Kind::Tool) => "tools/call",
    }
}

/// Whether a definition is one that calls can be held against. What has another cannot be called,
/// so it is not listed.
pub(crate) fn is_usable(gate: &Gate, tool: &Tool) -> bool {
    match tool.kind {
        Kind::Tool => gate.schemas.of(tool.fingerprint, &tool.definition).is_ok(),
        Kind::Prompt | Kind::Resource | Kind::Template => {
            examine(tool.kind, &tool.definition).is_ok()
        }
    }
}

/// Checks that a thing of this kind with this definition could be called at all.
///
/// # Errors
///
/// Why it could not: it would be treated as one that is not there.
pub fn examine(kind: Kind, definition: &str) -> Result<(), SchemaFault> {
    match kind {
        Kind::Tool => schema::examine(definition),
        Kind::Prompt => args::declared(definition).map(|_| ()),
        Kind::Resource => named(kind, definition).map(|_| ()),
        Kind::Template => {
            let name = named(kind, definition)?;
            let read = cs_model::UriTemplate::parse(name.as_str());
            read.map(|_| ()).map_err(|why| SchemaFault::new(format!("the template: {why}")))
        }
    }
}

/// What a definition calls the thing that it defines.
///
/// # Errors
///
/// When it has no name, or none that things of this kind have.
pub fn named(kind: Kind, definition: &str) -> Result<ToolName, SchemaFault> {
    let key = key(kind);
    let name = Members::read(definition).and_then(|members| members.text(key));
    let name = name.ok_or_else(|| SchemaFault::new(format!("it has no `{key}`")))?;
    ToolName::of(kind, &name).map_err(|why| SchemaFault::new(why.to_string()))
}

/// The member of a definition that a thing of this kind is known by.
pub(crate) const fn key(kind: Kind) -> &'static str {
    match kind {
        Kind::Prompt | Kind::Tool => "name",
        Kind::Resource => "uri",
        Kind::Template => "uriTemplate",
    }
}

/// The member of a listing that holds things of this kind.
pub(crate) const fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Prompt => "prompts",
        Kind::Resource => "resources",
        Kind::Template => "resourceTemplates",
        Kind::Tool => "tools",
    }
}
