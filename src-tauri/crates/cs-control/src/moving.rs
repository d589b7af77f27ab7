//! Moving all secrets from one store to another.
//!
//! Each is copied and read back, then the registry says which store holds, in one durable step, and
//! only then are those of the old one erased. Whatever ends in between, the store that the registry
//! names has all of them; what is left elsewhere is known and erased by going on.

use std::sync::Arc;
use std::time::Duration;

use cs_model::{CorrelationId, Secret, TenantId, event};
use cs_registry::secret_place::{self, Moving};
use cs_registry::{SqliteConnection, authority, issuer, operator, tenant, webhook};
use cs_secrets::{SecretError, SecretStore};
use tokio::time::timeout;

use crate::actor::Caller;
use crate::change::Topic;
use crate::control::{Control, Inner};
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::keeping::Keeping;
use crate::view::status::SecretKeeping;
use crate::{anchor, authority as authorities, herald, issuer as issuers, operators, vault};

/// How long whoever uses a secret is waited for before they are all moved, and how long that may
/// take: meanwhile nobody changes anything.
const HOLD: Duration = Duration::from_secs(30);
const COPYING: Duration = Duration::from_secs(300);

/// Moves all secrets. One that was begun and not done is gone on with.
pub(crate) async fn run(
    control: &Control,
    caller: &Caller,
    to: &Keeping,
    passphrase: &Secret,
) -> Result<(), ControlError> {
    let (inner, core) = (control.inner(), control.core()?);
    core.vault()?;
    core.anchorage.check()?;
    let _alone = inner.changing.lock().await;
    let from = core.keeping();
    let mut db = core.registry.read().await?;
    let named = Keeping::of(&secret_place::load(&mut db).await?)?;
    let under_way = secret_place::moving(&mut db).await?;
    drop(db);
    if named != from {
        return Err(ControlError::Unavailable {
            message: "nobody knows whether the last move of the secrets was kept; start \
                      Countersign again, and look where they are"
                .to_owned(),
            source: None,
        });
    }
    let mut begun = None;
    if let Some(moving) = &under_way {
        let other = Keeping::of(&moving.other)?;
        if moving.copied {
            erase(inner, &core, &other).await?;
            if to.is_called(&from) {
                return Ok(());
            }
        } else if !other.is_called(to) {
            return Err(ControlError::conflict(format!(
                "a move to {} was begun and is not done; go on with that one, or give it up",
                other.words()
            )));
        } else {
            begun = Some(other);
        }
    }
    if to.is_called(&from) {
        return Err(ControlError::conflict(format!("secrets are kept in {} already", to.words())));
    }
    if to.store == SecretKeeping::Memory && inner.options.keeping != SecretKeeping::Memory {
        return Err(ControlError::conflict("memory keeps nothing for long"));
    }
    if to.store == from.store && to.store != SecretKeeping::Vault {
        return Err(ControlError::conflict("there is one store of this kind, and it is in use"));
    }
    let to = match begun {
        Some(begun) => begun,
        None => to.on_shelf(core.random()?),
    };
    let instance = core.registry.instance().id;
    let target = to.make(inner, instance, passphrase).await?;
    copy(inner, &core, caller, (&from, &to), &target, passphrase).await?;
    erase(inner, &core, &from).await
}

/// Gives a move up that has not come to the copies: erases those that were made. With `leave`, they
/// stay where they are, which may be a store that nobody reaches any more.
pub(crate) async fn give_up(
    control: &Control,
    caller: &Caller,
    (passphrase, leave): (&Secret, bool),
) -> Result<(), ControlError> {
    let (inner, core) = (control.inner(), control.core()?);
    let _alone = inner.changing.lock().await;
    let moving = secret_place::moving(&mut *core.registry.read().await?).await?;
    let Some(Moving { copied: false, other, .. }) = moving else {
        return Err(ControlError::conflict("no move of the secrets can be given up"));
    };
    let other = Keeping::of(&other)?;
    if !leave {
        if other.store != SecretKeeping::File {
            other.make(inner, core.registry.instance().id, passphrase).await?;
        }
        erase(inner, &core, &other).await?;
    }
    let mut edit = core.edit(caller).await?;
    edit.say(None, format!("gave up moving the secrets to {}", other.words()));
    if leave {
        forget(&mut edit, &other).await?;
    }
    edit.keep().await?;
    core.bell.ring(Topic::Status);
    Ok(())
}

