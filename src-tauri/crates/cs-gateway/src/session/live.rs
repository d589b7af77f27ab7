//! One session that is under way.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cs_model::state::SessionEnd;
use cs_model::{
    AgentId, ApprovalId, CredentialId, Digest, RoleId, SessionId, TaskId, TenantId, Timestamp,
};
use cs_policy::Session;
use tokio::sync::watch;

use super::{Talk, Watching};
use crate::ports::StoredSession;
use crate::wire::Id;

/// A session, for whoever looks at the gateway.
#[derive(Clone, Debug)]
pub struct SessionSummary {
    /// Its id.
    pub id: SessionId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its agent.
    pub agent: AgentId,
    /// The credential that opened it.
    pub credential: CredentialId,
    /// The task that it declared.
    pub task: Option<TaskId>,
    /// When it opened.
    pub opened: Timestamp,
    /// When it ends by itself.
    pub ends: Timestamp,
    /// How many tools it may ever call.
    pub tools: usize,
    /// How many calls it made.
    pub calls: u64,
    /// How many of them were outside its allowlist.
    pub anomalies: u64,
    /// How many of its calls were put before a person and not decided, as far as is known.
    pub waiting: usize,
    /// When it was last used, since the gateway started.
    pub last_used: Option<Timestamp>,
}

/// A session that is under way.
#[derive(Debug)]
pub(crate) struct Live {
    session: Session,
    /// The roles that the caller acted in when it opened, where these were not all of its agent's.
    roles: Option<BTreeSet<RoleId>>,
    pub(crate) credential: CredentialId,
    pub(crate) opened: Timestamp,
    pub(crate) policy_version: u64,
    wire_id: Mutex<Option<String>>,
    over: watch::Sender<Option<SessionEnd>>,
    calls: AtomicU64,
    anomalies: AtomicU64,
    last_used: AtomicI64,
    /// The requests being answered, by the id that the client gave them, each with the way to
    /// tell it that the client does not want it any more.
    in_flight: Mutex<HashMap<Id, watch::Sender<bool>>>,
    /// The calls that were put before a person, by what makes two calls the same.
    waiting: Mutex<HashMap<Digest, ApprovalId>>,
    /// How many calls are held for each request: the same call may come twice.
    held: Mutex<HashMap<ApprovalId, usize>>,
    /// Counts the streams of the session. The newest is the one that is told of changes.
    streams: watch::Sender<u64>,
    talk: Talk,
    watching: Watching,
}

impl Live {
    pub(crate) fn new(stored: StoredSession, roles: Option<BTreeSet<RoleId>>) -> Self {
        let StoredSession {
            session,
            credential,
            opened,
            policy_version,
            wire_id,
            calls,
            anomalies,
        } = stored;
        Self {
            session,
            roles,
            credential,
            opened,
            policy_version,
            wire_id: Mutex::new(wire_id),
            over: watch::Sender::new(None),
            calls: AtomicU64::new(calls),
            anomalies: AtomicU64::new(anomalies),
            last_used: AtomicI64::new(i64::MIN),
            in_flight: Mutex::default(),
            waiting: Mutex::default(),
            held: Mutex::default(),
            streams: watch::Sender::new(0),
            talk: Talk::default(),
            watching: Watching::default(),
        }
    }

    pub(crate) const fn id(&self) -> SessionId {
        self.session.id
    }

    pub(crate) const fn tenant(&self) -> TenantId {
        self.session.tenant
    }

    pub(crate) const fn agent(&self) -> AgentId {
        self.session.agent
    }

    pub(crate) const fn task(&self) -> Option<TaskId> {
        self.session.task
    }

    pub(crate) const fn roles(&self) -> Option<&BTreeSet<RoleId>> {
        self.roles.as_ref()
    }

    /// When it ends by itself.
    pub(crate) const fn ends(&self) -> Timestamp {
        self.session.ends
    }

    /// What its client of the older era said, and what it is asked.
    pub(crate) const fn talk(&self) -> &Talk {
        &self.talk
    }

    /// The resources of which its client wants to hear.
    pub(crate) const fn watching(&self) -> &Watching {
        &self.watching
    }

    /// Hands the session to a decision, as it stands now.
    pub(crate) fn judge<R>(&self, decide: impl FnOnce(&Session) -> R) -> R {
        if self.is_over() {
            decide(&Session { ended: true, ..self.session.clone() })
        } else {
            decide(&self.session)
        }
    }

