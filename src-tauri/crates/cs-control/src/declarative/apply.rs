//! Makes the registry what a file says: what the file does not have is removed.

mod agents;
mod providers;
mod ready;

use std::collections::{BTreeMap, BTreeSet};

use cs_model::document::{TenantDoc, ToolDoc};
use cs_model::json::{self, Limits};
use cs_model::state::{SessionEnd, Standing};
use cs_model::upstream::Transport;
use cs_model::{
    AgentId, Digest, Grant, Kind, Lifecycle, Name, RoleId, ServerId, TaskId, TenantId, ToolId,
    ToolName,
};
use cs_registry::grant::{self, Cell};
use cs_registry::issuer::Issuer;
use cs_registry::lifecycle;
use cs_registry::role::{self, Role};
use cs_registry::server::{self, Server};
use cs_registry::session;
use cs_registry::task::{self, Task};
use cs_registry::template::{self as registered, Origin, Template};
use cs_registry::tenant::{self, Tenant};
use cs_registry::tool::{self, Tool};

pub(crate) use self::ready::Ready;
use super::{
    Declared, DeclaredCondition, DeclaredIssuer, DeclaredServer, DeclaredTenant, DeclaredTool,
    suggest,
};
use crate::commands::task::check_times;
use crate::commands::{reference, template};
use crate::condition;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::issuer::{self, Aside, Seeds};
use crate::over::Over;
use crate::probe;
use crate::signing::check_group;

/// What has to be told to the gateway once the change is made.
#[derive(Debug, Default)]
#[must_use = "the gateway still has to be told"]
pub(crate) struct After {
    pub(crate) over: Vec<Over>,
    pub(crate) gone: Vec<(TenantId, ServerId)>,
    pub(crate) anew: Vec<(TenantId, ServerId)>,
    pub(crate) issuers: Vec<Aside>,
}

/// Makes the registry what a file says, in an edit that is still to be enforced.
pub(crate) async fn apply(
    core: &Core,
    edit: &mut Edit<'_>,
    declared: Declared,
    ready: &mut Ready,
) -> Result<After, ControlError> {
    let before = core.document();
    let mut after = After::default();
    let templates: BTreeSet<Name> = declared.templates.keys().cloned().collect();
    for (name, transport) in declared.templates {
        after.anew.extend(template::set(edit, Template { name, transport }).await?);
    }
    for doc in &before.tenants {
        if !declared.tenants.contains_key(&doc.name) {
            for agent in &doc.agents {
                end_sessions(edit, doc.id, agent.id, &mut after).await?;
            }
            after.gone.extend(doc.servers.iter().map(|server| (doc.id, server.id)));
            tenant::remove(edit.db(), doc.id).await?;
        }
    }
    for (name, wanted) in declared.tenants {
        let place = format!("tenants.{name}");
        let found = before.tenants.iter().find(|doc| doc.name == name);
        let (id, seeds) = ready.of(&name)?;
        settle_tenant(edit, found, (id, name.clone()), wanted.standing).await?;
        let empty = empty(id, name);
        let doc = found.unwrap_or(&empty);
        let mut one = One { core, edit: &mut *edit, doc, place, seeds, after: &mut after };
        one.settle(wanted).await?;
    }
    for old in registered::list(edit.db()).await? {
        if !templates.contains(&old.name) {
            registered::remove(edit.db(), &old.name).await?;
            edit.say(None, format!("removed server template `{}`", old.name));
        }
    }
    Ok(after)
}

async fn settle_tenant(
    edit: &mut Edit<'_>,
    found: Option<&TenantDoc>,
    (id, name): (TenantId, Name),
    standing: Standing,
) -> Result<(), ControlError> {
    if found.is_some() {
        return Ok(tenant::set_standing(edit.db(), id, standing).await?);
    }
    let new = Tenant { id, name, standing, starter: false, created: edit.at() };
    Ok(tenant::create(edit.db(), &new).await?)
}

const fn empty(id: TenantId, name: Name) -> TenantDoc {
    TenantDoc {
        id,
        name,
        standing: Standing::Active,
        servers: Vec::new(),
        tools: Vec::new(),
        roles: Vec::new(),
        tasks: Vec::new(),
        agents: Vec::new(),
        providers: Vec::new(),
        issuer: None,
        lifecycle: Lifecycle {
            lifetime_secs: None,
            rotate_secs: None,
            overlap_secs: None,
            alert_unused_secs: None,
            revoke_unused_secs: None,
        },
    }
}

async fn end_sessions(
    edit: &mut Edit<'_>,
    tenant: TenantId,
    agent: AgentId,
    after: &mut After,
) -> Result<(), ControlError> {
    let (at, why) = (edit.at(), SessionEnd::Credential);
    let ended = session::end_of_agent(edit.db(), tenant, agent, why, at).await?;
    if !ended.is_empty() {
        after.over.push(Over::of(edit, tenant, ended, why).await?);
    }
    Ok(())
}

