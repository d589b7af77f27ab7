//! Errands of the gateway's own: calls that wait for a person while their clients ask how they
//! fare.

use std::sync::Arc;

use cs_model::{ApprovalId, Kind, Timestamp};
use cs_policy::{Act, Verdict};
use serde_json::value::RawValue;

use super::{Handle, Inquiry, Matter, Own, Standing, judged, told};
use crate::authz;
use crate::gate::Gate;
use crate::line::Line;
use crate::parked::Return;
use crate::ports::{FiledCall, PortError, Ruling};
use crate::refusal::Refusal;
use crate::session::Live;
use crate::settle::{self, Filed, Settled};
use crate::tool::{self, Asked};
use crate::trail::Trail;
use crate::wire::{Call, Era, Members, Meta, What};

/// For how long what came of an errand is kept for its client, in seconds.
const KEPT: u64 = 10 * 60;

/// Tells the client of a call that it is an errand now, and sees it through.
pub(crate) async fn begin(gate: &Gate, asked: Asked, filed: Filed, mut trail: Trail, line: Line) {
    let (own, is_new) = gate.errands.enter(of(gate, &asked, &filed));
    let gone = line.is_gone();
    match Handle::Own(filed.approval).seal(gate, &asked.live) {
        Ok(id) => {
            let created = told::of_own(&own, &id, |it| it.created(trail.correlation));
            line.finish(&created).await;
        }
        Err(error) => {
            // Nobody could ask for it: as good as given up.
            own.cancel();
            let why = settle::record_refusal(gate, &mut trail, error.into()).await;
            line.refuse(&why).await;
        }
    }
    if is_new {
        // In the newer era a client that leaves does not want the answer, and it never heard the
        // name of this one.
        if gone {
            own.cancel();
        }
        see_through(gate, asked, filed, &own, trail).await;
    }
}

fn of(gate: &Gate, asked: &Asked, filed: &Filed) -> Own {
    let now = gate.now();
    let (name, met) = (asked.call.name.clone(), asked.met.clone());
    let matter = Matter { name, digest: filed.digest, met };
    let ids = (filed.approval, asked.live.id());
    Own::new(
        ids,
        matter,
        (now, until(gate, &asked.live, now)),
        Standing::Waiting,
        asked.warrant.clone(),
    )
}

fn until(gate: &Gate, live: &Live, created: Timestamp) -> Timestamp {
    let limits = &gate.config.limits;
    let longest = limits.decide.saturating_add(limits.upstream.call);
    let kept = std::time::Duration::from_secs(KEPT);
    created.after(longest.saturating_add(kept)).min(live.ends())
}

/// What came of a call.
enum Came {
    /// It was made, and has this result.
    Made(String),
    /// It was not made, and this says why.
    Told(String),
}

/// Waits for a person, makes the call if they sign for it, and keeps what comes of it.
async fn see_through(
    gate: &Gate,
    mut asked: Asked,
    filed: Filed,
    own: &Arc<Own>,
    mut trail: Trail,
) {
    // Of progress and notes nobody hears on the way to an errand's end.
    (asked.meta.progress, asked.meta.level) = (None, None);
    let came = carried_out(gate, &mut asked, filed, own, &mut trail).await;
    // INVARIANT: an errand that is over stays so, also after the next start: what could still lead
    // to its call is taken back before anybody hears of the end.
    let came = match came {
        // Whoever asks after the next start finds it as it is.
        Err(Refusal::Stopping) => return,
        came @ Ok(Came::Made(_)) => came,
        // Whoever ends a session takes back what it has waiting.
        came @ (Ok(Came::Told(_)) | Err(_)) if asked.live.is_over() => came,
        came @ (Ok(Came::Told(_)) | Err(_)) => {
            let ended = taken_back(gate, &asked.live, own, "task_ended", &trail).await;
            ended.map_err(Refusal::from).and(came)
        }
    };
    let given_up = *own.cancelled().borrow();
    let standing = match came {
        Ok(Came::Made(result)) => Standing::Completed(result.into()),
        Ok(Came::Told(_)) if given_up => Standing::Cancelled,
        Ok(Came::Told(result)) => Standing::Completed(result.into()),
        Err(Refusal::Abandoned | Refusal::NotListed { .. }) => Standing::Cancelled,
        Err(why) => {
            let why = settle::record_refusal(gate, &mut trail, why).await;
            let body = why.body(None, trail.correlation);
            let error = Members::read(&body).and_then(|body| body.get("error"));
            Standing::Failed(error.map_or("{}", RawValue::get).into())
        }
    };
    own.stands(standing, gate.now());
    drop(asked.alive);
}

