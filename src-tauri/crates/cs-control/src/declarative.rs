//! The registry as a file: what `export` writes and `apply` reads are the same.
//!
//! ```yaml
//! templates: { wiki: { kind: http, url: 'https://wiki.example/${space}/mcp' } }
//! tenants:
//!   acme:
//!     standing: active
//!     servers:
//!       files: { enabled: true, transport: { kind: stdio, command: /usr/bin/files } }
//!       wiki: { from: { template: wiki, settings: { space: acme } } }
//!     tools:
//!       files/read: { enabled: true, definition: '{"name":"read", ...}' }
//!       files/write: { definition: '..', signing: { approvers: 2, group: finance, reason: true } }
//!       mail/send: { definition: '..', effects: { sends_out: true } }
//!     roles: { reader: { files/read: allow } }
//!     conditions: { reader: { files/read: { when: { properties: { .. } }, otherwise: token } } }
//!     tasks: { night: { tools: [files/read], expected_secs: 60, longest_secs: 600 } }
//!     agents:
//!       reader-1: { roles: [reader], tasks: [night], rate: { calls: 60, secs: 60 }, most_waiting: 5, responsible: Ada }
//!     identity_providers: { okta: { settings: { issuer: 'https://..', jwks_uri: 'https://..' } } }
//!     issuer: { enabled: true, token_secs: 600 }
//!     lifecycle: { lifetime_secs: 86400, overlap_secs: 3600 }
//! ```
//!
//! Things are known by their names: a tool as `server/name`, everything else that a server publishes
//! as `server/prompt:name`, `server/resource:URI` and `server/template:text`, in `tools` as in
//! grants, conditions and tasks. A tool's definition is the text that its server published,
//! byte for byte. No secret ever stands in the file: settings name a tenant's secrets.

mod apply;

use std::collections::{BTreeMap, BTreeSet};

use cs_model::document::{ServerDoc, TenantDoc};
use cs_model::provider::ProviderSettings;
use cs_model::state::Standing;
use cs_model::upstream::Transport;
use cs_model::{
    Document, Effects, Grant, Lifecycle, MostWaiting, Name, OperatorId, Passes, Rate, ServerId,
    Signing, ToolId,
};
use serde::{Deserialize, Serialize};

pub(crate) use apply::{Ready, apply};

use crate::failure::ControlError;
use crate::issuer;

/// The longest file.
const MOST_BYTES: usize = 3 * 1024 * 1024;

/// The whole file.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declared {
    /// How servers that several tenants have are reached, with places that each fills in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) templates: BTreeMap<Name, Transport>,
    pub(crate) tenants: BTreeMap<Name, DeclaredTenant>,
}

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredTenant {
    #[serde(default = "active")]
    pub(crate) standing: Standing,
    #[serde(default)]
    pub(crate) servers: BTreeMap<Name, DeclaredServer>,
    /// By `server/tool`.
    #[serde(default)]
    pub(crate) tools: BTreeMap<String, DeclaredTool>,
    /// The cells of each role. A tool that is not there is denied.
    #[serde(default)]
    pub(crate) roles: BTreeMap<Name, BTreeMap<String, Grant>>,
    /// What arguments have to satisfy, for the cells of each role that ask for something.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) conditions: BTreeMap<Name, BTreeMap<String, DeclaredCondition>>,
    #[serde(default)]
    pub(crate) tasks: BTreeMap<Name, DeclaredTask>,
    #[serde(default)]
    pub(crate) agents: BTreeMap<Name, DeclaredAgent>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) identity_providers: BTreeMap<Name, DeclaredProvider>,
    /// The gateway's own token issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<DeclaredIssuer>,
    /// How long what its agents prove themselves with lives.
    #[serde(default, skip_serializing_if = "Lifecycle::is_default")]
    pub(crate) lifecycle: Lifecycle,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredIssuer {
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    #[serde(default = "usual_secs")]
    pub(crate) token_secs: u32,
}

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredProvider {
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    pub(crate) settings: ProviderSettings,
}

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredServer {
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    /// How it is reached, unless it comes from a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transport: Option<Transport>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<DeclaredOrigin>,
    /// What may pass between it and the people and models behind an agent.
    #[serde(default, skip_serializing_if = "Passes::is_empty")]
    pub(crate) passes: Passes,
}

