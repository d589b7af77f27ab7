//! The way back to the client of one call: an answer at the end, or a stream before it.

use std::sync::Arc;
use std::time::Duration;

use cs_model::CorrelationId;
use http::StatusCode;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::answer::{self, Answer, Events};
use crate::errand::Own;
use crate::refusal::Refusal;
use crate::session::Live;
use crate::wire::{Id, Members};

/// The most bytes of what a server tells of its progress.
const MOST_PROGRESS: usize = 16 * 1024;

/// How long lies between two tellings of a server's progress in the long run, and how many may come
/// sooner. What comes sooner than that is old news by then.
const PACE: Duration = Duration::from_millis(50);
const AT_ONCE: u32 = 16;

/// The request of a client that is to be answered. Its id is free again when this is dropped,
/// however that comes about.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) live: Arc<Live>,
    pub(crate) id: Id,
    /// Under which it wants to hear of progress.
    pub(crate) token: Option<Id>,
    pub(crate) correlation: CorrelationId,
    /// Tells that the gateway still has something to do, for as long as it is there.
    #[expect(dead_code, reason = "it does so by not being dropped")]
    pub(crate) alive: mpsc::Sender<()>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.live.finish(&self.id);
    }
}

/// The way back to the client of one call.
#[derive(Debug)]
pub(crate) struct Line {
    state: State,
    ticket: Option<Ticket>,
    /// How often a stream without other news shows that it is alive.
    pub(crate) keep_alive: Duration,
    /// The last progress that the client heard of: it has to increase.
    progress: f64,
    /// When the client would have heard last of a server's, had all of it come at its pace.
    told: Option<Instant>,
}

#[derive(Debug)]
enum State {
    Closed,
    /// The client was sent away for good, and asks how its errand fares.
    Errand(Arc<Own>),
    /// The client was sent away and may come back.
    Parked,
    Stream(Events),
    Waiting(oneshot::Sender<Answer>),
}

impl Line {
    /// A way back, for whose answer somebody waits.
    pub(crate) fn new(keep_alive: Duration, ticket: Ticket, head: oneshot::Sender<Answer>) -> Self {
        Self { ticket: Some(ticket), ..Self::to(State::Waiting(head), keep_alive) }
    }

    /// The way to a client that was sent away and may come back.
    pub(crate) const fn parked(keep_alive: Duration) -> Self {
        Self::to(State::Parked, keep_alive)
    }

    /// The way to nobody.
    pub(crate) const fn closed(keep_alive: Duration) -> Self {
        Self::to(State::Closed, keep_alive)
    }

    const fn to(state: State, keep_alive: Duration) -> Self {
        Self { state, ticket: None, keep_alive, progress: f64::NEG_INFINITY, told: None }
    }

    /// The way to a client that was sent away for good, and asks how its errand fares.
    pub(crate) const fn errand(keep_alive: Duration, errand: Arc<Own>) -> Self {
        Self::to(State::Errand(errand), keep_alive)
    }

    /// The errand that its client asks about.
    pub(crate) const fn of_errand(&self) -> Option<&Arc<Own>> {
        if let State::Errand(errand) = &self.state { Some(errand) } else { None }
    }

    /// Whether its client asks about an errand.
    pub(crate) const fn is_errand(&self) -> bool {
        self.of_errand().is_some()
    }

    /// Whether the client was sent away and may come back.
    pub(crate) const fn is_parked(&self) -> bool {
        matches!(self.state, State::Parked)
    }

