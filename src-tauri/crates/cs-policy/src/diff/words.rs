//! One sentence for each difference.

use std::fmt;

use cs_model::state::Standing;
use cs_model::{Grant, MostWaiting};

use super::{Change, Thing, What};

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Added { thing: Thing::Tenant, .. }
            | What::Removed { thing: Thing::Tenant, .. }
            | What::Renamed { thing: Thing::Tenant, .. }
            | What::TenantStanding { .. } => {
                write!(f, "Tenant `{}` {}.", self.tenant_name, self.what)
            }
            What::Added { .. }
            | What::AgentRate { .. }
            | What::AgentResponsible { .. }
            | What::AgentRole { .. }
            | What::AgentStanding { .. }
            | What::AgentTask { .. }
            | What::AgentWaiting { .. }
            | What::Condition { .. }
            | What::Grant { .. }
            | What::IssuerEnabled { .. }
            | What::IssuerTokens { .. }
            | What::Lifecycle { .. }
            | What::ProviderEnabled { .. }
            | What::ProviderSettings { .. }
            | What::Removed { .. }
            | What::Renamed { .. }
            | What::ServerEnabled { .. }
            | What::ServerPasses { .. }
            | What::TaskTimes { .. }
            | What::TaskTool { .. }
            | What::ToolDataSystem { .. }
            | What::ToolDefinition { .. }
            | What::ToolEnabled { .. }
            | What::ToolEffects { .. }
            | What::ToolIntrospect { .. }
            | What::ToolRate { .. }
            | What::ToolScopes { .. }
            | What::ToolServer { .. }
            | What::ToolSigning { .. } => {
                write!(f, "In tenant `{}` {}.", self.tenant_name, self.what)
            }
        }
    }
}

