//! Gate two: may they? `cs_policy::decide` answers; this hands it what it needs and puts a no on
//! record.

mod conditions;
mod leak;
pub(crate) mod scopes;

use std::sync::Arc;

use cs_model::event::{Decision, Event, EventKind};
use cs_model::{Digest, Grant, Kind, Pass, ServerId, TenantId, Timestamp, ToolId};
use cs_policy::{Act, Allowlist, Call, Deny, Held, Met, Permit, Tool, Verdict};

use crate::authn::{Presented, Warrant, holds};
use crate::gate::Gate;
use crate::item::{self, Fitting, Wanted, is_usable};
use crate::refusal::Refusal;
use crate::schema::{Misfit, Schema, SchemaFault};
use crate::session::{Declared, Live};
use crate::tool::Asked;
use crate::trail::{Trail, neutral};
use crate::wire::Era;
use crate::world::World;

pub use self::conditions::{examine_condition, satisfies};
pub(crate) use self::conditions::{fits_schema, met};

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
    wanted: Wanted<'_>,
    given: Given<'_>,
) -> Verdict {
    let (world, now) = (gate.world(), gate.now());
    if !holds(&world, warrant, now) {
        return Verdict::Deny(Deny::SessionEnded);
    }
    let (arguments, met) = (given.digest, given.met.clone());
    let Wanted { kind, act, name, .. } = wanted;
    let call = Call { kind, act, listed: name.to_owned(), arguments, met };
    decide(&world, live, &call, now)
}

fn decide(world: &World, live: &Live, call: &Call, now: Timestamp) -> Verdict {
    live.judge(|session| cs_policy::decide(&world.policy, session, call, now))
}

