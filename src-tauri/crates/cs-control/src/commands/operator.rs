//! The people who use the console.

use cs_model::event::{Event, EventKind};
use cs_model::state::{KeyEnd, OperatorRole};
use cs_model::{OperatorId, Secret};
use cs_registry::operator::{self, Operator};
use cs_registry::{SqliteConnection, agent};
use serde::Deserialize;
use ts_rs::TS;

use crate::actor::{Actor, Caller, Permission};
use crate::change::Topic;
use crate::command::Command;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::secret_text::SecretText;
use crate::view::operator::OperatorView;
use crate::{lifecycle, operators, show};

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
        let past = operator::past_keys(&mut db).await?;
        let all = operator::list(&mut db).await?.into_iter().filter(|it| it.removed.is_none());
        Ok(all.map(|it| show::operator(&it, &past)).collect())
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
    /// The passphrase of the owner who does it, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for OperatorCreate {
    const NAME: &'static str = "operator_create";
    const NEEDS: Permission = Permission::Own;
    type Answer = OperatorView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<OperatorView, ControlError> {
        let caller = operators::owner(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        core.vault()?;
        let passphrase = self.passphrase.secret();
        operators::check(&self.name, passphrase)?;
        check_free(control, &caller, "passphrase", passphrase).await?;
        let made = operators::add(&core, &caller, &self.name, self.role, passphrase).await?;
        view(&core, made.id).await
    }
}

/// Removes an operator, who can neither unlock nor sign from then on.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorRemove {
    /// Which one.
    pub operator: OperatorId,
    /// The passphrase of the owner who does it, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for OperatorRemove {
    const NAME: &'static str = "operator_remove";
    const NEEDS: Permission = Permission::Own;
    type Answer = ();

    async fn run(self, control: &Control, caller: &Caller) -> Result<(), ControlError> {
        let caller = operators::owner(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        let found = here(edit.db(), self.operator, Stays::No).await?;
        let at = edit.at();
        operator::remove(edit.db(), found.id, at).await?;
        let summary = format!("removed operator `{}`", found.name);
        edit.say(None, summary.clone());
        // What they answered for, nobody answers for until somebody is named: that is policy.
        if agent::forget_responsible(edit.db(), found.id).await? > 0 {
            edit.enforce(&summary).await?;
        } else {
            edit.record().await?;
        }
        // While they are known to be connected, and before anything that may fail or take its time.
        let locked = lifecycle::lock_out(control, self.operator, "removed").await;
        core.consoles.cut(|link| link.operator == self.operator);
        operators::forget(&core, self.operator).await;
        locked
    }
}

/// Gives an operator another role, from their next command on.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorRoleSet {
    /// Which one.
    pub operator: OperatorId,
    /// What they may do.
    pub role: OperatorRole,
    /// The passphrase of the owner who does it, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for OperatorRoleSet {
    const NAME: &'static str = "operator_role_set";
    const NEEDS: Permission = Permission::Own;
    type Answer = OperatorView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<OperatorView, ControlError> {
        let caller = operators::owner(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let mut edit = core.edit(&caller).await?;
        let stays = if self.role == OperatorRole::Owner { Stays::Yes } else { Stays::No };
        let found = here(edit.db(), self.operator, stays).await?;
        if found.role != self.role {
            operator::set_role(edit.db(), found.id, self.role).await?;
            let (was, is) = (operators::words(found.role), operators::words(self.role));
            edit.say(None, format!("made operator `{}` {is} instead of {was}", found.name));
            edit.record().await?;
            lifecycle::lock_out(control, self.operator, "role_changed").await?;
        }
        view(&core, self.operator).await
    }
}

/// Changes one's own passphrase. The key stays the same.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorPassphraseSet {
    /// The passphrase as it is.
    pub passphrase: SecretText,
    /// The passphrase as it is to be.
    pub next: SecretText,
}

impl Command for OperatorPassphraseSet {
    const NAME: &'static str = "operator_passphrase_set";
    const NEEDS: Permission = Permission::Look;
    type Answer = OperatorView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<OperatorView, ControlError> {
        let (before, after) = (self.passphrase.secret(), self.next.secret());
        operators::check_passphrase("next", after)?;
        let core = control.core()?;
        // First, for a right passphrase forgives the wrong ones before it.
        check_free(control, caller, "next", after).await?;
        let (own, caller) = operators::oneself(control, caller, &self.passphrase).await?;
        operators::reseal(&core, &own, before, after).await?;
        let recorded = async {
            let mut edit = core.edit(&caller).await?;
            let found = here(edit.db(), own.id, Stays::Yes).await?;
            edit.say(None, format!("operator `{}` changed their passphrase", found.name));
            edit.record().await
        };
        if let Err(error) = recorded.await {
            operators::reseal(&core, &own, after, before).await?;
            return Err(error);
        }
        view(&core, own.id).await
    }
}

