//! The way back to the client of one call: an answer at the end, or a stream before it.

use std::time::Duration;

use cs_model::CorrelationId;
use http::StatusCode;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::answer::{self, Answer, Events};
use crate::refusal::Refusal;
use crate::wire::{Id, Members};

/// The most bytes of what a server tells of its progress.
const MOST_PROGRESS: usize = 16 * 1024;

/// How long lies between two tellings of a server's progress at least. What comes sooner is old
/// news by then.
const PACE: Duration = Duration::from_millis(50);

/// The way back to the client of one call.
#[derive(Debug)]
pub(crate) struct Line {
    state: State,
    /// How often a stream without other news shows that it is alive.
    pub(crate) keep_alive: Duration,
    /// The last progress that the client heard of: it has to increase.
    progress: f64,
    /// When the client last heard of a server's.
    told: Option<Instant>,
}

#[derive(Debug)]
enum State {
    Closed,
    Stream(Events),
    Waiting(oneshot::Sender<Answer>),
}

impl Line {
    /// A way back, and where the head of the answer comes out.
    pub(crate) fn new(keep_alive: Duration) -> (Self, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let state = State::Waiting(sender);
        (Self { state, keep_alive, progress: f64::NEG_INFINITY, told: None }, receiver)
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
            other @ (State::Closed | State::Stream(_)) => other,
        };
    }

    /// Waits until the client does not listen any more.
    pub(crate) async fn gone(&mut self) {
        match &mut self.state {
            State::Closed => {}
            State::Stream(events) => events.gone().await,
            State::Waiting(head) => head.closed().await,
        }
    }

    /// Whether the client does not listen any more, as far as is known.
    pub(crate) fn is_gone(&self) -> bool {
        match &self.state {
            State::Closed => true,
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
    pub(crate) fn forward(&mut self, token: &Id, told: &RawValue) {
        let now = Instant::now();
        let soon = self.told.is_some_and(|last| now.saturating_duration_since(last) < PACE);
        if soon || told.get().len() > MOST_PROGRESS {
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
        self.told = Some(now);
        self.tell(token, progress, &parts);
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
    pub(crate) async fn finish(self, message: String) {
        match self.state {
            State::Closed => {}
            State::Stream(events) => {
                let _ = events.message(&message).await;
            }
            State::Waiting(head) => drop(head.send(answer::json(StatusCode::OK, message))),
        }
    }

    /// Sends a refusal.
    pub(crate) async fn refuse(self, why: &Refusal, id: &Id, correlation: CorrelationId) {
        match self.state {
            State::Closed => {}
            State::Stream(events) => {
                let _ = events.message(&why.body(Some(id), correlation)).await;
            }
            State::Waiting(head) => {
                drop(head.send(answer::refused(why, Some(id), correlation)));
            }
        }
    }
}
