//! Calls that wait for a person: kept in the registry, waited for here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use cs_gateway::ports::{ApprovalDesk, FiledCall, Meanwhile, NewApproval, PortError, Ruling};
use cs_model::event::Event;
use cs_model::state::ApprovalState;
use cs_model::{ApprovalId, TenantId};
use cs_registry::{RegistryError, approval};
use tokio::sync::watch;

use super::Doing as _;
use crate::change::Topic;
use crate::core::Core;
use crate::herald;

/// A request that somebody waits for, and how.
type Held = (ApprovalId, Meanwhile);

/// Who waits for which request, and the news that some request was decided.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    held: Arc<Mutex<HashMap<Held, usize>>>,
    decided: watch::Sender<u64>,
    signed: watch::Sender<u64>,
}

/// A call that waits. It no longer does once this is dropped.
#[derive(Debug)]
struct Waiting {
    what: Held,
    held: Arc<Mutex<HashMap<Held, usize>>>,
}

impl Waiters {
    /// What the agent does that still expects its call to be made, if it does.
    pub(crate) fn meanwhile(&self, id: ApprovalId) -> Option<Meanwhile> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        [Meanwhile::Waits, Meanwhile::Asks].into_iter().find(|it| held.contains_key(&(id, *it)))
    }

    /// Whether a call is made as soon as this request is approved.
    pub(crate) fn is_held(&self, id: ApprovalId) -> bool {
        self.meanwhile(id).is_some()
    }

    /// Some request may no longer be pending: everybody who waits looks again.
    pub(crate) fn look_again(&self) {
        self.decided.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Somebody signed a series: calls that wait may be covered by it.
    pub(crate) fn signed_series(&self) {
        self.signed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes when somebody signs a series.
    pub(crate) fn series_signed(&self) -> watch::Receiver<u64> {
        self.signed.subscribe()
    }

    fn wait(&self, what: Held) -> Waiting {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(what).or_default();
        *count = count.saturating_add(1);
        Waiting { what, held: Arc::clone(&self.held) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.what) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            Some(_) | None => {
                held.remove(&self.what);
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct Desk {
    pub(super) core: Weak<Core>,
}

impl Desk {
    fn core(&self, doing: &'static str) -> Result<Arc<Core>, PortError> {
        self.core.upgrade().ok_or(PortError { doing, source: None })
    }
}

#[async_trait]
impl ApprovalDesk for Desk {
    async fn file(
        &self,
        request: NewApproval,
        events: Vec<Event>,
    ) -> Result<Option<ApprovalId>, PortError> {
        let doing = "put a call before a person";
        let core = self.core(doing)?;
        let (tenant, most_waiting) = (request.tenant, request.most_waiting);
        let work = approval::File { request: stored(request), most_waiting, events };
        let filed = core.registry.submit(work).await.doing(doing)?;
        if filed.is_some_and(|it| it.new) {
            core.bell.ring(Topic::Approvals);
            core.bell.ring(Topic::Audit);
            herald::call_waits(&core, tenant);
        }
        Ok(filed.map(|it| it.id))
    }

    async fn filed(
        &self,
        tenant: TenantId,
        id: ApprovalId,
    ) -> Result<Option<FiledCall>, PortError> {
        let doing = "look up an approval request";
        let core = self.core(doing)?;
        let mut db = core.registry.read().await.doing(doing)?;
        let new = match approval::find(&mut db, tenant, id).await {
            Err(RegistryError::NotFound { .. }) => return Ok(None),
            found => found.doing(doing)?.new,
        };
        let approval::NewApproval { session, credential, listed, arguments, requested, .. } = new;
        Ok(Some(FiledCall { session, credential, listed, arguments, requested }))
    }

    async fn ruling(&self, tenant: TenantId, id: ApprovalId) -> Result<Ruling, PortError> {
        ruling(&*self.core("look up an approval request")?, tenant, id).await
    }

    async fn decided(
        &self,
        tenant: TenantId,
        id: ApprovalId,
        meanwhile: Meanwhile,
    ) -> Result<Ruling, PortError> {
        let core = self.core("wait for a person")?;
        let _waiting = core.waiters.wait((id, meanwhile));
        core.bell.ring(Topic::Approvals);
        let mut news = core.waiters.decided.subscribe();
        loop {
            // Marked as seen before looking, so that news that comes in between is not missed.
            news.mark_unchanged();
            let now = ruling(&core, tenant, id).await?;
            if now != Ruling::Pending {
                return Ok(now);
            }
            let doing = "wait for a person";
            news.changed().await.map_err(|_| PortError { doing, source: None })?;
        }
    }

    async fn withdraw(
        &self,
        tenant: TenantId,
        id: ApprovalId,
        events: Vec<Event>,
    ) -> Result<(), PortError> {
        let doing = "take an approval request back";
        let core = self.core(doing)?;
        let work = approval::Withdraw { tenant, id, events };
        if core.registry.submit(work).await.doing(doing)? {
            core.waiters.look_again();
            core.bell.ring(Topic::Approvals);
            core.bell.ring(Topic::Audit);
        }
        Ok(())
    }
}

fn stored(new: NewApproval) -> approval::NewApproval {
    approval::NewApproval {
        id: new.id,
        operation: new.operation,
        tenant: new.tenant,
        agent: new.agent,
        credential: new.credential,
        session: new.session,
        task: new.task,
        server: new.server,
        tool: new.tool,
        listed: new.listed,
        fingerprint: new.fingerprint,
        arguments: new.arguments,
        arguments_digest: new.arguments_digest,
        policy_version: new.policy_version,
        requested: new.requested,
        decide_by: new.decide_by,
    }
}

async fn ruling(core: &Core, tenant: TenantId, id: ApprovalId) -> Result<Ruling, PortError> {
    let doing = "look up an approval request";
    let mut db = core.registry.read().await.doing(doing)?;
    let found = match approval::ruling(&mut db, tenant, id).await {
        // Removed together with its tenant.
        Err(RegistryError::NotFound { .. }) => return Ok(Ruling::Withdrawn),
        found => found.doing(doing)?,
    };
    Ok(match found.state {
        ApprovalState::Approved => {
            Ruling::Approved { tokens: tokens(core, tenant, id, &found.sealed_tokens)? }
        }
        ApprovalState::Denied => Ruling::Denied { reason: found.reason.unwrap_or_default() },
        ApprovalState::Executed => Ruling::Executed,
        ApprovalState::Expired => Ruling::Expired,
        ApprovalState::Pending => Ruling::Pending,
        ApprovalState::Unknown => Ruling::Unknown,
        ApprovalState::Withdrawn => Ruling::Withdrawn,
    })
}

fn tokens(
    core: &Core,
    tenant: TenantId,
    id: ApprovalId,
    sealed: &[Vec<u8>],
) -> Result<Vec<String>, PortError> {
    let doing = "open a signed token";
    let vault = core.vault().map_err(|error| PortError { doing, source: Some(error.into()) })?;
    let open = |sealed: &Vec<u8>| {
        let token = vault
            .open_token(tenant, id, sealed)
            .map_err(|error| PortError { doing, source: Some(error.into()) })?;
        token.expose_text().map(str::to_owned).ok_or(PortError { doing, source: None })
    };
    sealed.iter().map(open).collect()
}
