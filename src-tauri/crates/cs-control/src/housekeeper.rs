//! The housekeeper: does what is due about credentials, by the installation's own clock.
//!
//! What is due is decided by the rows as they are in the transaction that records it, so nothing is
//! done twice, however often it looks and whenever the process dies. Whatever was missed while the
//! machine slept is done with the next look. While the clock stands before the last look nothing is
//! done at all, until a person has looked: by such a clock anything could be due.

pub(crate) mod due;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cs_model::event::{Actor, EventKind};
use cs_model::{CorrelationId, CredentialId, Document, Lifecycle, TenantId, Timestamp};
use cs_registry::credential::{self, Credential};
use cs_registry::issuer as issuers;
use cs_registry::rotation::{self, Housekeeping};

use self::due::Due;
use crate::core::Core;
use crate::edit::Edit;
use crate::failure::ControlError;
use crate::issuer::{self, Seeds};
use crate::over::Over;
use crate::{names, replace};

/// How far back a clock may be without anything being wrong.
const BACK: Duration = Duration::from_secs(5);

/// How far ahead of the steady clock somebody may have set it without anybody looking.
pub(crate) const AHEAD: Duration = Duration::from_secs(60 * 60);

/// How much is done in one transaction, and how many of them in one look.
const PIECE: usize = 256;
const MOST_PIECES: usize = 1000;

/// How long until what failed is tried again.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// What the housekeeper remembers beside the registry.
#[derive(Debug, Default)]
pub(crate) struct Housekeeper {
    /// What could not be replaced, and when.
    failed: Mutex<HashMap<CredentialId, Timestamp>>,
}

impl Housekeeper {
    fn may_try(&self, id: CredentialId, now: Timestamp) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get(&id).is_none_or(|at| now >= at.after(PAUSE))
    }

    fn note_failure(&self, id: CredentialId, now: Timestamp) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(id, now);
    }

    fn forget(&self, id: CredentialId) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// Looks once, and does all that is due.
pub(crate) async fn run(core: &Core) -> Result<(), ControlError> {
    let now = core.now();
    let (kept, rows, keys) = {
        let mut db = core.registry.read().await?;
        let kept = rotation::housekeeping(&mut db).await?;
        let rows = credential::standing(&mut db).await?;
        (kept, rows, issuers::all_keys(&mut db).await?)
    };
    if kept.halted.is_some() {
        return Ok(());
    }
    if let Some(last) = is_set_back(&kept, now) {
        let back = last.since(now).as_secs();
        return halt(core, last, &format!("back by {back} s, behind what was done last")).await;
    }
    let document = core.document();
    for tenant in issuers_due(&document, &keys, now) {
        turn_issuer(core, tenant).await?;
    }
    if due_now(core, &document, &rows, now).is_empty() {
        core.registry.submit(rotation::Tick { now }).await?;
        return Ok(());
    }
    for _ in 0..MOST_PIECES {
        if !piece(core).await? {
            break;
        }
    }
    Ok(())
}

/// The last look, where the clock stands before it.
fn is_set_back(kept: &Housekeeping, now: Timestamp) -> Option<Timestamp> {
    kept.last_tick.filter(|last| now.after(BACK) < *last)
}

/// Stands still until a person has looked, for a reason that follows "the clock was set".
pub(crate) async fn halt(core: &Core, last: Timestamp, how: &str) -> Result<(), ControlError> {
    let mut edit = core.edit_as(Actor::System, CorrelationId::from_random(core.random()?)).await?;
    let at = edit.at();
    if rotation::housekeeping(edit.db()).await?.halted.is_some() {
        return Ok(());
    }
    rotation::keep_housekeeping(edit.db(), last, Some((at, how))).await?;
    let mut event = edit.event(EventKind::ClockMoved, None);
    event.reason = Some("housekeeping_halted".to_owned());
    event.detail = Some(format!(
        "{how}: no credential is replaced, retired or revoked by itself until somebody has looked"
    ));
    edit.tell(event);
    edit.keep().await?;
    core.bell.ring(crate::change::Topic::Status);
    Ok(())
}

/// Has it go on by the clock as it is now.
pub(crate) async fn resume(core: &Core, mut edit: Edit<'_>) -> Result<(), ControlError> {
    let kept = rotation::housekeeping(edit.db()).await?;
    let Some((since, why)) = kept.halted else {
        return Err(ControlError::conflict("housekeeping does not stand still"));
    };
    let at = edit.at();
    rotation::keep_housekeeping(edit.db(), at, None).await?;
    edit.say(None, format!("had housekeeping go on, which stood still since {since}: {why}"));
    edit.keep().await?;
    core.bell.ring(crate::change::Topic::Status);
    Ok(())
}

