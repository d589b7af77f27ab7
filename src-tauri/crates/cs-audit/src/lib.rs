//! What is made of audit events: a hash chain, and alerts ([`alert`]).
//!
//! Whoever changes, removes, inserts or swaps an entry of the chain breaks every link from there
//! on, and [`Verifier`] names the first broken one.
//!
//! Pure: no IO, no clock. Read it in this order: [`Entry`] (one link), [`seal`] (how the next one
//! is made), [`Verifier`] (how a chain is checked, one entry at a time, in constant memory).
//!
//! What a chain alone cannot show is a missing end: whoever can write to the log can cut its
//! tail off, or reseal all of it. That needs a head that is kept elsewhere, see
//! [`Verifier::head`].

pub mod alert;
mod chain;
mod verify;

pub use chain::{Draft, Entry, FIRST, GENESIS, Head, SealError, draft, seal};
pub use verify::{Broken, Fault, Verifier};

#[cfg(test)]
mod tests;
