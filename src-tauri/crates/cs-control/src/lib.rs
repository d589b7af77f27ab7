//! One function for each thing an operator can do; the one place that knows every part.
//!
//! Desktop, command line, control socket and test bridge are thin doors onto [`Control`]:
//! neither has an ability that the others lack.
//!
//! Read it in this order: [`command`] (what a command is), [`commands`] (all of them), [`view`]
//! (what they answer), then [`control`] (what they share).

pub mod actor;
pub mod adapters;
mod alerts;
mod anchor;
mod authority;
mod bell;
mod binding;
pub mod bindings;
pub mod change;
pub mod command;
pub mod commands;
mod condition;
pub mod consoles;
pub mod control;
mod core;
mod declarative;
mod edit;
mod examined;
mod explain;
mod exports;
pub mod failure;
mod health;
mod herald;
mod home;
mod housekeeper;
mod issuer;
mod keeping;
mod lifecycle;
mod looks;
mod moving;
mod names;
mod operators;
pub mod options;
mod outside;
mod over;
mod probe;
mod provider;
mod ready;
mod reasons;
mod reference;
mod replace;
mod scan;
pub mod sealed;
pub mod secret_text;
mod series;
mod serving;
mod show;
mod signing;
pub mod socket;
mod starter;
mod summary;
mod tls;
mod unlock;
mod vault;
pub mod view;
mod withdraw;

#[cfg(test)]
mod tests;

pub use actor::{Actor, Caller, Permission};
pub use change::{Change, Topic};
pub use command::{Command, Entry};
pub use commands::TABLE;
pub use control::Control;
pub use cs_gateway::Repeated;
pub use failure::{ControlError, ErrorCode, Failure};
pub use options::{FirstRun, Options, TlsOptions};