/// What is due, but for what cannot be done now.
fn due_now(
    core: &Core,
    document: &Document,
    rows: &[Credential],
    now: Timestamp,
) -> Vec<(TenantId, Due)> {
    let open = core.vault().is_ok();
    let terms = |tenant| terms_of(document, tenant);
    let mut all = due::all(rows, terms, now);
    all.retain(|(_, due)| match due {
        Due::Rotate { old } => open && core.housekeeper.may_try(*old, now),
        Due::Overlap { .. } | Due::Retire { .. } => true,
    });
    all
}

fn terms_of(document: &Document, tenant: TenantId) -> Lifecycle {
    let doc = document.tenants.iter().find(|it| it.id == tenant);
    doc.map(|it| it.lifecycle).unwrap_or_default()
}

/// Does some of what is due. Says whether there was any.
async fn piece(core: &Core) -> Result<bool, ControlError> {
    let mut edit = core.edit_as(Actor::System, CorrelationId::from_random(core.random()?)).await?;
    let (now, document) = (edit.at(), core.document());
    let kept = rotation::housekeeping(edit.db()).await?;
    if kept.halted.is_some() || is_set_back(&kept, now).is_some() {
        return Ok(false);
    }
    let rows = credential::standing(edit.db()).await?;
    let by_id: HashMap<CredentialId, &Credential> = rows.iter().map(|it| (it.id, it)).collect();
    let mut due = due_now(core, &document, &rows, now);
    due.truncate(PIECE);
    if due.is_empty() {
        return Ok(false);
    }
    let mut over = Vec::new();
    for (tenant, due) in due {
        let (Due::Overlap { old: id, .. } | Due::Retire { id, .. } | Due::Rotate { old: id }) = due;
        let Some(found) = by_id.get(&id).copied() else { continue };
        match due {
            Due::Overlap { ends, .. } => replace::overlap(&mut edit, found, ends).await?,
            Due::Retire { why, .. } => {
                over.extend(replace::retire(&mut edit, found, why.code()).await?);
            }
            Due::Rotate { .. } => {
                let doc = names::tenant(&document, tenant)?;
                match replace::prepare(core, doc, found, now) {
                    Ok(made) => {
                        over.extend(replace::begin(&mut edit, found, &made, "due").await?);
                        core.housekeeper.forget(id);
                    }
                    Err(error) => {
                        core.housekeeper.note_failure(id, now);
                        replace::tell_failure(&mut edit, found, &error);
                    }
                }
            }
        }
    }
    rotation::keep_housekeeping(edit.db(), now, None).await?;
    edit.record().await?;
    for over in over {
        Over::take_effect(over, core).await;
    }
    Ok(true)
}

/// The tenants whose issuer is to sign with its next key: no key is used or published for longer
/// than keys may be. The next one waits as long as it signs.
fn issuers_due(document: &Document, keys: &[issuers::Key], now: Timestamp) -> Vec<TenantId> {
    use cs_model::state::IssuerKeyState;
    let next = keys.iter().filter(|it| it.state == IssuerKeyState::Next);
    let due = next.filter(|it| {
        let terms = terms_of(document, it.tenant);
        let whole = terms.rotate_secs.unwrap_or(Lifecycle::MOST_ROTATE);
        now >= it.created.after(Duration::from_secs(u64::from(whole.div_euclid(2))))
    });
    due.map(|it| it.tenant).collect()
}

async fn turn_issuer(core: &Core, tenant: TenantId) -> Result<(), ControlError> {
    if core.vault().is_err() {
        return Ok(());
    }
    let correlation = CorrelationId::from_random(core.random()?);
    let alone = core.hold().await?;
    let keys = issuers::all_keys(&mut *core.registry.read().await?).await?;
    if !issuers_due(&core.document(), &keys, core.now()).contains(&tenant) {
        return Ok(());
    }
    let mut seeds = Seeds::make(core, 1)?;
    seeds.keep(core, tenant).await?;
    let mut edit = core.edit_alone_as(alone, Actor::System, correlation).await?;
    issuer::rotate(&mut edit, tenant, &mut seeds).await?;
    edit.record().await
}
