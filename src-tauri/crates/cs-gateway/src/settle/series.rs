//! Series of approvals: calls that somebody signed for before they were made.
//!
//! A series is looked at only where a call came without a token of its own. What it pays for is
//! checked here for each call anew, whatever the registry or the console says of it: the signature
//! with the key that its operator has now, the operator's standing, the tool's marks and signing
//! rule under the policy that judges the call, and the arguments against the schema that was signed.

use cs_model::event::{Decision, Event, EventKind, Outcome};
use cs_model::json::{self, Limits};
use cs_model::series::SeriesClaims;
use cs_model::{Digest, OperationTokenId, Timestamp};
use cs_policy::{Held, Permit, Series, Verdict};
use cs_trust::series;
use tokio::sync::watch;

use super::hold::{self, Question};
use super::{Cleared, Payment, close, execution, held_event};
use crate::authz;
use crate::gate::Gate;
use crate::ports::{PortError, RunningSeries, SeriesUse, Spend};
use crate::refusal::Refusal;
use crate::tool::Asked;
use crate::trail::Trail;

/// A call that a series pays for, if one of its calls can be spent.
struct Covered {
    permit: Permit,
    claims: SeriesClaims,
    /// By which time it was held against the call.
    judged: Timestamp,
}

/// Pays for a held call with a series that covers it. Otherwise the call is still held, and nothing
/// was spent.
pub(crate) async fn pay(
    gate: &Gate,
    asked: &Asked,
    held: Held,
    trail: &mut Trail,
) -> Result<Result<(Box<Cleared>, String), Held>, Refusal> {
    // Whoever brings a token, or comes back to a request, says what pays for the call.
    if asked.meta.tokens.is_some() || asked.call.state.is_some() {
        return Ok(Err(held));
    }
    let written = asked.arguments().unwrap_or("{}");
    let Ok(canonical) = json::canonical(written, Limits::default()) else { return Ok(Err(held)) };
    let digest = Digest::of(canonical.as_bytes());
    let call = Question { asked, canonical: &canonical, digest };
    let running = gate.ports.series.running(held.tenant(), held.session(), held.tool()).await?;
    if running.is_empty() || !hold::may_be_paid_otherwise(gate, &call).await? {
        return Ok(Err(held));
    }
    for series in running {
        let Some(covered) = covered(gate, &call, &series, trail).await? else { continue };
        if let Some(cleared) = spend(gate, &call, &series, covered, trail).await? {
            return Ok(Ok((Box::new(cleared), canonical)));
        }
    }
    Ok(Err(held))
}

/// Changes when a series was signed; at first at once, since one may have been signed after the call
/// was held against those that run.
pub(crate) fn signed(gate: &Gate) -> watch::Receiver<u64> {
    let mut signed = gate.ports.series.signed();
    signed.mark_changed();
    signed
}

/// Pays for a call that waits for a person with a series that covers it by now, if there is one.
/// The request that stands for the call is taken back with that.
pub(super) async fn pay_waiting(
    gate: &Gate,
    call: &Question<'_>,
    trail: &mut Trail,
) -> Result<Option<Cleared>, Refusal> {
    let Asked { live, warrant, .. } = call.asked;
    let (wanted, given) = (call.asked.wanted(), call.asked.given(call.digest));
    let Verdict::Hold(held) = authz::judge(gate, live, warrant, wanted, given) else {
        return Ok(None);
    };
    let running = gate.ports.series.running(held.tenant(), held.session(), held.tool()).await?;
    if running.is_empty() || !hold::may_be_paid_otherwise(gate, call).await? {
        return Ok(None);
    }
    for series in running {
        let Some(covered) = covered(gate, call, &series, trail).await? else { continue };
        // Whoever waited may have lost what it came with meanwhile.
        authz::scopes::check(gate, live, warrant, wanted, call.digest, trail).await?;
        authz::scopes::confirm(gate, live, warrant, wanted, call.digest, true, trail).await?;
        if let Some(cleared) = spend(gate, call, &series, covered, trail).await? {
            return Ok(Some(cleared));
        }
    }
    Ok(None)
}

/// Whether a series pays for a call, judged anew. One that would pay for no other call either is
/// ended, on record.
async fn covered(
    gate: &Gate,
    call: &Question<'_>,
    series: &RunningSeries,
    trail: &Trail,
) -> Result<Option<Covered>, PortError> {
    let asked = call.asked;
    let given = asked.given(call.digest);
    let judged = authz::judge(gate, &asked.live, &asked.warrant, asked.wanted(), given);
    let Verdict::Hold(held) = judged else { return Ok(None) };
    match weigh(gate, held, series, call.canonical) {
        Ok(covered) => Ok(Some(covered)),
        Err((held, Some(why))) => {
            end(gate, &held, series, why, trail).await?;
            Ok(None)
        }
        Err((_, None)) => Ok(None),
    }
}

