//! Moving all secrets from one store to another.
//!
//! Each is copied and read back, then the registry says which store holds, in one durable step, and
//! only then are those of the old one erased. Whatever ends in between, the store that the registry
//! names has all of them; what is left elsewhere is known and erased by going on.

use std::sync::Arc;

use cs_model::{CorrelationId, OperatorId, Secret, TenantId, event};
use cs_registry::secret_place::{self, Moving};
use cs_registry::{SqliteConnection, authority, issuer, operator, tenant, webhook};
use cs_secrets::{SecretError, SecretStore};

use crate::actor::Caller;
use crate::change::Topic;
use crate::control::{Control, Inner};
use crate::core::Core;
use crate::failure::ControlError;
use crate::keeping::Keeping;
use crate::view::status::SecretKeeping;
use crate::{anchor, authority as authorities, herald, issuer as issuers, operators, vault};

/// Moves all secrets. One that was begun and not done is gone on with.
pub(crate) async fn run(
    control: &Control,
    caller: &Caller,
    to: &Keeping,
    passphrase: &Secret,
) -> Result<(), ControlError> {
    let (inner, core) = (control.inner(), control.core()?);
    core.vault()?;
    let _alone = inner.changing.lock().await;
    let from = core.keeping();
    let under_way = secret_place::moving(&mut *core.registry.read().await?).await?;
    if let Some(moving) = &under_way {
        let other = Keeping::of(&moving.other)?;
        if moving.copied {
            erase(inner, &core, &other).await?;
            if *to == from {
                return Ok(());
            }
        } else if other != *to {
            return Err(ControlError::conflict(format!(
                "a move to {} was begun and is not done; go on with that one, or give it up",
                other.words()
            )));
        }
    }
    if *to == from {
        return Err(ControlError::conflict(format!("secrets are kept in {} already", to.words())));
    }
    if to.store == SecretKeeping::Memory && inner.options.keeping != SecretKeeping::Memory {
        return Err(ControlError::conflict("memory keeps nothing for long"));
    }
    if to.store == from.store && to.store != SecretKeeping::Vault {
        return Err(ControlError::conflict("there is one store of this kind, and it is in use"));
    }
    let instance = core.registry.instance().id;
    let target = to.make(inner, instance, passphrase).await?;
    copy(&core, caller, (&from, to), &target).await?;
    erase(inner, &core, &from).await
}

/// Gives a move up that has not come to the copies: erases those that were made.
pub(crate) async fn give_up(
    control: &Control,
    caller: &Caller,
    passphrase: &Secret,
) -> Result<(), ControlError> {
    let (inner, core) = (control.inner(), control.core()?);
    let _alone = inner.changing.lock().await;
    let moving = secret_place::moving(&mut *core.registry.read().await?).await?;
    let Some(Moving { copied: false, other, .. }) = moving else {
        return Err(ControlError::conflict("no move of the secrets can be given up"));
    };
    let other = Keeping::of(&other)?;
    if other.store != SecretKeeping::File {
        other.make(inner, core.registry.instance().id, passphrase).await?;
    }
    erase(inner, &core, &other).await?;
    let mut edit = core.edit(caller).await?;
    edit.say(None, format!("gave up moving the secrets to {}", other.words()));
    edit.keep().await
}

/// Erases what a move left where secrets are not kept any more, if it did: for the start of the
/// process. What cannot be reached now stays known.
pub(crate) async fn clean_up(inner: &Inner, core: &Arc<Core>) -> Result<(), ControlError> {
    let moving = secret_place::moving(&mut *core.registry.read().await?).await?;
    match moving {
        Some(Moving { copied: true, other, .. }) => erase(inner, core, &Keeping::of(&other)?).await,
        Some(Moving { copied: false, .. }) | None => Ok(()),
    }
}

async fn copy(
    core: &Arc<Core>,
    caller: &Caller,
    (from, to): (&Keeping, &Keeping),
    target: &Arc<dyn SecretStore>,
) -> Result<(), ControlError> {
    let mut edit = core.edit(caller).await?;
    let began = edit.at();
    let moving = Moving { copied: false, other: to.to_place()?, began };
    secret_place::keep_moving(edit.db(), &moving).await?;
    edit.say(None, format!("began to move the secrets to {}", to.words()));
    edit.keep().await?;

    // Nobody changes a secret from here on until the registry names the other store.
    let no_edit = Arc::clone(&core.editing).lock_owned().await;
    let no_use = core.switch.alone().await;
    let source = no_use.store();
    let mut count: usize = 0;
    for name in names(&mut *core.registry.read().await?).await? {
        match source.get(&name).await {
            Ok(secret) => copy_one(target.as_ref(), &name, &secret).await?,
            // Not all that may be there is.
            Err(SecretError::Missing { .. }) if name != vault::MASTER => continue,
            Err(error) => return Err(error.into()),
        }
        count = count.saturating_add(1);
    }

    let mut edit = core.edit_alone(no_edit, caller).await?;
    secret_place::set(edit.db(), &to.to_place()?).await?;
    let moving = Moving { copied: true, other: from.to_place()?, began };
    secret_place::keep_moving(edit.db(), &moving).await?;
    let what = format!("moved {count} secrets from {} to {}", from.words(), to.words());
    edit.say(None, what);
    edit.keep().await?;
    no_use.replace(Arc::clone(target));
    core.set_keeping(to.clone());
    core.bell.ring(Topic::Status);
    Ok(())
}

/// Keeps a secret elsewhere, and reads it back: a store that keeps something else is found out
/// while there is still the first.
async fn copy_one(
    target: &dyn SecretStore,
    name: &str,
    secret: &Secret,
) -> Result<(), ControlError> {
    target.put(name, secret).await?;
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
async fn erase(inner: &Inner, core: &Arc<Core>, left: &Keeping) -> Result<(), ControlError> {
    if left.store == SecretKeeping::File {
        remove_file(inner).await?;
    } else {
        let store = left.open(inner, core.registry.instance().id).await?;
        for name in names(&mut *core.registry.read().await?).await? {
            store.delete(&name).await?;
        }
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
                message: "the file of sealed secrets could not be removed; move again to try again"
                    .to_owned(),
                source: Some(source.into()),
            })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What every secret that an installation may have in its store is called there.
pub(crate) async fn names(db: &mut SqliteConnection) -> Result<Vec<String>, ControlError> {
    let fixed = [vault::MASTER, anchor::NAME, authorities::SERVERS, authorities::CONSOLES];
    let mut names: Vec<String> = fixed.map(str::to_owned).to_vec();
    names.extend(webhook::load(db).await?.and_then(|it| it.key).map(herald::key_name));
    let ids: Vec<OperatorId> = operator::list(db).await?.iter().map(|it| it.id).collect();
    names
        .extend(ids.into_iter().flat_map(|id| [operators::key_name(id), operators::next_name(id)]));
    for key in issuer::all_keys(db).await? {
        names.push(issuers::seed_name(key.tenant, &key.key_id));
    }
    let tenants: Vec<TenantId> = tenant::list(db).await?.iter().map(|it| it.id).collect();
    for tenant in tenants {
        let last = authority::find(db, tenant).await?.map_or(0, |it| it.generation);
        names.extend((1..=last).map(|generation| authorities::key_name(tenant, generation)));
    }
    Ok(names)
}
