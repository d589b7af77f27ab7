//! Gate one: who is calling? Exactly one credential, and one answer for every reason to refuse it.

mod certificate;
mod challenge;
mod confirm;
mod examine;
mod nonce;
mod signature;
mod token;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use cs_model::event::{Event, EventKind};
use cs_model::state::{CredentialState, Standing};
use cs_model::{
    AgentId, CredentialId, Digest, ProviderId, RoleId, Secret, TaskId, TenantId, Timestamp,
};
use http::{HeaderMap, header};

use crate::gate::Gate;
use crate::ports::PortError;
use crate::refusal::Refusal;
use crate::tls::Peer;
use crate::trail::Trail;
use crate::world::{Holder, Named, World};

pub(crate) use self::challenge::Challenge;
pub(crate) use self::confirm::{Needs, Weak, confirm};
pub(crate) use self::examine::examine;
pub(crate) use self::token::believed::Believed;
use self::token::believed::SKEW;
pub(crate) use self::token::{Known, own_token};

/// What a credential is presented with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'r> {
    pub(crate) method: &'r str,
    pub(crate) path: &'r str,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
    /// The tenant that the address names.
    pub(crate) tenant: &'r str,
    /// The canonical URI of the endpoint.
    pub(crate) resource: &'r str,
    /// The address that it comes from.
    pub(crate) from: IpAddr,
    /// The digest of the client certificate of the connection, where it has one.
    pub(crate) certificate: Option<Digest>,
    /// That certificate.
    pub(crate) peer: Option<&'r Arc<Peer>>,
}

impl Letter<'_> {
    /// By which method it tries to prove who it is from, for the log.
    fn method(&self) -> &'static str {
        if self.headers.contains_key(header::AUTHORIZATION) {
            "token"
        } else if self.is_signed() {
            "api_key"
        } else if self.certificate.is_some() {
            "certificate"
        } else {
            "none"
        }
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.headers.contains_key("signature-input") || self.headers.contains_key("signature")
    }
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
    peer: Option<Arc<Peer>>,
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

    /// The access token that the caller came with.
    pub(crate) fn token(&self) -> Option<&Carried> {
        self.proven.token.as_deref()
    }

    /// The task that the credential itself declares.
    pub(crate) fn task(&self) -> Option<&str> {
        self.proven.task.as_deref()
    }

    /// What the request was let in with, to ask later whether it still holds.
    pub(crate) fn warrant(&self) -> Warrant {
        let (token, peer) = (self.proven.token.clone(), self.peer.clone());
        Warrant { credential: self.credential, token, peer }
    }
}

/// What a method has proven of a caller, besides which credential it has.
#[derive(Debug, Default)]
struct Proven {
    /// The roles that it acts in, where it is not in all of its agent's.
    roles: Option<BTreeSet<RoleId>>,
    /// The task that the credential itself declares.
    task: Option<String>,
    /// The tasks that the credential may be used for, where it names several.
    tasks: Option<BTreeSet<TaskId>>,
    /// The access token that it came with.
    token: Option<Arc<Carried>>,
}

/// An access token that a request came with.
#[derive(Debug)]
pub(crate) struct Carried {
    /// What is known of it.
    pub(crate) mark: Arc<TokenMark>,
    /// The canonical URI of the endpoint that it was presented to.
    pub(crate) resource: String,
    /// The digest of its text.
    pub(crate) digest: Digest,
    /// The token itself, for as long as the request lasts, where its provider may be asked.
    pub(crate) text: Option<Secret>,
}

/// What is kept of an access token: never the token itself.
#[derive(Debug)]
pub(crate) struct TokenMark {
    pub(crate) tenant: TenantId,
    pub(crate) provider: ProviderId,
    pub(crate) issuer: String,
    /// Its `jti`, or the SHA-256 of its text.
    pub(crate) id: String,
    pub(crate) key_id: Option<String>,
    /// Its subject, as the provider's claim map finds it.
    pub(crate) subject: String,
    /// Its `sub`.
    pub(crate) sub: String,
    pub(crate) client_id: Option<String>,
    /// Which of its audiences was accepted.
    pub(crate) audience: String,
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) scopes: BTreeSet<String>,
    /// The scopes that its provider's tokens need to connect and that it does not have.
    pub(crate) lacking: BTreeSet<String>,
}

