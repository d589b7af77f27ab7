//! Tells a web server that calls wait, where an operator wants that, and nothing of who asks for
//! what.
//!
//! A call does not wait for it: what is told is decided and sent in a task of its own, one for each
//! tenant with something to tell. It sends at once, and then whatever came in meanwhile is told
//! together a moment later.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cs_gateway::Notices;
use cs_gateway::ports::Clock;
use cs_model::{Secret, TenantId, Timestamp};
use cs_registry::approval;
use cs_registry::webhook::{self, Webhook};
use cs_secrets::SecretError;
use cs_trust::WebhookKey;
use serde::Serialize;
use uuid::Uuid;

use crate::change::Topic;
use crate::core::Core;
use crate::failure::ControlError;

/// How often a tenant's waiting calls are told of at most.
const PACE: Duration = Duration::from_secs(10);

/// How long the server may take to take a notice.
const PATIENCE: Duration = Duration::from_secs(5);

/// After how long a notice that was not taken is sent again, each time.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// The most calls that are counted.
const MOST: u32 = 1000;

/// What is known of the notices of one process.
#[derive(Debug, Default)]
pub(crate) struct Herald {
    /// The tenants of which something was told a moment ago, and whether there is more to tell.
    due: Mutex<HashMap<TenantId, bool>>,
    last: Mutex<Option<Last>>,
    notices: Arc<Notices>,
}

/// How the last notice fared.
#[derive(Clone, Debug)]
pub(crate) struct Last {
    pub(crate) at: Timestamp,
    pub(crate) problem: Option<String>,
}

/// All that is told.
#[derive(Debug, Serialize)]
struct Told<'t> {
    waiting: u64,
    tenant: &'t str,
}

/// A notice that is ready to be sent, as often as it takes.
#[derive(Debug)]
struct Notice {
    id: String,
    url: String,
    key: Option<WebhookKey>,
    body: String,
}

impl Herald {
    fn due(&self) -> MutexGuard<'_, HashMap<TenantId, bool>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the last notice fared, if there was one.
    pub(crate) fn last(&self) -> Option<Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the last notice was not taken, for the status.
    pub(crate) fn problem(&self) -> Option<String> {
        let problem = self.last()?.problem?;
        Some(format!("nobody was told of waiting calls: {problem}"))
    }

    /// Nothing is known any more: another server is told from now on, or none.
    pub(crate) fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A call of a tenant began to wait. Does no work that whoever says so would have to wait for.
pub(crate) fn call_waits(core: &Arc<Core>, tenant: TenantId) {
    match core.herald.due().entry(tenant) {
        Entry::Occupied(mut more) => {
            more.insert(true);
            return;
        }
        Entry::Vacant(first) => {
            first.insert(false);
        }
    }
    let core = Arc::downgrade(core);
    tokio::spawn(async move {
        loop {
            let Some(here) = core.upgrade() else { return };
            let ready = prepare(&here, tenant).await;
            let (notices, clock) = (Arc::clone(&here.herald.notices), Arc::clone(&here.clock));
            drop(here);
            let fared = match ready {
                Ok(Some(notice)) => Some(insist(&notices, clock.as_ref(), &notice).await),
                Ok(None) => None,
                Err(problem) => Some(Err(problem)),
            };
            if let (Some(fared), Some(here)) = (fared, core.upgrade()) {
                learn(&here, fared.err());
            }
            tokio::time::sleep(PACE).await;
            let Some(here) = core.upgrade() else { return };
            let mut due = here.herald.due();
            match due.get_mut(&tenant) {
                Some(more) if *more => *more = false,
                Some(_) | None => {
                    due.remove(&tenant);
                    return;
                }
            }
        }
    });
}

/// What is to be told of a tenant now; nothing when nobody is told, or nothing waits any more.
async fn prepare(core: &Core, tenant: TenantId) -> Result<Option<Notice>, String> {
    let look = async {
        let mut db = core.registry.read().await?;
        let Some(webhook) = webhook::load(&mut db).await? else { return Ok(None) };
        let waiting = approval::waiting(&mut db, Some(tenant), core.now(), MOST).await?.len();
        Ok::<_, ControlError>(Some((webhook, waiting)))
    };
    let (webhook, waiting) = match look.await {
        Ok(Some((webhook, waiting))) if waiting > 0 => (webhook, waiting),
        Ok(_) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let document = core.document();
    let Some(doc) = document.tenants.iter().find(|it| it.id == tenant) else { return Ok(None) };
    let told = Told { waiting: crate::show::count(waiting), tenant: doc.name.as_str() };
    notice(core, webhook, &told).await.map(Some)
}

async fn notice(core: &Core, webhook: Webhook, told: &Told<'_>) -> Result<Notice, String> {
    let id: [u8; 16] = core.random().map_err(|error| error.to_string())?;
    let id = uuid::Builder::from_random_bytes(id).into_uuid().simple();
    let key = match webhook.key {
        // What is to be signed is not sent without.
        Some(id) => Some(key(core, id).await?),
        None => None,
    };
    let body = serde_json::to_string(told).map_err(|error| error.to_string())?;
    Ok(Notice { id: format!("msg_{id}"), url: webhook.url, key, body })
}

/// Sends a notice until it is taken, or until that was tried often enough.
async fn insist(notices: &Notices, clock: &dyn Clock, notice: &Notice) -> Result<(), String> {
    for pause in PAUSES {
        if send(notices, clock, notice).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
    }
    send(notices, clock, notice).await
}

/// Sends a notice once. However often that is done, its id stays the same.
async fn send(notices: &Notices, clock: &dyn Clock, notice: &Notice) -> Result<(), String> {
    let Notice { id, url, key, body } = notice;
    let now = clock.now();
    let mut headers =
        vec![("webhook-id", id.clone()), ("webhook-timestamp", now.secs().to_string())];
    if let Some(key) = key {
        headers.push(("webhook-signature", key.sign(id, now, body)));
    }
    let sent = notices.post(url, &headers, body.clone(), PATIENCE).await;
    sent.map_err(|error| cs_model::text::neutralise(&error.to_string(), 200))
}

fn learn(core: &Core, problem: Option<String>) {
    if let Some(problem) = &problem {
        tracing::warn!(problem, "nobody was told of waiting calls");
    }
    let last = Last { at: core.now(), problem };
    *core.herald.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    core.bell.ring(Topic::Status);
}

/// Tells the server once that nothing waits, so that somebody sees whether it hears.
pub(crate) async fn test(core: &Core, webhook: Webhook) -> Result<(), String> {
    let fared = match notice(core, webhook, &Told { waiting: 0, tenant: "test" }).await {
        Ok(notice) => send(&core.herald.notices, core.clock.as_ref(), &notice).await,
        Err(problem) => Err(problem),
    };
    learn(core, fared.as_ref().err().cloned());
    fared
}

/// Under which name the secret store has a key.
pub(crate) fn key_name(id: Uuid) -> String {
    format!("webhook.{}", id.simple())
}

async fn key(core: &Core, id: Uuid) -> Result<WebhookKey, String> {
    let kept: Result<Secret, SecretError> = core.store.get(&key_name(id)).await;
    let kept = kept.map_err(|error| format!("the key that signs it cannot be had: {error}"))?;
    WebhookKey::read(&kept).ok_or_else(|| "the key that signs it cannot be read".to_owned())
}
