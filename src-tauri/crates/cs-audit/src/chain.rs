//! One link of the chain, and how the next one is made.

use std::ops::RangeInclusive;

use cs_model::Digest;
use cs_model::event::Event;
use serde::{Deserialize, Serialize};

mod canonical;

/// What the first entry follows.
pub const GENESIS: Digest = Digest::from_bytes([0; 32]);

/// The sequence number of the first entry.
pub const FIRST: u64 = 1;

/// Keeps a digest of an entry from being one of anything else. A new way to compute the hash
/// gets a new tag.
const TAG: &[u8] = b"countersign audit entry 1\0";

/// The moments that RFC 3339 has a text for: the years 0 to 9999, in milliseconds from 1970 on.
const DATES: RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// One link of the chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its place: 1, 2, 3, without gaps.
    pub seq: u64,
    /// The hash of the entry before it; [`GENESIS`] for the first.
    pub previous: Digest,
    /// SHA-256 over the tag, `previous`, `seq` (8 bytes, big-endian), the length of `body`
    /// (8 bytes, big-endian) and `body`.
    pub hash: Digest,
    /// The canonical form (RFC 8785) of the event.
    pub body: String,
}

/// Where a chain ends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number of the last entry.
    pub seq: u64,
    /// The hash of the last entry.
    pub hash: Digest,
}

/// Why an event cannot be given a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealError {
    /// It has no canonical form, for instance because a number in it is too large.
    #[error("the event has no canonical form")]
    Form,
    /// The chain has no numbers left.
    #[error("the audit chain is full")]
    Full,
    /// It is of a schema that this version does not write.
    #[error("the event has an unknown schema")]
    Schema,
}

impl Entry {
    /// Where a chain that ends with this entry ends.
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }

    /// The event.
    ///
    /// # Errors
    ///
    /// When the body is not an event of this version's schema.
    pub fn event(&self) -> Result<Event, serde_json::Error> {
        serde_json::from_str(&self.body)
    }
}

/// Makes the entry that follows `previous`, or the first one.
///
/// # Errors
///
/// When the event has no canonical form, or an unknown schema, or the chain is full.
pub fn seal(previous: Option<&Head>, event: &Event) -> Result<Entry, SealError> {
    draft(event)?.seal(previous)
}

/// An entry that has no place yet: what takes time does not depend on it.
#[derive(Clone, Debug)]
pub struct Draft {
    body: String,
}

/// Makes ready what an entry will say.
///
/// # Errors
///
/// When the event has no canonical form, or an unknown schema.
pub fn draft(event: &Event) -> Result<Draft, SealError> {
    if event.schema != cs_model::event::SCHEMA {
        return Err(SealError::Schema);
    }
    Ok(Draft { body: canonical_body(event).ok_or(SealError::Form)? })
}

impl Draft {
    /// Makes the entry that follows `previous`, or the first one.
    ///
    /// # Errors
    ///
    /// When the chain is full.
    pub fn seal(self, previous: Option<&Head>) -> Result<Entry, SealError> {
        let (seq, previous) = match previous {
            Some(head) => (head.seq.checked_add(1).ok_or(SealError::Full)?, head.hash),
            None => (FIRST, GENESIS),
        };
        let body = self.body;
        Ok(Entry { seq, previous, hash: hash_of(previous, seq, &body), body })
    }
}

/// The canonical form of an event.
pub(crate) fn canonical_body(event: &Event) -> Option<String> {
    // A moment whose text is not a date would be sealed and could never be read again.
    if !DATES.contains(&event.at.millis()) {
        return None;
    }
    canonical::of(event)
}

pub(crate) fn hash_of(previous: Digest, seq: u64, body: &str) -> Digest {
    let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
    Digest::of_parts(&[
        TAG,
        previous.as_bytes(),
        &seq.to_be_bytes(),
        &length.to_be_bytes(),
        body.as_bytes(),
    ])
}