/// Holds a series against a call: the call, still held, where it does not pay for it, and why it
/// would pay for no other either, if it would not.
fn weigh(
    gate: &Gate,
    held: Held,
    series: &RunningSeries,
    canonical: &str,
) -> Result<Covered, (Box<Held>, Option<&'static str>)> {
    let (world, judged) = (gate.world(), gate.latest());
    let public_key = |operator| world.operators.get(&operator).map(|it| it.public_key);
    let verified = match series::verify(&series.token, public_key) {
        Ok(verified) => verified,
        Err(why) => return Err((Box::new(held), Some(why.code()))),
    };
    let claims = verified.claims();
    let signer = world.operators.get(&claims.iss).filter(|_| claims.jti == series.id);
    let Some(signer) = signer else { return Err((Box::new(held), Some("series_id"))) };
    let satisfied = authz::fits_schema(gate, &series.schema, canonical)
        .then(|| Digest::of(series.schema.as_bytes()));
    let signed = Series { claims, signatory: &signer.signatory, satisfied };
    match held.release_in_series(signed, &gate.config.instance, judged) {
        Ok(permit) => Ok(Covered { permit, claims: claims.clone(), judged }),
        Err((held, unpaid)) => Err((held, unpaid.is_final().then(|| unpaid.code()))),
    }
}

/// Spends one call of a series on a call that it covers, together with the record of that; nothing
/// when there is none left, or somebody has approved the very call.
async fn spend(
    gate: &Gate,
    call: &Question<'_>,
    series: &RunningSeries,
    covered: Covered,
    trail: &mut Trail,
) -> Result<Option<Cleared>, Refusal> {
    let Covered { permit, claims, judged } = covered;
    let now = gate.now();
    let asked = call.asked;
    let token = OperationTokenId::from_random(gate.random()?);
    let of_series = |mut event: Event| {
        event.token = Some(token);
        event.series = Some(claims.jti);
        event
    };
    let wanted = asked.wanted();
    let mut decided =
        authz::decision(gate, &asked.live, wanted, call.digest, trail, Decision::Allow);
    decided.reason = Some("in_series".to_owned());
    let mut redeemed = execution(trail, EventKind::TokenRedeemed, &permit, now);
    redeemed.reason = Some("in_series".to_owned());
    let started = execution(trail, EventKind::ExecutionStarted, &permit, now);
    trail.settle(&gate.ports).await?;
    let events = vec![of_series(decided), of_series(redeemed), of_series(started)];
    let what = SeriesUse {
        series: claims.jti,
        token,
        tenant: permit.tenant(),
        session: permit.session(),
        operation: hold::operation(gate, call),
        calls: claims.n,
        expires: Timestamp::from_secs(claims.exp),
        at: judged,
    };
    // INVARIANT: the call of the series is spent and the record is durable before anything is sent.
    // A crash after this leaves a call of unknown outcome, never one that is made twice.
    match gate.ports.series.redeem(what, events).await? {
        Spend::Spent => {}
        Spend::Refused => return Ok(None),
    }
    hold::forget(gate, call);
    let payment = Payment { token, approval: None, series: Some(claims.jti) };
    let cleared = Cleared::paid(permit, payment, now);
    // Writing takes time, in which somebody may have narrowed the policy or removed who signed.
    let Asked { live, warrant, .. } = asked;
    let no_longer = match authz::judge(gate, live, warrant, wanted, asked.given(call.digest)) {
        Verdict::Allow(_) => return Ok(Some(cleared)),
        Verdict::Hold(held) => match weigh(gate, held, series, call.canonical) {
            Ok(_) => return Ok(Some(cleared)),
            Err((_, why)) => why.unwrap_or("series_expired"),
        },
        Verdict::Deny(deny) => {
            close(gate, cleared, Outcome::Failed, Some(deny.code()), trail).await?;
            return Err(wanted.not_listed());
        }
    };
    close(gate, cleared, Outcome::Failed, Some(no_longer), trail).await?;
    Ok(None)
}

/// Ends a series that pays for nothing any more.
async fn end(
    gate: &Gate,
    held: &Held,
    series: &RunningSeries,
    reason: &'static str,
    trail: &Trail,
) -> Result<(), PortError> {
    let mut event = held_event(trail, EventKind::SeriesEnded, held, gate.now());
    event.arguments = None;
    event.series = Some(series.id);
    event.reason = Some(reason.to_owned());
    gate.ports.series.end(held.tenant(), series.id, reason, gate.now(), vec![event]).await
}
