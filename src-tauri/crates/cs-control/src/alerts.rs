//! Looks at the log, and at the clock, for what people should know of.
//!
//! The rules are those of `cs_audit::alert`. How far they have looked is kept together with what
//! they found: whenever the process dies, the next one goes on from there, and finds nothing twice.

mod clock;
mod contain;
mod facts;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use cs_audit::alert::{Engine, Findings, Firing, Rules};
use cs_model::alert::{AlertRule, AlertSettings};
use cs_model::event::{Actor, Event, EventKind};
use cs_model::text::neutralise;
use cs_model::{AlertId, CorrelationId, TenantId};
use cs_registry::{SqliteConnection, alert, audit};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex as AsyncMutex, broadcast};

use crate::change::{Change, Topic};
use crate::core::Core;
use crate::failure::ControlError;

pub(crate) use clock::look as look_at_clock;

/// The most characters of what is wrong with the log.
const LONGEST_DETAIL: usize = 300;

/// A day, in seconds.
const DAY: u32 = 24 * 60 * 60;

/// How many events are looked at in one go.
const PIECE: u32 = 1000;

/// After how many events without a finding it is kept how far was looked.
const KEEP_EVERY: u64 = 5000;

/// How often the log is looked at when nobody says that there is something new.
const PACE: Duration = Duration::from_millis(500);

/// How far the rules have looked, and what they remember.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    place: AsyncMutex<Option<Place>>,
    clock: Mutex<Option<clock::Mark>>,
    /// Set once nothing is left to be cut off.
    contained: AtomicBool,
}

#[cfg(test)]
impl Watch {
    /// Keeps everybody from looking, for as long as it is held.
    pub(crate) async fn hold(&self) -> tokio::sync::MutexGuard<'_, Option<Place>> {
        self.place.lock().await
    }
}

#[derive(Debug)]
pub(crate) struct Place {
    /// How far the registry says.
    kept: u64,
    /// How far it is. What lies between holds no finding.
    seen: u64,
    engine: Engine,
}

/// How all rules are set.
#[derive(Debug)]
pub(crate) struct Set(HashMap<(Option<TenantId>, AlertRule), AlertSettings>);

impl Set {
    pub(crate) async fn load(db: &mut SqliteConnection) -> Result<Self, ControlError> {
        let all = alert::rules(db).await?.into_iter();
        Ok(Self(all.map(|it| ((it.tenant, it.rule), it.settings)).collect()))
    }
}

impl Rules for Set {
    fn settings(&self, tenant: Option<TenantId>, rule: AlertRule) -> AlertSettings {
        let whose = if rule.is_everywhere() { None } else { tenant };
        let set = self.0.get(&(whose, rule)).copied();
        set.unwrap_or_else(|| AlertSettings::default_of(rule))
    }
}

/// Looks at what is new in the log.
pub(crate) async fn evaluate(core: &Core) -> Result<(), ControlError> {
    let mut place = core.watch.place.lock().await;
    // Taken out, so that after a failure it is looked again from where the registry says: what
    // was found last may be kept or not.
    let mut at = match place.take() {
        Some(at) => at,
        None => begin(core).await?,
    };
    loop {
        let mut db = core.registry.read().await?;
        let head = audit::head(&mut db).await?.map_or(0, |head| head.seq);
        if head <= at.seen {
            break;
        }
        let piece = audit::notable_after(&mut db, at.seen, head, PIECE).await?;
        let is_whole = u32::try_from(piece.len()).is_ok_and(|count| count < PIECE);
        let last = if is_whole { head } else { piece.last().map_or(head, |entry| entry.seq) };
        let rules = Set::load(&mut db).await?;
        let mut found = Findings::default();
        for entry in &piece {
            let Ok(event) = entry.event() else {
                // Whoever verifies the log is told of it.
                tracing::error!(seq = entry.seq, "an audit event cannot be read");
                continue;
            };
            let facts = facts::of(core, &mut db, &at.engine, entry.seq, &event).await?;
            let new = at.engine.observe(entry.seq, &event, &facts, &rules);
            found.fired.extend(new.fired);
            found.over.extend(new.over);
        }
        drop(db);
        at.seen = last;
        let nothing = found.fired.is_empty() && found.over.is_empty();
        if !nothing || at.seen.saturating_sub(at.kept) >= KEEP_EVERY {
            let to = at.seen;
            keep(core, &mut at, to, found, &rules).await?;
        }
    }
    *place = Some(at);
    // Whoever looks next finds what caused an incident cut off.
    contain_due(core).await;
    drop(place);
    Ok(())
}

/// Where the registry says that it was left off, with what has to be remembered from before.
async fn begin(core: &Core) -> Result<Place, ControlError> {
    let mut db = core.registry.read().await?;
    let seen = alert::cursor(&mut db).await?;
    let (mut engine, rules) = (Engine::default(), Set::load(&mut db).await?);
    let since = core.now().before(Duration::from_secs(Engine::REACH_SECS));
    let most = Engine::REACH_EVENTS;
    for entry in audit::failures_before(&mut db, seen, since, most).await? {
        let Ok(event) = entry.event() else { continue };
        let facts = facts::of(core, &mut db, &engine, entry.seq, &event).await?;
        engine.observe(entry.seq, &event, &facts, &rules);
    }
    Ok(Place { kept: seen, seen, engine })
}

