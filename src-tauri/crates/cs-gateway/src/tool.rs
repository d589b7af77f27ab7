//! The life of one call of a tool, a prompt, a resource or a completion, on one screen.

use std::sync::Arc;

use cs_model::Digest;
use cs_policy::Met;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};

use crate::answer::{self, Answer};
use crate::authn::Warrant;
use crate::authz::{self, Given, Way};
use crate::gate::Gate;
use crate::item::Wanted;
use crate::line::Line;
use crate::proxy::{self, Body};
use crate::rates;
use crate::refusal::Refusal;
use crate::router::refuse;
use crate::session::Live;
use crate::settle::{self, Settled};
use crate::trail::Trail;
use crate::wire::{Call, Era, Id, Meta};

/// A tool call of a caller who is known, in a session that is open.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) era: Era,
    pub(crate) id: Id,
    pub(crate) call: Call,
    pub(crate) meta: Meta,
    pub(crate) live: Arc<Live>,
    pub(crate) warrant: Warrant,
    /// The conditions of the policy that the arguments satisfy.
    pub(crate) met: Met,
    pub(crate) alive: mpsc::Sender<()>,
}

impl Asked {
    /// The arguments exactly as the client wrote them.
    pub(crate) fn arguments(&self) -> Option<&str> {
        self.call.arguments.as_deref().map(RawValue::get)
    }

    /// The arguments as the policy judges them, if this is the digest of what would be sent.
    pub(crate) fn given(&self, digest: Digest) -> Given<'_> {
        Given { digest, met: &self.met }
    }

    /// What is asked for.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        self.call.wanted(self.era)
    }
}

/// Frees the id of a request when it is answered, however that comes about.
struct InFlight(Arc<Live>, Id);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.finish(&self.1);
    }
}

/// Answers a tool call. It has a task of its own: a connection that breaks off must not stop it
/// between a step and the record of that step.
pub(crate) async fn serve(gate: &Arc<Gate>, asked: Asked, trail: Trail) -> Answer {
    let Some(cancelled) = asked.live.begin(&asked.id) else {
        return refuse(gate, trail, Some(&asked.id), Refusal::IdInUse).await;
    };
    let in_flight = InFlight(Arc::clone(&asked.live), asked.id.clone());
    let (line, answer) = Line::new(gate.config.limits.keep_alive);
    let (gate, correlation) = (Arc::clone(gate), trail.correlation);
    let id = asked.id.clone();
    let running = tokio::spawn(async move {
        run(&gate, asked, trail, line, cancelled).await;
        drop(in_flight);
    });
    match answer.await {
        Ok(answer) => answer,
        // The task ended without an answer: the client took the call back.
        Err(_) => {
            drop(running);
            answer::refused(&Refusal::Stopping, Some(&id), correlation)
        }
    }
}

async fn run(
    gate: &Gate,
    mut asked: Asked,
    mut trail: Trail,
    mut line: Line,
    mut cancelled: watch::Receiver<bool>,
) {
    asked.met = authz::met(gate, &asked);
    let told = live(gate, &asked, &mut trail, &mut line, &mut cancelled).await;
    match told {
        Ok(result) => line.finish(answer::result(&asked.id, &result)).await,
        Err(why) => {
            let why = settle::record_refusal(gate, &mut trail, why).await;
            line.refuse(&why, &asked.id, trail.correlation).await;
        }
    }
    drop(asked.alive);
}

/// Takes one tool call through the gates and, if it passes, to its server. The answer is the
/// result that the client gets.
///
/// Read it as a list. Each step consumes what the step before it produced, so none can be skipped
/// or taken out of order.
async fn live(
    gate: &Gate,
    asked: &Asked,
    trail: &mut Trail,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<String, Refusal> {
    gate.meter.count(gate.now());
    asked.live.called();
    let exact = Digest::of(asked.arguments().unwrap_or_default().as_bytes());
    let Asked { live, warrant, .. } = asked;
    let way = authz::permit(gate, live, warrant, asked.wanted(), asked.given(exact), trail).await?;
    authz::fits(gate, asked, &way, exact, trail).await?;
    authz::scopes::check(gate, live, warrant, asked.wanted(), exact, trail).await?;
    let held = matches!(way, Way::Held(_));
    authz::scopes::confirm(gate, live, warrant, asked.wanted(), exact, held, trail).await?;
    rates::charge(gate, asked, &way, exact, trail).await?;
    // A refusal has a status of its own, and can have it only before this.
    if asked.meta.progress.is_some() {
        line.open();
    }
    let (cleared, canonical) = match way {
        Way::Clear(permit) => (settle::on_record(gate, asked, permit, trail).await?, None),
        Way::Held(held) => {
            match settle::countersigned(gate, asked, held, trail, line, cancelled).await? {
                Settled::Signed(cleared, canonical) => (*cleared, Some(canonical)),
                Settled::Told(result) => return Ok(result),
            }
        }
    };
    let arguments = canonical.as_deref().or_else(|| asked.arguments());
    proxy::forward(gate, cleared, Body { asked, arguments }, trail, line, cancelled).await
}
