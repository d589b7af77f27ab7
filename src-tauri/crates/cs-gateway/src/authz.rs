//! Gate two: may they? `cs_policy::decide` answers; this hands it what it needs and puts a no on
//! record.

use cs_model::event::{Decision, Event, EventKind};
use cs_model::{Digest, Grant};
use cs_policy::{Call, Deny, Held, Permit, Verdict};

use crate::authn::{Warrant, holds};
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::session::Live;
use crate::trail::{Trail, neutral};

/// How a call that is not denied goes on.
#[derive(Debug)]
pub(crate) enum Way {
    /// It may go ahead.
    Clear(Permit),
    /// It may once a person has signed for it.
    Held(Held),
}

/// What the policy says of a call now.
pub(crate) fn judge(
    gate: &Gate,
    live: &Live,
    warrant: &Warrant,
    listed: &str,
    arguments: Digest,
) -> Verdict {
    let (world, now) = (gate.world(), gate.now());
    if !holds(&world, warrant, now) {
        return Verdict::Deny(Deny::SessionEnded);
    }
    let call = Call { listed: listed.to_owned(), arguments };
    live.judge(|session| cs_policy::decide(&world.policy, session, &call, now))
}

/// Judges a call. A no is on record when this returns.
pub(crate) async fn permit(
    gate: &Gate,
    live: &Live,
    warrant: &Warrant,
    listed: &str,
    arguments: Digest,
    trail: &mut Trail,
) -> Result<Way, Refusal> {
    match judge(gate, live, warrant, listed, arguments) {
        Verdict::Allow(permit) => Ok(Way::Clear(permit)),
        Verdict::Hold(held) => Ok(Way::Held(held)),
        Verdict::Deny(deny) => {
            live.strayed();
            let event = decision(gate, live, listed, arguments, trail, Decision::Deny);
            trail.note(Event { reason: Some(deny.code().to_owned()), ..event });
            trail.settle(&gate.ports).await?;
            Err(Refusal::NotListed { name: listed.to_owned() })
        }
    }
}

/// The event of a decision, but for its reason.
pub(crate) fn decision(
    gate: &Gate,
    live: &Live,
    listed: &str,
    arguments: Digest,
    trail: &Trail,
    decision: Decision,
) -> Event {
    let mut event = trail.event(EventKind::Decision, gate.now());
    event.tool_name = Some(neutral(listed));
    live.judge(|session| {
        if let Some(entry) = session.allowlist.get(listed) {
            event.tool = Some(entry.tool);
            event.server = Some(entry.server);
        }
    });
    event.arguments = Some(arguments);
    event.decision = Some(decision);
    event.policy_version = Some(gate.world().policy.version());
    event
}

/// The tools that a session can call now: the names it knows them by, and their definitions.
pub(crate) fn visible(gate: &Gate, live: &Live) -> Vec<(String, String)> {
    let (world, now) = (gate.world(), gate.now());
    live.judge(|session| {
        let tools = cs_policy::visible(&world.policy, session, now);
        tools.iter().map(|it| (it.listed.to_owned(), it.tool.definition.clone())).collect()
    })
}

/// What a client would see change when its tools do.
pub(crate) fn outline(gate: &Gate, live: &Live) -> Vec<(String, Digest, Grant)> {
    let (world, now) = (gate.world(), gate.now());
    live.judge(|session| {
        let tools = cs_policy::visible(&world.policy, session, now);
        tools.iter().map(|it| (it.listed.to_owned(), it.tool.fingerprint, it.grant)).collect()
    })
}