/// One tenant in the making.
struct One<'o, 'e> {
    core: &'o Core,
    edit: &'o mut Edit<'e>,
    doc: &'o TenantDoc,
    place: String,
    seeds: &'o mut Seeds,
    after: &'o mut After,
}

impl One<'_, '_> {
    async fn settle(&mut self, wanted: DeclaredTenant) -> Result<(), ControlError> {
        let servers = self.servers(&wanted).await?;
        let tools = self.tools(&servers, wanted.tools).await?;
        let roles = self.roles(&tools, wanted.roles, &wanted.conditions).await?;
        let tasks = self.tasks(&tools, wanted.tasks).await?;
        self.providers(wanted.identity_providers).await?;
        self.issuer(wanted.issuer).await?;
        self.lifecycle(wanted.lifecycle).await?;
        self.agents(&roles, &tasks, wanted.agents).await?;
        for old in &self.doc.servers {
            if !wanted.servers.contains_key(&old.name) {
                server::remove(self.edit.db(), self.doc.id, old.id).await?;
                self.after.gone.push((self.doc.id, old.id));
            }
        }
        Ok(())
    }

    async fn issuer(&mut self, wanted: Option<DeclaredIssuer>) -> Result<(), ControlError> {
        let wanted = match wanted {
            Some(DeclaredIssuer { enabled, token_secs }) => {
                let token_secs = issuer::judge(token_secs.into())
                    .map_err(|error| self.wrong("issuer", &error.to_string()))?;
                Some(Issuer { enabled, token_secs })
            }
            None => None,
        };
        let wanted = (wanted, &mut *self.seeds);
        let aside = issuer::settle(self.edit, self.doc.id, wanted).await?;
        self.after.issuers.push(aside);
        Ok(())
    }

    async fn lifecycle(&mut self, wanted: Lifecycle) -> Result<(), ControlError> {
        wanted.check().map_err(|error| self.wrong("lifecycle", &error.to_string()))?;
        lifecycle::set(self.edit.db(), self.doc.id, wanted).await?;
        Ok(())
    }

