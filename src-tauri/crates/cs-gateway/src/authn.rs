//! Gate one: who is calling? Exactly one credential, and one answer for every reason to refuse it.

use cs_model::event::EventKind;
use cs_model::state::CredentialState;
use cs_model::state::Standing;
use cs_model::{AgentId, CredentialId, Digest, TaskId, TenantId, Timestamp};
use cs_trust::request;
use http::HeaderMap;

use crate::gate::Gate;
use crate::ports::{Nonce, PortError};
use crate::refusal::Refusal;
use crate::trail::{Trail, neutral};
use crate::wire::only;
use crate::world::{ApiKey, World};

/// What a credential is presented with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter<'r> {
    pub(crate) method: &'r str,
    pub(crate) path: &'r str,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
    /// The tenant that the address names.
    pub(crate) tenant: &'r str,
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
    tasks: Option<std::collections::BTreeSet<TaskId>>,
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

async fn verify(
    gate: &Gate,
    letter: Letter<'_>,
    claimed: &mut Option<String>,
) -> Result<Presented, Doubt> {
    let headers = letter.headers;
    if headers.contains_key(http::header::AUTHORIZATION) {
        return Err(Doubt::Because("unexpected_authorization"));
    }
    let (Some(input), Some(signature), Some(digest), Some(authority)) = (
        only(headers, "signature-input"),
        only(headers, "signature"),
        only(headers, "content-digest"),
        only(headers, "host"),
    ) else {
        let none = !headers.contains_key("signature-input") && !headers.contains_key("signature");
        return Err(Doubt::Because(if none { "no_credential" } else { "signature_incomplete" }));
    };
    let presented = request::Presented::parse(input, signature)
        .map_err(|error| Doubt::Because(error.code()))?;
    *claimed = Some(neutral(presented.key_id()));
    let incoming = request::Incoming {
        method: letter.method,
        authority,
        path: letter.path,
        content_digest_header: digest,
        body_digest: Digest::of(letter.body),
    };
    let world = gate.world();
    let now = gate.latest();
    let Some(key) = world.keys.get(presented.key_id()) else {
        let _ = presented.refuse_unknown(&incoming, now);
        return Err(Doubt::Because("credential_unknown"));
    };
    let secret = gate.ports.secrets.api_key(key.credential).await?;
    presented.verify(&incoming, &secret, now).map_err(|error| Doubt::Because(error.code()))?;
    drop(secret);
    if let Some(reason) = objection(&world, key, letter.tenant, gate.now()) {
        return Err(Doubt::Because(reason));
    }
    let until = presented.remember_until();
    match gate.ports.nonces.remember(key.credential, presented.nonce(), until).await? {
        Nonce::Seen => Err(Doubt::Because("replay")),
        Nonce::Fresh => Ok(Presented {
            tenant: key.tenant,
            agent: key.agent,
            credential: key.credential,
            expires: key.expires,
            tasks: key.tasks.clone(),
        }),
    }
}

/// Why a key that verified is not accepted all the same.
fn objection(world: &World, key: &ApiKey, named: &str, now: Timestamp) -> Option<&'static str> {
    match key.state {
        CredentialState::Active if now < key.expires => {}
        CredentialState::Active | CredentialState::Expired => return Some("credential_expired"),
        CredentialState::Revoked => return Some("credential_revoked"),
        CredentialState::Suspended => return Some("credential_suspended"),
    }
    let Some(tenant) = world.policy.tenant(key.tenant) else { return Some("tenant_unknown") };
    if tenant.name.as_str() != named {
        return Some("wrong_tenant");
    }
    match (tenant.standing, tenant.agent(key.agent).map(|agent| agent.standing)) {
        (Standing::Suspended, _) => Some("tenant_suspended"),
        (Standing::Active, None) => Some("agent_unknown"),
        (Standing::Active, Some(Standing::Suspended)) => Some("agent_suspended"),
        (Standing::Active, Some(Standing::Active)) => None,
    }
}

/// Whether a credential that was accepted would still be: what long answers ask again and again.
pub(crate) fn stands(world: &World, credential: CredentialId, now: Timestamp) -> bool {
    world.keys.values().any(|key| {
        key.credential == credential && key.state == CredentialState::Active && now < key.expires
    })
}
