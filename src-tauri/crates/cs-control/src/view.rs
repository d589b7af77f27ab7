//! What the console is shown: one type per thing on a screen.
//!
//! These types are the contract between the core and every door onto it. The console's own
//! TypeScript is generated from them (see [`crate::bindings`]).

pub mod agent;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod authn;
pub mod certificate;
pub mod console;
pub mod declared;
pub mod explain;
pub mod inventory;
pub mod issuer;
pub mod lifecycle;
pub mod matrix;
pub mod operator;
pub mod outlook;
pub mod provider;
pub mod reference;
pub mod revocation;
pub mod rotation;
pub mod secrets;
pub mod series;
pub mod server;
pub mod serving;
pub mod session;
pub mod signing;
pub mod stats;
pub mod status;
pub mod task;
pub mod template;
pub mod tenant;
pub mod webhook;
