//! The policy document: everything that is enforced, as one value.
//!
//! A policy version is a number and one of these. Editing, export, bundles and a headless start
//! all use it, and `cs-policy` compiles it. It holds no secret and nothing that changes while a
//! version is enforced: credentials and sessions are states of the registry, not policy.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::provider::ProviderSettings;
use crate::state::Standing;
use crate::{
    AgentId, Condition, Digest, Effects, Grant, Kind, Lifecycle, MostWaiting, Name, OperatorId,
    Passes, ProviderId, Rate, RoleId, ServerId, Signing, TaskId, TenantId, ToolId, ToolName,
};

/// One policy version.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its number. Versions only go up; zero is the empty policy of a new registry.
    pub version: u64,
    /// Its tenants, by id.
    pub tenants: Vec<TenantDoc>,
}

/// One tenant and all that belongs to it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TenantDoc {
    /// Its id.
    pub id: TenantId,
    /// Its name, which stands in the gateway's addresses.
    pub name: Name,
    /// Whether its agents may act.
    pub standing: Standing,
    /// Its upstream servers.
    pub servers: Vec<ServerDoc>,
    /// The tools of those servers.
    pub tools: Vec<ToolDoc>,
    /// The columns of its matrix.
    pub roles: Vec<RoleDoc>,
    /// Its tasks.
    pub tasks: Vec<TaskDoc>,
    /// Its agents.
    pub agents: Vec<AgentDoc>,
    /// Its identity providers.
    #[serde(default)]
    pub providers: Vec<ProviderDoc>,
    /// The gateway's own token issuer, once it was set up for this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<IssuerDoc>,
    /// How long what its agents prove themselves with lives.
    #[serde(default, skip_serializing_if = "Lifecycle::is_default")]
    pub lifecycle: Lifecycle,
}

/// The gateway's own token issuer, for one tenant.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerDoc {
    /// Whether it issues tokens, and its tokens are accepted.
    pub enabled: bool,
    /// How long its tokens live, in seconds.
    pub token_secs: u32,
}

/// One identity provider.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderDoc {
    /// Its id.
    pub id: ProviderId,
    /// Its name.
    pub name: Name,
    /// Whether its tokens are accepted.
    pub enabled: bool,
    /// Under which rules.
    pub settings: ProviderSettings,
}

/// One upstream server, as far as policy is concerned.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerDoc {
    /// Its id.
    pub id: ServerId,
    /// Its name, the prefix of its tools where a tenant has several.
    pub name: Name,
    /// Whether it may be called at all.
    pub enabled: bool,
    /// What may pass between it and the people and models behind an agent.
    #[serde(default, skip_serializing_if = "Passes::is_empty")]
    pub passes: Passes,
}

/// One tool, resource, resource template or prompt with its pinned definition.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToolDoc {
    /// Its id.
    pub id: ToolId,
    /// The server that has it.
    pub server: ServerId,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Kind::is_default")]
    pub kind: Kind,
    /// Its name at that server, of the form of its kind.
    pub name: ToolName,
    /// The digest of the canonical definition that an administrator accepted.
    pub fingerprint: Digest,
    /// That definition: the JSON object as the server published it.
    pub definition: String,
    /// Whether it may be called at all. New tools arrive disabled.
    pub enabled: bool,
    /// The scopes that an access token needs to call it.
    #[serde(default)]
    pub scopes: BTreeSet<String>,
    /// The data system behind it, in the tenant's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_system: Option<String>,
    /// Whether the provider of an access token is asked about it on each call (RFC 7662).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub introspect: bool,
    /// How often each agent may call it; as often as it likes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// What it asks of whoever approves its calls, where they need that.
    #[serde(default, skip_serializing_if = "Signing::is_default")]
    pub signing: Signing,
    /// What it can do that cannot be taken back, as an administrator says.
    #[serde(default, skip_serializing_if = "Effects::is_default")]
    pub effects: Effects,
}

/// One column of the matrix.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RoleDoc {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: Name,
    /// Its cells. A tool that is not here is denied.
    pub grants: BTreeMap<ToolId, Grant>,
    /// What the arguments of calls have to satisfy, for the cells that ask for that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conditions: BTreeMap<ToolId, Condition>,
}

/// One declared purpose.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDoc {
    /// Its id.
    pub id: TaskId,
    /// Its name, which stands in the gateway's addresses.
    pub name: Name,
    /// The tools that it needs.
    pub tools: BTreeSet<ToolId>,
    /// How long a run usually takes, in seconds.
    pub expected_secs: u32,
    /// How long a session for it may last, in seconds.
    pub longest_secs: u32,
}

/// One agent with what it was assigned.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgentDoc {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: Name,
    /// Whether it may act.
    pub standing: Standing,
    /// The roles it acts in. What any of them grants is granted, by the widest.
    pub roles: BTreeSet<RoleId>,
    /// The tasks it may declare.
    pub tasks: BTreeSet<TaskId>,
    /// How often it may call any tool; as often as it likes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// How many of its calls may wait for people at a time; the usual number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_waiting: Option<MostWaiting>,
    /// The operator who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<OperatorId>,
}
