//! Nothing goes out before it is on record, and nothing that needs a signature before one was
//! spent on it.
//!
//! For a call that is simply allowed: the decision is on record, then it is cleared: one without an
//! end on record is one whose outcome is unknown. For one that a person signs: the token is verified against this very call, then spent
//! and put on record in one durable step, then it is cleared.

mod hold;
mod quorum;
mod series;
mod told;
mod unpaid;

use cs_model::event::{Decision, Event, EventKind, Outcome};
use cs_model::json::{self, Limits};
use cs_model::{ApprovalId, Digest, OperationTokenId, SeriesId, Timestamp};
use cs_policy::{Held, Permit, Verdict};
use tokio::sync::watch;

pub(crate) use self::hold::Heard;
pub(crate) use self::series::{pay as pay_in_series, signed as series_signed};
use self::unpaid::{no_more, unpaid, why_refused};
use crate::authz;
use crate::gate::Gate;
use crate::item::Wanted;
use crate::line::Line;
use crate::ports::{PortError, Redemption, Ruling, Spend};
use crate::refusal::Refusal;
use crate::session::Live;
use crate::state::State;
use crate::tool::Asked;
use crate::trail::{Trail, neutral};

/// The most bytes of arguments that a person is asked to sign for. Nobody reads more, and all of it
/// is kept for as long as the log is.
const MOST_SIGNED: usize = 1024 * 1024;

/// A call that is on record, and paid for where it costs a signature.
///
/// Its fields are private to this module: only [`on_record`], `spend` and [`pay_in_series`] make
/// one. Only [`forward`](crate::proxy::forward) takes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct Cleared {
    permit: Permit,
    payment: Option<Payment>,
    since: Timestamp,
}

/// What paid for a call.
#[derive(Clone, Copy, Debug)]
struct Payment {
    /// What the redemption is known by.
    token: OperationTokenId,
    /// The request that was answered.
    approval: Option<ApprovalId>,
    /// The series that it was a call of.
    series: Option<SeriesId>,
}

impl Cleared {
    /// A call whose payment was spent just now, on record.
    const fn paid(permit: Permit, payment: Payment, since: Timestamp) -> Self {
        Self { permit, payment: Some(payment), since }
    }

    /// The call that was cleared.
    pub(crate) const fn permit(&self) -> &Permit {
        &self.permit
    }
}

/// What came of a call that needs a signature.
#[derive(Debug)]
pub(crate) enum Settled {
    /// It may go ahead, with these arguments: the ones that were shown, signed and hashed.
    Signed(Box<Cleared>, String),
    /// The client has its answer: the call was not made.
    Told(String),
}

/// A call that is before a person.
#[derive(Debug)]
pub(crate) struct Filed {
    /// The request that stands for it.
    pub(crate) approval: ApprovalId,
    /// The canonical arguments: what is shown, signed, hashed and sent.
    pub(crate) canonical: String,
    /// Their digest.
    pub(crate) digest: Digest,
}

/// Puts a call that is allowed on record.
pub(crate) async fn on_record(
    gate: &Gate,
    asked: &Asked,
    permit: Permit,
    trail: &mut Trail,
) -> Result<Cleared, Refusal> {
    let (live, wanted) = (&asked.live, asked.wanted());
    let digest = permit.arguments();
    let mut decided = authz::decision(gate, live, wanted, digest, trail, Decision::Allow);
    decided.reason = Some("granted".to_owned());
    decided.policy_version = Some(permit.policy_version());
    let since = decided.at;
    trail.note(decided);
    trail.settle(&gate.ports).await?;
    let cleared = Cleared { permit, payment: None, since };
    // Writing takes time, in which somebody may have narrowed the policy or ended the session.
    match authz::judge(gate, live, &asked.warrant, wanted, asked.given(digest)) {
        Verdict::Allow(_) => Ok(cleared),
        Verdict::Hold(_) => {
            close(gate, cleared, Outcome::Failed, Some("needs_countersignature"), trail).await?;
            Err(wanted.not_listed())
        }
        Verdict::Deny(deny) => {
            close(gate, cleared, Outcome::Failed, Some(deny.code()), trail).await?;
            Err(wanted.not_listed())
        }
    }
}

