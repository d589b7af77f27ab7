//! Certificates: the client certificate of the connection, bound to one agent by its fingerprint,
//! or by its SPIFFE id where an outside authority issued it.

use super::{Doubt, Letter, Presented, Proven, accept};
use crate::gate::Gate;
use crate::tls::Peer;
use crate::world::{Holder, World};

/// Refuses whatever comes on a connection whose certificate is not good any more: it may have been
/// revoked since the handshake.
pub(super) fn stands(gate: &Gate, letter: Letter<'_>) -> Result<(), Doubt> {
    let objection = |peer: &Peer| peer.objection(&gate.world(), gate.now());
    match letter.peer.and_then(|peer| objection(peer)) {
        Some(reason) => Err(Doubt::Because(reason)),
        None => Ok(()),
    }
}

/// The caller whose certificate the connection was opened with.
pub(super) fn verify(
    gate: &Gate,
    letter: Letter<'_>,
    peer: &Peer,
    claimed: &mut Option<String>,
) -> Result<Presented, Doubt> {
    *claimed = Some(peer.certificate().spiffe.to_string());
    let world = gate.world();
    let holder = peer.holder(&world).ok_or(Doubt::Because("certificate_unknown"))?;
    if !is_named(&world, holder, peer) {
        return Err(Doubt::Because("certificate_names_another"));
    }
    accept(&world, holder, letter, gate.now(), Proven::default())
}

/// A certificate beside another credential is a second identity: it has to be the same.
pub(super) fn beside(world: &World, letter: Letter<'_>, holder: &Holder) -> Result<(), Doubt> {
    let Some(own) = letter.certificate else { return Ok(()) };
    let other = match letter.peer {
        Some(peer) => peer.holder(world),
        None => world.credentials.certificate(own),
    };
    let other = other.map(|it| (it.tenant, it.agent));
    if other == Some((holder.tenant, holder.agent)) {
        Ok(())
    } else {
        Err(Doubt::Because("certificate_of_another"))
    }
}

/// Whether the certificate names the agent that it is registered for. One of an outside authority
/// has a name of its own, which it was registered by.
fn is_named(world: &World, holder: &Holder, peer: &Peer) -> bool {
    if peer.is_outside() {
        return true;
    }
    let Ok(named) = peer.certificate().spiffe.agent() else { return false };
    let tenant = world.policy.tenant(holder.tenant);
    tenant.is_some_and(|tenant| {
        let agent = tenant.agent(holder.agent).map(|agent| &agent.name);
        tenant.name == named.tenant && agent == Some(&named.agent)
    })
}