/// Makes oneself another signing key. The public key that was is kept, to verify what it signed.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorKeyRotate {
    /// One's passphrase, which seals the next key too.
    pub passphrase: SecretText,
}

impl Command for OperatorKeyRotate {
    const NAME: &'static str = "operator_key_rotate";
    const NEEDS: Permission = Permission::Look;
    type Answer = OperatorView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<OperatorView, ControlError> {
        let core = control.core()?;
        let (own, caller) = operators::oneself(control, caller, &self.passphrase).await?;
        let found = here(&mut *core.registry.read().await?, own.id, Stays::Yes).await?;
        let why = (KeyEnd::Rotated, format!("operator `{}` made another signing key", found.name));
        let passphrase = self.passphrase.secret();
        let next = operators::replace_key(&core, &caller, &found, passphrase, why).await?;
        for seat in control.inner().seats() {
            seat.replace_key(own.id, &next.key);
        }
        view(&core, own.id).await
    }
}

/// Lets an operator in again who lost their passphrase: with another key, under a passphrase of
/// their own choice. Nobody else's passphrase opens the key that was.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct OperatorRecover {
    /// Which one.
    pub operator: OperatorId,
    /// Their next passphrase, which they type themselves.
    pub passphrase: SecretText,
    /// The passphrase of the owner who does it, where the console is not unlocked by them.
    #[serde(default)]
    #[ts(optional)]
    pub owner: Option<SecretText>,
}

impl Command for OperatorRecover {
    const NAME: &'static str = "operator_recover";
    const NEEDS: Permission = Permission::Own;
    type Answer = OperatorView;

    async fn run(self, control: &Control, caller: &Caller) -> Result<OperatorView, ControlError> {
        let caller = operators::owner(control, caller, self.owner.as_ref()).await?;
        let core = control.core()?;
        let passphrase = self.passphrase.secret();
        operators::check_passphrase("passphrase", passphrase)?;
        let found = here(&mut *core.registry.read().await?, self.operator, Stays::Yes).await?;
        if caller.actor.operator() == Some(found.id) {
            return Err(ControlError::conflict(
                "this is you: change your passphrase instead, or have another owner let you in",
            ));
        }
        check_free(control, &caller, "passphrase", passphrase).await?;
        let said =
            format!("gave operator `{}`, who lost their passphrase, another key", found.name);
        let why = (KeyEnd::Recovered, said);
        operators::replace_key(&core, &caller, &found, passphrase, why).await?;
        lifecycle::lock_out(control, self.operator, "recovered").await?;
        view(&core, self.operator).await
    }
}

/// Whether an operator is as much of an owner after a change as before it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Stays {
    No,
    Yes,
}

/// An operator who was not removed. Somebody who does not stay an owner must not be the last one.
async fn here(
    db: &mut SqliteConnection,
    id: OperatorId,
    stays: Stays,
) -> Result<Operator, ControlError> {
    let all = operator::list(db).await?;
    let active = || all.iter().filter(|it| it.removed.is_none());
    let found =
        active().find(|it| it.id == id).ok_or(ControlError::NotFound { what: "operator" })?;
    let others = active().any(|it| it.id != id && it.role == OperatorRole::Owner);
    if stays == Stays::No && !others {
        return Err(ControlError::conflict("this is the last owner; make another one first"));
    }
    Ok(found.clone())
}

/// Refuses a passphrase that opens somebody's key: it says who unlocks the console. Whoever tries
/// passphrases this way waits as whoever tries them on the locked console.
async fn check_free(
    control: &Control,
    caller: &Caller,
    field: &'static str,
    passphrase: &Secret,
) -> Result<(), ControlError> {
    let seat = control.seat();
    let _alone = seat.trying().await;
    seat.may_try(control.now())?;
    let is_owner = matches!(caller.actor, Actor::Operator { role: OperatorRole::Owner, .. });
    if !is_owner {
        seat.may_choose(control.now())?;
    }
    let core = control.core()?;
    if operators::find(&core, passphrase, None).await?.is_none() {
        return Ok(());
    }
    let _ = seat.was_wrong(control.now());
    let event = Event {
        actor: Some(caller.actor.on_record()),
        correlation: Some(caller.correlation),
        reason: Some("passphrase_taken".to_owned()),
        ..Event::new(EventKind::OperatorUnlockFailed, control.now())
    };
    core.registry.record(vec![event]).await?;
    control.changed(Topic::Audit);
    Err(ControlError::invalid(field, "choose another passphrase: this one cannot be used"))
}

async fn view(core: &Core, id: OperatorId) -> Result<OperatorView, ControlError> {
    let mut db = core.registry.read().await?;
    let past = operator::past_keys(&mut db).await?;
    Ok(show::operator(&operator::find(&mut db, id).await?, &past))
}
