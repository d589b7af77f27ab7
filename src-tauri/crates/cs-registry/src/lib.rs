//! The registry in SQLite: migrations and repository functions.
//!
//! One file per aggregate. A function takes a connection, so that its caller decides on the
//! transaction: [`Registry::read`] gives one to look with, [`Registry::begin`] one to change
//! with, and [`Registry::submit`] queues the small writes of live traffic ([`Work`]) behind one
//! commit. Whatever changes something is written together with the audit events that tell of it.
//!
//! # Queries
//!
//! Every query is checked against the migrations when the crate is compiled, from the data in
//! `.sqlx`. After changing a query or a migration, `cargo xtask sqlx` writes that data anew: it
//! runs the migrations on an empty database and compiles this crate with `DATABASE_URL` naming
//! it, `SQLX_OFFLINE=false` and `SQLX_OFFLINE_DIR` naming the folder.
//!
//! The one exception is [`audit::page`], whose filter decides what the query looks like.

pub mod agent;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod authority;
pub mod console;
pub mod credential;
pub mod document;
mod error;
pub mod grant;
mod health;
pub mod instance;
pub mod issuer;
pub mod lifecycle;
pub mod nonce;
mod open;
pub mod operator;
pub mod operator_group;
pub mod outside;
pub mod policy;
pub mod provider;
pub mod redemption;
mod registry;
pub mod revocation;
pub mod role;
pub mod rotation;
mod row;
pub mod secret_place;
pub mod series;
pub mod server;
pub mod serving;
pub mod session;
pub mod task;
pub mod template;
pub mod tenant;
pub mod tenant_secret;
pub mod tool;
pub mod webhook;
mod writer;

pub use error::RegistryError;
pub use health::Trouble;
pub use instance::Instance;
pub use open::OpenError;
pub use registry::{Change, Reader, Registry};
pub use sqlx::SqliteConnection;
pub use writer::Work;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
