//! Tenants, and the secrets that their servers are given.

use cs_model::state::Standing;
use cs_model::{Name, TenantId};
use cs_registry::tenant::{self, Tenant};
use cs_registry::tenant_secret::{self, Sealed};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::secret_text::SecretText;
use crate::show;
use crate::view::tenant::TenantView;

/// Every tenant.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TenantList {}

impl Command for TenantList {
    const NAME: &'static str = "tenant_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<TenantView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<TenantView>, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        let mut views = Vec::new();
        for found in tenant::list(&mut db).await? {
            let tally = tenant::tally(&mut db, found.id, core.now()).await?;
            views.push(show::tenant(&found, &tally));
        }
        Ok(views)
    }
}

/// Makes a tenant with nothing in it.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TenantCreate {
    /// Its name.
    pub name: Name,
}

impl Command for TenantCreate {
    const NAME: &'static str = "tenant_create";
    const NEEDS: Permission = Permission::Edit;
    type Answer = TenantView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<TenantView, ControlError> {
        let core = control.core()?;
        let id = TenantId::from_random(core.random()?);
        let mut edit = core.edit(caller).await?;
        let tenant = Tenant {
            id,
            name: self.name,
            standing: Standing::Active,
            starter: false,
            created: edit.at(),
        };
        tenant::create(edit.db(), &tenant).await?;
        edit.enforce(&format!("created tenant `{}`", tenant.name)).await?;
        one(&core, id).await
    }
}

/// Lets a tenant's agents act, or not.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TenantSetStanding {
    /// The tenant.
    pub tenant: TenantId,
    /// Whether its agents may act.
    pub standing: Standing,
}

impl Command for TenantSetStanding {
    const NAME: &'static str = "tenant_set_standing";
    const NEEDS: Permission = Permission::Edit;
    type Answer = TenantView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<TenantView, ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let found = tenant::find(edit.db(), self.tenant).await?;
        tenant::set_standing(edit.db(), self.tenant, self.standing).await?;
        let summary = match self.standing {
            Standing::Active => format!("let tenant `{}` act again", found.name),
            Standing::Suspended => format!("suspended tenant `{}`", found.name),
        };
        edit.enforce(&summary).await?;
        one(&core, self.tenant).await
    }
}

/// Keeps a secret of a tenant, for its servers' settings to name.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TenantSecretSet {
    /// The tenant.
    pub tenant: TenantId,
    /// The name that settings give it.
    pub name: Name,
    /// The secret.
    pub value: SecretText,
}

impl Command for TenantSecretSet {
    const NAME: &'static str = "tenant_secret_set";
    const NEEDS: Permission = Permission::Edit;
    type Answer = ();

    async fn run(self, control: &Control, caller: &Caller) -> Result<(), ControlError> {
        let core = control.core()?;
        let vault = core.vault()?;
        let id = uuid::Builder::from_random_bytes(core.random()?).into_uuid();
        let nonce = core.random()?;
        let name = self.name.as_str();
        let mut edit = core.edit(caller).await?;
        tenant::find(edit.db(), self.tenant).await?;
        let sealed = vault
            .seal_tenant_secret(nonce, self.tenant, id, self.value.secret())
            .map_err(|source| ControlError::internal("seal the secret", source))?;
        let at = edit.at();
        tenant_secret::put(edit.db(), self.tenant, name, &Sealed { id, sealed }, at).await?;
        edit.say(Some(self.tenant), format!("set the secret `{name}`"));
        edit.keep().await
    }
}

/// The names of a tenant's secrets.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct TenantSecretList {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for TenantSecretList {
    const NAME: &'static str = "tenant_secret_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<String>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<String>, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        tenant::find(&mut db, self.tenant).await?;
        Ok(tenant_secret::names(&mut db, self.tenant).await?)
    }
}

/// One tenant, as it is now.
pub(crate) async fn one(core: &Core, id: TenantId) -> Result<TenantView, ControlError> {
    let mut db = core.registry.read().await?;
    let found = tenant::find(&mut db, id).await?;
    let tally = tenant::tally(&mut db, id, core.now()).await?;
    Ok(show::tenant(&found, &tally))
}
