//! Templates of servers, and the servers that come from them.

use std::collections::BTreeMap;

use cs_model::template::{self as places, TemplateError};
use cs_model::upstream::Transport;
use cs_model::{Name, Passes, ServerId, TenantId};
use cs_registry::server::{self, Server};
use cs_registry::template::{self, Origin, Template};
use cs_registry::{SqliteConnection, tenant};
use serde::Deserialize;
use ts_rs::TS;

use super::server::{add, choose, detail};
use crate::actor::{Caller, Permission};
use crate::change::Topic;
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::view::server::{ServerDetail, ToolChoice};
use crate::view::template::{TemplateUse, TemplateView};
use crate::{names, probe};

/// Every template, with the servers that come from it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TemplateList {}

impl Command for TemplateList {
    const NAME: &'static str = "template_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<TemplateView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<TemplateView>, ControlError> {
        list(&*control.core()?).await
    }
}

/// Makes a template, or changes how the servers that come from one are reached.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TemplateSet {
    /// Its name.
    pub name: Name,
    /// How its servers are reached; a place is `${name}`.
    pub transport: Transport,
}

impl Command for TemplateSet {
    const NAME: &'static str = "template_set";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Vec<TemplateView>;

    async fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<Vec<TemplateView>, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let wanted = Template { name: self.name, transport: self.transport };
        let anew = set(&mut edit, wanted.clone()).await?;
        edit.say(None, format!("set server template `{}`", wanted.name));
        edit.record().await?;
        begin_anew(&core, anew).await;
        list(&core).await
    }
}

/// Removes a template that no server comes from.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TemplateRemove {
    /// Its name.
    pub name: Name,
}

impl Command for TemplateRemove {
    const NAME: &'static str = "template_remove";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Vec<TemplateView>;

    async fn run(
        self,
        control: &Control,
        caller: &Caller,
    ) -> Result<Vec<TemplateView>, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        template::find(edit.db(), &self.name).await?;
        let users = template::origins(edit.db()).await?;
        if users.iter().any(|it| it.template == self.name) {
            return Err(ControlError::invalid(
                "name",
                "servers still come from this template; remove them first",
            ));
        }
        template::remove(edit.db(), &self.name).await?;
        edit.say(None, format!("removed server template `{}`", self.name));
        edit.keep().await?;
        core.bell.ring(Topic::Servers);
        list(&core).await
    }
}

/// What a template comes to for a tenant: to look at a server before it is added. Changes nothing.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TemplateFill {
    /// The template's name.
    pub template: Name,
    /// What the tenant puts into its places.
    pub settings: BTreeMap<String, String>,
}

impl Command for TemplateFill {
    const NAME: &'static str = "template_fill";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Transport;

    async fn run(self, control: &Control, _: &Caller) -> Result<Transport, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        filled(&mut db, &self.template, &self.settings).await
    }
}

/// Adds a server that comes from a template, with some of its tools.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerCreateFrom {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: Name,
    /// The template's name.
    pub template: Name,
    /// What the tenant puts into its places.
    pub settings: BTreeMap<String, String>,
    /// The tools to take in, enabled or not, with the fingerprint that was seen.
    pub tools: Vec<ToolChoice>,
}

impl Command for ServerCreateFrom {
    const NAME: &'static str = "server_create_from";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ServerDetail;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ServerDetail, ControlError> {
        let core = control.core()?;
        names::tenant(&core.document(), self.tenant)?;
        let mut db = core.registry.read().await?;
        let transport = filled(&mut db, &self.template, &self.settings).await?;
        drop(db);
        let found = if self.tools.is_empty() {
            Vec::new()
        } else {
            probe::probe(&core, self.tenant, &transport).await?
        };
        let chosen = choose(&found, &self.tools)?;
        let id = ServerId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        tenant::find(edit.db(), self.tenant).await?;
        // Somebody may have changed the template since it was asked what the server has.
        if filled(edit.db(), &self.template, &self.settings).await? != transport {
            return Err(ControlError::Stale {
                message: "the template was changed meanwhile; look at the server's tools again"
                    .to_owned(),
            });
        }
        let created = edit.at();
        let (tenant, name, passes) = (self.tenant, self.name, Passes::default());
        let server = Server { id, tenant, name, transport, enabled: true, passes, created };
        server::create(edit.db(), &server).await?;
        let (template, settings) = (self.template, self.settings);
        let origin = Origin { tenant: self.tenant, server: id, template, settings };
        template::set_origin(edit.db(), &origin).await?;
        for (tool, enabled) in chosen {
            add(&core, &mut edit, &server, tool, enabled).await?;
        }
        let from = &origin.template;
        edit.enforce(&format!("added server `{}` from template `{from}`", server.name)).await?;
        core.bell.ring(Topic::Servers);
        detail(&core, self.tenant, id).await
    }
}

/// Changes what a tenant put into the places of the template that its server comes from.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ServerSettingsSet {
    /// The tenant.
    pub tenant: TenantId,
    /// The server.
    pub server: ServerId,
    /// What the tenant puts into its places now.
    pub settings: BTreeMap<String, String>,
}

