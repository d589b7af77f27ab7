//! The enforcing MCP gateway.
//!
//! Everything that an agent may do goes through here, and nothing else does. Read it in this
//! order, which is the order of one tool call: `listener`, `tls` and `edge` (what counts as a request),
//! `router` (where it goes), `call` (its life on one screen), `wire` (what it says), `authn`
//! (who), `session` (for what), `authz` (whether), `item` and `schema` (with what), `rates` (how often), `settle` (on record, and signed for), `proxy`
//! (the only way out), `refusal` (any gate's no). Beside it stands `issuer`, where agents without an
//! identity provider get their tokens, and `notice`, which tells a web server that something
//! waits. [`ports`] and [`world`] are what it needs of
//! the rest of the product.

mod addresses;
mod answer;
mod asking;
mod authn;
mod authz;
mod call;
mod config;
mod edge;
mod errand;
mod fetch;
mod gate;
mod gateway;
mod identity;
mod issuer;
mod issuers;
mod item;
mod line;
mod listener;
mod local;
mod metadata;
mod meter;
mod notice;
mod parked;
pub mod ports;
mod proxy;
mod rates;
mod recent;
mod refusal;
mod renewal;
mod router;
mod schema;
mod session;
mod settle;
mod state;
mod strangers;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod tool;
mod trail;
pub mod upstream;
mod watch;
mod wire;
pub mod world;

pub use authz::{examine_arguments, examine_condition, satisfies};
pub use config::{Config, Limits};
pub use gateway::{Gateway, Socket, StartError};
pub use identity::{TokenCheck, TokenReport};
pub use issuer::IssuerLimits;
pub use issuers::{
    DiscoveryError, IgnoredKey, IntrospectionStatus, Metadata, ProviderKey, ProviderStanding,
    ProviderStatus,
};
pub use item::{examine, named};
pub use notice::{Notices, Undelivered};
pub use rates::Usage;
pub use schema::{Repeated, SchemaFault};
pub use session::SessionSummary;
pub use tls::{TlsServing, TlsSettings};