/// The part of the sentence that follows the tenant, without a full stop.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { thing: Thing::Tenant, .. } => f.write_str("was added"),
            Self::Removed { thing: Thing::Tenant, .. } => {
                f.write_str("was removed, and all that it had")
            }
            Self::Renamed { thing: Thing::Tenant, from, .. } => {
                write!(f, "was renamed from `{from}`")
            }
            Self::TenantStanding { standing } => f.write_str(standing_verb(*standing)),
            Self::Added { thing, name } => write!(f, "{thing} `{name}` was added"),
            Self::Removed { thing, name } => write!(f, "{thing} `{name}` was removed"),
            Self::Renamed { thing, from, to } => {
                write!(f, "{thing} `{from}` was renamed to `{to}`")
            }
            Self::AgentRate { agent, rate: Some(rate) } => {
                write!(f, "agent `{agent}` may make at most {rate}")
            }
            Self::AgentRate { agent, rate: None } => {
                write!(f, "agent `{agent}` may call as often as it likes")
            }
            Self::AgentWaiting { agent, most } => {
                let most = most.unwrap_or(MostWaiting::USUAL);
                write!(f, "at most {most} calls of agent `{agent}` may wait for people")
            }
            Self::AgentResponsible { agent, responsible: Some(operator) } => {
                write!(f, "operator `{operator}` answers for agent `{agent}`")
            }
            Self::AgentResponsible { agent, responsible: None } => {
                write!(f, "nobody answers for agent `{agent}` any more")
            }
            Self::AgentRole { agent, role, assigned: true } => {
                write!(f, "agent `{agent}` was given role `{role}`")
            }
            Self::AgentRole { agent, role, assigned: false } => {
                write!(f, "agent `{agent}` lost role `{role}`")
            }
            Self::AgentStanding { agent, standing } => {
                write!(f, "agent `{agent}` {}", standing_verb(*standing))
            }
            Self::AgentTask { agent, task, assigned: true } => {
                write!(f, "agent `{agent}` may now declare task `{task}`")
            }
            Self::AgentTask { agent, task, assigned: false } => {
                write!(f, "agent `{agent}` may no longer declare task `{task}`")
            }
            Self::Condition { role, tool, schema: None, .. } => {
                write!(f, "the condition of role `{role}` for tool `{tool}` is gone")
            }
            Self::Condition { role, tool, schema: Some(schema), otherwise } => {
                let others = others_verb(*otherwise);
                write!(
                    f,
                    "what role `{role}` is granted for tool `{tool}` holds for arguments that \
                     satisfy {schema}; others {others}"
                )
            }
            Self::Grant { role, tool, from, to } => {
                write!(f, "role `{role}` {} `{tool}` ({from} before)", grant_verb(*to))
            }
            Self::IssuerEnabled { enabled: true } => {
                f.write_str("the built-in issuer issues tokens now, and they are accepted")
            }
            Self::IssuerEnabled { enabled: false } => {
                f.write_str("the built-in issuer issues no tokens, and none of its are accepted")
            }
            Self::Lifecycle { lifecycle } => write!(f, "credentials {lifecycle}"),
            Self::IssuerTokens { secs } => {
                write!(f, "tokens of the built-in issuer live for {secs} s")
            }
            Self::ProviderEnabled { provider, enabled: true } => {
                write!(f, "tokens of identity provider `{provider}` are accepted now")
            }
            Self::ProviderEnabled { provider, enabled: false } => {
                write!(f, "tokens of identity provider `{provider}` are no longer accepted")
            }
            Self::ProviderSettings { provider } => {
                write!(f, "tokens of identity provider `{provider}` are held to other rules")
            }
            Self::ServerEnabled { server, enabled } => {
                write!(f, "server `{server}` was {}", on_off(*enabled))
            }
            Self::ServerPasses { server, passes } => {
                write!(f, "server `{server}` lets pass now: {passes}")
            }
            Self::TaskTimes { task, expected_secs, longest_secs } => write!(
                f,
                "task `{task}` is expected to take {expected_secs} s and may last {longest_secs} s"
            ),
            Self::TaskTool { task, tool, listed: true } => {
                write!(f, "task `{task}` now lists tool `{tool}`")
            }
            Self::TaskTool { task, tool, listed: false } => {
                write!(f, "task `{task}` no longer lists tool `{tool}`")
            }
            Self::ToolDataSystem { tool, system: Some(system) } => {
                write!(f, "tool `{tool}` is said to reach {system}")
            }
            Self::ToolDataSystem { tool, system: None } => {
                write!(f, "tool `{tool}` is no longer said to reach a data system")
            }
            Self::ToolDefinition { tool } => {
                write!(f, "another definition of tool `{tool}` was accepted")
            }
            Self::ToolEnabled { tool, enabled } => {
                write!(f, "tool `{tool}` was {}", on_off(*enabled))
            }
            Self::ToolEffects { tool, effects } => {
                write!(f, "tool `{tool}` is marked as {effects}")
            }
            Self::ToolIntrospect { tool, introspect: true } => {
                write!(f, "each call of tool `{tool}` is now asked about at the identity provider")
            }
            Self::ToolIntrospect { tool, introspect: false } => {
                write!(f, "calls of tool `{tool}` are no longer asked about for its sake")
            }
            Self::ToolSigning { tool, signing } => {
                write!(f, "what is signed for tool `{tool}` is signed by {signing}")
            }
            Self::ToolRate { tool, rate: Some(rate) } => {
                write!(f, "each agent may make at most {rate} of tool `{tool}`")
            }
            Self::ToolRate { tool, rate: None } => {
                write!(f, "agents may call tool `{tool}` as often as they like")
            }
            Self::ToolScopes { tool, scopes } if scopes.is_empty() => {
                write!(f, "tool `{tool}` no longer needs a scope")
            }
            Self::ToolScopes { tool, scopes } => {
                write!(f, "tool `{tool}` now needs the scopes {}", scopes.join(" "))
            }
            Self::ToolServer { tool, from } => {
                write!(f, "tool `{tool}` was moved from server `{from}`")
            }
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::Provider => "identity provider",
            Self::Role => "role",
            Self::Server => "server",
            Self::Task => "task",
            Self::Tenant => "tenant",
            Self::Tool => "tool",
        })
    }
}

const fn grant_verb(grant: Grant) -> &'static str {
    match grant {
        Grant::Allow => "may now call tool",
        Grant::Deny => "may no longer call tool",
        Grant::Token => "now needs a countersignature for tool",
    }
}

const fn others_verb(grant: Grant) -> &'static str {
    match grant {
        Grant::Allow => "pass without asking",
        Grant::Deny => "are refused",
        Grant::Token => "need a countersignature",
    }
}

const fn on_off(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}

const fn standing_verb(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "may act again",
        Standing::Suspended => "was suspended",
    }
}
