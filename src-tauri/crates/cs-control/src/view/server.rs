//! Servers and their tools.

use cs_model::upstream::Transport;
use cs_model::{
    Digest, Effects, Grant, Kind, Passes, Rate, RoleId, ServerId, Signing, TenantId, Timestamp,
    ToolId,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::view::template::OriginView;

/// An upstream server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ServerView {
    /// Its id.
    pub id: ServerId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Whether it may be called at all.
    pub enabled: bool,
    /// How it is reached.
    pub transport: Transport,
    /// What may pass between it and the people and models behind an agent.
    pub passes: Passes,
    /// How it is doing.
    pub health: ServerHealth,
    /// Since when; nothing where nobody has needed it yet.
    pub since: Option<Timestamp>,
    /// What went wrong last.
    pub problem: Option<String>,
    /// How often it was started anew.
    pub restarts: u64,
    /// How many tools it has.
    pub tools: u64,
    /// How many of them may be called at all.
    pub enabled_tools: u64,
}

/// How a server is doing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ServerHealth {
    /// It fails again and again.
    Failing,
    /// Nobody has needed it yet.
    Idle,
    /// It answers.
    Ready,
    /// It is being started.
    Starting,
}

/// A server with all that is known of it.
#[derive(Clone, Debug, Deserialize, Serialize, TS)]
pub struct ServerDetail {
    /// The server.
    pub server: ServerView,
    /// Its tools.
    pub tools: Vec<ToolView>,
    /// The last lines it wrote to its standard error, oldest first.
    pub stderr: Vec<String>,
    /// The template that it comes from, if it does.
    pub origin: Option<OriginView>,
}

/// A tool.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ToolView {
    /// Its id.
    pub id: ToolId,
    /// Its server.
    pub server: ServerId,
    /// Its server's name.
    pub server_name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its name at its server: of a resource its URI, of a template its text.
    pub name: String,
    /// Its title, as the server gives it.
    pub title: Option<String>,
    /// What it does, as the server says.
    pub description: String,
    /// The pinned definition, as JSON text.
    pub definition: String,
    /// The digest of its canonical form.
    pub fingerprint: Digest,
    /// Whether it may be called at all.
    pub enabled: bool,
    /// The definition that the server publishes now, when it is another one.
    pub drift: Option<String>,
    /// Why no agent is offered it, whatever it is granted: its pinned schema is refused.
    pub problem: Option<String>,
    /// What the server says of the tool. Not to be trusted.
    pub claims: ToolClaims,
    /// The scopes that an access token needs to call it.
    pub scopes: Vec<String>,
    /// The data system behind it, in the tenant's own words.
    pub data_system: Option<String>,
    /// Whether the provider of an access token is asked about it on each call.
    pub introspect: bool,
    /// How often each agent may call it; as often as it likes when absent.
    pub rate: Option<Rate>,
    /// What it asks of whoever approves its calls.
    pub signing: Signing,
    /// What it can do that cannot be taken back, as an administrator says.
    pub effects: Effects,
    /// Its row of the matrix.
    pub grants: Vec<ToolGrant>,
}

/// What a server says of its tool. Not to be trusted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ToolClaims {
    /// That it changes nothing.
    pub read_only: Option<bool>,
    /// That it may destroy something.
    pub destructive: Option<bool>,
    /// That it reaches beyond its own data.
    pub open_world: Option<bool>,
}

/// A cell, seen from its tool.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ToolGrant {
    /// The role.
    pub role: RoleId,
    /// Its name.
    pub role_name: String,
    /// What it grants.
    pub grant: Grant,
}

/// What a server publishes, before it is added to the registry.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct DiscoveredTool {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its title, as the server gives it.
    pub title: Option<String>,
    /// What it does, as the server says.
    pub description: String,
    /// The definition, as JSON text.
    pub definition: String,
    /// The digest of its canonical form.
    pub fingerprint: Digest,
    /// What the server says of the tool. Not to be trusted.
    pub claims: ToolClaims,
    /// What the annotations suggest. Only a suggestion.
    pub suggested: Grant,
    /// Whether the registry has it: with this definition, with another, or not.
    pub known: Known,
    /// Why no agent would be offered it, were it taken in: its schema is refused.
    pub problem: Option<String>,
}

/// Whether the registry has a tool.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// With another definition.
    Changed,
    /// Not yet.
    New,
    /// With this definition.
    Same,
}

/// A tool to take in, with the fingerprint of the definition that was seen.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ToolChoice {
    /// Its kind.
    #[serde(default)]
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The fingerprint that was seen.
    pub fingerprint: Digest,
    /// Whether it may be called.
    pub enabled: bool,
}
