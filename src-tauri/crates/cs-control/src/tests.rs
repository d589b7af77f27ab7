//! Commands, over real registries in temporary homes.

mod anchor;
mod approvals;
mod certificates;
mod declared;
mod homes;
mod place;
mod policy;
mod registry;
mod table;
