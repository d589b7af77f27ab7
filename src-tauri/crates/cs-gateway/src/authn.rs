//! Gate one: who is calling? Exactly one credential, and one answer for every reason to refuse it.

mod signature;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use cs_model::event::EventKind;
use cs_model::state::{CredentialState, Standing};
use cs_model::{AgentId, CredentialId, RoleId, TaskId, TenantId, Timestamp};
use http::HeaderMap;

use crate::gate::Gate;
use crate::ports::PortError;
use crate::refusal::Refusal;
use crate::trail::Trail;
use crate::wire::only;
use crate::world::{Holder, Named, World};

/// What a credential is presented with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'r> {
    pub(crate) method: &'r str,
    pub(crate) path: &'r str,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
    /// The tenant that the address names.
    pub(crate) tenant: &'r str,
    /// The address that it comes from.
    pub(crate) from: IpAddr,
}

/// A caller whose credential was verified.
///
/// Only [`identify`] makes one, and it cannot be copied.
#[derive(Debug)]
pub(crate) struct Presented {
    tenant: TenantId,
    agent: AgentId,
    credential: CredentialId,
    expires: Timestamp,
    tasks: Option<BTreeSet<TaskId>>,
    proven: Proven,
}

impl Presented {
    pub(crate) const fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(crate) const fn agent(&self) -> AgentId {
        self.agent
    }

    pub(crate) const fn credential(&self) -> CredentialId {
        self.credential
    }

    /// When the credential ends.
    pub(crate) const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether the credential lets its agent declare a task.
    pub(crate) fn may_declare(&self, task: TaskId) -> bool {
        self.tasks.as_ref().is_none_or(|tasks| tasks.contains(&task))
    }

    /// The roles that the caller acts in, where it is not in all of its agent's.
    pub(crate) const fn roles(&self) -> Option<&BTreeSet<RoleId>> {
        self.proven.roles.as_ref()
    }

    /// The task that the credential itself declares.
    pub(crate) fn task(&self) -> Option<&str> {
        self.proven.task.as_deref()
    }

    /// What the request was let in with, to ask later whether it still holds.
    pub(crate) fn warrant(&self) -> Warrant {
        Warrant { credential: self.credential, token: self.proven.token.clone() }
    }
}

/// What a method has proven of a caller, besides which credential it has.
#[derive(Debug, Default)]
struct Proven {
    /// The roles that it acts in, where it is not in all of its agent's.
    roles: Option<BTreeSet<RoleId>>,
    /// The task that the credential itself declares.
    task: Option<String>,
    /// The access token that it came with.
    token: Option<Arc<TokenMark>>,
}

/// What is kept of an access token: never the token itself.
#[derive(Debug)]
pub(crate) struct TokenMark {
    pub(crate) tenant: TenantId,
    pub(crate) issuer: String,
    /// Its `jti`, or the SHA-256 of its text.
    pub(crate) id: String,
    pub(crate) key_id: Option<String>,
    /// Its subject, as the provider's claim map finds it.
    pub(crate) subject: String,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
}

/// What a request was let in with.
#[derive(Clone, Debug)]
pub(crate) struct Warrant {
    pub(crate) credential: CredentialId,
    pub(crate) token: Option<Arc<TokenMark>>,
}

