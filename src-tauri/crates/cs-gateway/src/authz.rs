//! Gate two: may they? `cs_policy::decide` answers; this hands it what it needs and puts a no on
//! record.

mod conditions;
mod leak;
pub(crate) mod scopes;

use std::sync::Arc;

use cs_model::event::{Decision, Event, EventKind};
use cs_model::{Digest, Grant, TenantId, ToolId};
use cs_policy::{Call, Deny, Held, Met, Permit, Tool, Verdict};

use crate::authn::{Warrant, holds};
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::schema::{Misfit, Schema, SchemaFault};
use crate::session::Live;
use crate::tool::Asked;
use crate::trail::{Trail, neutral};
use crate::wire::Era;

pub use self::conditions::examine_condition;
pub(crate) use self::conditions::met;

/// How a call that is not denied goes on.
#[derive(Debug)]
pub(crate) enum Way {
    /// It may go ahead.
    Clear(Permit),
    /// It may once a person has signed for it.
    Held(Held),
}

/// The arguments of a call, as far as the policy judges them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'c> {
    /// The digest of what would be sent.
    pub(crate) digest: Digest,
    /// The conditions that they satisfy.
    pub(crate) met: &'c Met,
}

/// What the policy says of a call now.
pub(crate) fn judge(
    gate: &Gate,
    live: &Live,
    warrant: &Warrant,
    listed: &str,
    given: Given<'_>,
) -> Verdict {
    let (world, now) = (gate.world(), gate.now());
    if !holds(&world, warrant, now) {
        return Verdict::Deny(Deny::SessionEnded);
    }
    let (arguments, met) = (given.digest, given.met.clone());
    let call = Call { listed: listed.to_owned(), arguments, met };
    live.judge(|session| cs_policy::decide(&world.policy, session, &call, now))
}

/// Judges a call. A no is on record when this returns.
pub(crate) async fn permit(
    gate: &Gate,
    live: &Live,
    warrant: &Warrant,
    listed: &str,
    given: Given<'_>,
    trail: &mut Trail,
) -> Result<Way, Refusal> {
    match judge(gate, live, warrant, listed, given) {
        Verdict::Allow(permit) => Ok(Way::Clear(permit)),
        Verdict::Hold(held) => Ok(Way::Held(held)),
        Verdict::Deny(deny) => {
            live.strayed();
            let digest = given.digest;
            match deny_as(gate, live, listed, digest, trail, deny.code(), None).await {
                // The tool is there and was listed; it is these arguments that it is not granted for.
                Err(Refusal::NotListed { .. }) if deny == Deny::ConditionUnmet => {
                    Err(Refusal::Unmet)
                }
                other => other,
            }
        }
    }
}

/// Holds a call that may be made against its tool's pinned definition. What was denied never comes
/// here: what is said of arguments tells nothing of a tool that is not there.
pub(crate) async fn fits(
    gate: &Gate,
    asked: &Asked,
    way: &Way,
    arguments: Digest,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let (tenant, tool, pinned) = match way {
        Way::Clear(permit) => (permit.tenant(), permit.tool(), permit.fingerprint()),
        Way::Held(held) => (held.tenant(), held.tool(), held.fingerprint()),
    };
    let (live, listed) = (&*asked.live, asked.listed());
    if asked.arguments().is_some_and(leak::gives_away) {
        live.strayed();
        let mut event = decision(gate, live, listed, arguments, trail, Decision::Deny);
        event.reason = Some("secret_in_arguments".to_owned());
        trail.note(event);
        trail.settle(&gate.ports).await?;
        return Err(Refusal::GivesAway);
    }
    let schema = match pinned_schema(gate, tenant, tool, pinned) {
        Some(Ok(schema)) => schema,
        Some(Err(fault)) => {
            let (reason, why) = ("definition_refused", Some(fault.to_string()));
            return deny_as(gate, live, listed, arguments, trail, reason, why).await;
        }
        // The policy changed since the call was judged.
        None => {
            let reason = "definition_changed";
            return deny_as(gate, live, listed, arguments, trail, reason, None).await;
        }
    };
    let headers = (asked.era == Era::Modern).then_some(asked.call.repeated.as_slice());
    schema.check(asked.arguments(), headers).map_err(|misfit| match misfit {
        Misfit::Arguments(why) => Refusal::Arguments(why),
        Misfit::Header => {
            Refusal::HeaderMismatch("The Mcp-Param headers must say what the arguments say")
        }
    })
}

/// The compiled schema of a tool whose definition is still the one that was pinned.
fn pinned_schema(
    gate: &Gate,
    tenant: TenantId,
    tool: ToolId,
    pinned: Digest,
) -> Option<Result<Arc<Schema>, SchemaFault>> {
    let world = gate.world();
    let tool = world.policy.tenant(tenant)?.tool(tool)?;
    (tool.fingerprint == pinned).then(|| gate.schemas.of(pinned, &tool.definition))
}

/// Puts a no on record, and says the one thing that is said of every tool that is not there.
async fn deny_as<T>(
    gate: &Gate,
    live: &Live,
    listed: &str,
    arguments: Digest,
    trail: &mut Trail,
    reason: &str,
    detail: Option<String>,
) -> Result<T, Refusal> {
    let mut event = decision(gate, live, listed, arguments, trail, Decision::Deny);
    event.reason = Some(reason.to_owned());
    event.detail = detail;
    trail.note(event);
    trail.settle(&gate.ports).await?;
    Err(Refusal::NotListed { name: listed.to_owned() })
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
        let tools = tools.iter().filter(|it| is_usable(gate, it.tool));
        tools.map(|it| (it.listed.to_owned(), it.tool.definition.clone())).collect()
    })
}

/// What a client would see change when its tools do.
pub(crate) fn outline(gate: &Gate, live: &Live) -> Vec<(String, Digest, Grant)> {
    let (world, now) = (gate.world(), gate.now());
    live.judge(|session| {
        let tools = cs_policy::visible(&world.policy, session, now);
        let tools = tools.iter().filter(|it| is_usable(gate, it.tool));
        tools.map(|it| (it.listed.to_owned(), it.tool.fingerprint, it.grant)).collect()
    })
}

/// Whether a tool's definition is one that calls can be held against. One that is not cannot be
/// called, so it is not listed.
fn is_usable(gate: &Gate, tool: &Tool) -> bool {
    gate.schemas.of(tool.fingerprint, &tool.definition).is_ok()
}
