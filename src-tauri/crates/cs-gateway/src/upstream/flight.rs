//! The requests of one connection that wait for their answers, and what is spoken over it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::UpstreamError;
use super::wire::{self, Answer, Has, Incoming, Violation};
use crate::wire::Era;

/// How many abandoned requests are remembered, so that late answers to them are told from
/// answers that nobody asked for.
const REMEMBERED: usize = 1024;

/// Where the progress of a call is told.
pub(super) type Progress = mpsc::Sender<Box<RawValue>>;

/// How a connection ended.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// It was cut off.
    Lost(String),
    /// The server broke the protocol.
    Rejected(String),
}

impl Ending {
    fn to_error(&self) -> UpstreamError {
        match self {
            Self::Lost(why) => UpstreamError::Lost(why.clone()),
            Self::Rejected(why) => UpstreamError::Rejected(why.clone()),
        }
    }

    /// Why, in one line.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Lost(why) | Self::Rejected(why) => why,
        }
    }
}

/// What an answer is waited for with.
pub(super) type Awaited = oneshot::Receiver<Result<Answer, UpstreamError>>;

struct Waiting {
    answer: oneshot::Sender<Result<Answer, UpstreamError>>,
    progress: Option<Progress>,
}

#[derive(Default)]
struct Inner {
    last: u64,
    waiting: HashMap<u64, Waiting>,
    abandoned: BTreeSet<u64>,
    ending: Option<Ending>,
}

/// The requests that wait, and whether the connection still stands.
#[derive(Default)]
pub(super) struct Flight {
    inner: Mutex<Inner>,
    over: CancellationToken,
    listing_changed: Notify,
    modern: OnceLock<Modern>,
    has: OnceLock<Has>,
}

/// What is known of a server of the newer era.
struct Modern {
    /// Whether it tells of changes when it is asked to.
    tells: bool,
}

impl Flight {
    /// What is spoken: the older era, until it is known that it is the newer one.
    pub(super) fn era(&self) -> Era {
        if self.modern.get().is_some() { Era::Modern } else { Era::Legacy }
    }

    /// The newer era is spoken from now on.
    pub(super) fn is_modern(&self, tells: bool) {
        // A connection begins once.
        let _ = self.modern.set(Modern { tells });
    }

    /// The server publishes this.
    pub(super) fn publishes(&self, has: Has) {
        // A connection begins once.
        let _ = self.has.set(has);
    }

    /// What the server publishes.
    pub(super) fn has(&self) -> Has {
        self.has.get().copied().unwrap_or_default()
    }

    /// Whether the server tells of changes, and only when it is asked to.
    pub(super) fn tells_when_asked(&self) -> bool {
        self.modern.get().is_some_and(|it| it.tells)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for the answer to a new request.
    ///
    /// # Errors
    ///
    /// When the connection has ended. Nothing was sent then.
    pub(super) fn expect(
        &self,
        progress: Option<Progress>,
    ) -> Result<(u64, Awaited), UpstreamError> {
        let mut inner = self.inner();
        if let Some(ending) = &inner.ending {
            return Err(UpstreamError::NotSent(ending.why().to_owned()));
        }
        inner.last = inner.last.saturating_add(1);
        let id = inner.last;
        let (answer, awaited) = oneshot::channel();
        inner.waiting.insert(id, Waiting { answer, progress });
        Ok((id, awaited))
    }

    /// Gives up waiting. Tells whether anybody waited.
    pub(super) fn abandon(&self, id: u64) -> bool {
        let mut inner = self.inner();
        let waited = inner.waiting.remove(&id).is_some();
        if waited {
            inner.abandoned.insert(id);
            if inner.abandoned.len() > REMEMBERED {
                inner.abandoned.pop_first();
            }
        }
        waited
    }

    /// Takes one message from the server. Answers with what is to be said back, if anything.
    pub(super) fn take(&self, message: &[u8]) -> Result<Option<String>, Violation> {
        match wire::read(message)? {
            Incoming::Answer { id, answer } => self.deliver(id, answer).map(|()| None),
            Incoming::Request { .. } if self.era() == Era::Modern => {
                Err(Violation("a request, which servers of this revision do not make"))
            }
            Incoming::Request { id, method } => Ok(Some(wire::answer_to(&id, &method))),
            Incoming::Notification { method, params } => {
                match method.as_str() {
                    "notifications/progress" => self.tell(params.as_deref()),
                    "notifications/prompts/list_changed"
                    | "notifications/resources/list_changed"
                    | "notifications/tools/list_changed" => self.change_listing(),
                    _ => {}
                }
                Ok(None)
            }
        }
    }

    fn deliver(&self, id: u64, answer: Answer) -> Result<(), Violation> {
        let mut inner = self.inner();
        if let Some(waiting) = inner.waiting.remove(&id) {
            // Whoever waited may have gone in this very moment.
            let _ = waiting.answer.send(Ok(answer));
            return Ok(());
        }
        if inner.abandoned.remove(&id) {
            return Ok(());
        }
        Err(Violation("an answer to a request that does not wait for one"))
    }

    fn tell(&self, params: Option<&RawValue>) {
        let Some((token, told)) = wire::progress(params) else { return };
        let inner = self.inner();
        let progress = inner.waiting.get(&token).and_then(|waiting| waiting.progress.as_ref());
        if let Some(progress) = progress {
            // Progress that nobody takes fast enough is old news.
            let _ = progress.try_send(told);
        }
    }

    /// Ends the connection, once: everybody who waits hears why.
    pub(super) fn end(&self, ending: Ending) {
        let mut inner = self.inner();
        if inner.ending.is_none() {
            for (_, waiting) in inner.waiting.drain() {
                let _ = waiting.answer.send(Err(ending.to_error()));
            }
            inner.ending = Some(ending);
        }
        drop(inner);
        self.over.cancel();
    }

    /// How the connection ended, when it has.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.inner().ending.clone()
    }

    /// Waits for the end of the connection.
    pub(super) async fn ended(&self) {
        self.over.cancelled().await;
    }

    /// The tools may have changed.
    pub(super) fn change_listing(&self) {
        self.listing_changed.notify_one();
    }

    /// Waits until the server says that its tools have changed.
    pub(super) async fn listing_changed(&self) {
        self.listing_changed.notified().await;
    }
}
