//! The reference matrix: what each role may do with each tool, which scopes that takes, and which
//! data systems are behind it. The one source for spreadsheets and identity providers.

mod csv;
mod idp;

use cs_model::document::TenantDoc;

pub(crate) use csv::csv;
pub(crate) use idp::{Place, idp};

use crate::commands::matrix::shown;
use crate::view::reference::ReferenceRow;

/// Every tool with every role, by server, tool and role. A cell that is not there is a denial.
pub(crate) fn rows(doc: &TenantDoc) -> Vec<ReferenceRow> {
    let mut rows = Vec::with_capacity(doc.tools.len().saturating_mul(doc.roles.len()));
    for tool in &doc.tools {
        let server = doc.servers.iter().find(|it| it.id == tool.server);
        let server = server.map(|it| it.name.to_string()).unwrap_or_default();
        rows.extend(doc.roles.iter().map(|role| ReferenceRow {
            role: role.id,
            role_name: role.name.to_string(),
            tool: tool.id,
            tool_name: tool.kind.marked(tool.name.as_str()),
            server_name: server.clone(),
            enabled: tool.enabled,
            grant: role.grants.get(&tool.id).copied().unwrap_or_default(),
            condition: role.conditions.get(&tool.id).map(shown),
            scopes: tool.scopes.iter().cloned().collect(),
            introspect: tool.introspect,
            data_system: tool.data_system.clone(),
        }));
    }
    rows.sort_by_cached_key(|row| {
        (row.server_name.clone(), row.tool_name.clone(), row.role_name.clone())
    });
    rows
}
