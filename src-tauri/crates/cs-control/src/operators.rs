//! Operators and their keys: made, sealed by a passphrase, found by it, replaced.
//!
//! The secret store has each operator's sealed key under the operator's id. A key that replaces
//! another one is put beside it first, then the registry says which of the two holds, then it
//! takes the other's place: whatever ends in between, one of them opens.

use std::sync::Arc;

use cs_model::state::{KeyEnd, OperatorRole};
use cs_model::{OperatorId, Secret};
use cs_registry::approval;
use cs_registry::operator::{self, Operator};
use cs_secrets::SecretError;
use cs_trust::{OperatorKey, OperatorKeyError};

use crate::actor::{Actor, Caller, Permission};
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::lifecycle;
use crate::secret_text::SecretText;
use crate::unlock::Unlocked;

/// The fewest characters of a passphrase.
const SHORTEST_PASSPHRASE: usize = 8;

/// The most characters of an operator's name.
const LONGEST_NAME: usize = 100;

/// Whether somebody can be called this and open their key with that.
pub(crate) fn check(name: &str, passphrase: &Secret) -> Result<(), ControlError> {
    let shown = name.chars().count();
    if name.trim() != name || shown == 0 || shown > LONGEST_NAME {
        let rule = format!("a name has 1 to {LONGEST_NAME} characters and no spaces around it");
        return Err(ControlError::invalid("name", rule));
    }
    if name.chars().any(cs_model::text::is_deceptive) {
        let rule = "a name has no invisible or control characters";
        return Err(ControlError::invalid("name", rule));
    }
    check_passphrase("passphrase", passphrase)
}

/// Whether a passphrase, which came in this field, is long enough.
pub(crate) fn check_passphrase(
    field: &'static str,
    passphrase: &Secret,
) -> Result<(), ControlError> {
    let long = passphrase.expose_text().map_or(0, |text| text.chars().count());
    if long < SHORTEST_PASSPHRASE {
        let rule = format!("a passphrase has at least {SHORTEST_PASSPHRASE} characters");
        return Err(ControlError::invalid(field, rule));
    }
    Ok(())
}

/// Who changes who may use the console: an owner in front of it, or whose passphrase came with
/// the command. Being the user of this system is not enough: whatever else runs as that user
/// could make an operator of its own, and sign calls as that one.
pub(crate) async fn owner(
    control: &Control,
    caller: &Caller,
    passphrase: Option<&SecretText>,
) -> Result<Caller, ControlError> {
    let actor = match (passphrase, caller.actor) {
        (Some(phrase), _) => {
            let found = lifecycle::operator_with(control, caller, phrase.secret()).await?;
            Actor::Operator { id: found.id, role: found.role }
        }
        (None, actor @ Actor::Operator { .. }) => actor,
        (None, Actor::Local { .. } | Actor::Nobody) => {
            let rule = "changing who may use the console takes an owner's passphrase";
            return Err(ControlError::invalid("owner", rule));
        }
    };
    if Permission::Own.is_held_by(actor) {
        Ok(Caller { actor, ..*caller })
    } else {
        Err(ControlError::Forbidden { needs: Permission::Own })
    }
}

/// Whoever asks, as the owner whose passphrase came with the command, where one did.
pub(crate) async fn owner_if_said(
    control: &Control,
    caller: &Caller,
    passphrase: Option<&SecretText>,
) -> Result<Caller, ControlError> {
    match passphrase {
        Some(_) => owner(control, caller, passphrase).await,
        None => Ok(*caller),
    }
}

/// The operator whose passphrase came with a command about themselves.
pub(crate) async fn oneself(
    control: &Control,
    caller: &Caller,
    passphrase: &SecretText,
) -> Result<(Unlocked, Caller), ControlError> {
    let found = lifecycle::operator_with(control, caller, passphrase.secret()).await?;
    match caller.actor {
        Actor::Operator { id, .. } if id != found.id => {
            let rule = "this is not the passphrase of whoever unlocked the console";
            Err(ControlError::invalid("passphrase", rule))
        }
        Actor::Operator { .. } | Actor::Local { .. } | Actor::Nobody => {
            let actor = Actor::Operator { id: found.id, role: found.role };
            Ok((found, Caller { actor, ..*caller }))
        }
    }
}

/// Under which name the secret store has an operator's sealed key.
pub(crate) fn key_name(id: OperatorId) -> String {
    format!("operator/{id}")
}

/// The same for a key that is to take its place.
pub(crate) fn next_name(id: OperatorId) -> String {
    format!("operator/{id}/next")
}

