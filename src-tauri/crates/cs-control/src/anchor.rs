//! What the secret store remembers of the registry, so that an older copy of it, or one that was
//! changed while nobody looked, is found out before anything is served from it.
//!
//! The anchor follows the registry: after each change by an operator, every minute, and when it
//! is closed. Where secrets are kept in a file beside the registry, a copy of the whole folder
//! takes the anchor along: against that only a keychain helps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use cs_model::state::SessionEnd;
use cs_model::{Digest, Document, Secret};
use cs_registry::{SqliteConnection, audit, document, policy, session, tenant};
use cs_secrets::{SecretError, SecretStore};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, Notify};
use uuid::Uuid;

use crate::actor::Caller;
use crate::alerts;
use crate::control::Control;
use crate::core::Core;
use crate::failure::ControlError;
use crate::over::Over;
use crate::serving::start_if_asked;
use crate::vault::Vault;

/// Under which name the secret store has it.
pub(crate) const NAME: &str = "anchor";

/// How often it follows what agents do.
const FOLLOW: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Anchor {
    instance: Uuid,
    /// Where the log ended.
    seq: u64,
    hash: Digest,
    policy_version: u64,
    /// The digest of that version's document.
    policy: Digest,
    /// The mark of the master key that it was sealed with.
    #[serde(default)]
    key: Option<Digest>,
}

/// Whether the registry is the one that the secret store remembers.
#[derive(Clone, Debug, Default)]
enum Standing {
    /// Nobody has compared yet: the secrets are sealed.
    #[default]
    Unknown,
    /// It is.
    Sound,
    /// It is not. Says what is not as it was.
    Doubtful(String),
}

/// What is known of the anchor of an open registry.
#[derive(Debug, Default)]
pub(crate) struct Anchorage {
    standing: Mutex<Standing>,
    kept: AsyncMutex<Option<Anchor>>,
    due: Arc<Notify>,
}

impl Anchorage {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The registry is new, or an operator has accepted it.
    pub(crate) fn trust(&self) {
        *self.standing() = Standing::Sound;
    }

    /// The registry has changed.
    pub(crate) fn moved(&self) {
        self.due.notify_one();
    }

    /// What is not as it was, what that means, what to do.
    pub(crate) fn doubt(&self) -> Option<String> {
        match &*self.standing() {
            Standing::Doubtful(what) => Some(format!(
                "{what}, so nothing is served and nothing changed; if you restored a backup, \
                 run `countersign registry accept`, then revoke again at once what was revoked \
                 since; otherwise keep the registry as it is and find out who changed it"
            )),
            Standing::Sound | Standing::Unknown => None,
        }
    }

    /// Refuses what must not be done with a registry that is not what it was.
    pub(crate) fn check(&self) -> Result<(), ControlError> {
        match self.doubt() {
            Some(message) => Err(ControlError::Unavailable { message, source: None }),
            None => Ok(()),
        }
    }
}