/// Why a credential is not accepted: for the log, never for the caller.
#[derive(Debug)]
enum Doubt {
    Because(&'static str),
    Port(PortError),
}

impl From<PortError> for Doubt {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

/// Finds out who is calling. Both outcomes are noted in the trail; a refusal is on record when
/// this returns.
pub(crate) async fn identify(
    gate: &Gate,
    letter: Letter<'_>,
    trail: &mut Trail,
) -> Result<Presented, Refusal> {
    let mut claimed = None;
    match verify(gate, letter, &mut claimed).await {
        Ok(presented) => {
            trail.caller(presented.tenant, presented.agent, presented.credential);
            trail.note(trail.event(EventKind::AuthnSucceeded, gate.now()));
            Ok(presented)
        }
        Err(Doubt::Port(error)) => Err(Refusal::Unrecorded(error)),
        Err(Doubt::Because(reason)) => {
            let mut event = trail.event(EventKind::AuthnFailed, gate.now());
            event.reason = Some(reason.to_owned());
            event.claimed = claimed;
            event.policy_version = Some(gate.world().policy.version());
            trail.note(event);
            trail.settle(&gate.ports).await?;
            let host = only(letter.headers, "host").unwrap_or_default();
            let path = letter.path;
            let metadata = format!("http://{host}/.well-known/oauth-protected-resource{path}");
            Err(Refusal::Unauthenticated { metadata })
        }
    }
}

/// The method that a request proves itself by. One only: nothing is ever tried instead.
async fn verify(
    gate: &Gate,
    letter: Letter<'_>,
    claimed: &mut Option<String>,
) -> Result<Presented, Doubt> {
    let headers = letter.headers;
    if headers.contains_key(http::header::AUTHORIZATION) {
        return Err(Doubt::Because("unexpected_authorization"));
    }
    signature::verify(gate, letter, claimed).await
}

/// The caller, once its method has proven which credential it has.
fn accept(
    world: &World,
    holder: &Holder,
    letter: Letter<'_>,
    now: Timestamp,
    proven: Proven,
) -> Result<Presented, Doubt> {
    if let Some(reason) = objection(world, holder, letter, now) {
        return Err(Doubt::Because(reason));
    }
    let token = proven.token.as_ref().map(|it| it.expires);
    Ok(Presented {
        tenant: holder.tenant,
        agent: holder.agent,
        credential: holder.credential,
        expires: token.map_or(holder.expires, |it| it.min(holder.expires)),
        tasks: holder.tasks.clone(),
        proven,
    })
}

/// Why a credential that was proven is not accepted all the same.
fn objection(
    world: &World,
    holder: &Holder,
    letter: Letter<'_>,
    now: Timestamp,
) -> Option<&'static str> {
    match holder.state {
        CredentialState::Active if now < holder.expires => {}
        CredentialState::Active | CredentialState::Expired => return Some("credential_expired"),
        CredentialState::Revoked => return Some("credential_revoked"),
        CredentialState::Suspended => return Some("credential_suspended"),
    }
    if !holder.may_come_from(letter.from) {
        return Some("network_not_allowed");
    }
    let Some(tenant) = world.policy.tenant(holder.tenant) else { return Some("tenant_unknown") };
    if tenant.name.as_str() != letter.tenant {
        return Some("wrong_tenant");
    }
    match (tenant.standing, tenant.agent(holder.agent).map(|agent| agent.standing)) {
        (Standing::Suspended, _) => Some("tenant_suspended"),
        (Standing::Active, None) => Some("agent_unknown"),
        (Standing::Active, Some(Standing::Suspended)) => Some("agent_suspended"),
        (Standing::Active, Some(Standing::Active)) => None,
    }
}

/// Whether a credential that was accepted would still be.
pub(crate) fn stands(world: &World, credential: CredentialId, now: Timestamp) -> bool {
    let holder = world.credentials.holder(credential);
    holder.is_some_and(|it| it.state == CredentialState::Active && now < it.expires)
}

/// Whether a request would still be let in with what it came with: what long answers ask again
/// and again.
pub(crate) fn holds(world: &World, warrant: &Warrant, now: Timestamp) -> bool {
    stands(world, warrant.credential, now)
        && warrant.token.as_ref().is_none_or(|token| token.objection(world, now).is_none())
}

impl TokenMark {
    /// Why the token does not hold any more: a short code for the log.
    pub(crate) fn objection(&self, world: &World, now: Timestamp) -> Option<&'static str> {
        if self.expires <= now {
            return Some("token_expired");
        }
        let named = Named {
            issuer: &self.issuer,
            id: &self.id,
            key_id: self.key_id.as_deref(),
            subject: &self.subject,
            issued: self.issued,
        };
        world.revocations.of(self.tenant, named)
    }
}
