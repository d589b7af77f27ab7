//! What a server says of itself.

use std::collections::BTreeSet;

use cs_model::Kind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Violation;
use crate::wire::{LATEST_LEGACY, MODERN, Members};

/// The revisions that a server may answer `initialize` with.
const SPOKEN: &[&str] = &[LATEST_LEGACY, "2025-06-18", "2025-03-26", "2024-11-05"];

/// What a server says of itself.
#[derive(Debug)]
pub(in crate::upstream) struct Introduction {
    /// The revision that is spoken with it.
    pub(in crate::upstream) version: &'static str,
    /// What it publishes.
    pub(in crate::upstream) has: Has,
    /// Whether it tells when they change.
    pub(in crate::upstream) tells: bool,
    /// Whether it notes things down for whoever it serves.
    pub(in crate::upstream) notes: bool,
    /// Whether it may answer a call with an errand.
    pub(in crate::upstream) errands: bool,
}

/// Which kinds of things a server publishes, and what it can do with them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a capability of the protocol")]
pub(in crate::upstream) struct Has {
    prompts: bool,
    resources: bool,
    tools: bool,
    /// Whether it tells when a resource changes.
    changes: bool,
}

impl Has {
    /// Whether it can be asked for a list of these.
    pub(in crate::upstream) const fn may_list(self, kind: Kind) -> bool {
        match kind {
            Kind::Prompt => self.prompts,
            Kind::Resource | Kind::Template => self.resources,
            Kind::Tool => self.tools,
        }
    }

    /// Whether it tells when a resource changes, where it is asked to.
    pub(in crate::upstream) const fn tells_of_resources(self) -> bool {
        self.changes
    }
}

#[derive(Deserialize)]
struct Capabilities {
    extensions: Option<Extensions>,
    logging: Option<serde::de::IgnoredAny>,
    prompts: Option<Listed>,
    resources: Option<Listed>,
    tools: Option<Listed>,
}

#[derive(Deserialize)]
struct Extensions {
    #[serde(rename = "io.modelcontextprotocol/tasks")]
    tasks: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    list_changed: Option<bool>,
    subscribe: Option<bool>,
}

impl Introduction {
    fn of(version: &'static str, capabilities: &Capabilities) -> Self {
        let Capabilities { extensions, logging, prompts, resources, tools } = capabilities;
        let errands = extensions.as_ref().is_some_and(|it| it.tasks.is_some());
        let notes = logging.is_some();
        let mut all = [prompts, resources, tools].into_iter().flatten();
        let changes = resources.as_ref().is_some_and(|it| it.subscribe == Some(true));
        let tells = changes || all.any(|it| it.list_changed == Some(true));
        let (prompts, resources) = (prompts.is_some(), resources.is_some());
        let has = Has { prompts, resources, tools: tools.is_some(), changes };
        Self { version, has, tells, notes, errands }
    }
}

/// Reads the result of `initialize`.
pub(in crate::upstream) fn introduced(result: &RawValue) -> Result<Introduction, Violation> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Result {
        protocol_version: String,
        capabilities: Capabilities,
    }
    let Result { protocol_version, capabilities } = serde_json::from_str(result.get())
        .map_err(|_| Violation("the answer to `initialize` has another shape"))?;
    let version = SPOKEN.iter().find(|spoken| **spoken == protocol_version);
    let version = version.ok_or(Violation("the server speaks no protocol revision known here"))?;
    Ok(Introduction::of(version, &capabilities))
}

/// Reads the result of `server/discover`, if the server speaks the newest revision.
pub(in crate::upstream) fn discovered(result: &RawValue) -> Option<Introduction> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Result {
        supported_versions: Vec<String>,
        capabilities: Capabilities,
    }
    let said: Result = serde_json::from_str(result.get()).ok()?;
    let speaks = said.supported_versions.iter().any(|it| it == MODERN);
    speaks.then(|| Introduction::of(MODERN, &said.capabilities))
}

/// The resources among what a server says that it will tell of.
pub(in crate::upstream) fn acknowledged(params: Option<&RawValue>) -> BTreeSet<String> {
    let told = params.and_then(|params| {
        let told = Members::read(params.get())?.object("notifications")?;
        serde_json::from_str(told.get("resourceSubscriptions")?.get()).ok()
    });
    told.unwrap_or_default()
}