/// Erases what a move that was done left behind, or leaves it where it is.
pub(crate) async fn clear(
    control: &Control,
    caller: &Caller,
    leave: bool,
) -> Result<(), ControlError> {
    let (inner, core) = (control.inner(), control.core()?);
    let _alone = inner.changing.lock().await;
    let moving = secret_place::moving(&mut *core.registry.read().await?).await?;
    let Some(Moving { copied: true, other, .. }) = moving else {
        return Err(ControlError::conflict("no move of the secrets has left anything to erase"));
    };
    let other = Keeping::of(&other)?;
    if !leave {
        return erase(inner, &core, &other).await;
    }
    let mut edit = core.edit(caller).await?;
    forget(&mut edit, &other).await?;
    edit.keep().await?;
    core.bell.ring(Topic::Status);
    Ok(())
}

async fn forget(edit: &mut Edit<'_>, left: &Keeping) -> Result<(), ControlError> {
    secret_place::moved(edit.db()).await?;
    edit.say(None, format!("left the secrets that are in {} where they are", left.words()));
    Ok(())
}

async fn copy(
    inner: &Inner,
    core: &Arc<Core>,
    caller: &Caller,
    (from, to): (&Keeping, &Keeping),
    target: &Arc<dyn SecretStore>,
    passphrase: &Secret,
) -> Result<(), ControlError> {
    let mut edit = core.edit(caller).await?;
    let began = edit.at();
    let moving = Moving { copied: false, other: to.to_place()?, began };
    secret_place::keep_moving(edit.db(), &moving).await?;
    edit.say(None, format!("began to move the secrets to {}", to.words()));
    edit.keep().await?;

    // Nobody changes a secret from here on until the registry names the other store.
    let no_edit = core.hold().await?;
    let no_use = timeout(HOLD, core.switch.alone()).await.map_err(|_| slow())?;
    let names = names(&mut *core.registry.read().await?).await?;
    let source = no_use.store();
    let copying = async {
        let mut all = Vec::new();
        for Name { name, needed } in &names {
            match source.get(name).await {
                Ok(secret) => {
                    copy_one(target.as_ref(), name, &secret).await?;
                    all.push((name, secret));
                }
                Err(SecretError::Missing { .. }) if !needed => {}
                // Whoever moved on without it would find out when the first copy is erased.
                Err(error) => return Err(ControlError::from(error)),
            }
        }
        // What a store that was opened before has in memory may not be what it has kept.
        let kept = to.open(inner, core.registry.instance().id).await?;
        if kept.is_sealed() {
            kept.unseal(passphrase).await?;
        }
        for (name, secret) in &all {
            check_copy(kept.as_ref(), name, secret).await?;
        }
        Ok(all.len())
    };
    let count = timeout(COPYING, copying).await.map_err(|_| slow())??;

    let mut edit = core.edit_alone(no_edit, caller).await?;
    secret_place::set(edit.db(), &to.to_place()?).await?;
    let moving = Moving { copied: true, other: from.to_place()?, began };
    secret_place::keep_moving(edit.db(), &moving).await?;
    let what = format!("moved {count} secrets from {} to {}", from.words(), to.words());
    edit.say(None, what);
    if let Err(error) = edit.keep().await {
        // It may have been kept all the same: what the registry says is what the next start does.
        let mut db = core.registry.read().await?;
        if Keeping::of(&secret_place::load(&mut db).await?)? != *to {
            return Err(error);
        }
    }
    no_use.replace(Arc::clone(target));
    core.set_keeping(to.clone());
    core.bell.ring(Topic::Status);
    Ok(())
}

