//! What a server publishes: the definitions, and their fingerprints.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use cs_model::json::{self, Limits};
use cs_model::uri::is_interface;
use cs_model::{Digest, Kind};
use serde_json::value::RawValue;

use super::link::Link;
use super::wire::{self, Answer, Ask, Has};
use super::{Published, UpstreamError};
use crate::item::named;

/// The most pages of one listing, and things and bytes of all listings of a server together.
const PAGES: usize = 100;
const THINGS: usize = 10_000;
const BYTES: usize = 16 * 1024 * 1024;

/// The fingerprints of what a server publishes. A definition without a canonical form has none.
pub(super) type Fingerprints = BTreeMap<(Kind, String), Option<Digest>>;

/// All that a server publishes.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The definitions, as the server wrote them.
    pub(super) published: Vec<Published>,
    /// Their fingerprints.
    pub(super) fingerprints: Fingerprints,
    bytes: usize,
}

/// Asks for all pages of all kinds that the server has.
pub(super) async fn list(link: &Link, has: Has) -> Result<Listing, UpstreamError> {
    let mut listing = Listing::default();
    // Tools first: whatever else there is must not crowd them out.
    for kind in [Kind::Tool, Kind::Prompt, Kind::Resource, Kind::Template] {
        if has.may_list(kind) && !of_kind(link, kind, &mut listing).await? {
            tracing::warn!(%kind, "the server lists more than is taken in; the rest is left out");
        }
    }
    Ok(listing)
}

/// Asks for all pages of one kind. Answers whether all of it was taken in.
async fn of_kind(link: &Link, kind: Kind, listing: &mut Listing) -> Result<bool, UpstreamError> {
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let page = match link.ask(Ask::List(kind, cursor.as_deref()), None).await? {
            Answer::Result(result) => wire::page(kind, &result),
            // Many servers that have resources have never heard of templates.
            Answer::Error(_) if kind != Kind::Tool => return Ok(true),
            Answer::Error(fault) => return Err(UpstreamError::NotSent(fault.describe())),
        };
        let page = page.map_err(|why| UpstreamError::Rejected(why.to_string()))?;
        for definition in page.definitions {
            listing.bytes = listing.bytes.saturating_add(definition.get().len());
            if listing.bytes > BYTES || listing.published.len() >= THINGS {
                return match kind {
                    Kind::Tool => rejected("the server lists more than is acceptable"),
                    Kind::Prompt | Kind::Resource | Kind::Template => Ok(false),
                };
            }
            listing.add(kind, definition)?;
        }
        match page.next_cursor {
            None => return Ok(true),
            again if again == cursor => return rejected("a listing goes in circles"),
            next => cursor = next,
        }
    }
    match kind {
        Kind::Tool => rejected("the listing of tools does not end"),
        Kind::Prompt | Kind::Resource | Kind::Template => Ok(false),
    }
}

impl Listing {
    fn add(&mut self, kind: Kind, definition: Box<RawValue>) -> Result<(), UpstreamError> {
        let name = if kind == Kind::Tool {
            wire::tool_name(&definition).map_err(|why| UpstreamError::Rejected(why.to_string()))?
        } else {
            // What cannot be named cannot be governed, and no template stands for pages that are
            // shown to people. Whether a page passes is for the policy to say.
            match named(kind, definition.get()) {
                Ok(name) if kind == Kind::Resource || !is_interface(name.as_str()) => {
                    name.to_string()
                }
                Ok(_) | Err(_) => return Ok(()),
            }
        };
        let fingerprint = || json::canonical_digest(&definition, Limits::default()).ok();
        match self.fingerprints.entry((kind, name)) {
            Entry::Vacant(vacant) => {
                vacant.insert(fingerprint());
            }
            Entry::Occupied(_) if kind == Kind::Tool => {
                return rejected("the server lists one tool twice");
            }
            Entry::Occupied(mut occupied) => {
                // Listed twice and alike is listed once; of two that differ neither is meant.
                if *occupied.get() != fingerprint() {
                    occupied.insert(None);
                }
                return Ok(());
            }
        }
        self.published.push(Published { kind, definition });
        Ok(())
    }
}

fn rejected<T>(why: &str) -> Result<T, UpstreamError> {
    Err(UpstreamError::Rejected(why.to_owned()))
}
