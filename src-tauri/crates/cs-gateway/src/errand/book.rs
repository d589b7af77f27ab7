//! The errands of the gateway's own: where each stands, for as long as its client may ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cs_model::{ApprovalId, SessionId, Timestamp};
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::Matter;
use crate::asking;
use crate::authn::Warrant;
use crate::parked::Number;
use crate::upstream::Question;
use crate::wire::Members;

/// The most errands that are remembered after they ended: of one session, in all, and the most
/// bytes of what came of them. What is forgotten sooner can still be told of in outline.
const OF_SESSION: usize = 32;
const OF_ALL: usize = 4096;
const BYTES: usize = 64 * 1024 * 1024;

/// Where an errand stands.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// Its server wants to know something of its client: the questions that are open, as JSON.
    Asks(Arc<str>),
    /// It was given up.
    Cancelled,
    /// The call has this result.
    Completed(Arc<str>),
    /// The call was answered with this error.
    Failed(Arc<str>),
    /// Its server serves the call.
    Running,
    /// A person is asked.
    Waiting,
}

impl Standing {
    /// Whether it stays so.
    pub(crate) const fn is_final(&self) -> bool {
        match self {
            Self::Cancelled | Self::Completed(_) | Self::Failed(_) => true,
            Self::Asks(_) | Self::Running | Self::Waiting => false,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Completed(text) | Self::Failed(text) => text.len(),
            Self::Asks(_) | Self::Cancelled | Self::Running | Self::Waiting => 0,
        }
    }
}

/// An errand of the gateway's own.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) approval: ApprovalId,
    pub(crate) session: SessionId,
    pub(crate) matter: Matter,
    pub(crate) created: Timestamp,
    /// Until when its client may ask.
    pub(crate) until: Timestamp,
    cancel: watch::Sender<bool>,
    warrant: watch::Sender<Warrant>,
    standing: watch::Sender<(Standing, Timestamp)>,
    asking: Mutex<Asking>,
}

/// What its client is asked.
#[derive(Debug, Default)]
struct Asking {
    /// How many questions there were. No two have the same key.
    last: u64,
    open: Vec<Open>,
    /// Where the call waits for the answers, by the keys of its server.
    number: Option<Number>,
    answers: Vec<(String, String)>,
}

#[derive(Debug)]
struct Open {
    key: String,
    theirs: String,
    question: Question,
}

impl Own {
    /// One that has just begun.
    pub(super) fn new(
        (approval, session): (ApprovalId, SessionId),
        matter: Matter,
        (created, until): (Timestamp, Timestamp),
        standing: Standing,
        warrant: Warrant,
    ) -> Self {
        Self {
            approval,
            session,
            matter,
            created,
            until,
            cancel: watch::Sender::new(false),
            warrant: watch::Sender::new(warrant),
            standing: watch::Sender::new((standing, created)),
            asking: Mutex::default(),
        }
    }

    /// Where it stands, and since when.
    pub(crate) fn standing(&self) -> (Standing, Timestamp) {
        self.standing.borrow().clone()
    }

    /// Hears where it stands.
    pub(crate) fn hear(&self) -> watch::Receiver<(Standing, Timestamp)> {
        self.standing.subscribe()
    }

    /// It stands elsewhere now, unless it is over.
    pub(super) fn stands(&self, standing: Standing, now: Timestamp) {
        self.standing.send_if_modified(|known| {
            let goes_on = !known.0.is_final();
            if goes_on {
                *known = (standing, now);
            }
            goes_on
        });
    }

    /// Its client gives it up.
    pub(super) fn cancel(&self) {
        self.cancel.send_replace(true);
    }

    /// Hears whether its client has given it up.
    pub(crate) fn cancelled(&self) -> watch::Receiver<bool> {
        self.cancel.subscribe()
    }

    /// Its client has come again, and with this.
    pub(super) fn renew(&self, warrant: Warrant) {
        self.warrant.send_replace(warrant);
    }

    /// Hears what its client comes with.
    pub(super) fn warrants(&self) -> watch::Receiver<Warrant> {
        self.warrant.subscribe()
    }

