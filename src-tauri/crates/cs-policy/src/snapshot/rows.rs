//! Compiles the rows that everything else refers to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cs_model::document::TenantDoc;
use cs_model::{Grant, Kind, Name, ServerId, ToolId, UriTemplate};

use super::{CompileError, Tool};

pub(super) type Index = HashMap<ToolId, usize>;

/// The governed things, and where each is.
pub(super) fn tools(
    doc: &TenantDoc,
    is_known: impl Fn(&ServerId) -> bool,
) -> Result<(Vec<Tool>, Index), CompileError> {
    let tenant = || doc.name.clone();
    let mut tools = Vec::with_capacity(doc.tools.len());
    let mut index = HashMap::with_capacity(doc.tools.len());
    let mut names = BTreeSet::new();
    for tool in &doc.tools {
        if !is_known(&tool.server) {
            return Err(CompileError::Dangling {
                from: tool.kind.as_str(),
                name: tool.name.to_string(),
                to: "a server",
                tenant: tenant(),
            });
        }
        if !tool.name.fits(tool.kind) {
            return Err(CompileError::Form { kind: tool.kind, tenant: tenant() });
        }
        if !names.insert((tool.server, tool.kind, &tool.name))
            || index.insert(tool.id, tools.len()).is_some()
        {
            return Err(CompileError::Duplicate { what: "tools", tenant: tenant() });
        }
        tools.push(Tool {
            id: tool.id,
            server: tool.server,
            kind: tool.kind,
            name: tool.name.clone(),
            fingerprint: tool.fingerprint,
            definition: tool.definition.clone(),
            scopes: tool.scopes.clone(),
            introspect: tool.introspect,
            rate: tool.rate,
            signing: tool.signing.clone(),
            effects: tool.effects,
            enabled: tool.enabled,
            place: tools.len(),
            template: match tool.kind {
                Kind::Template => UriTemplate::parse(tool.name.as_str()).ok(),
                Kind::Prompt | Kind::Resource | Kind::Tool => None,
            },
        });
    }
    Ok((tools, index))
}

/// The resources by their URIs. Of one URI, or one template, one server at most is asked.
pub(super) fn resources(
    tenant: &Name,
    tools: &[Tool],
) -> Result<HashMap<String, usize>, CompileError> {
    let mut resources = HashMap::new();
    let mut enabled = BTreeSet::new();
    for (at, tool) in tools.iter().enumerate().filter(|(_, tool)| !tool.kind.is_prefixed()) {
        if tool.enabled && !enabled.insert((tool.kind, &tool.name)) {
            let (kind, name) = (tool.kind, tool.name.to_string());
            return Err(CompileError::Shadow { kind, name, tenant: tenant.clone() });
        }
        if tool.kind == Kind::Resource {
            let name = tool.name.to_string();
            let first = resources.entry(name).or_insert(at);
            if tool.enabled {
                *first = at;
            }
        }
    }
    Ok(resources)
}

/// The cells of a role, in the order of the tools; nothing when one is for a tool that is not there.
pub(super) fn cells(
    grants: &BTreeMap<ToolId, Grant>,
    tool_index: &Index,
    count: usize,
) -> Option<Vec<Grant>> {
    let mut cells = vec![Grant::Deny; count];
    for (tool, grant) in grants {
        *tool_index.get(tool).and_then(|at| cells.get_mut(*at))? = *grant;
    }
    Some(cells)
}
