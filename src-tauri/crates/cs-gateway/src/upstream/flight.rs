//! The requests of one connection that wait for their answers, and what is spoken over it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::value::RawValue;
use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::news::{Teller, What};
use super::talk::{Asked, Back, Note, not_asked};
use super::wire::{self, Answer, Has, Incoming, Violation};
use super::{Abilities, Ear, NotAsked, Question, Told, UpstreamError};
use crate::wire::Era;

/// How many abandoned requests are remembered, so that late answers to them are told from
/// answers that nobody asked for.
const REMEMBERED: usize = 1024;

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

/// How often the server said what it will tell of, and the resources among that.
pub(super) type Acknowledged = (u64, BTreeSet<String>);

struct Waiting {
    answer: oneshot::Sender<Result<Answer, UpstreamError>>,
    ear: Option<Ear>,
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
    own: OnceLock<Abilities>,
    teller: OnceLock<Teller>,
    notes: OnceLock<bool>,
    acknowledged: watch::Sender<Acknowledged>,
}

/// What is known of a server of the newer era.
struct Modern {
    /// Whether it tells of changes when it is asked to.
    tells: bool,
    /// Whether it may answer a call with an errand.
    errands: bool,
}

impl Flight {
    /// What is spoken: the older era, until it is known that it is the newer one.
    pub(super) fn era(&self) -> Era {
        if self.modern.get().is_some() { Era::Modern } else { Era::Legacy }
    }

    /// The newer era is spoken from now on.
    pub(super) fn is_modern(&self, tells: bool, errands: bool) {
        // A connection begins once.
        let _ = self.modern.set(Modern { tells, errands });
    }

    /// Whether the server may answer a call with an errand.
    pub(super) fn has_errands(&self) -> bool {
        self.modern.get().is_some_and(|it| it.errands)
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

    /// Hears from now on what the server says that it will tell of.
    pub(super) fn acknowledged(&self) -> watch::Receiver<Acknowledged> {
        self.acknowledged.subscribe()
    }

    /// The connection is one session's own, and these may be asked of it.
    pub(super) fn is_own(&self, abilities: Abilities) {
        // A connection begins once.
        let _ = self.own.set(abilities);
    }

    /// Where its changes are told.
    pub(super) fn tells_of_changes(&self, teller: Teller) {
        // A connection begins once.
        let _ = self.teller.set(teller);
    }

    /// Whether the server notes things down for whoever it serves.
    pub(super) fn notes(&self, does: bool) {
        // A connection begins once.
        let _ = self.notes.set(does);
    }

    /// Whether the server has to be told how loud its notes are to be.
    pub(super) fn takes_level(&self) -> bool {
        self.era() == Era::Legacy && self.notes.get() == Some(&true)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for the answer to a new request.
    ///
    /// # Errors
    ///
    /// When the connection has ended. Nothing was sent then.
    pub(super) fn expect(&self, ear: Option<Ear>) -> Result<(u64, Awaited), UpstreamError> {
        let mut inner = self.inner();
        if let Some(ending) = &inner.ending {
            return Err(UpstreamError::NotSent(ending.why().to_owned()));
        }
        inner.last = inner.last.saturating_add(1);
        let id = inner.last;
        let (answer, awaited) = oneshot::channel();
        inner.waiting.insert(id, Waiting { answer, ear });
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

    /// Takes one message from the server, which came with the answer to a request, or unasked.
    /// Answers with what is to be said back, if anything.
    pub(super) fn take(&self, message: &[u8], of: Option<u64>) -> Result<Option<Back>, Violation> {
        match wire::read(message)? {
            Incoming::Answer { id, answer } => self.deliver(id, answer).map(|()| None),
            Incoming::Request { .. } if self.era() == Era::Modern => {
                Err(Violation("a request, which servers of this revision do not make"))
            }
            Incoming::Request { id, method, params } => {
                Ok(Some(self.asked(id, &method, params.as_deref(), of)))
            }
            Incoming::Notification { method, params } => {
                let change = What::read(&method, params.as_deref());
                if let (Some(what), Some(teller)) = (change, self.teller.get()) {
                    teller.tell(what);
                }
                match method.as_str() {
                    "notifications/progress" => self.tell(params.as_deref()),
                    "notifications/message" => self.noted(params.as_deref(), of),
                    "notifications/prompts/list_changed"
                    | "notifications/resources/list_changed"
                    | "notifications/tools/list_changed" => self.change_listing(),
                    "notifications/subscriptions/acknowledged" => {
                        let told = wire::acknowledged(params.as_deref());
                        self.acknowledged.send_modify(|(count, all)| {
                            *count = count.saturating_add(1);
                            *all = told;
                        });
                    }
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
        let ear = inner.waiting.get(&token).and_then(|waiting| waiting.ear.as_ref());
        if let Some(ear) = ear {
            // Progress that nobody takes fast enough is old news.
            let _ = ear.try_send(Told::Progress(told));
        }
    }

    /// Who hears what a server says: the request that it came with the answer of. What came
    /// unasked is heard by the latest call, where all calls are of one session, and else by none.
    fn ear(&self, of: Option<u64>) -> Option<Ear> {
        let inner = self.inner();
        if let Some(id) = of {
            return inner.waiting.get(&id)?.ear.clone();
        }
        self.own.get()?;
        let calls = inner.waiting.iter().filter(|(_, waiting)| waiting.ear.is_some());
        calls.max_by_key(|(id, _)| **id)?.1.ear.clone()
    }

    fn noted(&self, params: Option<&RawValue>, of: Option<u64>) {
        let Some(ear) = self.ear(of) else { return };
        if let Some(note) = Note::read(params) {
            let _ = ear.try_send(Told::Note(note));
        }
    }

    /// The server asks something. Nobody hears it but the session whose connection this is, and
    /// that only for what it can; a ping is answered.
    fn asked(
        &self,
        id: Box<RawValue>,
        method: &str,
        params: Option<&RawValue>,
        of: Option<u64>,
    ) -> Back {
        if method == "ping" {
            return Back::Now(wire::pong(&id));
        }
        let ear = self.ear(of);
        let question = Question::read(method, params);
        let covered = |it: &Question| self.own.get().is_some_and(|own| own.cover(it));
        let why = match (question, ear) {
            (Ok(question), Some(ear)) if covered(&question) => {
                let (sender, answer) = oneshot::channel();
                let asked = Told::Asked(Asked { question, answer: sender });
                if ear.try_send(asked).is_ok() {
                    return Back::Later { id, answer };
                }
                NotAsked::ANSWERED
            }
            (question, ear) => {
                let what = question.as_ref().map_or("asks_other", |it| it.kind.code());
                if let Some(ear) = ear {
                    // Whoever is too busy to hear it misses it; nothing was granted.
                    let _ = ear.try_send(Told::Turned(what));
                }
                question.err().unwrap_or(NotAsked::ABLE)
            }
        };
        Back::Now(not_asked(&id, why))
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
