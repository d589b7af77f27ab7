//! The life of one request, from the bytes of a message to its answer.

use std::sync::Arc;

use http::{Method, StatusCode};

use crate::answer::{self, Answer, SESSION};
use crate::authn::{self, Letter, Presented};
use crate::authz;
use crate::errand::{self, Inquiry};
use crate::gate::Gate;
use crate::refusal::Refusal;
use crate::router::{Arrival, Routed, accepted, prefers_streams, refuse};
use crate::session::{self, Declared, Live};
use crate::stream::{self, Wishes};
use crate::tls::Peer;
use crate::tool;
use crate::trail::Trail;
use crate::watch;
use crate::wire::{self, Ask, Era, Id, Incoming, Message, Meta, Notice, Reaction, only, single};
use crate::{local, wire::Flaw};
use cs_model::state::SessionEnd;
use cs_policy::Met;

/// What becomes of a request once it is understood.
enum Next {
    /// It is answered.
    Answer(Answer),
    /// It is a tool call, which may take its time.
    Call(tool::Asked),
    /// It is about an errand.
    Inquire(Inquiry),
    /// It wants to hear of changes for as long as it lasts.
    Follow(stream::Follower),
}

/// Answers a request that reached an endpoint.
///
/// Whatever the answer is, everything that led to it is on record before it is sent.
pub(crate) async fn serve(gate: &Arc<Gate>, arrival: Arrival, mut trail: Trail) -> Routed {
    let mut id = None;
    let next = match pass(gate, &arrival, &mut trail, &mut id).await {
        Ok(next) => next,
        Err(why) => return Routed::Answer(refuse(gate, trail, id.as_ref(), why).await),
    };
    // What led to a call is put on record together with the decision on it.
    if !matches!(next, Next::Call(_) | Next::Inquire(_))
        && let Err(error) = trail.settle(&gate.ports).await
    {
        return Routed::Answer(refuse(gate, trail, id.as_ref(), error.into()).await);
    }
    match next {
        Next::Answer(answer) => Routed::Answer(answer),
        Next::Follow(follower) => Routed::Answer(stream::serve(gate, follower)),
        Next::Inquire(inquiry) => Routed::Answer(errand::serve(gate, inquiry, trail).await),
        Next::Call(asked) => Routed::Call(Box::new((asked, trail))),
    }
}

/// Takes a request through the gates, in their order.
async fn pass(
    gate: &Gate,
    arrival: &Arrival,
    trail: &mut Trail,
    id: &mut Option<Id>,
) -> Result<Next, Refusal> {
    let host = only(&arrival.headers, "host").unwrap_or_default();
    let resource = gate.resource(host, &arrival.path);
    let letter = Letter {
        method: arrival.method.as_str(),
        path: &arrival.path,
        headers: &arrival.headers,
        body: &arrival.body,
        tenant: &arrival.endpoint.tenant,
        resource: &resource,
        from: arrival.from,
        certificate: arrival.certificate.as_deref().map(Peer::fingerprint),
        peer: arrival.certificate.as_ref(),
    };
    let presented = authn::identify(gate, letter, trail).await?;
    if arrival.method != Method::POST {
        return session_operation(gate, arrival, &presented, trail).await;
    }
    let envelope = match Message::read(&arrival.body).map_err(Refusal::Message)? {
        Message::Asks(envelope) => envelope,
        Message::Answers(number, reaction) => {
            trail.method("answer");
            return answered(gate, arrival, &presented, &number, reaction, trail).await;
        }
    };
    id.clone_from(&envelope.id);
    trail.method(&envelope.method);
    let incoming = wire::read(&envelope, &arrival.headers)?;
    answer(gate, arrival, &presented, incoming, trail).await
}