    /// Begins a stream: from here on the status is 200 and whatever happens is told in messages.
    pub(crate) fn open(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Closed) {
            State::Waiting(head) => {
                let (answer, events) = answer::stream();
                events.keep_alive();
                match head.send(answer) {
                    Ok(()) => State::Stream(events),
                    Err(_) => State::Closed,
                }
            }
            other @ (State::Closed | State::Errand(_) | State::Parked | State::Stream(_)) => other,
        };
    }

    /// Waits until the client does not listen any more.
    pub(crate) async fn gone(&mut self) {
        match &mut self.state {
            State::Closed => {}
            State::Errand(_) | State::Parked => std::future::pending().await,
            State::Stream(events) => events.gone().await,
            State::Waiting(head) => head.closed().await,
        }
    }

    /// Whether the client does not listen any more, as far as is known.
    pub(crate) fn is_gone(&self) -> bool {
        match &self.state {
            State::Closed => true,
            State::Errand(_) | State::Parked => false,
            State::Stream(events) => events.is_gone(),
            State::Waiting(head) => head.is_closed(),
        }
    }

    /// Shows that the call is still under way.
    pub(crate) fn pulse(&self) {
        if let State::Stream(events) = &self.state {
            events.keep_alive();
        }
    }

    /// Tells of progress of the gateway's own: that a person is waited for.
    pub(crate) fn waiting(&mut self, token: &Id, message: &str) {
        // Far below whatever the server may tell later: progress only ever increases.
        let next = if self.progress.is_finite() { self.progress + 0.001 } else { 0.001 };
        let message = serde_json::Value::from(message);
        self.tell(token, next, &format!("\"progress\":{next:.3},\"message\":{message}"));
    }

    /// Hands on what a server tells of its progress, rebuilt from the parts that have a meaning.
    pub(crate) fn forward(&mut self, told: &RawValue) {
        let token = self.ticket.as_ref().and_then(|ticket| ticket.token.clone());
        let Some(token) = token else { return };
        let now = Instant::now();
        let earliest = now.checked_sub(PACE.saturating_mul(AT_ONCE)).unwrap_or(now);
        let paced = self.told.map_or(earliest, |last| last.max(earliest)).checked_add(PACE);
        let Some(paced) = paced.filter(|paced| *paced <= now) else { return };
        if told.get().len() > MOST_PROGRESS {
            return;
        }
        let Some(members) = Members::read(told.get()) else { return };
        let number = |key| members.get(key).and_then(|raw| raw.get().parse::<f64>().ok());
        let Some(progress) = number("progress") else { return };
        let mut parts = format!("\"progress\":{progress}");
        if let Some(total) = number("total") {
            parts.push_str(&format!(",\"total\":{total}"));
        }
        if let Some(message) = members.text("message") {
            parts.push_str(&format!(",\"message\":{}", serde_json::Value::from(message)));
        }
        self.told = Some(paced);
        self.tell(&token, progress, &parts);
    }

    /// Hands on what a server notes down.
    pub(crate) fn note(&self, params: &str) {
        if let State::Stream(events) = &self.state {
            events.inform(&format!(
                "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{params}}}"
            ));
        }
    }

    /// Asks a client of the older era something. One that has left misses it.
    pub(crate) async fn ask(&self, id: &str, method: &str, params: &str) {
        if let State::Stream(events) = &self.state {
            let asked = format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":\"{id}\",\"method\":\"{method}\",\"params\":{params}}}"
            );
            let _ = events.message(&asked).await;
        }
    }

    fn tell(&mut self, token: &Id, progress: f64, parts: &str) {
        if !progress.is_finite() || progress <= self.progress {
            return;
        }
        if let State::Stream(events) = &self.state {
            self.progress = progress;
            events.inform(&format!(
                "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\
                 \"params\":{{\"progressToken\":{token},{parts}}}}}"
            ));
        }
    }

    /// Sends the answer. A client that has left misses it.
    pub(crate) async fn finish(self, result: &str) {
        let Some(ticket) = self.ticket else { return };
        let message = answer::result(&ticket.id, result);
        // Whoever has the answer may use the id again at once.
        drop(ticket);
        match self.state {
            State::Closed | State::Errand(_) | State::Parked => {}
            State::Stream(events) => {
                let _ = events.message(&message).await;
            }
            State::Waiting(head) => drop(head.send(answer::json(StatusCode::OK, message))),
        }
    }

    /// Sends a refusal.
    pub(crate) async fn refuse(self, why: &Refusal) {
        let Some(ticket) = self.ticket else { return };
        let (id, correlation) = (ticket.id.clone(), ticket.correlation);
        drop(ticket);
        match self.state {
            State::Closed | State::Errand(_) | State::Parked => {}
            State::Stream(events) => {
                let _ = events.message(&why.body(Some(&id), correlation)).await;
            }
            State::Waiting(head) => {
                drop(head.send(answer::refused(why, Some(&id), correlation)));
            }
        }
    }
}
