//! What a server publishes: the definitions of its tools, and their fingerprints.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use cs_model::Digest;
use cs_model::json::{self, Limits};
use serde_json::value::RawValue;

use super::UpstreamError;
use super::link::Link;
use super::wire::{self, Answer, Ask};

/// The most pages, tools and bytes that one listing may have.
const PAGES: usize = 100;
const TOOLS: usize = 10_000;
const BYTES: usize = 16 * 1024 * 1024;

/// The fingerprints of a server's tools. A definition without a canonical form has none.
pub(super) type Fingerprints = BTreeMap<String, Option<Digest>>;

/// One whole listing.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The definitions, as the server wrote them.
    pub(super) definitions: Vec<Box<RawValue>>,
    /// Their fingerprints.
    pub(super) fingerprints: Fingerprints,
}

/// Asks for all pages.
pub(super) async fn list(link: &Link) -> Result<Listing, UpstreamError> {
    let mut listing = Listing::default();
    let mut cursor: Option<String> = None;
    let mut bytes = 0_usize;
    for _ in 0..PAGES {
        let page = match link.ask(Ask::List(cursor.as_deref()), None).await? {
            Answer::Result(result) => wire::page(&result),
            Answer::Error(fault) => return Err(UpstreamError::NotSent(fault.describe())),
        };
        let page = page.map_err(|why| UpstreamError::Rejected(why.to_string()))?;
        for definition in page.tools {
            bytes = bytes.saturating_add(definition.get().len());
            listing.add(definition)?;
            if bytes > BYTES || listing.definitions.len() > TOOLS {
                return rejected("the server lists more than is acceptable");
            }
        }
        match page.next_cursor {
            None => return Ok(listing),
            again if again == cursor => return rejected("the listing of tools goes in circles"),
            next => cursor = next,
        }
    }
    rejected("the listing of tools does not end")
}

impl Listing {
    fn add(&mut self, definition: Box<RawValue>) -> Result<(), UpstreamError> {
        let name = wire::tool_name(&definition);
        let name = name.map_err(|why| UpstreamError::Rejected(why.to_string()))?;
        match self.fingerprints.entry(name) {
            Entry::Vacant(vacant) => {
                vacant.insert(json::canonical_digest(&definition, Limits::default()).ok());
            }
            Entry::Occupied(_) => return rejected("the server lists one tool twice"),
        }
        self.definitions.push(definition);
        Ok(())
    }
}

fn rejected<T>(why: &str) -> Result<T, UpstreamError> {
    Err(UpstreamError::Rejected(why.to_owned()))
}