async fn answer(
    gate: &Gate,
    arrival: &Arrival,
    presented: &Presented,
    incoming: Incoming,
    trail: &mut Trail,
) -> Result<Next, Refusal> {
    let Incoming { era, mut meta, ask } = incoming;
    // In the newer era a stream is for what is told before the answer.
    let streams = era == Era::Legacy && prefers_streams(&arrival.headers);
    let declared = declared(arrival, presented, meta.task.take())?;
    let wanted = match &ask {
        Ask::Call(_, call) | Ask::Watch(_, call) => Some(call.wanted(era)),
        Ask::Discover(_)
        | Ask::Errand(..)
        | Ask::Initialize(..)
        | Ask::List(..)
        | Ask::Listen(..)
        | Ask::Notice(_)
        | Ask::Ping(_)
        | Ask::SetLevel(..)
        | Ask::Unwatch(..) => None,
    };
    authz::scopes::admit(gate, presented, &declared, wanted, trail).await?;
    let alive = || arrival.alive.clone();
    let said = |message: &str| {
        Next::Answer(if streams {
            answer::streamed(message)
        } else {
            local::ok(message.to_owned())
        })
    };
    let asked = |live, id, call, meta| {
        let (warrant, met, alive) = (presented.warrant(), Met::default(), alive());
        tool::Asked { era, id, call, meta, live, warrant, met, streams, alive }
    };
    let next = match ask {
        Ask::Discover(id) => {
            let prospect = authz::prospect(gate, presented, &declared).unwrap_or_default();
            Next::Answer(local::discover(&id, &prospect))
        }
        Ask::Errand(id, wish) => {
            let live = session_of(gate, arrival, era, presented, &declared, trail).await?;
            let (warrant, alive) = (presented.warrant(), alive());
            Next::Inquire(Inquiry { id, wish, meta, live, warrant, alive })
        }
        Ask::Initialize(id, version, abilities) => {
            let (live, wire_id) = session::initialize(gate, presented, &declared, trail).await?;
            live.talk().begin(abilities);
            live.watching().clear();
            Next::Answer(local::initialized(&id, &version, &live, &wire_id))
        }
        Ask::Ping(id) => {
            session_of(gate, arrival, era, presented, &declared, trail).await?;
            Next::Answer(local::pong(&id))
        }
        Ask::SetLevel(id, level) => {
            let live = session_of(gate, arrival, era, presented, &declared, trail).await?;
            live.talk().set_level(level);
            Next::Answer(local::pong(&id))
        }
        Ask::Notice(notice) => {
            if era == Era::Legacy {
                let live = session_of(gate, arrival, era, presented, &declared, trail).await?;
                if let Notice::Cancelled(id) = notice {
                    live.cancel(&id);
                }
            }
            Next::Answer(accepted())
        }
        Ask::List(id, kind) => {
            let live = session_of(gate, arrival, era, presented, &declared, trail).await?;
            let listed = local::listed(gate, &live, era, kind);
            said(&answer::result(&id, &listed))
        }
        Ask::Listen(id, wanted) => {
            let live = session_of(gate, arrival, era, presented, &declared, trail).await?;
            let reads = wanted.reads.into_iter();
            let reads = reads.map(|it| asked(Arc::clone(&live), id.clone(), it, Meta::default()));
            let watches = watch::all(gate, reads, trail).await?;
            let errands = errand::followed(gate, &live, wanted.errands);
            let wishes = Wishes { kinds: wanted.kinds, watches, errands };
            let warrant = presented.warrant();
            Next::Follow(stream::Follower::listen(live, warrant, id, wishes, alive())?)
        }
        Ask::Call(id, call) => {
            let live = session_of(gate, arrival, era, presented, &declared, trail).await?;
            Next::Call(asked(live, id, call, meta))
        }
        Ask::Unwatch(id, uri) => {
            let live = session_of(gate, arrival, era, presented, &declared, trail).await?;
            live.watching().end(&uri);
            said(&answer::result(&id, "{}"))
        }
        Ask::Watch(id, call) => {
            let live = session_of(gate, arrival, era, presented, &declared, trail).await?;
            let asked = asked(live, id, call, meta);
            let (id, live) = (asked.id.clone(), Arc::clone(&asked.live));
            live.watching().begin(watch::begin(gate, asked, trail).await?);
            said(&answer::result(&id, "{}"))
        }
    };
    Ok(next)
}