/// Judges a call. A no is on record when this returns.
pub(crate) async fn permit(
    gate: &Gate,
    live: &Live,
    warrant: &Warrant,
    wanted: Wanted<'_>,
    given: Given<'_>,
    trail: &mut Trail,
) -> Result<Way, Refusal> {
    match judge(gate, live, warrant, wanted, given) {
        Verdict::Allow(permit) => Ok(Way::Clear(permit)),
        Verdict::Hold(held) => Ok(Way::Held(held)),
        Verdict::Deny(deny) => {
            live.strayed();
            let digest = given.digest;
            match deny_as(gate, live, wanted, digest, trail, deny.code(), None).await {
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
    let (live, wanted) = (&*asked.live, asked.wanted());
    if asked.arguments().is_some_and(leak::gives_away) {
        live.strayed();
        let mut event = decision(gate, live, wanted, arguments, trail, Decision::Deny);
        event.reason = Some("secret_in_arguments".to_owned());
        trail.note(event);
        trail.settle(&gate.ports).await?;
        return Err(Refusal::GivesAway);
    }
    let schema = match pinned_schema(gate, asked, tenant, tool, pinned) {
        Some(Ok(Some(schema))) => schema,
        Some(Ok(None)) => return Ok(()),
        Some(Err(Broken::Misfit(why))) => return Err(Refusal::Arguments(why)),
        Some(Err(Broken::Definition(fault))) => {
            let (reason, why) = ("definition_refused", Some(fault.to_string()));
            return deny_as(gate, live, wanted, arguments, trail, reason, why).await;
        }
        // The policy changed since the call was judged.
        None => {
            let reason = "definition_changed";
            return deny_as(gate, live, wanted, arguments, trail, reason, None).await;
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

/// Why a call of a tool with these arguments is refused whoever makes it, by its pinned definition.
///
/// # Errors
///
/// A short code for the log, and a sentence.
pub fn examine_arguments(definition: &str, arguments: &str) -> Result<(), (&'static str, String)> {
    if leak::gives_away(arguments) {
        let why = "they hold a key or a signature of this gateway".to_owned();
        return Err(("secret_in_arguments", why));
    }
    let schema = Schema::read(definition).map_err(|it| ("definition_refused", it.to_string()))?;
    schema.check(Some(arguments), None).map_err(|misfit| match misfit {
        Misfit::Arguments(why) => ("arguments", why),
        Misfit::Header => ("header_mismatch", String::new()),
    })
}

/// Why a call cannot be held against a definition, or does not fit it.
enum Broken {
    Definition(SchemaFault),
    Misfit(String),
}

/// The compiled schema of a tool whose definition is still the one that was pinned. What is no
/// tool has none: what was said to it was held against its definition when this returns.
fn pinned_schema(
    gate: &Gate,
    asked: &Asked,
    tenant: TenantId,
    tool: ToolId,
    pinned: Digest,
) -> Option<Result<Option<Arc<Schema>>, Broken>> {
    let world = gate.world();
    let tool = world.policy.tenant(tenant)?.tool(tool).filter(|it| it.fingerprint == pinned)?;
    let (act, definition) = (asked.call.act, tool.definition.as_str());
    Some(if tool.kind == Kind::Tool {
        gate.schemas.of(pinned, definition).map(Some).map_err(Broken::Definition)
    } else if let Err(fault) = item::examine(tool.kind, definition) {
        Err(Broken::Definition(fault))
    } else {
        let thing = Fitting { kind: tool.kind, act, name: &tool.name, definition };
        item::fits(thing, asked.arguments()).map(|()| None).map_err(Broken::Misfit)
    })
}

/// Puts a no on record, and says the one thing that is said of every tool that is not there.
pub(crate) async fn deny_as<T>(
    gate: &Gate,
    live: &Live,
    wanted: Wanted<'_>,
    arguments: Digest,
    trail: &mut Trail,
    reason: &str,
    detail: Option<String>,
) -> Result<T, Refusal> {
    let mut event = decision(gate, live, wanted, arguments, trail, Decision::Deny);
    event.reason = Some(reason.to_owned());
    event.detail = detail;
    trail.note(event);
    trail.settle(&gate.ports).await?;
    Err(wanted.not_listed())
}

/// The event of a decision, but for its reason.
pub(crate) fn decision(
    gate: &Gate,
    live: &Live,
    wanted: Wanted<'_>,
    arguments: Digest,
    trail: &Trail,
    decision: Decision,
) -> Event {
    let mut event = trail.event(EventKind::Decision, gate.now());
    event.tool_name = Some(neutral(&wanted.marked()));
    if let Some(Known { tool, server, .. }) = known(gate, live, wanted) {
        event.tool = Some(tool);
        event.server = Some(server);
    }
    event.arguments = Some(arguments);
    event.decision = Some(decision);
    event.policy_version = Some(gate.world().policy.version());
    event
}

/// What a session knows of what is asked for: of several templates, the one that decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) tool: ToolId,
    pub(crate) server: ServerId,
    pub(crate) fingerprint: Digest,
}

/// What a session knows of what is asked for, if anything.
pub(crate) fn known(gate: &Gate, live: &Live, wanted: Wanted<'_>) -> Option<Known> {
    let world = gate.world();
    live.judge(|session| {
        let Wanted { kind, name, .. } = wanted;
        let all = cs_policy::meant(&world.policy, session.tenant, &session.allowlist, kind, name);
        let first = all.first()?;
        Some(Known { tool: first.tool, server: first.server, fingerprint: first.fingerprint })
    })
}

/// What a session of this caller would have if it opened now.
pub(crate) fn prospect(
    gate: &Gate,
    presented: &Presented,
    declared: &Declared,
) -> Option<Allowlist> {
    let world = gate.world();
    let tenant = world.policy.tenant(presented.tenant())?;
    let task = tenant.task_named(declared.agreed()?)?.id;
    if !presented.may_declare(task) {
        return None;
    }
    let (agent, roles) = (presented.agent(), presented.roles());
    cs_policy::open_in(&world.policy, presented.tenant(), agent, Some(task), roles).ok()
}

/// What a session can call now of one kind: the names it knows them by, and their definitions.
pub(crate) fn visible(gate: &Gate, live: &Live, kind: Kind) -> Vec<(String, String)> {
    let (world, now) = (gate.world(), gate.now());
    live.judge(|session| {
        let all = cs_policy::visible(&world.policy, session, now);
        let all = all.iter().filter(|it| it.tool.kind == kind && is_usable(gate, it.tool));
        let tenant = world.policy.tenant(session.tenant);
        let pages = |server| {
            let server = tenant.and_then(|it| it.server(server));
            server.is_some_and(|it| it.passes.has(Pass::Ui))
        };
        let seen =
            |tool: &Tool| item::shown(kind, &tool.definition, pages(tool.server)).into_owned();
        all.map(|it| (it.listed.to_owned(), seen(it.tool))).collect()
    })
}

/// What a client would see change when its tools do, and all else of one kind.
pub(crate) fn outline(gate: &Gate, live: &Live, kind: Kind) -> Vec<(String, Digest, Grant)> {
    let (world, now) = (gate.world(), gate.now());
    live.judge(|session| {
        let all = cs_policy::visible(&world.policy, session, now);
        let all = all.iter().filter(|it| it.tool.kind == kind && is_usable(gate, it.tool));
        all.map(|it| (it.listed.to_owned(), it.tool.fingerprint, it.grant)).collect()
    })
}

/// Whether a session can call anything of a server now.
pub(crate) fn reaches(gate: &Gate, live: &Live, server: ServerId) -> bool {
    let (world, now) = (gate.world(), gate.now());
    live.judge(|session| {
        let tools = cs_policy::visible(&world.policy, session, now);
        tools.iter().any(|it| it.tool.server == server)
    })
}

/// Whether a session may read what is at a URI now, without a signature.
pub(crate) fn reads(gate: &Gate, live: &Live, uri: &str) -> bool {
    let (world, now) = (gate.world(), gate.now());
    let read = serde_json::json!({ "uri": uri }).to_string();
    let met = conditions::met_by(gate, live, Kind::Resource, uri, Some(&read));
    let (arguments, listed) = (Digest::of(read.as_bytes()), uri.to_owned());
    let call = Call { kind: Kind::Resource, act: Act::Use, listed, arguments, met };
    matches!(decide(&world, live, &call, now), Verdict::Allow(_))
}
