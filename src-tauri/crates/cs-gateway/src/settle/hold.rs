//! A call that waits for a person.

use cs_model::event::{Decision, EventKind};
use cs_model::op_token::Operation;
use cs_model::{ApprovalId, Digest, MostWaiting, TenantId};
use cs_policy::{Held, Verdict};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use super::{Cleared, series, spend, told};
use crate::authz::{self, Given};
use crate::gate::Gate;
use crate::item::Wanted;
use crate::line::Line;
use crate::ports::{Meanwhile, NewApproval, PortError, Ruling};
use crate::rates::{Counted, Limit};
use crate::refusal::Refusal;
use crate::session::Live;
use crate::state::{State, Wait, come_back};
use crate::tool::Asked;
use crate::trail::{Trail, neutral};
use crate::wire::Era;

/// A call, as a person is asked about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'c> {
    pub(super) asked: &'c Asked,
    /// The canonical arguments: what is shown, signed, hashed and sent.
    pub(super) canonical: &'c str,
    /// Their digest.
    pub(super) digest: Digest,
}

impl Question<'_> {
    fn given(&self) -> Given<'_> {
        self.asked.given(self.digest)
    }
}

/// What ended a wait.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The client took the call back, or is not there any more.
    Gone,
    /// Somebody decided, or the request came to an end.
    Ruled(Ruling),
    /// The gateway stops.
    Stopping,
    /// The call would not be allowed any more.
    Stray,
    /// It is time to let the client go.
    TimeUp,
}

