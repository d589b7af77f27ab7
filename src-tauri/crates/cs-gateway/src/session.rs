//! Authorization sessions: one agent, one task, a frozen allowlist, an end.

mod live;
mod talk;
mod task;
mod watching;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cs_model::event::{Decision, Event, EventKind};
use cs_model::state::SessionEnd;
use cs_model::{CredentialId, RoleId, SessionId, TaskId, TenantId, Timestamp};
use cs_policy::Session;

use crate::authn::{Presented, stands};
use crate::authz;
use crate::gate::Gate;
use crate::ports::{PortError, StoredSession};
use crate::refusal::Refusal;
use crate::trail::Trail;

pub(crate) use self::live::Live;
pub use self::live::SessionSummary;
pub(crate) use self::talk::{Open, Talk};
pub(crate) use self::task::Declared;
pub(crate) use self::watching::{Watch, Watching};

/// The sessions that are under way. At most one of each credential.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
    /// Held while a session opens, so that no credential opens two.
    door: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Pages {
    by_id: HashMap<SessionId, Arc<Live>>,
    by_credential: HashMap<CredentialId, SessionId>,
    by_wire: HashMap<String, SessionId>,
}

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session by its id.
    pub(crate) fn get(&self, id: SessionId) -> Option<Arc<Live>> {
        self.pages().by_id.get(&id).cloned()
    }

    /// Every session.
    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        self.pages().by_id.values().cloned().collect()
    }

    fn of_credential(&self, credential: CredentialId) -> Option<Arc<Live>> {
        let pages = self.pages();
        pages.by_credential.get(&credential).and_then(|id| pages.by_id.get(id)).cloned()
    }

    fn of_wire(&self, wire_id: &str) -> Option<Arc<Live>> {
        let pages = self.pages();
        pages.by_wire.get(wire_id).and_then(|id| pages.by_id.get(id)).cloned()
    }

    /// Takes a session in.
    pub(crate) fn insert(
        &self,
        stored: StoredSession,
        roles: Option<BTreeSet<RoleId>>,
    ) -> Arc<Live> {
        let live = Arc::new(Live::new(stored, roles));
        let mut pages = self.pages();
        if let Some(wire_id) = live.wire_id() {
            pages.by_wire.insert(wire_id, live.id());
        }
        pages.by_credential.insert(live.credential, live.id());
        pages.by_id.insert(live.id(), Arc::clone(&live));
        live
    }

    fn rebind(&self, live: &Live, wire_id: Option<String>) {
        let mut pages = self.pages();
        if let Some(before) = live.rebind(wire_id.clone()) {
            pages.by_wire.remove(&before);
        }
        if let Some(wire_id) = wire_id {
            pages.by_wire.insert(wire_id, live.id());
        }
    }

    fn remove(&self, live: &Live) {
        let mut pages = self.pages();
        pages.by_id.remove(&live.id());
        if pages.by_credential.get(&live.credential) == Some(&live.id()) {
            pages.by_credential.remove(&live.credential);
        }
        if let Some(wire_id) = live.wire_id() {
            pages.by_wire.remove(&wire_id);
        }
    }
}

/// `initialize` of the older era: opens a session, or goes on with the one that is under way
/// under a new id of the wire.
pub(crate) async fn initialize(
    gate: &Gate,
    presented: &Presented,
    declared: &Declared,
    trail: &mut Trail,
) -> Result<(Arc<Live>, String), Refusal> {
    let wire_id = URL_SAFE_NO_PAD.encode(gate.random::<32>()?);
    let task = task::resolve(gate, presented, declared, trail).await?;
    let _door = gate.sessions.door.lock().await;
    if let Some(live) = under_way(gate, presented, task, trail).await? {
        gate.ports.sessions.rebound(live.id(), Some(&wire_id)).await?;
        gate.sessions.rebind(&live, Some(wire_id.clone()));
        trail.session(live.id(), live.task());
        return Ok((live, wire_id));
    }
    let live = open(gate, presented, task, Some(wire_id.clone()), trail).await?;
    Ok((live, wire_id))
}

