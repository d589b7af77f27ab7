//! Identity providers: whose access tokens a tenant accepts.

use cs_model::provider::ProviderSettings;
use cs_model::state::SessionEnd;
use cs_model::{Name, ProviderId, TenantId};
use cs_registry::credential::{self, Credential, Proof};
use cs_registry::provider::{self, Provider};
use cs_registry::{SqliteConnection, session, tenant, tenant_secret};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::over::Over;
use crate::provider::judge;
use crate::view::matrix::Enforced;
use crate::view::provider::{
    IgnoredKeyView, IntrospectionStatus, ProviderKey, ProviderStanding, ProviderStatus,
    ProviderView,
};
use crate::{names, show};

/// A tenant's identity providers.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ProviderList {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for ProviderList {
    const NAME: &'static str = "provider_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<ProviderView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<ProviderView>, ControlError> {
        views(&*control.core()?, self.tenant).await
    }
}

/// Adds an identity provider.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ProviderCreate {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name.
    pub name: Name,
    /// Under which rules its tokens are accepted.
    pub settings: ProviderSettings,
    /// Whether they are accepted.
    pub enabled: bool,
}

impl Command for ProviderCreate {
    const NAME: &'static str = "provider_create";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ProviderView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ProviderView, ControlError> {
        judge(&self.settings)?;
        let core = control.core()?;
        let id = ProviderId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        tenant::find(edit.db(), self.tenant).await?;
        secret_exists(edit.db(), self.tenant, &self.settings).await?;
        let new = Provider {
            id,
            tenant: self.tenant,
            name: self.name,
            enabled: self.enabled,
            settings: self.settings,
            created: edit.at(),
        };
        provider::create(edit.db(), &new).await?;
        edit.enforce(&format!("added identity provider `{}`", new.name)).await?;
        one(&core, self.tenant, id).await
    }
}

/// Changes what of an identity provider is given.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ProviderUpdate {
    /// The tenant.
    pub tenant: TenantId,
    /// The provider.
    pub provider: ProviderId,
    /// Its name.
    #[serde(default)]
    #[ts(optional)]
    pub name: Option<Name>,
    /// Under which rules its tokens are accepted. The issuer cannot change any more once agents
    /// are registered as subjects of it.
    #[serde(default)]
    #[ts(optional)]
    pub settings: Option<ProviderSettings>,
    /// Whether they are accepted. When they no longer are, the sessions of its subjects end.
    #[serde(default)]
    #[ts(optional)]
    pub enabled: Option<bool>,
}

impl Command for ProviderUpdate {
    const NAME: &'static str = "provider_update";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ProviderView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<ProviderView, ControlError> {
        let Self { tenant, provider: id, name, settings, enabled } = self;
        if let Some(settings) = &settings {
            judge(settings)?;
        }
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let old = find(edit.db(), tenant, id).await?;
        if let Some(settings) = &settings {
            secret_exists(edit.db(), tenant, settings).await?;
        }
        let new = Provider {
            name: name.unwrap_or_else(|| old.name.clone()),
            settings: settings.unwrap_or_else(|| old.settings.clone()),
            enabled: enabled.unwrap_or(old.enabled),
            ..old.clone()
        };
        let over = change(&mut edit, &old, &new).await?;
        edit.enforce(&format!("changed identity provider `{}`", new.name)).await?;
        for over in over {
            over.take_effect(&core).await;
        }
        one(&core, tenant, id).await
    }
}

/// Removes an identity provider with the credentials of its subjects, and ends their sessions.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ProviderRemove {
    /// The tenant.
    pub tenant: TenantId,
    /// The provider.
    pub provider: ProviderId,
}

impl Command for ProviderRemove {
    const NAME: &'static str = "provider_remove";
    const NEEDS: Permission = Permission::Edit;
    type Answer = Enforced;

    async fn run(self, control: &Control, caller: &Caller) -> Result<Enforced, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let old = find(edit.db(), self.tenant, self.provider).await?;
        let over = remove(&mut edit, &old).await?;
        let enforced = edit.enforce(&format!("removed identity provider `{}`", old.name)).await?;
        for over in over {
            over.take_effect(&core).await;
        }
        Ok(enforced)
    }
}

/// Writes a changed provider, in an edit that is still to be enforced.
pub(crate) async fn change(
    edit: &mut Edit<'_>,
    old: &Provider,
    new: &Provider,
) -> Result<Vec<Over>, ControlError> {
    // A subject is somebody else at another issuer.
    let moved = old.settings.issuer != new.settings.issuer;
    if moved && !subjects(edit.db(), old.tenant, old.id).await?.is_empty() {
        return Err(ControlError::conflict(format!(
            "agents are registered as subjects of `{}`, and a subject is somebody else at another \
             issuer; add the other issuer as a provider of its own",
            old.name
        )));
    }
    provider::update(edit.db(), new).await?;
    if old.enabled && !new.enabled { end_sessions(edit, old).await } else { Ok(Vec::new()) }
}