/// The template that a server comes from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredOrigin {
    pub(crate) template: Name,
    /// What the tenant puts into its places.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) settings: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredTool {
    #[serde(default)]
    pub(crate) enabled: bool,
    pub(crate) definition: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) scopes: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data_system: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) introspect: bool,
    /// How often each agent may call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<Rate>,
    /// What it asks of whoever approves its calls.
    #[serde(default, skip_serializing_if = "Signing::is_default")]
    pub(crate) signing: Signing,
    /// What it can do that cannot be taken back.
    #[serde(default, skip_serializing_if = "Effects::is_default")]
    pub(crate) effects: Effects,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredCondition {
    /// A JSON Schema of the arguments.
    pub(crate) when: serde_json::Value,
    #[serde(default)]
    pub(crate) otherwise: Grant,
}

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredTask {
    pub(crate) tools: BTreeSet<String>,
    pub(crate) expected_secs: u32,
    pub(crate) longest_secs: u32,
}

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredAgent {
    #[serde(default = "active")]
    pub(crate) standing: Standing,
    #[serde(default)]
    pub(crate) roles: BTreeSet<Name>,
    #[serde(default)]
    pub(crate) tasks: BTreeSet<Name>,
    /// How often it may call any tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<Rate>,
    /// How many of its calls may wait for people at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) most_waiting: Option<MostWaiting>,
    /// The name of the operator who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) responsible: Option<String>,
}

const fn active() -> Standing {
    Standing::Active
}

const fn usual_secs() -> u32 {
    issuer::USUAL_SECS
}

const fn yes() -> bool {
    true
}

/// Reads a file. What is wrong with it is said with line and column.
pub(crate) fn read(text: &str) -> Result<Declared, ControlError> {
    if text.len() > MOST_BYTES {
        return Err(ControlError::invalid("text", "a registry file has at most 3 MiB"));
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let plain = error.without_snippet();
        let message = cs_model::text::neutralise(&plain.to_string(), 400);
        let hint = suggest_in(&message).map(|it| format!("; did you mean `{it}`?"));
        let message = match plain.location().filter(|_| !message.contains("line")) {
            Some(at) => format!("line {}, column {}: {message}", at.line(), at.column()),
            None => message,
        };
        ControlError::invalid("text", format!("{message}{}", hint.unwrap_or_default()))
    })
}

/// Writes a file.
pub(crate) fn write(declared: &Declared) -> Result<String, ControlError> {
    serde_saphyr::to_string(declared)
        .map_err(|source| ControlError::internal("write the registry down", source))
}

/// How the servers of the registry are reached.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    pub(crate) templates: BTreeMap<Name, Transport>,
    pub(crate) servers: BTreeMap<ServerId, Transport>,
    /// Those that come from a template.
    pub(crate) origins: BTreeMap<ServerId, DeclaredOrigin>,
    /// The names of the operators.
    pub(crate) operators: BTreeMap<OperatorId, String>,
}

impl Reached {
    fn server(&self, server: &ServerDoc) -> Option<DeclaredServer> {
        let from = self.origins.get(&server.id).cloned();
        let transport = match from {
            Some(_) => None,
            None => Some(self.servers.get(&server.id)?.clone()),
        };
        let (enabled, passes) = (server.enabled, server.passes.clone());
        Some(DeclaredServer { enabled, transport, from, passes })
    }
}

/// What the registry says, with how its servers are reached.
pub(crate) fn declare(document: &Document, reached: Reached) -> Result<Declared, ControlError> {
    let tenants = document.tenants.iter().map(|doc| {
        let tenant = declare_tenant(doc, &reached)
            .ok_or(ControlError::NotFound { what: "part of the policy" })?;
        Ok((doc.name.clone(), tenant))
    });
    let tenants = tenants.collect::<Result<_, ControlError>>()?;
    Ok(Declared { templates: reached.templates, tenants })
}

