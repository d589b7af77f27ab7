//! The gateway as its clients meet it: over real sockets, with ports that write down what was
//! asked of them and in which order.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::needless_pass_by_value,
    clippy::string_slice,
    reason = "a test that fails may fail loudly"
)]

mod addresses;
mod approvals;
mod asked;
mod calls;
mod client;
mod conditions;
mod credentials;
mod crowd;
mod crowded;
mod eras;
mod errands;
mod faults;
mod fit;
mod framing;
mod idp;
mod issuer;
mod kinds;
mod large;
mod meanwhile;
mod messages;
mod outside;
mod pages;
mod pki;
mod quorum;
mod rates;
mod real;
mod renewal;
mod same;
mod series;
mod sessions;
mod shape;
mod signed;
mod stopping;
mod streams;
mod successor;
mod tenants;
mod tls;
mod tokens;
mod visits;
mod watching;
mod world;