/// Takes back the request of an errand, if it could still lead to the call.
async fn taken_back(
    gate: &Gate,
    live: &Live,
    own: &Own,
    reason: &str,
    trail: &Trail,
) -> Result<(), PortError> {
    let call = (own.matter.wanted(), own.matter.digest);
    settle::taken_back(gate, live, own.approval, call, reason, trail).await
}

async fn carried_out(
    gate: &Gate,
    asked: &mut Asked,
    filed: Filed,
    own: &Arc<Own>,
    trail: &mut Trail,
) -> Result<Came, Refusal> {
    let mut line = Line::errand(gate.config.limits.keep_alive, Arc::clone(own));
    let mut cancelled = own.cancelled();
    let mut warrants = own.warrants();
    let mut signed = settle::series_signed(gate);
    let _held = asked.live.hold(filed.approval);
    let heard = loop {
        let waiting = settle::heard(gate, asked, &filed, &mut line, &mut cancelled, &mut signed);
        tokio::select! {
            biased;
            heard = waiting => match heard? {
                Some(heard) => break heard,
                None => {
                    let Some(cleared) = settle::covered(gate, asked, &filed, trail).await? else {
                        continue;
                    };
                    own.stands(Standing::Running, gate.now());
                    let canonical = &filed.canonical;
                    return tool::made(
                        gate, cleared, asked, canonical, trail, &mut line, &mut cancelled,
                    )
                    .await
                    .map(Came::Made);
                }
            },
            renewed = warrants.changed() => {
                // It is under way: whoever holds the errand holds the other end.
                drop(renewed);
            }
        }
        // What a client comes with ends sooner than a person decides; it comes again with more.
        asked.warrant = warrants.borrow_and_update().clone();
    };
    let settled = settle::concluded(gate, asked, filed, heard, trail, &line, &cancelled).await?;
    match settled {
        Settled::Told(result) => Ok(Came::Told(result)),
        Settled::Signed(cleared, canonical) => {
            own.stands(Standing::Running, gate.now());
            tool::made(gate, *cleared, asked, &canonical, trail, &mut line, &mut cancelled)
                .await
                .map(Came::Made)
        }
    }
}

/// Answers what a client asks about one.
pub(super) async fn attend(
    gate: &Arc<Gate>,
    approval: ApprovalId,
    inquiry: Inquiry,
    trail: &mut Trail,
) -> Result<String, Refusal> {
    let own = match gate.errands.get(approval) {
        Some(own) if own.session == inquiry.live.id() => {
            judged(gate, &inquiry.live, &inquiry.warrant, &own.matter, trail).await?;
            own
        }
        Some(_) => return Err(Refusal::ErrandUnknown),
        None => {
            let found = found(gate, approval, &inquiry, trail).await?;
            judged(gate, &inquiry.live, &inquiry.warrant, &found.own.matter, trail).await?;
            if matches!(inquiry.wish.what, What::Cancel) {
                // Before it goes on.
                found.own.cancel();
            }
            goes_on(gate, found, trail)
        }
    };
    let Inquiry { live, warrant, wish, .. } = inquiry;
    // What the call may be made with: it was this client that came again.
    own.renew(warrant);
    match wish.what {
        What::Get => Ok(told::of_own(&own, &wish.id, |it| it.stands(trail.correlation))),
        What::Cancel => {
            own.cancel();
            // What its client takes for given up is that on record, too.
            taken_back(gate, &live, &own, "cancelled", trail).await?;
            Ok(told::noted(trail.correlation))
        }
        What::Update(responses) => {
            if let Some((number, responses)) = own.answer(&responses, gate.now()) {
                let client = Return {
                    line: Line::errand(gate.config.limits.keep_alive, Arc::clone(&own)),
                    cancelled: own.cancelled(),
                    responses: Some(responses),
                };
                // A call that ended meanwhile does not wait any more.
                drop(gate.parked.send(live.id(), number, client));
            }
            Ok(told::noted(trail.correlation))
        }
    }
}

