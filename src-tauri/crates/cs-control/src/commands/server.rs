//! Servers and their tools.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cs_model::document::ToolDoc;
use cs_model::upstream::Transport;
use cs_model::{Effects, Kind, Name, Passes, ServerId, Signing, TenantId, ToolId, ToolName};
use cs_registry::server::{self, Server};
use cs_registry::template;
use cs_registry::tenant;
use cs_registry::tool::{self, Tool};
use serde::Deserialize;
use ts_rs::TS;

use super::matrix;
use crate::actor::{Caller, Permission};
use crate::change::Topic;
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::probe::{self, Published};
use crate::view::matrix::Enforced;
use crate::view::server::{DiscoveredTool, Known, ServerDetail, ServerView, ToolChoice};
use crate::view::template::OriginView;
use crate::{names, show};

/// A tenant's servers.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerList {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for ServerList {
    const NAME: &'static str = "server_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<ServerView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<ServerView>, ControlError> {
        let core = control.core()?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let mut db = core.registry.read().await?;
        let all = server::list(&mut db, self.tenant).await?;
        let now = core.now();
        Ok(all.iter().map(|it| show::server(it, &show::health(&core, it), doc, now)).collect())
    }
}

/// A server with all that is known of it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerDetailOf {
    /// The tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
}

impl Command for ServerDetailOf {
    const NAME: &'static str = "server_detail";
    const NEEDS: Permission = Permission::Look;
    type Answer = ServerDetail;

    async fn run(self, control: &Control, _: &Caller) -> Result<ServerDetail, ControlError> {
        detail(&control.core()?, self.tenant, self.server).await
    }
}

/// Starts a server and asks what it has. Changes nothing in the registry.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerProbe {
    /// The tenant whose secrets it may be given.
    pub tenant: TenantId,
    /// How it is reached.
    pub transport: Transport,
}

impl Command for ServerProbe {
    const NAME: &'static str = "server_probe";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Vec<DiscoveredTool>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<DiscoveredTool>, ControlError> {
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        let transport = probe::settle(self.transport)?;
        let found = probe::probe(&core, self.tenant, &transport).await?;
        Ok(found.into_iter().map(|it| discovered(&core, it, Known::New)).collect())
    }
}

/// Adds a server with some of its tools.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerCreate {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: Name,
    /// How it is reached.
    pub transport: Transport,
    /// The tools to take in, enabled or not, with the fingerprint that was seen.
    pub tools: Vec<ToolChoice>,
}

impl Command for ServerCreate {
    const NAME: &'static str = "server_create";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ServerDetail;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ServerDetail, ControlError> {
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        let transport = probe::settle(self.transport)?;
        let found = if self.tools.is_empty() {
            Vec::new()
        } else {
            probe::probe(&core, self.tenant, &transport).await?
        };
        let chosen = choose(&found, &self.tools)?;
        let id = ServerId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        tenant::find(edit.db(), self.tenant).await?;
        let server = Server {
            id,
            tenant: self.tenant,
            name: self.name,
            transport,
            enabled: true,
            passes: Passes::default(),
            created: edit.at(),
        };
        server::create(edit.db(), &server).await?;
        for (tool, enabled) in chosen {
            add(&core, &mut edit, &server, tool, enabled).await?;
        }
        edit.enforce(&format!("added server `{}`", server.name)).await?;
        core.bell.ring(Topic::Servers);
        detail(&core, self.tenant, id).await
    }
}

/// Asks a server what it has now. Changes nothing in the registry.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerDiscover {
    /// The tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
}

impl Command for ServerDiscover {
    const NAME: &'static str = "server_discover";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Vec<DiscoveredTool>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<DiscoveredTool>, ControlError> {
        let core = control.core()?;
        let server = find(&core, self.tenant, self.server).await?;
        let found = probe::list(&core, &server).await?;
        let document = core.document();
        let doc = names::tenant(&document, self.tenant)?;
        let known = |tool: &Published| {
            let mut own = doc.tools.iter().filter(|it| it.server == server.id);
            let own = own.find(|it| (it.kind, &it.name) == (tool.kind, &tool.name));
            match own {
                Some(own) if own.fingerprint == tool.fingerprint => Known::Same,
                Some(_) => Known::Changed,
                None => Known::New,
            }
        };
        Ok(found
            .into_iter()
            .map(|tool| {
                let known = known(&tool);
                discovered(&core, tool, known)
            })
            .collect())
    }
}

