//! What the policy does not know of: whether the access token of a caller is good for a tool.
//!
//! A tool whose scopes a token lacks stays listed: from the challenge that answers a call its
//! client learns what to ask for. A tool that the policy does not allow is not listed and never
//! challenged, whatever its scopes.

use std::collections::BTreeSet;

use cs_model::Digest;
use cs_model::event::{Decision, Event, EventKind};
use cs_policy::Tool;

use super::decision;
use crate::authn::{self, Carried, Challenge, Needs, Presented, Warrant, Weak};
use crate::gate::Gate;
use crate::item::Wanted;
use crate::refusal::Refusal;
use crate::session::{Declared, Live};
use crate::trail::{Trail, neutral};

/// Whether the token of a caller has the scopes that every token of its provider needs, before
/// anything is opened for it. A no names what the tool needs as well, where a call could get as
/// far as that.
pub(crate) async fn admit(
    gate: &Gate,
    presented: &Presented,
    declared: &Declared,
    wanted: Option<Wanted<'_>>,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let Some(carried) = presented.token().filter(|it| !it.mark.lacking.is_empty()) else {
        return Ok(());
    };
    let needed = wanted.and_then(|wanted| would_need(gate, presented, declared, wanted));
    let missing = missing(carried, needed.unwrap_or_default());
    let mut event = trail.event(EventKind::Decision, gate.now());
    event.decision = Some(Decision::Deny);
    event.tool_name = wanted.map(|it| neutral(&it.marked()));
    event.policy_version = Some(gate.world().policy.version());
    trail.note(lacking(event, &missing));
    trail.settle(&gate.ports).await?;
    Err(Refusal::Scope { challenge: Challenge::scopes(&carried.resource, &missing) })
}

/// Whether the token of a caller has the scopes of a tool that the policy lets it call. A no is on
/// record when this returns.
pub(crate) async fn check(
    gate: &Gate,
    live: &Live,
    warrant: &Warrant,
    wanted: Wanted<'_>,
    arguments: Digest,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let Some(carried) = &warrant.token else { return Ok(()) };
    let scopes = of_tool(gate, live, wanted, |tool| tool.scopes.clone());
    let missing = missing(carried, scopes.unwrap_or_default());
    if missing.is_empty() {
        return Ok(());
    }
    let event = decision(gate, live, wanted, arguments, trail, Decision::Deny);
    trail.note(lacking(event, &missing));
    trail.settle(&gate.ports).await?;
    Err(Refusal::Scope { challenge: Challenge::scopes(&carried.resource, &missing) })
}

/// Asks whether the token of a caller is good enough for a call that a person has to sign for, and
/// for one of a tool that wants its provider asked. A no is on record when this returns.
pub(crate) async fn confirm(
    gate: &Gate,
    live: &Live,
    warrant: &Warrant,
    wanted: Wanted<'_>,
    arguments: Digest,
    signature: bool,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    // A tool that is not there any more asks for everything.
    let introspection = of_tool(gate, live, wanted, |tool| tool.introspect).unwrap_or(true);
    if !signature && !introspection {
        return Ok(());
    }
    let needs = Needs { signature, introspection };
    let Err(weak) = authn::confirm(gate, warrant, needs).await else { return Ok(()) };
    let (Weak::Refused(reason) | Weak::Undecided(reason)) = weak;
    let event = decision(gate, live, wanted, arguments, trail, Decision::Deny);
    trail.note(Event { reason: Some(reason.to_owned()), ..event });
    trail.settle(&gate.ports).await?;
    let world = gate.world();
    let tenant = world.policy.tenant(live.tenant()).map(|tenant| tenant.name.as_str());
    let resource = warrant.token.as_ref().map(|it| it.resource.as_str()).unwrap_or_default();
    match weak {
        Weak::Undecided(_) => Err(Refusal::Undecided),
        Weak::Refused(_) => {
            let tenant = tenant.unwrap_or_default();
            let challenge = Challenge::unauthenticated(gate, tenant, resource, true);
            Err(Refusal::Unauthenticated { challenge })
        }
    }
}

/// The scopes that a token lacks: those that every token needs, and these.
fn missing(carried: &Carried, needed: BTreeSet<String>) -> BTreeSet<String> {
    let mark = &carried.mark;
    let lacks = needed.into_iter().filter(|scope| !mark.scopes.contains(scope));
    mark.lacking.iter().cloned().chain(lacks).collect()
}

/// What the policy says now of a tool of a session.
fn of_tool<T>(
    gate: &Gate,
    live: &Live,
    wanted: Wanted<'_>,
    take: impl FnOnce(&Tool) -> T,
) -> Option<T> {
    let world = gate.world();
    let tool = super::known(gate, live, wanted)?.tool;
    world.policy.tenant(live.tenant())?.tool(tool).map(take)
}

/// The scopes of a tool that a caller could call if its token were let in.
fn would_need(
    gate: &Gate,
    presented: &Presented,
    declared: &Declared,
    wanted: Wanted<'_>,
) -> Option<BTreeSet<String>> {
    let world = gate.world();
    let opened = super::prospect(gate, presented, declared)?;
    let (tenant, Wanted { kind, name, .. }) = (presented.tenant(), wanted);
    let all = cs_policy::meant(&world.policy, tenant, &opened, kind, name);
    Some(world.policy.tenant(tenant)?.tool(all.first()?.tool)?.scopes.clone())
}

fn lacking(event: Event, missing: &BTreeSet<String>) -> Event {
    let missing: Vec<_> = missing.iter().map(String::as_str).collect();
    let detail = Some(neutral(&missing.join(" ")));
    Event { reason: Some("scope_missing".to_owned()), detail, ..event }
}