/// Puts a call before a person and waits for what they say.
pub(super) async fn ask(
    gate: &Gate,
    call: &Question<'_>,
    brought: Option<State>,
    trail: &mut Trail,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<Result<Cleared, String>, Refusal> {
    let (approval, round) = match brought.map(|state| state.wait) {
        Some(Wait::Approval { approval, count }) => (approval, count),
        Some(Wait::Input(_)) => return Err(Refusal::State),
        None => match file(gate, call, trail).await? {
            Ok(approval) => (approval, 0),
            Err(told) => return Ok(Err(told)),
        },
    };
    trail.settle(&gate.ports).await?;
    line.open();
    let _held = call.asked.live.hold(approval);
    let mut signed = series::signed(gate);
    let limit = gate.config.limits.hold;
    // A client that asks how its errand fares is not kept waiting by it.
    let end = if line.is_errand() { None } else { Instant::now().checked_add(limit) };
    let heard = loop {
        let waited = wait(gate, call, (approval, end), line, cancelled, &mut signed).await?;
        if let Some(heard) = waited {
            break heard;
        }
        if let Some(cleared) = series::pay_waiting(gate, call, trail).await? {
            return Ok(Ok(cleared));
        }
    };
    conclude(gate, call, (approval, round), heard, trail, line, cancelled).await
}

/// Does what follows from what was heard: of the request that is filed, in this round.
pub(super) async fn conclude(
    gate: &Gate,
    call: &Question<'_>,
    (approval, round): (ApprovalId, u32),
    heard: Heard,
    trail: &mut Trail,
    line: &Line,
    cancelled: &watch::Receiver<bool>,
) -> Result<Result<Cleared, String>, Refusal> {
    let ruling = match heard {
        Heard::Ruled(ruling) => Some(ruling),
        Heard::TimeUp => return later(gate, call, approval, round, trail).map(Err),
        Heard::Stopping => return Err(Refusal::Stopping),
        Heard::Gone => None,
        Heard::Stray => return Err(strayed(gate, call, approval, trail).await?),
    };
    // Whoever was approved has to be there still: nothing is made that nobody waits for.
    let there = !line.is_gone() && !*cancelled.borrow();
    let Some(ruling) = ruling.filter(|_| there) else {
        // In the older era a connection that breaks off is no wish to stop: what somebody signs for
        // is there for the same call, made again. What was given up is not made later either.
        let is_given_up = call.asked.era == Era::Modern || *cancelled.borrow();
        // The same call may be held a second time, by whoever made it anew before this one was gone.
        if is_given_up && call.asked.live.held(approval) <= 1 {
            withdraw(gate, call, approval, "cancelled", trail).await?;
            count_left(gate, &call.asked.live);
        }
        return say(call, told::WITHDRAWN, approval, trail).map(Err);
    };
    call.asked.live.settled(operation(gate, call));
    if let Ruling::Approved { tokens } = ruling {
        return spend(gate, call.asked, call.digest, &tokens, Some(approval), trail).await;
    }
    say(call, &text_of(ruling, approval), approval, trail).map(Err)
}

/// What the agent is told of a request that came to its end without a signature.
pub(super) fn text_of(ruling: Ruling, approval: ApprovalId) -> String {
    match ruling {
        Ruling::Denied { reason } => told::denied(&reason),
        Ruling::Executed => told::EXECUTED.to_owned(),
        Ruling::Expired => told::EXPIRED.to_owned(),
        Ruling::Approved { .. } | Ruling::Pending => told::pending(approval),
        Ruling::Unknown => told::UNKNOWN.to_owned(),
        Ruling::Withdrawn => told::WITHDRAWN.to_owned(),
    }
}

fn say(
    call: &Question<'_>,
    text: &str,
    approval: ApprovalId,
    trail: &Trail,
) -> Result<String, Refusal> {
    told::result(call.asked, text, Some(approval), trail.correlation)
}

/// Takes a request back because the call would not be allowed any more, and puts that on record.
async fn strayed(
    gate: &Gate,
    call: &Question<'_>,
    approval: ApprovalId,
    trail: &Trail,
) -> Result<Refusal, PortError> {
    withdraw(gate, call, approval, "not_allowed_any_more", trail).await?;
    let Asked { live, warrant, .. } = call.asked;
    let wanted = call.asked.wanted();
    // Whoever waits has tried nothing: what it asked for was taken from it since.
    Ok(match authz::judge(gate, live, warrant, wanted, call.given()) {
        Verdict::Deny(deny) => super::no_more(call.asked, deny),
        Verdict::Allow(_) | Verdict::Hold(_) => wanted.not_listed(),
    })
}

/// Whether what waits or waited for the same call leaves it to something else to pay for it: what
/// somebody approved is made with that, and what somebody denied is told first.
pub(super) async fn may_be_paid_otherwise(
    gate: &Gate,
    call: &Question<'_>,
) -> Result<bool, PortError> {
    let live = &call.asked.live;
    let Some(approval) = live.waiting_for(operation(gate, call)) else { return Ok(true) };
    Ok(match gate.ports.desk.ruling(live.tenant(), approval).await? {
        Ruling::Executed | Ruling::Pending | Ruling::Withdrawn => true,
        Ruling::Approved { .. } | Ruling::Denied { .. } | Ruling::Expired | Ruling::Unknown => {
            false
        }
    })
}

/// The call waits for nobody any more.
pub(super) fn forget(gate: &Gate, call: &Question<'_>) {
    call.asked.live.settled(operation(gate, call));
}

/// What makes two calls the same.
pub(super) fn operation(gate: &Gate, call: &Question<'_>) -> Digest {
    let live = &call.asked.live;
    let known = authz::known(gate, live, call.asked.wanted());
    let operation = Operation {
        tenant: live.tenant(),
        agent: live.agent(),
        session: live.id(),
        task: live.task(),
        target: known.map(|it| (it.server, it.tool, it.fingerprint)),
        arguments: call.digest,
    };
    operation.digest()
}

/// Whether the same call is before a person already, as far as is known.
pub(super) fn is_filed(gate: &Gate, call: &Question<'_>) -> bool {
    call.asked.live.waiting_for(operation(gate, call)).is_some()
}

/// The call was put before a person before the gateway was started.
pub(super) fn filed_before(gate: &Gate, call: &Question<'_>, approval: ApprovalId) {
    call.asked.live.wait_for(operation(gate, call), approval);
}

/// Files a call, or finds the request that stands for it. Instead, the client may have to hear
/// what became of the last one, or that it asks for too much.
pub(super) async fn file(
    gate: &Gate,
    call: &Question<'_>,
    trail: &mut Trail,
) -> Result<Result<ApprovalId, String>, Refusal> {
    let live = &call.asked.live;
    let operation = operation(gate, call);
    if let Some(told) = last_time(gate, call, operation, trail).await? {
        return Ok(Err(told));
    }
    // An agent whose number is set may have all of it in one session.
    let cap = most_waiting(gate, live);
    if cap.is_none() && live.waiting_for(operation).is_none() && crowded(gate, call).await? {
        return too_many(gate, call, ("too_many_waiting", told::CROWDED), trail).await.map(Err);
    }
    let (warrant, wanted) = (&call.asked.warrant, call.asked.wanted());
    let Verdict::Hold(held) = authz::judge(gate, live, warrant, wanted, call.given()) else {
        return Err(wanted.not_listed());
    };
    trail.settle(&gate.ports).await?;
    // What was left behind a moment ago has been put before a person all the same.
    let most = cap.unwrap_or(MostWaiting::USUAL).get().saturating_sub(left(gate, live));
    let request = request(gate, call, &held, operation, most)?;
    let mut event = super::held_event(trail, EventKind::ApprovalRequested, &held, gate.now());
    event.approval = Some(request.id);
    event.decision = Some(Decision::Hold);
    let Some(approval) = gate.ports.desk.file(request, vec![event]).await? else {
        let why = ("agent_too_many_waiting", told::AGENT_CROWDED);
        return too_many(gate, call, why, trail).await.map(Err);
    };
    live.wait_for(operation, approval);
    if live.is_over() {
        // The session ended while the request was filed, and whoever ended it did not see it.
        withdraw(gate, call, approval, "session_ended", trail).await?;
    }
    Ok(Ok(approval))
}

fn request(
    gate: &Gate,
    call: &Question<'_>,
    held: &Held,
    operation: Digest,
    most_waiting: u16,
) -> Result<NewApproval, PortError> {
    let now = gate.now();
    Ok(NewApproval {
        id: ApprovalId::from_random(gate.random()?),
        operation,
        tenant: held.tenant(),
        agent: held.agent(),
        credential: call.asked.live.credential,
        session: held.session(),
        task: held.task(),
        server: held.server(),
        tool: held.tool(),
        listed: call.asked.wanted().marked(),
        fingerprint: held.fingerprint(),
        arguments: call.canonical.to_owned(),
        arguments_digest: call.digest,
        policy_version: held.policy_version(),
        requested: now,
        decide_by: now.after(gate.config.limits.decide),
        most_waiting,
    })
}

/// Takes note that a client left a call behind that somebody was asked about.
fn count_left(gate: &Gate, live: &Live) {
    let limit = Limit { most: u32::MAX, time: gate.config.limits.decide };
    let _ = gate.rates.take(&[(Counted::Left(live.tenant(), live.agent()), limit)], gate.now());
}

/// How many calls of the agent were left behind in the time that a person has to decide.
fn left(gate: &Gate, live: &Live) -> u16 {
    let limit = Limit { most: u32::MAX, time: gate.config.limits.decide };
    let left = gate.rates.usage(Counted::Left(live.tenant(), live.agent()), limit, gate.now());
    u16::try_from(left.used).unwrap_or(u16::MAX)
}

/// How many calls of the agent may wait at a time, where that was set.
fn most_waiting(gate: &Gate, live: &Live) -> Option<MostWaiting> {
    let world = gate.world();
    world.policy.tenant(live.tenant())?.agent(live.agent())?.most_waiting
}

/// Puts on record that a call is not put before a person because too many are, and tells why.
async fn too_many(
    gate: &Gate,
    call: &Question<'_>,
    (reason, told): (&'static str, &str),
    trail: &mut Trail,
) -> Result<String, Refusal> {
    super::turned_away(gate, call.asked, call.digest, reason, trail).await?;
    told::result(call.asked, told, None, trail.correlation)
}

/// What became of the last request for the same call, if the client has not heard it yet: a
/// denial is told once, before somebody is asked again.
async fn last_time(
    gate: &Gate,
    call: &Question<'_>,
    operation: Digest,
    trail: &Trail,
) -> Result<Option<String>, Refusal> {
    let live = &call.asked.live;
    let Some(approval) = live.waiting_for(operation) else { return Ok(None) };
    let ruling = gate.ports.desk.ruling(live.tenant(), approval).await?;
    if matches!(ruling, Ruling::Approved { .. } | Ruling::Pending) {
        return Ok(None);
    }
    live.settled(operation);
    if matches!(ruling, Ruling::Executed | Ruling::Withdrawn) {
        return Ok(None);
    }
    say(call, &text_of(ruling, approval), approval, trail).map(Some)
}

/// Whether as many calls of the session wait for a person as may.
async fn crowded(gate: &Gate, call: &Question<'_>) -> Result<bool, PortError> {
    let live = &call.asked.live;
    let most = gate.config.limits.waiting;
    if live.all_waiting().len() < most {
        return Ok(false);
    }
    for (operation, approval) in live.all_waiting() {
        match gate.ports.desk.ruling(live.tenant(), approval).await? {
            Ruling::Pending => {}
            Ruling::Approved { .. }
            | Ruling::Denied { .. }
            | Ruling::Executed
            | Ruling::Expired
            | Ruling::Unknown
            | Ruling::Withdrawn => drop(live.settled(operation)),
        }
    }
    Ok(live.all_waiting().len() >= most)
}

/// Waits until something ends the wait. Revocation, the end of the session and a narrower policy
/// are heard of at once. Answers with nothing when a series was signed that may cover the call.
pub(super) async fn wait(
    gate: &Gate,
    call: &Question<'_>,
    (approval, end): (ApprovalId, Option<Instant>),
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
    signed: &mut watch::Receiver<u64>,
) -> Result<Option<Heard>, PortError> {
    let live = &call.asked.live;
    let limits = &gate.config.limits;
    let token = call.asked.meta.progress.as_ref();
    let message = format!("Waiting for a person to decide on request {approval}");
    let every = if token.is_some() { limits.progress } else { limits.keep_alive };
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let time_up = async {
        match end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(time_up);
    let (mut world, mut ending) = (gate.world.clone(), live.ending());
    let meanwhile = if line.is_errand() { Meanwhile::Asks } else { Meanwhile::Waits };
    let mut decided = gate.ports.desk.decided(live.tenant(), approval, meanwhile);
    loop {
        if !is_still_held(gate, call) {
            return Ok(Some(Heard::Stray));
        }
        if line.is_gone() || *cancelled.borrow() {
            return Ok(Some(Heard::Gone));
        }
        tokio::select! {
            biased;
            () = line.gone() => return Ok(Some(Heard::Gone)),
            taken_back = cancelled.changed() => {
                if taken_back.is_err() {
                    return Ok(Some(Heard::Gone));
                }
            }
            _ = ending.changed() => {}
            changed = world.changed() => {
                if changed.is_err() {
                    return Ok(Some(Heard::Stray));
                }
            }
            () = gate.stops() => return Ok(Some(Heard::Stopping)),
            ruling = &mut decided => {
                let ruling = ruling?;
                if ruling != Ruling::Pending {
                    return Ok(Some(Heard::Ruled(ruling)));
                }
                decided = gate.ports.desk.decided(live.tenant(), approval, meanwhile);
            }
            // What was decided comes first: whoever denies has ended what covered the call.
            Ok(()) = signed.changed() => return Ok(None),
            () = &mut time_up => return Ok(Some(Heard::TimeUp)),
            _ = tick.tick() => match token {
                Some(token) => line.waiting(token, &message),
                None => line.pulse(),
            },
        }
    }
}

/// Whether the call would still wait for a person if it came now.
fn is_still_held(gate: &Gate, call: &Question<'_>) -> bool {
    let Asked { live, warrant, .. } = call.asked;
    match authz::judge(gate, live, warrant, call.asked.wanted(), call.given()) {
        // A policy that asks for no signature any more holds for the next call; this one waits
        // for the person who was asked.
        Verdict::Allow(_) | Verdict::Hold(_) => true,
        Verdict::Deny(_) => false,
    }
}

/// Lets the client go while the request still waits.
fn later(
    gate: &Gate,
    call: &Question<'_>,
    approval: ApprovalId,
    round: u32,
    trail: &Trail,
) -> Result<String, Refusal> {
    let limits = &gate.config.limits;
    if call.asked.era == Era::Modern && round < limits.rounds {
        let count = round.saturating_add(1);
        let until = gate.now().after(limits.decide);
        let state = State { wait: Wait::Approval { approval, count }, until };
        let state = state.seal(gate, call.asked)?;
        return Ok(come_back(None, &state, trail.correlation));
    }
    let text = told::pending(approval);
    told::result(call.asked, &text, Some(approval), trail.correlation)
}

async fn withdraw(
    gate: &Gate,
    call: &Question<'_>,
    approval: ApprovalId,
    reason: &str,
    trail: &Trail,
) -> Result<(), PortError> {
    let live = &call.asked.live;
    // Whoever ends a session takes back what it has waiting.
    if !live.settled(operation(gate, call)) && live.is_over() {
        return Ok(());
    }
    let (wanted, digest) = (call.asked.wanted(), call.digest);
    take_back(gate, live.tenant(), approval, (wanted, digest), reason, trail).await
}

/// Takes back what stands for a call, if it could still lead to it.
pub(super) async fn take_back(
    gate: &Gate,
    tenant: TenantId,
    approval: ApprovalId,
    (wanted, digest): (Wanted<'_>, Digest),
    reason: &str,
    trail: &Trail,
) -> Result<(), PortError> {
    let mut event = trail.event(EventKind::ApprovalWithdrawn, gate.now());
    event.approval = Some(approval);
    event.tool_name = Some(neutral(&wanted.marked()));
    event.arguments = Some(digest);
    event.reason = Some(reason.to_owned());
    event.policy_version = Some(gate.world().policy.version());
    gate.ports.desk.withdraw(tenant, approval, vec![event]).await
}