/// A client of the older era answers what it was asked while a call is under way. An answer is
/// taken once, and only from the session that was asked.
async fn answered(
    gate: &Gate,
    arrival: &Arrival,
    presented: &Presented,
    number: &str,
    reaction: Reaction,
    trail: &mut Trail,
) -> Result<Next, Refusal> {
    let unasked = Refusal::Message(Flaw::Response);
    if single(&arrival.headers, "mcp-protocol-version") == Ok(Some(wire::MODERN)) {
        return Err(unasked);
    }
    let declared = declared(arrival, presented, None)?;
    authz::scopes::admit(gate, presented, &declared, None, trail).await?;
    let Ok(wire_id) = wire_id(arrival) else { return Err(unasked) };
    let live = session::resume(gate, presented, wire_id, &declared, trail).await?;
    if live.talk().answered(number, reaction) { Ok(Next::Answer(accepted())) } else { Err(unasked) }
}

/// The session that a request belongs to.
async fn session_of(
    gate: &Gate,
    arrival: &Arrival,
    era: Era,
    presented: &Presented,
    declared: &Declared,
    trail: &mut Trail,
) -> Result<Arc<Live>, Refusal> {
    match era {
        Era::Modern => session::attach(gate, presented, declared, trail).await,
        Era::Legacy => {
            let wire_id = wire_id(arrival)?;
            session::resume(gate, presented, wire_id, declared, trail).await
        }
    }
}

/// GET and DELETE, which only the older era has: the stream of a session, and its end.
async fn session_operation(
    gate: &Gate,
    arrival: &Arrival,
    presented: &Presented,
    trail: &mut Trail,
) -> Result<Next, Refusal> {
    if !arrival.body.is_empty() {
        return Err(Refusal::Message(Flaw::Member));
    }
    match single(&arrival.headers, "mcp-protocol-version") {
        Ok(None) => {}
        Ok(Some(version)) if wire::is_older(version) => {}
        Ok(Some(version)) if version == wire::MODERN => return Err(Refusal::Method),
        Ok(Some(_)) | Err(_) => return Err(Refusal::LegacyVersion),
    }
    let declared = declared(arrival, presented, None)?;
    authz::scopes::admit(gate, presented, &declared, None, trail).await?;
    let wire_id = wire_id(arrival)?;
    let live = session::resume(gate, presented, wire_id, &declared, trail).await?;
    if arrival.method == Method::DELETE {
        session::end(gate, &live, SessionEnd::Client).await?;
        return Ok(Next::Answer(answer::empty(StatusCode::NO_CONTENT)));
    }
    let (warrant, alive) = (presented.warrant(), arrival.alive.clone());
    Ok(Next::Follow(stream::Follower::get(live, warrant, alive)))
}

fn wire_id(arrival: &Arrival) -> Result<&str, Refusal> {
    match single(&arrival.headers, SESSION.as_str()) {
        Ok(Some(wire_id)) => Ok(wire_id),
        Ok(None) | Err(_) => Err(Refusal::SessionUnnamed),
    }
}

fn declared(
    arrival: &Arrival,
    presented: &Presented,
    meta: Option<String>,
) -> Result<Declared, Refusal> {
    let header = single(&arrival.headers, "countersign-task")
        .map_err(|_| Refusal::HeaderMismatch("Countersign-Task must stand there once"))?;
    let (url, header) = (arrival.endpoint.task.clone(), header.map(str::to_owned));
    Ok(Declared { claim: presented.task().map(str::to_owned), url, header, meta })
}
