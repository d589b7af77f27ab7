//! What an identity provider has to know so that its tokens fit the matrix: scopes, roles and
//! clients.

use std::collections::{BTreeMap, BTreeSet};

use cs_model::document::{AgentDoc, TenantDoc, ToolDoc};
use cs_model::state::CredentialState;
use cs_model::{Grant, Timestamp};
use cs_registry::credential::{Credential, Proof};
use serde::Serialize;

use crate::failure::ControlError;
use crate::ready;

/// Where and when it is written.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Where the gateway listens: what endpoints begin with.
    pub(crate) origin: String,
    /// The policy version that is in force.
    pub(crate) policy_version: u64,
    pub(crate) now: Timestamp,
}

#[derive(Debug, Serialize)]
struct Whole {
    tenant: String,
    policy_version: u64,
    /// The audiences that tokens have to be made out to.
    resources: Vec<Resource>,
    scopes: Vec<Scope>,
    roles: Vec<Role>,
    clients: Vec<Client>,
}

#[derive(Debug, Serialize)]
struct Resource {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
}

#[derive(Debug, Serialize)]
struct Scope {
    name: String,
    /// The providers whose tokens all need it.
    required_by: Vec<String>,
    /// The tools that need it.
    tools: Vec<String>,
    data_systems: BTreeSet<String>,
}

#[derive(Debug, Serialize)]
struct Role {
    name: String,
    agents: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Client {
    agent: String,
    roles: Vec<String>,
    tasks: Vec<String>,
    /// The scopes of the tools that it may call.
    scopes: BTreeSet<String>,
    /// What it is registered as. An agent without any has still to be.
    subjects: Vec<Subject>,
}

#[derive(Debug, Serialize)]
struct Subject {
    provider: String,
    issuer: String,
    subject: String,
}

/// Writes what an identity provider has to know. There is no secret in it.
pub(crate) fn idp(
    doc: &TenantDoc,
    credentials: &[Credential],
    place: &Place,
) -> Result<String, ControlError> {
    let names = |agents: Vec<&AgentDoc>| agents.iter().map(|it| it.name.to_string()).collect();
    let whole = Whole {
        tenant: doc.name.to_string(),
        policy_version: place.policy_version,
        resources: resources(doc, &place.origin),
        scopes: scopes(doc),
        roles: doc
            .roles
            .iter()
            .map(|role| Role {
                name: role.name.to_string(),
                agents: names(doc.agents.iter().filter(|it| it.roles.contains(&role.id)).collect()),
            })
            .collect(),
        clients: doc.agents.iter().map(|it| client(doc, it, credentials, place.now)).collect(),
    };
    let text = serde_json::to_string_pretty(&whole);
    text.map_err(|source| ControlError::internal("write the matrix down", source))
}

fn resources(doc: &TenantDoc, origin: &str) -> Vec<Resource> {
    let all = Resource { uri: ready::endpoint(origin, &doc.name, None), task: None };
    let tasks = doc.tasks.iter().map(|task| Resource {
        uri: ready::endpoint(origin, &doc.name, Some(&task.name)),
        task: Some(task.name.to_string()),
    });
    std::iter::once(all).chain(tasks).collect()
}

fn scopes(doc: &TenantDoc) -> Vec<Scope> {
    let mut found: BTreeMap<&str, Scope> = BTreeMap::new();
    let blank = |name: &str| Scope {
        name: name.to_owned(),
        required_by: Vec::new(),
        tools: Vec::new(),
        data_systems: BTreeSet::new(),
    };
    for provider in &doc.providers {
        for scope in &provider.settings.scopes {
            let entry = found.entry(scope).or_insert_with(|| blank(scope));
            entry.required_by.push(provider.name.to_string());
        }
    }
    for tool in &doc.tools {
        for scope in &tool.scopes {
            let entry = found.entry(scope).or_insert_with(|| blank(scope));
            entry.tools.push(qualified(doc, tool));
            entry.data_systems.extend(tool.data_system.clone());
        }
    }
    found.into_values().collect()
}

fn qualified(doc: &TenantDoc, tool: &ToolDoc) -> String {
    let server = doc.servers.iter().find(|it| it.id == tool.server);
    let server = server.map(|it| it.name.as_str()).unwrap_or_default();
    format!("{server}/{}", tool.kind.marked(tool.name.as_str()))
}

fn client(doc: &TenantDoc, agent: &AgentDoc, credentials: &[Credential], now: Timestamp) -> Client {
    let roles = || doc.roles.iter().filter(|role| agent.roles.contains(&role.id));
    let tasks = || doc.tasks.iter().filter(|task| agent.tasks.contains(&task.id));
    let may_call = |tool: &&ToolDoc| {
        let granted = roles().filter_map(|role| role.grants.get(&tool.id)).copied().max();
        tasks().any(|task| task.tools.contains(&tool.id))
            && matches!(granted, Some(Grant::Allow | Grant::Token))
    };
    let mut subjects = Vec::new();
    let mut scopes: BTreeSet<String> =
        doc.tools.iter().filter(may_call).flat_map(|tool| tool.scopes.clone()).collect();
    let own = credentials.iter().filter(|it| it.agent == agent.id);
    for credential in own.filter(|it| it.state(now) == CredentialState::Active) {
        let Proof::External { provider, subject } = &credential.proof else { continue };
        let Some(found) = doc.providers.iter().find(|it| it.id == *provider) else { continue };
        scopes.extend(found.settings.scopes.iter().cloned());
        subjects.push(Subject {
            provider: found.name.to_string(),
            issuer: found.settings.issuer.clone(),
            subject: subject.clone(),
        });
    }
    Client {
        agent: agent.name.to_string(),
        roles: roles().map(|role| role.name.to_string()).collect(),
        tasks: tasks().map(|task| task.name.to_string()).collect(),
        scopes,
        subjects,
    }
}
