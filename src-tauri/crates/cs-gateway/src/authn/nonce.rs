//! Nonces: each is good once, and no credential has more of them remembered than fit (attacks K16).

use cs_model::event::{Event, EventKind};
use cs_model::{AgentId, CredentialId, TenantId, Timestamp};

use super::Doubt;
use crate::gate::Gate;
use crate::ports::Nonce;
use crate::rates::{Counted, Exceeded, Limit};
use crate::refusal::Refusal;
use crate::trail::Trail;
use crate::world::Holder;

/// A credential whose requests come too fast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hasty {
    tenant: TenantId,
    agent: AgentId,
    credential: CredentialId,
    exceeded: Exceeded,
}

/// Remembers the nonce of a request whose holder has proven itself: nobody can use up what is
/// another's.
pub(super) async fn spend(
    gate: &Gate,
    holder: &Holder,
    nonce: &str,
    until: Timestamp,
) -> Result<(), Doubt> {
    let limits = &gate.config.limits;
    let limit = Limit { most: limits.nonces, time: limits.nonce_time };
    let counted = Counted::Nonces(holder.credential);
    if let Err(exceeded) = gate.rates.take(&[(counted, limit)], gate.latest()) {
        let Holder { tenant, agent, credential, .. } = *holder;
        return Err(Doubt::TooOften(Box::new(Hasty { tenant, agent, credential, exceeded })));
    }
    match gate.ports.nonces.remember(holder.credential, nonce, until).await? {
        Nonce::Seen => Err(Doubt::Because("replay")),
        Nonce::Fresh => Ok(()),
    }
}

/// Turns a request away that came too fast. Of all of them together there is a record: at once,
/// and then by the minute, so that they do not fill the log instead.
pub(super) async fn turn_away(gate: &Gate, hasty: Hasty, trail: &mut Trail) -> Refusal {
    let Hasty { tenant, agent, credential, exceeded } = hasty;
    if let Some(count) = exceeded.tell {
        trail.caller(tenant, agent, credential);
        let event = trail.event(EventKind::RequestRefused, gate.now());
        let detail = format!("{count} of this credential, since it was last told");
        let reason = Some("credential_rate".to_owned());
        trail.note(Event { reason, detail: Some(detail), ..event });
        if let Err(error) = trail.settle(&gate.ports).await {
            return Refusal::Unrecorded(error);
        }
    }
    Refusal::TooOften { wait_secs: exceeded.wait_secs }
}
