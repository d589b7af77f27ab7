//! A connection to a Streamable HTTP endpoint. Redirects, proxies and cookies do not exist here.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use super::egress::{Reach, Tcp};
use super::flight::{Awaited, Ending, Flight};
use super::sse::Events;
use super::wire::{self, Answer, Ask};
use super::{Ear, UpstreamError};
use crate::wire::{Era, MODERN, written};

/// The most bytes of an answer that is not a stream, and of a refusal that is still read.
const MOST: usize = 16 * 1024 * 1024;
const REFUSAL: usize = 64 * 1024;

/// How long saying good-bye may take, and how long lies between two attempts to listen.
const GOODBYE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(5);

/// Shorter than servers commonly keep a connection that nobody uses.
const IDLE: Duration = Duration::from_secs(4);

/// How many connections may be idle between calls: as many as there are calls at the same time in a
/// busy moment, or each of them would begin with a connection of its own.
const MOST_IDLE: usize = 256;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Headers that are ours to set.
const OURS: &[&str] = &[
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

type Body = Full<Bytes>;

enum Pool {
    Plain(Client<Tcp, Body>),
    Secure(Client<HttpsConnector<Tcp>, Body>),
}

#[derive(Default)]
struct Session {
    id: Option<HeaderValue>,
    version: Option<&'static str>,
}

struct Inner {
    pool: Pool,
    uri: Uri,
    headers: HeaderMap,
    session: Mutex<Session>,
    flight: Flight,
    reached: AtomicBool,
}

/// The connection.
pub(super) struct HttpLink {
    inner: Arc<Inner>,
}

/// A header of the server's settings, resolved.
pub(super) fn header(
    name: &str,
    value: &cs_model::Secret,
) -> Result<(HeaderName, HeaderValue), UpstreamError> {
    let wrong = || UpstreamError::Misconfigured("a header is not acceptable".to_owned());
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
    let reserved = ["mcp-param-", "proxy-"].iter().any(|it| name.as_str().starts_with(it));
    if reserved || OURS.contains(&name.as_str()) {
        return Err(wrong());
    }
    let mut value = HeaderValue::from_bytes(value.expose()).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// The address of a server, if it is one that can be reached at all.
pub(super) fn address(url: &str) -> Result<Uri, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "the URL cannot be read")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("the URL is neither `https` nor `http`");
    }
    let authority = uri.authority().ok_or("the URL names no host")?;
    if authority.as_str().contains('@') {
        return Err("the URL has a user in it");
    }
    Ok(uri)
}

impl HttpLink {
    /// Prepares a connection. Nothing is sent yet.
    pub(super) fn new(
        url: &str,
        headers: HeaderMap,
        patience: Duration,
    ) -> Result<Self, UpstreamError> {
        let wrong = |why: &str| UpstreamError::Misconfigured(why.to_owned());
        let uri = address(url).map_err(wrong)?;
        let tcp = Tcp { patience, reach: Reach::Server };
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .retry_canceled_requests(false)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MOST_IDLE);
        let pool = match uri.scheme_str() {
            Some("http") => Pool::Plain(builder.build(tcp)),
            _ => {
                let tls = hyper_rustls::HttpsConnectorBuilder::new()
                    .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())
                    .map_err(|_| wrong("this machine trusts no certificate authority"))?;
                Pool::Secure(builder.build(tls.https_only().enable_http1().wrap_connector(tcp)))
            }
        };
        let (session, flight) = (Mutex::default(), Flight::default());
        let reached = AtomicBool::new(false);
        Ok(Self { inner: Arc::new(Inner { pool, uri, headers, session, flight, reached }) })
    }

    /// Asks, and waits for the answer. Dropping the future tells the server that nobody does.
    pub(super) async fn ask(
        &self,
        ask: Ask<'_>,
        ear: Option<Ear>,
    ) -> Result<Answer, UpstreamError> {
        let inner = &self.inner;
        let (id, mut awaited) = inner.flight.expect(ear)?;
        let era = ask.era(inner.flight.era());
        let mut waiting = Waiting { inner, id, told: None };
        let request = ask.request(id, era);
        let request = request.map_err(|why| UpstreamError::NotSent(why.to_string()))?;
        // In the newer era, closing the stream of the answer says it.
        if era == Era::Legacy && ask.can_be_cancelled() {
            waiting.told = Some(wire::cancelled(id));
        }
        let repeated = match era {
            Era::Legacy => HeaderMap::new(),
            Era::Modern => repeated(ask)?,
        };
        let response = inner.send(Method::POST, request, repeated).await?;
        inner.reached.store(true, Ordering::Release);
        if matches!(ask, Ask::Initialize(_)) {
            inner.session().id = session_id(response.headers())?;
        }
        inner.hear(response, id, &mut awaited).await
    }

    /// Says that the first exchange is over, and listens to what the server says unasked.
    pub(super) async fn initialized(&self, version: &'static str) -> Result<(), UpstreamError> {
        self.inner.session().version = Some(version);
        let response = self.inner.say(Method::POST, wire::INITIALIZED.to_owned()).await?;
        if !response.status().is_success() {
            let why = format!("the server answered {}", response.status().as_u16());
            return Err(UpstreamError::NotSent(why));
        }
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            tokio::select! {
                () = inner.flight.ended() => {}
                () = inner.listen() => {}
            }
        });
        Ok(())
    }

    /// The requests that wait, and whether the connection stands.
    pub(super) fn flight(&self) -> &Flight {
        &self.inner.flight
    }

    /// Whether anything ever answered.
    pub(super) fn was_reached(&self) -> bool {
        self.inner.reached.load(Ordering::Acquire)
    }

    /// Ends the session.
    pub(super) async fn stop(&self) {
        self.inner.flight.end(Ending::Lost("it was stopped".to_owned()));
        let had = self.inner.session().id.is_some();
        if had {
            // A server that is gone, or keeps no sessions, need not hear it.
            let _ = timeout(GOODBYE, self.inner.say(Method::DELETE, String::new())).await;
            self.inner.session().id = None;
        }
    }
}

