//! The starter: a tenant with something in it, to begin with.

use std::collections::BTreeSet;
use std::sync::Arc;

use cs_model::state::{SessionEnd, Standing};
use cs_model::upstream::{Setting, Transport};
use cs_model::{AgentId, Grant, Name, Passes, RoleId, ServerId, TaskId, TenantId, ToolId};
use cs_registry::agent::{self, Agent};
use cs_registry::grant::{self, Cell};
use cs_registry::role::{self, Role};
use cs_registry::server::{self, Server};
use cs_registry::session;
use cs_registry::task::{self, Task};
use cs_registry::tenant::{self, Tenant};

use crate::actor::Caller;
use crate::change::Topic;
use crate::commands::server::add;
use crate::commands::tenant::one;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::over::Over;
use crate::probe::{self, Published};
use crate::view::tenant::TenantView;

/// The starter's tenant.
const TENANT: &str = "acme";

/// Its server, and the task that lists all of its tools.
const WORKBENCH: &str = "workbench";

/// The variable that names the session bus (D-Bus Specification, "Well-known Message Buses").
const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// Its roles, each with an agent of the same name and `-1`.
const ROLES: [&str; 4] = ["reader", "analyst", "executor", "admin"];

/// The matrix: a tool, and what each of the roles may do with it.
const MATRIX: [(&str, [Grant; 4]); 8] = {
    use Grant::{Allow, Deny, Token};
    [
        ("read_file", [Allow, Allow, Allow, Allow]),
        ("search_database", [Allow, Allow, Allow, Allow]),
        ("web_fetch", [Deny, Allow, Allow, Allow]),
        ("write_file", [Deny, Deny, Token, Allow]),
        ("send_email", [Deny, Deny, Token, Allow]),
        ("execute_code", [Deny, Deny, Token, Allow]),
        ("access_secrets", [Deny, Deny, Deny, Token]),
        ("modify_mcp_config", [Deny, Deny, Deny, Token]),
    ]
};

/// Loads the starter. The sample server is asked what it has, like any other.
pub(crate) async fn load(control: &Control, caller: &Caller) -> Result<TenantView, ControlError> {
    let core = control.core()?;
    let root = control.inner().home.workbench();
    let bus = control.inner().options.session_bus.clone();
    let path = |it: &std::path::Path| it.to_str().map(str::to_owned).ok_or_else(unusable_path);
    let transport = Transport::Stdio {
        command: path(&control.inner().options.executable)?,
        args: vec![WORKBENCH.to_owned(), "--root".to_owned(), path(&root)?],
        env: bus.map(|it| (BUS.to_owned(), Setting::Text(it))).into_iter().collect(),
        cwd: None,
    };
    make_folder(&root).await?;
    let id = TenantId::from_random(core.random()?);
    let published = probe::probe(&core, id, &transport).await?;
    let mut edit = core.edit(caller).await?;
    fill(&core, &mut edit, id, transport, published).await?;
    edit.enforce("loaded the starter").await?;
    core.bell.ring(Topic::Servers);
    one(&core, id).await
}

fn unusable_path() -> ControlError {
    ControlError::Unavailable {
        message: "the paths of the home and of this program have to be Unicode".to_owned(),
        source: None,
    }
}

async fn make_folder(root: &std::path::Path) -> Result<(), ControlError> {
    tokio::fs::create_dir_all(root).await.map_err(|source| {
        ControlError::unavailable("the folder of the sample server cannot be made", source)
    })
}

async fn fill(
    core: &Arc<Core>,
    edit: &mut Edit<'_>,
    id: TenantId,
    transport: Transport,
    published: Vec<Published>,
) -> Result<(), ControlError> {
    let created = edit.at();
    let standing = Standing::Active;
    let new = Tenant { id, name: name(TENANT)?, standing, starter: true, created };
    tenant::create(edit.db(), &new).await?;
    let server = Server {
        id: ServerId::from_random(core.random()?),
        tenant: id,
        name: name(WORKBENCH)?,
        transport,
        enabled: true,
        passes: Passes::default(),
        created,
    };
    server::create(edit.db(), &server).await?;
    let mut roles = Vec::with_capacity(ROLES.len());
    for word in ROLES {
        let role = Role {
            id: RoleId::from_random(core.random()?),
            tenant: id,
            name: name(word)?,
            created,
        };
        role::create(edit.db(), &role).await?;
        roles.push(role.id);
    }
    let mut tools = BTreeSet::new();
    for tool in published {
        let row = MATRIX.iter().find(|(known, _)| *known == tool.name.as_str());
        let tool = add(core, edit, &server, tool, row.is_some()).await?;
        if let Some((_, grants)) = row {
            set_row(edit, id, tool, roles.iter().copied().zip(grants)).await?;
            tools.insert(tool);
        }
    }
    if tools.len() != MATRIX.len() {
        return Err(ControlError::Upstream {
            message: "the sample server does not have the tools of the starter; update this \
                      installation"
                .to_owned(),
        });
    }
    let task = Task {
        id: TaskId::from_random(core.random()?),
        tenant: id,
        name: name(WORKBENCH)?,
        tools,
        expected_secs: 300,
        longest_secs: 3600,
        created,
    };
    task::create(edit.db(), &task).await?;
    for (word, role) in ROLES.into_iter().zip(roles) {
        let agent = Agent {
            id: AgentId::from_random(core.random()?),
            tenant: id,
            name: name(&format!("{word}-1"))?,
            standing,
            roles: BTreeSet::from([role]),
            tasks: BTreeSet::from([task.id]),
            rate: None,
            most_waiting: None,
            responsible: None,
            created,
        };
        agent::create(edit.db(), &agent).await?;
    }
    Ok(())
}

async fn set_row(
    edit: &mut Edit<'_>,
    tenant: TenantId,
    tool: ToolId,
    cells: impl Iterator<Item = (RoleId, &Grant)>,
) -> Result<(), ControlError> {
    for (role, grant) in cells {
        grant::set(edit.db(), tenant, Cell { role, tool, grant: *grant, condition: None }).await?;
    }
    Ok(())
}

fn name(text: &str) -> Result<Name, ControlError> {
    Name::parse(text).map_err(|source| ControlError::internal("name the starter", source))
}

/// Removes the starter, and whatever was added to its tenant since.
pub(crate) async fn remove(control: &Control, caller: &Caller) -> Result<(), ControlError> {
    let core = control.core()?;
    let mut edit = core.edit(caller).await?;
    let all = tenant::list(edit.db()).await?;
    let found = all.into_iter().find(|it| it.starter);
    let found = found.ok_or(ControlError::NotFound { what: "starter" })?;
    let servers = server::list(edit.db(), found.id).await?;
    let now = edit.at();
    let live = session::list(edit.db(), found.id, true, now, u32::MAX).await?;
    let live: Vec<_> = live.into_iter().map(|session| session.new.id).collect();
    let why = SessionEnd::Operator;
    for session in &live {
        session::end(edit.db(), found.id, *session, why, now).await?;
    }
    // What ends is put on record while there still are rows that tell of it.
    let over = Over::of(&mut edit, found.id, live, why).await?;
    tenant::remove(edit.db(), found.id).await?;
    edit.enforce("removed the starter").await?;
    over.take_effect(&core).await;
    if let Some(gateway) = core.gateway() {
        for server in servers {
            gateway.forget_server(found.id, server.id).await;
        }
    }
    core.bell.ring(Topic::Servers);
    Ok(())
}
