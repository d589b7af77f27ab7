//! What differs between two policy versions, in words.

mod rows;
mod words;

use cs_model::document::Document;
use cs_model::state::Standing;
use cs_model::{
    Effects, Grant, Lifecycle, MostWaiting, Name, OperatorId, Passes, Rate, Signing, TenantId,
};
use serde::Serialize;

/// One difference, in one tenant.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Change {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name; the newer one where it was renamed.
    pub tenant_name: Name,
    /// What differs.
    pub what: What,
}

/// The kinds of things that come and go.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// An agent.
    Agent,
    /// An identity provider.
    Provider,
    /// A role.
    Role,
    /// A server.
    Server,
    /// A task.
    Task,
    /// The tenant itself.
    Tenant,
    /// A tool.
    Tool,
}

/// What differs. Tools are named `server/tool`, and `server/kind:name` where they are of another
/// kind; everything else by its name in the newer version.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A thing is new.
    Added {
        /// Its kind.
        thing: Thing,
        /// Its name.
        name: String,
    },
    /// An agent may call more or less often.
    AgentRate {
        /// The agent.
        agent: Name,
        /// How often now; as often as it likes when absent.
        rate: Option<Rate>,
    },
    /// More or fewer calls of an agent may wait for people.
    AgentWaiting {
        /// The agent.
        agent: Name,
        /// How many now; the usual number when absent.
        most: Option<MostWaiting>,
    },
    /// Another operator answers for an agent.
    AgentResponsible {
        /// The agent.
        agent: Name,
        /// Who answers for it now; nobody when absent.
        responsible: Option<OperatorId>,
    },
    /// An agent acts in another set of roles.
    AgentRole {
        /// The agent.
        agent: Name,
        /// The role.
        role: String,
        /// Whether it has the role now.
        assigned: bool,
    },
    /// An agent may act again, or may not any more.
    AgentStanding {
        /// The agent.
        agent: Name,
        /// Its standing now.
        standing: Standing,
    },
    /// An agent may declare another set of tasks.
    AgentTask {
        /// The agent.
        agent: Name,
        /// The task.
        task: String,
        /// Whether it may declare it now.
        assigned: bool,
    },
    /// The condition of a cell.
    Condition {
        /// The role.
        role: Name,
        /// The tool.
        tool: String,
        /// What the arguments have to satisfy now; nothing where there is no condition any more.
        schema: Option<String>,
        /// What is granted otherwise.
        otherwise: Grant,
    },
    /// A cell of the matrix.
    Grant {
        /// The role.
        role: Name,
        /// The tool.
        tool: String,
        /// The cell before.
        from: Grant,
        /// The cell now.
        to: Grant,
    },
    /// The gateway's own issuer issues tokens for the tenant, or does not any more.
    IssuerEnabled {
        /// Whether it does now.
        enabled: bool,
    },
    /// The tokens of the gateway's own issuer live for another time.
    IssuerTokens {
        /// How long they live now, in seconds.
        secs: u32,
    },
    /// What agents prove themselves with lives for another time.
    Lifecycle {
        /// How long now.
        lifecycle: Lifecycle,
    },
    /// The tokens of an identity provider are accepted, or not any more.
    ProviderEnabled {
        /// The provider.
        provider: Name,
        /// Whether its tokens are accepted now.
        enabled: bool,
    },
    /// An identity provider's tokens are held to other rules.
    ProviderSettings {
        /// The provider.
        provider: Name,
    },
    /// A thing is gone, and all that referred to it.
    Removed {
        /// Its kind.
        thing: Thing,
        /// Its name.
        name: String,
    },
    /// A thing has another name.
    Renamed {
        /// Its kind.
        thing: Thing,
        /// Its name before.
        from: String,
        /// Its name now.
        to: String,
    },
    /// A server was enabled or disabled.
    ServerEnabled {
        /// The server.
        server: Name,
        /// Whether it may be called now.
        enabled: bool,
    },
    /// Something else may pass between a server and the people and models behind an agent.
    ServerPasses {
        /// The server.
        server: Name,
        /// What passes now.
        passes: Passes,
    },
    /// A task has other times.
    TaskTimes {
        /// The task.
        task: Name,
        /// How long a run usually takes now, in seconds.
        expected_secs: u32,
        /// How long a session for it may last now, in seconds.
        longest_secs: u32,
    },
    /// A task lists another set of tools.
    TaskTool {
        /// The task.
        task: Name,
        /// The tool.
        tool: String,
        /// Whether it lists the tool now.
        listed: bool,
    },
    /// The tenant's agents may act again, or may not any more.
    TenantStanding {
        /// Its standing now.
        standing: Standing,
    },
    /// A tool is said to reach another data system.
    ToolDataSystem {
        /// The tool.
        tool: String,
        /// That system.
        system: Option<String>,
    },
    /// Another definition of a tool was accepted.
    ToolDefinition {
        /// The tool.
        tool: String,
    },
    /// A tool was enabled or disabled.
    ToolEnabled {
        /// The tool.
        tool: String,
        /// Whether it may be called now.
        enabled: bool,
    },
    /// A tool is said to be able to do something else that cannot be taken back.
    ToolEffects {
        /// The tool.
        tool: String,
        /// What it is said to be able to do now.
        effects: Effects,
    },
    /// Whether calls of a tool with an access token are asked about at its provider.
    ToolIntrospect {
        /// The tool.
        tool: String,
        /// Whether they are now.
        introspect: bool,
    },
    /// A tool may be called more or less often.
    ToolRate {
        /// The tool.
        tool: String,
        /// How often by each agent now; as often as it likes when absent.
        rate: Option<Rate>,
    },
    /// A tool asks something else of its approvers.
    ToolSigning {
        /// The tool.
        tool: String,
        /// What it asks now.
        signing: Signing,
    },
    /// A tool needs other scopes.
    ToolScopes {
        /// The tool.
        tool: String,
        /// The scopes that an access token needs to call it now.
        scopes: Vec<String>,
    },
    /// A tool belongs to another server.
    ToolServer {
        /// The tool.
        tool: String,
        /// The server before.
        from: String,
    },
}

/// What differs between two policy versions, in a fixed order: by tenant, then servers, tools,
/// roles, tasks and agents. The numbers of the versions do not count, nor does the order of rows,
/// nor whether a cell says `deny` or is not there.
///
/// What is added comes with everything in it; what is removed comes alone, since all that referred
/// to it went with it.
pub fn diff(old: &Document, new: &Document) -> Vec<Change> {
    let mut changes = Vec::new();
    for (before, after) in rows::pairs(&old.tenants, &new.tenants, |tenant| tenant.id) {
        let Some(tenant) = after.or(before) else { continue };
        changes.extend(rows::tenant(before, after).into_iter().map(|what| Change {
            tenant: tenant.id,
            tenant_name: tenant.name.clone(),
            what,
        }));
    }
    changes
}

#[cfg(test)]
mod tests;
