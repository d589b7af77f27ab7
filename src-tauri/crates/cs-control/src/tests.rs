//! Commands, over real registries in temporary homes.

mod alerts;
mod anchor;
mod approvals;
mod authorities;
mod certificates;
mod declared;
mod explain;
mod health;
mod homes;
mod identity;
mod issuer;
mod operators;
mod place;
mod policy;
mod providers;
mod rates;
mod reference;
mod registry;
mod revocations;
mod servers;
mod serving;
mod table;
mod templates;
mod tenants;
mod traffic;