/// A later request of the older era: finds the session that it names. The answer is the same
/// whether there is none, it is somebody else's, or it is over.
pub(crate) async fn resume(
    gate: &Gate,
    presented: &Presented,
    wire_id: &str,
    declared: &Declared,
    trail: &mut Trail,
) -> Result<Arc<Live>, Refusal> {
    let live = gate.sessions.of_wire(wire_id).ok_or(Refusal::SessionGone)?;
    let owned = live.credential == presented.credential() && live.tenant() == presented.tenant();
    if !owned || live.is_over() {
        return Err(Refusal::SessionGone);
    }
    if !live.is_usable(gate.now()) {
        end(gate, &live, SessionEnd::Expired).await?;
        return Err(Refusal::SessionGone);
    }
    if live.roles() != presented.roles() {
        end(gate, &live, SessionEnd::Credential).await?;
        return Err(Refusal::SessionGone);
    }
    trail.session(live.id(), live.task());
    let task = task::resolve(gate, presented, declared, trail).await?;
    if task.is_some() && task != live.task() {
        return Err(conflict(gate, Some(&live), trail).await?);
    }
    live.used(gate.now());
    Ok(live)
}

/// A request of the newer era: goes on with the session of its credential and task, or opens it.
pub(crate) async fn attach(
    gate: &Gate,
    presented: &Presented,
    declared: &Declared,
    trail: &mut Trail,
) -> Result<Arc<Live>, Refusal> {
    let task = task::resolve(gate, presented, declared, trail).await?;
    let fits = |live: &Arc<Live>| {
        live.task() == task && live.roles() == presented.roles() && live.is_usable(gate.now())
    };
    let live = match gate.sessions.of_credential(presented.credential()).filter(fits) {
        Some(live) => live,
        None => {
            let _door = gate.sessions.door.lock().await;
            match under_way(gate, presented, task, trail).await? {
                Some(live) => live,
                None => open(gate, presented, task, None, trail).await?,
            }
        }
    };
    trail.session(live.id(), live.task());
    live.used(gate.now());
    Ok(live)
}

/// The session of the credential that is under way, if it is for this task. One that expired is
/// ended, and one without a task makes room for one with: it could not do anything.
async fn under_way(
    gate: &Gate,
    presented: &Presented,
    task: Option<TaskId>,
    trail: &mut Trail,
) -> Result<Option<Arc<Live>>, Refusal> {
    let Some(live) = gate.sessions.of_credential(presented.credential()) else { return Ok(None) };
    if !live.is_usable(gate.now()) {
        end(gate, &live, SessionEnd::Expired).await?;
        return Ok(None);
    }
    // What was frozen for other roles is not what the caller has now.
    if live.roles() != presented.roles() {
        end(gate, &live, SessionEnd::Credential).await?;
        return Ok(None);
    }
    if live.task() == task {
        return Ok(Some(live));
    }
    if live.task().is_none() {
        end(gate, &live, SessionEnd::Client).await?;
        return Ok(None);
    }
    Err(conflict(gate, Some(&live), trail).await?)
}

async fn open(
    gate: &Gate,
    presented: &Presented,
    task: Option<TaskId>,
    wire_id: Option<String>,
    trail: &mut Trail,
) -> Result<Arc<Live>, Refusal> {
    let (world, now) = (gate.world(), gate.now());
    let (tenant, agent) = (presented.tenant(), presented.agent());
    let allowlist = match cs_policy::open_in(&world.policy, tenant, agent, task, presented.roles())
    {
        Ok(allowlist) => allowlist,
        Err(deny) => {
            stray(gate, None, trail, deny.code()).await?;
            return Err(Refusal::TaskRefused);
        }
    };
    let longest = task
        .and_then(|task| world.policy.tenant(tenant)?.task(task))
        .map_or(gate.config.limits.session, |task| Duration::from_secs(task.longest_secs.into()));
    let ends = now.after(longest.min(gate.config.limits.session)).min(presented.expires());
    let id = SessionId::from_random(gate.random()?);
    let tools = allowlist.len();
    let stored = StoredSession {
        session: Session { id, tenant, agent, task, ends, ended: false, allowlist },
        credential: presented.credential(),
        opened: now,
        policy_version: world.policy.version(),
        wire_id,
        calls: 0,
        anomalies: 0,
    };
    trail.session(id, task);
    let mut event = trail.event(EventKind::SessionOpened, now);
    event.policy_version = Some(stored.policy_version);
    let noun = if tools == 1 { "tool" } else { "tools" };
    event.detail = Some(format!("{tools} {noun}, until {ends}"));
    gate.ports.sessions.opened(&stored, trail.take_with(event)).await?;
    let live = gate.sessions.insert(stored, presented.roles().cloned());
    live.used(now);
    Ok(live)
}

