//! The only way out.

mod conversation;
mod errand;

use cs_model::event::{EventKind, Outcome};
use cs_model::{Digest, Kind, ServerId, TenantId};
use tokio::sync::{mpsc, watch};

use self::conversation::{Conversation, MOST_ROUNDS};
pub(crate) use self::errand::ask_errand;
use crate::errand::handed_on;
use crate::gate::Gate;
use crate::item::{Shape, complete};
use crate::line::Line;
use crate::ports::PortError;
use crate::refusal::{Refusal, UpstreamFault};
use crate::settle::{self, Cleared, execution};
use crate::tool::Asked;
use crate::trail::Trail;
use crate::upstream::{Inputs, Pinned, Reply, ReplyBody, Target, ToolCall, UpstreamError, Watched};
use crate::wire::Era;
use crate::world::World;

/// How much that a server tells may wait to be handed on.
const MOST_WAITING: usize = 16;

/// What is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'c> {
    /// The call, as the client made it.
    pub(crate) asked: &'c Asked,
    /// The exact bytes of the arguments.
    pub(crate) arguments: Option<&'c str>,
}

/// Why there is no answer.
#[derive(Debug)]
enum Broken {
    /// Nobody waits for it any more: the client left, or its session is over.
    Abandoned(&'static str),
    /// Something that happened could not be put on record.
    Port(PortError),
    Upstream(UpstreamError),
}

/// Makes a cleared call, and puts its outcome on record before the client hears of it.
///
/// INVARIANT: this module is the one caller of `Outbound::call` and `Outbound::watch`, and it takes
/// a [`Cleared`] by value: no call reaches a server that was not judged, put on record and paid for, and none
/// twice. A server of the newer era that asks something back has not executed the call; the
/// request with the answer is the same call going on, under the same [`Cleared`]. So is the
/// second request of a call that a server of an older revision has not begun because it wants
/// people to visit an address first, and whatever is said about an errand.
pub(crate) async fn forward(
    gate: &Gate,
    cleared: Cleared,
    body: Body<'_>,
    trail: &mut Trail,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<String, Refusal> {
    let sent = body.arguments.unwrap_or_default();
    if Digest::of(sent.as_bytes()) != cleared.permit().arguments() {
        // What was judged is what is sent, or nothing is.
        settle::close(gate, cleared, Outcome::Failed, Some("arguments_changed"), trail).await?;
        return Err(Refusal::Upstream(UpstreamFault::Unreachable));
    }
    let permit = cleared.permit();
    let shape = Shape::of(permit.kind(), permit.act());
    let (place, digest) = ((permit.server(), permit.tool()), permit.arguments());
    let reply = exchange(gate, &cleared, body, trail, line, cancelled).await;
    let (outcome, reason) = match &reply {
        // What it comes to, the client will ask.
        Ok(Reply { body: ReplyBody::Errand(_) }) => (Outcome::Answered, Some("task")),
        Ok(_) => (Outcome::Answered, None),
        Err(Broken::Abandoned(reason)) => (Outcome::Unknown, Some(*reason)),
        Err(Broken::Port(_)) => (Outcome::Unknown, Some("unrecorded")),
        Err(Broken::Upstream(error)) => {
            let (outcome, fault) = fault(error);
            tracing::warn!(%error, "a tool call was not answered");
            (outcome, Some(fault.code()))
        }
    };
    if matches!(reply, Err(Broken::Upstream(UpstreamError::Drift))) {
        let drift = execution(trail, EventKind::ToolDrift, cleared.permit(), gate.now());
        trail.note(drift);
    }
    settle::close(gate, cleared, outcome, reason, trail).await?;
    match reply {
        Ok(Reply { body: ReplyBody::Result(result) }) => complete(body.asked.era, shape, &result),
        Ok(Reply { body: ReplyBody::Error { code, message, data } }) => {
            Err(Refusal::Answered { code: spoken(body.asked.era, code), message, data })
        }
        Ok(Reply { body: ReplyBody::Lacks(required) }) => match (body.asked.era, shape) {
            (Era::Legacy, Shape::Content) => Ok(lacking()),
            (Era::Legacy, Shape::Completion | Shape::Contents | Shape::Messages) => {
                Err(Refusal::Upstream(UpstreamFault::Rejected))
            }
            (Era::Modern, _) => Err(Refusal::Lacks { required }),
        },
        Ok(Reply { body: ReplyBody::Errand(errand) }) => {
            handed_on(gate, body.asked, place, digest, &errand, trail)
        }
        // It asked more often than anybody answers.
        Ok(Reply { body: ReplyBody::Asks(_) | ReplyBody::Visits(_) }) => {
            Err(Refusal::Upstream(UpstreamFault::Rejected))
        }
        Err(Broken::Abandoned(_)) => Err(Refusal::Abandoned),
        Err(Broken::Port(error)) => Err(error.into()),
        Err(Broken::Upstream(error)) => Err(Refusal::Upstream(fault(&error).1)),
    }
}

/// Has the server of a cleared resource tell when it changes, and puts what came of that on record.
pub(crate) async fn watch(
    gate: &Gate,
    cleared: Cleared,
    asked: &Asked,
    trail: &mut Trail,
) -> Result<Watched, Refusal> {
    let permit = cleared.permit();
    let (now, uri) = (gate.world(), asked.call.name.as_str());
    let pinned =
        Pinned { kind: permit.kind(), name: permit.tool_name(), fingerprint: permit.fingerprint() };
    let told = match target(&now, permit.tenant(), permit.server()) {
        Ok(target) => gate.outbound.watch(target, pinned, uri).await,
        Err(why) => Err(why),
    };
    let (outcome, reason) = match &told {
        Ok(Some(_)) => (Outcome::Answered, None),
        Ok(None) => (Outcome::Failed, Some("not_told")),
        Err(error) => {
            let (outcome, fault) = fault(error);
            tracing::warn!(%error, "a resource is not watched");
            (outcome, Some(fault.code()))
        }
    };
    settle::close(gate, cleared, outcome, reason, trail).await?;
    match told {
        Ok(Some(watched)) => Ok(watched),
        Ok(None) => Err(Refusal::MethodUnknown { era: asked.era }),
        Err(error) => Err(Refusal::Upstream(fault(&error).1)),
    }
}

/// Where a call goes: to the server of its tenant, as it is reached now.
fn target(world: &World, tenant: TenantId, server: ServerId) -> Result<Target<'_>, UpstreamError> {
    let misconfigured = || UpstreamError::Misconfigured("no such server".into());
    let transport = world.upstreams.get(&(tenant, server)).ok_or_else(misconfigured)?;
    let server_name = world.policy.tenant(tenant).and_then(|it| it.server(server));
    let server_name = server_name.map_or("", |server| server.name.as_str());
    Ok(Target { tenant, server, server_name, transport })
}

async fn exchange(
    gate: &Gate,
    cleared: &Cleared,
    body: Body<'_>,
    trail: &mut Trail,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<Reply, Broken> {
    let permit = cleared.permit();
    let now = gate.world();
    let (tenant, server) = (permit.tenant(), permit.server());
    let target = target(&now, tenant, server).map_err(Broken::Upstream)?;
    let server = now.policy.tenant(tenant).and_then(|it| it.server(server));
    let tool = now.policy.tenant(permit.tenant()).and_then(|it| it.tool(permit.tool()));
    let tool = tool.filter(|tool| tool.fingerprint == permit.fingerprint());
    let tool = tool.filter(|tool| tool.kind == Kind::Tool);
    let schema = tool.and_then(|it| gate.schemas.of(it.fingerprint, &it.definition).ok());
    let repeated = schema.map(|schema| schema.repeated(body.arguments)).unwrap_or_default();
    let call = ToolCall {
        kind: permit.kind(),
        act: permit.act(),
        tool: permit.tool_name(),
        fingerprint: permit.fingerprint(),
        arguments: body.arguments,
        wants_progress: body.asked.meta.progress.is_some(),
        trace: body.asked.meta.trace.as_deref(),
        repeated: &repeated,
        talk: body.asked.talk(server),
        inputs: None,
    };
    let mut conversation = Conversation::new(gate, permit, body, trail, line, cancelled);
    let mut inputs: Option<Inputs> = None;
    for _ in 0..MOST_ROUNDS {
        let (tell, told) = mpsc::channel(MOST_WAITING);
        let call = ToolCall { inputs: inputs.as_ref(), ..call };
        let reply = gate.outbound.call(target, call, tell);
        match conversation.leg(reply, told).await? {
            Reply { body: ReplyBody::Asks(asks) } => {
                inputs = Some(conversation.inputs(asks).await?);
            }
            Reply { body: ReplyBody::Visits(visits) } => {
                if !conversation.visits(visits).await? {
                    return Ok(Reply { body: not_visited() });
                }
            }
            Reply { body: ReplyBody::Errand(errand) } if !conversation.hands_errands_on() => {
                return errand::awaited(&mut conversation, gate, target, call.talk, *errand).await;
            }
            reply => return Ok(reply),
        }
    }
    Err(Broken::Upstream(UpstreamError::Rejected("the server asks without end".to_owned())))
}

/// What is said where people did not visit the addresses that a server wanted them to.
fn not_visited() -> ReplyBody {
    let message = "The server wants its user to visit an address first, and the user did not";
    ReplyBody::Error { code: -32603, message: message.to_owned(), data: None }
}

/// What a client of the older era is told of a server that needs something of it that it cannot
/// do, or that is not let through.
fn lacking() -> String {
    let text = "The tool's server needs something of the client that it cannot do, or that is not \
                let through here.";
    let content = serde_json::json!([{ "type": "text", "text": text }]);
    serde_json::json!({ "content": content, "isError": true }).to_string()
}

/// What an error means: whether the call may have been made, and what the agent may know.
const fn fault(error: &UpstreamError) -> (Outcome, UpstreamFault) {
    match error {
        UpstreamError::Drift => (Outcome::Failed, UpstreamFault::Drift),
        UpstreamError::Lost(_) => (Outcome::Unknown, UpstreamFault::Lost),
        UpstreamError::Misconfigured(_) | UpstreamError::NotSent(_) => {
            (Outcome::Failed, UpstreamFault::Unreachable)
        }
        UpstreamError::Rejected(_) => (Outcome::Failed, UpstreamFault::Rejected),
        UpstreamError::TimedOut => (Outcome::Unknown, UpstreamFault::TimedOut),
    }
}

/// A server's error code in the words of the era: each keeps some for itself.
pub(crate) const fn spoken(era: Era, code: i64) -> i64 {
    match (era, code) {
        (Era::Modern, -32002 | -32042 | -32099..=-32020) => -32602,
        (Era::Legacy, -32029..=-32020) => -32603,
        (Era::Legacy | Era::Modern, _) => code,
    }
}
