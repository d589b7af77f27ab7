//! How long what agents prove themselves with lives.

use cs_model::{Lifecycle, LifecycleError, TenantId};
use cs_registry::{lifecycle, tenant};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::names;
use crate::operators;
use crate::secret_text::SecretText;
use crate::view::lifecycle::LifecycleView;

/// How long a tenant's credentials live, with what is in force where it says nothing.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct LifecycleShow {
    /// The tenant.
    pub tenant: TenantId,
}

impl Command for LifecycleShow {
    const NAME: &'static str = "lifecycle_show";
    const NEEDS: Permission = Permission::Look;
    type Answer = LifecycleView;

    async fn run(self, control: &Control, _: &Caller) -> Result<LifecycleView, ControlError> {
        let document = control.core()?.document();
        Ok(names::tenant(&document, self.tenant)?.lifecycle.into())
    }
}

/// Says how long a tenant's credentials live. What exists keeps the end that it has.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct LifecycleSet {
    /// The tenant.
    pub tenant: TenantId,
    /// How long now. What is left out is as usual.
    pub lifecycle: Lifecycle,
    /// An owner's passphrase. Letting anything live longer takes it, at an unlocked console too.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for LifecycleSet {
    const NAME: &'static str = "lifecycle_set";
    const NEEDS: Permission = Permission::Edit;
    type Answer = LifecycleView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<LifecycleView, ControlError> {
        self.lifecycle.check().map_err(wrong)?;
        let caller = operators::owner_if_said(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        let found = tenant::find(edit.db(), self.tenant).await?;
        let document = core.document();
        let before = names::tenant(&document, self.tenant)?.lifecycle;
        if self.owner.is_none() && self.lifecycle.is_looser_than(&before) {
            let rule = "letting credentials live longer takes an owner's passphrase";
            return Err(ControlError::invalid("owner", rule));
        }
        lifecycle::set(edit.db(), self.tenant, self.lifecycle).await?;
        edit.enforce(&format!("set how long credentials of tenant `{}` live", found.name)).await?;
        Ok(self.lifecycle.into())
    }
}

fn wrong(error: LifecycleError) -> ControlError {
    ControlError::invalid(error.field(), error.to_string())
}