/// Takes new or changed definitions in, as seen.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerAccept {
    /// The tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
    /// The tools to take in, enabled or not, with the fingerprint that was seen.
    pub tools: Vec<ToolChoice>,
}

impl Command for ServerAccept {
    const NAME: &'static str = "server_accept";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ServerDetail;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ServerDetail, ControlError> {
        let core = control.core()?;
        let server = find(&core, self.tenant, self.server).await?;
        let found = probe::list(&core, &server).await?;
        let chosen = choose(&found, &self.tools)?;
        let mut edit = core.edit(caller).await?;
        server::find(edit.db(), self.tenant, self.server).await?;
        let own: BTreeMap<(Kind, ToolName), Tool> = tool::list(edit.db(), self.tenant)
            .await?
            .into_iter()
            .filter(|it| it.server == server.id)
            .map(|it| ((it.kind, it.name.clone()), it))
            .collect();
        for (published, enabled) in chosen {
            let Some(tool) = own.get(&(published.kind, published.name.clone())) else {
                add(&core, &mut edit, &server, published, enabled).await?;
                continue;
            };
            if tool.fingerprint != published.fingerprint {
                let (text, print) = (&published.definition, published.fingerprint);
                tool::pin(edit.db(), self.tenant, tool.id, text, print).await?;
            }
            tool::set_enabled(edit.db(), self.tenant, tool.id, enabled).await?;
        }
        edit.enforce(&format!("accepted tools of server `{}`", server.name)).await?;
        core.bell.ring(Topic::Servers);
        detail(&core, self.tenant, self.server).await
    }
}

/// Lets a server be called, or not.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerSetEnabled {
    /// The tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
    /// Whether it may be called at all.
    pub enabled: bool,
}

impl Command for ServerSetEnabled {
    const NAME: &'static str = "server_set_enabled";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ServerView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ServerView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = server::find(edit.db(), self.tenant, self.server).await?;
        server::set_enabled(edit.db(), self.tenant, self.server, self.enabled).await?;
        let verb = if self.enabled { "enabled" } else { "disabled" };
        edit.enforce(&format!("{verb} server `{}`", found.name)).await?;
        if !self.enabled
            && let Some(gateway) = core.gateway()
        {
            gateway.forget_server(self.tenant, self.server).await;
        }
        core.bell.ring(Topic::Servers);
        Ok(detail(&core, self.tenant, self.server).await?.server)
    }
}

/// Says what may pass between a server and the people and models behind an agent.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerSetPasses {
    /// The tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
    /// What passes; everything else does not.
    pub passes: Passes,
}

impl Command for ServerSetPasses {
    const NAME: &'static str = "server_set_passes";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ServerView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ServerView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = server::find(edit.db(), self.tenant, self.server).await?;
        server::set_passes(edit.db(), self.tenant, self.server, &self.passes).await?;
        edit.enforce(&format!("lets pass of server `{}`: {}", found.name, self.passes)).await?;
        core.bell.ring(Topic::Servers);
        Ok(detail(&core, self.tenant, self.server).await?.server)
    }
}

/// Stops a server and lets it be started again.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerRestart {
    /// The tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
}

impl Command for ServerRestart {
    const NAME: &'static str = "server_restart";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ServerView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ServerView, ControlError> {
        let core = control.core()?;
        let found = find(&core, self.tenant, self.server).await?;
        let mut edit = core.edit(caller).await?;
        edit.say(Some(self.tenant), format!("restarted server `{}`", found.name));
        edit.keep().await?;
        if let Some(gateway) = core.gateway() {
            gateway.restart_server(self.tenant, self.server).await;
        }
        core.bell.ring(Topic::Servers);
        Ok(detail(&core, self.tenant, self.server).await?.server)
    }
}

/// Removes a server with its tools.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerRemove {
    /// The tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
}

impl Command for ServerRemove {
    const NAME: &'static str = "server_remove";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = server::find(edit.db(), self.tenant, self.server).await?;
        server::remove(edit.db(), self.tenant, self.server).await?;
        let enforced = edit.enforce(&format!("removed server `{}`", found.name)).await?;
        if let Some(gateway) = core.gateway() {
            gateway.forget_server(self.tenant, self.server).await;
        }
        core.bell.ring(Topic::Servers);
        Ok(enforced)
    }
}

/// Lets tools be called, or not.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ToolSetEnabled {
    /// The tenant.
    pub tenant: TenantId,
    /// The tools.
    pub tools: Vec<ToolId>,
    /// Whether they may be called at all.
    pub enabled: bool,
}

