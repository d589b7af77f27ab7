//! The life of one call of a tool, a prompt, a resource or a completion, on one screen.

use std::sync::Arc;

use cs_model::event::Decision;
use cs_model::{Digest, Kind};
use cs_policy::{Act, Met, Server};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot, watch};

use crate::answer::Answer;
use crate::authn::Warrant;
use crate::authz::{self, Given, Way};
use crate::errand;
use crate::gate::Gate;
use crate::item::Wanted;
use crate::line::{Line, Ticket};
use crate::parked::Return;
use crate::proxy::{self, Body};
use crate::rates;
use crate::refusal::Refusal;
use crate::router::refuse;
use crate::session::Live;
use crate::settle::{self, Cleared, Filed, Settled};
use crate::state::{State, Wait};
use crate::trail::Trail;
use crate::upstream::{Level, Talk};
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
    /// Whether its client would rather have the answer on a stream.
    pub(crate) streams: bool,
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

    /// How loud what a server notes down has to be for the client to hear it.
    pub(crate) fn hears(&self) -> Option<Level> {
        match self.era {
            Era::Legacy => Some(self.live.talk().level().unwrap_or(Level::Info)),
            Era::Modern => self.meta.level,
        }
    }

    /// What the tool's server may say and ask meanwhile.
    pub(crate) fn talk(&self, server: Option<&Server>) -> Talk {
        let is_tool = (self.call.kind, self.call.act) == (Kind::Tool, Act::Use);
        let talk = talk(&self.live, self.era, &self.meta, server);
        // A client of the older era has no errands of this kind; for it the gateway waits itself.
        let errands = is_tool && (self.era == Era::Legacy || self.meta.errands);
        Talk { hears: self.hears(), errands, ..talk }
    }
}

/// What a server may say and ask: what the client can, as far as the switches let it pass.
pub(crate) fn talk(live: &Live, era: Era, meta: &Meta, server: Option<&Server>) -> Talk {
    let (able, level) = match era {
        Era::Legacy => (live.talk().abilities(), live.talk().level()),
        Era::Modern => (meta.abilities, meta.level),
    };
    let abilities = server.map(|server| able.let_through(&server.passes)).unwrap_or_default();
    Talk { session: live.id(), era, abilities, level, hears: None, errands: meta.errands }
}

/// What becomes of a call.
enum Came {
    /// It is before a person, and its client asks how it fares.
    Filed(Filed),
    /// To this result.
    Result(String),
    /// To nothing of its own: its client was handed to the call that waited for it.
    HandedOver,
}

/// Answers a tool call. It is in a task of its own: a connection that breaks off must not stop it
/// between a step and the record of that step.
pub(crate) async fn serve(gate: &Gate, asked: Asked, trail: Trail, head: oneshot::Sender<Answer>) {
    let Some(cancelled) = asked.live.begin(&asked.id) else {
        let answer = refuse(gate, trail, Some(&asked.id), Refusal::IdInUse).await;
        // A client that has left misses it.
        let _ = head.send(answer);
        return;
    };
    let correlation = trail.correlation;
    let ticket = Ticket {
        live: Arc::clone(&asked.live),
        id: asked.id.clone(),
        token: asked.meta.progress.clone(),
        correlation,
        alive: asked.alive.clone(),
    };
    let line = Line::new(gate.config.limits.keep_alive, ticket, head);
    run(gate, asked, trail, line, cancelled).await;
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
        Ok(Came::Result(result)) => line.finish(&result).await,
        Ok(Came::HandedOver) => {}
        Ok(Came::Filed(filed)) => return errand::begin(gate, asked, filed, trail, line).await,
        Err(why) => {
            let why = settle::record_refusal(gate, &mut trail, why).await;
            line.refuse(&why).await;
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
) -> Result<Came, Refusal> {
    gate.meter.count(gate.now());
    asked.live.called();
    let exact = Digest::of(asked.arguments().unwrap_or_default().as_bytes());
    let Asked { live, warrant, .. } = asked;
    let way = authz::permit(gate, live, warrant, asked.wanted(), asked.given(exact), trail).await?;
    authz::fits(gate, asked, &way, exact, trail).await?;
    authz::scopes::check(gate, live, warrant, asked.wanted(), exact, trail).await?;
    let held = matches!(way, Way::Held(_));
    authz::scopes::confirm(gate, live, warrant, asked.wanted(), exact, held, trail).await?;
    let brought = State::brought(gate, asked)?;
    if let Some(State { wait: Wait::Input(number), .. }) = brought {
        return back(gate, asked, exact, number, trail, line, cancelled).await;
    }
    rates::charge(gate, asked, &way, exact, trail).await?;
    // A refusal has a status of its own, and can have it only before this.
    if asked.streams || asked.meta.progress.is_some() {
        line.open();
    }
    let (cleared, canonical) = match way {
        Way::Clear(permit) => (settle::on_record(gate, asked, permit, trail).await?, None),
        Way::Held(held) => match settle::pay_in_series(gate, asked, held, trail).await? {
            Ok((cleared, canonical)) => (*cleared, Some(canonical)),
            Err(held) if errand::fits(asked) => {
                return Ok(match settle::filed(gate, asked, held, trail).await? {
                    Ok(filed) => Came::Filed(filed),
                    Err(told) => Came::Result(told),
                });
            }
            Err(held) => {
                let settled =
                    settle::countersigned(gate, asked, held, brought, trail, line, cancelled);
                match settled.await? {
                    Settled::Signed(cleared, canonical) => (*cleared, Some(canonical)),
                    Settled::Told(result) => return Ok(Came::Result(result)),
                }
            }
        },
    };
    let arguments = canonical.as_deref().or_else(|| asked.arguments());
    send(gate, cleared, Body { asked, arguments }, trail, line, cancelled).await.map(Came::Result)
}

/// Makes a call that was signed for while its client asked how it fares.
pub(crate) async fn made(
    gate: &Gate,
    cleared: Cleared,
    asked: &Asked,
    canonical: &str,
    trail: &mut Trail,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<String, Refusal> {
    let body = Body { asked, arguments: Some(canonical) };
    send(gate, cleared, body, trail, line, cancelled).await
}

async fn send(
    gate: &Gate,
    cleared: Cleared,
    body: Body<'_>,
    trail: &mut Trail,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<String, Refusal> {
    proxy::forward(gate, cleared, body, trail, line, cancelled).await
}

/// A client came back with what its call waits for. It was judged anew; the call itself is on
/// record and paid for already, and goes on. Its place is taken once.
async fn back(
    gate: &Gate,
    asked: &Asked,
    exact: Digest,
    number: crate::parked::Number,
    trail: &mut Trail,
    line: &mut Line,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<Came, Refusal> {
    let live = &asked.live;
    let decided = authz::decision(gate, live, asked.wanted(), exact, trail, Decision::Allow);
    trail.note(cs_model::event::Event { reason: Some("came_back".to_owned()), ..decided });
    trail.settle(&gate.ports).await?;
    let away = Line::closed(line.keep_alive);
    let client = Return {
        line: std::mem::replace(line, away),
        cancelled: cancelled.clone(),
        responses: asked.call.responses.clone(),
    };
    match gate.parked.send(live.id(), number, client) {
        Ok(()) => Ok(Came::HandedOver),
        Err(client) => {
            // The call is over, or somebody came back before.
            *line = client.line;
            Err(Refusal::State)
        }
    }
}