fn declare_tenant(doc: &TenantDoc, reached: &Reached) -> Option<DeclaredTenant> {
    let servers: BTreeMap<ServerId, &Name> =
        doc.servers.iter().map(|it| (it.id, &it.name)).collect();
    let mut tools: BTreeMap<ToolId, String> = BTreeMap::new();
    for tool in &doc.tools {
        let name = tool.kind.marked(tool.name.as_str());
        tools.insert(tool.id, format!("{}/{name}", servers.get(&tool.server)?));
    }
    let named = |id: &ToolId| tools.get(id).cloned();
    let server = |it: &ServerDoc| Some((it.name.clone(), reached.server(it)?));
    let role = |it: &cs_model::document::RoleDoc| {
        let granted = it.grants.iter().filter(|(_, grant)| **grant != Grant::Deny);
        let cells = granted.map(|(tool, grant)| Some((named(tool)?, *grant)));
        Some((it.name.clone(), cells.collect::<Option<_>>()?))
    };
    let conditions = |it: &cs_model::document::RoleDoc| {
        let declared = it.conditions.iter().map(|(tool, condition)| {
            let when = serde_json::from_str(&condition.schema).ok()?;
            Some((named(tool)?, DeclaredCondition { when, otherwise: condition.otherwise }))
        });
        Some((it.name.clone(), declared.collect::<Option<_>>()?))
    };
    let task = |it: &cs_model::document::TaskDoc| {
        let declared = DeclaredTask {
            tools: it.tools.iter().map(named).collect::<Option<_>>()?,
            expected_secs: it.expected_secs,
            longest_secs: it.longest_secs,
        };
        Some((it.name.clone(), declared))
    };
    let agent = |it: &cs_model::document::AgentDoc| {
        let roles = doc.roles.iter().filter(|role| it.roles.contains(&role.id));
        let tasks = doc.tasks.iter().filter(|task| it.tasks.contains(&task.id));
        let declared = DeclaredAgent {
            standing: it.standing,
            roles: roles.map(|role| role.name.clone()).collect(),
            tasks: tasks.map(|task| task.name.clone()).collect(),
            rate: it.rate,
            most_waiting: it.most_waiting,
            responsible: it.responsible.and_then(|id| reached.operators.get(&id).cloned()),
        };
        (it.name.clone(), declared)
    };
    let provider = |it: &cs_model::document::ProviderDoc| {
        let declared = DeclaredProvider { enabled: it.enabled, settings: it.settings.clone() };
        (it.name.clone(), declared)
    };
    Some(DeclaredTenant {
        standing: doc.standing,
        servers: doc.servers.iter().map(server).collect::<Option<_>>()?,
        tools: doc
            .tools
            .iter()
            .map(|it| {
                let declared = DeclaredTool {
                    enabled: it.enabled,
                    definition: it.definition.clone(),
                    scopes: it.scopes.clone(),
                    data_system: it.data_system.clone(),
                    introspect: it.introspect,
                    rate: it.rate,
                    signing: it.signing.clone(),
                    effects: it.effects,
                };
                Some((named(&it.id)?, declared))
            })
            .collect::<Option<_>>()?,
        roles: doc.roles.iter().map(role).collect::<Option<_>>()?,
        conditions: doc
            .roles
            .iter()
            .filter(|it| !it.conditions.is_empty())
            .map(conditions)
            .collect::<Option<_>>()?,
        tasks: doc.tasks.iter().map(task).collect::<Option<_>>()?,
        agents: doc.agents.iter().map(agent).collect(),
        identity_providers: doc.providers.iter().map(provider).collect(),
        issuer: doc
            .issuer
            .map(|it| DeclaredIssuer { enabled: it.enabled, token_secs: it.token_secs }),
        lifecycle: doc.lifecycle,
    })
}

/// What a mistyped key was meant to be, from a message that lists what it may be.
fn suggest_in(message: &str) -> Option<String> {
    let (wrong, known) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let (known, _) = known.strip_prefix(", expected ")?.split_once(" at line ")?;
    let known = known.trim_start_matches("one of ");
    suggest(wrong, known.split([',', ' ', '`']).filter(|word| !word.is_empty()))
}

/// The known word that is closest to a mistyped one, if any is close.
pub(crate) fn suggest<'w>(wrong: &str, known: impl Iterator<Item = &'w str>) -> Option<String> {
    let near = wrong.chars().count().div_ceil(3).clamp(1, 4);
    known
        .map(|word| (distance(wrong, word), word))
        .filter(|(distance, _)| *distance <= near)
        .min()
        .map(|(_, word)| word.to_owned())
}

/// How many characters have to be added, removed or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(200).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (count, a) in one.chars().take(200).enumerate() {
        let mut diagonal = count;
        let mut left = count.saturating_add(1);
        let mut next = vec![left];
        for (b, above) in other.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(a != *b));
            let cost = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            (diagonal, left) = (*above, cost);
            next.push(cost);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
