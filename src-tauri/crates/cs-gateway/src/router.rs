//! From a request to an endpoint: who it is for, how large it may be, how long it may take.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use cs_model::CorrelationId;
use cs_model::event::EventKind;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::answer::{self, Answer, CORRELATION};
use crate::call;
use crate::edge::{MARKER, Wire};
use crate::gate::Gate;
use crate::issuer;
use crate::metadata;
use crate::ports::PortError;
use crate::refusal::Refusal;
use crate::renewal;
use crate::tls::Peer;
use crate::tool::{self, Asked};
use crate::trail::Trail;
use crate::wire::{Id, single};

/// Where a request came from.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) wire: Arc<Wire>,
    pub(crate) peer: SocketAddr,
    /// The client certificate of the connection, where it has one.
    pub(crate) certificate: Option<Arc<Peer>>,
    /// Tells that the gateway still has something to do.
    pub(crate) alive: mpsc::Sender<()>,
}

/// A request that reached an endpoint.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The address that it comes from.
    pub(crate) from: IpAddr,
    /// The client certificate of the connection, where it has one.
    pub(crate) certificate: Option<Arc<Peer>>,
    pub(crate) alive: mpsc::Sender<()>,
}

/// An MCP endpoint, as it stands in an address.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) tenant: String,
    pub(crate) task: Option<String>,
}

/// Answers a request, whatever it is.
pub(crate) async fn serve(gate: &Arc<Gate>, request: Request<Incoming>, caller: Caller) -> Answer {
    let answering = caller.wire.answering();
    let (correlation, unlucky) = match gate.correlation() {
        Ok(correlation) => (correlation, None),
        Err(error) => (CorrelationId::from_random([0; 16]), Some(error)),
    };
    let mut answer = match unlucky {
        None => attend(gate, request, caller, correlation).await,
        Some(error) => answer::refused(&unrecorded(error), None, correlation),
    };
    let headers = answer.headers_mut();
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(no_store);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(correlation) = HeaderValue::from_str(&correlation.to_string()) {
        headers.insert(CORRELATION, correlation);
    }
    answer.map(|body| body.while_answering(answering))
}

/// What became of a request at the gates.
#[derive(Debug)]
pub(crate) enum Routed {
    /// It is answered.
    Answer(Answer),
    /// It is a tool call that may be judged.
    Call(Box<(Asked, Trail)>),
}

/// Takes a request to its endpoint, in a task of its own: a client that leaves while a session
/// is opened, a call is made or a refusal is written down must not leave half of it behind.
async fn attend(
    gate: &Arc<Gate>,
    request: Request<Incoming>,
    caller: Caller,
    correlation: CorrelationId,
) -> Answer {
    let trail = Trail::new(correlation, caller.peer.to_string());
    let routing = Arc::clone(gate);
    let (head, answer) = oneshot::channel();
    tokio::spawn(async move {
        match route(&routing, request, caller, trail).await {
            // A client that has left misses it.
            Routed::Answer(answer) => drop(head.send(answer)),
            Routed::Call(call) => tool::serve(&routing, call.0, call.1, head).await,
        }
    });
    // The task ended without an answer.
    answer.await.unwrap_or_else(|_| answer::refused(&Refusal::Stopping, None, correlation))
}

async fn route(
    gate: &Arc<Gate>,
    request: Request<Incoming>,
    caller: Caller,
    trail: Trail,
) -> Routed {
    let (parts, body) = request.into_parts();
    if let Some(resource) = metadata::resource(parts.uri.path()) {
        let told = recognise(gate, &parts, &caller.wire)
            .and_then(|host| metadata::answer(gate, &parts, host, resource));
        return Routed::Answer(match told {
            Ok(answer) => answer,
            Err(why) => refuse(gate, trail, None, why).await,
        });
    }
    if let Some(place) = issuer::place(parts.uri.path()) {
        return Routed::Answer(match recognise(gate, &parts, &caller.wire) {
            Ok(_) => issuer::serve(gate, (&parts, body), &caller, place, trail).await,
            Err(why) => refuse(gate, trail, None, why).await,
        });
    }
    if let Some(tenant) = renewal::place(parts.uri.path()) {
        return Routed::Answer(match recognise(gate, &parts, &caller.wire) {
            Ok(_) => renewal::serve(gate, (&parts, body), &caller, tenant, trail).await,
            Err(why) => refuse(gate, trail, None, why).await,
        });
    }
    let endpoint = match admit(gate, &parts, &caller.wire) {
        Ok(endpoint) => endpoint,
        Err(why) => return Routed::Answer(refuse(gate, trail, None, why).await),
    };
    // The client holds its body back until it hears `100`, which it would from the first look at
    // the body. Without a credential there is nothing to look for: the next step says so.
    let known = caller.certificate.is_some() || names_credential(&parts.headers);
    let body = if awaits_leave(&parts.headers) && !known {
        Bytes::new()
    } else {
        let most = gate.config.limits.body_bytes;
        match read(gate, body, &parts.headers, &caller.wire, most).await {
            Ok(body) => body,
            Err(why) => return Routed::Answer(refuse(gate, trail, None, why).await),
        }
    };
    let arrival = Arrival {
        endpoint,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        body,
        from: caller.peer.ip(),
        certificate: caller.certificate,
        alive: caller.alive,
    };
    call::serve(gate, arrival, trail).await
}