/// Adds an operator with a new key, sealed by the passphrase.
pub(crate) async fn add(
    core: &Core,
    caller: &Caller,
    name: &str,
    role: OperatorRole,
    passphrase: &Secret,
) -> Result<Unlocked, ControlError> {
    check(name, passphrase)?;
    let id = OperatorId::from_random(core.random()?);
    let (key, sealed) = make(core, id, passphrase).await?;
    // INVARIANT: whoever moves all secrets comes before both of these or after both, or the key
    // would be left behind.
    let alone = core.hold().await?;
    core.store.put(&key_name(id), &sealed).await?;
    let added = async {
        let mut edit = core.edit_alone(alone, caller).await?;
        let operator = Operator {
            id,
            name: name.to_owned(),
            role,
            public_key: key.public_key(),
            created: edit.at(),
            removed: None,
        };
        operator::create(edit.db(), &operator).await?;
        edit.say(None, format!("added operator `{name}` as {}", words(role)));
        edit.record().await
    };
    if let Err(error) = added.await {
        core.store.delete(&key_name(id)).await?;
        return Err(error);
    }
    Ok(Unlocked { id, role, key: Arc::new(key) })
}

/// A role, in words.
pub(crate) fn words(role: OperatorRole) -> String {
    role.as_str().replace('_', " ")
}

/// Gives an operator another key, sealed by this passphrase. `said` is for the log.
pub(crate) async fn replace_key(
    core: &Core,
    caller: &Caller,
    operator: &Operator,
    passphrase: &Secret,
    (why, said): (KeyEnd, String),
) -> Result<Unlocked, ControlError> {
    let id = operator.id;
    let (key, sealed) = make(core, id, passphrase).await?;
    // What is left of it when the change is not made opens nothing: the registry has another key.
    let alone = core.hold().await?;
    core.store.put(&next_name(id), &sealed).await?;
    let mut edit = core.edit_alone(alone, caller).await?;
    let at = edit.at();
    operator::set_key(edit.db(), id, key.public_key(), at, why).await?;
    edit.say(None, said);
    let events = approval::withdraw_signatures_of(edit.db(), id, at).await?;
    events.into_iter().for_each(|event| edit.tell(event));
    edit.record().await?;
    // It is done: the next passphrase finds the key beside the other one.
    if let Err(error) = promote(core, id, &sealed).await {
        tracing::warn!(%error, operator = %id, "the key that was is still in the secret store");
    }
    Ok(Unlocked { id, role: operator.role, key: Arc::new(key) })
}

/// Puts a key that the registry knows in the place of the one before.
async fn promote(core: &Core, id: OperatorId, sealed: &Secret) -> Result<(), ControlError> {
    core.store.put(&key_name(id), sealed).await?;
    core.store.delete(&next_name(id)).await?;
    Ok(())
}

/// Seals an operator's key by another passphrase. The store that the one before opens is opened
/// by this one then.
pub(crate) async fn reseal(
    core: &Core,
    operator: &Unlocked,
    before: &Secret,
    after: &Secret,
) -> Result<(), ControlError> {
    let sealed = seal(core, operator.id, Arc::clone(&operator.key), after).await?;
    core.store.reseal(&key_name(operator.id), &sealed, before, after).await?;
    Ok(())
}

/// Forgets the key of an operator who was removed. It opens nothing any more, so one that the store
/// does not let go of keeps nobody from removing them.
pub(crate) async fn forget(core: &Core, id: OperatorId) {
    for name in [key_name(id), next_name(id)] {
        if let Err(error) = core.store.delete(&name).await {
            tracing::warn!(%error, name, "the key of a removed operator was not forgotten");
        }
    }
}

async fn make(
    core: &Core,
    id: OperatorId,
    passphrase: &Secret,
) -> Result<(OperatorKey, Secret), ControlError> {
    let key = OperatorKey::from_seed(core.random()?);
    let key = Arc::new(key.map_err(|source| ControlError::internal(MAKE, source))?);
    let sealed = seal(core, id, Arc::clone(&key), passphrase).await?;
    let key = Arc::into_inner(key).ok_or_else(|| ControlError::internal(MAKE, StillUsed))?;
    Ok((key, sealed))
}

const MAKE: &str = "make the operator's key";

/// Whoever sealed the key still has it.
#[derive(Debug, thiserror::Error)]
#[error("the key is still being sealed")]
struct StillUsed;