impl Drop for HttpLink {
    fn drop(&mut self) {
        self.inner.flight.end(Ending::Lost("it was stopped".to_owned()));
    }
}

/// A request that is given up when this is dropped before the answer came.
struct Waiting<'a> {
    inner: &'a Arc<Inner>,
    id: u64,
    /// What the server is told then.
    told: Option<String>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waited = self.inner.flight.abandon(self.id);
        if let Some(told) = self.told.take().filter(|_| waited) {
            let inner = Arc::clone(self.inner);
            tokio::spawn(async move { inner.tell(told).await });
        }
    }
}

/// The headers that repeat what a request of the newer era says, for those on the way.
fn repeated(ask: Ask<'_>) -> Result<HeaderMap, UpstreamError> {
    let mut headers = HeaderMap::new();
    headers.insert(VERSION, HeaderValue::from_static(MODERN));
    headers.insert(METHOD, HeaderValue::from_static(ask.method()));
    if let Some(name) = wire::spoken_name(ask) {
        let name = HeaderValue::from_str(&written(&name));
        let wrong = |_| UpstreamError::NotSent("the name fits into no header".to_owned());
        headers.insert(NAME, name.map_err(wrong)?);
    }
    if let Ask::Call(call) = ask {
        headers.extend(call.repeated.iter().cloned());
    }
    Ok(headers)
}