    fn unknown<'w>(
        &self,
        at: &str,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'w str>,
    ) -> ControlError {
        let name = cs_model::text::neutralise(name, 200);
        let hint = suggest(&name, known).map(|it| format!("; did you mean `{it}`?"));
        let place = &self.place;
        let message = format!("{place}.{at}: there is no {what} `{name}`");
        ControlError::invalid("text", message + &hint.unwrap_or_default())
    }

    fn wrong(&self, at: &str, why: &str) -> ControlError {
        ControlError::invalid("text", format!("{}.{at}: {why}", self.place))
    }

    async fn servers(
        &mut self,
        wanted: &DeclaredTenant,
    ) -> Result<BTreeMap<Name, ServerId>, ControlError> {
        let tenant = self.doc.id;
        let before = server::list(self.edit.db(), tenant).await?;
        let mut ids = BTreeMap::new();
        for (name, wanted) in &wanted.servers {
            let transport = self.reached(name, wanted).await?;
            let Some(old) = before.iter().find(|old| old.name == *name) else {
                let id = ServerId::from_random(self.core.random()?);
                let (name, enabled) = (name.clone(), wanted.enabled);
                let (created, passes) = (self.edit.at(), wanted.passes.clone());
                ids.insert(name.clone(), id);
                let new = Server { id, tenant, name, transport, enabled, passes, created };
                server::create(self.edit.db(), &new).await?;
                self.origin(id, wanted).await?;
                continue;
            };
            server::set_enabled(self.edit.db(), tenant, old.id, wanted.enabled).await?;
            server::set_passes(self.edit.db(), tenant, old.id, &wanted.passes).await?;
            if old.transport != transport {
                server::set_transport(self.edit.db(), tenant, old.id, &transport).await?;
                self.edit.take_back_of_server(tenant, old.id).await?;
                self.edit.say(Some(tenant), format!("changed how server `{name}` is reached"));
                self.after.anew.push((tenant, old.id));
            }
            self.origin(old.id, wanted).await?;
            ids.insert(name.clone(), old.id);
        }
        Ok(ids)
    }

    /// How a server is reached: as it says, or as its template does.
    async fn reached(
        &mut self,
        name: &Name,
        wanted: &DeclaredServer,
    ) -> Result<Transport, ControlError> {
        let at = format!("servers.{name}");
        match (&wanted.transport, &wanted.from) {
            (Some(transport), None) => probe::settle(transport.clone()),
            (None, Some(from)) => {
                let filled = template::filled(self.edit.db(), &from.template, &from.settings).await;
                let filled = filled
                    .map_err(|error| self.wrong(&format!("{at}.from"), &error.to_string()))?;
                probe::examine(&filled)?;
                Ok(filled)
            }
            (Some(_), Some(_)) | (None, None) => {
                Err(self.wrong(&at, "it has either a transport or a template that it is from"))
            }
        }
    }

    async fn origin(&mut self, id: ServerId, wanted: &DeclaredServer) -> Result<(), ControlError> {
        let tenant = self.doc.id;
        let Some(from) = &wanted.from else {
            return Ok(registered::clear_origin(self.edit.db(), tenant, id).await?);
        };
        let (template, settings) = (from.template.clone(), from.settings.clone());
        let origin = Origin { tenant, server: id, template, settings };
        Ok(registered::set_origin(self.edit.db(), &origin).await?)
    }

    async fn tools(
        &mut self,
        servers: &BTreeMap<Name, ServerId>,
        wanted: BTreeMap<String, DeclaredTool>,
    ) -> Result<BTreeMap<String, ToolId>, ControlError> {
        let tenant = self.doc.id;
        let mut ids = BTreeMap::new();
        let mut kept = BTreeSet::new();
        for (key, wanted) in wanted {
            let at = format!("tools.{}", cs_model::text::neutralise(&key, 200));
            let (server, kind, name) = self.split(&at, &key, servers)?;
            let fingerprint = self.fingerprint(&at, kind, &name, &wanted.definition)?;
            let DeclaredTool { scopes, data_system, .. } = &wanted;
            reference::judge(scopes, data_system.as_deref())
                .map_err(|(field, rule)| self.wrong(&format!("{at}.{field}"), &rule))?;
            check_group(self.edit.db(), wanted.signing.group.as_ref())
                .await
                .map_err(|rule| self.wrong(&format!("{at}.signing.group"), &rule))?;
            let is_it = |it: &&ToolDoc| (it.server, it.kind) == (server, kind) && it.name == name;
            let old = self.doc.tools.iter().find(is_it);
            let id = match old {
                Some(old) => {
                    if old.definition != wanted.definition {
                        let text = &wanted.definition;
                        tool::pin(self.edit.db(), tenant, old.id, text, fingerprint).await?;
                    }
                    tool::set_enabled(self.edit.db(), tenant, old.id, wanted.enabled).await?;
                    let (scopes, system) = (&wanted.scopes, wanted.data_system.as_deref());
                    let (db, asks) = (self.edit.db(), wanted.introspect);
                    tool::describe(db, tenant, old.id, scopes, system, asks).await?;
                    tool::set_rate(self.edit.db(), tenant, old.id, wanted.rate).await?;
                    tool::set_signing(self.edit.db(), tenant, old.id, &wanted.signing).await?;
                    tool::set_effects(self.edit.db(), tenant, old.id, wanted.effects).await?;
                    old.id
                }
                None => {
                    let new = Tool {
                        id: ToolId::from_random(self.core.random()?),
                        tenant,
                        server,
                        kind,
                        name,
                        definition: wanted.definition,
                        fingerprint,
                        enabled: wanted.enabled,
                        scopes: wanted.scopes,
                        data_system: wanted.data_system,
                        introspect: wanted.introspect,
                        rate: wanted.rate,
                        signing: wanted.signing,
                        effects: wanted.effects,
                        created: self.edit.at(),
                        last_used: None,
                    };
                    tool::create(self.edit.db(), &new).await?;
                    new.id
                }
            };
            kept.insert(id);
            ids.insert(key, id);
        }
        for old in self.doc.tools.iter().filter(|old| !kept.contains(&old.id)) {
            tool::remove(self.edit.db(), tenant, old.id).await?;
        }
        Ok(ids)
    }

    fn split(
        &self,
        at: &str,
        key: &str,
        servers: &BTreeMap<Name, ServerId>,
    ) -> Result<(ServerId, Kind, ToolName), ControlError> {
        let wrong =
            |why: String| ControlError::invalid("text", format!("{}.{at}: {why}", self.place));
        let (server, tool) =
            key.split_once('/').ok_or_else(|| wrong("a tool is named `server/tool`".to_owned()))?;
        let (kind, name) = Kind::unmarked(tool);
        let name = ToolName::of(kind, name).map_err(|error| wrong(error.to_string()))?;
        let found = servers.iter().find(|(name, _)| name.as_str() == server);
        let known = servers.keys().map(Name::as_str);
        let (_, id) = found.ok_or_else(|| self.unknown(at, "server", server, known))?;
        Ok((*id, kind, name))
    }

    fn fingerprint(
        &self,
        at: &str,
        kind: Kind,
        name: &ToolName,
        text: &str,
    ) -> Result<Digest, ControlError> {
        let wrong = |why: &str| {
            let place = &self.place;
            ControlError::invalid("text", format!("{place}.{at}.definition: {why}"))
        };
        let canonical =
            json::canonical(text, Limits::default()).map_err(|error| wrong(&error.to_string()))?;
        match cs_gateway::named(kind, text) {
            Ok(named) if named == *name => Ok(Digest::of(canonical.as_bytes())),
            Ok(_) | Err(_) => {
                Err(wrong(&format!("it is not a JSON object with the {kind}'s name")))
            }
        }
    }

    async fn roles(
        &mut self,
        tools: &BTreeMap<String, ToolId>,
        wanted: BTreeMap<Name, BTreeMap<String, Grant>>,
        conditions: &BTreeMap<Name, BTreeMap<String, DeclaredCondition>>,
    ) -> Result<BTreeMap<Name, RoleId>, ControlError> {
        let tenant = self.doc.id;
        if let Some(role) = conditions.keys().find(|role| !wanted.contains_key(*role)) {
            let known = wanted.keys().map(Name::as_str);
            return Err(self.unknown("conditions", "role", role.as_str(), known));
        }
        for old in self.doc.roles.iter().filter(|old| !wanted.contains_key(&old.name)) {
            role::remove(self.edit.db(), tenant, old.id).await?;
        }
        let mut ids = BTreeMap::new();
        for (name, cells) in wanted {
            let at = format!("roles.{name}");
            let conditions = conditions.get(&name);
            let named = cells.keys().chain(conditions.into_iter().flat_map(BTreeMap::keys));
            if let Some(tool) = named.into_iter().find(|tool| !tools.contains_key(*tool)) {
                return Err(self.unknown(&at, "tool", tool, tools.keys().map(String::as_str)));
            }
            let old = self.doc.roles.iter().find(|old| old.name == name);
            let id = match old {
                Some(old) => old.id,
                None => {
                    let id = RoleId::from_random(self.core.random()?);
                    let new = Role { id, tenant, name: name.clone(), created: self.edit.at() };
                    role::create(self.edit.db(), &new).await?;
                    id
                }
            };
            for (key, tool) in tools {
                let grant = cells.get(key).copied().unwrap_or_default();
                let before = old.and_then(|old| old.grants.get(tool)).copied().unwrap_or_default();
                let condition = conditions.and_then(|all| all.get(key));
                let condition = condition
                    .map(|it| condition::read(&it.when.to_string(), it.otherwise, grant))
                    .transpose()?;
                let had = old.and_then(|old| old.conditions.get(tool));
                if grant != before || condition.as_ref() != had {
                    let cell = Cell { role: id, tool: *tool, grant, condition };
                    grant::set(self.edit.db(), tenant, cell).await?;
                }
            }
            ids.insert(name, id);
        }
        Ok(ids)
    }

    async fn tasks(
        &mut self,
        tools: &BTreeMap<String, ToolId>,
        wanted: BTreeMap<Name, super::DeclaredTask>,
    ) -> Result<BTreeMap<Name, TaskId>, ControlError> {
        let tenant = self.doc.id;
        for old in self.doc.tasks.iter().filter(|old| !wanted.contains_key(&old.name)) {
            task::remove(self.edit.db(), tenant, old.id).await?;
        }
        let mut ids = BTreeMap::new();
        for (name, wanted) in wanted {
            check_times(wanted.expected_secs, wanted.longest_secs)?;
            let mut listed = BTreeSet::new();
            for key in &wanted.tools {
                let known = tools.keys().map(String::as_str);
                let at = format!("tasks.{name}.tools");
                listed
                    .insert(*tools.get(key).ok_or_else(|| self.unknown(&at, "tool", key, known))?);
            }
            let old = self.doc.tasks.iter().find(|old| old.name == name).map(|old| old.id);
            let task = Task {
                id: match old {
                    Some(id) => id,
                    None => TaskId::from_random(self.core.random()?),
                },
                tenant,
                name: name.clone(),
                tools: listed,
                expected_secs: wanted.expected_secs,
                longest_secs: wanted.longest_secs,
                created: self.edit.at(),
            };
            match old {
                Some(_) => task::update(self.edit.db(), &task).await?,
                None => task::create(self.edit.db(), &task).await?,
            }
            ids.insert(name, task.id);
        }
        Ok(ids)
    }

    fn named<I: Copy + Ord>(
        &self,
        at: &str,
        what: &str,
        wanted: &BTreeSet<Name>,
        known: &BTreeMap<Name, I>,
    ) -> Result<BTreeSet<I>, ControlError> {
        let one = |name: &Name| {
            let all = known.keys().map(Name::as_str);
            known.get(name).copied().ok_or_else(|| self.unknown(at, what, name.as_str(), all))
        };
        wanted.iter().map(one).collect()
    }
}