async fn seal(
    core: &Core,
    id: OperatorId,
    key: Arc<OperatorKey>,
    passphrase: &Secret,
) -> Result<Secret, ControlError> {
    let (salt, nonce) = (core.random()?, core.random()?);
    let passphrase = passphrase.duplicate();
    let sealed = tokio::task::spawn_blocking(move || key.seal(&passphrase, salt, nonce, id));
    let sealed = sealed
        .await
        .map_err(|source| ControlError::internal(MAKE, source))?
        .map_err(|source| ControlError::internal(MAKE, source))?;
    Ok(Secret::new(sealed))
}

/// The operator whose key this passphrase opens: of all of them, or whether it is this one.
pub(crate) async fn find(
    core: &Arc<Core>,
    passphrase: &Secret,
    only: Option<OperatorId>,
) -> Result<Option<Unlocked>, ControlError> {
    if core.store.is_sealed() {
        match core.store.unseal(passphrase).await {
            Ok(()) => core.fetch_vault().await?,
            Err(SecretError::WrongPassphrase) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    let mut db = core.registry.read().await?;
    let operators = operator::list(&mut db).await?;
    drop(db);
    let asked = |it: &Operator| it.removed.is_none() && only.is_none_or(|id| it.id == id);
    for operator in operators.into_iter().filter(asked) {
        if let Some(key) = key_of(core, &operator, passphrase).await? {
            let key = Arc::new(key);
            return Ok(Some(Unlocked { id: operator.id, role: operator.role, key }));
        }
    }
    Ok(None)
}

/// An operator as they are now: whoever is to unlock a console may have been changed while their
/// passphrase was tried.
pub(crate) async fn still(core: &Core, found: Unlocked) -> Result<Unlocked, ControlError> {
    let now = operator::find(&mut *core.registry.read().await?, found.id).await?;
    if now.removed.is_some() || now.public_key != found.key.public_key() {
        return Err(ControlError::WrongPassphrase {
            message: "this is not the passphrase any more".to_owned(),
        });
    }
    Ok(Unlocked { role: now.role, ..found })
}

/// An operator's key, if this passphrase opens it.
async fn key_of(
    core: &Core,
    operator: &Operator,
    passphrase: &Secret,
) -> Result<Option<OperatorKey>, ControlError> {
    let id = operator.id;
    let own = match core.store.get(&key_name(id)).await {
        Ok(own) => own,
        // Whoever's key is lost opens nothing, and keeps nobody else out.
        Err(SecretError::Missing { .. }) => {
            tracing::error!(operator = %id, "an operator's key is not in the secret store");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let is_another = match unseal(&own, id, passphrase).await? {
        Tried::Opened(key) if key.public_key() == operator.public_key => return Ok(Some(key)),
        Tried::Opened(_) => true,
        Tried::Damaged => return Err(damaged()),
        Tried::Wrong => false,
    };
    // Whoever was about to replace it may not have come to the end.
    let next = match core.store.get(&next_name(id)).await {
        Ok(next) => next,
        // Sealed by this passphrase, but not the key that the registry knows.
        Err(SecretError::Missing { .. }) if is_another => return Err(damaged()),
        Err(SecretError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match unseal(&next, id, passphrase).await? {
        Tried::Opened(key) if key.public_key() == operator.public_key => {
            promote(core, id, &next).await?;
            Ok(Some(key))
        }
        Tried::Opened(_) | Tried::Damaged | Tried::Wrong => Ok(None),
    }
}

/// What came of a passphrase.
enum Tried {
    Damaged,
    Opened(OperatorKey),
    Wrong,
}

async fn unseal(
    sealed: &Secret,
    id: OperatorId,
    passphrase: &Secret,
) -> Result<Tried, ControlError> {
    let (sealed, phrase) = (sealed.duplicate(), passphrase.duplicate());
    let tried = move || OperatorKey::unseal(&phrase, sealed.expose(), id);
    let tried = tokio::task::spawn_blocking(tried)
        .await
        .map_err(|source| ControlError::internal("unseal the operator's key", source))?;
    Ok(match tried {
        Ok(key) => Tried::Opened(key),
        Err(OperatorKeyError::Crypto | OperatorKeyError::Damaged) => Tried::Damaged,
        Err(OperatorKeyError::EmptyPassphrase | OperatorKeyError::WrongPassphrase) => Tried::Wrong,
    })
}

fn damaged() -> ControlError {
    ControlError::Unavailable {
        message: "the operator's key in the secret store is damaged; restore it from a backup"
            .to_owned(),
        source: None,
    }
}
