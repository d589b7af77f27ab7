//! Resources of which a client wants to hear when they change.
//!
//! Wanting to hear of a resource is judged as reading it, with the same gates in the same order,
//! and put on record like that. What needs a signature is not watched: nobody is there to sign
//! when it changes. Each change is judged again before it is told, and what may not be read any
//! more is not watched any more.

use cs_model::Digest;

use crate::authz::{self, Way};
use crate::gate::Gate;
use crate::proxy;
use crate::rates;
use crate::refusal::Refusal;
use crate::session::Watch;
use crate::settle;
use crate::tool::Asked;
use crate::trail::Trail;

/// Begins to watch all of these that are allowed and can be watched. The others are left out: what
/// is not acknowledged is not told.
pub(crate) async fn all(
    gate: &Gate,
    all: impl Iterator<Item = Asked>,
    trail: &mut Trail,
) -> Result<Vec<Watch>, Refusal> {
    let mut watches = Vec::new();
    for asked in all {
        match begin(gate, asked, trail).await {
            Ok(watch) => watches.push(watch),
            Err(why @ Refusal::Unrecorded(_)) => return Err(why),
            Err(_) => {}
        }
    }
    Ok(watches)
}

/// Begins to watch, where that is allowed and the server can be watched. A no is on record.
pub(crate) async fn begin(
    gate: &Gate,
    mut asked: Asked,
    trail: &mut Trail,
) -> Result<Watch, Refusal> {
    asked.met = authz::met(gate, &asked);
    let asked = &asked;
    let exact = Digest::of(asked.arguments().unwrap_or_default().as_bytes());
    let Asked { live, warrant, .. } = asked;
    let wanted = asked.wanted();
    let way = authz::permit(gate, live, warrant, wanted, asked.given(exact), trail).await?;
    if matches!(way, Way::Held(_)) {
        live.strayed();
        return authz::deny_as(gate, live, wanted, exact, trail, "watch_held", None).await;
    }
    authz::fits(gate, asked, &way, exact, trail).await?;
    authz::scopes::check(gate, live, warrant, wanted, exact, trail).await?;
    authz::scopes::confirm(gate, live, warrant, wanted, exact, false, trail).await?;
    let Some(place) = live.watching().place() else {
        return authz::deny_as(gate, live, wanted, exact, trail, "watches_too_much", None).await;
    };
    rates::charge(gate, asked, &way, exact, trail).await?;
    let Way::Clear(permit) = way else { return Err(wanted.not_listed()) };
    let server = permit.server();
    let cleared = settle::on_record(gate, asked, permit, trail).await?;
    let watched = proxy::watch(gate, cleared, asked, trail).await?;
    Ok(Watch::new(server, asked.call.name.clone(), watched, place))
}
