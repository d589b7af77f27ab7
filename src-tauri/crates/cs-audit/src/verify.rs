//! Checks a chain, one entry at a time.

use std::fmt;

use cs_model::Digest;
use cs_model::event::Event;

use crate::chain::{Entry, FIRST, GENESIS, Head, canonical_body, hash_of};

/// Checks entries in the order of the chain, in constant memory.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    head: Option<Head>,
    broken: Option<Broken>,
}

/// The first place where a chain does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the audit chain is broken at entry {seq}: {what}")]
pub struct Broken {
    /// The number of the entry that should have stood there.
    pub seq: u64,
    /// What is wrong with it.
    pub what: Fault,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Its body is not an event in canonical form, of a schema that is known.
    Body,
    /// Its hash is not the hash of what it holds.
    Hash,
    /// It does not name the entry before it.
    Previous,
    /// It has another number: an entry is missing, was inserted or was moved.
    Sequence,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Body => "its body is not a known event in canonical form",
            Self::Hash => "its hash does not fit its content",
            Self::Previous => "it does not follow the entry before it",
            Self::Sequence => "an entry is missing, inserted or moved",
        })
    }
}

impl Verifier {
    /// Begins with the first entry of a log.
    pub const fn new() -> Self {
        Self { head: None, broken: None }
    }

    /// Begins after an entry that was verified before.
    pub const fn after(head: Head) -> Self {
        Self { head: Some(head), broken: None }
    }

    /// How far the chain holds: the last entry that fits. A head that was kept elsewhere and is
    /// further on means that the end of the log is missing.
    pub const fn head(&self) -> Option<Head> {
        self.head
    }

    /// Checks the next entry.
    ///
    /// # Errors
    ///
    /// The first place where the chain does not hold. After that every entry is refused with the
    /// same error, since nothing that follows a broken link proves anything.
    pub fn push(&mut self, entry: &Entry) -> Result<(), Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        match self.fault(entry) {
            None => {
                self.head = Some(entry.head());
                Ok(())
            }
            Some(what) => {
                let broken = Broken { seq: self.expected().0, what };
                self.broken = Some(broken);
                Err(broken)
            }
        }
    }

    fn expected(&self) -> (u64, Digest) {
        match self.head {
            Some(head) => (head.seq.saturating_add(1), head.hash),
            None => (FIRST, GENESIS),
        }
    }

    fn fault(&self, entry: &Entry) -> Option<Fault> {
        let (seq, previous) = self.expected();
        if entry.seq != seq {
            return Some(Fault::Sequence);
        }
        if entry.previous != previous {
            return Some(Fault::Previous);
        }
        if entry.hash != hash_of(entry.previous, entry.seq, &entry.body) {
            return Some(Fault::Hash);
        }
        (!is_event(&entry.body)).then_some(Fault::Body)
    }
}

/// Whether a body is what [`seal`](crate::seal) would write for the event that it holds. Only
/// then is there one text for one event.
fn is_event(body: &str) -> bool {
    serde_json::from_str::<Event>(body)
        .ok()
        .filter(|event| event.schema == cs_model::event::SCHEMA)
        .and_then(|event| canonical_body(&event))
        .is_some_and(|canonical| canonical == body)
}
