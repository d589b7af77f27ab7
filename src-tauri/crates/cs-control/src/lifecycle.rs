//! How an installation comes to be, opens, keeps time and closes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use cs_model::event::{Actor as EventActor, Event, EventKind};
use cs_model::state::OperatorRole;
use cs_model::{OperatorId, Secret};
use cs_registry::{Instance, Registry, approval, nonce, redemption, series};
use cs_secrets::SecretStore;

use crate::actor::Caller;
use crate::adapters::random::bytes;
use crate::change::Topic;
use crate::control::{Control, Inner};
use crate::core::{Core, Parts, Slot};
use crate::failure::ControlError;
use crate::keeping::Keeping;
use crate::options::FirstRun;
use crate::serving::start_if_asked;
pub(crate) use crate::serving::{audience, expected_address};
use crate::unlock::{Seat, Unlocked};
use crate::view::status::SecretKeeping;
use crate::{
    alerts, anchor, consoles, health, housekeeper, issuer, operators, serving, starter, vault,
};

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Opens the installation that a home has.
pub(crate) async fn open(control: &Control) -> Result<(), ControlError> {
    let inner = control.inner();
    let registry = Registry::open(&inner.home.registry()).await?;
    let opened = open_registry(control, registry.clone()).await;
    if opened.is_err() {
        registry.close().await?;
    }
    opened
}

async fn open_registry(control: &Control, registry: Registry) -> Result<(), ControlError> {
    let inner = control.inner();
    let instance = registry.instance().clone();
    let keeping = Keeping::of(&instance.secrets)?;
    let store = keeping.open(inner, instance.id).await?;
    let core = assemble(control, registry, store, keeping);
    core.fetch_vault().await?;
    // Held against the log before anything new is in it.
    if let Err(error) = alerts::look_at_clock(&core).await {
        tracing::error!(%error, "the clock was not held against the log");
    }
    reconcile(&core).await?;
    core.load_world().await?;
    let set = cs_registry::serving::load(&mut *core.registry.read().await?).await?;
    core.set_serving(set);
    serving::keep_as_set(&core).await;
    inner.set_core(Some(Arc::clone(&core)));
    health::follow(control, &core.registry);
    anchor::follow(&core);
    alerts::catch_up(&core).await;
    alerts::follow(&core);
    if let Err(error) = housekeeper::run(&core).await {
        tracing::warn!(%error, "the housekeeper did not catch up");
    }
    start_if_asked(control).await;
    Ok(())
}

fn assemble(
    control: &Control,
    registry: Registry,
    store: Arc<dyn SecretStore>,
    keeping: Keeping,
) -> Arc<Core> {
    let inner = control.inner();
    Arc::new(Core::new(Parts {
        registry,
        store,
        keeping,
        clock: Arc::clone(&inner.options.clock),
        random: Arc::clone(&inner.options.random),
        bell: inner.bell.clone(),
    }))
}

/// Makes an installation with its first owner, who has the console unlocked then.
pub(crate) async fn first_run(
    control: &Control,
    caller: &Caller,
    first: FirstRun,
) -> Result<(), ControlError> {
    let inner = control.inner();
    let alone = inner.changing.lock().await;
    if inner.core().is_some() {
        return Err(ControlError::conflict("this home has a registry already"));
    }
    operators::check(&first.name, &first.passphrase)?;
    let store = first.keeping.unwrap_or(inner.options.keeping);
    let keeping = Keeping::chosen(store, first.vault.clone())?;
    let instance = Instance {
        id: uuid::Builder::from_random_bytes(bytes(inner.options.random.as_ref())?).into_uuid(),
        secrets: keeping.to_place()?,
        created: control.now(),
    };
    let store = keeping.found(inner, instance.id, &first.passphrase).await?;
    let is_file = keeping.store == SecretKeeping::File;
    let made = found(control, caller, &first, &instance, &store, keeping).await;
    if made.is_err() {
        // The secrets are of no use without a registry.
        let _ = vault::abandon(store.as_ref()).await;
        if is_file {
            let _ = tokio::fs::remove_file(inner.home.sealed_secrets()).await;
        }
    }
    made?;
    start_if_asked(control).await;
    drop(alone);
    if first.starter
        && let Err(error) = starter::load(control, caller).await
    {
        let message = format!(
            "Countersign is set up, but the starter is not: {error}. Load it later, or begin \
             without it."
        );
        return Err(ControlError::Upstream { message });
    }
    Ok(())
}