/// Compares the registry, and the key that is to open what is sealed in it, with what the secret
/// store remembers of them.
///
/// # Errors
///
/// When it is another key: nothing could be opened with it, and what is sealed with it would be
/// lost with it.
pub(crate) async fn compare(core: &Core, vault: &Vault) -> Result<(), ControlError> {
    let kept = match core.store.get(NAME).await {
        Ok(kept) => Some(read(&kept)?),
        // An installation from before there were anchors.
        Err(SecretError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if kept.as_ref().and_then(|it| it.key).is_some_and(|key| key != vault.mark()) {
        return Err(ControlError::Unavailable {
            message: "the master key in the secret store is not the one that this registry was \
                      sealed with, so nothing is served; restore it from a backup"
                .to_owned(),
            source: None,
        });
    }
    let mut db = core.registry.read().await?;
    let mut found = changed_rows(&mut db).await?;
    if let Some(anchor) = &kept
        && let Some(older) = against(&mut db, core.registry.instance().id, anchor).await?
    {
        found = Some(older);
    }
    drop(db);
    if let Some(what) = &found {
        tracing::error!(what, "the registry is not what it was");
        // On record as far as that goes: what it tells of is the record itself.
        if let Err(error) = alerts::integrity_failed(core, None, upper(what)).await {
            tracing::warn!(%error, "that is not on record");
        }
    }
    *core.anchorage.standing() = found.map_or(Standing::Sound, Standing::Doubtful);
    *core.anchorage.kept.lock().await = kept;
    Ok(())
}

/// Why a registry is not what another store remembers of it: the store knows of more than there is
/// in it.
pub(crate) async fn is_behind(
    core: &Core,
    store: &dyn SecretStore,
) -> Result<Option<String>, ControlError> {
    let kept = match store.get(NAME).await {
        Ok(kept) => read(&kept)?,
        Err(SecretError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut db = core.registry.read().await?;
    against(&mut db, core.registry.instance().id, &kept).await
}

/// The beginning of a sentence.
fn upper(what: &str) -> String {
    let mut letters = what.chars();
    let first = letters.next().map(|it| it.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn read(kept: &Secret) -> Result<Anchor, ControlError> {
    let text = kept.expose_text().unwrap_or_default();
    serde_json::from_str(text)
        .map_err(|_| SecretError::Damaged { place: "the secret store" }.into())
}

/// What of the registry is not as the anchor says.
async fn against(
    db: &mut SqliteConnection,
    instance: Uuid,
    anchor: &Anchor,
) -> Result<Option<String>, ControlError> {
    if anchor.instance != instance {
        return Ok(Some("the registry is that of another installation".to_owned()));
    }
    match audit::hash_at(&mut *db, anchor.seq).await? {
        Some(hash) if hash == anchor.hash => {}
        Some(_) => {
            return Ok(Some(format!("event {} of the audit log is another one", anchor.seq)));
        }
        None => {
            let ends = audit::head(&mut *db).await?.map_or(0, |head| head.seq);
            return Ok(Some(format!(
                "the registry is an older copy: its audit log ends with event {ends} and went on \
                 to event {}",
                anchor.seq
            )));
        }
    }
    let same = policy::latest(&mut *db).await? >= anchor.policy_version
        && digest(&mut *db, anchor.policy_version).await? == anchor.policy;
    Ok((!same).then(|| format!("policy version {} is another one", anchor.policy_version)))
}

/// Whether the rows are what the version in force says.
async fn changed_rows(db: &mut SqliteConnection) -> Result<Option<String>, ControlError> {
    let rows = document::load(&mut *db).await?;
    let enforced = version(&mut *db, rows.version).await?;
    let what = "what is enforced was changed without a policy version";
    Ok((rows != enforced).then(|| what.to_owned()))
}

/// A policy version; the first registry has an empty one.
async fn version(db: &mut SqliteConnection, number: u64) -> Result<Document, ControlError> {
    if number == 0 { Ok(Document::default()) } else { Ok(policy::document(db, number).await?) }
}

async fn digest(db: &mut SqliteConnection, number: u64) -> Result<Digest, ControlError> {
    let document = version(db, number).await?;
    let text = serde_json::to_vec(&document)
        .map_err(|source| ControlError::internal("digest the policy", source))?;
    Ok(Digest::of(&text))
}

/// Remembers where the registry is now, unless it is in doubt.
pub(crate) async fn keep(core: &Core) -> Result<(), ControlError> {
    if !matches!(*core.anchorage.standing(), Standing::Sound) {
        return Ok(());
    }
    let mut kept = core.anchorage.kept.lock().await;
    let mut db = core.registry.read().await?;
    let Some(head) = audit::head(&mut db).await? else { return Ok(()) };
    if kept.as_ref().is_some_and(|it| (it.seq, it.hash) == (head.seq, head.hash)) {
        return Ok(());
    }
    let policy_version = policy::latest(&mut db).await?;
    let policy = match kept.as_ref().filter(|it| it.policy_version == policy_version) {
        Some(same) => same.policy,
        None => digest(&mut db, policy_version).await?,
    };
    drop(db);
    // An anchor that outlives what it names would put the registry in doubt after a power cut.
    core.registry.sync().await?;
    let (instance, seq, hash) = (core.registry.instance().id, head.seq, head.hash);
    let key = Some(core.vault()?.mark());
    let anchor = Anchor { instance, seq, hash, policy_version, policy, key };
    let text = serde_json::to_string(&anchor)
        .map_err(|source| ControlError::internal("write the anchor", source))?;
    core.store.put(NAME, &Secret::from_text(text)).await?;
    *kept = Some(anchor);
    Ok(())
}

/// Keeps the anchor up, for as long as the registry is open.
pub(crate) fn follow(core: &Arc<Core>) {
    let (due, core): (_, Weak<Core>) = (Arc::clone(&core.anchorage.due), Arc::downgrade(core));
    tokio::spawn(async move {
        loop {
            // Whichever comes first: a change by an operator, or the time.
            let _ = tokio::time::timeout(FOLLOW, due.notified()).await;
            let Some(core) = core.upgrade() else { return };
            if let Err(error) = keep(&core).await {
                tracing::warn!(%error, "the anchor of the registry was not kept");
            }
        }
    });
}

/// Takes the registry as it is, in an operator's name. What was under way in it is over.
pub(crate) async fn accept(control: &Control, caller: &Caller) -> Result<(), ControlError> {
    let core = control.core()?;
    let nothing = || ControlError::conflict("there is nothing to accept: the registry is in order");
    let Standing::Doubtful(what) = core.anchorage.standing().clone() else {
        return Err(nothing());
    };
    let alone = control.inner().changing.lock().await;
    let mut edit = core.edit_in_doubt(caller).await?;
    let (at, why) = (edit.at(), SessionEnd::Operator);
    let mut over = Vec::new();
    for tenant in tenant::list(edit.db()).await? {
        let live = session::list(edit.db(), tenant.id, true, at, u32::MAX).await?;
        let live: Vec<_> = live.into_iter().map(|session| session.new.id).collect();
        for session in &live {
            session::end(edit.db(), tenant.id, *session, why, at).await?;
        }
        over.push(Over::of(&mut edit, tenant.id, live, why).await?);
    }
    edit.say(None, format!("accepted the registry, although {what}"));
    edit.enforce("accepted the registry as it is").await?;
    core.anchorage.trust();
    keep(&core).await?;
    for over in over {
        over.take_effect(&core).await;
    }
    start_if_asked(control).await;
    drop(alone);
    Ok(())
}
