//! The names that go with ids, as they are now.

use std::collections::HashMap;

use cs_model::document::{TenantDoc, ToolDoc};
use cs_model::{AgentId, Document, OperatorId, ServerId, TenantId, ToolId};
use cs_registry::{SqliteConnection, operator};

use crate::failure::ControlError;

/// The names that go with ids, as they are now. What is gone has none.
#[derive(Debug, Default)]
pub(crate) struct Names {
    tenants: HashMap<TenantId, String>,
    agents: HashMap<AgentId, String>,
    servers: HashMap<ServerId, String>,
    tools: HashMap<ToolId, String>,
    operators: HashMap<OperatorId, String>,
}

impl Names {
    /// The names in a document, and those of the operators.
    pub(crate) async fn load(
        db: &mut SqliteConnection,
        document: &Document,
    ) -> Result<Self, ControlError> {
        let mut names = Self::default();
        for tenant in &document.tenants {
            names.tenants.insert(tenant.id, tenant.name.to_string());
            names.agents.extend(tenant.agents.iter().map(|it| (it.id, it.name.to_string())));
            names.servers.extend(tenant.servers.iter().map(|it| (it.id, it.name.to_string())));
            names
                .tools
                .extend(tenant.tools.iter().map(|it| (it.id, it.kind.marked(it.name.as_str()))));
        }
        let operators = operator::list(db).await?.into_iter();
        names.operators.extend(operators.map(|it| (it.id, it.name)));
        Ok(names)
    }

    pub(crate) fn tenant(&self, id: TenantId) -> Option<String> {
        self.tenants.get(&id).cloned()
    }

    pub(crate) fn agent(&self, id: AgentId) -> String {
        self.agents.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    pub(crate) fn server(&self, id: ServerId) -> String {
        self.servers.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    pub(crate) fn tool(&self, id: ToolId) -> Option<String> {
        self.tools.get(&id).cloned()
    }

    pub(crate) fn operator(&self, id: OperatorId) -> String {
        self.operators.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// A tenant of a document.
pub(crate) fn tenant(document: &Document, id: TenantId) -> Result<&TenantDoc, ControlError> {
    let found = document.tenants.iter().find(|tenant| tenant.id == id);
    found.ok_or(ControlError::NotFound { what: "tenant" })
}

/// A tool of a tenant.
pub(crate) fn tool(tenant: &TenantDoc, id: ToolId) -> Result<&ToolDoc, ControlError> {
    let found = tenant.tools.iter().find(|tool| tool.id == id);
    found.ok_or(ControlError::NotFound { what: "tool" })
}