/// Has a call that needs a signature signed for: by a token that came with it, or by a person
/// who is asked now.
pub(crate) async fn countersigned(
    gate: &Gate,
    asked: &Asked,
    held: Held,
    brought: Option<State>,
    trail: &mut Trail,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<Settled, Refusal> {
    let (canonical, digest) = needs_signature(gate, asked, held, trail)?;
    let call = hold::Question { asked, canonical: &canonical, digest };
    let answered = match &asked.meta.tokens {
        Some(tokens) => spend(gate, asked, digest, tokens, None, trail).await?,
        None => hold::ask(gate, &call, brought, trail, line, cancelled).await?,
    };
    Ok(match answered {
        Ok(cleared) => Settled::Signed(Box::new(cleared), canonical),
        Err(told) => Settled::Told(told),
    })
}

/// Puts a call before a person without waiting for what they say. Instead, the client may have to
/// hear something else at once.
pub(crate) async fn filed(
    gate: &Gate,
    asked: &Asked,
    held: Held,
    trail: &mut Trail,
) -> Result<Result<Filed, String>, Refusal> {
    let (canonical, digest) = needs_signature(gate, asked, held, trail)?;
    let call = hold::Question { asked, canonical: &canonical, digest };
    let filed = hold::file(gate, &call, trail).await?;
    trail.settle(&gate.ports).await?;
    Ok(filed.map(|approval| Filed { approval, canonical, digest }))
}

/// Takes back what stands for a call that is not to be made any more. Once this returns, it cannot
/// be, by this gateway or the next.
pub(crate) async fn taken_back(
    gate: &Gate,
    live: &Live,
    approval: ApprovalId,
    (wanted, digest): (Wanted<'_>, Digest),
    reason: &str,
    trail: &Trail,
) -> Result<(), PortError> {
    hold::take_back(gate, live.tenant(), approval, (wanted, digest), reason, trail).await
}

/// Takes note that a call has been before a person since before the gateway was started.
pub(crate) fn filed_before(
    gate: &Gate,
    asked: &Asked,
    approval: ApprovalId,
    canonical: String,
) -> Filed {
    let digest = Digest::of(canonical.as_bytes());
    let call = hold::Question { asked, canonical: &canonical, digest };
    hold::filed_before(gate, &call, approval);
    Filed { approval, canonical, digest }
}

/// Waits for what becomes of a call that is before a person. Nothing is lost when nobody waits
/// any more. Answers with nothing when a series was signed that may cover it.
pub(crate) async fn heard(
    gate: &Gate,
    asked: &Asked,
    filed: &Filed,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
    signed: &mut watch::Receiver<u64>,
) -> Result<Option<Heard>, PortError> {
    let call = hold::Question { asked, canonical: &filed.canonical, digest: filed.digest };
    hold::wait(gate, &call, (filed.approval, None), line, cancelled, signed).await
}

/// Pays for a call that is before a person with a series that was signed meanwhile, if one covers
/// it.
pub(crate) async fn covered(
    gate: &Gate,
    asked: &Asked,
    filed: &Filed,
    trail: &mut Trail,
) -> Result<Option<Cleared>, Refusal> {
    let call = hold::Question { asked, canonical: &filed.canonical, digest: filed.digest };
    series::pay_waiting(gate, &call, trail).await
}

/// Does what follows from what was heard.
pub(crate) async fn concluded(
    gate: &Gate,
    asked: &Asked,
    filed: Filed,
    heard: Heard,
    trail: &mut Trail,
    line: &Line,
    cancelled: &watch::Receiver<bool>,
) -> Result<Settled, Refusal> {
    let call = hold::Question { asked, canonical: &filed.canonical, digest: filed.digest };
    let filed_as = (filed.approval, 0);
    match hold::conclude(gate, &call, filed_as, heard, trail, line, cancelled).await? {
        Ok(cleared) => Ok(Settled::Signed(Box::new(cleared), filed.canonical)),
        Err(told) => Ok(Settled::Told(told)),
    }
}

/// What an agent is told of a request that came to its end without a call that it could hear of.
pub(crate) fn text_of(ruling: Ruling, approval: ApprovalId) -> String {
    if ruling == Ruling::Executed {
        told::NOT_KEPT.to_owned()
    } else {
        hold::text_of(ruling, approval)
    }
}

/// Says in the result of a call that it was not made, or cannot be told of.
pub(crate) fn not_made(
    asked: &Asked,
    text: &str,
    approval: ApprovalId,
    trail: &Trail,
) -> Result<String, Refusal> {
    told::result(asked, text, Some(approval), trail.correlation)
}

/// What a person signs for: what is shown, signed, hashed and sent is one text.
fn needs_signature(
    gate: &Gate,
    asked: &Asked,
    held: Held,
    trail: &mut Trail,
) -> Result<(String, Digest), Refusal> {
    let written = asked.arguments().unwrap_or("{}");
    let canonical =
        json::canonical(written, Limits::default()).map_err(|_| Refusal::NotSignable)?;
    if canonical.len() > MOST_SIGNED {
        return Err(Refusal::TooMuchToSign);
    }
    let digest = Digest::of(canonical.as_bytes());
    drop(held);
    let wanted = asked.wanted();
    let mut decided = authz::decision(gate, &asked.live, wanted, digest, trail, Decision::Hold);
    decided.reason = Some("needs_countersignature".to_owned());
    trail.note(decided);
    Ok((canonical, digest))
}

/// Whether a call that needs a signature is before a person already: whoever asks for the same
/// again, or comes back to it, makes no other call.
pub(crate) fn is_waiting(gate: &Gate, asked: &Asked) -> bool {
    if asked.call.state.is_some() {
        return true;
    }
    let written = asked.arguments().unwrap_or("{}");
    let Ok(canonical) = json::canonical(written, Limits::default()) else { return false };
    let digest = Digest::of(canonical.as_bytes());
    hold::is_filed(gate, &hold::Question { asked, canonical: &canonical, digest })
}

/// Spends tokens on a call: all of them, or none. What does not match is refused and stays unspent.
async fn spend(
    gate: &Gate,
    asked: &Asked,
    digest: Digest,
    tokens: &[String],
    approval: Option<ApprovalId>,
    trail: &mut Trail,
) -> Result<Result<Cleared, String>, Refusal> {
    let verified = match quorum::verify(gate, tokens) {
        Ok(verified) => verified,
        Err(reason) => {
            return unpaid(gate, (asked, digest), approval, reason, trail).await.map(Err);
        }
    };
    // The call is judged anew: what was true when it began to wait may not be true any more.
    let Asked { live, warrant, .. } = asked;
    // Whoever waited for a person may have lost what it came with meanwhile.
    if approval.is_some() {
        authz::scopes::check(gate, live, warrant, asked.wanted(), digest, trail).await?;
        authz::scopes::confirm(gate, live, warrant, asked.wanted(), digest, true, trail).await?;
    }
    let given = asked.given(digest);
    let judged = match approval {
        // What waited asked for nothing that it was not to have: somebody has changed that since.
        Some(approval) => match authz::judge(gate, live, warrant, asked.wanted(), given) {
            Verdict::Allow(permit) => authz::Way::Clear(permit),
            Verdict::Hold(held) => authz::Way::Held(held),
            Verdict::Deny(deny) => {
                let (about, why) = ((asked.wanted(), digest), "not_allowed_any_more");
                taken_back(gate, live, approval, about, why, trail).await?;
                return Err(no_more(asked, deny));
            }
        },
        None => authz::permit(gate, live, warrant, asked.wanted(), given, trail).await?,
    };
    let held = match judged {
        authz::Way::Held(held) => held,
        authz::Way::Clear(_) => {
            return unpaid(gate, (asked, digest), approval, "not_needed", trail).await.map(Err);
        }
    };
    let (now, judged) = (gate.now(), gate.latest());
    let paid = match quorum::release(gate, held, &verified, judged) {
        Ok(paid) => paid,
        Err(reason) => {
            return unpaid(gate, (asked, digest), approval, reason, trail).await.map(Err);
        }
    };
    let quorum::Paid { permit, token, others, expires, breaks_glass } = paid;
    let with_token = |mut event: Event, token| {
        event.token = Some(token);
        event.approval = approval;
        event
    };
    let wanted = asked.wanted();
    let mut decided = authz::decision(gate, &asked.live, wanted, digest, trail, Decision::Allow);
    decided.reason = Some("countersigned".to_owned());
    let mut redeemed = execution(trail, EventKind::TokenRedeemed, &permit, now);
    redeemed.reason = breaks_glass.then(|| "break_glass".to_owned());
    let started = execution(trail, EventKind::ExecutionStarted, &permit, now);
    trail.settle(&gate.ports).await?;
    let mut events = vec![with_token(decided, token)];
    let spent = [token].into_iter().chain(others.iter().copied());
    events.extend(spent.map(|it| with_token(redeemed.clone(), it)));
    events.push(with_token(started, token));
    let (tenant, session) = (permit.tenant(), permit.session());
    let redemption = Redemption { token, others, tenant, session, approval, expires, at: judged };
    // INVARIANT: the tokens are spent and the record is durable before anything is sent. A crash
    // after this leaves a call of unknown outcome, never one that is made twice.
    match gate.ports.ledger.redeem(redemption, events).await? {
        Spend::Spent => {}
        Spend::Refused => {
            let reason = why_refused(gate, tenant, approval).await?;
            return unpaid(gate, (asked, digest), approval, reason, trail).await.map(Err);
        }
    }
    let cleared = Cleared::paid(permit, Payment { token, approval, series: None }, now);
    // Writing takes time, in which somebody may have narrowed the policy, asked for more signatures
    // or removed who signed. The tokens stay spent: nobody is to think that they pay for another.
    let text = if approval.is_some() { told::LAPSED } else { told::TOKEN };
    let no_longer = match authz::judge(gate, live, warrant, wanted, asked.given(digest)) {
        Verdict::Allow(_) => return Ok(Ok(cleared)),
        Verdict::Hold(held) => {
            let again = quorum::verify(gate, tokens);
            match again.and_then(|verified| quorum::release(gate, held, &verified, judged)) {
                Ok(_) => return Ok(Ok(cleared)),
                Err(reason) => reason,
            }
        }
        Verdict::Deny(deny) => {
            close(gate, cleared, Outcome::Failed, Some(deny.code()), trail).await?;
            return Err(wanted.not_listed());
        }
    };
    close(gate, cleared, Outcome::Failed, Some(no_longer), trail).await?;
    told::result(asked, text, approval, trail.correlation).map(Err)
}

/// Puts the end of an execution on record.
pub(crate) async fn close(
    gate: &Gate,
    cleared: Cleared,
    outcome: Outcome,
    reason: Option<&str>,
    trail: &mut Trail,
) -> Result<(), PortError> {
    let Cleared { permit, payment, since } = cleared;
    let now = gate.now();
    let mut event = execution(trail, EventKind::ExecutionFinished, &permit, now);
    event.outcome = Some(outcome);
    event.reason = reason.map(str::to_owned);
    event.took_ms = u64::try_from(now.since(since).as_millis()).ok();
    let Some(Payment { token, approval, series }) = payment else {
        trail.note(event);
        return trail.settle(&gate.ports).await;
    };
    event.token = Some(token);
    (event.approval, event.series) = (approval, series);
    let events = trail.take_with(event);
    gate.ports.ledger.settled(token, outcome, events).await
}

/// An event about the execution of a call.
pub(crate) fn execution(trail: &Trail, kind: EventKind, permit: &Permit, at: Timestamp) -> Event {
    let mut event = trail.event(kind, at);
    event.server = Some(permit.server());
    event.tool = Some(permit.tool());
    event.tool_name = Some(neutral(&permit.kind().marked(permit.tool_name().as_str())));
    event.arguments = Some(permit.arguments());
    event.policy_version = Some(permit.policy_version());
    event
}

/// An event about a call that waits for a person.
fn held_event(trail: &Trail, kind: EventKind, held: &Held, at: Timestamp) -> Event {
    let mut event = trail.event(kind, at);
    event.server = Some(held.server());
    event.tool = Some(held.tool());
    event.tool_name = Some(neutral(&held.kind().marked(held.tool_name().as_str())));
    event.arguments = Some(held.arguments());
    event.policy_version = Some(held.policy_version());
    event
}

/// Puts on record that a call is not put before a person although the policy would have it so.
async fn turned_away(
    gate: &Gate,
    asked: &Asked,
    digest: Digest,
    reason: &str,
    trail: &mut Trail,
) -> Result<(), PortError> {
    let wanted = asked.wanted();
    let mut event = authz::decision(gate, &asked.live, wanted, digest, trail, Decision::Deny);
    event.reason = Some(reason.to_owned());
    trail.note(event);
    trail.settle(&gate.ports).await
}

/// Puts a refusal on record that is not yet. What cannot be recorded is refused for that reason.
pub(crate) async fn record_refusal(gate: &Gate, trail: &mut Trail, why: Refusal) -> Refusal {
    if let Some(reason) = why.unrecorded_reason() {
        let mut event = trail.event(EventKind::RequestRefused, gate.now());
        event.reason = Some(reason.to_owned());
        trail.note(event);
    }
    match trail.settle(&gate.ports).await {
        Ok(()) => why,
        Err(error) => Refusal::Unrecorded(error),
    }
}