/// Puts a refusal on record and makes the answer of it. What cannot be recorded is refused for
/// that reason.
pub(crate) async fn refuse(
    gate: &Gate,
    mut trail: Trail,
    id: Option<&Id>,
    mut why: Refusal,
) -> Answer {
    if let Some(reason) = why.unrecorded_reason() {
        let mut event = trail.event(EventKind::RequestRefused, gate.now());
        event.reason = Some(reason.to_owned());
        trail.note(event);
    }
    if let Err(error) = trail.settle(&gate.ports).await {
        why = unrecorded(error);
    } else if let Refusal::Unrecorded(error) = why {
        why = unrecorded(error);
    }
    answer::refused(&why, id, trail.correlation)
}

fn unrecorded(error: PortError) -> Refusal {
    let source = error.source.as_deref().map(ToString::to_string);
    tracing::error!(doing = error.doing, source, "a request was refused");
    Refusal::Unrecorded(error)
}

/// Whether a request is for this gateway, and from where it may come: by which of its names.
fn recognise<'p>(gate: &Gate, parts: &'p Parts, wire: &Wire) -> Result<&'p str, Refusal> {
    if let Some(fault) = wire.fault().filter(|_| parts.uri.path() == MARKER) {
        return Err(Refusal::Framing(fault));
    }
    let headers = &parts.headers;
    let host = single(headers, "host").ok().flatten().filter(|host| gate.hosts.contains(*host));
    let host = host.ok_or(Refusal::Host)?;
    match single(headers, "origin") {
        Ok(None) => Ok(host),
        Ok(Some(origin)) if gate.origins.contains(origin) => Ok(host),
        Ok(Some(_)) | Err(_) => Err(Refusal::Origin),
    }
}

/// Checks what can be checked before anybody is asked who is calling.
fn admit(gate: &Gate, parts: &Parts, wire: &Wire) -> Result<Endpoint, Refusal> {
    recognise(gate, parts, wire)?;
    let (path, headers) = (parts.uri.path(), &parts.headers);
    let endpoint = endpoint(path).ok_or(Refusal::Path)?;
    if ![Method::POST, Method::GET, Method::DELETE].contains(&parts.method) {
        return Err(Refusal::Method);
    }
    let target = parts.uri.clone().into_parts().path_and_query;
    if target.is_none_or(|target| target.as_str() != path) {
        return Err(Refusal::Query);
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Refusal::Coding);
    }
    match single(headers, "expect") {
        Ok(None) => {}
        Ok(Some(expected)) if expected.eq_ignore_ascii_case("100-continue") => {}
        Ok(Some(_)) | Err(_) => return Err(Refusal::Expect),
    }
    if parts.method == Method::POST {
        if !single(headers, "content-type").is_ok_and(|it| it.is_some_and(is_json)) {
            return Err(Refusal::ContentType);
        }
        if !takes(headers, "application/json") || !takes(headers, "text/event-stream") {
            return Err(Refusal::Accept);
        }
    } else if parts.method == Method::GET && !takes(headers, "text/event-stream") {
        return Err(Refusal::Accept);
    }
    Ok(endpoint)
}

/// Whether a client holds its body back until it is told to go on.
fn awaits_leave(headers: &HeaderMap) -> bool {
    headers.contains_key(header::EXPECT)
}

/// Whether the headers claim to come from somebody.
fn names_credential(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("signature-input")
}