impl Command for ServerSettingsSet {
    const NAME: &'static str = "server_settings_set";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ServerDetail;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ServerDetail, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = server::find(edit.db(), self.tenant, self.server).await?;
        let origin = template::origin(edit.db(), self.tenant, self.server).await?;
        let Some(Origin { template, .. }) = origin else {
            return Err(ControlError::invalid("server", "this server comes from no template"));
        };
        let settings = self.settings;
        let origin = Origin { tenant: self.tenant, server: self.server, template, settings };
        settle(&mut edit, &origin, &found.name).await?;
        edit.record().await?;
        begin_anew(&core, vec![(self.tenant, self.server)]).await;
        detail(&core, self.tenant, self.server).await
    }
}

/// Keeps a template, and has every server that comes from it reached in the new way. Answers with
/// those servers, which have to begin anew.
pub(crate) async fn set(
    edit: &mut Edit<'_>,
    wanted: Template,
) -> Result<Vec<(TenantId, ServerId)>, ControlError> {
    let transport = probe::settle_program(wanted.transport)?;
    places::places(&transport).map_err(|error| wrong(&error))?;
    let at = edit.at();
    let wanted = Template { transport, ..wanted };
    template::put(edit.db(), &wanted, at).await?;
    let mut anew = Vec::new();
    for origin in template::origins(edit.db()).await? {
        if origin.template == wanted.name {
            let found = server::find(edit.db(), origin.tenant, origin.server).await?;
            if settle(edit, &origin, &found.name).await? {
                anew.push((origin.tenant, origin.server));
            }
        }
    }
    Ok(anew)
}

/// Keeps where a server comes from and has it reached accordingly. Tells whether that changed how.
pub(crate) async fn settle(
    edit: &mut Edit<'_>,
    origin: &Origin,
    name: &Name,
) -> Result<bool, ControlError> {
    let Origin { tenant, server, .. } = *origin;
    let of = format!("server `{name}`");
    let template = template::find(edit.db(), &origin.template).await?;
    let transport = places::fill(&template.transport, &origin.settings).map_err(|error| {
        let why = cs_model::text::neutralise(&error.to_string(), 300);
        ControlError::invalid("settings", format!("{of}: {why}"))
    })?;
    probe::examine(&transport)?;
    template::set_origin(edit.db(), origin).await?;
    if server::find(edit.db(), tenant, server).await?.transport == transport {
        return Ok(false);
    }
    server::set_transport(edit.db(), tenant, server, &transport).await?;
    edit.take_back_of_server(tenant, server).await?;
    edit.say(Some(tenant), format!("changed how {of} is reached"));
    Ok(true)
}

/// How a server that comes from a template is reached.
pub(crate) async fn filled(
    db: &mut SqliteConnection,
    template: &Name,
    settings: &BTreeMap<String, String>,
) -> Result<Transport, ControlError> {
    let template = template::find(db, template).await?;
    places::fill(&template.transport, settings).map_err(|error| wrong(&error))
}

/// Servers that are reached in another way are stopped; whoever calls them next starts them.
pub(crate) async fn begin_anew(core: &Core, servers: Vec<(TenantId, ServerId)>) {
    if let Some(gateway) = core.gateway() {
        for (tenant, server) in servers {
            gateway.restart_server(tenant, server).await;
        }
    }
    core.bell.ring(Topic::Servers);
}

fn wrong(error: &TemplateError) -> ControlError {
    let field = match error {
        TemplateError::Place | TemplateError::Program { .. } => "transport",
        TemplateError::Missing { .. }
        | TemplateError::Unknown { .. }
        | TemplateError::Value { .. } => "settings",
    };
    ControlError::invalid(field, cs_model::text::neutralise(&error.to_string(), 300))
}

async fn list(core: &Core) -> Result<Vec<TemplateView>, ControlError> {
    let mut db = core.registry.read().await?;
    let origins = template::origins(&mut db).await?;
    let document = core.document();
    let used = |origin: &Origin| {
        let tenant = document.tenants.iter().find(|it| it.id == origin.tenant)?;
        let server = tenant.servers.iter().find(|it| it.id == origin.server)?;
        Some(TemplateUse {
            tenant: tenant.id,
            tenant_name: tenant.name.to_string(),
            server: server.id,
            server_name: server.name.to_string(),
        })
    };
    let view = |it: Template| {
        let own = origins.iter().filter(|one| one.template == it.name);
        let mut servers: Vec<TemplateUse> = own.filter_map(used).collect();
        servers.sort_by(|a, b| {
            (&a.tenant_name, &a.server_name).cmp(&(&b.tenant_name, &b.server_name))
        });
        TemplateView {
            places: places::places(&it.transport).unwrap_or_default().into_iter().collect(),
            secrets: places::secrets(&it.transport).into_iter().collect(),
            servers,
            name: it.name.to_string(),
            transport: it.transport,
        }
    };
    Ok(template::list(&mut db).await?.into_iter().map(view).collect())
}