/// Keeps what was found, and how far was looked.
async fn keep(
    core: &Core,
    at: &mut Place,
    to: u64,
    found: Findings,
    rules: &Set,
) -> Result<(), ControlError> {
    let new = found.fired.into_iter().map(|found| {
        let settings = rules.settings(found.tenant, found.rule);
        let id = AlertId::from_random(core.random()?);
        Ok(alert::New { id, found, settings })
    });
    let kept: Vec<_> = new.collect::<Result<_, ControlError>>()?;
    let (from, over, now) = (at.kept, found.over, core.now());
    let told = !kept.is_empty() || !over.is_empty();
    let work = alert::Raise { from, to, found: kept, over, now };
    let raised = core.registry.submit(work).await?;
    at.kept = to;
    if raised.contain {
        core.watch.contained.store(false, Ordering::Release);
    }
    if told {
        core.bell.ring(Topic::Alerts);
    }
    if raised.new > 0 {
        core.bell.ring(Topic::Audit);
    }
    Ok(())
}

/// Looks for what only the passing of time makes an alert of.
pub(crate) async fn look(core: &Core, credentials: bool) -> Result<(), ControlError> {
    let now = core.now();
    let mut db = core.registry.read().await?;
    let rules = Set::load(&mut db).await?;
    let settings = |tenant, rule| {
        let settings = rules.settings(Some(tenant), rule);
        (!settings.is_muted(now)).then_some(settings.threshold)
    };
    let running = alert::running(&mut db, now).await?;
    let unused = if credentials { alert::unused(&mut db).await? } else { Vec::new() };
    drop(db);
    let overlong = running.iter().filter_map(|it| {
        let percent = settings(it.tenant, AlertRule::SessionOverlong)?;
        it.is_overlong(percent).then(|| it.firing(now))
    });
    let document = core.document();
    let unused = unused.iter().filter_map(|it| {
        let days = settings(it.tenant, AlertRule::CredentialUnused)?;
        let doc = document.tenants.iter().find(|doc| doc.id == it.tenant);
        let terms = doc.map(|doc| doc.lifecycle).unwrap_or_default();
        // The rule's own number can only be a shorter one.
        let secs = days.saturating_mul(DAY).min(terms.alert_unused());
        let span = Duration::from_secs(u64::from(secs));
        it.for_so_long(span, now).then(|| it.firing(span, now))
    });
    let fired: Vec<Firing> = overlong.chain(unused).collect();
    if fired.is_empty() {
        return Ok(());
    }
    let mut place = core.watch.place.lock().await;
    let mut at = match place.take() {
        Some(at) => at,
        None => begin(core).await?,
    };
    let to = at.kept;
    keep(core, &mut at, to, Findings { fired, over: Vec::new() }, &rules).await?;
    *place = Some(at);
    Ok(())
}

/// Cuts off what is to be cut off. What cannot be now is tried again with the next look.
async fn contain_due(core: &Core) {
    if core.watch.contained.swap(true, Ordering::AcqRel) {
        return;
    }
    if let Err(error) = contain::all(core).await {
        core.watch.contained.store(false, Ordering::Release);
        tracing::warn!(%error, "what caused an incident was not cut off");
    }
}

/// Puts on record that the log, or the registry that holds it, is not what it was.
pub(crate) async fn integrity_failed(
    core: &Core,
    correlation: Option<CorrelationId>,
    what: String,
) -> Result<(), ControlError> {
    let event = Event {
        actor: Some(Actor::System),
        correlation,
        detail: Some(neutralise(&what, LONGEST_DETAIL)),
        ..Event::new(EventKind::IntegrityFailed, core.now())
    };
    core.registry.record(vec![event]).await?;
    core.bell.ring(Topic::Audit);
    Ok(())
}

/// Looks once, at all of it: when a home opens. A registry that cannot be written to opens too.
pub(crate) async fn catch_up(core: &Core) {
    let caught_up = async {
        evaluate(core).await?;
        look(core, true).await
    };
    if let Err(error) = caught_up.await {
        tracing::warn!(%error, "alerts did not catch up with the log");
    }
}

/// Looks whenever there is something new, for as long as the registry is open.
pub(crate) fn follow(core: &Arc<Core>) {
    let (mut heard, core): (_, Weak<Core>) = (core.bell.listen(), Arc::downgrade(core));
    tokio::spawn(async move {
        let mut failing = false;
        loop {
            let new = tokio::time::timeout(PACE, something_new(&mut heard)).await;
            let Some(core) = core.upgrade() else { return };
            if matches!(new, Ok(false)) {
                return;
            }
            // What cannot be kept is looked at again once it can.
            if core.registry.trouble().is_some() {
                continue;
            }
            let done = evaluate(&core).await;
            if let (Err(error), false) = (&done, failing) {
                tracing::warn!(%error, "the log was not looked at for alerts");
            }
            failing = done.is_err();
        }
    });
}

/// Waits until the log may have grown. Says whether it ever can again.
async fn something_new(heard: &mut broadcast::Receiver<Change>) -> bool {
    loop {
        match heard.recv().await {
            Ok(Change { topic: Topic::Audit }) | Err(RecvError::Lagged(_)) => return true,
            Ok(_) => {}
            Err(RecvError::Closed) => return false,
        }
    }
}