/// The endpoint at a path: `/t/{tenant}/mcp` or `/t/{tenant}/task/{task}/mcp`. Names have no
/// characters that would need escaping, so an escaped path is no endpoint.
pub(crate) fn endpoint(path: &str) -> Option<Endpoint> {
    let parts: Vec<&str> = path.split('/').collect();
    let (tenant, task) = match parts.as_slice() {
        ["", "t", tenant, "mcp"] => (tenant, None),
        ["", "t", tenant, "task", task, "mcp"] => (tenant, Some((*task).to_owned())),
        _ => return None,
    };
    Some(Endpoint { tenant: (*tenant).to_owned(), task })
}

/// Whether a content type is JSON in UTF-8.
fn is_json(value: &str) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let utf8 = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.eq_ignore_ascii_case("charset")
            && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    kind.eq_ignore_ascii_case("application/json") && parts.all(utf8)
}

/// Whether a client takes answers of a kind. What it gives no weight it does not take.
fn takes(headers: &HeaderMap, kind: &str) -> bool {
    let group = kind.split('/').next().unwrap_or_default();
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let fits = name.eq_ignore_ascii_case(kind)
            || name == "*/*"
            || name.strip_suffix("/*").is_some_and(|it| it.eq_ignore_ascii_case(group));
        let refused = |it: &str| {
            let weight = it.strip_prefix("q=").or_else(|| it.strip_prefix("Q="));
            weight.is_some_and(|q| q.parse() == Ok(0.0_f32))
        };
        fits && !parts.any(refused)
    })
}

/// Whether a client would rather have its answers as streams: by the weights that it gives, and
/// where these are alike by what it names first.
pub(crate) fn prefers_streams(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let weight = |kind: &str| {
        let named = ranges.iter().position(|range| {
            range.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(kind))
        })?;
        let mut parts = ranges.get(named)?.split(';').map(str::trim).skip(1);
        let given = parts.find_map(|it| it.strip_prefix("q=").or_else(|| it.strip_prefix("Q=")));
        Some((given.map_or(Some(1.0), |it| it.parse::<f32>().ok())?, named))
    };
    match (weight("text/event-stream"), weight("application/json")) {
        (Some((stream, first)), Some((json, second))) => {
            stream > json || (stream >= json && first < second)
        }
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// Reads a body as a whole, if it comes in time and is not too large. Nothing is ever decided on
/// part of a body.
pub(crate) async fn read(
    gate: &Gate,
    mut body: Incoming,
    headers: &HeaderMap,
    wire: &Wire,
    most: usize,
) -> Result<Bytes, Refusal> {
    let limits = &gate.config.limits;
    let announced = single(headers, "content-length").ok().flatten();
    let announced = announced.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    if announced > most {
        return Err(Refusal::BodySize);
    }
    let start = Instant::now();
    let mut text = BytesMut::with_capacity(announced.min(64 * 1024));
    let (mut since, mut at_least) = (start, limits.body_rate_bytes);
    loop {
        let ends = [(start, limits.body_time), (since, limits.body_rate_time)];
        let end = ends.iter().filter_map(|(from, span)| from.checked_add(*span)).min();
        let frame = match end {
            Some(end) => match tokio::time::timeout_at(end, body.frame()).await {
                Ok(frame) => frame,
                Err(_) if in_pace(&text, &mut at_least, &mut since, gate, start) => continue,
                Err(_) => return Err(Refusal::BodyTime),
            },
            None => body.frame().await,
        };
        let Some(frame) = frame else { return Ok(text.freeze()) };
        let frame = frame.map_err(|_| match wire.fault() {
            Some(fault) => Refusal::Framing(fault),
            None => Refusal::BodyTime,
        })?;
        if let Ok(data) = frame.into_data() {
            if text.len().saturating_add(data.len()) > most {
                return Err(Refusal::BodySize);
            }
            text.extend_from_slice(&data);
        }
    }
}

/// Whether enough came since it was last looked at, and there is time left. Begins the next
/// stretch of time.
fn in_pace(
    text: &BytesMut,
    at_least: &mut usize,
    since: &mut Instant,
    gate: &Gate,
    start: Instant,
) -> bool {
    let limits = &gate.config.limits;
    let now = Instant::now();
    let enough = text.len() >= *at_least && now.duration_since(start) < limits.body_time;
    *since = now;
    *at_least = text.len().saturating_add(limits.body_rate_bytes);
    enough
}

/// The answer to a message that wants none.
pub(crate) fn accepted() -> Answer {
    answer::empty(StatusCode::ACCEPTED)
}