/// An errand that was not remembered.
struct Found {
    own: Own,
    /// The call, where it still waits.
    waits: Option<(Asked, String)>,
}

/// Remembers an errand again. One that still waits goes on.
fn goes_on(gate: &Arc<Gate>, found: Found, trail: &Trail) -> Arc<Own> {
    let Found { own, waits } = found;
    let approval = own.approval;
    let (own, is_new) = gate.errands.enter(own);
    if let Some((asked, canonical)) = waits.filter(|_| is_new) {
        let filed = settle::filed_before(gate, &asked, approval, canonical);
        let (gate, own, trail) = (Arc::clone(gate), Arc::clone(&own), trail.again());
        tokio::spawn(async move { see_through(&gate, asked, filed, &own, trail).await });
    }
    own
}

/// An errand that is not remembered: the gateway was started anew, or it ended long ago. What
/// became of it is what is on record of its request.
async fn found(
    gate: &Gate,
    approval: ApprovalId,
    inquiry: &Inquiry,
    trail: &Trail,
) -> Result<Found, Refusal> {
    let live = &inquiry.live;
    let filed = gate.ports.desk.filed(live.tenant(), approval).await?;
    let filed = filed.filter(|it| it.session == live.id() && it.credential == live.credential);
    let filed = filed.ok_or(Refusal::ErrandUnknown)?;
    let requested = filed.requested;
    let asked = as_asked(gate, filed, inquiry)?;
    let verdict = authz::judge(
        gate,
        live,
        &asked.warrant,
        asked.wanted(),
        asked.given(cs_model::Digest::of(asked.arguments().unwrap_or_default().as_bytes())),
    );
    if let Verdict::Deny(_) = verdict {
        return Err(Refusal::ErrandUnknown);
    }
    let ruling = gate.ports.desk.ruling(live.tenant(), approval).await?;
    let canonical = asked.arguments().unwrap_or_default().to_owned();
    let filed = Filed { approval, digest: cs_model::Digest::of(canonical.as_bytes()), canonical };
    let standing = match ruling {
        Ruling::Approved { .. } | Ruling::Pending => Standing::Waiting,
        Ruling::Withdrawn => Standing::Cancelled,
        ended @ (Ruling::Denied { .. } | Ruling::Executed | Ruling::Expired | Ruling::Unknown) => {
            let text = settle::text_of(ended, approval);
            Standing::Completed(settle::not_made(&asked, &text, approval, trail)?.into())
        }
    };
    let waits = !standing.is_final();
    let own = of(gate, &asked, &filed);
    let ids = (approval, live.id());
    let times = (requested, own.until);
    let own = Own::new(ids, own.matter, times, standing, asked.warrant.clone());
    Ok(Found { own, waits: waits.then_some((asked, filed.canonical)) })
}

/// The call of a request as if its client had made it now.
fn as_asked(gate: &Gate, filed: FiledCall, inquiry: &Inquiry) -> Result<Asked, Refusal> {
    let arguments = RawValue::from_string(filed.arguments).map_err(|_| Refusal::ErrandUnknown)?;
    let call = Call {
        kind: Kind::Tool,
        act: Act::Use,
        name: filed.listed,
        arguments: Some(arguments),
        state: None,
        responses: None,
        repeated: Vec::new(),
    };
    let meta = Meta::of_errand(inquiry.meta.abilities);
    let (live, warrant) = (Arc::clone(&inquiry.live), inquiry.warrant.clone());
    let (id, alive) = (inquiry.id.clone(), inquiry.alive.clone());
    let met = cs_policy::Met::default();
    let (era, streams) = (Era::Modern, false);
    let mut asked = Asked { era, id, call, meta, live, warrant, met, streams, alive };
    asked.met = authz::met(gate, &asked);
    Ok(asked)
}
