//! Calls whose clients do not wait for the answer but ask from time to time how they fare: the
//! tasks of the extension `io.modelcontextprotocol/tasks`. They are called errands here: a task is
//! what an agent declares.
//!
//! There are two kinds. An errand of the gateway's own is a call that waits for a person: it is
//! made once when it is approved, whether or not its client asks. An errand of a server is what
//! the server answered a call with; the gateway keeps nothing of it, and hands on what its client
//! asks. What a client knows an errand by is sealed for its session: to everybody else it is a
//! name that was never given.

mod book;
mod followed;
mod handle;
mod own;
mod theirs;
mod told;

use std::sync::Arc;

use cs_model::event::{Decision, Event};
use cs_model::{Digest, Kind};
use cs_policy::{Act, Met, Verdict};
use http::StatusCode;
use tokio::sync::mpsc;

pub(crate) use self::book::{Book, Own, Standing};
pub(crate) use self::followed::{Followed, followed};
use self::handle::Handle;
pub(crate) use self::own::begin;
pub(crate) use self::theirs::handed_on;
use crate::answer::{self, Answer};
use crate::authn::Warrant;
use crate::authz::{self, Given, Way, scopes};
use crate::gate::Gate;
use crate::item::Wanted;
use crate::refusal::Refusal;
use crate::router::refuse;
use crate::session::Live;
use crate::tool::Asked;
use crate::trail::Trail;
use crate::wire::{Era, Id, Meta, Wish};

/// What a client asks about an errand.
#[derive(Debug)]
pub(crate) struct Inquiry {
    pub(crate) id: Id,
    pub(crate) wish: Wish,
    pub(crate) meta: Meta,
    pub(crate) live: Arc<Live>,
    pub(crate) warrant: Warrant,
    pub(crate) alive: mpsc::Sender<()>,
}

/// The call that an errand is about, as far as it is judged.
#[derive(Debug)]
pub(crate) struct Matter {
    /// The name by which the client knows the tool.
    pub(crate) name: String,
    /// The digest of its arguments.
    pub(crate) digest: Digest,
    /// The conditions of the policy that they satisfy.
    pub(crate) met: Met,
}

impl Matter {
    fn wanted(&self) -> Wanted<'_> {
        Wanted { era: Era::Modern, kind: Kind::Tool, act: Act::Use, name: &self.name }
    }

    fn given(&self) -> Given<'_> {
        Given { digest: self.digest, met: &self.met }
    }
}

/// Whether a call that needs a person becomes an errand: its client can do with one, and brings
/// nothing along that would settle it otherwise.
pub(crate) const fn fits(asked: &Asked) -> bool {
    matches!((asked.era, asked.call.kind, asked.call.act), (Era::Modern, Kind::Tool, Act::Use))
        && asked.meta.errands
        && asked.meta.tokens.is_none()
        && asked.call.state.is_none()
}

/// Answers what a client asks about an errand.
pub(crate) async fn serve(gate: &Arc<Gate>, inquiry: Inquiry, mut trail: Trail) -> Answer {
    let id = inquiry.id.clone();
    match attend(gate, inquiry, &mut trail).await {
        Ok(result) => answer::json(StatusCode::OK, answer::result(&id, &result)),
        Err(why) => refuse(gate, trail, Some(&id), why).await,
    }
}

async fn attend(gate: &Arc<Gate>, inquiry: Inquiry, trail: &mut Trail) -> Result<String, Refusal> {
    match Handle::open(gate, &inquiry.live, &inquiry.wish.id).ok_or(Refusal::ErrandUnknown)? {
        Handle::Own(approval) => own::attend(gate, approval, inquiry, trail).await,
        Handle::Theirs(errand) => theirs::attend(gate, &errand, &inquiry, trail).await,
    }
}

/// Judges the call of an errand as if it came now. What would not be allowed any more is not there.
async fn judged(
    gate: &Gate,
    live: &Live,
    warrant: &Warrant,
    matter: &Matter,
    trail: &mut Trail,
) -> Result<Way, Refusal> {
    let (wanted, digest) = (matter.wanted(), matter.digest);
    let judged = authz::judge(gate, live, warrant, wanted, matter.given());
    let (decision, reason) = match &judged {
        Verdict::Allow(_) | Verdict::Hold(_) => (Decision::Allow, "task_inquiry"),
        Verdict::Deny(deny) => (Decision::Deny, deny.code()),
    };
    let event = authz::decision(gate, live, wanted, digest, trail, decision);
    trail.note(Event { reason: Some(reason.to_owned()), ..event });
    let way = match judged {
        Verdict::Allow(permit) => Way::Clear(permit),
        Verdict::Hold(held) => Way::Held(held),
        Verdict::Deny(_) => return Err(Refusal::ErrandUnknown),
    };
    scopes::check(gate, live, warrant, wanted, digest, trail).await?;
    trail.settle(&gate.ports).await?;
    Ok(way)
}