    /// Whether the session has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.over.borrow().is_some()
    }

    /// Whether the session can still be used: it has not ended and its time is not up.
    pub(crate) fn is_usable(&self, now: Timestamp) -> bool {
        !self.is_over() && now < self.session.ends
    }

    /// Marks the session as over. Says whether it was not before.
    pub(crate) fn end(&self, why: SessionEnd) -> bool {
        self.over.send_if_modified(|over| {
            let first = over.is_none();
            over.get_or_insert(why);
            first
        })
    }

    /// Hears of the end.
    pub(crate) fn ending(&self) -> watch::Receiver<Option<SessionEnd>> {
        self.over.subscribe()
    }

    pub(crate) fn wire_id(&self) -> Option<String> {
        locked(&self.wire_id).clone()
    }

    /// Binds the session to another id of the wire and gives the one before.
    pub(crate) fn rebind(&self, wire_id: Option<String>) -> Option<String> {
        std::mem::replace(&mut *locked(&self.wire_id), wire_id)
    }

    /// Counts a use.
    pub(crate) fn used(&self, now: Timestamp) {
        self.last_used.fetch_max(now.millis(), Ordering::AcqRel);
    }

    /// Counts a call.
    pub(crate) fn called(&self) {
        self.calls.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts an attempt outside the allowlist.
    pub(crate) fn strayed(&self) {
        self.anomalies.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes note of a request being answered, unless the client uses the id for another one.
    pub(crate) fn begin(&self, id: &Id) -> Option<watch::Receiver<bool>> {
        let mut requests = locked(&self.in_flight);
        if requests.contains_key(id) {
            return None;
        }
        let cancel = watch::Sender::new(false);
        let cancelled = cancel.subscribe();
        requests.insert(id.clone(), cancel);
        Some(cancelled)
    }

    /// The request is answered.
    pub(crate) fn finish(&self, id: &Id) {
        locked(&self.in_flight).remove(id);
    }

    /// The client does not want the answer to a request any more. Ids that it does not use mean
    /// nothing.
    pub(crate) fn cancel(&self, id: &Id) {
        if let Some(request) = locked(&self.in_flight).get(id) {
            request.send_replace(true);
        }
    }

    /// The request for the same operation that is, or was, before a person.
    pub(crate) fn waiting_for(&self, operation: Digest) -> Option<ApprovalId> {
        locked(&self.waiting).get(&operation).copied()
    }

    /// Counts a call that is held for a request, for as long as what it answers with lives.
    pub(crate) fn hold(self: &Arc<Self>, approval: ApprovalId) -> Held {
        let mut held = locked(&self.held);
        let count = held.entry(approval).or_default();
        *count = count.saturating_add(1);
        Held { live: Arc::clone(self), approval }
    }

    /// Takes note that an operation is before a person.
    pub(crate) fn wait_for(&self, operation: Digest, approval: ApprovalId) {
        locked(&self.waiting).insert(operation, approval);
    }

    /// The operation is not before a person any more. Says whether it was.
    pub(crate) fn settled(&self, operation: Digest) -> bool {
        locked(&self.waiting).remove(&operation).is_some()
    }

    /// Everything of the session that is before a person, as far as is known.
    pub(crate) fn all_waiting(&self) -> Vec<(Digest, ApprovalId)> {
        locked(&self.waiting).iter().map(|(operation, id)| (*operation, *id)).collect()
    }

    /// Takes the place of the stream that is told of changes, until the number changes again.
    pub(crate) fn stream(&self) -> watch::Receiver<u64> {
        self.streams.send_modify(|number| *number = number.wrapping_add(1));
        self.streams.subscribe()
    }

    /// How many calls are held for a request.
    pub(crate) fn held(&self, approval: ApprovalId) -> usize {
        locked(&self.held).get(&approval).copied().unwrap_or(0)
    }

    pub(crate) fn summary(&self) -> SessionSummary {
        let last = self.last_used.load(Ordering::Acquire);
        SessionSummary {
            id: self.session.id,
            tenant: self.session.tenant,
            agent: self.session.agent,
            credential: self.credential,
            task: self.session.task,
            opened: self.opened,
            ends: self.session.ends,
            tools: self.session.allowlist.len(),
            calls: self.calls.load(Ordering::Acquire),
            anomalies: self.anomalies.load(Ordering::Acquire),
            waiting: locked(&self.waiting).len(),
            last_used: (last != i64::MIN).then(|| Timestamp::from_millis(last)),
        }
    }
}

/// A call that is held for a request.
#[derive(Debug)]
#[must_use = "it counts for as long as it lives"]
pub(crate) struct Held {
    live: Arc<Live>,
    approval: ApprovalId,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = locked(&self.live.held);
        if let Some(count) = held.get_mut(&self.approval) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.approval);
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
