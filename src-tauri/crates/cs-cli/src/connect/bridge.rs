//! The bridge itself: what is under way, and the protocol session it belongs to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::Mutex as TurnMutex;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::answer::{Out, Problem, deliver};
use super::endpoint::Endpoint;
use super::message::Message;
use super::repeated::Tools;
use super::session::{SESSION_ID, Session, bare_headers, headers_of};

/// What `notifications/initialized` looks like, for a session that is opened again.
const INITIALIZED: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// The id of the bridge's own request for the tools, and the most pages of them.
const LISTING: &str = "countersign-tools";
const MOST_PAGES: usize = 100;

/// How long ending the session may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long to wait before the stream is opened again, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// One client's connection to the gateway.
#[derive(Debug)]
pub(super) struct Bridge {
    endpoint: Endpoint,
    task: Option<String>,
    out: Out,
    session: Mutex<Session>,
    tools: Tools,
    /// Held by whoever opens the session again, so that it is opened once.
    reopening: TurnMutex<()>,
    /// What is being carried; ended together.
    under_way: TurnMutex<JoinSet<()>>,
    /// The requests of the stateless era, which are cancelled by closing their answer.
    closable: Mutex<HashMap<String, AbortHandle>>,
    stream: Mutex<Option<AbortHandle>>,
}

impl Bridge {
    pub(super) fn new(endpoint: Endpoint, task: Option<String>, out: Out) -> Self {
        Self {
            endpoint,
            task,
            out,
            session: Mutex::default(),
            tools: Tools::default(),
            reopening: TurnMutex::default(),
            under_way: TurnMutex::default(),
            closable: Mutex::default(),
            stream: Mutex::default(),
        }
    }

    /// Takes a message of the client. Requests are carried side by side; what opens the session
    /// or tells the gateway something is carried to its end before the next message is read.
    pub(super) async fn take(self: &Arc<Self>, line: Bytes) {
        let message = Message::look(&line);
        if let Some(id) = &message.cancels
            && let Some(call) = lock(&self.closable).remove(&id.to_string())
        {
            call.abort();
            return;
        }
        if message.id.is_none() || message.asks_for("initialize") {
            self.carry(line, &message).await;
            return;
        }
        let closable =
            message.revision.is_some().then(|| message.id.as_ref().map(ToString::to_string));
        let bridge = Arc::clone(self);
        let mut under_way = self.under_way.lock().await;
        while under_way.try_join_next().is_some() {}
        let call = under_way.spawn(async move { bridge.carry(line, &message).await });
        if let Some(Some(id)) = closable {
            let mut closable = lock(&self.closable);
            closable.retain(|_, call| !call.is_finished());
            closable.insert(id, call);
        }
    }

    /// Answers a message that could not be read with an error that belongs to no request.
    pub(super) async fn refuse(&self, why: &str) {
        let answer = Problem::here(why).answer(&serde_json::Value::Null);
        drop(self.out.send(answer).await);
    }

    /// Waits for everything that is under way.
    pub(super) async fn finish(&self) {
        let mut under_way = self.under_way.lock().await;
        while under_way.join_next().await.is_some() {}
    }

    /// Gives up everything that is under way.
    pub(super) async fn abandon(&self) {
        self.under_way.lock().await.shutdown().await;
    }

    /// Tells the gateway that the session is over.
    pub(super) async fn end_session(&self) {
        if let Some(stream) = lock(&self.stream).take() {
            stream.abort();
        }
        let session = std::mem::take(&mut *lock(&self.session));
        if session.id.is_some() {
            let headers = bare_headers(&session, self.task.as_deref());
            let farewell = self.endpoint.send(Method::DELETE, headers, Bytes::new());
            drop(timeout(FAREWELL, farewell).await);
        }
    }

    async fn carry(self: &Arc<Self>, line: Bytes, message: &Message) {
        if let Err(problem) = self.exchange(line, message).await {
            match &message.id {
                Some(id) => drop(self.out.send(problem.answer(id)).await),
                None => eprintln!("countersign connect: {}", problem.sentence()),
            }
        }
    }