fn slow() -> ControlError {
    ControlError::Unavailable {
        message: "the secrets could not be moved in time; nothing has changed, and they are where \
                  they were"
            .to_owned(),
        source: None,
    }
}

/// Keeps a secret elsewhere, and reads it back: a store that keeps something else is found out
/// while there is still the first.
async fn copy_one(
    target: &dyn SecretStore,
    name: &str,
    secret: &Secret,
) -> Result<(), ControlError> {
    target.put(name, secret).await?;
    check_copy(target, name, secret).await
}

async fn check_copy(
    target: &dyn SecretStore,
    name: &str,
    secret: &Secret,
) -> Result<(), ControlError> {
    if target.get(name).await?.expose() == secret.expose() {
        return Ok(());
    }
    Err(ControlError::Unavailable {
        message: "the other store did not keep what it was given; nothing has changed, and the \
                  secrets are where they were"
            .to_owned(),
        source: None,
    })
}

/// Erases what is left in a store that does not hold any more, and forgets the move with it.
///
/// What is there is not erased where it may be what counts after all: by a registry that is in
/// doubt, or that has not come as far as what is left there remembers.
async fn erase(inner: &Inner, core: &Arc<Core>, left: &Keeping) -> Result<(), ControlError> {
    core.vault()?;
    core.anchorage.check()?;
    if left.store == SecretKeeping::File {
        remove_file(inner).await?;
    } else {
        let store = left.open(inner, core.registry.instance().id).await?;
        if let Some(why) = anchor::is_behind(core, store.as_ref()).await? {
            return Err(ControlError::conflict(format!(
                "what is left in {} is not erased: {why}",
                left.words()
            )));
        }
        let names = names(&mut *core.registry.read().await?).await?;
        // By the anchor it is known whether the rest may go.
        for Name { name, .. } in names.iter().filter(|it| it.name != anchor::NAME) {
            store.delete(name).await?;
        }
        store.delete(anchor::NAME).await?;
    }
    let actor = event::Actor::System;
    let correlation = CorrelationId::from_random(core.random()?);
    let mut edit = core.edit_as(actor, correlation).await?;
    secret_place::moved(edit.db()).await?;
    edit.say(None, format!("erased the secrets that were left in {}", left.words()));
    edit.keep().await?;
    core.bell.ring(Topic::Status);
    Ok(())
}

async fn remove_file(inner: &Inner) -> Result<(), ControlError> {
    match tokio::fs::remove_file(inner.home.sealed_secrets()).await {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(ControlError::Unavailable {
                message:
                    "the file of sealed secrets could not be removed; erase it again to try again"
                        .to_owned(),
                source: Some(source.into()),
            })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What a secret is called in its store.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) name: String,
    /// Whether it has to be there.
    pub(crate) needed: bool,
}

/// What every secret that an installation may have in its store is called there.
pub(crate) async fn names(db: &mut SqliteConnection) -> Result<Vec<Name>, ControlError> {
    let may_be = |name: String| Name { name, needed: false };
    let has_to_be = |name: String| Name { name, needed: true };
    let mut names = vec![has_to_be(vault::MASTER.to_owned())];
    let fixed = [anchor::NAME, authorities::SERVERS, authorities::CONSOLES];
    names.extend(fixed.map(str::to_owned).map(may_be));
    let webhook = webhook::load(db).await?.and_then(|it| it.key);
    names.extend(webhook.map(herald::key_name).map(has_to_be));
    for it in operator::list(db).await? {
        let needed = it.removed.is_none();
        names.push(Name { name: operators::key_name(it.id), needed });
        names.push(may_be(operators::next_name(it.id)));
    }
    for key in issuer::all_keys(db).await? {
        names.push(may_be(issuers::seed_name(key.tenant, &key.key_id)));
    }
    let tenants: Vec<TenantId> = tenant::list(db).await?.iter().map(|it| it.id).collect();
    for tenant in tenants {
        let last = authority::find(db, tenant).await?.map_or(0, |it| it.generation);
        let all = (1..=last).map(|generation| authorities::key_name(tenant, generation));
        names.extend(all.map(may_be));
    }
    Ok(names)
}
