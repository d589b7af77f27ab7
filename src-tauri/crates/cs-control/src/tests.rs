//! Commands, over real registries in temporary homes.

mod approvals;
mod declared;
mod homes;
mod place;
mod policy;
mod registry;
mod table;