    fn asking(&self) -> MutexGuard<'_, Asking> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts questions of its server to its client. The call waits for the answers at `number`.
    pub(crate) fn ask(&self, number: Number, questions: &[(&str, &Question)], now: Timestamp) {
        let mut asking = self.asking();
        asking.number = Some(number);
        asking.answers.clear();
        asking.open.clear();
        for (theirs, question) in questions {
            asking.last = asking.last.saturating_add(1);
            let (key, params) = (format!("q{}", asking.last), question.params.clone());
            let question = Question { kind: question.kind, params };
            asking.open.push(Open { key, theirs: (*theirs).to_owned(), question });
        }
        self.stands(asking.standing(), now);
    }

    /// Takes answers of its client. What nobody asked, or what does not fit, is passed over. Once
    /// all questions are answered, tells where the call waits, and what for.
    pub(super) fn answer(
        &self,
        responses: &RawValue,
        now: Timestamp,
    ) -> Option<(Number, Box<RawValue>)> {
        let brought = Members::read(responses.get())?;
        let mut asking = self.asking();
        let number = asking.number?;
        let (mut open, mut answers) = (Vec::new(), std::mem::take(&mut asking.answers));
        for question in std::mem::take(&mut asking.open) {
            let answer = brought.get(&question.key);
            match answer.and_then(|raw| asking::fitting(question.question.kind, raw)) {
                Some(answer) => answers.push((question.theirs, answer)),
                None => open.push(question),
            }
        }
        (asking.open, asking.answers) = (open, answers);
        if !asking.open.is_empty() {
            self.stands(asking.standing(), now);
            return None;
        }
        asking.number = None;
        let parts = std::mem::take(&mut asking.answers);
        let parts =
            parts.iter().map(|(key, it)| format!("{}:{it}", serde_json::Value::from(&**key)));
        let all = format!("{{{}}}", parts.collect::<Vec<_>>().join(","));
        self.stands(Standing::Running, now);
        Some((number, RawValue::from_string(all).ok()?))
    }

    /// Whether its client is asked something.
    pub(crate) fn is_asking(&self) -> bool {
        matches!(self.standing.borrow().0, Standing::Asks(_))
    }
}

impl Asking {
    fn standing(&self) -> Standing {
        let open = self.open.iter().map(|it| (it.key.as_str(), &it.question));
        Standing::Asks(asking::requests(open).into())
    }
}

/// All errands of the gateway's own, by the requests that stand for their calls.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<HashMap<ApprovalId, Arc<Own>>>);

impl Book {
    fn pages(&self) -> MutexGuard<'_, HashMap<ApprovalId, Arc<Own>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The errand of a request.
    pub(super) fn get(&self, approval: ApprovalId) -> Option<Arc<Own>> {
        self.pages().get(&approval).cloned()
    }

    /// Takes an errand in, unless there is one for its request already. Says whether it did.
    pub(super) fn enter(&self, own: Own) -> (Arc<Own>, bool) {
        let mut pages = self.pages();
        if let Some(known) = pages.get(&own.approval) {
            return (Arc::clone(known), false);
        }
        let own = Arc::new(own);
        pages.insert(own.approval, Arc::clone(&own));
        drop(pages);
        self.tidy(own.session);
        (own, true)
    }

    /// Forgets the errands of sessions that are over, and those whose time is up.
    pub(crate) fn sweep(&self, now: Timestamp, is_live: impl Fn(SessionId) -> bool) {
        self.pages().retain(|_, own| {
            let ended = own.standing.borrow().0.is_final();
            !ended || (now < own.until && is_live(own.session))
        });
    }

    /// Forgets what ended first, where there is too much of it.
    fn tidy(&self, session: SessionId) {
        let mut pages = self.pages();
        let ended = pages.values().filter_map(|own| {
            let (standing, since) = &*own.standing.borrow();
            standing.is_final().then(|| (*since, own.approval, own.session, standing.bytes()))
        });
        let mut ended: Vec<_> = ended.collect();
        ended.sort_unstable_by_key(|(since, approval, ..)| (*since, *approval));
        let mut bytes: usize = ended.iter().map(|it| it.3).sum();
        let mut of_session = ended.iter().filter(|it| it.2 == session).count();
        let mut of_all = ended.len();
        for (_, approval, of, size) in ended {
            let own = of == session && of_session > OF_SESSION;
            if own || of_all > OF_ALL || bytes > BYTES {
                pages.remove(&approval);
                bytes = bytes.saturating_sub(size);
                of_all = of_all.saturating_sub(1);
                of_session = of_session.saturating_sub(usize::from(of == session));
            }
        }
    }
}
