//! The decision core: may this agent make this call, now?
//!
//! Pure by construction. No IO, no clock, no randomness, no async, no logging, no `unsafe`:
//! the same inputs give the same [`Verdict`] on every machine and at every time.
//!
//! Read it in this order: [`Snapshot::compile`] (what a policy version means), [`open`] (what a
//! session may ever do), [`decide`] (what one call may do), then `judge` (the gates). [`explain`] and [`diff`] put both
//! into words for a person.

mod allowlist;
mod condition;
mod decide;
mod deny;
mod diff;
mod explain;
#[cfg(test)]
mod fixture;
mod judge;
#[cfg(test)]
mod laws;
mod permit;
mod quorum;
mod series;
mod snapshot;

pub use allowlist::{Allowlist, Entry};
pub use condition::{Guarded, Met};
pub use decide::{
    Act, Call, Session, Verdict, Visible, conditions, decide, meant, open, open_in, visible,
};
pub use deny::{Deny, Gate};
pub use diff::{Change, Thing, What, diff};
pub use explain::{Cell, Explanation, conditions_of, explain, explain_for, explain_in};
pub use permit::{Held, Mismatch, Permit};
pub use quorum::{Ineligible, Signature, Unsigned, may_sign};
pub use series::{NoSeries, Series, Unpaid, may_run_in_series};
pub use snapshot::{Agent, CompileError, Server, Snapshot, Task, Tenant, Tool};