async fn found(
    control: &Control,
    caller: &Caller,
    first: &FirstRun,
    instance: &Instance,
    store: &Arc<dyn SecretStore>,
    keeping: Keeping,
) -> Result<(), ControlError> {
    let inner = control.inner();
    let random = inner.options.random.as_ref();
    // The master key comes first: a registry without one could not be told from one that lost it.
    let vault = vault::found(store.as_ref(), random).await?;
    let path = inner.home.registry();
    let registry = Registry::create(&path, instance).await?;
    let core = assemble(control, registry, Arc::clone(store), keeping);
    core.keep_vault(vault);
    let made = operators::add(&core, caller, &first.name, OperatorRole::Owner, &first.passphrase);
    match made.await {
        Ok(unlocked) => {
            core.load_world().await?;
            core.anchorage.trust();
            health::follow(control, &core.registry);
            anchor::follow(&core);
            alerts::follow(&core);
            inner.set_core(Some(core));
            control.seat().unlock(unlocked, control.now());
            Ok(())
        }
        Err(error) => {
            let _ = core.registry.close().await;
            let _ = tokio::fs::remove_file(&path).await;
            Err(error)
        }
    }
}

/// The operator whose key this passphrase opens. Wrong ones are recorded, and slow the next down.
pub(crate) async fn operator_with(
    control: &Control,
    caller: &Caller,
    passphrase: &Secret,
) -> Result<Unlocked, ControlError> {
    let core = control.core()?;
    let seat = control.seat();
    let _alone = seat.trying().await;
    seat.may_try(control.now())?;
    // In front of somebody's console on another machine no other passphrase is any.
    let only = seat.whose().map(|it| it.operator);
    let found = operators::find(&core, passphrase, only).await;
    match found {
        Ok(Some(operator)) => {
            seat.was_right();
            Ok(operator)
        }
        Ok(None) => {
            let wrong = seat.was_wrong(control.now());
            let actor = match only {
                Some(id) => EventActor::Operator { id },
                None => caller.actor.on_record(),
            };
            let event = Event {
                actor: Some(actor),
                client: seat.from(),
                correlation: Some(caller.correlation),
                reason: Some("wrong_passphrase".to_owned()),
                ..Event::new(EventKind::OperatorUnlockFailed, control.now())
            };
            core.registry.record(vec![event]).await?;
            control.changed(Topic::Audit);
            Err(wrong)
        }
        Err(error) => Err(error),
    }
}

/// Unlocks the console, and starts what could not start while the secrets were sealed.
pub(crate) async fn unlock(
    control: &Control,
    caller: &Caller,
    passphrase: &Secret,
) -> Result<(), ControlError> {
    let operator = operator_with(control, caller, passphrase).await?;
    let _alone = control.inner().changing.lock().await;
    let event = Event {
        actor: Some(EventActor::Operator { id: operator.id }),
        correlation: Some(caller.correlation),
        client: control.seat().from(),
        ..Event::new(EventKind::OperatorUnlocked, control.now())
    };
    let core = control.core()?;
    {
        // INVARIANT: trying a passphrase takes its time. Whoever was removed, or has another role or
        // key since, was locked out in that time and must not come back by what was true before.
        let _unchanged = core.editing.lock().await;
        let operator = operators::still(&core, operator).await?;
        core.registry.record(vec![event]).await?;
        control.seat().unlock(operator, control.now());
    }
    control.changed(Topic::Status);
    control.changed(Topic::Audit);
    start_if_asked(control).await;
    Ok(())
}

/// Locks the console. `reason` is a short code for the log.
pub(crate) async fn lock(control: &Control, reason: &'static str) -> Result<(), ControlError> {
    match control.seat().lock() {
        Some(operator) => record_lock(&*control.core()?, operator, reason, control.seat()).await,
        None => Ok(()),
    }
}

