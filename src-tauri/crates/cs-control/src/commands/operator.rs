//! The people who use the console.

use cs_model::OperatorId;
use cs_model::state::OperatorRole;
use cs_registry::operator;
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Caller, Permission};
use crate::command::Command;
use crate::control::Control;
use crate::failure::ControlError;
use crate::secret_text::SecretText;
use crate::view::operator::OperatorView;
use crate::{lifecycle, show};

/// Every operator who was not removed.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorList {}

impl Command for OperatorList {
    const NAME: &'static str = "operator_list";
    const NEEDS: Permission = Permission::Look;
    type Answer = Vec<OperatorView>;

    async fn run(self, control: &Control, _: &Caller) -> Result<Vec<OperatorView>, ControlError> {
        let core = control.core()?;
        let mut db = core.registry.read().await?;
        let all = operator::list(&mut db).await?;
        Ok(all.iter().filter(|it| it.removed.is_none()).map(show::operator).collect())
    }
}

/// Makes an operator, with a signing key sealed by their own passphrase.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorCreate {
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: OperatorRole,
    /// Their passphrase. No two operators have the same: it says who unlocks the console.
    pub passphrase: SecretText,
}

impl Command for OperatorCreate {
    const NAME: &'static str = "operator_create";
    const NEEDS: Permission = Permission::Own;
    type Answer = OperatorView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<OperatorView, ControlError> {
        let core = control.core()?;
        core.vault()?;
        let passphrase = self.passphrase.secret();
        if lifecycle::find_operator(&core, passphrase).await?.is_some() {
            return Err(ControlError::invalid(
                "passphrase",
                "choose another passphrase: this one cannot be used",
            ));
        }
        let made = lifecycle::add_operator(&core, caller, &self.name, self.role, passphrase);
        let made = made.await?;
        let mut db = core.registry.read().await?;
        Ok(show::operator(&operator::find(&mut db, made.id).await?))
    }
}

/// Removes an operator, who can neither unlock nor sign from then on.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorRemove {
    /// Which one.
    pub operator: OperatorId,
}

impl Command for OperatorRemove {
    const NAME: &'static str = "operator_remove";
    const NEEDS: Permission = Permission::Own;
    type Answer = ();

    async fn run(self, control: &Control, caller: &Caller) -> Result<(), ControlError> {
        let core = control.core()?;
        let mut edit = core.edit(caller).await?;
        let all = operator::list(edit.db()).await?;
        let active = || all.iter().filter(|it| it.removed.is_none());
        let found = active()
            .find(|it| it.id == self.operator)
            .ok_or(ControlError::NotFound { what: "operator" })?;
        let others = active().any(|it| it.id != found.id && it.role == OperatorRole::Owner);
        if !others {
            return Err(ControlError::conflict("this is the last owner; make another one first"));
        }
        let at = edit.at();
        operator::remove(edit.db(), found.id, at).await?;
        edit.say(None, format!("removed operator `{}`", found.name));
        edit.record().await?;
        core.store.delete(&lifecycle::key_name(self.operator)).await?;
        if control
            .inner()
            .console
            .operator(core.now())
            .is_some_and(|(it, _)| it.id == self.operator)
        {
            lifecycle::lock(control, "removed").await?;
        }
        Ok(())
    }
}
