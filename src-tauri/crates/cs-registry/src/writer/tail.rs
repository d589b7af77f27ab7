//! The end of the log while nothing else is written: whoever puts events on record does it at once
//! and by itself, behind a short lock, and nobody else is woken for it.
//!
//! The writer recalls the end before it does anything that depends on it, and lends it again
//! afterwards. Whoever finds it gone queues up for the writer, who knows what to do when something
//! is wrong.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cs_audit::{Draft, Entry, Head};
use cs_model::event::Event;
use tokio::sync::Notify;

use super::journal::Journal;
use super::record::is_doubtful;
use super::sync::Syncs;
use crate::RegistryError;
use crate::audit::is_lasting;
use crate::health::{Health, Trouble};

/// How many events may be in the journal alone before they are moved at once.
const DUE: usize = 1024;

/// How many there may be at all: whoever has another one waits until they are moved.
pub(super) const MOST: usize = 8192;

/// The end of the log.
#[derive(Debug)]
pub(super) struct End {
    /// Where the chain ends, what is not in the database included.
    pub(super) head: Option<Head>,
    pub(super) journal: Journal,
    /// What is on record in the journal alone, in order, up to the end of the chain.
    pub(super) pending: Vec<(Entry, Event)>,
}

impl End {
    /// What stands in its place while it is lent.
    pub(super) const fn nowhere() -> Self {
        Self { head: None, journal: Journal::nowhere(), pending: Vec::new() }
    }
}

/// What became of events.
pub(crate) enum Put {
    /// They are on record, or cannot be.
    Done(Result<(), RegistryError>),
    /// The writer has the end of the log. It has to put them on record.
    Queue(Vec<Event>),
}

/// The end of the log, where it is lent. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub(crate) struct Tail(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    end: Mutex<Option<End>>,
    /// Whether events are in the journal alone: whoever reads has them moved first.
    is_there: AtomicBool,
    /// There are the first such events, or many.
    due: Notify,
    many: Notify,
    spares_disk: AtomicBool,
    syncs: Syncs,
    health: Health,
}

impl Tail {
    pub(super) fn new(health: Health) -> Self {
        Self(Arc::new(Shared {
            end: Mutex::default(),
            is_there: AtomicBool::new(false),
            due: Notify::new(),
            many: Notify::new(),
            spares_disk: AtomicBool::new(false),
            syncs: Syncs::default(),
            health,
        }))
    }

    fn end(&self) -> MutexGuard<'_, Option<End>> {
        self.0.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everybody write to the end of the log. Before that may be more that is still moved.
    pub(super) fn lend(&self, end: End, is_moving: bool) {
        let mut lent = self.end();
        self.tell(is_moving || !end.pending.is_empty());
        *lent = Some(end);
    }

    /// What was being moved while the end of the log was lent is in the database.
    pub(super) fn moved(&self) {
        let lent = self.end();
        self.tell(lent.as_ref().is_some_and(|end| !end.pending.is_empty()));
    }

    /// Takes the end of the log back. From here on nobody else writes to it.
    pub(super) fn recall(&self) -> Option<End> {
        self.end().take()
    }

    /// Whether everybody writes to the end of the log now.
    #[cfg(test)]
    pub(super) fn is_lent(&self) -> bool {
        self.end().is_some()
    }

    /// Whether nobody knows what became of what was written to the end of the log while it was
    /// lent.
    pub(super) fn is_doubtful(&self) -> bool {
        self.0.syncs.is_doubtful()
    }

    /// All that was in doubt is on the disk.
    pub(super) fn is_renewed(&self) {
        self.0.syncs.is_renewed();
    }

    /// Lets readers know whether anything is in the journal alone.
    pub(super) fn tell(&self, is_there: bool) {
        let before = self.0.is_there.swap(is_there, Ordering::AcqRel);
        if is_there && !before {
            self.0.due.notify_one();
        }
    }

    /// Whether events are in the journal alone: whoever reads has them moved first.
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_there.load(Ordering::Acquire)
    }

    /// Waits until events are in the journal alone.
    pub(super) async fn due(&self) {
        while !self.is_there() {
            self.0.due.notified().await;
        }
    }

    /// Waits until there are many of them.
    pub(super) async fn many(&self) {
        self.0.many.notified().await;
    }

    /// Whether a commit of what is not lasting has to survive its process only.
    pub(crate) fn spares_disk(&self) -> bool {
        self.0.spares_disk.load(Ordering::Acquire)
    }

    pub(crate) fn spare_disk(&self, spares: bool) {
        self.0.spares_disk.store(spares, Ordering::Release);
    }

    /// Puts events on record, if the end of the log is lent.
    pub(crate) async fn put(&self, events: Vec<Event>) -> Put {
        let lasting = !self.spares_disk() || events.iter().any(is_lasting);
        let mut drafts = Vec::with_capacity(events.len());
        for event in &events {
            match cs_audit::draft(event) {
                Ok(draft) => drafts.push(draft),
                Err(error) => return Put::Done(Err(RegistryError::Seal(error))),
            }
        }
        let synced = match self.write(events, drafts, lasting) {
            Written::Done(done) => return Put::Done(done),
            Written::Queue(events) => return Put::Queue(events),
            Written::ToSync(synced) => synced,
        };
        // Not answered: the process is coming to its end.
        let synced = synced.await.unwrap_or(false);
        Put::Done(if synced { Ok(()) } else { Err(RegistryError::Unwritten) })
    }

    /// INVARIANT: an event that was sealed here is in the journal, and among what is to be moved,
    /// before the next one is sealed: the journal has the chain without a gap. One that cannot be
    /// written has no place in it.
    fn write(&self, events: Vec<Event>, drafts: Vec<Draft>, lasting: bool) -> Written {
        let mut lent = self.end();
        let Some(end) = lent.as_mut() else { return Written::Queue(events) };
        let has_room = end.pending.len().saturating_add(events.len()) <= MOST;
        if !has_room || self.is_doubtful() || self.0.health.is_damaged() {
            return Written::Queue(events);
        }
        let mut head = end.head;
        let mut entries = Vec::with_capacity(drafts.len());
        for draft in drafts {
            match draft.seal(head.as_ref()) {
                Ok(entry) => {
                    head = Some(entry.head());
                    entries.push(entry);
                }
                Err(error) => return Written::Done(Err(RegistryError::Seal(error))),
            }
        }
        let file = match end.journal.put(entries.iter()) {
            Ok(file) => file,
            Err(error) => {
                self.failed(&error);
                return Written::Done(Err(RegistryError::Unwritten));
            }
        };
        let before = end.pending.len();
        end.head = head;
        end.pending.extend(entries.into_iter().zip(events));
        let now = end.pending.len();
        self.tell(now > 0);
        if before < DUE && now >= DUE {
            self.0.many.notify_one();
        }
        drop(lent);
        if lasting {
            return Written::ToSync(self.0.syncs.sync(file, &self.0.health));
        }
        self.0.health.works();
        Written::Done(Ok(()))
    }

    fn failed(&self, error: &io::Error) {
        self.0.health.failed(Some(Trouble::of_file(error)));
        if is_doubtful(error) {
            tracing::error!(%error, "the audit journal is in doubt");
            self.0.syncs.doubt();
        }
    }
}

/// What became of writing events down.
enum Written {
    Done(Result<(), RegistryError>),
    Queue(Vec<Event>),
    /// They are on record once this says so.
    ToSync(tokio::sync::oneshot::Receiver<bool>),
}