/// Removes a provider, in an edit that is still to be enforced.
pub(crate) async fn remove(edit: &mut Edit<'_>, old: &Provider) -> Result<Vec<Over>, ControlError> {
    let over = end_sessions(edit, old).await?;
    provider::remove(edit.db(), old.tenant, old.id).await?;
    Ok(over)
}

/// Ends the sessions of a provider's subjects.
async fn end_sessions(edit: &mut Edit<'_>, provider: &Provider) -> Result<Vec<Over>, ControlError> {
    let (at, why, tenant) = (edit.at(), SessionEnd::Credential, provider.tenant);
    let mut over = Vec::new();
    for subject in subjects(edit.db(), tenant, provider.id).await? {
        let ended = session::end_of_credential(edit.db(), tenant, subject.id, why, at).await?;
        if !ended.is_empty() {
            over.push(Over::of(edit, tenant, ended, why).await?);
        }
    }
    Ok(over)
}

/// The credentials that are subjects of a provider, in whatever state.
async fn subjects(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: ProviderId,
) -> Result<Vec<Credential>, ControlError> {
    let all = credential::list(db, tenant).await?;
    Ok(all.into_iter().filter(|it| is_subject_of(it, id)).collect())
}

fn is_subject_of(credential: &Credential, id: ProviderId) -> bool {
    matches!(credential.proof, Proof::External { provider, .. } if provider == id)
}

/// One provider of a tenant.
pub(crate) async fn find(
    db: &mut SqliteConnection,
    tenant: TenantId,
    id: ProviderId,
) -> Result<Provider, ControlError> {
    let found = provider::list(db, tenant).await?.into_iter().find(|it| it.id == id);
    found.ok_or(ControlError::NotFound { what: "identity provider" })
}

/// The secret that introspection names has to be there, or every token would be refused.
async fn secret_exists(
    db: &mut SqliteConnection,
    tenant: TenantId,
    settings: &ProviderSettings,
) -> Result<(), ControlError> {
    let Some(asked) = &settings.introspection else { return Ok(()) };
    if tenant_secret::names(db, tenant).await?.contains(&asked.secret) {
        return Ok(());
    }
    let rule = format!("the tenant has no secret `{}`; set it first", asked.secret);
    Err(ControlError::invalid("settings.introspection.secret", rule))
}

pub(crate) async fn one(
    core: &Core,
    tenant: TenantId,
    id: ProviderId,
) -> Result<ProviderView, ControlError> {
    let found = views(core, tenant).await?.into_iter().find(|it| it.id == id);
    found.ok_or(ControlError::NotFound { what: "identity provider" })
}

async fn views(core: &Core, tenant: TenantId) -> Result<Vec<ProviderView>, ControlError> {
    names::tenant(&core.document(), tenant)?;
    let mut db = core.registry.read().await?;
    let providers = provider::list(&mut db, tenant).await?;
    let credentials = credential::list(&mut db, tenant).await?;
    let view = |it: Provider| {
        let live = |credential: &&Credential| {
            credential.revoked_at.is_none() && is_subject_of(credential, it.id)
        };
        let subjects = show::count(credentials.iter().filter(live).count());
        ProviderView {
            id: it.id,
            name: it.name.to_string(),
            enabled: it.enabled,
            settings: it.settings,
            created: it.created,
            subjects,
            status: status(core, it.tenant, it.id),
        }
    };
    Ok(providers.into_iter().map(view).collect())
}

/// How the gateway fares with a provider. Where nothing serves, nobody has come with a token.
fn status(core: &Core, tenant: TenantId, id: ProviderId) -> ProviderStatus {
    let found = core.gateway().map(|it| it.provider_status(tenant, id)).unwrap_or_default();
    ProviderStatus {
        standing: match found.standing {
            cs_gateway::ProviderStanding::Cached => ProviderStanding::Cached,
            cs_gateway::ProviderStanding::Fresh => ProviderStanding::Fresh,
            cs_gateway::ProviderStanding::Refusing => ProviderStanding::Refusing,
            cs_gateway::ProviderStanding::Unused => ProviderStanding::Unused,
        },
        keys: found
            .keys
            .into_iter()
            .map(|it| ProviderKey {
                key_id: it.key_id.unwrap_or_default(),
                algorithm: it.algorithms,
            })
            .collect(),
        ignored: found
            .ignored
            .into_iter()
            .map(|it| IgnoredKeyView { key_id: it.key_id, reason: it.reason })
            .collect(),
        fetched: found.fetched,
        failing_since: found.failing_since,
        last_error: found.last_error,
        introspection: found.introspection.map(|it| IntrospectionStatus {
            failing_since: it.failing_since,
            last_error: it.last_error,
            asked: it.asked,
        }),
    }
}