/// Ends a session. Ending one that is over changes nothing.
///
/// It is over for every request from the first line on; what is written down follows.
pub(crate) async fn end(gate: &Gate, live: &Live, why: SessionEnd) -> Result<bool, PortError> {
    if !live.end(why) {
        return Ok(false);
    }
    gate.sessions.remove(live);
    live.watching().clear();
    gate.outbound.release(live.id()).await;
    let now = gate.now();
    let ended = event_of(live, EventKind::SessionEnded, now, why.as_str());
    gate.ports.sessions.ended(live.id(), why, now, vec![ended]).await?;
    for (operation, approval) in live.all_waiting() {
        if !live.settled(operation) {
            continue;
        }
        let mut withdrawn = event_of(live, EventKind::ApprovalWithdrawn, now, "session_ended");
        withdrawn.approval = Some(approval);
        gate.ports.desk.withdraw(live.tenant(), approval, vec![withdrawn]).await?;
    }
    Ok(true)
}

/// Ends what is over: sessions whose time is up or whose credential does not stand any more.
pub(crate) async fn sweep(gate: &Gate) -> Result<(), PortError> {
    let (world, now) = (gate.world(), gate.now());
    gate.errands.sweep(now, |session| gate.sessions.get(session).is_some());
    for live in gate.sessions.all() {
        if !live.is_usable(now) {
            end(gate, &live, SessionEnd::Expired).await?;
        } else if !stands(&world, live.credential, now) {
            end(gate, &live, SessionEnd::Credential).await?;
        }
        // Whoever hears of nothing now may do so again: what may not be read is not watched.
        live.watching().retain(|watch| authz::reads(gate, &live, &watch.uri));
    }
    Ok(())
}

/// Puts an attempt outside of what the caller has on record, and counts it.
pub(crate) async fn stray(
    gate: &Gate,
    live: Option<&Live>,
    trail: &mut Trail,
    reason: &str,
) -> Result<(), PortError> {
    if let Some(live) = live {
        live.strayed();
    }
    let mut event = trail.event(EventKind::Decision, gate.now());
    event.decision = Some(Decision::Deny);
    event.reason = Some(reason.to_owned());
    event.policy_version = Some(gate.world().policy.version());
    trail.note(event);
    trail.settle(&gate.ports).await
}

async fn conflict(
    gate: &Gate,
    live: Option<&Live>,
    trail: &mut Trail,
) -> Result<Refusal, PortError> {
    stray(gate, live, trail, "task_conflict").await?;
    Ok(Refusal::TaskConflict)
}

fn event_of(live: &Live, kind: EventKind, at: Timestamp, reason: &str) -> Event {
    let mut event = Event::new(kind, at);
    event.tenant = Some(live.tenant());
    event.agent = Some(live.agent());
    event.credential = Some(live.credential);
    event.session = Some(live.id());
    event.task = live.task();
    event.policy_version = Some(live.policy_version);
    event.reason = Some(reason.to_owned());
    event
}

/// Whether anybody of the tenant has a session.
pub(crate) fn summaries(gate: &Gate, tenant: Option<TenantId>) -> Vec<SessionSummary> {
    let all = gate.sessions.all();
    let wanted = all.iter().filter(|live| tenant.is_none_or(|tenant| live.tenant() == tenant));
    wanted.map(|live| live.summary()).collect()
}
