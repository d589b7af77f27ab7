//! Identity providers, and what becomes of their tokens.

use cs_model::provider::ProviderSettings;
use cs_model::{AgentId, ProviderId, Timestamp};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An identity provider.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ProviderView {
    /// Its id.
    pub id: ProviderId,
    /// Its name.
    pub name: String,
    /// Whether its tokens are accepted.
    pub enabled: bool,
    /// Under which rules.
    pub settings: ProviderSettings,
    /// When it was added.
    pub created: Timestamp,
    /// How many credentials of agents are subjects of it, those that were revoked aside.
    pub subjects: u64,
    /// How the gateway fares with it.
    pub status: ProviderStatus,
}

/// How the gateway fares with an identity provider.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ProviderStatus {
    /// Whether its tokens can be checked.
    pub standing: ProviderStanding,
    /// Its keys, as they are known.
    pub keys: Vec<ProviderKey>,
    /// Keys that it publishes and that are not used.
    pub ignored: Vec<IgnoredKeyView>,
    /// When the keys were last fetched.
    pub fetched: Option<Timestamp>,
    /// Since when it does not answer.
    pub failing_since: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// How asking it about tokens goes; nothing where its settings do not want that.
    pub introspection: Option<IntrospectionStatus>,
}

/// How asking an identity provider about tokens goes (RFC 7662).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct IntrospectionStatus {
    /// Since when there is no answer that can be used.
    pub failing_since: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// How often it was asked since the gateway started.
    pub asked: u64,
}

/// Whether the tokens of an identity provider can be checked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProviderStanding {
    /// It does not answer; its last known keys are used, for a while.
    Cached,
    /// Its keys are up to date.
    Fresh,
    /// Its keys are not known, or too old: its tokens are refused.
    Refusing,
    /// Nobody has come with a token of it yet.
    Unused,
}

/// A key of an identity provider.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct ProviderKey {
    /// Its `kid`.
    pub key_id: String,
    /// What it signs with.
    pub algorithm: String,
}

/// A key that an identity provider publishes and that is not used.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct IgnoredKeyView {
    /// Its `kid`.
    pub key_id: Option<String>,
    /// Why not.
    pub reason: String,
}

/// What an identity provider says of itself, as settings to look at before they are kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct DiscoveredProvider {
    /// The settings.
    pub settings: ProviderSettings,
    /// What is left to do there or here.
    pub notes: Vec<String>,
}

/// What would become of a token, check by check. Nothing was let in by it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct TokenReport {
    /// Whether it would be accepted.
    pub verdict: bool,
    /// Every check, in order.
    pub checks: Vec<TokenCheck>,
    /// The agent that it stands for.
    pub agent: Option<AgentId>,
    /// That agent's name.
    pub agent_name: Option<String>,
    /// The roles that it would act in, by name; all of the agent's when there are none here.
    pub roles: Option<Vec<String>>,
    /// The tasks that it may declare, by name.
    pub tasks: Vec<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
}

/// One check of a token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, TS)]
pub struct TokenCheck {
    /// What was checked.
    pub name: String,
    /// Whether it holds; nothing when that could not be found out.
    pub passed: Option<bool>,
    /// What was found, or what is wrong.
    pub detail: String,
}