/// Locks every seat that an operator has unlocked.
pub(crate) async fn lock_out(
    control: &Control,
    id: OperatorId,
    reason: &'static str,
) -> Result<(), ControlError> {
    let seats = control.inner().seats();
    // Nobody stays in because what came before could not be put on record.
    let locked: Vec<_> = seats.iter().filter(|seat| seat.lock_out(id)).collect();
    for seat in locked {
        record_lock(&*control.core()?, id, reason, seat).await?;
    }
    Ok(())
}

/// Puts on record that a seat was locked.
pub(crate) async fn record_lock(
    core: &Core,
    operator: OperatorId,
    reason: &'static str,
    seat: &Seat,
) -> Result<(), ControlError> {
    let event = Event {
        actor: Some(EventActor::Operator { id: operator }),
        client: seat.from(),
        reason: Some(reason.to_owned()),
        ..Event::new(EventKind::OperatorLocked, core.now())
    };
    core.registry.record(vec![event]).await?;
    core.bell.ring(Topic::Status);
    core.bell.ring(Topic::Audit);
    Ok(())
}

/// What the last process left undone: calls of which nobody knows whether they were made.
async fn reconcile(core: &Core) -> Result<(), ControlError> {
    let lost = core.registry.submit(redemption::Reconcile { now: core.now() }).await?;
    if !lost.is_empty() {
        tracing::warn!(calls = lost.len(), "calls were under way when Countersign stopped");
    }
    Ok(())
}

/// Looks at the clock now and then, for as long as the control lives.
pub(crate) fn keep_time(inner: &Arc<Inner>) {
    let weak: Weak<Inner> = Arc::downgrade(inner);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut count: u64 = 0;
        loop {
            ticks.tick().await;
            let Some(inner) = weak.upgrade() else { return };
            count = count.wrapping_add(1);
            if let Err(error) = tick(&inner, count.is_multiple_of(60)).await {
                tracing::error!(%error, "the clock was not kept");
            }
        }
    });
}

/// Does what is due: locks an idle console, tries the disk again, expires approval requests and series, looks
/// for alerts that time brings, forgets old nonces.
pub(crate) async fn tick(inner: &Inner, prune: bool) -> Result<(), ControlError> {
    let Some(core) = inner.core() else { return Ok(()) };
    let now = core.now();
    for seat in inner.seats() {
        if let Some(operator) = seat.lock_if_idle(now) {
            record_lock(&core, operator, "idle", &seat).await?;
        }
    }
    core.consoles.cut(|link| now.secs() > link.expires.secs());
    if !health::is_writable(&core).await {
        return Ok(());
    }
    if !core.registry.submit(approval::Expire { now }).await?.is_empty() {
        core.waiters.look_again();
        core.bell.ring(Topic::Approvals);
        core.bell.ring(Topic::Audit);
    }
    if core.registry.submit(series::Expire { now }).await? > 0 {
        core.bell.ring(Topic::Approvals);
        core.bell.ring(Topic::Audit);
    }
    alerts::look_at_clock(&core).await?;
    alerts::look(&core, prune).await?;
    if prune {
        core.registry.submit(nonce::Prune { now }).await?;
        issuer::forget_retired(&core).await?;
        housekeeper::run(&core).await?;
    }
    Ok(())
}

pub(crate) async fn shutdown(control: &Control) -> Result<(), ControlError> {
    let inner = control.inner();
    let _alone = inner.changing.lock().await;
    let Some(core) = inner.core() else { return Ok(()) };
    if let Slot::Serving(gateway, ..) = core.set_slot(Slot::Stopped) {
        gateway.stop().await;
    }
    for seat in inner.seats() {
        if let Some(operator) = seat.lock() {
            record_lock(&core, operator, "shutdown", &seat).await?;
        }
    }
    consoles::listener::stop(&core).await;
    inner.set_core(None);
    if let Err(error) = anchor::keep(&core).await {
        tracing::warn!(%error, "the anchor of the registry was not kept");
    }
    core.registry.close().await?;
    Ok(())
}
