//! Refuses new names that a person would take for others of the same tenant.

use std::collections::{HashMap, HashSet};

use cs_model::document::{ServerDoc, TenantDoc, ToolDoc};
use cs_model::{Document, ServerId, ToolId};

use crate::failure::ControlError;

/// Checks the servers and tools that a change brings. Tools of two servers may have the same name,
/// which their servers' names tell apart; they may not have names that only look the same. What is
/// there already stays as it is.
pub(crate) fn check(old: &Document, new: &Document) -> Result<(), ControlError> {
    for doc in &new.tenants {
        let before = old.tenants.iter().find(|it| it.id == doc.id);
        servers(before, doc)?;
        tools(before, doc)?;
        uris(doc)?;
    }
    Ok(())
}

fn servers(before: Option<&TenantDoc>, doc: &TenantDoc) -> Result<(), ControlError> {
    let known: HashSet<ServerId> =
        before.iter().flat_map(|it| &it.servers).map(|it| it.id).collect();
    let added: Vec<&ServerDoc> = doc.servers.iter().filter(|it| !known.contains(&it.id)).collect();
    if added.is_empty() {
        return Ok(());
    }
    let mut looks: HashMap<String, Vec<&ServerDoc>> = HashMap::new();
    for server in &doc.servers {
        looks.entry(server.name.look()).or_default().push(server);
    }
    for server in added {
        let alike = looks.get(&server.name.look()).into_iter().flatten();
        if let Some(like) = alike.copied().find(|it| it.id != server.id) {
            return Err(ControlError::conflict(format!(
                "server `{}` looks like server `{}`; give it a name that nobody takes for the \
                 other",
                server.name, like.name
            )));
        }
    }
    Ok(())
}

fn tools(before: Option<&TenantDoc>, doc: &TenantDoc) -> Result<(), ControlError> {
    let known: HashSet<ToolId> = before.iter().flat_map(|it| &it.tools).map(|it| it.id).collect();
    let added: Vec<&ToolDoc> = doc.tools.iter().filter(|it| !known.contains(&it.id)).collect();
    if added.is_empty() {
        return Ok(());
    }
    let mut looks: HashMap<String, Vec<&ToolDoc>> = HashMap::new();
    for tool in doc.tools.iter().filter(|it| it.kind.is_prefixed()) {
        looks.entry(tool.name.look()).or_default().push(tool);
    }
    for tool in added.into_iter().filter(|it| it.kind.is_prefixed()) {
        let alike = looks.get(&tool.name.look()).into_iter().flatten();
        let other = |it: &&ToolDoc| it.server != tool.server && it.kind == tool.kind;
        let like = alike.copied().filter(other).find(|it| it.name != tool.name);
        if let Some(like) = like {
            return Err(ControlError::conflict(format!(
                "{} `{}` looks like `{}` of server `{}`; leave it out, or have its server give \
                 it a name that nobody takes for the other",
                tool.kind,
                tool.name,
                like.name,
                server_name(doc, like.server)
            )));
        }
    }
    Ok(())
}

/// Checks that of each URI, and of each template, one server at most is asked: whoever came second
/// would stand in for the other.
fn uris(doc: &TenantDoc) -> Result<(), ControlError> {
    let mut asked = HashMap::new();
    for tool in doc.tools.iter().filter(|it| it.enabled && !it.kind.is_prefixed()) {
        if let Some(first) = asked.insert((tool.kind, &tool.name), tool.server) {
            return Err(ControlError::conflict(format!(
                "{} `{}` is enabled for server `{}` and for server `{}`; enable one of them",
                tool.kind,
                tool.name,
                server_name(doc, first),
                server_name(doc, tool.server)
            )));
        }
    }
    Ok(())
}

fn server_name(doc: &TenantDoc, id: ServerId) -> &str {
    doc.servers.iter().find(|it| it.id == id).map_or("?", |it| it.name.as_str())
}
