//! The only way out.

use cs_model::event::{EventKind, Outcome};
use cs_model::{Digest, Kind};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

use crate::authn::holds;
use crate::gate::Gate;
use crate::item::{Shape, complete};
use crate::line::Line;
use crate::refusal::{Refusal, UpstreamFault};
use crate::settle::{self, Cleared, execution};
use crate::tool::Asked;
use crate::trail::Trail;
use crate::upstream::{Reply, ReplyBody, Target, ToolCall, UpstreamError};
use crate::wire::Era;

/// How many notes of progress may wait for the client.
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
enum Broken {
    /// Nobody waits for it any more: the client left, or its session is over.
    Abandoned(&'static str),
    Upstream(UpstreamError),
}

/// Makes a cleared call, and puts its outcome on record before the client hears of it.
///
/// INVARIANT: this is the one caller of `Outbound::call`, and it takes a [`Cleared`] by value: no
/// call reaches a server that was not judged, put on record and paid for, and none twice.
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
    let shape = Shape::of(cleared.permit().kind(), cleared.permit().act());
    let reply = exchange(gate, &cleared, body, line, cancelled).await;
    let (outcome, reason) = match &reply {
        Ok(_) => (Outcome::Answered, None),
        Err(Broken::Abandoned(reason)) => (Outcome::Unknown, Some(*reason)),
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
        Err(Broken::Abandoned(_)) => Err(Refusal::Abandoned),
        Err(Broken::Upstream(error)) => Err(Refusal::Upstream(fault(&error).1)),
    }
}

async fn exchange(
    gate: &Gate,
    cleared: &Cleared,
    body: Body<'_>,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<Reply, Broken> {
    let permit = cleared.permit();
    let now = gate.world();
    let misconfigured = || Broken::Upstream(UpstreamError::Misconfigured("no such server".into()));
    let transport =
        now.upstreams.get(&(permit.tenant(), permit.server())).ok_or_else(misconfigured)?;
    let server = now.policy.tenant(permit.tenant()).and_then(|it| it.server(permit.server()));
    let server_name = server.map_or("", |server| server.name.as_str());
    let target =
        Target { tenant: permit.tenant(), server: permit.server(), server_name, transport };
    let token = body.asked.meta.progress.as_ref();
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
        wants_progress: token.is_some(),
        trace: body.asked.meta.trace.as_deref(),
        repeated: &repeated,
    };
    let (tell, mut told) = mpsc::channel(MOST_WAITING);
    let mut reply = gate.outbound.call(target, call, tell);
    let live = &body.asked.live;
    let (mut world, mut ending) = (gate.world.clone(), live.ending());
    let mut pulse = tokio::time::interval(line.keep_alive);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // In the older era a connection that breaks off is no wish to stop.
    let leaving_stops = body.asked.era == Era::Modern;
    let mut silent = false;
    loop {
        if live.is_over() || !holds(&gate.world(), &body.asked.warrant, gate.now()) {
            return Err(Broken::Abandoned("session_over"));
        }
        // What ends the call comes first, then what the server told before it answered.
        tokio::select! {
            biased;
            () = line.gone(), if leaving_stops => return Err(Broken::Abandoned("client_left")),
            taken_back = cancelled.changed() => {
                if taken_back.is_err() || *cancelled.borrow() {
                    return Err(Broken::Abandoned("cancelled"));
                }
            }
            _ = ending.changed() => {}
            changed = world.changed(), if !silent => silent = changed.is_err(),
            Some(progress) = told.recv() => forward_progress(line, body, &progress),
            reply = &mut reply => return reply.map_err(Broken::Upstream),
            _ = pulse.tick() => line.pulse(),
        }
    }
}

fn forward_progress(line: &mut Line, body: Body<'_>, progress: &RawValue) {
    if let Some(token) = &body.asked.meta.progress {
        line.forward(token, progress);
    }
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
const fn spoken(era: Era, code: i64) -> i64 {
    match (era, code) {
        (Era::Modern, -32002 | -32042 | -32099..=-32020) => -32602,
        (Era::Legacy, -32029..=-32020) => -32603,
        (Era::Legacy | Era::Modern, _) => code,
    }
}