impl Command for ToolSetEnabled {
    const NAME: &'static str = "tool_set_enabled";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        for tool in &self.tools {
            tool::set_enabled(edit.db(), self.tenant, *tool, self.enabled).await?;
        }
        let verb = if self.enabled { "enabled" } else { "disabled" };
        let what = match self.tools.len() {
            1 => "1 tool".to_owned(),
            more => format!("{more} tools"),
        };
        edit.enforce(&format!("{verb} {what}")).await
    }
}

/// The published tools that were chosen. What was chosen has to be what is published now.
pub(super) fn choose(
    found: &[Published],
    choices: &[ToolChoice],
) -> Result<Vec<(Published, bool)>, ControlError> {
    let mut seen = BTreeSet::new();
    let mut chosen = Vec::with_capacity(choices.len());
    for choice in choices {
        if !seen.insert((choice.kind, choice.name.as_str())) {
            return Err(ControlError::invalid("tools", "a tool is listed twice"));
        }
        let tool = found
            .iter()
            .find(|tool| (tool.kind, tool.name.as_str()) == (choice.kind, choice.name.as_str()));
        match tool {
            Some(tool) if tool.fingerprint == choice.fingerprint => {
                chosen.push((tool.clone(), choice.enabled));
            }
            Some(_) | None => {
                return Err(ControlError::Stale {
                    message: "the server now publishes other definitions than those that you \
                              looked at; look at them again"
                        .to_owned(),
                });
            }
        }
    }
    Ok(chosen)
}

/// Adds a tool that its server publishes.
pub(crate) async fn add(
    core: &Core,
    edit: &mut Edit<'_>,
    server: &Server,
    published: Published,
    enabled: bool,
) -> Result<ToolId, ControlError> {
    let tool = Tool {
        id: ToolId::from_random(core.random()?),
        tenant: server.tenant,
        server: server.id,
        kind: published.kind,
        name: published.name,
        definition: published.definition,
        fingerprint: published.fingerprint,
        enabled,
        scopes: [].into(),
        data_system: None,
        introspect: false,
        rate: None,
        signing: Signing::default(),
        effects: Effects::default(),
        created: edit.at(),
        last_used: None,
    };
    tool::create(edit.db(), &tool).await?;
    Ok(tool.id)
}

fn discovered(core: &Core, tool: Published, known: Known) -> DiscoveredTool {
    let said = show::said(&tool.definition);
    DiscoveredTool {
        problem: core.examined.problem(tool.kind, &tool.definition, tool.fingerprint),
        kind: tool.kind,
        name: tool.name.to_string(),
        title: said.title,
        description: said.description,
        definition: tool.definition,
        fingerprint: tool.fingerprint,
        suggested: show::suggest(tool.kind, &said.claims),
        claims: said.claims,
        known,
    }
}

async fn find(core: &Arc<Core>, tenant: TenantId, id: ServerId) -> Result<Server, ControlError> {
    let mut db = core.registry.read().await?;
    Ok(server::find(&mut db, tenant, id).await?)
}

pub(super) async fn detail(
    core: &Arc<Core>,
    tenant: TenantId,
    id: ServerId,
) -> Result<ServerDetail, ControlError> {
    let document = core.document();
    let doc = names::tenant(&document, tenant)?;
    let mut db = core.registry.read().await?;
    let found = server::find(&mut db, tenant, id).await?;
    let health = show::health(core, &found);
    let drifted = matrix::drifted(core, doc, std::slice::from_ref(&found));
    let origin = template::origin(&mut db, tenant, id).await?;
    drop(db);
    let published = if drifted.is_empty() { Vec::new() } else { probe::list(core, &found).await? };
    let drift = |tool: &ToolDoc| {
        drifted.contains(&tool.id).then(|| {
            let now = published.iter().find(|it| (it.kind, &it.name) == (tool.kind, &tool.name));
            // What is gone has no definition any more.
            now.map_or_else(|| "null".to_owned(), |it| it.definition.clone())
        })
    };
    let own = doc.tools.iter().filter(|tool| tool.server == id);
    Ok(ServerDetail {
        server: show::server(&found, &health, doc, core.now()),
        tools: own.map(|it| show::tool(core, doc, it, drift(it))).collect(),
        stderr: health.stderr,
        origin: origin
            .map(|it| OriginView { template: it.template.to_string(), settings: it.settings }),
    })
}