    async fn exchange(self: &Arc<Self>, line: Bytes, message: &Message) -> Result<(), Problem> {
        if message.revision.is_some() && message.asks_for("tools/call") && !self.tools.are_known() {
            // Where that fails, the call does, and says why.
            drop(self.list(message).await);
            self.tools.are_listed();
        }
        let mut session = lock(&self.session).clone();
        let belongs = message.revision.is_none() && session.id.is_some();
        let opens = message.asks_for("initialize");
        self.endpoint.refresh(opens).await;
        // What a session was opened with is what it goes on with.
        if opens || !belongs {
            self.endpoint.adopt();
        }
        let mut response = self.post(line.clone(), message, &session).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            // The old key may be over, and a newer one at hand or in the file.
            self.endpoint.refresh(true).await;
            if self.endpoint.adopt() {
                if belongs && !opens {
                    session = self.reopen(&session).await?;
                }
                response = self.post(line.clone(), message, &session).await?;
            }
        }
        if belongs && response.status() == StatusCode::NOT_FOUND && !message.asks_for("initialize")
        {
            // The gateway does not know the session any more. A client on stdio cannot see that,
            // so the bridge opens one anew, as the client had asked for.
            session = self.reopen(&session).await?;
            response = self.post(line.clone(), message, &session).await?;
        }
        let id = response.headers().get(SESSION_ID).cloned();
        let answer = deliver(response, message.id.as_ref(), &self.out).await?;
        if let Some(answer) = answer.as_ref().filter(|_| message.asks_for("tools/list")) {
            self.tools.learn(answer);
        }
        if message.asks_for("initialize") {
            let opened = answer.and_then(|answer| Session::opened(line, id, &answer));
            *lock(&self.session) = opened.unwrap_or_default();
        }
        if message.asks_for("notifications/initialized") {
            self.listen();
        }
        Ok(())
    }

    async fn post(
        &self,
        line: Bytes,
        message: &Message,
        session: &Session,
    ) -> Result<Response<Incoming>, Problem> {
        let mut headers = headers_of(message, session, self.task.as_deref());
        if message.revision.is_some() {
            headers.extend(self.tools.headers(message));
        }
        let sent = self.endpoint.send(Method::POST, headers, line).await;
        sent.map_err(|problem| Problem::here(&format!("{problem:#}")))
    }

    /// Lists the tools on behalf of a client that calls one without having done so.
    async fn list(&self, call: &Message) -> Result<(), Problem> {
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut params = json!({ "_meta": call.meta });
            if let (Some(params), Some(cursor)) = (params.as_object_mut(), cursor.take()) {
                params.insert("cursor".to_owned(), cursor.into());
            }
            let asked = json!({
                "jsonrpc": "2.0", "id": LISTING, "method": "tools/list", "params": params,
            });
            let asked = Bytes::from(asked.to_string());
            let message = Message::look(&asked);
            let response = self.post(asked, &message, &Session::default()).await?;
            let (quiet, mut unheard) = tokio::sync::mpsc::channel(64);
            tokio::spawn(async move { while unheard.recv().await.is_some() {} });
            let answer = deliver(response, message.id.as_ref(), &quiet).await?;
            cursor = answer.and_then(|answer| self.tools.learn(&answer));
            if cursor.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Opens the session again, unless another message has done so meanwhile.
    async fn reopen(self: &Arc<Self>, lost: &Session) -> Result<Session, Problem> {
        let _turn = self.reopening.lock().await;
        let now = lock(&self.session).clone();
        if now.id != lost.id {
            return Ok(now);
        }
        let Some(opening) = lost.opening.clone() else {
            return Err(Problem::here("the session is over; connect again"));
        };
        let message = Message::look(&opening);
        self.endpoint.refresh(true).await;
        self.endpoint.adopt();
        let response = self.post(opening.clone(), &message, &Session::default()).await?;
        let id = response.headers().get(SESSION_ID).cloned();
        // The client has had its answer to this; it is told nothing twice.
        let (quiet, mut unheard) = tokio::sync::mpsc::channel(64);
        tokio::spawn(async move { while unheard.recv().await.is_some() {} });
        let answer = deliver(response, message.id.as_ref(), &quiet).await?;
        let opened = answer.and_then(|answer| Session::opened(opening, id, &answer));
        let Some(opened) = opened else {
            return Err(Problem::here("the session is over and could not be opened again"));
        };
        let ready = Message::look(INITIALIZED);
        let response = self.post(Bytes::from_static(INITIALIZED), &ready, &opened).await?;
        deliver(response, None, &quiet).await?;
        *lock(&self.session) = opened.clone();
        self.listen();
        Ok(opened)
    }

    /// Opens the stream on which the gateway speaks unasked.
    fn listen(self: &Arc<Self>) {
        let session = lock(&self.session).clone();
        if session.id.is_none() {
            return;
        }
        let bridge = Arc::clone(self);
        let stream = tokio::spawn(async move { bridge.follow(&session).await }).abort_handle();
        if let Some(before) = lock(&self.stream).replace(stream) {
            before.abort();
        }
    }

    async fn follow(&self, session: &Session) {
        let mut pause = PAUSE.0;
        while lock(&self.session).id == session.id {
            let headers = bare_headers(session, self.task.as_deref());
            match self.endpoint.send(Method::GET, headers, Bytes::new()).await {
                Ok(response) if response.status() == StatusCode::OK => {
                    pause = PAUSE.0;
                    drop(deliver(response, None, &self.out).await);
                }
                // There is no such stream here, or not for us.
                Ok(response) if response.status().is_client_error() => return,
                Ok(_) | Err(_) => {}
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE.1);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