fn session_id(headers: &HeaderMap) -> Result<Option<HeaderValue>, UpstreamError> {
    let mut all = headers.get_all(SESSION).iter();
    let (first, second) = (all.next(), all.next());
    let sound = |id: &HeaderValue| {
        !id.is_empty() && id.len() <= 512 && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    match first {
        None => Ok(None),
        Some(id) if second.is_none() && sound(id) => {
            let mut id = id.clone();
            id.set_sensitive(true);
            Ok(Some(id))
        }
        Some(_) => Err(UpstreamError::Rejected("its session id is not acceptable".to_owned())),
    }
}

impl Inner {
    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(
        &self,
        method: Method,
        body: String,
        more: HeaderMap,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let accept = if method == Method::GET {
            "text/event-stream"
        } else {
            "application/json, text/event-stream"
        };
        let posts = method == Method::POST;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if posts {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        {
            let session = self.session();
            if let Some(id) = &session.id {
                headers.insert(SESSION, id.clone());
            }
            if let Some(version) = session.version {
                headers.insert(VERSION, HeaderValue::from_static(version));
            }
        }
        headers.extend(more);
        let sent = match &self.pool {
            Pool::Plain(client) => client.request(request).await,
            Pool::Secure(client) => client.request(request).await,
        };
        sent.map_err(|error| unsent(&error))
    }

    /// Says something in the older era.
    async fn say(&self, method: Method, body: String) -> Result<Response<Incoming>, UpstreamError> {
        self.send(method, body, HeaderMap::new()).await
    }

    /// Says something that has no answer. Whether it was heard does not matter.
    async fn tell(&self, message: String) {
        let _ = timeout(GOODBYE, self.say(Method::POST, message)).await;
    }

    /// Reads an answer.
    async fn hear(
        self: &Arc<Self>,
        response: Response<Incoming>,
        id: u64,
        awaited: &mut Awaited,
    ) -> Result<Answer, UpstreamError> {
        let status = response.status();
        let said = || format!("the server answered {}", status.as_u16());
        if status.is_redirection() || response.headers().contains_key(CONTENT_ENCODING) {
            return Err(UpstreamError::Rejected(said()));
        }
        if status == StatusCode::NOT_FOUND && self.session().id.is_some() {
            self.flight.end(Ending::Lost("the server ended the session".to_owned()));
            return Err(UpstreamError::NotSent("the server ended the session".to_owned()));
        }
        if status.is_server_error() {
            return Err(UpstreamError::Lost(said()));
        }
        let kind = kind(response.headers());
        if status.is_client_error() {
            return match kind {
                Kind::Json => match self.whole(response, id, REFUSAL, awaited).await {
                    Ok(answer @ Answer::Error(_)) => Ok(answer),
                    Ok(Answer::Result(_)) | Err(_) => Err(UpstreamError::NotSent(said())),
                },
                Kind::Events | Kind::Other => Err(UpstreamError::NotSent(said())),
            };
        }
        match kind {
            Kind::Json if status == StatusCode::OK => self.whole(response, id, MOST, awaited).await,
            Kind::Events if status == StatusCode::OK => self.stream(response, id, awaited).await,
            Kind::Json | Kind::Events | Kind::Other => Err(self.reject(&said())),
        }
    }

    async fn whole(
        self: &Arc<Self>,
        response: Response<Incoming>,
        id: u64,
        most: usize,
        awaited: &mut Awaited,
    ) -> Result<Answer, UpstreamError> {
        let body = Limited::new(response.into_body(), most).collect().await;
        let body = body.map_err(|_| lost())?.to_bytes();
        self.take(&body, Some(id))?;
        awaited.try_recv().unwrap_or_else(|_| Err(self.reject("the answer is to nobody")))
    }

    async fn stream(
        self: &Arc<Self>,
        response: Response<Incoming>,
        id: u64,
        awaited: &mut Awaited,
    ) -> Result<Answer, UpstreamError> {
        let mut body = response.into_body();
        let mut events = Events::default();
        while let Some(frame) = body.frame().await {
            self.take_frame(&mut events, frame.map_err(|_| lost())?, Some(id))?;
            if let Ok(answer) = awaited.try_recv() {
                return answer;
            }
        }
        Err(lost())
    }

    fn take_frame(
        self: &Arc<Self>,
        events: &mut Events,
        frame: hyper::body::Frame<Bytes>,
        of: Option<u64>,
    ) -> Result<(), UpstreamError> {
        let Ok(piece) = frame.into_data() else { return Ok(()) };
        let messages = events.push(&piece).map_err(|why| self.reject(why.0))?;
        messages.iter().try_for_each(|message| self.take(message, of))
    }

    /// Takes a message that came with the answer to a request, or unasked.
    fn take(self: &Arc<Self>, message: &[u8], of: Option<u64>) -> Result<(), UpstreamError> {
        let back = self.flight.take(message, of).map_err(|why| self.reject(why.0))?;
        if let Some(back) = back {
            let inner = Arc::clone(self);
            tokio::spawn(async move { inner.tell(back.text().await).await });
        }
        Ok(())
    }

    fn reject(&self, why: &str) -> UpstreamError {
        self.flight.end(Ending::Rejected(why.to_owned()));
        UpstreamError::Rejected(why.to_owned())
    }

    /// Listens to what the server says unasked, if it offers that at all.
    async fn listen(self: &Arc<Self>) {
        loop {
            let Ok(response) = self.say(Method::GET, String::new()).await else { return };
            if response.status() != StatusCode::OK || kind(response.headers()) != Kind::Events {
                return;
            }
            let mut body = response.into_body();
            let mut events = Events::default();
            while let Some(Ok(frame)) = body.frame().await {
                if self.take_frame(&mut events, frame, None).is_err() {
                    return;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Events,
    Json,
    Other,
}

fn kind(headers: &HeaderMap) -> Kind {
    let text = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let name = text.split(';').next().unwrap_or_default().trim();
    if name.eq_ignore_ascii_case("application/json") {
        Kind::Json
    } else if name.eq_ignore_ascii_case("text/event-stream") {
        Kind::Events
    } else {
        Kind::Other
    }
}

fn lost() -> UpstreamError {
    UpstreamError::Lost("the answer broke off".to_owned())
}

/// Whether a request that failed was sent. When that is not sure, it was.
fn unsent(error: &hyper_util::client::legacy::Error) -> UpstreamError {
    let source = error.source();
    if error.is_connect() {
        let why = source.map_or_else(String::new, |why| format!(": {why}"));
        return UpstreamError::NotSent(format!("no connection{why}"));
    }
    let source = source.and_then(|source| source.downcast_ref::<hyper::Error>());
    if source.is_some_and(hyper::Error::is_canceled) {
        return UpstreamError::NotSent("the connection closed before it was used".to_owned());
    }
    lost()
}

#[cfg(test)]
mod tests;
