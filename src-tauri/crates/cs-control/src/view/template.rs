//! Templates of servers.

use std::collections::BTreeMap;

use cs_model::upstream::Transport;
use cs_model::{ServerId, TenantId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a server is reached, with places that each tenant fills in itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct TemplateView {
    /// Its name.
    pub name: String,
    /// How its servers are reached; a place is `${name}`.
    pub transport: Transport,
    /// The names of its places.
    pub places: Vec<String>,
    /// The names of the secrets that a tenant has to keep for it.
    pub secrets: Vec<String>,
    /// The servers that come from it.
    pub servers: Vec<TemplateUse>,
}

/// A server that comes from a template.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct TemplateUse {
    /// Its tenant.
    pub tenant: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// The server.
    pub server: ServerId,
    /// The server's name.
    pub server_name: String,
}

/// Where a server comes from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct OriginView {
    /// The template's name.
    pub template: String,
    /// What the tenant put into its places.
    pub settings: BTreeMap<String, String>,
}