/// What a request was let in with.
#[derive(Clone, Debug)]
pub(crate) struct Warrant {
    pub(crate) credential: CredentialId,
    pub(crate) token: Option<Arc<Carried>>,
    /// The client certificate of its connection.
    pub(crate) peer: Option<Arc<Peer>>,
}

/// Why a credential is not accepted: for the log, never for the caller.
#[derive(Debug)]
enum Doubt {
    Because(&'static str),
    Port(PortError),
    /// Its holder sent so many requests lately that one more has to wait.
    TooOften(Box<nonce::Hasty>),
    /// Too many came from the same address and failed: nothing of it was looked at.
    TurnedAway,
    /// Nobody can say now whether it is good.
    Undecided(&'static str),
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
    let method = letter.method();
    let (from, now) = (letter.from, gate.latest());
    let turned_away = gate.strangers.are_turned_away(from, now);
    let (reason, undecided) = match verify(gate, letter, turned_away, &mut claimed).await {
        Ok(presented) => {
            trail.caller(presented.tenant, presented.agent, presented.credential);
            trail.accepted(method, gate.now());
            return Ok(presented);
        }
        Err(Doubt::Port(error)) => return Err(Refusal::Unrecorded(error)),
        Err(Doubt::TooOften(hasty)) => return Err(nonce::turn_away(gate, *hasty, trail).await),
        Err(_) if turned_away => return Err(turn_away(gate, from, now, trail).await),
        Err(Doubt::TurnedAway) => return Err(turn_away(gate, from, now, trail).await),
        Err(Doubt::Because(reason)) => (reason, false),
        Err(Doubt::Undecided(reason)) => (reason, true),
    };
    gate.strangers.failed(from, now);
    let world = gate.world();
    let mut event = trail.event(EventKind::AuthnFailed, gate.now());
    // Whose door it was: nobody else is told who came to it.
    event.tenant = world.policy.tenant_named(letter.tenant).map(|tenant| tenant.id);
    event.reason = Some(reason.to_owned());
    event.detail = Some(method.to_owned());
    event.claimed = claimed;
    event.policy_version = Some(world.policy.version());
    trail.note(event);
    trail.settle(&gate.ports).await?;
    if undecided {
        return Err(Refusal::Undecided);
    }
    let had_token = letter.headers.contains_key(header::AUTHORIZATION);
    let Letter { tenant, resource, .. } = letter;
    let challenge = Challenge::unauthenticated(gate, tenant, resource, had_token);
    Err(Refusal::Unauthenticated { challenge })
}

/// Refuses a caller from an address from which too many failed. Of all of them together there is a
/// record: at once, and then by the minute.
async fn turn_away(gate: &Gate, from: IpAddr, now: Timestamp, trail: &mut Trail) -> Refusal {
    if let Some(count) = gate.strangers.turned_away(from, now) {
        let event = trail.event(EventKind::RequestRefused, gate.now());
        trail.note(turned_away(event, count));
        if let Err(error) = trail.settle(&gate.ports).await {
            return Refusal::Unrecorded(error);
        }
    }
    Refusal::TurnedAway
}

/// Puts on record how many were turned away since it was last told, where nobody comes any more.
pub(crate) async fn tell_of_strangers(gate: &Gate) {
    let events = gate.strangers.untold(gate.latest()).into_iter().map(|(origin, count)| {
        let event = Event::new(EventKind::RequestRefused, gate.now());
        turned_away(Event { client: Some(origin.to_string()), ..event }, count)
    });
    let events: Vec<_> = events.collect();
    if !events.is_empty()
        && let Err(error) = gate.ports.audit.record(events).await
    {
        tracing::error!(%error, "how many callers were turned away is not on record");
    }
}

/// The event of so many callers of an address who were turned away.
fn turned_away(event: Event, count: u64) -> Event {
    let detail = format!("{count} from this address, without being looked at");
    Event { reason: Some("too_many_failures".to_owned()), detail: Some(detail), ..event }
}

/// The method that a request proves itself by. One only: nothing is ever tried instead.
async fn verify(
    gate: &Gate,
    letter: Letter<'_>,
    turned_away: bool,
    claimed: &mut Option<String>,
) -> Result<Presented, Doubt> {
    certificate::stands(gate, letter)?;
    let has_token = letter.headers.contains_key(header::AUTHORIZATION);
    match (has_token, letter.is_signed(), letter.peer) {
        (true, true, _) => Err(Doubt::Because("several_methods")),
        (true, false, _) => token::verify(gate, letter, turned_away, claimed).await,
        (false, true, _) | (false, false, None) => signature::verify(gate, letter, claimed).await,
        (false, false, Some(peer)) => certificate::verify(gate, letter, peer, claimed),
    }
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
    let token = proven.token.as_ref().map(|it| it.mark.expires);
    let tasks = match (&holder.tasks, &proven.tasks) {
        (Some(held), Some(named)) => Some(held.intersection(named).copied().collect()),
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    Ok(Presented {
        tenant: holder.tenant,
        agent: holder.agent,
        credential: holder.credential,
        expires: token.map_or(holder.expires, |it| it.min(holder.expires)),
        tasks,
        proven,
        peer: letter.peer.cloned(),
    })
}

/// Why a credential that was proven is not accepted all the same.
fn objection(
    world: &World,
    holder: &Holder,
    letter: Letter<'_>,
    now: Timestamp,
) -> Option<&'static str> {
    if let Some(reason) = used_up(holder, now) {
        return Some(reason);
    }
    if !holder.may_come_from(letter.from) {
        return Some("network_not_allowed");
    }
    let Some(tenant) = world.policy.tenant(holder.tenant) else { return Some("tenant_unknown") };
    if tenant.name.as_str() != letter.tenant {
        return Some("wrong_tenant");
    }
    standing(world, holder)
}

/// Why a credential may not be used at all.
pub(crate) fn used_up(holder: &Holder, now: Timestamp) -> Option<&'static str> {
    match holder.state {
        CredentialState::Active if now < holder.expires => None,
        CredentialState::Active | CredentialState::Expired => Some("credential_expired"),
        CredentialState::Revoked => Some("credential_revoked"),
        CredentialState::Suspended => Some("credential_suspended"),
    }
}

/// Why nobody may act by a credential, whatever it is.
pub(crate) fn standing(world: &World, holder: &Holder) -> Option<&'static str> {
    let Some(tenant) = world.policy.tenant(holder.tenant) else { return Some("tenant_unknown") };
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
        && warrant.token.as_ref().is_none_or(|token| token.mark.objection(world, now).is_none())
        && warrant.peer.as_ref().is_none_or(|peer| peer.objection(world, now).is_none())
}

impl TokenMark {
    /// Why the token does not hold any more: a short code for the log.
    pub(crate) fn objection(&self, world: &World, now: Timestamp) -> Option<&'static str> {
        let provider = world.providers.get(self.tenant, &self.issuer);
        if provider.is_none_or(|provider| provider.id != self.provider) {
            return Some("issuer_unknown");
        }
        self.withdrawn(world, now)
    }

    /// Whether its time is up or it was withdrawn.
    fn withdrawn(&self, world: &World, now: Timestamp) -> Option<&'static str> {
        if self.expires <= now {
            return Some("jwt_expired");
        }
        let named = Named {
            issuer: &self.issuer,
            id: &self.id,
            key_id: self.key_id.as_deref(),
            subject: &self.subject,
            // Its issuer's clock may be ahead of the one that a withdrawal was made by.
            issued: self.issued.before(SKEW),
        };
        world.revocations.of(self.tenant, named)
    }
}
